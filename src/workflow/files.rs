//! The files of a marketplace, a workflow or a plugin, as they are at one state.

use crate::model::ObjectId;

/// Says what lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A file.
    File {
        /// The blob.
        id: ObjectId,
        /// Whether it may be executed.
        executable: bool,
    },
    /// A folder.
    Folder {
        /// The tree.
        id: ObjectId,
    },
    /// A symbolic link, at the path itself or at a part of it. It is never followed.
    Link {
        /// Where the link lies.
        at: String,
    },
    /// Another repository, at the path itself or at a part of it. It is never entered.
    Submodule {
        /// Where it lies.
        at: String,
    },
}

/// Says why files could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilesError {
    /// A file is larger than the reader wants it.
    #[error("'{path}' has {size} bytes, more than {max}")]
    TooLarge {
        /// The file.
        path: String,
        /// Its size in bytes.
        size: u64,
        /// The most that was wanted.
        max: u64,
    },
    /// An object is missing or broken.
    #[error("cannot read '{path}': {reason}")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// Reads the files of one state of a tree.
///
/// Paths are relative to its root, their parts divided by `/`, without `.`, `..` or empty parts; the root is `""`.
pub trait Files {
    /// Returns what lies at a path; `None` if nothing does.
    ///
    /// # Errors
    /// When a tree on the way cannot be read.
    fn look(&self, path: &str) -> Result<Option<Node>, FilesError>;

    /// Reads a file of at most `max` bytes.
    ///
    /// # Errors
    /// When it is no file, is larger, or cannot be read.
    fn read(&self, path: &str, max: u64) -> Result<Vec<u8>, FilesError>;

    /// Lists a folder, sorted by name.
    ///
    /// # Errors
    /// When it is no folder, or cannot be read.
    fn list(&self, folder: &str) -> Result<Vec<(String, Node)>, FilesError>;
}
