//! One conversation of a transcript: what is open in it.

use super::compact::Boundary;
use super::join::{HELD_BYTES, OpenMessage};
use super::safe::{SafePoint, Surroundings};
use crate::capture::Conversation;
use crate::model::{EntryId, Message};

/// A summary that does not come after this many events will not come.
const BOUNDARY_HELD: usize = 64;

/// Holds the state of one conversation.
pub(super) struct Thread {
    /// Its name.
    pub conversation: Conversation,
    /// The API message whose next line may still come.
    pub open: Option<OpenMessage>,
    /// Whether the importer's list of open conversations names it.
    pub is_listed: bool,
    /// The boundary whose summary has yet to come.
    pub boundary: Option<OpenBoundary>,
    /// What its lines said last about where they were written.
    pub surroundings: Surroundings,
    /// Number of compactions so far.
    pub epoch: u32,
}

/// Holds a `compact_boundary` whose summary has yet to come.
pub(super) struct OpenBoundary {
    /// What it says.
    pub boundary: Boundary,
    /// Where to read again from.
    pub from: SafePoint,
    /// Its line and the id of the event that it becomes if no summary comes.
    pub line: (String, EntryId),
    /// What came after it.
    pub held: Vec<Message>,
}

impl Thread {
    /// Starts a conversation.
    pub(super) fn new(conversation: Conversation) -> Self {
        let surroundings = Surroundings::default();
        Thread { conversation, open: None, is_listed: false, boundary: None, surroundings, epoch: 0 }
    }
}

impl OpenBoundary {
    /// Tells whether it has waited long enough.
    pub(super) fn is_full(&self) -> bool {
        let bytes: usize = self.held.iter().map(|held| held.body.len()).sum();
        self.held.len() >= BOUNDARY_HELD || bytes >= HELD_BYTES
    }
}
