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
    files: Vec<File>,
}

impl Alive {
    /// Takes the run and its tracker for this process: two runs that share one would end each other.
    ///
    /// # Errors
    /// [`TurnsError::UnderWay`] when another one has the run, [`TurnsError::TrackerInUse`] when one has the tracker.
    pub(super) fn claim(workspace: &Workspace, run: &RunId, tracker: Option<&str>) -> Result<Self, OpError> {
        let mut alive = Alive { files: Vec::new() };
        if !alive.lock(workspace, &format!("{run}.lock"))? {
            return Err(TurnsError::UnderWay { run: run.to_string() }.into());
        }
        if let Some(path) = tracker {
            let top = workspace.repo.work_dir().map(|top| top.join(path)).unwrap_or_default();
            let name = blake3::hash(top.as_os_str().as_encoded_bytes()).to_hex();
            if !alive.lock(workspace, &format!("tracker-{}.lock", &name[..16]))? {
                return Err(TurnsError::TrackerInUse { path: path.to_owned() }.into());
            }
        }
        Ok(alive)
    }

    /// Takes one lock; `false` if somebody else has it.
    fn lock(&mut self, workspace: &Workspace, name: &str) -> Result<bool, OpError> {
        workspace.repo.check_quarantine()?;
        let folder = workspace.trace_dir().join("runs");
        let io = |action, path: &std::path::Path, source| StoreError::Io { action, path: path.to_owned(), source };
        std::fs::create_dir_all(&folder).map_err(|source| io("create", &folder, source))?;
        let path = folder.join(name);
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(|source| io("open", &path, source))?;
        match file.try_lock() {
            Ok(()) => {
                #[cfg(unix)]
                let _ = rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty());
                self.files.push(file);
                Ok(true)
            }
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(source)) => Err(io("lock", &path, source).into()),
        }
    }
}

/// Lets go of it for those too who inherited it: what an agent left behind holds up nobody.
impl Drop for Alive {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = file.unlock();
        }
    }
}
