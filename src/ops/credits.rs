//! Who answered, and at what cost: what a commit remembers of drivers.

use serde::{Deserialize, Serialize};

use crate::drivers::Answer;
use crate::model::NanoDollars;

/// Longest name that is recorded of what a driver says of itself, in characters.
const WORD_MAX: usize = 100;

/// Most calls that a commit names one by one.
const NAMED_MAX: usize = 16;

/// Gathers what drivers' calls are to be remembered for: who answered, to which prompt, and at what cost. It is not the
/// agent's own usage, and stands in trailers of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Credits {
    /// One line a call, for `Trace-Driver`.
    pub(super) calls: Vec<String>,
    /// In billionths of a US dollar.
    pub(super) cost: Option<i64>,
}

impl Credits {
    pub(super) fn add(&mut self, driver: &str, answer: &Answer) {
        let usage = answer.usage.unwrap_or_default();
        let count = |count: Option<u64>| count.map(|count| count.to_string());
        let facts = [
            ("model", answer.model.as_deref().map(word)),
            ("prompt", answer.prompt_hash.as_deref().map(word)),
            ("input", count(usage.input)),
            ("cached", count(usage.cache_read)),
            ("cache-write", count(usage.cache_write)),
            ("output", count(usage.output)),
        ];
        if self.calls.len() < NAMED_MAX {
            let known = facts.into_iter().filter_map(|(name, value)| Some(format!(" {name}={}", value?)));
            self.calls.push(word(driver) + &known.collect::<String>());
        }
        if let Some(NanoDollars(cost)) = answer.cost {
            self.cost = Some(self.cost.unwrap_or(0).saturating_add(cost));
        }
    }

    /// Takes in what others are remembered for.
    pub(super) fn join(&mut self, other: &Credits) {
        self.calls.extend(other.calls.iter().cloned());
        self.cost = match (self.cost, other.cost) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
    }

    /// Returns the calls as trailers.
    pub(super) fn trailers(&self) -> impl Iterator<Item = (String, String)> {
        self.calls.iter().map(|call| ("Trace-Driver".to_owned(), call.clone()))
    }
}

/// Makes one word of what a driver says of itself, which could be anything.
pub(super) fn word(text: &str) -> String {
    let plain = |one: char| if one.is_ascii_graphic() && one != '=' { one } else { '_' };
    text.chars().take(WORD_MAX).map(plain).collect()
}
