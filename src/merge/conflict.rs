//! Where two sides disagree about an entry, and how that is settled.

use std::fmt;

use crate::model::{Entry, EntryId};

/// Says in what way two sides disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConflictKind {
    /// Both changed its words, differently.
    BothEdited,
    /// Both brought it in, with different words.
    BothAdded,
    /// One changed its words, the other dropped it.
    EditedDropped,
    /// One changed its words, the other compressed it.
    EditedCompressed,
    /// One pinned it, the other dropped or compressed it.
    PinnedDropped,
    /// One pinned it, the other changed its words.
    PinnedEdited,
    /// Both moved it, to different places.
    BothMoved,
    /// Both answer the same tool call.
    BothAnswered,
}

impl ConflictKind {
    /// All kinds.
    pub const ALL: [ConflictKind; 8] = [
        ConflictKind::BothEdited,
        ConflictKind::BothAdded,
        ConflictKind::EditedDropped,
        ConflictKind::EditedCompressed,
        ConflictKind::PinnedDropped,
        ConflictKind::PinnedEdited,
        ConflictKind::BothMoved,
        ConflictKind::BothAnswered,
    ];

    /// Returns the name that programs see.
    pub const fn name(self) -> &'static str {
        match self {
            ConflictKind::BothEdited => "both-edited",
            ConflictKind::BothAdded => "both-added",
            ConflictKind::EditedDropped => "edited-dropped",
            ConflictKind::EditedCompressed => "edited-compressed",
            ConflictKind::PinnedDropped => "pinned-dropped",
            ConflictKind::PinnedEdited => "pinned-edited",
            ConflictKind::BothMoved => "both-moved",
            ConflictKind::BothAnswered => "both-answered",
        }
    }

    /// Says it in words.
    pub const fn words(self) -> &'static str {
        match self {
            ConflictKind::BothEdited => "both sides changed it",
            ConflictKind::BothAdded => "both sides added it with different words",
            ConflictKind::EditedDropped => "one side changed it, the other dropped it",
            ConflictKind::EditedCompressed => "one side changed it, the other compressed it",
            ConflictKind::PinnedDropped => "one side pinned it, the other took it out",
            ConflictKind::PinnedEdited => "one side pinned it, the other changed it",
            ConflictKind::BothMoved => "both sides moved it to different places",
            ConflictKind::BothAnswered => "both sides answer the same tool call",
        }
    }
}

impl fmt::Display for ConflictKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Holds one disagreement, with the entry as each side has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// In what way they disagree.
    pub kind: ConflictKind,
    /// The entry; for [`ConflictKind::BothAnswered`] theirs.
    pub id: EntryId,
    /// As both sides began with it.
    pub base: Option<Entry>,
    /// As our side has it; `None` if it is not there.
    pub ours: Option<Entry>,
    /// As their side has it; `None` if it is not there.
    pub theirs: Option<Entry>,
}

/// Says how a conflict is to be settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// As on our side.
    Ours,
    /// As on their side.
    Theirs,
    /// Whatever words there are stay: ours under the entry's id, theirs behind it under this new one. An entry that one
    /// side took out stays; one that was moved is where our side has it.
    Both(EntryId),
    /// With these words: role, kind, body, tokens and metadata of this entry.
    Words(Box<Entry>),
}
