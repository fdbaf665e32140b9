//! The lock of a run that is driven: it dies with the process that drives it.

use std::fs::{File, OpenOptions, TryLockError};

use super::TurnsError;
use crate::ops::{OpError, Workspace};
use crate::run::RunId;
use crate::store::StoreError;

/// Proves that nobody else drives a run.
#[derive(Debug)]
pub(super) struct Alive {
    _file: File,
}

impl Alive {
    /// Takes the run for this process.
    ///
    /// # Errors
    /// [`TurnsError::UnderWay`] when another one has it.
    pub(super) fn claim(workspace: &Workspace, run: &RunId) -> Result<Self, OpError> {
        workspace.repo.check_quarantine()?;
        let folder = workspace.trace_dir().join("runs");
        let io = |action, path: &std::path::Path, source| StoreError::Io { action, path: path.to_owned(), source };
        std::fs::create_dir_all(&folder).map_err(|source| io("create", &folder, source))?;
        let path = folder.join(format!("{run}.lock"));
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(|source| io("open", &path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Alive { _file: file }),
            Err(TryLockError::WouldBlock) => Err(TurnsError::UnderWay { run: run.to_string() }.into()),
            Err(TryLockError::Error(source)) => Err(io("lock", &path, source).into()),
        }
    }
}
