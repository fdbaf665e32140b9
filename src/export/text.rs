//! A context as people read it in a terminal or a file.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::json_source::pretty;
use super::part::{Content, File, Image, Input, Part, decoded_len};
use super::read::read;
use super::words::Words;
use crate::model::{BodyKind, Entry, Item};

/// Writes one entry: a header line, an empty line, what it says, an empty line.
///
/// Bytes are written as they are; who prints them on a terminal escapes them.
pub(super) fn write(item: &Item, out: &mut dyn Write) -> io::Result<()> {
    let entry = &item.entry;
    writeln!(out, "entry {} ({} {}, {})\n", entry.id, entry.position, entry.role, cost(entry))?;
    match entry.kind {
        BodyKind::Text => out.write_all(&item.body)?,
        _ => out.write_all(plain_text(&entry.kind, &item.body).as_bytes())?,
    }
    out.write_all(if item.body.ends_with(b"\n") && entry.kind == BodyKind::Text { b"\n" } else { b"\n\n" })
}

/// Says what an entry costs, and whether it is pinned.
pub(super) fn cost(entry: &Entry) -> String {
    let pin = if entry.flags.pin { ", pinned" } else { "" };
    let unit = if entry.tokens == 1 { "token" } else { "tokens" };
    format!("{} {unit}{pin}", thousands(entry.tokens))
}

/// Returns what a body says, for people: text as it is, everything else named in brackets.
///
/// Thinking, calls of tools, results, pictures and documents are marked; the input of a call is shown as indented
/// JSON. A body that cannot be read as its kind says is returned as it is. Bytes that are no UTF-8 become U+FFFD.
/// Control characters stay: who prints the text on a terminal escapes them.
///
/// ```
/// use git_trace::{export::plain_text, model::BodyKind};
///
/// let body = br#"[{"type":"text","text":"Look:"},{"type":"tool_use","id":"t1","name":"ls","input":{"path":"."}}]"#;
/// assert_eq!(plain_text(&BodyKind::Json, body), "Look:\n\n[call ls t1]\n{\n  \"path\": \".\"\n}");
/// ```
pub fn plain_text(kind: &BodyKind, body: &[u8]) -> String {
    if let BodyKind::Other(ending) = kind {
        return format!("[{} {}]", ending, size(body.len()));
    }
    let Ok(elements) = read(kind, body) else {
        return String::from_utf8_lossy(body).into_owned();
    };
    let mut out = String::new();
    for part in elements.iter().flat_map(|element| &element.parts) {
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        add(part, &mut out);
    }
    out
}

/// Adds one part; parts of a result follow its line.
fn add(part: &Part<'_>, out: &mut String) {
    match &part.content {
        Content::Text(words) => out.push_str(&words.text()),
        Content::Thinking { words, .. } => {
            out.push_str("[thinking] ");
            out.push_str(&words.text());
        }
        Content::Redacted => out.push_str("[thinking, redacted]"),
        Content::Reasoning { words, .. } if words.is_empty() => out.push_str("[thinking, sealed]"),
        Content::Reasoning { words, .. } => {
            out.push_str("[thinking]");
            words.iter().for_each(|words| {
                out.push(' ');
                out.push_str(&words.text());
            });
        }
        Content::Call(call) => {
            // Writing to a string cannot fail.
            let _ = write!(out, "[call {} {}]\n{}", call.name.text(), call.id, shown_input(call.input));
        }
        Content::Result(answer) => {
            let mark = if answer.error { ", an error" } else { "" };
            let _ = write!(out, "[result of {}{mark}]", answer.call);
            for piece in &answer.content {
                out.push('\n');
                // A result inside a result is never opened, so this does not go deeper.
                add(piece, out);
            }
        }
        content => out.push_str(&label(content)),
    }
}

/// Names what cannot be shown as text, in brackets.
pub(super) fn label(content: &Content<'_>) -> String {
    match content {
        Content::Image(Image::Data { media, data }) => format!("[image {} {}]", media.text(), size(decoded_len(*data))),
        Content::Image(Image::Url(url)) => format!("[image {}]", url.text()),
        Content::File(File::Data { media, data, .. }) => {
            format!("[document {} {}]", media.text(), size(decoded_len(*data)))
        }
        Content::File(File::Url(url)) => format!("[document {}]", url.text()),
        Content::File(File::Text(words)) => words.text().into_owned(),
        Content::Other(kind) => format!("[{kind}]"),
        _ => String::new(),
    }
}

/// Returns what a tool was called with: JSON in lines, anything else as it is.
pub(super) fn shown_input(input: Input<'_>) -> String {
    match input {
        Input::Json(value) => pretty(value.get()),
        Input::Free(words) => words.text().into_owned(),
        Input::Arguments(words) => arguments(words),
    }
}

/// Returns arguments in lines where they are JSON.
fn arguments(words: Words<'_>) -> String {
    let text = words.text();
    match serde_json::from_str::<&serde_json::value::RawValue>(&text) {
        Ok(value) => pretty(value.get()),
        Err(_) => text.into_owned(),
    }
}

fn size(bytes: usize) -> String {
    let unit = if bytes == 1 { "byte" } else { "bytes" };
    format!("{} {unit}", thousands(bytes as u64))
}

/// Writes a number with a comma between each three digits.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
