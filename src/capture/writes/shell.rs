//! Shell scripts that write files with a heredoc.

use super::patch;
use super::tool::Sink;
use crate::model::FileChange;

/// Most lines of a script that are looked at.
const LINES_MAX: usize = 200_000;

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
    /// The command line without it.
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
        let rest = format!("{} {behind}", &line[..at]);
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

/// Finds the file that a command line writes its input to, and whether it is added there.
fn target(command: &str) -> Option<(String, bool)> {
    // Only the last command of a list has the heredoc in almost all scripts; the first redirection is its own.
    if let Some(at) = command.find('>') {
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
    let at = command.find("tee ")?;
    let mut rest = command[at + 4..].trim_start();
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
