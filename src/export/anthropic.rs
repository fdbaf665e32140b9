//! The parameters `system` and `messages` of Anthropic's Messages API.
//!
//! Source of the shapes: the types `MessageParam` and `TextBlockParam` of Anthropic's Python library, 2.11.

use std::io::{self, Write};

use super::loss::is_object;
use super::part::{Answer, Content, Element, File, Image, Input, Part};
use super::plan::{Group, Plan, Speech};
use super::words::{Words, write_string};
use crate::model::Role;

/// Stands before a context in which the model speaks first, where the user asked for it.
const PAD: &str = "(the context begins here)";

/// Writes the document and returns the number of messages.
pub(super) fn write(plan: &Plan<'_>, pad: bool, out: &mut dyn Write) -> io::Result<usize> {
    out.write_all(b"{")?;
    if !plan.system.is_empty() {
        out.write_all(b"\"system\":[")?;
        let parts = plan.system.iter().flat_map(|speech| &speech.elements).flat_map(|element| &element.parts);
        blocks(parts, out)?;
        out.write_all(b"],\n")?;
    }
    out.write_all(b"\"messages\":[")?;
    let mut messages = 0;
    if pad && plan.groups.first().is_some_and(|group| group.is_assistant) {
        out.write_all(b"\n{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":")?;
        write_string(PAD, out)?;
        out.write_all(b"}]}")?;
        messages += 1;
    }
    for group in &plan.groups {
        out.write_all(if messages == 0 { b"\n" } else { b",\n" })?;
        message(group, out)?;
        messages += 1;
    }
    out.write_all(b"\n]}\n")?;
    Ok(messages)
}

/// Writes one message: results first, then everything else in order.
fn message(group: &Group<'_>, out: &mut dyn Write) -> io::Result<()> {
    let role = if group.is_assistant { "assistant" } else { "user" };
    write!(out, "{{\"role\":\"{role}\",\"content\":[")?;
    blocks(group.results.iter().flat_map(|(_, element)| &element.parts), out)?;
    let mut first = group.results.is_empty();
    for Speech { entry, elements, .. } in &group.speeches {
        for part in elements.iter().flat_map(|Element { parts, .. }| parts) {
            if !std::mem::take(&mut first) {
                out.write_all(b",")?;
            }
            match part.content {
                Content::Text(words) if entry.role == Role::System => reminder(words, out)?,
                _ => block(part, out)?,
            }
        }
    }
    out.write_all(b"]}")
}

fn blocks<'p, 'a: 'p>(parts: impl Iterator<Item = &'p Part<'a>>, out: &mut dyn Write) -> io::Result<()> {
    for (place, part) in parts.enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        block(part, out)?;
    }
    Ok(())
}

/// Writes an instruction that came after the first message: there is no other place that every model has.
fn reminder(words: Words<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{\"type\":\"text\",\"text\":\"<system-reminder>\\n")?;
    words.write_inner(out)?;
    out.write_all(b"\\n</system-reminder>\"}")
}

/// Writes a block: its own bytes where it is one, else one made of what it says.
fn block(part: &Part<'_>, out: &mut dyn Write) -> io::Result<()> {
    if let Some(raw) = part.block {
        return out.write_all(raw.get().as_bytes());
    }
    match &part.content {
        Content::Text(words) => {
            out.write_all(b"{\"type\":\"text\",\"text\":")?;
            words.write_string(out)?;
        }
        Content::Call(call) => {
            out.write_all(b"{\"type\":\"tool_use\",\"id\":")?;
            write_string(&call.id, out)?;
            out.write_all(b",\"name\":")?;
            call.name.write_string(out)?;
            out.write_all(b",\"input\":")?;
            input(call.input, out)?;
        }
        Content::Result(answer) => result(answer, out)?,
        Content::Image(image) => {
            out.write_all(b"{\"type\":\"image\",\"source\":")?;
            match image {
                Image::Data { media, data } => base64_source(*media, *data, out)?,
                Image::Url(url) => url_source(*url, out)?,
            }
        }
        Content::File(file) => document(*file, out)?,
        // What is not a block of this API is not in the plan.
        Content::Thinking { .. } | Content::Redacted | Content::Reasoning { .. } | Content::Other(_) => {
            return Err(io::Error::other("a part without a source in the plan"));
        }
    }
    out.write_all(b"}")
}

/// Writes a result but for its closing brace.
fn result(answer: &Answer<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{\"type\":\"tool_result\",\"tool_use_id\":")?;
    write_string(&answer.call, out)?;
    out.write_all(b",\"content\":")?;
    let said: Vec<&Part<'_>> = answer.content.iter().filter(|part| !part.content.is_blank_text()).collect();
    match said[..] {
        [] => out.write_all(b"\"\"")?,
        [Part { content: Content::Text(words), .. }] => words.write_string(out)?,
        _ => {
            out.write_all(b"[")?;
            blocks(said.into_iter(), out)?;
            out.write_all(b"]")?;
        }
    }
    if answer.error {
        out.write_all(b",\"is_error\":true")?;
    }
    Ok(())
}

/// Writes what a tool was called with; this API takes objects only.
fn input(input: Input<'_>, out: &mut dyn Write) -> io::Result<()> {
    match input {
        Input::Json(value) if value.get().starts_with('{') => out.write_all(value.get().as_bytes()),
        Input::Json(value) => {
            out.write_all(b"{\"input\":")?;
            out.write_all(value.get().as_bytes())?;
            out.write_all(b"}")
        }
        Input::Arguments(words) if is_object(&words.text()) => {
            let text = words.text();
            let text = text.trim();
            out.write_all(if text.is_empty() { b"{}" } else { text.as_bytes() })
        }
        Input::Arguments(words) | Input::Free(words) => {
            out.write_all(b"{\"input\":")?;
            words.write_string(out)?;
            out.write_all(b"}")
        }
    }
}

/// Writes a document but for its closing brace.
fn document(file: File<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{\"type\":\"document\",\"source\":")?;
    match file {
        File::Data { media, data, name } => {
            base64_source(media, data, out)?;
            if let Some(name) = name {
                out.write_all(b",\"title\":")?;
                name.write_string(out)?;
            }
            Ok(())
        }
        File::Text(words) => {
            out.write_all(b"{\"type\":\"text\",\"media_type\":\"text/plain\",\"data\":")?;
            words.write_string(out)?;
            out.write_all(b"}")
        }
        File::Url(url) => url_source(url, out),
    }
}

fn base64_source(media: Words<'_>, data: Words<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{\"type\":\"base64\",\"media_type\":")?;
    media.write_string(out)?;
    out.write_all(b",\"data\":")?;
    data.write_string(out)?;
    out.write_all(b"}")
}

fn url_source(url: Words<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{\"type\":\"url\",\"url\":")?;
    url.write_string(out)?;
    out.write_all(b"}")
}
