//! What git thinks of files in the work tree, and where it looks for its hooks.

use std::path::{Path, PathBuf};

use gix::config::file::Metadata;

use super::{Repo, StoreError, git};

/// Says who set where hooks are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The repository's own configuration, or this worktree's.
    Repository,
    /// The user's configuration, for all repositories.
    User,
    /// The system's configuration.
    System,
    /// The command line, or the environment: for one command.
    Command,
}

impl Scope {
    /// Returns the word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Repository => "the repository's",
            Scope::User => "the user's",
            Scope::System => "the system's",
            Scope::Command => "the command line's",
        }
    }
}

/// Says where `core.hooksPath` points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HooksPath {
    /// The value as it stands there; where it is empty git runs no hooks.
    pub value: String,
    /// The folder.
    pub path: PathBuf,
    /// Who set it.
    pub scope: Scope,
}

impl Repo {
    /// Returns the git directory that all worktrees share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Tells whether git ignores a path, which need not exist.
    pub fn is_ignored(&self, work_tree: &Path, path: &Path) -> bool {
        let path = path.strip_prefix(work_tree).unwrap_or(path).to_string_lossy();
        // It fails where nothing is ignored, and where nothing can be.
        git::run_at(self, work_tree, "check-ignore", &["-q", "--", &path]).is_ok()
    }

    /// Tells whether git's index has a path, or anything below it.
    ///
    /// # Errors
    /// When git cannot be asked, or the path is not in the work tree.
    pub fn is_tracked(&self, work_tree: &Path, path: &Path) -> Result<bool, StoreError> {
        let below = path.strip_prefix(work_tree).unwrap_or(path).to_string_lossy();
        let literal = format!(":(top,literal){below}");
        git::run_at(self, work_tree, "ls-files", &["-z", "--", &literal]).map(|listed| !listed.is_empty())
    }

    /// Returns where git was told to look for hooks instead of the git directory's own folder.
    pub fn hooks_path(&self) -> Option<HooksPath> {
        let config = self.git.config_snapshot();
        let sections = config.plumbing().sections_by_name("core").into_iter().flatten();
        // The last one counts.
        let set = sections.filter(|section| section.header().subsection_name().is_none());
        let (value, meta): (_, &Metadata) = set.filter_map(|one| Some((one.value("hooksPath")?, one.meta()))).last()?;
        let value = value.to_string();
        let scope = scope_of(meta);
        let home = || std::env::var_os("HOME").map(PathBuf::from);
        let path = match value.strip_prefix("~/") {
            Some(below) => home()?.join(below),
            None => self.work_dir().unwrap_or(self.git_dir()).join(&value),
        };
        Some(HooksPath { value, path, scope })
    }

    /// Tells whose configuration an alias of that name is in, if there is one.
    pub fn alias_scope(&self, name: &str) -> Option<Scope> {
        let config = self.git.config_snapshot();
        let sections = config.plumbing().sections_by_name("alias").into_iter().flatten();
        let set = sections.filter(|one| one.header().subsection_name().is_none() && one.value(name).is_some());
        set.last().map(|one| scope_of(one.meta()))
    }
}

/// Tells whose configuration a section is in.
pub(super) fn scope_of(meta: &Metadata) -> Scope {
    use gix::config::source::Kind;
    match meta.source.kind() {
        Kind::Repository => Scope::Repository,
        Kind::Global => Scope::User,
        Kind::System | Kind::GitInstallation => Scope::System,
        Kind::Override => Scope::Command,
    }
}
