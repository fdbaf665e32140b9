//! `remote`: where contexts go to and come from.

use serde::Serialize;

use super::ShareError;
use crate::ops::{OpError, Workspace};
use crate::store::{HEADS, RefValue, Remote, RemoteMode, StoreError, check_url, is_remote_name};

/// Describes a remote.
#[derive(Debug, Clone, Serialize)]
pub struct ListedRemote {
    /// Its name.
    pub name: String,
    /// Where it is fetched from, without a password that may stand in it.
    pub url: String,
    /// Where it is pushed to, if that is another place.
    pub push_url: Option<String>,
    /// `refs` or `branch`: how it keeps contexts.
    pub mode: &'static str,
    /// Whether it is meant where none is named.
    pub is_default: bool,
    /// Branches that it is known to have.
    pub branches: usize,
}

/// Lists the remotes, by name.
///
/// # Errors
/// When one is configured in a way that cannot be used.
pub fn remotes(workspace: &Workspace) -> Result<Vec<ListedRemote>, OpError> {
    let repo = &workspace.repo;
    let default = default_remote(workspace, None).ok().map(|remote| remote.name);
    let listed = |remote: Remote| {
        let branches = repo.list_refs(&remote.tracking_folder(HEADS))?.len();
        let Remote { name, url, push_url, mode, .. } = remote;
        let is_default = default.as_ref() == Some(&name);
        Ok(ListedRemote { name, url, push_url, mode: mode.name(), is_default, branches })
    };
    repo.remotes()?.into_iter().map(listed).collect()
}

/// Asks for the configuration of a remote to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeRemote {
    /// Makes one for contexts alone; a plain `git fetch --all` passes it by.
    Add {
        /// Its name.
        name: String,
        /// Its address.
        url: String,
        /// How it keeps contexts.
        mode: RemoteMode,
    },
    /// Says how one keeps contexts.
    Mode {
        /// Its name.
        name: String,
        /// How.
        mode: RemoteMode,
    },
    /// Makes one the default.
    Default {
        /// Its name.
        name: String,
    },
    /// Forgets one, with what it is known to have. Nothing changes there.
    Remove {
        /// Its name.
        name: String,
    },
}

/// Says what became of a remote.
#[derive(Debug, Clone, Serialize)]
pub struct ChangedRemote {
    /// Its name.
    pub name: String,
    /// The command that takes it back.
    pub undo: String,
}

/// Changes the configuration of a remote, in this repository.
///
/// # Errors
/// When there is no such remote, or one already; when an address or name cannot be used.
pub fn change_remote(workspace: &Workspace, request: &ChangeRemote) -> Result<ChangedRemote, OpError> {
    let repo = &workspace.repo;
    let changed = |name: &str, undo: String| Ok(ChangedRemote { name: name.to_owned(), undo });
    match request {
        ChangeRemote::Add { name, url, mode } => {
            if !is_remote_name(name) {
                return Err(ShareError::RemoteName { name: name.clone() }.into());
            }
            check_url(url)?;
            if repo.config(&format!("remote.{name}.url")).is_some() {
                return Err(ShareError::RemoteExists { name: name.clone() }.into());
            }
            repo.configure(&format!("remote.{name}.url"), Some(url))?;
            repo.configure(&format!("remote.{name}.skipFetchAll"), Some("true"))?;
            if *mode != RemoteMode::Refs {
                repo.configure(&format!("remote.{name}.traceMode"), Some(mode.name()))?;
            }
            changed(name, format!("git trace remote remove {name}"))
        }
        ChangeRemote::Mode { name, mode } => {
            let old = repo.remote(name)?.mode;
            let value = (*mode != RemoteMode::Refs).then(|| mode.name());
            repo.configure(&format!("remote.{name}.traceMode"), value)?;
            changed(name, format!("git trace remote mode {name} {}", old.name()))
        }
        ChangeRemote::Default { name } => {
            repo.remote(name)?;
            let old = workspace.config("trace.remote");
            repo.configure("trace.remote", Some(name))?;
            let undo = old.map_or_else(
                || "git config --unset trace.remote".to_owned(),
                |old| format!("git trace remote default {old}"),
            );
            changed(name, undo)
        }
        ChangeRemote::Remove { name } => remove(workspace, name),
    }
}

fn remove(workspace: &Workspace, name: &str) -> Result<ChangedRemote, OpError> {
    let repo = &workspace.repo;
    let remote = repo.remote(name)?;
    // One that git fetches branches from is the user's, and more than ours.
    if repo.config(&format!("remote.{name}.fetch")).is_some() {
        return Err(ShareError::RemoteOfGit { name: name.to_owned() }.into());
    }
    let url = shlex::try_quote(&remote.url).map(|url| url.into_owned()).unwrap_or_default();
    let mode = if remote.mode == RemoteMode::Refs { "" } else { " --mode=branch" };
    let mut undo = format!("git trace remote add{mode} {name} {url} && git trace fetch {name}");
    repo.forget_remote(&remote, &repo.committer()?)?;
    if workspace.config("trace.remote").as_deref() == Some(name) {
        repo.configure("trace.remote", None)?;
        undo += &format!(" && git trace remote default {name}");
    }
    repo.remove_config_section(&format!("remote.{name}"))?;
    Ok(ChangedRemote { name: name.to_owned(), undo })
}

/// Finds the remote that is meant: the one that is named; else `trace.remote`; else the one of the branch of the code; else
/// the only one. Where code is pushed to (`remote.pushDefault`, a fork) is never taken for it.
///
/// # Errors
/// When there is no such remote, or several and none is meant more than another.
pub(crate) fn default_remote(workspace: &Workspace, name: Option<&str>) -> Result<Remote, OpError> {
    let repo = &workspace.repo;
    if let Some(name) = name {
        return Ok(repo.remote(name)?);
    }
    if let Some(name) = workspace.config("trace.remote") {
        return Ok(repo.remote(&name)?);
    }
    if let Ok(Some(RefValue::Symbolic(head))) = repo.find_ref("HEAD")
        && let Some(branch) = head.strip_prefix("refs/heads/")
        && let Some(name) = workspace.config(&format!("branch.{branch}.remote")).filter(|name| name != ".")
    {
        return Ok(repo.remote(&name)?);
    }
    let mut all = repo.remotes()?;
    match all.len() {
        1 => Ok(all.remove(0)),
        0 => Err(StoreError::NoRemote { name: "origin".to_owned(), known: Vec::new() }.into()),
        _ => Err(ShareError::WhichRemote { names: all.into_iter().map(|remote| remote.name).collect() }.into()),
    }
}
