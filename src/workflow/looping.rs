//! How often a workflow's agent is asked again, and what ends that.

use super::inner_path::join;
use super::members::Members;

/// Longest marker, in bytes.
const MARKER_MAX: usize = 200;

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
    pub const TRACKER_PATH: &str = ".gittrace/runs/{sessionId}/tracker.md";
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

impl Loop {
    /// Reads the settings; what is wrong is noted, and the default stands in for it.
    pub(super) fn read(members: &mut Members<'_>) -> Self {
        let default = Loop::default();
        let enabled = members.flag("enabled").unwrap_or(default.enabled);
        let number = |members: &mut Members<'_>, name: &str, least, most: u32| {
            members.number(name, least, u64::from(most)).map(|number| number as u32)
        };
        let max_iterations =
            number(members, "maxIterations", 1, Loop::MAX_ITERATIONS_MOST).unwrap_or(default.max_iterations);
        let nudge_cap = number(members, "nudgeCap", 0, Loop::CAP_MOST).unwrap_or(default.nudge_cap);
        let retry_cap = number(members, "retryCap", 0, Loop::CAP_MOST).unwrap_or(default.retry_cap);
        let backoff = members.number("retryBackoffMs", 0, Loop::RETRY_BACKOFF_MS_MOST);
        let (old_completion, old_blocked) = old_markers(members);
        let completion = members.checked("completionMarker", marker).or(old_completion);
        let blocked = members.checked("blockedMarker", marker).or(old_blocked);
        let old_tracker = members.checked("trackerFile", tracker);
        if old_tracker.is_some() {
            members.warn("trackerFile", "is called 'trackerPath' by now");
        }
        let tracker_path = members.checked("trackerPath", tracker).or(old_tracker);
        let continue_prompt = members.text("continuePrompt").filter(|prompt| !prompt.trim().is_empty());
        let max_turn_token_count = members.number("maxTurnTokenCount", 1, 1 << 40);
        members.rest();
        Loop {
            enabled,
            max_iterations,
            completion_marker: completion.unwrap_or(default.completion_marker),
            blocked_marker: blocked.unwrap_or(default.blocked_marker),
            tracker_path: tracker_path.unwrap_or(default.tracker_path),
            continue_prompt,
            nudge_cap,
            retry_cap,
            retry_backoff_ms: backoff.unwrap_or(default.retry_backoff_ms),
            max_turn_token_count,
        }
    }
}

/// Reads `completionMarkers`, which named both markers once.
fn old_markers(members: &mut Members<'_>) -> (Option<String>, Option<String>) {
    let markers = members.texts("completionMarkers", 2);
    if markers.is_empty() {
        return (None, None);
    }
    members.warn("completionMarkers", "is called 'completionMarker' and 'blockedMarker' by now");
    let mut kept = markers.into_iter().map(|text| match marker(&text) {
        Ok(text) => Some(text),
        Err(reason) => {
            members.fault("completionMarkers", &reason);
            None
        }
    });
    (kept.next().flatten(), kept.next().flatten())
}

/// Checks a marker: one line that an agent can write.
fn marker(text: &str) -> Result<String, String> {
    let marker = text.trim();
    match marker {
        "" => Err("is empty".to_owned()),
        marker if marker.len() > MARKER_MAX => Err(format!("is longer than {MARKER_MAX} bytes")),
        marker if marker.contains(char::is_control) => Err("is more than one line".to_owned()),
        marker => Ok(marker.to_owned()),
    }
}

/// Checks the path of a tracker, which is within the work tree.
fn tracker(text: &str) -> Result<String, String> {
    let outside = |reason| format!("has to be a path within the work tree, and {reason}");
    let path = join("", text).map_err(outside)?;
    if path.is_empty() || text.split('/').any(|part| part == "..") || text.ends_with('/') {
        return Err("has to be the path of a file within the work tree".to_owned());
    }
    Ok(path)
}
