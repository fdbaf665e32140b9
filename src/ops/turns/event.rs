//! What happens in a run, told while it happens.

use std::time::Duration;

use crate::drivers::Heard;
use crate::run::{Opening, RunId, Status, TurnStatus};

/// Is something that happened in a run of turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEvent {
    /// The run began, or goes on.
    Started {
        /// The run.
        run: RunId,
        /// The workflow's name.
        workflow: String,
        /// Whether there is more than one turn.
        repeats: bool,
        /// The tracker, relative to the top of the work tree.
        tracker: Option<String>,
        /// Whether the run was begun earlier.
        resumed: bool,
    },
    /// A turn began.
    TurnStarted {
        /// Which process of an agent, from 1.
        turn: u32,
        /// Which turn of those that count, from 1.
        iteration: u32,
        /// How it was begun.
        opening: Opening,
    },
    /// The agent did something.
    Heard {
        /// Which process of an agent.
        turn: u32,
        /// What.
        heard: Heard,
    },
    /// A turn ended, and is recorded.
    TurnEnded {
        /// Which process of an agent.
        turn: u32,
        /// Which turn of those that count.
        iteration: u32,
        /// What became of it.
        status: TurnStatus,
        /// How the run stands after it.
        run_status: Status,
    },
    /// A failure passes by itself: the turn is made again after a pause.
    Retrying {
        /// How long.
        pause: Duration,
    },
    /// Something is odd and hinders nothing.
    Warning {
        /// What.
        text: String,
    },
}
