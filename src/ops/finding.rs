//! What can be wrong with a commit, or with what it stands on.

use std::fmt;

use crate::model::{EntryId, ObjectId};

/// Names what is wrong with a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A pinned entry is not there, or not as it was.
    Pin {
        /// The entry.
        id: EntryId,
        /// What became of it.
        what: &'static str,
    },
    /// Something changed that the commit does not name.
    Rest {
        /// The entry.
        id: EntryId,
        /// What became of it.
        what: &'static str,
    },
    /// The commit names a change that did not happen.
    Touch {
        /// The entry.
        id: EntryId,
        /// What the commit says.
        said: &'static str,
    },
    /// A tool call lost its result, or a result its call.
    Pair {
        /// The entry with the half that is left.
        id: EntryId,
        /// The call.
        call: String,
    },
    /// The model speaks first, as it did not before.
    AssistantFirst {
        /// Its entry.
        id: EntryId,
    },
    /// A text that must be kept is nowhere in the context.
    MustKeep {
        /// The pattern.
        pattern: String,
        /// What it had found.
        text: String,
    },
    /// The context became larger.
    Grew {
        /// Tokens before.
        before: u64,
        /// Tokens after.
        after: u64,
    },
    /// It is larger than was asked for.
    Target {
        /// Tokens after.
        total: u64,
        /// The most that was allowed.
        target: u64,
    },
    /// More than the words of results changed in an entry.
    Structure {
        /// The entry.
        id: EntryId,
    },
    /// A number is not what counting gives.
    Number {
        /// What was counted, such as `Trace-Total`.
        what: String,
        /// The number that is written.
        said: i128,
        /// What counting gives.
        counted: i128,
    },
    /// An object is missing, damaged, or not what it is taken for.
    Object {
        /// The object.
        id: ObjectId,
        /// What is wrong with it.
        reason: String,
    },
    /// Two entries have one id.
    Twice {
        /// The id.
        id: EntryId,
    },
    /// What the commit says of itself cannot be.
    Claim {
        /// What, such as `Trace-Next`.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// The signature does not fit the commit, or there is none that could be trusted where one is wanted.
    Signature {
        /// What is wrong with it.
        reason: String,
    },
    /// A row of the index of links does not lead where it says.
    Link {
        /// The file of the index.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Finding {
    /// Returns the name of the rule that is broken, for programs.
    pub const fn rule(&self) -> &'static str {
        match self {
            Finding::Pin { .. } => "pin",
            Finding::Rest { .. } => "rest",
            Finding::Touch { .. } => "touch",
            Finding::Pair { .. } => "pair",
            Finding::AssistantFirst { .. } => "assistant-first",
            Finding::MustKeep { .. } => "must-keep",
            Finding::Grew { .. } => "grew",
            Finding::Target { .. } => "target",
            Finding::Structure { .. } => "structure",
            Finding::Number { .. } => "number",
            Finding::Object { .. } => "object",
            Finding::Twice { .. } => "twice",
            Finding::Claim { .. } => "claim",
            Finding::Signature { .. } => "signature",
            Finding::Link { .. } => "link",
        }
    }

    /// Says what is wrong in one line: the first finding, and how many more there are.
    pub(super) fn summary(findings: &[Finding]) -> String {
        match findings {
            [] => "unknown fault".to_owned(),
            [only] => only.to_string(),
            [first, more @ ..] => format!("{first} (and {} more)", more.len()),
        }
    }

    /// Returns the entry that it is about.
    pub const fn entry(&self) -> Option<EntryId> {
        match self {
            Finding::Pin { id, .. }
            | Finding::Rest { id, .. }
            | Finding::Touch { id, .. }
            | Finding::Pair { id, .. }
            | Finding::AssistantFirst { id }
            | Finding::Structure { id }
            | Finding::Twice { id } => Some(*id),
            _ => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Pin { id, what } => write!(f, "pinned entry '{id}' {what}"),
            Finding::Rest { id, what } => write!(f, "entry '{id}' {what}, and the commit does not say so"),
            Finding::Touch { id, said } => write!(f, "entry '{id}' was not {said}, though the commit says so"),
            Finding::Pair { id, call } => write!(f, "the other half of call '{call}' in entry '{id}' is gone"),
            Finding::AssistantFirst { id } => write!(f, "no message of the user before entry '{id}' any more"),
            Finding::MustKeep { pattern, text } => write!(f, "'{text}' is lost, which '{pattern}' is to keep"),
            Finding::Grew { before, after } => write!(f, "{after} tokens, and {before} before"),
            Finding::Target { total, target } => write!(f, "{total} tokens, and at most {target} were asked for"),
            Finding::Structure { id } => write!(f, "more than the words of results changed in entry '{id}'"),
            Finding::Number { what, said, counted } => write!(f, "{what} is {said}, counted {counted}"),
            Finding::Object { id, reason } => write!(f, "object {}: {reason}", id.short(12)),
            Finding::Twice { id } => write!(f, "more than one entry has the id '{id}'"),
            Finding::Claim { what, reason } => write!(f, "{what}: {reason}"),
            Finding::Signature { reason } => write!(f, "signature: {reason}"),
            Finding::Link { path, reason } => write!(f, "'{path}' of the index: {reason}"),
        }
    }
}
