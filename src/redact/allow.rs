//! Allow lists: findings that the repository's own configuration declares harmless.

use std::ops::Range;
use std::sync::OnceLock;

use regex::bytes::Regex;

use super::assignment::{APART, STRING};
use super::go_pattern;

/// A pattern that is compiled when it is first needed.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Checks the pattern; the error says what is wrong with it.
    pub(super) fn new(go: &str) -> Result<Self, String> {
        Ok(Self {
            text: go_pattern::translate(go)?,
            compiled: OnceLock::new(),
        })
    }

    /// The compiled pattern; `None` when it grows beyond the limit.
    pub(super) fn get(&self) -> Option<&Regex> {
        self.compiled
            .get_or_init(|| go_pattern::compile(&self.text))
            .as_ref()
    }

    fn is_match(&self, text: &[u8]) -> bool {
        self.get().is_some_and(|regex| regex.is_match(text))
    }
}

/// What the patterns of an allow list look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Target {
    /// The secret.
    #[default]
    Secret,
    /// All that the rule matched.
    Match,
    /// The line it is on.
    Line,
}

/// One allow list.
#[derive(Debug, Default)]
pub(super) struct Allowlist {
    pub patterns: Vec<Pattern>,
    pub target: Target,
    pub paths: Vec<Pattern>,
    /// Lower case.
    pub stopwords: Vec<String>,
    /// Whether commits are named. Text that is about to be written has no commit yet, so none matches.
    pub commits: bool,
    /// Whether every criterion must hold rather than one.
    pub every: bool,
}

/// A finding as an allow list sees it.
pub(super) struct Candidate<'a> {
    pub text: &'a [u8],
    pub secret: Range<usize>,
    pub whole: Range<usize>,
    pub path: Option<&'a str>,
}

impl Allowlist {
    /// Reports whether the list declares the finding harmless.
    pub(super) fn permits(&self, candidate: &Candidate<'_>) -> bool {
        let secret = &candidate.text[candidate.secret.clone()];
        let mut verdicts = Vec::with_capacity(4);
        if !self.patterns.is_empty() {
            let target = match self.target {
                Target::Secret => secret,
                Target::Match => &candidate.text[candidate.whole.clone()],
                Target::Line => &candidate.text[line(candidate.text, &candidate.secret)],
            };
            verdicts.push(self.patterns.iter().any(|pattern| pattern.is_match(target)));
        }
        if !self.paths.is_empty() {
            verdicts.push(
                candidate
                    .path
                    .is_some_and(|path| self.paths.iter().any(|p| p.is_match(path.as_bytes()))),
            );
        }
        if !self.stopwords.is_empty() {
            let lower = secret.to_ascii_lowercase();
            verdicts.push(
                self.stopwords
                    .iter()
                    .any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some()),
            );
        }
        if self.commits {
            verdicts.push(false);
        }
        if self.every {
            !verdicts.is_empty() && verdicts.iter().all(|v| *v)
        } else {
            verdicts.contains(&true)
        }
    }
}

/// The comment that tells scanners to leave a line alone.
const COMMENT: &[u8] = b"gitleaks:allow";

/// Reports whether any line of the text carries the comment.
pub(super) fn has_comment(text: &[u8]) -> bool {
    memchr::memmem::find(text, COMMENT).is_some()
}

/// Reports whether the lines of the finding carry the comment.
pub(super) fn has_comment_at(text: &[u8], secret: &Range<usize>) -> bool {
    has_comment(&text[line(text, secret)])
}

/// The lines that a finding is on.
fn line(text: &[u8], range: &Range<usize>) -> Range<usize> {
    let ends = |b: &u8| matches!(*b, b'\n' | APART | STRING);
    let start = text[..range.start]
        .iter()
        .rposition(ends)
        .map_or(0, |at| at + 1);
    let end = text[range.end..]
        .iter()
        .position(ends)
        .map_or(text.len(), |at| range.end + at);
    start..end
}
