//! What a provider reported for one call of a model.

use std::fmt;

/// Counts the tokens that a provider reported; what it did not report is `None`, never 0.
///
/// Normalised over providers: `input` excludes cached input, `reasoning` is inside `output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Input tokens that came from no cache.
    pub input: Option<u64>,
    /// Input tokens read from the provider's cache.
    pub cache_read: Option<u64>,
    /// Input tokens written to the provider's cache.
    pub cache_write: Option<u64>,
    /// Output tokens, reasoning included.
    pub output: Option<u64>,
    /// Output tokens spent on reasoning.
    pub reasoning: Option<u64>,
}

/// Holds an amount of money in billionths of a US dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct NanoDollars(pub i64);

impl Usage {
    /// Returns all input tokens, cached or not: the size of the context that the model saw.
    ///
    /// `None` when `input` is unknown. A cache part that was not reported adds nothing: providers leave it out when
    /// their cache was not used.
    pub fn context(&self) -> Option<u64> {
        let cached = self.cache_read.unwrap_or(0).saturating_add(self.cache_write.unwrap_or(0));
        self.input.map(|input| input.saturating_add(cached))
    }

    /// Adds up two calls; what neither reported stays unknown.
    pub fn plus(&self, other: &Usage) -> Usage {
        let add = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (known, None) | (None, known) => known,
        };
        Usage {
            input: add(self.input, other.input),
            cache_read: add(self.cache_read, other.cache_read),
            cache_write: add(self.cache_write, other.cache_write),
            output: add(self.output, other.output),
            reasoning: add(self.reasoning, other.reasoning),
        }
    }
}

/// Writes dollars with at least four decimals and no more than are needed: `0.0123 USD`, `0.000000001 USD`.
impl fmt::Display for NanoDollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        let mut decimals = format!("{:09}", nanos % 1_000_000_000);
        while decimals.len() > 4 && decimals.ends_with('0') {
            decimals.pop();
        }
        let sign = if self.0 < 0 { "-" } else { "" };
        f.pad(&format!("{sign}{}.{decimals} USD", nanos / 1_000_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_and_short() {
        assert_eq!(NanoDollars(12_300_000).to_string(), "0.0123 USD");
        assert_eq!(NanoDollars(0).to_string(), "0.0000 USD");
        assert_eq!(NanoDollars(-2_500_000_000).to_string(), "-2.5000 USD");
        assert_eq!(NanoDollars(1).to_string(), "0.000000001 USD");
        assert_eq!(NanoDollars(i64::MIN).to_string(), "-9223372036.854775808 USD");
    }
}
