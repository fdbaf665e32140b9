//! Texts that no compression may lose.

use std::borrow::Cow;
use std::collections::HashSet;

use aho_corasick::AhoCorasick;
use regex::Regex;

use super::super::{OpError, Workspace};
use crate::drivers::{DriverError, patterns};
use crate::ops::Finding;

/// Longest text that a finding shows, in characters.
const SHOWN_MAX: usize = 80;

/// Holds the patterns of `trace.mustKeep` and of the request.
#[derive(Debug, Default)]
pub(super) struct MustKeep {
    patterns: Vec<Regex>,
}

impl MustKeep {
    pub(super) fn new(workspace: &Workspace, given: &[String]) -> Result<Self, OpError> {
        let mut texts = workspace.repo.config_all("trace.mustKeep");
        texts.extend_from_slice(given);
        texts.retain(|text| !text.is_empty());
        let patterns = patterns(&texts).map_err(|error| match error {
            DriverError::Pattern { pattern, reason } => {
                OpError::Request { reason: format!("bad pattern '{pattern}': {reason}") }
            }
            error => error.into(),
        })?;
        Ok(MustKeep { patterns })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Returns the patterns as they were given.
    pub(super) fn texts(&self) -> Vec<String> {
        self.patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect()
    }

    /// Finds what the patterns find in the old texts and none of the new ones says. No more of the new texts are read
    /// than needed.
    pub(super) fn lost<'t>(
        &self,
        old: &[String],
        new: &mut dyn Iterator<Item = Result<Cow<'t, str>, OpError>>,
    ) -> Result<Vec<Finding>, OpError> {
        let mut wanted: Vec<(&str, &str)> = Vec::new();
        let mut seen = HashSet::new();
        for pattern in &self.patterns {
            for text in old {
                let found = pattern.find_iter(text).map(|found| found.as_str()).filter(|text| !text.trim().is_empty());
                wanted.extend(found.filter(|text| seen.insert(*text)).map(|text| (pattern.as_str(), text)));
            }
        }
        let Ok(finder) = AhoCorasick::new(wanted.iter().map(|(_, text)| text)) else {
            return Err(OpError::Request { reason: "the patterns to keep find too much".to_owned() });
        };
        let mut missing: HashSet<usize> = (0..wanted.len()).collect();
        while !missing.is_empty()
            && let Some(text) = new.next()
        {
            for found in finder.find_overlapping_iter(&*text?) {
                missing.remove(&found.pattern().as_usize());
            }
        }
        let lost = wanted.iter().enumerate().filter(|(nth, _)| missing.contains(nth)).map(|(_, lost)| lost);
        let short = |text: &str| crate::codec::one_line(text, SHOWN_MAX);
        Ok(lost
            .map(|(pattern, text)| Finding::MustKeep { pattern: (*pattern).to_owned(), text: short(text) })
            .collect())
    }
}
