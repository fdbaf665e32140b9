//! One pass over the text for the words of all rules, then only the rules whose word is there.

use std::ops::Range;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use super::assignment::{self, Assignment};
use super::boundary::{ends_token, one_case, run_end, starts_name, starts_token};
use super::name;
use super::randomness::{entropy, is_placeholder};
use super::rule::{Find, Rule};
use super::rules;
use super::samples::is_sample;
use super::shape::Shape;
use super::words::Words;

/// A secret found by a built-in rule: where, and the rule's position in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    /// Bytes of the secret.
    pub range: Range<usize>,
    /// Position of the rule in [`Engine::rules`].
    pub rule: usize,
}

/// The built-in rules with their words and patterns, made once for the process.
pub(super) struct Engine {
    rules: Vec<&'static Rule>,
    words: Words,
    /// The rules that each word wakes.
    woken: Vec<Vec<u16>>,
    patterns: Vec<OnceLock<Option<Regex>>>,
}

/// How often a rule may fail in one run of token bytes before the rest of the run is left to other rules: keeps
/// hostile text from costing quadratic time.
const ATTEMPTS: u32 = 32;

/// How far a rule has got in a text.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// Before this position the rule need not be asked.
    until: usize,
    /// End of the run of token bytes last looked at.
    run_end: usize,
    /// Failures in that run.
    failures: u32,
}

impl Engine {
    /// The one engine of the process, made at the first call.
    pub(super) fn get() -> &'static Self {
        static ENGINE: OnceLock<Engine> = OnceLock::new();
        ENGINE.get_or_init(Self::new)
    }

    fn new() -> Self {
        let rules: Vec<&'static Rule> = rules::all().collect();
        let mut words: Vec<String> = Vec::new();
        let mut woken: Vec<Vec<u16>> = Vec::new();
        let mut index = std::collections::HashMap::new();
        for (number, rule) in rules.iter().enumerate() {
            let number = u16::try_from(number).expect("the table has fewer than 65,536 rules");
            for word in rule.words {
                let word = word.to_ascii_lowercase();
                let at = *index.entry(word.clone()).or_insert_with(|| {
                    words.push(word);
                    woken.push(Vec::new());
                    words.len() - 1
                });
                woken[at].push(number);
            }
        }
        let patterns = rules.iter().map(|_| OnceLock::new()).collect();
        Self { rules, words: Words::new(words), woken, patterns }
    }

    /// The name of the rule at a position of the table.
    pub(super) fn name(&self, rule: usize) -> &'static str {
        self.rules[rule].id
    }

    /// Reports whether a name is that of a built-in rule.
    pub(super) fn has(&self, id: &str) -> bool {
        self.rules.iter().any(|rule| rule.id == id)
    }

    /// Finds every secret, in no order; the ranges may overlap.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut progress: Vec<Progress> = Vec::new();
        let mut found = Vec::new();
        let mut values_from = 0;
        for (at, word) in self.words.find(text) {
            if progress.is_empty() {
                progress.resize(self.rules.len(), Progress::default());
            }
            let mut value: Option<Option<Assignment>> = None;
            for number in &self.woken[word] {
                let number = usize::from(*number);
                let rule = self.rules[number];
                let state = &mut progress[number];
                if at.start < state.until {
                    continue;
                }
                match rule.find {
                    Find::Token(_) => self.token(number, text, &at, state, &mut found),
                    Find::Near { before, after, .. } => self.near(number, text, &at, before..after, &mut found),
                    Find::Assigned(shape) => {
                        let value = value
                            .get_or_insert_with(|| if at.start < values_from { None } else { vendor_value(text, &at) });
                        values_from = value.as_ref().map_or(values_from, |v| v.resume(values_from));
                        assigned(shape, text, value.as_ref(), &mut found);
                    }
                    Find::Code(finder) => state.until = finder(text, at.clone(), &mut found),
                }
                for range in found.drain(..) {
                    if is_secret(rule, &text[range.clone()]) {
                        if !matches!(rule.find, Find::Code(_)) {
                            state.until = state.until.max(range.end);
                        }
                        hits.push(Hit { range, rule: number });
                    }
                }
            }
        }
        hits
    }

    /// Tries a pattern that starts at the word.
    fn token(
        &self,
        rule: usize,
        text: &[u8],
        word: &Range<usize>,
        state: &mut Progress,
        found: &mut Vec<Range<usize>>,
    ) {
        if !self.rules[rule].inner && !starts_token(text, word.start) {
            return;
        }
        if word.start >= state.run_end {
            state.run_end = run_end(text, word.start);
            state.failures = 0;
        }
        if state.failures >= ATTEMPTS {
            return;
        }
        let run = &text[word.start..state.run_end];
        let Some(pattern) = self.pattern(rule) else {
            return;
        };
        match secret(pattern, run) {
            Some((whole, secret)) if ends_token(run, whole.end) => {
                found.push(word.start + secret.start..word.start + secret.end);
            }
            _ => state.failures += 1,
        }
    }

    /// Tries a pattern around the word.
    fn near(&self, rule: usize, text: &[u8], word: &Range<usize>, reach: Range<usize>, found: &mut Vec<Range<usize>>) {
        let start = word.start.saturating_sub(reach.start);
        let window = &text[start..text.len().min(word.start.saturating_add(reach.end))];
        let Some(pattern) = self.pattern(rule) else {
            return;
        };
        if let Some((whole, secret)) = secret(pattern, window)
            && start + whole.start <= word.start
            && start + whole.end >= word.end
        {
            found.push(start + secret.start..start + secret.end);
        }
    }

    /// The compiled pattern of a rule; `None` for a rule without one.
    fn pattern(&self, rule: usize) -> Option<&Regex> {
        self.patterns[rule]
            .get_or_init(|| match self.rules[rule].find {
                Find::Token(pattern) => Some(compile(&format!("^(?:{pattern})"))),
                Find::Near { pattern, .. } => Some(compile(pattern)),
                _ => None,
            })
            .as_ref()
    }
}

/// Compiles a pattern of the table.
fn compile(pattern: &str) -> Regex {
    // Without Unicode classes a pattern compiles a hundred times faster; the tokens are ASCII.
    RegexBuilder::new(pattern).unicode(false).build().expect("a test compiles every pattern of the table")
}

/// Matches; returns the whole match and group 1, or the whole match twice.
fn secret(pattern: &Regex, text: &[u8]) -> Option<(Range<usize>, Range<usize>)> {
    if pattern.captures_len() == 1 {
        let whole = pattern.find(text)?.range();
        return Some((whole.clone(), whole));
    }
    let groups = pattern.captures(text)?;
    let whole = groups.get(0)?.range();
    let inner = groups.get(1).map_or(whole.clone(), |group| group.range());
    Some((whole, inner))
}

/// Reads the value assigned to a name that holds a vendor's name, unless the name says that it is no secret.
fn vendor_value(text: &[u8], word: &Range<usize>) -> Option<Assignment> {
    if !starts_name(text, word.start) || !one_case(&text[word.clone()]) {
        return None;
    }
    let assignment = assignment::around(text, word)?;
    let parts = name::parts(&text[assignment.name.clone()]);
    (!parts.iter().any(|part| OBJECTS.contains(&part.as_str()))).then_some(assignment)
}

/// Parts of names whose values are ids of objects, most of all of git's.
const OBJECTS: [&str; 17] = [
    "commit",
    "sha",
    "sha1",
    "sha256",
    "hash",
    "digest",
    "checksum",
    "rev",
    "revision",
    "version",
    "fingerprint",
    "etag",
    "tree",
    "blob",
    "image",
    "url",
    "path",
];

/// Reports whether what a rule found passes the rule's tests.
fn is_secret(rule: &Rule, secret: &[u8]) -> bool {
    (rule.entropy == 0.0 || entropy(secret) >= rule.entropy)
        && (!rule.digits || secret.iter().any(u8::is_ascii_digit))
        && (matches!(rule.find, Find::Code(_)) || !is_sample(secret))
}

/// Adds the assigned value when it has the shape.
fn assigned(shape: Shape, text: &[u8], assignment: Option<&Assignment>, found: &mut Vec<Range<usize>>) {
    if let Some(assignment) = assignment {
        let value = &text[assignment.value.clone()];
        if shape.fits(value) && !is_placeholder(value) {
            found.push(assignment.value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_of_the_table_compiles() {
        let engine = Engine::get();
        for (number, rule) in engine.rules.iter().enumerate() {
            let has_pattern = matches!(rule.find, Find::Token(_) | Find::Near { .. });
            assert_eq!(engine.pattern(number).is_some(), has_pattern, "{}", rule.id);
            assert!(rule.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        }
    }

    #[test]
    fn hostile_repetition_costs_linear_time() {
        for unit in [
            "eyJ-",
            "sk-",
            "kind: Secret\n",
            "key=",
            "okta=",
            "curl--user=",
            "curl -u ",
            "authorization=",
            "a://b:c@",
            "-----BEGIN PRIVATE KEY-----",
            "sl.",
            "telegram",
            "xoxb-1",
            "key=\"",
            "AAAAAAAAAAAA",
            "[[redacted:",
        ] {
            let text = unit.repeat(1_000_000 / unit.len());
            let start = std::time::Instant::now();
            Engine::get().find(text.as_bytes());
            // Quadratic time would be minutes.
            assert!(start.elapsed().as_secs() < 20, "{unit}: {:?}", start.elapsed());
        }
    }
}
