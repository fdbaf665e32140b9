//! The frame of merge, cherry-pick, revert and rebase: steps that bring in what was done elsewhere.

mod ancestor;
mod caught_up;
mod compress_group;
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
pub(super) use run::{Ran, Stop};
pub(super) use state::{Action, Options, Place, Sequence, Settled, Step};

use super::change::Record;
use crate::drivers::Answer;
use crate::model::NanoDollars;

/// Records what drivers answered: who, with which prompt, and at what cost. It is not the agent's own usage, and stands
/// in a trailer of its own.
pub(super) fn credit(record: &mut Record, answers: Vec<(String, Answer)>) {
    for (driver, answer) in answers {
        let mut credit = driver;
        let mut tell = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                credit.push_str(&format!(" {name}={value}"));
            }
        };
        tell("model", answer.model);
        tell("prompt", answer.prompt_hash);
        let usage = answer.usage.unwrap_or_default();
        let counts = [
            ("input", usage.input),
            ("cached", usage.cache_read),
            ("cache-write", usage.cache_write),
            ("output", usage.output),
        ];
        counts.into_iter().for_each(|(name, count)| tell(name, count.map(|count| count.to_string())));
        record.other.push(("Trace-Driver".to_owned(), credit));
        if let Some(NanoDollars(cost)) = answer.cost {
            record.cost = Some(NanoDollars(record.cost.map_or(0, |known| known.0).saturating_add(cost)));
        }
    }
}
