//! Runs of workflows: what is recorded of them, and what follows from it.
//!
//! A run is a branch `run/<id>`. Its first entry, of role `event`, is the [`Header`]; what was done follows as further
//! entries. Everything here is pure.

mod failure;
mod header;
mod setup;
mod template;
mod tracker;
mod turn;
mod verdict;

pub use failure::Failure;
pub use header::{Header, RunId, RunIdError, Status, WorkflowUsed};
pub use setup::Setup;
pub use template::fill;
pub use tracker::{Markers, Word, skeleton};
pub use turn::{Opening, Turn, TurnKind, TurnStatus};
pub use verdict::{Ended, Progress, Rules, Verdict};
