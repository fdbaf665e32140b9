//! Why stored bytes cannot be read.

/// Says what is wrong with stored bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// A newer version of git trace wrote this.
    #[error("the context has format version {version}; this git-trace reads up to {known}")]
    NewerFormat {
        /// The version that was found.
        version: u32,
        /// The newest version that this program reads.
        known: u32,
    },
    /// The tree has no `.trace` file, or it does not start as one.
    #[error("not a context: {reason}")]
    NotAContext {
        /// What is missing.
        reason: &'static str,
    },
    /// A name in a tree is not one of ours.
    #[error("malformed entry name '{name}': {reason}")]
    Name {
        /// The name, other bytes than printable ASCII escaped.
        name: String,
        /// The rule it breaks.
        reason: &'static str,
    },
    /// The bytes are no git tree of blobs and trees.
    #[error("malformed tree: {reason}")]
    Tree {
        /// The rule they break.
        reason: &'static str,
    },
    /// The bytes are no commit of ours.
    #[error("malformed commit: {reason}")]
    Commit {
        /// What is missing or wrong.
        reason: &'static str,
    },
    /// A metadata file is not the JSON object it has to be.
    #[error("malformed metadata: {reason}")]
    Meta {
        /// What the JSON parser said.
        reason: String,
    },
    /// The commit is no tombstone.
    #[error("malformed tombstone: {reason}")]
    Tombstone {
        /// What is missing or wrong.
        reason: &'static str,
    },
    /// A newer version of git trace made this tombstone.
    #[error("the tombstone has version {version}, which this git-trace does not know")]
    NewerTombstone {
        /// The version that was found.
        version: u32,
    },
}
