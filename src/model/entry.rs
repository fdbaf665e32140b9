//! One message of a context, as its tree row tells it.

use super::{EntryId, ObjectId, Position, Role};

/// Says how the bytes of a body are to be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BodyKind {
    /// Plain text, as it was given (`.txt`).
    Text,
    /// The provider's message content: a string, a list of blocks or one object, in the original bytes (`.json`).
    Json,
    /// A kind that this version does not know: kept as it is.
    Other(String),
}

impl BodyKind {
    /// Reads a kind from the ending of an entry's name.
    pub fn from_ending(ending: &str) -> Self {
        match ending {
            "txt" => BodyKind::Text,
            "json" => BodyKind::Json,
            other => BodyKind::Other(other.to_owned()),
        }
    }

    /// Returns the ending, without its dot.
    pub fn ending(&self) -> &str {
        match self {
            BodyKind::Text => "txt",
            BodyKind::Json => "json",
            BodyKind::Other(ending) => ending,
        }
    }
}

/// Holds the marks on an entry: `pin`, and those that a newer version may know.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Flags {
    /// The entry is to be kept verbatim by every operation.
    pub pin: bool,
    /// Marks that this version does not know, in their order.
    pub other: Vec<String>,
}

/// Describes one entry of a context without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub position: Position,
    /// Who speaks.
    pub role: Role,
    /// What it costs in tokens of the context's encoding, framing included; 0 for what is not sent.
    pub tokens: u64,
    /// Its lasting name.
    pub id: EntryId,
    /// Its marks.
    pub flags: Flags,
    /// How to read its body.
    pub kind: BodyKind,
    /// The blob that holds its body.
    pub body: ObjectId,
    /// The blob that holds what else is known about it, where there is something.
    pub meta: Option<ObjectId>,
}

/// Holds an entry together with the bytes of its body: an element of a materialized context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The entry.
    pub entry: Entry,
    /// Its body, byte for byte as the model saw it.
    pub body: Vec<u8>,
}
