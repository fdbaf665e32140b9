//! The parameters `instructions` and `input` of OpenAI's Responses API.
//!
//! Source of the shapes: the type `ResponseInputItemParam` of OpenAI's Python library, 3.52.

use std::collections::HashSet;
use std::io::{self, Write};

use super::chat::{arguments, data_url, image_url};
use super::part::{Answer, Content, Element, File, Input, Part};
use super::plan::{Plan, Speech};
use super::words::{Words, write_string};
use crate::model::Role;

/// Writes the document and returns the number of items.
pub(super) fn write(plan: &Plan<'_>, out: &mut dyn Write) -> io::Result<usize> {
    out.write_all(b"{")?;
    if !plan.system.is_empty() {
        out.write_all(b"\"instructions\":\"")?;
        let parts = plan.system.iter().flat_map(|speech| &speech.elements).flat_map(|element| &element.parts);
        let texts = parts.filter_map(|part| match part.content {
            Content::Text(words) => Some(words),
            _ => None,
        });
        for (place, words) in texts.enumerate() {
            if place > 0 {
                out.write_all(b"\\n\\n")?;
            }
            words.write_inner(out)?;
        }
        out.write_all(b"\",\n")?;
    }
    out.write_all(b"\"input\":[")?;
    let mut items = Items { out, count: 0, custom: HashSet::new() };
    for group in &plan.groups {
        for (_, element) in &group.results {
            items.element("user", element)?;
        }
        for speech in &group.speeches {
            items.speech(speech)?;
        }
    }
    let count = items.count;
    out.write_all(b"\n]}\n")?;
    Ok(count)
}

/// Writes items and the commas between them.
struct Items<'o> {
    out: &'o mut dyn Write,
    count: usize,
    /// Calls of custom tools: their results are of another type.
    custom: HashSet<String>,
}

impl Items<'_> {
    /// Begins an item and returns where it goes.
    fn next(&mut self) -> io::Result<&mut dyn Write> {
        self.out.write_all(if self.count == 0 { b"\n" } else { b",\n" })?;
        self.count += 1;
        Ok(self.out)
    }

    /// Writes an entry: the user's as one message, the model's in the order in which it said and did things.
    fn speech(&mut self, speech: &Speech<'_>) -> io::Result<()> {
        let role = match speech.entry.role {
            Role::Assistant => "assistant",
            Role::System => "system",
            _ => "user",
        };
        let mut loose: Vec<&Part<'_>> = Vec::new();
        for element in &speech.elements {
            if element.whole().is_none() && role != "assistant" {
                loose.extend(&element.parts);
                continue;
            }
            if !loose.is_empty() {
                message(role, &std::mem::take(&mut loose), self.next()?)?;
            }
            self.element(role, element)?;
        }
        if loose.is_empty() { Ok(()) } else { message(role, &loose, self.next()?) }
    }

    fn element(&mut self, role: &str, element: &Element<'_>) -> io::Result<()> {
        for part in &element.parts {
            if let Content::Call(call) = &part.content
                && matches!(call.input, Input::Free(_))
            {
                self.custom.insert(call.id.to_string());
            }
        }
        if let Some(source) = element.whole() {
            return self.next()?.write_all(source.as_bytes());
        }
        for part in &element.parts {
            match &part.content {
                Content::Call(call) => {
                    let is_free = matches!(call.input, Input::Free(_));
                    let out = self.next()?;
                    let kind = if is_free { "custom_tool_call" } else { "function_call" };
                    write!(out, "{{\"type\":\"{kind}\",\"call_id\":")?;
                    write_string(&call.id, out)?;
                    out.write_all(b",\"name\":")?;
                    call.name.write_string(out)?;
                    out.write_all(if is_free { b",\"input\":" } else { b",\"arguments\":" })?;
                    arguments(call.input, out)?;
                    out.write_all(b"}")?;
                }
                Content::Result(answer) => {
                    let is_free = self.custom.contains(&*answer.call);
                    output(answer, is_free, self.next()?)?;
                }
                _ => message(role, &[part], self.next()?)?,
            }
        }
        Ok(())
    }
}

/// Writes a message; the model's are one text each, as its list form would need an id that only the provider gives.
fn message(role: &str, parts: &[&Part<'_>], out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"type\":\"message\",\"role\":\"{role}\",\"content\":")?;
    contents(parts, out)?;
    out.write_all(b"}")
}

/// Writes the result of a call.
fn output(answer: &Answer<'_>, is_free: bool, out: &mut dyn Write) -> io::Result<()> {
    let kind = if is_free { "custom_tool_call_output" } else { "function_call_output" };
    write!(out, "{{\"type\":\"{kind}\",\"call_id\":")?;
    write_string(&answer.call, out)?;
    out.write_all(b",\"output\":")?;
    contents(&answer.content.iter().collect::<Vec<_>>(), out)?;
    out.write_all(b"}")
}

/// Writes a string where there is one text, else a list of content parts.
fn contents(parts: &[&Part<'_>], out: &mut dyn Write) -> io::Result<()> {
    match parts {
        [] => return out.write_all(b"\"\""),
        [Part { content: Content::Text(words) | Content::File(File::Text(words)), .. }] => {
            return words.write_string(out);
        }
        _ => {}
    }
    for (place, part) in parts.iter().enumerate() {
        out.write_all(if place == 0 { b"[" } else { b"," })?;
        match &part.content {
            Content::Text(words) | Content::File(File::Text(words)) => {
                out.write_all(b"{\"type\":\"input_text\",\"text\":")?;
                words.write_string(out)?;
            }
            Content::Image(image) => {
                out.write_all(b"{\"type\":\"input_image\",\"detail\":\"auto\",\"image_url\":")?;
                image_url(*image, out)?;
            }
            Content::File(File::Data { media, data, name }) => {
                out.write_all(b"{\"type\":\"input_file\",\"filename\":")?;
                name.unwrap_or(Words::Quoted("document.pdf")).write_string(out)?;
                out.write_all(b",\"file_data\":")?;
                data_url(*media, *data, out)?;
            }
            Content::File(File::Url(url)) => {
                out.write_all(b"{\"type\":\"input_file\",\"file_url\":")?;
                url.write_string(out)?;
            }
            // What has no place in an item is not in the plan.
            _ => return Err(io::Error::other("a part without a place in the plan")),
        }
        out.write_all(b"}")?;
    }
    out.write_all(b"]")
}
