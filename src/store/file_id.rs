//! The object id that git would give a file, without storing it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use gix::objs::Kind;

use super::object::from_gix;
use super::{Repo, StoreError};
use crate::model::ObjectId;

/// Bytes of a file that are read at a time.
const BLOCK: usize = 64 << 10;

impl Repo {
    /// Returns the id that a file's bytes have as a blob, and their number; no filter of git's is asked.
    ///
    /// # Errors
    /// When it cannot be read, or changes meanwhile.
    pub fn file_id(&self, path: &Path) -> Result<(ObjectId, u64), StoreError> {
        let mut file = File::open(path).map_err(StoreError::io("read", path))?;
        let size = file.metadata().map_err(StoreError::io("read", path))?.len();
        let mut hasher = gix::hash::hasher(self.gix_kind());
        hasher.update(&gix::objs::encode::loose_header(Kind::Blob, size));
        let mut block = vec![0; BLOCK];
        let mut left = size;
        loop {
            let read = file.read(&mut block).map_err(StoreError::io("read", path))?;
            if read == 0 {
                break;
            }
            left = left.checked_sub(read as u64).ok_or_else(|| changing(path))?;
            hasher.update(&block[..read]);
        }
        if left > 0 {
            return Err(changing(path));
        }
        let id = hasher.try_finalize().map_err(|error| StoreError::Open { reason: error.to_string() })?;
        Ok((from_gix(&id), size))
    }
}

fn changing(path: &Path) -> StoreError {
    StoreError::io("read", path)(io::Error::other("it changes while it is read"))
}
