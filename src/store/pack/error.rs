//! What can go wrong while a pack is written.

use std::{io, path::PathBuf};

use gix::ObjectId;

use super::DeltaError;

/// Says why a pack could not be written or read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The file system refused; a full disk ends up here.
    #[error("cannot {action} '{path}'", path = path.display())]
    Io {
        /// What was tried, as a verb: `write`, `sync`, `rename`.
        action: &'static str,
        /// The file or directory it was tried on.
        path: PathBuf,
        /// The answer of the operating system.
        source: io::Error,
    },
    /// The bytes are part of a known SHA-1 collision attack.
    #[error("object refused: {message}")]
    Collision {
        /// The hasher's own words.
        message: String,
    },
    /// The bytes given for a delta base are not those that were written under its id.
    #[error("bytes given for base '{id}' are not its content")]
    BaseMismatch {
        /// The base's id.
        id: ObjectId,
    },
    /// The pack's object count is a 32-bit number.
    #[error("too many objects for one pack")]
    TooManyObjects,
    /// An earlier write broke the pack, so that nothing more can be added to it.
    #[error("pack is unusable after an earlier error")]
    Broken,
    /// The deflate library refused.
    #[error("cannot compress object: {message}")]
    Deflate {
        /// The library's own words.
        message: String,
    },
    /// What was read back from the unfinished pack is not what was written.
    #[error("object '{id}' cannot be read back")]
    ReadBack {
        /// The object's id.
        id: ObjectId,
    },
    /// A delta that was read back is wrong.
    #[error(transparent)]
    Delta(#[from] DeltaError),
}

impl PackError {
    /// Wraps an answer of the operating system with what was tried and where.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
