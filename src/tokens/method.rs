//! How a count was made.

use super::encoding::Encoding;
use std::fmt;

/// How a number of tokens was found; every count carries one, so that no estimate passes for a fact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// Counted with the model's own, public tokenizer.
    Exact {
        /// That tokenizer.
        encoding: Encoding,
    },
    /// Counted with another tokenizer, times a published or measured factor.
    Estimated {
        /// The tokenizer that counted.
        basis: Encoding,
        /// Tokens of the model for one token of the basis.
        factor: f32,
        /// The lowest factor seen in the sources.
        low: f32,
        /// The highest factor seen in the sources.
        high: f32,
    },
    /// Counted with another tokenizer, times a factor fitted to what the provider reported; see [`calibrate`].
    Calibrated {
        /// The tokenizer that counted.
        basis: Encoding,
        /// Tokens of the model for one token of the basis.
        factor: f32,
        /// Pairs the fit rests on.
        n: u32,
        /// Root mean square error of the fit as a share of the mean reported count: 0.03 is 3%.
        rmse: f32,
    },
    /// Reported by the provider (API usage).
    Reported,
}

impl Method {
    /// Returns the tokenizer that counts for this method; `o200k_base` where the provider's report replaces counting.
    pub fn basis(self) -> Encoding {
        match self {
            Method::Exact { encoding } => encoding,
            Method::Estimated { basis, .. } | Method::Calibrated { basis, .. } => basis,
            Method::Reported => Encoding::O200kBase,
        }
    }

    /// Returns the factor from counted tokens to the model's; 1 for exact and reported counts.
    pub fn factor(self) -> f32 {
        match self {
            Method::Exact { .. } | Method::Reported => 1.0,
            Method::Estimated { factor, .. } | Method::Calibrated { factor, .. } => factor,
        }
    }

    /// Tells whether the number may be shown without `~`.
    pub fn is_exact(self) -> bool {
        matches!(self, Method::Exact { .. } | Method::Reported)
    }
}

impl fmt::Display for Method {
    /// Writes for example `exact o200k_base` or `estimated o200k_base x1.18 (1.10-1.35)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Method::Exact { encoding } => write!(f, "exact {encoding}"),
            Method::Estimated { basis, factor, low, high } => {
                write!(f, "estimated {basis} x{factor:.2} ({low:.2}-{high:.2})")
            }
            Method::Calibrated { basis, factor, n, rmse } => {
                write!(f, "calibrated {basis} x{factor:.2} (n={n}, rmse {:.1}%)", rmse * 100.0)
            }
            Method::Reported => f.write_str("reported"),
        }
    }
}

/// Pairs that a fit uses at most, so that an endless source cannot take endless memory.
const PAIRS_MAX: usize = 1 << 16;
/// A fit outside this range says that the pairs do not belong together, not that the tokenizer is so different.
const PLAUSIBLE: std::ops::RangeInclusive<f64> = 0.25..=4.0;

/// Fits the factor from own counts to what a provider reported for the same input.
///
/// `pairs` are (own count with `basis`, reported input tokens, cached ones included); pairs with a zero are left out.
/// Least squares through the origin, after dropping pairs whose ratio is further from the median ratio than three
/// times the median distance (scaled to a standard deviation, and at least 2%). A constant overhead that own counts
/// lack, such as tool definitions, must be subtracted by the caller, or be avoided by pairing differences of
/// consecutive requests.
///
/// Returns `None` with fewer than three usable pairs, or when the fit is not plausible (outside 0.25 to 4).
pub fn calibrate(basis: Encoding, pairs: impl Iterator<Item = (u64, u64)>) -> Option<Method> {
    let mut pairs: Vec<(f64, f64)> = pairs
        .filter(|(own, reported)| *own > 0 && *reported > 0)
        .take(PAIRS_MAX)
        .map(|(own, reported)| (own as f64, reported as f64))
        .collect();
    let middle = median(pairs.iter().map(|(own, reported)| reported / own))?;
    let distance = |(own, reported): &(f64, f64)| (reported / own - middle).abs();
    let allowed = (3.0 * 1.4826 * median(pairs.iter().map(distance))?).max(0.02 * middle);
    pairs.retain(|pair| distance(pair) <= allowed);
    if pairs.len() < 3 {
        return None;
    }
    let products: f64 = pairs.iter().map(|(own, reported)| own * reported).sum();
    let squares: f64 = pairs.iter().map(|(own, _)| own * own).sum();
    let factor = products / squares;
    let count = pairs.len() as f64;
    let error: f64 = pairs.iter().map(|(own, reported)| (reported - factor * own).powi(2)).sum();
    let mean = pairs.iter().map(|(_, reported)| reported).sum::<f64>() / count;
    PLAUSIBLE.contains(&factor).then_some(Method::Calibrated {
        basis,
        factor: factor as f32,
        n: pairs.len() as u32,
        rmse: ((error / count).sqrt() / mean) as f32,
    })
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(pairs: &[(u64, u64)]) -> Option<Method> {
        calibrate(Encoding::O200kBase, pairs.iter().copied())
    }

    #[test]
    fn a_fit_finds_the_factor_in_spite_of_outliers() {
        let mut pairs: Vec<(u64, u64)> = (1..40).map(|k| (1_000 * k, 1_180 * k + k % 7)).collect();
        pairs.extend([(50_000, 900_000), (30_000, 12), (10_000, 100_000)]);
        let Some(Method::Calibrated { factor, n, rmse, .. }) = fit(&pairs) else { panic!("no fit") };
        assert!((factor - 1.18).abs() < 0.002, "{factor}");
        assert_eq!(n, 39);
        assert!(rmse < 0.01, "{rmse}");
    }

    #[test]
    fn too_little_or_nonsense_is_no_fit() {
        assert_eq!(fit(&[(100, 118), (200, 236)]), None);
        assert_eq!(fit(&[(100, 118), (200, 236), (0, 5), (5, 0)]), None);
        assert_eq!(fit(&[(1, 9_000), (2, 18_000), (3, 27_000)]), None);
        assert!(fit(&[(100, 118), (200, 236), (300, 354)]).is_some());
        assert!(fit(&[(u64::MAX, u64::MAX); 3]).is_some());
    }
}
