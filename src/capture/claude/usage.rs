//! What the provider reported for an API message, from the rows on its lines.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{count, object};
use crate::model::Usage;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Row<'a> {
    #[serde(borrow)]
    input_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_creation_input_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_read_input_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    output_tokens: Option<&'a RawValue>,
}

/// Fewer tokens than one for this many bytes are no count of what was written: prose, code and JSON take 3 to 5 bytes a
/// token, and no message with a stop reason in the transcripts at hand took 8.
const BYTES_PER_TOKEN: u64 = 8;

/// Gathers the rows of one API message: the one with the highest output holds, rows are never added up.
#[derive(Debug, Clone, Default)]
pub(super) struct UsageRows {
    best: Option<Usage>,
    finished: bool,
}

impl UsageRows {
    /// Takes the row of one line in.
    pub(super) fn add(&mut self, raw: Option<&RawValue>, has_stop_reason: bool) {
        self.finished |= has_stop_reason;
        let Some(row) = raw.and_then(|raw| object::<Row<'_>>(raw.get())) else { return };
        let usage = Usage {
            input: count(row.input_tokens),
            cache_read: count(row.cache_read_input_tokens),
            cache_write: count(row.cache_creation_input_tokens),
            output: count(row.output_tokens),
            reasoning: None,
        };
        if usage != Usage::default() && self.best.is_none_or(|best| usage.output > best.output) {
            self.best = Some(usage);
        }
    }

    /// Returns the usage of the message; `None` where no line told any.
    pub(super) fn usage(&self) -> Option<Usage> {
        self.best
    }

    /// Tells whether a line said why the message ended.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Tells whether the output is what streaming began with and not what it ended with, given the bytes written.
    ///
    /// Claude Code 2.1.12 to 2.1.49 wrote such rows: no line has a stop reason, and the output is far too small.
    pub(super) fn is_placeholder(&self, written: u64) -> bool {
        let output = self.best.and_then(|usage| usage.output);
        !self.finished && output.is_some_and(|output| output.saturating_mul(BYTES_PER_TOKEN) <= written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[(&str, bool)]) -> UsageRows {
        let mut all = UsageRows::default();
        for (row, stop) in rows {
            let raw = RawValue::from_string((*row).to_owned()).expect("JSON");
            all.add(Some(&raw), *stop);
        }
        all
    }

    #[test]
    fn the_row_with_the_highest_output_holds_and_nothing_is_added_up() {
        let small = r#"{"input_tokens":3,"cache_read_input_tokens":100,"output_tokens":2}"#;
        let large = r#"{"input_tokens":3,"cache_read_input_tokens":100,"output_tokens":90}"#;
        let usage = rows(&[(small, false), (large, true), (small, false)]).usage().expect("told");
        assert_eq!((usage.input, usage.cache_read, usage.cache_write), (Some(3), Some(100), None));
        assert_eq!(usage.output, Some(90));
        assert_eq!(rows(&[("{}", true), ("[1]", false), (r#"{"output_tokens":-1}"#, false)]).usage(), None);
    }

    #[test]
    fn a_small_output_is_a_placeholder_only_without_a_stop_reason() {
        let row = r#"{"output_tokens":2}"#;
        assert!(rows(&[(row, false)]).is_placeholder(400));
        assert!(!rows(&[(row, true)]).is_placeholder(400));
        assert!(!rows(&[(row, false)]).is_placeholder(9));
        assert!(!rows(&[]).is_placeholder(400));
    }
}
