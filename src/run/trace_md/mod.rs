//! `trace.md`: a run as a file that people and agents read, and may write in.
//!
//! ```text
//! # Trace: <workflow>
//!
//! **Task:** <text>
//! **Started:** <time>
//! **Status:** in-progress | completed | failed
//!
//! ---
//!
//! ## Step 1: <action>
//!
//! **Status:** in-progress | completed | failed
//! **Summary:** <text>
//! **Challenges:** <text>
//! **Design changes:** none, or a list
//! ```
//!
//! `**Attempted:**`, `**Tried:**`, `**Notes:**` and `**Artifacts:**` follow where there is such a thing; a step that
//! goes on has nothing behind the names of what is not known yet. `## Resume` stands at its place between the steps.
//!
//! **How a text stands in it.** Its first line follows the name; each further line is indented by four blanks, by six
//! in an item of a list, so that to every reader of Markdown it is a text and never a heading, a rule or a fence. Blank
//! lines stay blank. Controls and marks of direction are written `\u{1b}`; `\u{}` stands for nothing, before or behind
//! blanks that an editor would take away, and on lines at an end that would otherwise seem not to be there; `\u{`
//! itself is `\u{5c}u{`. So every text comes back as it was.

mod edits;
mod escape;
mod parse;
mod render;

use super::{Decision, Item, Run, Status, StepStatus};

pub use edits::{Edits, take_in};
pub use parse::{PageError, Parsed, parse};
pub use render::render;

/// The name of the file.
pub const TRACE_MD: &str = "trace.md";
/// The largest file that is read, in bytes.
pub const PAGE_MAX: u64 = 16 << 20;

/// Holds what stands in a `trace.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The name of the workflow.
    pub workflow: String,
    /// What is to be achieved.
    pub task: String,
    /// When the run began.
    pub started: String,
    /// How the run stands; what is neither going on nor completed has failed.
    pub status: StepStatus,
    /// Why, where that needs words.
    pub reason: Option<String>,
    /// Steps and resumptions, in order.
    pub parts: Vec<Part>,
}

/// Is one section of a `trace.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A step.
    Step(StepPart),
    /// A resumption.
    Resume(ResumePart),
}

/// Holds what stands in the section of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepPart {
    /// Its number.
    pub number: u32,
    /// What is to be done.
    pub action: String,
    /// How it stands.
    pub status: StepStatus,
    /// What was done.
    pub summary: Option<String>,
    /// What was hard.
    pub challenges: Option<String>,
    /// Where the work left the plan.
    pub design_changes: Option<Vec<String>>,
    /// What was attempted.
    pub attempted: Option<String>,
    /// What was tried.
    pub tried: Option<String>,
    /// Remarks.
    pub notes: Vec<String>,
    /// The files that it made.
    pub artifacts: Vec<super::Artifact>,
}

/// Holds what stands in the section of a resumption; a person may have left out what can be known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResumePart {
    /// When.
    pub at: Option<String>,
    /// The last step then.
    pub step: Option<u32>,
    /// How it goes on.
    pub decision: Option<Decision>,
    /// What is said to it.
    pub note: Option<String>,
    /// Files that were gone.
    pub missing: Vec<String>,
    /// Files that were different.
    pub changed: Vec<String>,
}

impl Page {
    /// Returns the page of a run.
    pub fn of(run: &Run) -> Self {
        let header = &run.header;
        Page {
            workflow: header.workflow.name.clone(),
            task: header.task.clone(),
            started: header.started.clone(),
            status: shown(header.status),
            reason: header.reason.clone(),
            parts: run.items.iter().map(|(_, item)| Part::of(item)).collect(),
        }
    }
}

impl Part {
    fn of(item: &Item) -> Self {
        match item {
            Item::Step(step) => Part::Step(StepPart {
                number: step.number,
                action: step.action.clone(),
                status: step.status,
                summary: step.summary.clone(),
                challenges: step.challenges.clone(),
                design_changes: step.design_changes.clone(),
                attempted: step.attempted.clone(),
                tried: step.tried.clone(),
                notes: step.notes.clone(),
                artifacts: step.artifacts.iter().map(super::Artifact::settled).collect(),
            }),
            Item::Resume(resume) => Part::Resume(ResumePart {
                at: Some(resume.at.clone()),
                step: Some(resume.step),
                decision: Some(resume.decision),
                note: resume.note.clone(),
                missing: resume.missing.clone(),
                changed: resume.changed.clone(),
            }),
        }
    }
}

/// Says how a run stands in the three words of the file.
const fn shown(status: Status) -> StepStatus {
    match status {
        Status::InProgress | Status::Suspended => StepStatus::InProgress,
        Status::Completed => StepStatus::Completed,
        Status::Failed | Status::Blocked | Status::Exhausted | Status::Cancelled => StepStatus::Failed,
    }
}

#[cfg(test)]
mod tests;
