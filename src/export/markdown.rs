//! A context as a Markdown page.
//!
//! What the entries say is hostile: it must not become HTML, and must not swallow what comes after it. Text keeps its
//! own Markdown where that is safe to tell (see [`prose`]), and stands in a fence where it is not; what tools were
//! given and what they gave back always stands in a fence that is longer than anything in it.

use std::io::{self, Write};

use super::part::{Content, Element, File, Input};
use super::read::read;
use super::text::{cost, label, shown_input};
use crate::model::{BodyKind, Item};

/// Writes one entry: a heading, then what it says.
pub(super) fn write(item: &Item, out: &mut dyn Write) -> io::Result<()> {
    let entry = &item.entry;
    writeln!(out, "## {} {}\n", entry.position, word(entry.role.name()))?;
    writeln!(out, "{}, {}\n", code(entry.id.as_str()), cost(entry))?;
    match read(&entry.kind, &item.body) {
        Ok(elements) => elements.iter().try_for_each(|element| say(element, out)),
        Err(_) => match &entry.kind {
            BodyKind::Other(ending) => writeln!(out, "{}\n", code(&format!("{ending} body"))),
            _ => fence("", &String::from_utf8_lossy(&item.body), out),
        },
    }
}

fn say(element: &Element<'_>, out: &mut dyn Write) -> io::Result<()> {
    for part in &element.parts {
        match &part.content {
            Content::Text(words) => prose(&words.text(), out)?,
            Content::Thinking { words, .. } => {
                out.write_all(b"**thinking**\n\n")?;
                prose(&words.text(), out)?;
            }
            Content::Redacted => out.write_all(b"**thinking**, redacted\n\n")?,
            Content::Reasoning { words, .. } => {
                out.write_all(b"**thinking**\n\n")?;
                words.iter().try_for_each(|words| prose(&words.text(), out))?;
            }
            Content::Call(call) => {
                writeln!(out, "**call** {} {}\n", code(&call.name.text()), code(&call.id))?;
                let language = if matches!(call.input, Input::Free(_)) { "" } else { "json" };
                fence(language, &shown_input(call.input), out)?;
            }
            Content::Result(answer) => {
                let mark = if answer.error { ", an error" } else { "" };
                writeln!(out, "**result** of {}{mark}\n", code(&answer.call))?;
                for piece in &answer.content {
                    match &piece.content {
                        Content::Text(words) | Content::File(File::Text(words)) => fence("", &words.text(), out)?,
                        content => writeln!(out, "{}\n", code(&label(content)))?,
                    }
                }
            }
            Content::File(File::Text(words)) => fence("", &words.text(), out)?,
            content => writeln!(out, "{}\n", code(&label(content)))?,
        }
    }
    Ok(())
}

/// Writes text with its own Markdown, every `<` outside its fences as `&lt;`.
///
/// Where a fence is not plainly one (it is indented, or stands in a list or a quotation, or a lone carriage return
/// hides it), readers of Markdown differ on where it ends; then the whole text goes into a fence of ours.
fn prose(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let unix = text.replace("\r\n", "\n");
    if unix.contains('\r') || unix.lines().any(hides_fence) {
        return fence("", text, out);
    }
    let mut open: Option<&str> = None;
    for line in unix.lines() {
        let run = fence_run(line);
        match open {
            None if !run.is_empty() => open = Some(run),
            None => {
                writeln!(out, "{}", inline(line))?;
                continue;
            }
            // The same character, at least as many, and nothing behind it.
            Some(opening) if run.starts_with(opening) && line[run.len()..].trim().is_empty() => open = None,
            Some(_) => {}
        }
        writeln!(out, "{line}")?;
    }
    if let Some(opening) = open {
        writeln!(out, "{opening}")?;
    }
    out.write_all(b"\n")
}

/// Returns the run of at least three backticks or tildes at the start of a line; empty where there is none.
fn fence_run(line: &str) -> &str {
    let first = line.chars().next().filter(|first| matches!(first, '`' | '~'));
    let Some(first) = first else { return "" };
    let rest = line.trim_start_matches(first);
    let run = &line[..line.len() - rest.len()];
    if run.len() >= 3 { run } else { "" }
}

/// Tells whether a line has a fence elsewhere than at its start, or one that may be no fence.
fn hides_fence(line: &str) -> bool {
    let rest = &line[fence_run(line).len()..];
    rest.contains("```") || rest.contains("~~~") || (line.starts_with("```") && rest.contains('`'))
}

/// Writes text in a fence that nothing in it can close.
fn fence(language: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let marks = "`".repeat(longest_run(text).max(2) + 1);
    writeln!(out, "{marks}{language}")?;
    out.write_all(text.as_bytes())?;
    if !text.is_empty() && !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    writeln!(out, "{marks}\n")
}

/// Returns text as a code span on one line.
fn code(text: &str) -> String {
    let line: String = text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    let marks = "`".repeat(longest_run(&line) + 1);
    // A blank on each side keeps a backtick at the edge apart from the marks; readers take both away again.
    let pad = if line.starts_with(['`', ' ']) || line.ends_with(['`', ' ']) || line.is_empty() { " " } else { "" };
    format!("{marks}{pad}{line}{pad}{marks}")
}

/// Returns a word that a newer version may have written; a known one needs no marks.
fn word(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) { text.to_owned() } else { code(text) }
}

/// Returns a line that cannot begin HTML.
fn inline(line: &str) -> String {
    line.replace('<', "&lt;")
}

/// Counts the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|one| one != '`').map(str::len).max().unwrap_or(0)
}
