//! `workflow install --back`: an earlier installation comes back, as a new one on top.

use std::collections::BTreeSet;

use super::WorkflowError;
use super::install::{Installation, InstalledWorkflow, finish};
use super::installing::Installing;
use super::lock_file::{LockFile, lock_path};
use super::record::{Installable, LIMITS, find_installation, read_message};
use crate::ops::{OpError, Workspace};
use crate::workflow::Name;

/// Asks for an earlier installation to come back.
#[derive(Debug, Clone)]
pub struct InstallBack {
    /// The workflow.
    pub name: String,
    /// The commit of the installation.
    pub commit: String,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// Puts an earlier installation of a workflow back: its ref gets a commit with the tree of the earlier one, so that nothing
/// that was installed since is lost to other worktrees, and the lock file says so.
///
/// # Errors
/// When the commit is none, or is not here any more.
pub fn install_back(workspace: &Workspace, request: &InstallBack) -> Result<Installation, OpError> {
    let InstallBack { name, commit, dry_run } = request;
    let not_an_install = || OpError::from(WorkflowError::NotAnInstall { commit: commit.clone(), name: name.clone() });
    let _: Name = name.parse().map_err(|_| not_an_install())?;
    let repo = &workspace.repo;
    let mut file = LockFile::take(workspace, *dry_run)?;
    let id = repo.find_code_commit(commit)?.ok_or_else(not_an_install)?;
    let raw = repo.read_raw_commit(&id)?;
    let (mut locked, plugins) = read_message(name, raw.tree, &raw.message).ok_or_else(not_an_install)?;
    if !repo.has_whole_tree(&locked.tree, &LIMITS) {
        return Err(not_an_install());
    }
    let mut installing = Installing::new(workspace, *dry_run)?;
    let mut warnings = Vec::new();
    let mut kept = Vec::new();
    for (key, commit) in plugins {
        let read = repo.has_object(&commit).then(|| repo.read_raw_commit(&commit)).transpose()?;
        let plugin = read.and_then(|raw| read_message(&key, raw.tree, &raw.message));
        let Some((plugin, _)) = plugin.filter(|(plugin, _)| repo.has_whole_tree(&plugin.tree, &LIMITS)) else {
            warnings
                .push(format!("plugin '{key}' is not here any more: git trace workflow install {}", locked.reference));
            continue;
        };
        kept.push(installing.keep_plugin(&mut file.lock, name, &key, plugin, &BTreeSet::new())?);
    }
    locked.plugins = kept.iter().map(|(key, _)| key.clone()).collect();
    locked.plugins.sort();
    installing.keep(Installable::Workflow, name, &locked, &kept)?;
    let before = file.lock.workflows.insert(name.clone(), locked.clone());
    let old = match &before {
        Some(before) => find_installation(workspace, Installable::Workflow, name, &before.tree)?,
        None => None,
    };
    let undo = match old {
        Some(old) => format!("git trace workflow install {name} --back {}", old.short(12)),
        None => format!("git trace workflow remove {name}"),
    };
    let unchanged = before.as_ref() == Some(&locked);
    let was = before.and_then(|before| before.version);
    let one =
        InstalledWorkflow { name: name.clone(), locked, was, unchanged, plugins_found: Vec::new(), warnings, undo };
    finish(workspace, installing, file, "install --back", *dry_run)?;
    Ok(Installation { workflows: vec![one], lock_file: lock_path(workspace), dry_run: *dry_run })
}
