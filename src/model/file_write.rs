//! What a tool call writes to a file, in the words of the call.

/// Holds what one tool call writes to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileWrite {
    /// The call's own id, or `#` and its number within the message where it has none.
    pub call: String,
    /// The file, as the call names it.
    pub path: String,
    /// The folder that a relative path starts from, where the call says so.
    pub folder: Option<String>,
    /// What happens to the file.
    pub change: FileChange,
}

/// Says what happens to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChange {
    /// It has this content now.
    Whole(String),
    /// One text takes the place of another.
    Replace {
        /// What was there.
        before: String,
        /// What is there now.
        after: String,
        /// Whether it is replaced wherever it stands.
        everywhere: bool,
    },
    /// A text is put somewhere into it.
    Insert(String),
}
