//! Runs of workflows: what is recorded of them, and what follows from it.
//!
//! A run is a branch `run/<id>`. Its first entry, of role `event`, is the [`Header`]; what was done follows as further
//! entries. Everything here is pure.

mod header;

pub use header::{Header, RunId, RunIdError, Status, WorkflowUsed};
