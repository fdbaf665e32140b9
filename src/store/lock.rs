//! The queue of writers: a kernel lock that dies with its holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use super::{Repo, StoreError};

/// Proves that this process is the only git trace that writes to the repository, or that tidies it up; dropping it lets
/// the next one in.
///
/// git itself does not know this lock: refs are still compared and swapped under their own `.lock` files.
#[derive(Debug)]
pub(super) struct Guard {
    _file: File,
}

impl Repo {
    /// Waits for this process's turn to write.
    pub(super) fn lock(&self) -> Result<Guard, StoreError> {
        if self.quarantine {
            return Err(StoreError::Quarantine);
        }
        self.wait_for("lock")
    }

    /// Waits for this process's turn to tidy up, which is another queue: writers do not wait for it.
    pub(super) fn lock_house(&self) -> Result<Guard, StoreError> {
        self.wait_for("tidy")
    }

    /// Takes the turn to tidy up unless another process has it.
    pub(super) fn try_lock_house(&self) -> Result<Option<Guard>, StoreError> {
        let (file, path) = self.open_lock("tidy")?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Guard { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(StoreError::io("lock", &path)(error)),
        }
    }

    fn wait_for(&self, name: &str) -> Result<Guard, StoreError> {
        let (file, path) = self.open_lock(name)?;
        match file.try_lock() {
            Ok(()) => Ok(Guard { _file: file }),
            Err(TryLockError::WouldBlock) => wait(file, &path, Duration::from_millis(self.settings.lock_timeout)),
            Err(TryLockError::Error(error)) => Err(StoreError::io("lock", &path)(error)),
        }
    }

    fn open_lock(&self, name: &str) -> Result<(File, PathBuf), StoreError> {
        let dir = self.trace_dir();
        let path = dir.join(name);
        let open = || OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = match open() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                std::fs::create_dir_all(&dir).map_err(StoreError::io("create", &dir))?;
                open()
            }
            opened => opened,
        };
        file.map(|file| (file, path.clone())).map_err(StoreError::io("open", &path))
    }
}

/// Waits in the kernel's queue, on a thread so that the wait can end.
fn wait(file: File, path: &Path, timeout: Duration) -> Result<Guard, StoreError> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let locked = file.lock().map(|()| Guard { _file: file });
        // Nobody listens after a timeout: the lock is let go with the value.
        let _ = sender.send(locked);
    });
    match receiver.recv_timeout(timeout) {
        Ok(locked) => locked.map_err(StoreError::io("lock", path)),
        Err(_) => Err(StoreError::Locked { path: path.to_owned() }),
    }
}
