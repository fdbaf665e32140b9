//! Runs of workflows: what is recorded of them, and what follows from it.
//!
//! A run is a branch `run/<id>`. Its first entry, of role `event`, is the [`Header`]; what was done follows as further
//! entries: a [`Step`] is an entry of role `step`, a [`Resume`] and all else an `event` with a `"type"`. A [`Run`] is
//! what they say together, and [`trace_md`] shows it as a file. Everything here is pure.

mod failure;
mod header;
mod record;
mod resume;
mod rules;
mod setup;
mod step;
mod template;
pub mod trace_md;
mod tracker;
mod turn;
mod verdict;

pub use failure::Failure;
pub use header::{Header, RunId, RunIdError, Status, WorkflowUsed};
pub use record::{ENTRY_MAX, ITEMS_MAX, Item, Run, RunReadError};
pub use resume::{Decision, Resume};
pub use rules::{LIST_MAX, Recovery, RuleError, TEXT_MAX};
pub use setup::Setup;
pub use step::{Artifact, Step, StepStatus, design_changes};
pub use template::fill;
pub use tracker::{Markers, Word, skeleton};
pub use turn::{Opening, Turn, TurnKind, TurnStatus};
pub use verdict::{Ended, Limits, Progress, Verdict};
