//! Which conversation of a record a step belongs to.

use crate::model::Step;

/// Names a conversation within one record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Conversation {
    /// The record's own conversation.
    Main,
    /// The conversation of a subagent that is recorded inline: its id, as the record gives it, or `side-` and the
    /// entry id of its first line.
    Subagent(String),
}

/// Holds a step together with the conversation that it belongs to.
///
/// Steps of one conversation come in their order; conversations may interleave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// Where the step belongs.
    pub conversation: Conversation,
    /// The step.
    pub step: Step,
}
