//! A number of tokens together with how it was made.

use super::method::Method;
use std::fmt;

/// A number of tokens that knows how it was made.
///
/// `base` is what is stored: the factor is applied only when the count is read, so better factors never rewrite
/// history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Count {
    /// Tokens of the method's basis, or as reported.
    pub base: u64,
    /// How the number was made.
    pub method: Method,
}

impl Count {
    /// Returns the number of tokens of the model, rounded.
    pub fn value(&self) -> u64 {
        scaled(self.base, self.method.factor())
    }

    /// Returns the least and the greatest number of tokens that the sources of an estimate allow.
    ///
    /// Both are [`value`](Self::value) for any other method.
    pub fn range(&self) -> (u64, u64) {
        match self.method {
            Method::Estimated { low, high, .. } => (scaled(self.base, low), scaled(self.base, high)),
            _ => (self.value(), self.value()),
        }
    }
}

/// Exact for a factor of 1; otherwise as precise as the factor is. Saturates, and never goes below zero.
fn scaled(base: u64, factor: f32) -> u64 {
    if factor == 1.0 { base } else { (base as f64 * f64::from(factor)).round() as u64 }
}

impl fmt::Display for Count {
    /// Writes `12,345` for exact and reported counts, `~12.3k` for the others.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value();
        if self.method.is_exact() { f.pad(&grouped(value)) } else { f.pad(&format!("~{}", short(value))) }
    }
}

fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn short(value: u64) -> String {
    // Tenths of a unit, rounded half up; the limits keep `1000.0k` from being written for a million.
    let tenths = |unit: u64| (u128::from(value) * 10 + u128::from(unit) / 2) / u128::from(unit);
    let units = [(1_000, 'k', 999_950), (1_000_000, 'M', 999_950_000)];
    match units.iter().find(|(_, _, limit)| value < *limit) {
        _ if value < 1_000 => value.to_string(),
        Some((unit, letter, _)) => format!("{}.{}{letter}", tenths(*unit) / 10, tenths(*unit) % 10),
        None => format!("{}.{}G", tenths(1_000_000_000) / 10, tenths(1_000_000_000) % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Encoding;

    const ESTIMATE: Method = Method::Estimated { basis: Encoding::O200kBase, factor: 1.18, low: 1.1, high: 1.35 };

    #[test]
    fn an_exact_count_shows_every_digit_and_an_estimate_does_not() {
        let show = |base, method| Count { base, method }.to_string();
        let exact = Method::Exact { encoding: Encoding::O200kBase };
        assert_eq!(show(12_345, exact), "12,345");
        assert_eq!(show(1_234_567, Method::Reported), "1,234,567");
        assert_eq!(show(999, exact), "999");
        assert_eq!(show(u64::MAX, exact), "18,446,744,073,709,551,615");
        assert_eq!(show(10_429, ESTIMATE), "~12.3k");
        assert_eq!(show(100, ESTIMATE), "~118");
        assert_eq!(show(846_900, ESTIMATE), "~999.3k");
        assert_eq!(show(847_450, ESTIMATE), "~1.0M");
        assert_eq!(show(0, ESTIMATE), "~0");
        assert_eq!(format!("{:>8}|", Count { base: 12_345, method: exact }), "  12,345|");
    }

    #[test]
    fn an_estimate_has_a_range_and_a_fact_has_none() {
        assert_eq!(Count { base: 1_000, method: ESTIMATE }.range(), (1_100, 1_350));
        assert_eq!(Count { base: 1_000, method: ESTIMATE }.value(), 1_180);
        assert_eq!(Count { base: 1_000, method: Method::Reported }.range(), (1_000, 1_000));
    }
}
