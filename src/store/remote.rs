//! Remotes: which there are, where they are, and which names our refs have there and here.

use super::{RefMove, Repo, StoreError, git};
use crate::model::Person;

/// Where our refs are on a server that takes nothing but heads and tags.
const BRANCH_PREFIX: &str = "refs/heads/git-trace";

/// Transports that run a program which the address names.
const RUNNING: [&str; 2] = ["ext", "fd"];

/// Says under which names a server keeps our refs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RemoteMode {
    /// Under the same as here: `refs/trace/…`.
    #[default]
    Refs,
    /// As branches, `refs/heads/git-trace/…`: for hosts that allow nothing else.
    Branch,
}

impl RemoteMode {
    /// Returns the name that the configuration has for it.
    pub const fn name(self) -> &'static str {
        match self {
            RemoteMode::Refs => "refs",
            RemoteMode::Branch => "branch",
        }
    }

    /// Finds a mode by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        [RemoteMode::Refs, RemoteMode::Branch].into_iter().find(|mode| mode.name() == name)
    }
}

/// Describes a remote of git's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name: letters, digits and `.`, `_`, `-`.
    pub name: String,
    /// Where it is fetched from, without a password that may stand in it.
    pub url: String,
    /// Where it is pushed to, if that is another place.
    pub push_url: Option<String>,
    /// How it keeps our refs.
    pub mode: RemoteMode,
    /// The bundle that stands for it, if it is none.
    address: Option<String>,
    /// Where our refs are in this repository.
    prefix: String,
}

/// Names a kind of refs that travels, and where those of a remote are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The folder of the refs themselves, below our prefix.
    pub folder: &'static str,
    /// The folder of what remotes have, below our prefix.
    pub remote_folder: &'static str,
}

/// Contexts.
pub const HEADS: Kind = Kind { folder: "heads", remote_folder: "remotes" };
/// Checkpoints.
pub const TAGS: Kind = Kind { folder: "tags", remote_folder: "remote-tags" };
/// The indexes of code and context, one for each clone.
pub const META: Kind = Kind { folder: "meta", remote_folder: "remote-meta" };
/// What was forgotten, and must not come back. What a remote has of it is not yet forgotten here.
pub const FORGOTTEN: Kind = Kind { folder: "forgotten", remote_folder: "remote-forgotten" };

/// All that travels; snapshots of the work tree and copies that were put aside never do.
pub const KINDS: [Kind; 4] = [HEADS, TAGS, META, FORGOTTEN];

impl Remote {
    /// Returns what git is to fetch from.
    pub(super) fn source(&self) -> &str {
        self.address.as_deref().unwrap_or(&self.name)
    }

    /// Tells whether nothing of it is configured: it is a file, or an address.
    pub(super) fn is_file(&self) -> bool {
        self.address.is_some()
    }

    /// Returns what a ref of ours is called on the server; `None` for refs that never leave this machine.
    pub fn there(&self, local: &str) -> Option<String> {
        let rest = local.strip_prefix(&self.prefix)?.strip_prefix('/')?;
        let (folder, name) = rest.split_once('/')?;
        KINDS.iter().find(|kind| kind.folder == folder)?;
        Some(format!("{}/{folder}/{name}", self.server_prefix()))
    }

    /// Returns what a ref on the server is called when it is ours; `None` for those that are not of our kinds.
    pub fn here(&self, there: &str) -> Option<String> {
        let rest = there.strip_prefix(self.server_prefix())?.strip_prefix('/')?;
        let (folder, _) = rest.split_once('/')?;
        KINDS.iter().find(|kind| kind.folder == folder)?;
        Some(format!("{}/{rest}", self.prefix))
    }

    /// Returns where this repository keeps what the remote has under the name of a ref of ours.
    pub fn tracking(&self, local: &str) -> Option<String> {
        let rest = local.strip_prefix(&self.prefix)?.strip_prefix('/')?;
        let (folder, name) = rest.split_once('/')?;
        let kind = KINDS.iter().find(|kind| kind.folder == folder)?;
        Some(format!("{}{name}", self.tracking_folder(*kind)))
    }

    /// Returns the folder, `/` at its end, where this repository keeps what the remote has of a kind.
    pub fn tracking_folder(&self, kind: Kind) -> String {
        format!("{}/{}/{}/", self.prefix, kind.remote_folder, self.name)
    }

    /// Returns where our refs are on the server.
    pub fn server_prefix(&self) -> &str {
        match self.mode {
            RemoteMode::Refs => &self.prefix,
            RemoteMode::Branch => BRANCH_PREFIX,
        }
    }

    /// Returns the same remote as if it kept our refs in another way.
    pub fn in_mode(&self, mode: RemoteMode) -> Remote {
        Remote { mode, ..self.clone() }
    }
}

impl Repo {
    /// Lists the remotes of git's configuration that can be used, by name.
    ///
    /// # Errors
    /// When one is configured in a way that cannot be.
    pub fn remotes(&self) -> Result<Vec<Remote>, StoreError> {
        let names = self.git.remote_names();
        let names = names.iter().map(ToString::to_string).filter(|name| is_remote_name(name));
        names
            .filter(|name| self.config(&format!("remote.{name}.url")).is_some())
            .map(|name| self.remote(&name))
            .collect()
    }

    /// Finds a remote.
    ///
    /// # Errors
    /// [`StoreError::NoRemote`] when there is none of that name, [`StoreError::BadUrl`] when its address could start a
    /// program.
    pub fn remote(&self, name: &str) -> Result<Remote, StoreError> {
        let known = || self.git.remote_names().iter().map(ToString::to_string).collect();
        let url = Some(name).filter(|name| is_remote_name(name));
        // git fetches from the first where there are several.
        let Some(url) = url.and_then(|name| self.config_all(&format!("remote.{name}.url")).into_iter().next()) else {
            return Err(StoreError::NoRemote { name: name.to_owned(), known: known() });
        };
        let push_url = self.config(&format!("remote.{name}.pushurl"));
        [Some(&url), push_url.as_ref()].into_iter().flatten().try_for_each(|url| check_url(url))?;
        let key = format!("remote.{name}.traceMode");
        let mode = match self.config(&key) {
            Some(value) => RemoteMode::from_name(&value).ok_or(StoreError::Config { key, value })?,
            None => RemoteMode::Refs,
        };
        let shown = |url: String| without_password(&url);
        let prefix = self.settings.ref_prefix.clone();
        Ok(Remote {
            name: name.to_owned(),
            url: shown(url),
            push_url: push_url.map(shown),
            mode,
            address: None,
            prefix,
        })
    }

    /// Describes what is at an address that has no name here.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`].
    pub fn remote_at(&self, url: &str) -> Result<Remote, StoreError> {
        check_url(url)?;
        let prefix = self.settings.ref_prefix.clone();
        let (shown, address) = (without_password(url), Some(url.to_owned()));
        Ok(Remote { name: shown.clone(), url: shown, push_url: None, mode: RemoteMode::Refs, address, prefix })
    }

    /// Forgets what a remote is known to have; nothing changes there.
    ///
    /// # Errors
    /// When a ref cannot be deleted.
    pub fn forget_remote(&self, remote: &Remote, who: &Person) -> Result<(), StoreError> {
        let mut known = Vec::new();
        for kind in KINDS {
            known.extend(self.list_refs(&remote.tracking_folder(kind))?);
        }
        let moves: Vec<RefMove> = known.into_iter().map(|(name, id)| RefMove::deletion(name, id)).collect();
        if !moves.is_empty() {
            self.move_refs(&moves, &[], "trace remote remove", false, who)?;
        }
        self.forget_place(remote);
        Ok(())
    }

    /// Tells whether anything is known of a remote.
    pub(super) fn knows_of(&self, remote: &Remote) -> Result<bool, StoreError> {
        for kind in KINDS {
            if !self.list_refs(&remote.tracking_folder(kind))?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes a bundle a remote of this name, of which nothing is configured.
    ///
    /// # Errors
    /// When it cannot be a remote's name, or is the name of one; when the file's is not UTF-8.
    pub fn bundle_remote(&self, name: &str, file: &std::path::Path) -> Result<Remote, StoreError> {
        let bad = |reason: &'static str| StoreError::BadUrl { url: name.to_owned(), reason };
        if !is_remote_name(name) {
            return Err(bad("it cannot be a remote's name"));
        }
        if self.config(&format!("remote.{name}.url")).is_some() {
            return Err(bad("a remote has that name"));
        }
        let path = std::path::absolute(file).map_err(StoreError::io("find", file))?;
        let url = path.to_str().ok_or_else(|| bad("the file's name is not UTF-8"))?.to_owned();
        let prefix = self.settings.ref_prefix.clone();
        let (name, address) = (name.to_owned(), Some(url.clone()));
        Ok(Remote { name, url, push_url: None, mode: RemoteMode::Refs, address, prefix })
    }

    /// Writes a variable of this repository's own configuration, or takes it out.
    ///
    /// # Errors
    /// When git cannot.
    pub fn configure(&self, key: &str, value: Option<&str>) -> Result<(), StoreError> {
        let arguments = match value {
            Some(value) => vec!["--local", "--replace-all", key, value],
            None if self.config_all(key).is_empty() => return Ok(()),
            None => vec!["--local", "--unset-all", key],
        };
        git::run(self, "config", &arguments, None).map(|_| ())
    }

    /// Takes a section out of this repository's own configuration.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove_config_section(&self, section: &str) -> Result<(), StoreError> {
        git::run(self, "config", &["--local", "--remove-section", section], None).map(|_| ())
    }
}

/// Tells whether a remote of this name can be one of ours: its branches are `<remote>/<agent>/<branch>`.
pub fn is_remote_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.len() <= 100
        && name.bytes().all(inner)
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && !name.ends_with('.')
        && !name.ends_with(".lock")
        && !name.contains("..")
}

/// Refuses addresses that git could take for an option, or that would start a program.
///
/// # Errors
/// [`StoreError::BadUrl`].
pub fn check_url(url: &str) -> Result<(), StoreError> {
    let bad = |reason: &'static str| Err(StoreError::BadUrl { url: without_password(url), reason });
    if url.is_empty() {
        return bad("it is empty");
    }
    if url.starts_with('-') {
        return bad("it looks like an option");
    }
    if url.chars().any(char::is_control) {
        return bad("it holds control characters");
    }
    let helper = url.split_once("::").map(|(helper, _)| helper);
    if helper.is_some_and(|helper| RUNNING.contains(&helper.to_ascii_lowercase().as_str())) {
        return bad("it would start a program");
    }
    // `ssh://-oProxyCommand=…` and its kind: git refuses them too, but not all that is called git.
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if host.starts_with('-') {
        return bad("its host looks like an option");
    }
    Ok(())
}

/// Returns an address without the password that may stand in it.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    match authority.rsplit_once('@') {
        Some((user, host)) if scheme.starts_with("http") || user.contains(':') => {
            let user = user.split_once(':').map(|(user, _)| format!("{user}@")).unwrap_or_default();
            format!("{scheme}://{user}{host}{path}")
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(mode: RemoteMode) -> Remote {
        Remote {
            name: "origin".to_owned(),
            url: "file:///x".to_owned(),
            push_url: None,
            mode,
            address: None,
            prefix: "refs/trace".to_owned(),
        }
    }

    #[test]
    fn refs_have_their_names_there_and_here() {
        let (refs, branch) = (remote(RemoteMode::Refs), remote(RemoteMode::Branch));
        let local = "refs/trace/heads/main/main";
        assert_eq!(refs.there(local).as_deref(), Some(local));
        assert_eq!(branch.there(local).as_deref(), Some("refs/heads/git-trace/heads/main/main"));
        assert_eq!(branch.here("refs/heads/git-trace/heads/main/main").as_deref(), Some(local));
        assert_eq!(branch.here("refs/heads/main"), None);
        assert_eq!(refs.tracking(local).as_deref(), Some("refs/trace/remotes/origin/main/main"));
        assert_eq!(refs.tracking("refs/trace/meta/w").as_deref(), Some("refs/trace/remote-meta/origin/w"));
        assert_eq!(refs.tracking("refs/trace/forgotten/k").as_deref(), Some("refs/trace/remote-forgotten/origin/k"));
        for secret in
            ["refs/trace/snapshots/main", "refs/trace/aside/a/b", "refs/trace/remotes/x/a/b", "refs/heads/main"]
        {
            assert_eq!(refs.there(secret), None, "{secret}");
            assert_eq!(branch.there(secret), None, "{secret}");
        }
    }

    #[test]
    fn addresses_that_run_programs_are_refused() {
        let bad = [
            "ext::sh -c touch% x",
            "EXT::x",
            "fd::17",
            "-oProxyCommand=x",
            "ssh://-oProxyCommand=x/y",
            "a\nb",
            "",
            "ssh://user@-oProxyCommand=x/y",
            "--upload-pack=x",
        ];
        for url in bad {
            assert!(check_url(url).is_err(), "{url}");
        }
        for url in
            ["https://example.com/a.git", "git@example.com:a/b.git", "/srv/a.git", "../a", "file:///a", "[::1]:x"]
        {
            assert!(check_url(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(without_password("https://me:secret@example.com/a"), "https://me@example.com/a");
        assert_eq!(without_password("https://token@example.com/a"), "https://example.com/a");
        assert_eq!(without_password("ssh://git@example.com/a@b"), "ssh://git@example.com/a@b");
        assert_eq!(without_password("git@example.com:a"), "git@example.com:a");
    }
}
