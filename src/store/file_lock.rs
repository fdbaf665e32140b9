//! The kernel's lock on a file of ours, which dies with its holder.

use std::fs::{File, OpenOptions, TryLockError, create_dir_all};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::StoreError;

/// How often a lock that somebody else has is tried again.
const PAUSE: Duration = Duration::from_millis(5);

/// Takes the lock of a file of ours, which is made with its folder if it is not there; whoever drops it lets the next one in.
///
/// # Errors
/// [`StoreError::Locked`] when somebody else has it until then; when the file cannot be made.
pub fn take_lock(path: &Path, until: Instant) -> Result<File, StoreError> {
    let folder = path.parent().expect("a file of ours is in a folder of ours");
    create_dir_all(folder).map_err(StoreError::io("create", folder))?;
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    let file = opened.map_err(StoreError::io("open", path))?;
    match wait_for_lock(&file, until) {
        Ok(true) => Ok(file),
        Ok(false) => Err(StoreError::Locked { path: path.to_owned() }),
        Err(error) => Err(StoreError::io("lock", path)(error)),
    }
}

/// Waits for the lock of an open file; `false` if somebody else has it until then. It is tried once in any case.
///
/// # Errors
/// When the system has no locks for it.
pub fn wait_for_lock(file: &File, until: Instant) -> io::Result<bool> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}
