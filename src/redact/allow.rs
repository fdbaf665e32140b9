//! Allow lists: findings that the repository's own configuration declares harmless.

use std::ops::Range;
use std::sync::OnceLock;

use regex::bytes::Regex;

use super::assignment::{APART, STRING};
use super::go_pattern;

/// A pattern, compiled when it is first needed, or at once when it is large enough to be refused.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Checks the pattern; the error says what is wrong with it. A large pattern is compiled to know whether it fits,
    /// and takes one from `large`, the number of large patterns that may still be compiled.
    pub(super) fn new(go: &str, large: &mut usize) -> Result<Self, String> {
        let (text, is_large) = go_pattern::translate(go)?;
        let compiled = OnceLock::new();
        if is_large {
            *large = large.checked_sub(1).ok_or("too many large patterns came before")?;
            let regex = go_pattern::compile(&text).ok_or("the pattern grows too large")?;
            compiled.get_or_init(|| Some(regex));
        }
        Ok(Self { text, compiled })
    }

    /// The compiled pattern.
    pub(super) fn get(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| go_pattern::compile(&self.text)).as_ref()
    }

    fn is_match(&self, text: &[u8]) -> bool {
        self.get().is_some_and(|regex| regex.is_match(text))
    }
}

/// How far a line is read to either side of a finding, bytes.
const LINE: usize = 4096;

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
    /// Whether there is a criterion that never holds: commits, which text that is about to be written has none of yet,
    /// or patterns of which none could be used.
    pub never: bool,
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
                Target::Line => &candidate.text[line(candidate.text, &candidate.secret, LINE)],
            };
            verdicts.push(self.patterns.iter().any(|pattern| pattern.is_match(target)));
        }
        if !self.paths.is_empty() {
            verdicts.push(candidate.path.is_some_and(|path| self.paths.iter().any(|p| p.is_match(path.as_bytes()))));
        }
        if !self.stopwords.is_empty() {
            let lower = secret.to_ascii_lowercase();
            verdicts.push(self.stopwords.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some()));
        }
        if self.never {
            verdicts.push(false);
        }
        if self.every { !verdicts.is_empty() && verdicts.iter().all(|v| *v) } else { verdicts.contains(&true) }
    }
}

/// The comment that tells scanners to leave a line alone; it is obeyed in files only.
const COMMENT: &[u8] = b"gitleaks:allow";

/// The lines that carry the comment, in order.
pub(super) fn commented_lines(text: &[u8]) -> Vec<Range<usize>> {
    let mut lines: Vec<Range<usize>> = Vec::new();
    for at in memchr::memmem::find_iter(text, COMMENT) {
        if lines.last().is_none_or(|last| last.end <= at) {
            lines.push(line(text, &(at..at + COMMENT.len()), usize::MAX));
        }
    }
    lines
}

/// The lines that a range is on, at most `reach` bytes to either side.
fn line(text: &[u8], range: &Range<usize>, reach: usize) -> Range<usize> {
    let ends = |b: &u8| matches!(*b, b'\n' | APART | STRING);
    let from = range.start.saturating_sub(reach);
    let to = range.end.saturating_add(reach).min(text.len());
    let start = text[from..range.start].iter().rposition(ends).map_or(from, |at| from + at + 1);
    let end = text[range.end..to].iter().position(ends).map_or(to, |at| range.end + at);
    start..end
}
