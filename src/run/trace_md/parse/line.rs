//! What one line of a file is, seen by itself.

use crate::run::trace_md::escape::decode;
use crate::run::trace_md::render::INDENT;

/// The longest name of a field that is taken for one.
const NAME_MAX: usize = 40;

/// Is a heading of a trace.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heading {
    /// `# Trace: <workflow>`
    Title(String),
    /// `## Step <number>: <action>`
    Step { number: u32, action: String },
    /// `## Resume`
    Resume,
}

/// Is a line that stands in no fence.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Blank,
    /// `---`
    Rule,
    /// A further line of a text, as it is rendered.
    Indented,
    /// The beginning of a fence, with what closes it.
    Fence(&'a str),
    Heading(Heading),
    /// `**Name:** value`
    Field {
        name: &'a str,
        value: &'a str,
    },
    Text,
    /// A heading, and none of ours.
    Unknown,
}

impl<'a> Line<'a> {
    pub(super) fn read(text: &'a str) -> Self {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Line::Blank;
        }
        if text.starts_with('\t') || text.len() - text.trim_start_matches(' ').len() >= INDENT {
            return Line::Indented;
        }
        if trimmed.len() >= 3 && trimmed.bytes().all(|byte| byte == b'-') {
            return Line::Rule;
        }
        if let Some(mark) = fence(trimmed) {
            return Line::Fence(mark);
        }
        if let Some((name, value)) = field(trimmed) {
            return Line::Field { name, value };
        }
        let title = trimmed.trim_start_matches('#');
        let level = trimmed.len() - title.len();
        let is_heading = (1..=6).contains(&level) && title.starts_with([' ', '\t']);
        match heading(title.trim_start(), level, is_heading) {
            Some(heading) => Line::Heading(heading),
            // Deeper ones are within a text.
            None if is_heading && level <= 2 => Line::Unknown,
            None => Line::Text,
        }
    }
}

/// Returns the run of backticks or tildes that opens a fence.
fn fence(text: &str) -> Option<&str> {
    ['`', '~'].into_iter().find_map(|mark| {
        let length = text.len() - text.trim_start_matches(mark).len();
        // A code span on one line opens nothing.
        (length >= 3 && !(mark == '`' && text[length..].contains('`'))).then(|| &text[..length])
    })
}

/// Tells whether a line closes a fence.
pub(super) fn closes(text: &str, mark: &str) -> bool {
    let text = text.trim();
    let one = &mark[..1];
    text.len() >= mark.len() && text.trim_start_matches(one).is_empty()
}

/// Takes `**Name:** value` and `**Name**: value` apart. Behind a bullet it is an item, as people like to begin them.
fn field(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.strip_prefix("**")?.split_once("**")?;
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => (name, rest),
        None => (name, rest.strip_prefix(':')?),
    };
    let is_name = !name.trim().is_empty() && name.chars().count() <= NAME_MAX;
    is_name.then(|| (name.trim(), value.strip_prefix([' ', '\t']).unwrap_or(value)))
}

fn heading(text: &str, level: usize, is_heading: bool) -> Option<Heading> {
    if level == 1
        && is_heading
        && let Some(rest) = strip_word(text, "trace")
        && let Some(name) = rest.strip_prefix(':')
    {
        return Some(Heading::Title(decode(name.trim())));
    }
    if is_heading && strip_word(text, "resume").is_some_and(|rest| rest.trim().trim_end_matches(':').is_empty()) {
        return Some(Heading::Resume);
    }
    // `[Step 2]` needs no `##`.
    let inner = text.strip_prefix('[');
    if !is_heading && (level > 0 || inner.is_none()) {
        return None;
    }
    let rest = strip_word(inner.unwrap_or(text), "step")?.trim_start();
    let digits = rest.len() - rest.trim_start_matches(|one: char| one.is_ascii_digit()).len();
    let number = rest[..digits].parse().ok()?;
    let mut rest = &rest[digits..];
    if inner.is_some() {
        rest = rest.trim_start().strip_prefix(']')?;
    }
    // One mark between number and action, and no more: the action may begin with one.
    let is_apart = rest.is_empty() || rest.starts_with([' ', '\t', ':', '.', ')', '-', '–', '—']);
    let rest = rest.trim_start();
    let action = rest.strip_prefix([':', '.', ')', '-', '–', '—']).unwrap_or(rest);
    (is_apart || inner.is_some()).then(|| Heading::Step { number, action: decode(action.trim()) })
}

/// Takes a word off the beginning, in any case.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}
