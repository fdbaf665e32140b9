//! What is said of a commit without being held against it.

use std::fmt;

use crate::model::{EntryId, ObjectId};

/// Says what could not be checked, or is odd without being wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// A partial clone has left objects out.
    LeftOut,
    /// A shallow clone has left the commits before out.
    Cut,
    /// The commit before cannot be read.
    NoParent,
    /// A commit of the code is not in this repository.
    CodeNotHere {
        /// The commit.
        commit: ObjectId,
    },
    /// A branch, or an agent, that is pointed to is not here.
    BranchNotHere {
        /// Its name.
        branch: String,
    },
    /// A commit of a context that an index names is not here.
    TraceNotHere {
        /// The commit.
        commit: ObjectId,
    },
    /// The other half of a tool call was taken away.
    HalfPair {
        /// The entry with the half that is left.
        entry: EntryId,
        /// The call.
        call: String,
    },
    /// A signature cannot be checked here.
    Unchecked {
        /// Why.
        reason: String,
    },
}

impl Note {
    /// Returns its name, for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Note::LeftOut => "left-out",
            Note::Cut => "cut",
            Note::NoParent => "no-parent",
            Note::CodeNotHere { .. } => "code-not-here",
            Note::BranchNotHere { .. } => "branch-not-here",
            Note::TraceNotHere { .. } => "trace-not-here",
            Note::HalfPair { .. } => "half-pair",
            Note::Unchecked { .. } => "unchecked",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::LeftOut => f.write_str("this partial clone has left objects out"),
            Note::Cut => f.write_str("this shallow clone has left out the commits before"),
            Note::NoParent => f.write_str("the commit before cannot be read"),
            Note::CodeNotHere { commit } => write!(f, "commit {} of the code is not here", commit.short(12)),
            Note::BranchNotHere { branch } => write!(f, "'{branch}' is not here"),
            Note::TraceNotHere { commit } => write!(f, "commit {} of a context is not here", commit.short(12)),
            Note::HalfPair { entry, call } => write!(f, "the other half of call '{call}' in entry '{entry}' went"),
            Note::Unchecked { reason } => write!(f, "the signature cannot be checked: {reason}"),
        }
    }
}

/// Returns each note once, in order.
pub(super) fn once(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort();
    notes.dedup();
    notes
}
