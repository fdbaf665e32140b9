//! What usage costs, from the dated price table inside crate `genai-prices`.

use crate::model::{NanoDollars, Usage};
use genai_prices::{Calculator, ErrorKind, PriceRequest, UsageKey};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Why usage has no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The table does not know the model, or knows no such provider.
    #[error("unknown price for model '{model}'")]
    UnknownModel {
        /// The model as given.
        model: String,
    },
    /// The provider reported no number for a part that is always charged.
    #[error("unknown {part} tokens for model '{model}'")]
    UnknownUsage {
        /// The model as given.
        model: String,
        /// `input` or `output`.
        part: &'static str,
    },
    /// The table refuses the usage, or the amount does not fit.
    #[error("no price for model '{model}': {reason}")]
    Refused {
        /// The model as given.
        model: String,
        /// The price table's own words.
        reason: String,
    },
}

/// Returns what one API call costs, at the prices of its time.
///
/// `provider` is an id or alias that `genai-prices` knows (`anthropic`, `openai`, `google`, `aws`, `openrouter`, ...);
/// without it, a prefix of the model's name or the name itself decides. `at` is in seconds since 1970 UTC. The price
/// table is decoded at the first call (about 30 ms). Standard prices: batch, priority and one-hour cache writes are
/// not told apart by [`Usage`].
///
/// # Errors
///
/// [`PriceError::UnknownModel`] when the table has no price: never a cost of 0. [`PriceError::UnknownUsage`] when
/// `input` or `output` is `None`; a `None` in the cache parts means that no cache was used.
/// [`PriceError::Refused`] when the numbers contradict each other (more reasoning than output).
pub fn cost(usage: &Usage, model: &str, provider: Option<&str>, at: i64) -> Result<NanoDollars, PriceError> {
    let unknown = |part| PriceError::UnknownUsage { model: model.to_owned(), part };
    let refused = |reason: &str| PriceError::Refused { model: model.to_owned(), reason: reason.to_owned() };
    let input = usage.context().ok_or_else(|| unknown("input"))?;
    let output = usage.output.ok_or_else(|| unknown("output"))?;
    let at = moment(at).ok_or_else(|| refused("the time is out of range"))?;

    // The table's `input_tokens` are all input tokens; it subtracts the cached ones itself.
    let mut reported =
        genai_prices::Usage::from([(UsageKey::INPUT_TOKENS, input as f64), (UsageKey::OUTPUT_TOKENS, output as f64)]);
    let parts = [
        (UsageKey::CACHE_READ_TOKENS, usage.cache_read),
        (UsageKey::CACHE_WRITE_TOKENS, usage.cache_write),
        (UsageKey::OUTPUT_REASONING_TOKENS, usage.reasoning),
    ];
    for (key, value) in parts {
        if let Some(value) = value {
            reported.insert(key, value as f64);
        }
    }

    for (provider, name) in readings(model.trim(), provider) {
        let request = PriceRequest::new(name, &reported).with_timestamp(at);
        let request = match provider {
            Some(provider) => request.with_provider_id(provider),
            None => request,
        };
        match Calculator::bundled().calculate(&request) {
            Ok(price) => return nanos(price.total_price).ok_or_else(|| refused("the amount is out of range")),
            Err(error) if matches!(error.kind(), ErrorKind::ModelNotFound | ErrorKind::ProviderNotFound) => {}
            Err(error) => return Err(refused(&error.to_string())),
        }
    }
    Err(PriceError::UnknownModel { model: model.to_owned() })
}

/// The ways to read a model's name, most literal first. A named provider is never replaced by another.
fn readings<'a>(model: &'a str, provider: Option<&'a str>) -> Vec<(Option<&'a str>, &'a str)> {
    let mut readings = vec![(provider, model)];
    // `claude-opus-4-6[1m]` is how Claude Code names a larger window of the same model.
    let plain = model.split_once('[').map_or(model, |(name, _)| name);
    if plain != model {
        readings.push((provider, plain));
    }
    if let Some((vendor, name)) = plain.rsplit_once('/') {
        let vendor = vendor.rsplit('/').next().unwrap_or(vendor);
        readings.push((provider.or(Some(vendor)), name));
    }
    if provider.is_none() && plain.contains("anthropic.claude") {
        readings.push((Some("aws"), plain));
    }
    readings
}

fn moment(at: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(at.unsigned_abs());
    if at < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}

/// Rounds dollars to nano-dollars; the table's prices per million tokens are exact in far fewer digits.
fn nanos(dollars: f64) -> Option<NanoDollars> {
    let nanos = (dollars * 1e9).round();
    // 2^63 itself is out of range, and the largest f64 below it is in range.
    (nanos >= 0.0 && nanos < i64::MAX as f64).then_some(NanoDollars(nanos as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01.
    const AT: i64 = 1_767_225_600;
    const USAGE: Usage = Usage {
        input: Some(1_000),
        cache_read: Some(10_000),
        cache_write: Some(2_000),
        output: Some(500),
        reasoning: None,
    };

    #[test]
    fn cached_tokens_are_charged_once_and_at_their_own_price() {
        // Anthropic's list price of Opus 4.5 per million tokens: 5 input, 0.5 read, 6.25 write, 25 output.
        let expected = 1_000 * 5_000 + 10_000 * 500 + 2_000 * 6_250 + 500 * 25_000;
        for model in ["claude-opus-4-5-20251101", "anthropic/claude-opus-4-5", "claude-opus-4-5[1m]"] {
            assert_eq!(cost(&USAGE, model, None, AT), Ok(NanoDollars(expected)), "{model}");
        }
        assert_eq!(cost(&USAGE, "claude-opus-4-5", Some("anthropic"), AT), Ok(NanoDollars(expected)));
    }

    #[test]
    fn every_common_name_has_a_price() {
        let names = [
            "claude-sonnet-4-20250514",
            "claude-3-5-sonnet-20241022",
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
            "gemini-2.5-pro",
            "google/gemini-2.5-pro",
            "openai/gpt-4o-mini",
            "gpt-5",
            "o3",
        ];
        let usage = Usage { cache_write: None, reasoning: Some(100), ..USAGE };
        for name in names {
            assert!(
                cost(&usage, name, None, AT).is_ok_and(|price| price.0 > 0),
                "{name}: {:?}",
                cost(&usage, name, None, AT)
            );
        }
    }

    #[test]
    fn an_unknown_model_has_no_price_instead_of_none_to_pay() {
        for (model, provider) in
            [("no-such-model", None), ("", None), ("no-such-model", Some("anthropic")), ("gpt-5", Some("nobody"))]
        {
            let error = cost(&USAGE, model, provider, AT).expect_err("no price");
            assert_eq!(error.to_string(), format!("unknown price for model '{model}'"));
        }
    }

    #[test]
    fn unknown_usage_is_not_free() {
        let no_output = Usage { output: None, ..USAGE };
        let error = cost(&no_output, "gpt-5", None, AT).expect_err("no price");
        assert_eq!(error.to_string(), "unknown output tokens for model 'gpt-5'");
        assert!(cost(&Usage::default(), "gpt-5", None, AT).is_err());
        let contradiction = Usage { input: Some(u64::MAX), output: Some(u64::MAX), ..USAGE };
        assert!(matches!(cost(&contradiction, "gpt-5", None, AT), Err(PriceError::Refused { .. })));
        assert!(cost(&USAGE, "gpt-5", None, i64::MIN).is_ok_and(|price| price.0 > 0));
    }
}
