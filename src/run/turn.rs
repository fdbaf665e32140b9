//! What is recorded of one turn of an agent.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Says how a turn was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opening {
    /// The first turn of the run.
    First,
    /// A further turn, without memory.
    Continue,
    /// In the same session, which had stopped without saying how it stands.
    Nudge,
    /// Once more, after a failure that passes.
    Retry,
    /// Once more without memory, because the session could not go on.
    Replay,
    /// A person went on with the run.
    Reply,
}

impl Opening {
    /// Returns the name as it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Opening::First => "first",
            Opening::Continue => "continue",
            Opening::Nudge => "nudge",
            Opening::Retry => "retry",
            Opening::Replay => "replay",
            Opening::Reply => "reply",
        }
    }
}

/// Says what became of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TurnStatus {
    /// It goes on, or whoever ran it was killed.
    Running,
    /// The agent ended it.
    Done,
    /// The agent failed.
    Failed,
    /// It was stopped by a person, or by a limit of time.
    Cancelled,
    /// Whoever ran it was killed before its end was recorded.
    Interrupted,
}

impl TurnStatus {
    /// Returns the name as it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            TurnStatus::Running => "running",
            TurnStatus::Done => "done",
            TurnStatus::Failed => "failed",
            TurnStatus::Cancelled => "cancelled",
            TurnStatus::Interrupted => "interrupted",
        }
    }
}

/// Holds the record of a turn: an entry of role `event`. It is stored before the agent is started, and changed when it
/// has ended. Fields of newer versions are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Says that this is a turn.
    #[serde(rename = "type")]
    pub kind: TurnKind,
    /// Which process of an agent this is, from 1.
    pub turn: u32,
    /// Which turn this is of those that count, from 1; retries do not count.
    pub iteration: u32,
    /// How it was begun.
    pub opening: Opening,
    /// What became of it.
    pub status: TurnStatus,
    /// When it began, in RFC 3339.
    pub started: String,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// The number that the agent's process ended with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// What went wrong, or what was said about the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The agent's own session, `<agent>:<id>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The branch with the context of that session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// How the next turn is to be begun; none if the run ended with this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Opening>,
    /// Whether this iteration was begun anew because its session could not go on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// Nudges since the tracker changed last, with this turn's.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nudges: u32,
    /// Failures in a row that pass by themselves, with this turn's.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// Fields that this version does not know, in their order.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Is the constant `"turn"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TurnKind {
    /// A turn.
    Turn,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}
