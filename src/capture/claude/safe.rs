//! Places in a transcript from which it can be read again.

use super::summary::Summary;

/// Says where a line starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Offset of its first byte.
    pub offset: u64,
    /// Its number, from 1.
    pub number: u64,
}

/// Holds a place where no message was open, and what the state was there as far as it changes afterwards.
#[derive(Debug, Clone)]
pub(super) struct SafePoint {
    /// The place.
    pub place: Place,
    /// The state of the main conversation; `None` in a subagent's.
    pub state: Option<Box<SafeState>>,
}

/// Holds the part of the state that lines change before the message they belong to is complete.
#[derive(Debug, Clone)]
pub(super) struct SafeState {
    /// Number of lines in the graph.
    pub nodes: usize,
    /// Number of names given out.
    pub names: usize,
    /// What the last lines said about their surroundings.
    pub surroundings: Surroundings,
    /// The counts.
    pub summary: Summary,
    /// Number of compactions.
    pub epoch: u32,
}

/// Remembers what is told only when it changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// The working directory.
    pub cwd: Option<String>,
    /// The git branch.
    pub git_branch: Option<String>,
}
