//! What a commit says about itself, beyond its tree.

use super::{EntryId, NanoDollars, ObjectId, Operation, Usage};

/// Says what happened to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TouchKind {
    /// `+`: it is new.
    Added,
    /// `~`: its body changed.
    Changed,
    /// `-`: it left the context.
    Removed,
    /// `^`: its marks or its place changed, not its body.
    Marked,
}

/// Names one entry that a commit touched, with facts about it (`Trace-Entry`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// What happened.
    pub kind: TouchKind,
    /// To which entry.
    pub id: EntryId,
    /// Facts in their order, such as `at`, `source`, `call`; names are `[a-z0-9-]`, values any text.
    pub fields: Vec<(String, String)>,
}

impl Touch {
    /// Names an entry without further facts.
    pub fn new(kind: TouchKind, id: EntryId) -> Self {
        Touch { kind, id, fields: Vec::new() }
    }

    /// Returns the first fact of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }
}

/// Holds the facts of a commit: what it did, to which entries, and what the context costs since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The operation.
    pub operation: Operation,
    /// The entries it touched.
    pub entries: Vec<Touch>,
    /// Change of the context's size in tokens.
    pub tokens: i64,
    /// Tokens of all entries that the model would see at this commit.
    pub total: u64,
    /// Number of entries in the context, those that are not sent included.
    pub count: u64,
    /// The number of the next position to be given out.
    pub next: u64,
    /// Who acted, where it was not the user.
    pub agent: Option<String>,
    /// The commit that the work tree was at.
    pub code: Option<ObjectId>,
    /// The model that spoke.
    pub model: Option<String>,
    /// What its provider reported.
    pub usage: Option<Usage>,
    /// What it cost.
    pub cost: Option<NanoDollars>,
    /// The agent's own session.
    pub session: Option<String>,
    /// Trailers that this version does not know, in their order, with full names.
    pub other: Vec<(String, String)>,
}

impl Facts {
    /// Makes the facts of an operation that touched nothing.
    pub fn new(operation: Operation) -> Self {
        Facts {
            operation,
            entries: Vec::new(),
            tokens: 0,
            total: 0,
            count: 0,
            next: 0,
            agent: None,
            code: None,
            model: None,
            usage: None,
            cost: None,
            session: None,
            other: Vec::new(),
        }
    }

    /// Returns the first trailer of this full name that has no field of its own.
    pub fn trailer(&self, name: &str) -> Option<&str> {
        let found = self.other.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }
}
