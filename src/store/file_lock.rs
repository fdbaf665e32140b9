//! The kernel's lock on a file of ours, which dies with its holder.

use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};

/// How often a lock that somebody else has is tried again.
const PAUSE: Duration = Duration::from_millis(5);

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
