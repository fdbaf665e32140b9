//! The parameter `messages` of OpenAI's Chat Completions API.
//!
//! Source of the shapes: the type `ChatCompletionMessageParam` of OpenAI's Python library, 3.52.

use std::io::{self, Write};

use super::loss::is_medium;
use super::part::{Answer, Call, Content, Element, File, Image, Input, Part};
use super::plan::{Group, Plan, Speech};
use super::words::{Words, write_string};
use crate::model::Role;

/// Writes the document and returns the number of messages.
pub(super) fn write(plan: &Plan<'_>, out: &mut dyn Write) -> io::Result<usize> {
    out.write_all(b"{\"messages\":[")?;
    let mut messages = Messages { out, count: 0 };
    for speech in &plan.system {
        messages.speech("system", speech)?;
    }
    for group in &plan.groups {
        if group.is_assistant {
            messages.assistant(group)?;
        } else {
            messages.user(group)?;
        }
    }
    let count = messages.count;
    out.write_all(b"\n]}\n")?;
    Ok(count)
}

/// Writes messages and the commas between them.
struct Messages<'o> {
    out: &'o mut dyn Write,
    count: usize,
}

impl Messages<'_> {
    /// Begins a message and returns where it goes.
    fn next(&mut self) -> io::Result<&mut dyn Write> {
        self.out.write_all(if self.count == 0 { b"\n" } else { b",\n" })?;
        self.count += 1;
        Ok(self.out)
    }

    fn whole(&mut self, source: &str) -> io::Result<()> {
        self.next()?.write_all(source.as_bytes())
    }

    /// Writes what the model said: a message per entry, but one message from the first call on, because the results
    /// must stand directly behind the calls.
    fn assistant(&mut self, group: &Group<'_>) -> io::Result<()> {
        let has_calls = |speech: &Speech<'_>| speech.calls().next().is_some();
        let split = group.speeches.iter().position(has_calls).unwrap_or(group.speeches.len());
        let (plain, calling) = group.speeches.split_at(split);
        for speech in plain {
            self.speech("assistant", speech)?;
        }
        let elements: Vec<&Element<'_>> = calling.iter().flat_map(|speech| &speech.elements).collect();
        match elements[..] {
            [] => return Ok(()),
            [only] => {
                if let Some(source) = only.whole() {
                    return self.whole(source);
                }
            }
            _ => {}
        }
        let parts: Vec<&Part<'_>> = elements.into_iter().flat_map(|element| &element.parts).collect();
        assembled("assistant", &parts, self.next()?)
    }

    /// Writes the results, then what stands behind them, a message per entry.
    fn user(&mut self, group: &Group<'_>) -> io::Result<()> {
        let mut media: Vec<&Part<'_>> = Vec::new();
        for (_, element) in &group.results {
            if let Some(source) = element.whole() {
                self.whole(source)?;
                continue;
            }
            for part in &element.parts {
                if let Content::Result(answer) = &part.content {
                    tool(answer, self.next()?)?;
                    media.extend(answer.content.iter().filter(|part| is_medium(&part.content)));
                }
            }
        }
        if !media.is_empty() {
            assembled("user", &media, self.next()?)?;
        }
        for speech in &group.speeches {
            self.speech(if speech.entry.role == Role::System { "system" } else { "user" }, speech)?;
        }
        Ok(())
    }

    /// Writes an entry: messages that it holds as they are, everything else as one message.
    fn speech(&mut self, role: &str, speech: &Speech<'_>) -> io::Result<()> {
        let mut loose: Vec<&Part<'_>> = Vec::new();
        for element in &speech.elements {
            match element.whole() {
                Some(source) => {
                    if !loose.is_empty() {
                        assembled(role, &std::mem::take(&mut loose), self.next()?)?;
                    }
                    self.whole(source)?;
                }
                None => loose.extend(&element.parts),
            }
        }
        if loose.is_empty() { Ok(()) } else { assembled(role, &loose, self.next()?) }
    }
}

/// Writes a message made of parts.
fn assembled(role: &str, parts: &[&Part<'_>], out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"role\":\"{role}\",\"content\":")?;
    let is_content = |part: &&&Part<'_>| !matches!(part.content, Content::Call(_) | Content::Reasoning { .. });
    let content: Vec<&Part<'_>> = parts.iter().filter(is_content).copied().collect();
    match content[..] {
        [] => out.write_all(b"null")?,
        [Part { content: Content::Text(words), .. }] => words.write_string(out)?,
        _ => separated(b"[", &content, out, part)?,
    }
    let thoughts = parts.iter().filter_map(|part| match &part.content {
        Content::Reasoning { words, .. } => Some(words),
        _ => None,
    });
    for (place, words) in thoughts.flatten().enumerate() {
        out.write_all(if place == 0 { b",\"reasoning_content\":\"" } else { b"\\n\\n" })?;
        words.write_inner(out)?;
    }
    if parts.iter().any(|part| matches!(part.content, Content::Reasoning { .. })) {
        out.write_all(b"\"")?;
    }
    let calls: Vec<&Call<'_>> = parts
        .iter()
        .filter_map(|part| match &part.content {
            Content::Call(call) => Some(call),
            _ => None,
        })
        .collect();
    if !calls.is_empty() {
        separated(b",\"tool_calls\":[", &calls, out, call)?;
    }
    out.write_all(b"}")
}

/// Writes a list and its closing bracket.
fn separated<T>(
    opening: &[u8],
    list: &[&T],
    out: &mut dyn Write,
    write: fn(&T, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(opening)?;
    for (place, one) in list.iter().enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        write(one, out)?;
    }
    out.write_all(b"]")
}

/// Writes an element of `tool_calls`.
fn call(call: &Call<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{\"id\":")?;
    write_string(&call.id, out)?;
    let is_free = matches!(call.input, Input::Free(_));
    out.write_all(if is_free { b",\"type\":\"custom\",\"custom\":" } else { b",\"type\":\"function\",\"function\":" })?;
    out.write_all(b"{\"name\":")?;
    call.name.write_string(out)?;
    out.write_all(if is_free { b",\"input\":" } else { b",\"arguments\":" })?;
    arguments(call.input, out)?;
    out.write_all(b"}}")
}

/// Writes what a tool was called with as the string that OpenAI's formats want: the source of the JSON, unchanged.
pub(super) fn arguments(input: Input<'_>, out: &mut dyn Write) -> io::Result<()> {
    match input {
        Input::Json(value) => write_string(value.get(), out),
        Input::Arguments(words) | Input::Free(words) => words.write_string(out),
    }
}

/// Writes a tool message: text only, the API allows no more.
fn tool(answer: &Answer<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{\"role\":\"tool\",\"tool_call_id\":")?;
    write_string(&answer.call, out)?;
    out.write_all(b",\"content\":")?;
    let texts: Vec<&Part<'_>> = answer.content.iter().filter(|part| !is_medium(&part.content)).collect();
    match texts[..] {
        [] => out.write_all(b"\"\"")?,
        [Part { content: Content::Text(words) | Content::File(File::Text(words)), .. }] => words.write_string(out)?,
        _ => separated(b"[", &texts, out, part)?,
    }
    out.write_all(b"}")
}

/// Writes a content part.
fn part(part: &Part<'_>, out: &mut dyn Write) -> io::Result<()> {
    match &part.content {
        Content::Text(words) | Content::File(File::Text(words)) => {
            out.write_all(b"{\"type\":\"text\",\"text\":")?;
            words.write_string(out)?;
            out.write_all(b"}")
        }
        Content::Image(image) => {
            out.write_all(b"{\"type\":\"image_url\",\"image_url\":{\"url\":")?;
            image_url(*image, out)?;
            out.write_all(b"}}")
        }
        Content::File(File::Data { media, data, name }) => {
            out.write_all(b"{\"type\":\"file\",\"file\":{\"filename\":")?;
            name.unwrap_or(Words::Quoted("document.pdf")).write_string(out)?;
            out.write_all(b",\"file_data\":")?;
            data_url(*media, *data, out)?;
            out.write_all(b"}}")
        }
        // What has no place in a chat message is not in the plan.
        _ => Err(io::Error::other("a part without a place in the plan")),
    }
}

/// Writes the address of a picture, which may hold the picture itself.
pub(super) fn image_url(image: Image<'_>, out: &mut dyn Write) -> io::Result<()> {
    match image {
        Image::Url(url) => url.write_string(out),
        Image::Data { media, data } => data_url(media, data, out),
    }
}

/// Writes bytes as a `data:` URL (RFC 2397).
pub(super) fn data_url(media: Words<'_>, data: Words<'_>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"\"data:")?;
    media.write_inner(out)?;
    out.write_all(b";base64,")?;
    data.write_inner(out)?;
    out.write_all(b"\"")
}
