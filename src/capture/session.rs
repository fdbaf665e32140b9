//! What a record says of its session, beside the messages.

use std::io;

use crate::model::Time;

/// Holds what a record says of its session; what it does not say is left open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionFacts {
    /// The session's own id.
    pub id: Option<String>,
    /// The title that a person, or else the agent, gave it.
    pub title: Option<String>,
    /// The folder in which it runs.
    pub cwd: Option<String>,
    /// The model that spoke last.
    pub model: Option<String>,
    /// When it began.
    pub started: Option<Time>,
    /// The session that it goes on from, or that asked for it.
    pub parent: Option<String>,
    /// Messages of people.
    pub prompts: u64,
    /// Messages of the model.
    pub replies: u64,
    /// Tool calls.
    pub tool_calls: u64,
    /// Tool results.
    pub tool_results: u64,
    /// Parts that could not be read.
    pub broken: u64,
}

/// Says why a record was not read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The bytes cannot be had.
    #[error("cannot read the record")]
    Read {
        /// What the system said.
        #[from]
        source: io::Error,
    },
    /// It is not of the format that was named.
    #[error("not a record of {agent}: {reason}")]
    Format {
        /// The agent.
        agent: super::Agent,
        /// What is wrong.
        reason: String,
    },
    /// No agent that is known wrote it.
    #[error("not a record of any known agent")]
    Unrecognised,
    /// It is larger than what is read at once.
    #[error("the record has more than {max} bytes")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// The caller's sink asked for no more.
    #[error("stopped by the receiver of the steps")]
    Stopped,
}
