//! From the bytes of a body to its parts.
//!
//! Bodies are hostile: nothing here recurses over the depth of a body, because nested values stay raw (serde_json skips
//! them without recursion), and a result inside a result is not opened.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::part::{Answer, Call, Content, Element, File, Image, Input, Part, Source};
use super::words::Words;
use crate::model::BodyKind;

/// Says what is wrong with a body.
pub(super) type Fault = String;

/// Holds the members of an object that some shape gives a meaning to; all others are skipped.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow)]
    signature: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_use_id: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    is_error: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    title: Option<&'a RawValue>,
    #[serde(borrow)]
    media_type: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    url: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_call_id: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    function: Option<&'a RawValue>,
    #[serde(borrow)]
    custom: Option<&'a RawValue>,
    #[serde(borrow)]
    call_id: Option<&'a RawValue>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    action: Option<&'a RawValue>,
    #[serde(borrow)]
    operation: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    summary: Option<&'a RawValue>,
    #[serde(borrow)]
    encrypted_content: Option<&'a RawValue>,
    #[serde(borrow)]
    image_url: Option<&'a RawValue>,
    #[serde(borrow)]
    file: Option<&'a RawValue>,
    #[serde(borrow)]
    file_data: Option<&'a RawValue>,
    #[serde(borrow)]
    file_url: Option<&'a RawValue>,
    #[serde(borrow)]
    filename: Option<&'a RawValue>,
}

/// Says in whose message a content part is valid as it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Anthropic,
    Chat,
    Responses,
    /// `{"type":"text"}`: Anthropic's and chat's.
    Shared,
}

/// Reads a body.
pub(super) fn read<'a>(kind: &BodyKind, body: &'a [u8]) -> Result<Vec<Element<'a>>, Fault> {
    match kind {
        BodyKind::Text => Ok(vec![Element::loose(Content::Text(Words::Plain(body)))]),
        BodyKind::Json => {
            let value: &RawValue = serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}"))?;
            match value.get().as_bytes().first() {
                Some(b'"') => Ok(vec![element(value)?]),
                Some(b'{') => Ok(vec![element(value)?]),
                Some(b'[') => list(value)?.into_iter().map(element).collect(),
                _ => Err("neither a string nor an object nor a list".to_owned()),
            }
        }
        BodyKind::Other(ending) => Err(format!("unknown kind of body '{ending}'")),
    }
}

/// Reads a string, an object, or an element of a list.
fn element(raw: &RawValue) -> Result<Element<'_>, Fault> {
    if let Some(words) = Words::from_json(raw) {
        return Ok(Element::loose(Content::Text(words)));
    }
    let fields = object(raw)?;
    let Some(kind) = string(fields.kind, "type")? else {
        let role = string(fields.role, "role")?.ok_or("an object with neither 'type' nor 'role'")?;
        return message(raw, role, &fields, false);
    };
    let kind = kind.text();
    if kind == "message" {
        let role = string(fields.role, "role")?.ok_or("a message without 'role'")?;
        return message(raw, role, &fields, true);
    }
    if let Some(content) = item(&kind, &fields)? {
        return Ok(Element { source: Source::Item { raw, role: None }, parts: vec![Part { block: None, content }] });
    }
    let (part, _) = part(raw, false)?;
    Ok(Element { source: Source::Loose, parts: vec![part] })
}

/// Reads a message object of the Chat Completions or the Responses API, or a whole message of Anthropic's.
fn message<'a>(raw: &'a RawValue, role: Words<'a>, fields: &Fields<'a>, is_item: bool) -> Result<Element<'a>, Fault> {
    let (mut parts, dialects) = contents(fields.content, false)?;
    let native = dialects.iter().all(|dialect| match dialect {
        Dialect::Responses => is_item,
        Dialect::Chat | Dialect::Shared => !is_item,
        Dialect::Anthropic => false,
    });
    if let Some(words) = string(fields.reasoning_content, "reasoning_content")?.filter(|words| !words.is_blank()) {
        let content = Content::Reasoning { words: vec![words], sealed: false };
        parts.insert(0, Part { block: None, content });
    }
    if let Some(words) = string(fields.refusal, "refusal")? {
        parts.push(Part { block: None, content: Content::Text(words) });
    }
    for call in fields.tool_calls.map(list).transpose()?.unwrap_or_default() {
        parts.push(Part { block: None, content: Content::Call(chat_call(call)?) });
    }
    if role.text() == "tool" {
        let call = identity(fields.tool_call_id, "tool_call_id")?;
        parts = vec![Part { block: None, content: Content::Result(Answer { call, content: parts, error: false }) }];
    }
    let source = match (native, is_item) {
        (false, _) => Source::Loose,
        (true, true) => Source::Item { raw, role: Some(role) },
        (true, false) => Source::Chat { raw, role },
    };
    Ok(Element { source, parts })
}

/// Reads an element of `tool_calls`.
fn chat_call(raw: &RawValue) -> Result<Call<'_>, Fault> {
    let fields = object(raw)?;
    let id = identity(fields.id, "id")?;
    if let Some(custom) = fields.custom {
        let custom = object(custom)?;
        let input = Input::Free(required(custom.input, "input")?);
        return Ok(Call { id, name: required(custom.name, "name")?, input });
    }
    let function = object(fields.function.ok_or("a tool call without 'function'")?)?;
    let input = Input::Arguments(required(function.arguments, "arguments")?);
    Ok(Call { id, name: required(function.name, "name")?, input })
}

/// Reads an item of the Responses API other than a message; `None` when the type is none of its.
fn item<'a>(kind: &str, fields: &Fields<'a>) -> Result<Option<Content<'a>>, Fault> {
    if kind == "reasoning" {
        let mut words = Vec::new();
        for value in [fields.summary, fields.content].into_iter().flatten() {
            for piece in list(value)? {
                words.extend(string(object(piece)?.text, "text")?);
            }
        }
        let sealed = string(fields.encrypted_content, "encrypted_content")?.is_some_and(|seal| !seal.is_blank());
        return Ok(Some(Content::Reasoning { words, sealed }));
    }
    let is_call = kind.ends_with("_call") || kind == "program";
    let is_output = kind.ends_with("_output");
    if fields.call_id.is_some() && is_call {
        let id = identity(fields.call_id, "call_id")?;
        let name = match string(fields.name, "name")? {
            Some(name) => name,
            None => Words::Quoted(named_after(fields.kind)),
        };
        let input = match (fields.arguments, fields.input, fields.action.or(fields.operation)) {
            (Some(arguments), ..) => Input::Arguments(required(Some(arguments), "arguments")?),
            (None, Some(input), _) => Input::Free(required(Some(input), "input")?),
            (None, None, Some(action)) => Input::Json(action),
            (None, None, None) => Input::Arguments(Words::Quoted("{}")),
        };
        return Ok(Some(Content::Call(Call { id, name, input })));
    }
    if fields.call_id.is_some() && is_output {
        let call = identity(fields.call_id, "call_id")?;
        let content = match fields.output {
            Some(output) if output.get().starts_with(['"', '[']) => contents(Some(output), true)?.0,
            Some(output) => {
                let words = Words::Plain(output.get().as_bytes());
                vec![Part { block: None, content: Content::Text(words) }]
            }
            None => Vec::new(),
        };
        return Ok(Some(Content::Result(Answer { call, content, error: false })));
    }
    let known = is_call
        || is_output
        || matches!(
            kind,
            "compaction" | "item_reference" | "mcp_list_tools" | "mcp_approval_request" | "mcp_approval_response"
        );
    Ok(known.then(|| Content::Other(Cow::Owned(kind.to_owned()))))
}

/// Names a tool of the provider's own after the type of its call: `local_shell_call` calls `local_shell`.
fn named_after(kind: Option<&RawValue>) -> &str {
    let kind = kind.map_or("", |kind| kind.get().trim_matches('"'));
    kind.strip_suffix("_call").unwrap_or(kind)
}

/// Reads `content` or `output`: a string, or a list of content parts.
fn contents(value: Option<&RawValue>, in_result: bool) -> Result<(Vec<Part<'_>>, Vec<Dialect>), Fault> {
    let Some(value) = value else { return Ok((Vec::new(), Vec::new())) };
    if let Some(words) = Words::from_json(value) {
        return Ok((vec![Part { block: None, content: Content::Text(words) }], Vec::new()));
    }
    let parts: Result<Vec<_>, _> = list(value)?.into_iter().map(|piece| part(piece, in_result)).collect();
    Ok(parts?.into_iter().unzip())
}

/// Reads a content block or content part.
fn part(raw: &RawValue, in_result: bool) -> Result<(Part<'_>, Dialect), Fault> {
    let fields = object(raw)?;
    let kind = required(fields.kind, "type")?.text();
    let (content, dialect) = match &*kind {
        "text" => (Content::Text(required(fields.text, "text")?), Dialect::Shared),
        "input_text" | "output_text" | "summary_text" => {
            (Content::Text(required(fields.text, "text")?), Dialect::Responses)
        }
        // Both of OpenAI's formats have it; to take it for chat's costs nothing but a copy of the text elsewhere.
        "refusal" => (Content::Text(required(fields.refusal, "refusal")?), Dialect::Chat),
        "thinking" => {
            let signed = string(fields.signature, "signature")?.is_some_and(|signature| !signature.is_blank());
            (Content::Thinking { words: required(fields.thinking, "thinking")?, signed }, Dialect::Anthropic)
        }
        "redacted_thinking" => {
            required(fields.data, "data")?;
            (Content::Redacted, Dialect::Anthropic)
        }
        "tool_use" => {
            let input = fields.input.filter(|input| input.get().starts_with('{'));
            let input = Input::Json(input.ok_or("a tool call whose 'input' is not an object")?);
            let call = Call { id: identity(fields.id, "id")?, name: required(fields.name, "name")?, input };
            (Content::Call(call), Dialect::Anthropic)
        }
        "tool_result" if !in_result => {
            let call = identity(fields.tool_use_id, "tool_use_id")?;
            let error = fields.is_error.is_some_and(|mark| mark.get() == "true");
            let content = contents(fields.content, true)?.0;
            (Content::Result(Answer { call, content, error }), Dialect::Anthropic)
        }
        "image" => (anthropic_image(&fields)?, Dialect::Anthropic),
        "document" => (anthropic_document(&fields)?, Dialect::Anthropic),
        "image_url" => {
            let image = object(fields.image_url.ok_or("an image without 'image_url'")?)?;
            (Content::Image(image_at(required(image.url, "url")?)), Dialect::Chat)
        }
        "file" => match fields.file.map(object).transpose()? {
            Some(file) => (openai_file(&file, &kind)?, Dialect::Chat),
            None => (Content::Other(Cow::Borrowed("file")), Dialect::Chat),
        },
        "input_audio" => (Content::Other(Cow::Borrowed("input_audio")), Dialect::Chat),
        "input_image" => match string(fields.image_url, "image_url")? {
            Some(url) => (Content::Image(image_at(url)), Dialect::Responses),
            None => (Content::Other(Cow::Borrowed("input_image")), Dialect::Responses),
        },
        "input_file" => (openai_file(&fields, &kind)?, Dialect::Responses),
        _ => (Content::Other(Cow::Owned(kind.to_string())), Dialect::Anthropic),
    };
    let block = matches!(dialect, Dialect::Anthropic | Dialect::Shared).then_some(raw);
    Ok((Part { block, content }, dialect))
}

/// Reads an `image` block; one that is kept at the provider is of no use elsewhere.
fn anthropic_image<'a>(fields: &Fields<'a>) -> Result<Content<'a>, Fault> {
    let source = object(fields.source.ok_or("an image without 'source'")?)?;
    Ok(match (string(source.data, "data")?, string(source.url, "url")?) {
        (Some(data), _) => Content::Image(Image::Data { media: required(source.media_type, "media_type")?, data }),
        (None, Some(url)) => Content::Image(Image::Url(url)),
        (None, None) => Content::Other(Cow::Borrowed("image")),
    })
}

/// Reads a `document` block.
fn anthropic_document<'a>(fields: &Fields<'a>) -> Result<Content<'a>, Fault> {
    let source = object(fields.source.ok_or("a document without 'source'")?)?;
    let is_text = string(source.kind, "type")?.is_some_and(|kind| kind.text() == "text");
    Ok(match (string(source.data, "data")?, string(source.url, "url")?) {
        (Some(words), _) if is_text => Content::File(File::Text(words)),
        (Some(data), _) => {
            let media = required(source.media_type, "media_type")?;
            Content::File(File::Data { media, data, name: string(fields.title, "title")? })
        }
        (None, Some(url)) => Content::File(File::Url(url)),
        (None, None) => Content::Other(Cow::Borrowed("document")),
    })
}

/// Reads the members of OpenAI's `file` and `input_file`.
fn openai_file<'a>(fields: &Fields<'a>, kind: &str) -> Result<Content<'a>, Fault> {
    let data = string(fields.file_data, "file_data")?.and_then(Words::split_data_url);
    Ok(match (data, string(fields.file_url, "file_url")?) {
        (Some((media, data)), _) => {
            Content::File(File::Data { media, data, name: string(fields.filename, "filename")? })
        }
        (None, Some(url)) => Content::File(File::Url(url)),
        (None, None) => Content::Other(Cow::Owned(kind.to_owned())),
    })
}

/// Tells a picture at an address from one that the address itself holds.
fn image_at(url: Words<'_>) -> Image<'_> {
    match url.split_data_url() {
        Some((media, data)) => Image::Data { media, data },
        None => Image::Url(url),
    }
}

fn object(raw: &RawValue) -> Result<Fields<'_>, Fault> {
    if !raw.get().starts_with('{') {
        return Err("not an object where one belongs".to_owned());
    }
    serde_json::from_str(raw.get()).map_err(|error| error.to_string())
}

fn list(raw: &RawValue) -> Result<Vec<&RawValue>, Fault> {
    serde_json::from_str(raw.get()).map_err(|_| "not a list where one belongs".to_owned())
}

fn string<'a>(value: Option<&'a RawValue>, name: &str) -> Result<Option<Words<'a>>, Fault> {
    match value {
        None => Ok(None),
        Some(raw) => Words::from_json(raw).map(Some).ok_or_else(|| format!("'{name}' is not a string")),
    }
}

fn required<'a>(value: Option<&'a RawValue>, name: &str) -> Result<Words<'a>, Fault> {
    string(value, name)?.ok_or_else(|| format!("'{name}' is missing"))
}

/// Reads the name of a call, which must be one that can be told from another.
fn identity<'a>(value: Option<&'a RawValue>, name: &str) -> Result<Cow<'a, str>, Fault> {
    let id = required(value, name)?.text();
    if id.is_empty() { Err(format!("'{name}' is empty")) } else { Ok(id) }
}
