//! What makes a context invalid for a provider.

use std::fmt;

use super::Format;
use crate::model::EntryId;

/// Names a fault in the sequence of a context, and the entry that has it.
///
/// `Display` says it in git's manner; [`Problem::hint`] names a command that repairs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The entry.
    pub entry: EntryId,
    /// The fault.
    pub kind: ProblemKind,
}

/// Says what is wrong with an entry of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// The body cannot be read as what it says it is.
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing in it, or only white space.
    EmptyMessage,
    /// It holds something that a message of its role cannot hold.
    Misplaced {
        /// What that is.
        what: &'static str,
    },
    /// It calls a tool, and nothing answers.
    OrphanCall {
        /// The call.
        call: String,
        /// Nothing was said by the model since: the session was interrupted.
        last: bool,
    },
    /// It makes a call under a name that an earlier call has.
    DuplicateCall {
        /// The call.
        call: String,
    },
    /// It answers a call that nobody made.
    OrphanResult {
        /// The call.
        call: String,
    },
    /// It answers a call that is answered already.
    DuplicateResult {
        /// The call.
        call: String,
    },
    /// It answers a call that comes later.
    ResultBeforeCall {
        /// The call.
        call: String,
    },
    /// It answers a call, but the model spoke in between.
    SeparatedResult {
        /// The call.
        call: String,
    },
    /// It is a result that does not say of which call, and that cannot be told.
    UnnamedResult,
    /// The model speaks first. Only Anthropic's API refuses that.
    AssistantFirst,
}

impl Problem {
    /// Tells whether this problem keeps the context from being rendered in a format.
    pub fn concerns(&self, format: Format) -> bool {
        match self.kind {
            ProblemKind::AssistantFirst => format == Format::Anthropic,
            _ => format.is_for_a_provider(),
        }
    }

    /// Returns the advice that goes with the message.
    pub fn hint(&self) -> String {
        let entry = self.entry;
        match &self.kind {
            ProblemKind::Malformed { .. } | ProblemKind::Misplaced { .. } => {
                format!("correct it with 'git trace edit {entry}'")
            }
            ProblemKind::EmptyMessage
            | ProblemKind::OrphanResult { .. }
            | ProblemKind::DuplicateResult { .. }
            | ProblemKind::DuplicateCall { .. } => format!("take it out with 'git trace drop {entry}'"),
            ProblemKind::OrphanCall { last: true, .. } => "record the result with 'git trace commit --role tool', \
                 or leave the call out with 'git trace context --trim'"
                .to_owned(),
            ProblemKind::OrphanCall { last: false, .. } => format!("take the call out with 'git trace drop {entry}'"),
            ProblemKind::ResultBeforeCall { .. } | ProblemKind::SeparatedResult { .. } => {
                format!("put it behind its call with 'git trace reorder', or take it out with 'git trace drop {entry}'")
            }
            ProblemKind::UnnamedResult => {
                format!(
                    "name the call in a 'tool_result' block with 'git trace edit {entry}', or take the result out with 'git trace drop {entry}'"
                )
            }
            ProblemKind::AssistantFirst => {
                format!(
                    "take it out with 'git trace drop {entry}', or put a line before it with 'git trace context --pad'"
                )
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = self.entry;
        match &self.kind {
            ProblemKind::Malformed { reason } => write!(f, "cannot read entry '{entry}': {reason}"),
            ProblemKind::EmptyMessage => write!(f, "nothing to send in entry '{entry}'"),
            ProblemKind::Misplaced { what } => write!(f, "{what} in entry '{entry}'"),
            ProblemKind::OrphanCall { call, .. } => write!(f, "no result for call '{call}' of entry '{entry}'"),
            ProblemKind::DuplicateCall { call } => write!(f, "second call '{call}' in entry '{entry}'"),
            ProblemKind::OrphanResult { call } => write!(f, "no call '{call}' for the result in entry '{entry}'"),
            ProblemKind::DuplicateResult { call } => write!(f, "second result for call '{call}' in entry '{entry}'"),
            ProblemKind::ResultBeforeCall { call } => write!(f, "result before its call '{call}' in entry '{entry}'"),
            ProblemKind::SeparatedResult { call } => {
                write!(f, "result not directly behind its call '{call}' in entry '{entry}'")
            }
            ProblemKind::UnnamedResult => write!(f, "no call named by the tool result in entry '{entry}'"),
            ProblemKind::AssistantFirst => write!(f, "no message of the user before entry '{entry}'"),
        }
    }
}
