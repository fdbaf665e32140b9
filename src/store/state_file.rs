//! Small files of this worktree, beside its HEAD: what a stopped operation has to remember.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use super::{Repo, StoreError};

/// The largest state file that is read, in bytes.
const STATE_MAX: u64 = 64 << 20;

impl Repo {
    /// Reads one of this worktree's files; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is too large.
    pub fn read_state(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.state_path(name);
        match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Ok(found) if found.len() > STATE_MAX => {
                return Err(StoreError::Open { reason: format!("'{}' is too large", path.display()) });
            }
            _ => {}
        }
        fs::read(&path).map(Some).map_err(StoreError::io("read", &path))
    }

    /// Writes one of this worktree's files, whole or not at all, and on disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_state(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.check_quarantine()?;
        let path = self.state_path(name);
        let dir = path.parent().expect("it is in our folder");
        fs::create_dir_all(dir).map_err(StoreError::io("create", dir))?;
        let mut file = tempfile::NamedTempFile::new_in(dir).map_err(StoreError::io("create a file in", dir))?;
        file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(StoreError::io("write", &path))?;
        file.persist(&path).map_err(|error| StoreError::io("write", &path)(error.error))?;
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(StoreError::io("write", dir))
    }

    /// Removes one of this worktree's files, if it is there.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_state(&self, name: &str) -> Result<(), StoreError> {
        let path = self.state_path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::io("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    fn state_path(&self, name: &str) -> PathBuf {
        self.private_dir.join("trace").join(name)
    }
}
