//! Matches that a summary must have.

use std::borrow::Cow;
use std::ops::Range;

use hashbrown::HashSet;
use regex::Regex;

use super::units::{Source, clean};

/// Matches beyond this many, over all patterns, are not looked for.
const MATCHES: usize = 20_000;

/// Returns a passage's text without the ids of calls, unless a pattern wants just those.
pub(super) fn text_of<'a>(text: &'a str, patterns: &[Regex]) -> Cow<'a, str> {
    let cleaned = clean(text);
    if matches!(cleaned, Cow::Borrowed(_)) {
        return cleaned;
    }
    let all = |text: &'a str, pattern: &Regex| {
        pattern.find_iter(text).take(MATCHES).map(|found| found.as_str().to_owned()).collect::<HashSet<String>>()
    };
    let loses = |pattern: &Regex| {
        let after: HashSet<&str> = pattern.find_iter(&cleaned).take(MATCHES).map(|found| found.as_str()).collect();
        all(text, pattern).iter().any(|found| !after.contains(found.as_str()))
    };
    if patterns.iter().any(loses) { Cow::Borrowed(text) } else { cleaned }
}

/// Returns where the matches stand, each distinct one once and in the newest passage that has it.
pub(super) fn find(sources: &[Source<'_>], patterns: &[Regex]) -> Vec<(usize, Range<usize>)> {
    let mut known: HashSet<&str> = HashSet::new();
    let mut found = Vec::new();
    for pattern in patterns {
        for (at, source) in sources.iter().enumerate().rev().filter(|(_, source)| !source.passage.stays) {
            for place in pattern.find_iter(&source.text).filter(|place| !place.is_empty()) {
                if found.len() >= MATCHES {
                    return found;
                }
                if known.insert(place.as_str()) {
                    found.push((at, place.range()));
                }
            }
        }
    }
    found
}
