//! Which runs are of this clone: those that were begun in it, or that somebody has named in it.
//!
//! What a branch says of its folder may have come from anywhere, and every clone has a folder `.`: so a folder means
//! only runs of this clone.

use std::fs::{self, File};
use std::path::PathBuf;

use crate::ops::{OpError, Workspace};
use crate::run::RunId;
use crate::store::StoreError;

impl Workspace {
    /// Notes that a run is of this clone.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(super) fn note_run_here(&self, run: &RunId) -> Result<(), OpError> {
        let path = self.here_path(run);
        if path.exists() {
            return Ok(());
        }
        self.repo.check_quarantine()?;
        let io = |action, source| OpError::from(StoreError::Io { action, path: path.clone(), source });
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(|source| io("create", source))?;
        }
        File::create(&path).and_then(|file| file.sync_all()).map_err(|source| io("create", source))
    }

    /// Tells whether a run is of this clone.
    pub(super) fn is_run_here(&self, run: &RunId) -> bool {
        self.here_path(run).exists()
    }

    fn here_path(&self, run: &RunId) -> PathBuf {
        self.trace_dir().join("runs").join(format!("{run}.here"))
    }
}
