//! How often a workflow's agent is asked again, and what ends that.

/// Holds the settings of a workflow's loop (`loop` in `workflow.json`), checked, with defaults for what is not said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// Whether the agent is asked again until it says that it is done; otherwise there is one turn.
    pub enabled: bool,
    /// After how many turns at most it ends: at least 1.
    pub max_iterations: u32,
    /// The line that says that all is done.
    pub completion_marker: String,
    /// How the line begins that says that something is in the way.
    pub blocked_marker: String,
    /// The tracker: a path within the work tree, in which `{sessionId}` stands for the run.
    pub tracker_path: String,
    /// What the agent is told from the second turn on; `{trackerPath}` is filled in.
    pub continue_prompt: Option<String>,
    /// How often in a row an agent that stops without having written anything is reminded.
    pub nudge_cap: u32,
    /// How often in a row a turn that failed for a passing reason is tried again.
    pub retry_cap: u32,
    /// How long to wait before the first of these, in milliseconds; twice as long before each further one.
    pub retry_backoff_ms: u64,
    /// After how many tokens of one turn the agent should be relieved by a fresh one.
    pub max_turn_token_count: Option<u64>,
}

impl Loop {
    /// The default of [`Loop::max_iterations`].
    pub const MAX_ITERATIONS: u32 = 20;
    /// The most that [`Loop::max_iterations`] can be.
    pub const MAX_ITERATIONS_MOST: u32 = 1000;
    /// The default of [`Loop::completion_marker`].
    pub const COMPLETION_MARKER: &str = "<!-- WORKFLOW_COMPLETE -->";
    /// The default of [`Loop::blocked_marker`].
    pub const BLOCKED_MARKER: &str = "<!-- WORKFLOW_BLOCKED";
    /// The default of [`Loop::tracker_path`].
    pub const TRACKER_PATH: &str = ".athena/{sessionId}/tracker.md";
    /// The default of [`Loop::nudge_cap`] and [`Loop::retry_cap`].
    pub const CAP: u32 = 3;
    /// The most that [`Loop::nudge_cap`] and [`Loop::retry_cap`] can be.
    pub const CAP_MOST: u32 = 100;
    /// The default of [`Loop::retry_backoff_ms`].
    pub const RETRY_BACKOFF_MS: u64 = 10_000;
    /// The most that [`Loop::retry_backoff_ms`] can be: an hour.
    pub const RETRY_BACKOFF_MS_MOST: u64 = 3_600_000;
}

/// One turn: a workflow that says nothing of a loop has none.
impl Default for Loop {
    fn default() -> Self {
        Loop {
            enabled: false,
            max_iterations: Loop::MAX_ITERATIONS,
            completion_marker: Loop::COMPLETION_MARKER.to_owned(),
            blocked_marker: Loop::BLOCKED_MARKER.to_owned(),
            tracker_path: Loop::TRACKER_PATH.to_owned(),
            continue_prompt: None,
            nudge_cap: Loop::CAP,
            retry_cap: Loop::CAP,
            retry_backoff_ms: Loop::RETRY_BACKOFF_MS,
            max_turn_token_count: None,
        }
    }
}
