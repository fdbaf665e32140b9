//! The queue of writers: a kernel lock that dies with its holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use super::{Repo, StoreError};

/// Proves that this process is the only git trace that writes to the repository; dropping it lets the next one in.
///
/// git itself does not know this lock: refs are still compared and swapped under their own `.lock` files.
#[derive(Debug)]
pub(super) struct Guard {
    _file: File,
}

impl Repo {
    /// Waits for this process's turn to write.
    pub(super) fn lock(&self) -> Result<Guard, StoreError> {
        let (file, path) = self.open_lock()?;
        match file.try_lock() {
            Ok(()) => Ok(Guard { _file: file }),
            Err(TryLockError::WouldBlock) => wait(file, &path, Duration::from_millis(self.settings.lock_timeout)),
            Err(TryLockError::Error(error)) => Err(StoreError::io("lock", &path)(error)),
        }
    }

    /// Takes the lock if nobody has it.
    pub(super) fn try_lock(&self) -> Result<Option<Guard>, StoreError> {
        let (file, path) = self.open_lock()?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Guard { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(StoreError::io("lock", &path)(error)),
        }
    }

    /// Refuses to write while a push is being received; comes before the first write of any kind.
    ///
    /// # Errors
    /// [`StoreError::Quarantine`].
    pub fn check_quarantine(&self) -> Result<(), StoreError> {
        if self.quarantine { Err(StoreError::Quarantine) } else { Ok(()) }
    }

    fn open_lock(&self) -> Result<(File, PathBuf), StoreError> {
        self.check_quarantine()?;
        let dir = self.trace_dir();
        let path = dir.join("lock");
        let open = || OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = match open() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                std::fs::create_dir_all(&dir).map_err(StoreError::io("create", &dir))?;
                open()
            }
            opened => opened,
        };
        Ok((file.map_err(StoreError::io("open", &path))?, path))
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
