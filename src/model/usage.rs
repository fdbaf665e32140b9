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

/// Writes dollars without trailing zeros, at least two decimals: `0.0123 USD`.
impl fmt::Display for NanoDollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        let decimals = format!("{:09}", nanos % 1_000_000_000);
        let decimals = decimals.trim_end_matches('0');
        write!(f, "{sign}{}.{decimals:0<2} USD", nanos / 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_and_short() {
        assert_eq!(NanoDollars(12_300_000).to_string(), "0.0123 USD");
        assert_eq!(NanoDollars(-1_500_000_000).to_string(), "-1.50 USD");
        assert_eq!(NanoDollars(0).to_string(), "0.00 USD");
    }
}
