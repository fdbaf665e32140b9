//! A commit's message without what was to be taken out of it: line by line, so that all else stays as it is.

use super::cut::Cut;
use super::outcome::GREW;
use crate::codec::{escape_field, one_line, unescape_field};
use crate::model::ObjectId;

/// Longest subject in characters, as commits are made.
const SUBJECT_MAX: usize = 72;

/// Fewest digits of a commit's id in words.
const DIGITS: usize = 10;

/// What begins the trailer that all compressions of ours have.
const COMPRESS: &str = "Trace-Compress: ";

/// Trailers that hold no words.
const FIXED: [&str; 10] = [
    GREW,
    "Trace-Op",
    "Trace-Agent",
    "Trace-Code",
    "Trace-Count",
    "Trace-Next",
    "Trace-Usage",
    "Trace-Cost",
    "Trace-Parent",
    "Trace-Worktree",
];

/// What changed around a commit.
pub(super) struct Around<'a> {
    /// What the beginnings of touched entries were, and what they are.
    pub(super) previews: &'a [(String, String)],
    /// Whether the commit touches an entry that goes as a whole.
    pub(super) is_of_entry: bool,
    /// By how much the context before, and this one, count another number of tokens.
    pub(super) before: i64,
    pub(super) after: i64,
    /// What a commit is called now.
    pub(super) renamed: &'a dyn Fn(&ObjectId) -> Option<ObjectId>,
    /// The parents, as they were.
    pub(super) parents: &'a [ObjectId],
}

/// Returns the new message; `None` if it stays.
pub(super) fn rewrite(message: &[u8], cut: &Cut<'_>, around: &Around<'_>) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(message);
    let body = text.trim_end();
    let end = &text[body.len()..];
    let (words, trailers) = match body.rsplit_once("\n\n") {
        Some((words, trailers)) if trailers.lines().any(|line| line.starts_with("Trace-Op:")) => {
            (words, Some(trailers))
        }
        _ => (body, None),
    };
    let is_compression = trailers.is_some_and(|trailers| trailers.lines().any(|line| line.starts_with(COMPRESS)));
    let mut lines: Vec<String> = Vec::new();
    for (nth, line) in words.split('\n').enumerate() {
        let line = if nth == 0 { subject(line, cut, around) } else { told(line, cut, around) };
        let sums = (nth == 0 && is_compression).then(|| with_sums(&line, around)).flatten();
        let line = sums.unwrap_or(line);
        lines.push(line);
    }
    let mut new = lines.join("\n");
    if let Some(trailers) = trailers {
        let mut changed: Vec<String> = trailers.split('\n').map(|line| trailer(line, cut, around)).collect();
        let grows = |line: &str| line.strip_prefix("Trace-Tokens: +").is_some_and(|tokens| tokens != "0");
        if is_compression && !trailers.lines().any(grows) && changed.iter().any(|line| grows(line)) {
            changed.push(format!("{GREW}: grew"));
        }
        new += "\n\n";
        new += &changed.join("\n");
    }
    new += end;
    (new != *text).then(|| new.into_bytes())
}

/// Rewrites the first line, which mostly shows the beginning of an entry.
fn subject(line: &str, cut: &Cut<'_>, around: &Around<'_>) -> String {
    let mut line = line.to_owned();
    for (old, new) in around.previews {
        let old = old.trim_end_matches('…');
        for (at, _) in line.clone().match_indices(": ") {
            let stem = line[at + 2..].trim_end_matches('…');
            if !stem.is_empty() && old.starts_with(stem) {
                line = one_line(&format!("{}: {new}", &line[..at]), SUBJECT_MAX);
                break;
            }
        }
    }
    if around.is_of_entry
        && let Some((what, shown)) = line.split_once(": ")
        && let Some(cut) = cut.whole_line(shown)
    {
        line = format!("{what}: {cut}");
    }
    told(&line, cut, around)
}

/// Puts the sums of a compression right where its first line ends with them: `…, 360 to 326 tokens`.
fn with_sums(line: &str, around: &Around<'_>) -> Option<String> {
    let (rest, after) = line.strip_suffix(" tokens")?.rsplit_once(" to ")?;
    let (rest, before) = rest.rsplit_once(", ")?;
    let (before, after) = (before.parse::<u64>().ok()?, after.parse::<u64>().ok()?);
    let (before, after) = (before.saturating_add_signed(around.before), after.saturating_add_signed(around.after));
    Some(format!("{rest}, {before} to {after} tokens"))
}

/// Rewrites words.
fn told(line: &str, cut: &Cut<'_>, around: &Around<'_>) -> String {
    let line = cut.line(line).unwrap_or_else(|| line.to_owned());
    with_ids(&line, around)
}

/// Gives commits that are named their new names: by whole ids any, by their beginnings the parents.
fn with_ids(line: &str, around: &Around<'_>) -> String {
    let mut out = String::with_capacity(line.len());
    let is_digit = |one: char| one.is_ascii_digit() || ('a'..='f').contains(&one);
    let mut rest = line;
    while let Some(start) = rest.find(is_digit) {
        let (before, from) = rest.split_at(start);
        let length = from.find(|one| !is_digit(one)).unwrap_or(from.len());
        let (word, after) = from.split_at(length);
        out += before;
        let whole = word.parse::<ObjectId>().ok().and_then(|id| (around.renamed)(&id)).map(|id| id.to_string());
        let short = || {
            let is_its = |parent: &&ObjectId| word.len() >= DIGITS && parent.to_string().starts_with(word);
            let parent = around.parents.iter().find(is_its)?;
            Some((around.renamed)(parent)?.short(word.len()))
        };
        out += &whole.or_else(short).unwrap_or_else(|| word.to_owned());
        rest = after;
    }
    out + rest
}

fn trailer(line: &str, cut: &Cut<'_>, around: &Around<'_>) -> String {
    let Some((name, value)) = line.split_once(": ") else { return told(line, cut, around) };
    match name {
        "Trace-Entry" => {
            let words: Vec<String> = value.split(' ').map(|word| field(word, cut)).collect();
            format!("{name}: {}", words.join(" "))
        }
        "Trace-Tokens" => match value.parse::<i64>() {
            Ok(tokens) => format!("{name}: {:+}", tokens + around.after - around.before),
            Err(_) => line.to_owned(),
        },
        "Trace-Total" => match value.parse::<u64>() {
            Ok(total) => format!("{name}: {}", total.saturating_add_signed(around.after)),
            Err(_) => line.to_owned(),
        },
        "Trace-Compress" => {
            let moved = |word: &str| {
                let (key, number) = word.split_once('=')?;
                let by = [("before", around.before), ("after", around.after)]
                    .into_iter()
                    .find(|(known, _)| *known == key)?
                    .1;
                Some(format!("{key}={}", number.parse::<u64>().ok()?.saturating_add_signed(by)))
            };
            let words: Vec<String> =
                value.split(' ').map(|word| moved(word).unwrap_or_else(|| word.to_owned())).collect();
            format!("{name}: {}", words.join(" "))
        }
        fixed if FIXED.contains(&fixed) => line.to_owned(),
        _ => format!("{name}: {}", told(value, cut, around)),
    }
}

/// Rewrites a fact about an entry.
fn field(word: &str, cut: &Cut<'_>) -> String {
    let Some((name, value)) = word.split_once('=') else { return word.to_owned() };
    let plain = unescape_field(value);
    let new = if name == "call" { cut.id(&plain) } else { cut.line(&plain) };
    new.map_or_else(|| word.to_owned(), |new| format!("{name}={}", escape_field(&new)))
}
