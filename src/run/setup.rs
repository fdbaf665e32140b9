//! How a run is driven: stored in its header, so that it can go on elsewhere and later as it began.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Header, Limits, Markers};

/// Where a header holds it.
const FIELD: &str = "loop";

/// Says how the turns of a run are made, and when they end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// The agent's command line, for people: what is started is never read from here, since a branch may be anybody's.
    pub agent: String,
    /// Whether there is more than one turn, and a tracker.
    pub repeats: bool,
    /// Most turns that are counted, since the run began.
    pub max_iterations: u32,
    /// Turns that the run had at its beginning, and gets again from whoever goes on with it.
    pub granted: u32,
    /// The whole line that says that all is done.
    pub completion_marker: String,
    /// The beginning of the line that says that something is in the way.
    pub blocked_marker: String,
    /// Times in a row that the agent is told to go on.
    pub nudge_cap: u32,
    /// Failures in a row that pass by themselves.
    pub retry_cap: u32,
    /// Milliseconds before the first retry.
    pub backoff_ms: u64,
    /// The tracker: relative to the top of the work tree, with `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracker: Option<String>,
    /// What a further turn is told.
    pub continue_prompt: String,
    /// The model that the workflow wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl Setup {
    /// Reads it from a header; `None` if the run is not one of turns.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn of(header: &Header) -> Result<Option<Self>, serde_json::Error> {
        header.other.get(FIELD).map(Setup::deserialize).transpose()
    }

    /// Puts it into a header.
    pub fn put(&self, header: &mut Header) {
        let value = serde_json::to_value(self).expect("it has only texts and numbers");
        header.other.insert(FIELD.to_owned(), value);
    }

    /// Returns the limits by which turns are judged.
    pub fn limits(&self) -> Limits {
        Limits {
            repeats: self.repeats,
            max_iterations: self.max_iterations,
            markers: Markers { complete: self.completion_marker.clone(), blocked: self.blocked_marker.clone() },
            nudge_cap: self.nudge_cap,
            retry_cap: self.retry_cap,
            backoff: Duration::from_millis(self.backoff_ms),
        }
    }
}
