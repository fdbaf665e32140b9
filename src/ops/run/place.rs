//! Where the `trace.md` of a run is, and the lock under which it is changed.

use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use super::RunError;
use super::trailers::{is_aside, worktree};
use crate::ops::{OpError, Workspace};
use crate::run::Header;
use crate::run::trace_md::TRACE_MD;
use crate::store::{StoreError, take_lock};

/// How long is waited for another process that records something of a run.
const WAIT: Duration = Duration::from_secs(10);

/// Says where a run's `trace.md` is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Its folder, which need not exist.
    pub(super) dir: PathBuf,
    /// Its path.
    pub(super) path: PathBuf,
    /// Its path from the top of the work tree.
    pub(super) shown: String,
}

impl Place {
    fn new(dir: PathBuf, folder: &str, name: &str) -> Self {
        let shown = if folder == "." { name.to_owned() } else { format!("{folder}/{name}") };
        Place { path: dir.join(name), dir, shown }
    }
}

impl Workspace {
    /// Names a folder from the top of the work tree; `None` if the repository is bare.
    ///
    /// # Errors
    /// When it is outside of the work tree, or in the git directory.
    pub(super) fn folder_of(&self, dir: &Path) -> Result<Option<String>, OpError> {
        let refused = |reason: &str| {
            OpError::from(RunError::Folder { folder: dir.display().to_string(), reason: reason.to_owned() })
        };
        let Some(top) = self.repo.work_dir() else { return Ok(None) };
        let (top, dir) = match (fs::canonicalize(top), real(dir)) {
            (Ok(top), Some(dir)) => (top, dir),
            _ => return Err(refused("it cannot be found")),
        };
        let below = dir.strip_prefix(&top).map_err(|_| refused("it is outside of the work tree"))?;
        if dir.exists() && !dir.is_dir() {
            return Err(refused("it is no folder"));
        }
        let mut names = Vec::new();
        for part in below.components() {
            match part {
                Component::Normal(name) => names.push(name.to_str().ok_or_else(|| refused("its name is no text"))?),
                _ => return Err(refused("it cannot be found")),
            }
        }
        if self.is_git_dir(&dir) || names.iter().any(|name| name.eq_ignore_ascii_case(".git")) {
            return Err(refused("it is in the git directory"));
        }
        Ok(Some(if names.is_empty() { ".".to_owned() } else { names.join("/") }))
    }

    /// Says where the `trace.md` of a run is; `None` if it has none, or not in this worktree. What a header says is not
    /// believed: it may come from anywhere.
    pub(super) fn place_of(&self, header: &Header) -> Result<Option<Place>, OpError> {
        let (Some(folder), Some(top)) = (&header.folder, self.repo.work_dir()) else { return Ok(None) };
        if worktree(header) != self.repo.worktree_name().as_deref() {
            return Ok(None);
        }
        let dir = match folder.as_str() {
            "." => top.to_owned(),
            _ => top.join(folder),
        };
        // As it was named it has to be found again: no `..`, no link that leads elsewhere.
        let is_absolute = Path::new(folder).is_absolute();
        if is_absolute || self.folder_of(&dir)?.as_ref() != Some(folder) {
            let reason = "it is not where it says".to_owned();
            return Err(RunError::Folder { folder: folder.clone(), reason }.into());
        }
        let name = match is_aside(header) {
            true => format!("trace.{}.md", header.run),
            false => TRACE_MD.to_owned(),
        };
        Ok(Some(Place::new(dir, folder, &name)))
    }

    /// Says where the `trace.md` of a folder is that [`Workspace::folder_of`] has named.
    pub(super) fn place_in(&self, folder: &str) -> Option<Place> {
        let top = self.repo.work_dir()?;
        let dir = if folder == "." { top.to_owned() } else { top.join(folder) };
        Some(Place::new(dir, folder, TRACE_MD))
    }

    /// Waits for the turn to record something of a run; the lock dies with its holder.
    pub(super) fn runs_turn(&self) -> Result<File, OpError> {
        self.repo.check_quarantine()?;
        match take_lock(&self.repo.trace_dir().join("runs.lock"), Instant::now() + WAIT) {
            Err(StoreError::Locked { .. }) => Err(RunError::Locked.into()),
            taken => Ok(taken?),
        }
    }

    fn is_git_dir(&self, dir: &Path) -> bool {
        [self.repo.git_dir(), self.repo.common_dir()]
            .iter()
            .filter_map(|git| fs::canonicalize(git).ok())
            .any(|git| dir.starts_with(git))
    }
}

/// Returns the real path of a folder that need not exist: as far as it does, links are followed.
fn real(dir: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(dir).ok()?;
    let mut missing = Vec::new();
    let mut known = absolute.as_path();
    loop {
        if let Ok(found) = fs::canonicalize(known) {
            return Some(missing.iter().rev().fold(found, |path, name| path.join(name)));
        }
        // A link that leads nowhere, and `..` behind what is not there, name no folder.
        if fs::symlink_metadata(known).is_ok() {
            return None;
        }
        missing.push(known.file_name()?.to_owned());
        known = known.parent()?;
    }
}
