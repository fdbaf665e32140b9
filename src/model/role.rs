//! Who speaks in an entry.

use std::fmt;

/// Says whose words an entry holds.
///
/// The first five are what a model sees; the next four are recorded in the same order but cost no tokens and are not
/// sent. A role that a newer version wrote is kept as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Instructions to the model.
    System,
    /// What a person, or the program on their behalf, said.
    User,
    /// What the model said, its tool calls included.
    Assistant,
    /// The results of tool calls.
    Tool,
    /// What stands in the place of compressed entries.
    Summary,
    /// Something that happened around the conversation.
    Event,
    /// A step of a workflow.
    Step,
    /// The start of a subagent.
    Spawn,
    /// A remark for people.
    Note,
    /// A role that this version does not know: shown, kept, not sent.
    Other(String),
}

impl Role {
    /// Reads a role from its name; any name is a role.
    pub fn from_name(name: &str) -> Self {
        match name {
            "system" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "tool" => Role::Tool,
            "summary" => Role::Summary,
            "event" => Role::Event,
            "step" => Role::Step,
            "spawn" => Role::Spawn,
            "note" => Role::Note,
            other => Role::Other(other.to_owned()),
        }
    }

    /// Returns the role's name as it stands in an entry's name.
    pub fn name(&self) -> &str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
            Role::Summary => "summary",
            Role::Event => "event",
            Role::Step => "step",
            Role::Spawn => "spawn",
            Role::Note => "note",
            Role::Other(name) => name,
        }
    }

    /// Tells whether a model sees entries of this role, which is also whether they cost tokens.
    pub const fn is_sent(&self) -> bool {
        matches!(self, Role::System | Role::User | Role::Assistant | Role::Tool | Role::Summary)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
