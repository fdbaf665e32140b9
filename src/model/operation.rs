//! What a commit did to the context.

use std::fmt;

/// Names the operation that a commit records (`Trace-Op`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Made an empty context.
    Init,
    /// Put new entries at the end.
    Append,
    /// Changed the body of entries.
    Edit,
    /// Marked entries to be kept verbatim.
    Pin,
    /// Took the mark back.
    Unpin,
    /// Took entries out.
    Drop,
    /// Put a summary, or shorter bodies, in the place of entries.
    Compress,
    /// Put the originals back in the place of what compressed them.
    Restore,
    /// Gave entries another place.
    Reorder,
    /// Brought in what another branch did.
    Merge,
    /// Did again what one commit did elsewhere.
    CherryPick,
    /// Took back what one commit did.
    Revert,
    /// Started a subagent.
    Spawn,
    /// Took in what a subagent answered.
    Collapse,
    /// Began, ended or went on with a run of a workflow.
    Run,
    /// Began, ended or remarked on a step of a run.
    Step,
    /// Recorded a turn of an agent within a run.
    Turn,
    /// Kept the work tree as it was: the tree of such a commit holds code and no context.
    Snapshot,
    /// An operation that this version does not know: shown and kept.
    Other(String),
}

impl Operation {
    /// Reads an operation from its name; any name is an operation.
    pub fn from_name(name: &str) -> Self {
        match name {
            "init" => Operation::Init,
            "append" => Operation::Append,
            "edit" => Operation::Edit,
            "pin" => Operation::Pin,
            "unpin" => Operation::Unpin,
            "drop" => Operation::Drop,
            "compress" => Operation::Compress,
            "restore" => Operation::Restore,
            "reorder" => Operation::Reorder,
            "merge" => Operation::Merge,
            "cherry-pick" => Operation::CherryPick,
            "revert" => Operation::Revert,
            "spawn" => Operation::Spawn,
            "collapse" => Operation::Collapse,
            "run" => Operation::Run,
            "step" => Operation::Step,
            "turn" => Operation::Turn,
            "snapshot" => Operation::Snapshot,
            other => Operation::Other(other.to_owned()),
        }
    }

    /// Returns the name as it stands in a trailer.
    pub fn name(&self) -> &str {
        match self {
            Operation::Init => "init",
            Operation::Append => "append",
            Operation::Edit => "edit",
            Operation::Pin => "pin",
            Operation::Unpin => "unpin",
            Operation::Drop => "drop",
            Operation::Compress => "compress",
            Operation::Restore => "restore",
            Operation::Reorder => "reorder",
            Operation::Merge => "merge",
            Operation::CherryPick => "cherry-pick",
            Operation::Revert => "revert",
            Operation::Spawn => "spawn",
            Operation::Collapse => "collapse",
            Operation::Run => "run",
            Operation::Step => "step",
            Operation::Turn => "turn",
            Operation::Snapshot => "snapshot",
            Operation::Other(name) => name,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
