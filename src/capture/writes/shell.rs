//! Shell scripts that write files with a heredoc.

use super::patch;
use super::tool::Sink;
use crate::model::FileChange;

/// Most lines of a script that are looked at.
const LINES_MAX: usize = 200_000;

/// Stands for a heredoc in a command line.
const HERE: &[char] = &['\u{1}'];

/// Reads the heredocs of a script: those that a redirection or `tee` brings to a file, and patches.
pub(super) fn read(script: &str, sink: &mut Sink<'_>) {
    if patch::is_patch(script) && !script.contains("<<") {
        return patch::read(script, sink);
    }
    let given = sink.folder.clone();
    let mut lines = script.lines().take(LINES_MAX);
    while let Some(line) = lines.next() {
        if let Some(folder) = entered(line) {
            sink.folder = Some(below(given.as_deref(), folder));
        }
        let Some(here) = Heredoc::of(line) else { continue };
        let mut text = String::new();
        let mut ended = false;
        for line in lines.by_ref() {
            let line = if here.strips_tabs { line.trim_start_matches('\t') } else { line };
            if line == here.end {
                ended = true;
                break;
            }
            text.push_str(line);
            text.push('\n');
        }
        if !ended {
            return;
        }
        if text.trim_start().starts_with("*** Begin Patch") {
            patch::read(&text, sink);
        } else if let Some((path, appends)) = target(&here.rest) {
            sink.put(&path, if appends { FileChange::Insert(text) } else { FileChange::Whole(text) });
        }
    }
}

/// A heredoc's beginning.
struct Heredoc {
    /// The line that ends it.
    end: String,
    strips_tabs: bool,
    /// The command line, with a mark in its place.
    rest: String,
}

impl Heredoc {
    fn of(line: &str) -> Option<Self> {
        let at = line.find("<<")?;
        let after = &line[at + 2..];
        // `<<<` gives a word, not lines.
        if after.starts_with('<') {
            return None;
        }
        let (strips_tabs, after) = match after.strip_prefix('-') {
            Some(after) => (true, after),
            None => (false, after),
        };
        let after = after.trim_start();
        let quote = after.chars().next().filter(|first| matches!(first, '\'' | '"'));
        let (end, behind) = match quote {
            Some(quote) => after[1..].split_once(quote)?,
            None => {
                let after = after.strip_prefix('\\').unwrap_or(after);
                let word = |one: char| !(one.is_alphanumeric() || "_-.+!".contains(one));
                after.split_at(after.find(word).unwrap_or(after.len()))
            }
        };
        let rest = format!("{}{}{behind}", &line[..at], HERE[0]);
        (!end.is_empty()).then(|| Heredoc { end: end.to_owned(), strips_tabs, rest })
    }
}

/// Returns the folder that a command line goes to first: `cd <folder> && …`, or `cd <folder>` alone.
fn entered(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("cd ")?.trim_start();
    let end = rest.find([';', '&', '|']).unwrap_or(rest.len());
    plain_word(rest[..end].trim())
}

fn below(folder: Option<&str>, path: &str) -> String {
    match folder {
        Some(folder) if !path.starts_with(['/', '~']) => format!("{folder}/{path}"),
        _ => path.to_owned(),
    }
}

/// Finds the file that `cat` or `tee` writes its input to, and whether it is added there: what any other command is
/// given is not what it writes.
fn target(line: &str) -> Option<(String, bool)> {
    // The command that has the heredoc, among those of the line.
    let mark = unquoted(line, HERE).next()?;
    let start = unquoted(&line[..mark], &['|', ';', '&', '(']).last().map_or(0, |at| at + 1);
    let end = unquoted(&line[mark..], &['|', ';', '&', ')']).next().map_or(line.len(), |at| mark + at);
    let piped = line[end..].strip_prefix('|').filter(|rest| !rest.starts_with('|'));
    let command = line[start..end].replace(HERE[0], " ");
    let verb = command.split_whitespace().next().unwrap_or_default();
    let is_redirected = unquoted(&command, &['>']).next().is_some();
    match (verb, piped) {
        ("cat", Some(next)) if !is_redirected && command.trim() == "cat" => into_file(next, "tee"),
        ("cat" | "tee", None) => into_file(&command, verb),
        _ => None,
    }
}

/// Returns the places of these characters that stand in no quotes.
fn unquoted<'t>(text: &'t str, wanted: &'t [char]) -> impl Iterator<Item = usize> + 't {
    let (mut quote, mut is_escaped) = (None, false);
    text.char_indices().filter_map(move |(at, one)| {
        if std::mem::take(&mut is_escaped) {
            return None;
        }
        match quote {
            Some(open) => {
                quote = (one != open).then_some(open);
                None
            }
            None if one == '\\' => {
                is_escaped = true;
                None
            }
            None if matches!(one, '\'' | '"') => {
                quote = Some(one);
                None
            }
            None => wanted.contains(&one).then_some(at),
        }
    })
}

/// Reads a command of this name that writes its input to a file.
fn into_file(command: &str, verb: &str) -> Option<(String, bool)> {
    let command = command.trim();
    let given = command.strip_prefix(verb).filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '>']))?;
    if verb == "cat" {
        // What it reads from files comes before, or in the place of, what it is given.
        let at = unquoted(given, &['>']).next().filter(|at| matches!(given[..*at].trim(), "" | "-" | "1"))?;
        let command = given;
        let is_number = command[..at].ends_with(|before: char| before.is_ascii_digit() && before != '1');
        let rest = &command[at + 1..];
        let (appends, rest) = match rest.strip_prefix('>') {
            Some(rest) => (true, rest),
            None => (false, rest.strip_prefix('|').unwrap_or(rest)),
        };
        if is_number || rest.starts_with('&') {
            return None;
        }
        return Some((word(rest)?, appends));
    }
    let mut rest = given.trim_start();
    let mut appends = false;
    while let Some(after) = rest.strip_prefix("-a").or_else(|| rest.strip_prefix("--append")) {
        (appends, rest) = (true, after.trim_start());
    }
    Some((word(rest)?, appends))
}

/// Reads the first word, without its quotes; one that the shell would expand is none.
fn word(text: &str) -> Option<String> {
    let text = text.trim_start();
    let quoted = ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.split_once(*quote));
    let word = match quoted {
        Some((word, _)) => word,
        None => text.split([' ', '\t', ';', '&', '|', ')']).next().unwrap_or_default(),
    };
    plain_word(word).map(str::to_owned)
}

fn plain_word(word: &str) -> Option<&str> {
    let word = ['\'', '"'].iter().find_map(|quote| word.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(word);
    (!word.is_empty() && !word.contains(['$', '`', '*', '?']) && !word.starts_with("/dev/")).then_some(word)
}
