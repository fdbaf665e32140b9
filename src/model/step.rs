//! A recorded session, step by step, as capture tells it and import replays it.

use super::{BodyKind, EntryId, Role, Time, Usage};

/// Holds one message that an agent's own record tells of, before it is an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The entry's id, derived from the source's own id.
    pub id: EntryId,
    /// Who speaks.
    pub role: Role,
    /// How to read the body.
    pub kind: BodyKind,
    /// The content, in the source's own bytes.
    pub body: Vec<u8>,
    /// When it was said.
    pub time: Option<Time>,
    /// The model that spoke.
    pub model: Option<String>,
    /// What the provider reported for the call that made this message.
    pub usage: Option<Usage>,
    /// Facts for the commit's `Trace-Entry` line, such as `source`, `call`, `usage` `placeholder`.
    pub fields: Vec<(String, String)>,
    /// What stands in the entry's metadata file, as JSON.
    pub meta: Option<Vec<u8>>,
}

/// Says what happened next in a recorded session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A message was said; it goes to the end of the current branch.
    Append(Message),
    /// More of an earlier message became known: this one takes the place of the entry with the same id.
    Extend(Message),
    /// The agent compacted its context.
    Compress {
        /// Stands in the place of what was removed, at the position of the first of them.
        summary: Message,
        /// Ids of entries that stay; all others, at this moment, go. (Entries that are not sent stay.)
        kept: Vec<EntryId>,
        /// Facts for the commit, as trailer names without `Trace-` and values (`Trigger`, `Reported-Tokens`).
        facts: Vec<(String, String)>,
    },
    /// The agent emptied tool results without a summary: each body is replaced, the entry stays.
    ///
    /// The new bodies are made from the stored ones, so that no source has to hold every old result in memory.
    Mask {
        /// The entries that hold the results, as far as the source knows them.
        entries: Vec<EntryId>,
        /// The tool calls whose results were emptied.
        calls: Vec<String>,
        /// As in `Compress`.
        facts: Vec<(String, String)>,
    },
    /// What follows goes to another branch of the same agent.
    ///
    /// It starts at the state that held right before the first `Append` or `Compress` that came after the one that
    /// brought `after`, on the branch where that happened.
    Fork {
        /// Name of the branch.
        branch: String,
        /// The last entry that was brought to both; `None`: the branch starts with an empty context.
        after: Option<EntryId>,
    },
    /// What follows goes to a branch that exists.
    Switch {
        /// Name of the branch.
        branch: String,
    },
}
