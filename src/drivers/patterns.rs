//! Patterns of what must be kept: read in one way, by whoever keeps it and by whoever looks whether it was kept.

use regex::{Regex, RegexBuilder};

use super::DriverError;

/// The most memory that one pattern may take, in bytes.
const PATTERN_BYTES: usize = 4 << 20;

/// Reads patterns; `^` and `$` are the ends of lines.
///
/// # Errors
/// [`DriverError::Pattern`] for the first that is no regular expression, or too large a one.
pub(crate) fn patterns(texts: &[String]) -> Result<Vec<Regex>, DriverError> {
    let compiled = texts.iter().map(|text| {
        RegexBuilder::new(text).size_limit(PATTERN_BYTES).multi_line(true).build().map_err(|error| {
            // The error draws the pattern over several lines; what is wrong stands in the last one.
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
            DriverError::Pattern { pattern: text.clone(), reason }
        })
    });
    compiled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_ends_and_patterns_a_limit() {
        let read = |text: &str| patterns(&[text.to_owned()]);
        let found = read("^port: .*$").expect("a pattern");
        assert_eq!(found[0].find("host: x\nport: 8080\nend").map(|found| found.as_str()), Some("port: 8080"));
        // Between one and four MiB.
        assert!(read(r"\w{30}").is_ok());
        for bad in ["(", r"\w{9999}"] {
            assert!(matches!(read(bad), Err(DriverError::Pattern { pattern, .. }) if pattern == bad), "{bad}");
        }
    }
}
