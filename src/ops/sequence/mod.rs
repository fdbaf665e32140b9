//! The frame of merge, cherry-pick, revert and rebase: steps that bring in what was done elsewhere.

mod ancestor;
mod bodies;
mod caught_up;
mod compress_group;
mod decisions;
mod driver;
mod land;
mod pairs;
mod record;
mod run;
mod side;
mod state;
mod step;
mod weave;

pub use state::{Preference, SequenceVerb, WholeSide};

pub(super) use caught_up::caught_up;
pub(super) use decisions::{Decision, Settled};
pub(super) use record::AGAIN;
pub(super) use run::{Ran, Stop};
pub(super) use state::{Action, Options, Place, Sequence, Step};
