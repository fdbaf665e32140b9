//! Runs of workflows: what is recorded of them.

mod error;
#[allow(dead_code, reason = "the verbs of runs come next")]
mod record;

pub use error::RunError;
pub(in crate::ops) use record::{NewEntry, RunChange, RunState};
