//! What the provider reported, told from totals that grow and repeat.

use serde::{Deserialize, Serialize};

use crate::capture::members::Members;
use crate::model::Usage;

/// Remembers the last totals.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Totals {
    last: Option<Counts>,
    context: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Counts {
    input: u64,
    cached: u64,
    output: u64,
    reasoning: u64,
}

impl Totals {
    /// Takes a `token_count`'s `info` in, and returns the usage of the calls since the last one; `None` where there was
    /// no call, or nothing is told.
    pub(super) fn add(&mut self, info: &Members<'_>) -> Option<Usage> {
        let total = Counts::read(&info.object("total_token_usage"));
        let newest = Counts::read(&info.object("last_token_usage"));
        let before = self.last;
        self.last = total.or(before);
        if let Some(newest) = newest {
            self.context = Some(newest.input);
        }
        let counts = match (total, before) {
            (Some(total), Some(before)) if total == before => return None,
            // What was missed in between counts too.
            (Some(total), Some(before)) => total.since(before).or(newest)?,
            (Some(total), None) => newest.unwrap_or(total),
            (None, _) => newest?,
        };
        (counts != Counts::default()).then(|| counts.usage())
    }

    /// Returns the size of the context at the last call.
    pub(super) fn context(&self) -> Option<u64> {
        self.context
    }
}

impl Counts {
    fn read(members: &Members<'_>) -> Option<Self> {
        let count = |name| members.count(name);
        let (input, output) = (count("input_tokens"), count("output_tokens"));
        if input.is_none() && output.is_none() {
            return None;
        }
        Some(Counts {
            input: input.unwrap_or(0),
            cached: count("cached_input_tokens").unwrap_or(0),
            output: output.unwrap_or(0),
            reasoning: count("reasoning_output_tokens").unwrap_or(0),
        })
    }

    /// Returns by how much the counts grew; `None` if one of them shrank.
    fn since(self, before: Counts) -> Option<Counts> {
        Some(Counts {
            input: self.input.checked_sub(before.input)?,
            cached: self.cached.checked_sub(before.cached)?,
            output: self.output.checked_sub(before.output)?,
            reasoning: self.reasoning.checked_sub(before.reasoning)?,
        })
    }

    /// Takes the cached tokens out of the input.
    fn usage(self) -> Usage {
        Usage {
            input: Some(self.input.saturating_sub(self.cached)),
            cache_read: Some(self.cached),
            cache_write: None,
            output: Some(self.output),
            reasoning: Some(self.reasoning),
        }
    }
}
