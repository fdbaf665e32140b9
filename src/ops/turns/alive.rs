//! The lock of a run that is driven: it dies with the process that drives it, and with the agent.

use std::fs::{File, OpenOptions, TryLockError};

use super::TurnsError;
use crate::ops::{OpError, Workspace};
use crate::run::RunId;
use crate::store::StoreError;

/// Proves that nobody else drives a run.
///
/// The agent inherits it: when we are killed and the agent works on, nobody sets another one to work beside it.
#[derive(Debug)]
pub(super) struct Alive {
    file: File,
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
            Ok(()) => {
                #[cfg(unix)]
                let _ = rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty());
                Ok(Alive { file })
            }
            Err(TryLockError::WouldBlock) => Err(TurnsError::UnderWay { run: run.to_string() }.into()),
            Err(TryLockError::Error(source)) => Err(io("lock", &path, source).into()),
        }
    }
}

/// Lets go of it for those too who inherited it: what an agent left behind holds up nobody.
impl Drop for Alive {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}
