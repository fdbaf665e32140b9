//! What a provider's format could not take over as it was.

use std::fmt;

use super::Format;
use super::part::{Content, Element, File, Input, Part, Source};
use super::words::Words;
use crate::model::{EntryId, Role};

/// Names something of an entry that a rendering left out or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The entry.
    pub entry: EntryId,
    /// What was lost.
    pub what: Lost,
}

/// Says what was left out of a rendering, or changed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// Thinking for which the format has no place.
    Thinking,
    /// Thinking without its provider's signature or seal, which the provider does not take back.
    UnsignedThinking,
    /// Thinking at the end of a message, which the provider does not take back.
    TrailingThinking,
    /// Text of white space only, beside other content.
    BlankText,
    /// A block for which the format has no place.
    Block {
        /// Its type.
        kind: String,
    },
    /// The mark that a result is an error; its text stays.
    ErrorMark,
    /// A picture or document in a result was put behind it, into a message of the user.
    Moved,
    /// Arguments that are no JSON object went in as `{"input": "…"}`.
    WrappedInput,
    /// Bytes that are no UTF-8 became U+FFFD.
    InvalidText,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = self.entry;
        match &self.what {
            Lost::Thinking => write!(f, "left out the thinking in entry '{entry}'"),
            Lost::UnsignedThinking => write!(f, "left out unsigned thinking in entry '{entry}'"),
            Lost::TrailingThinking => write!(f, "left out thinking that nothing follows in entry '{entry}'"),
            Lost::BlankText => write!(f, "left out blank text in entry '{entry}'"),
            Lost::Block { kind } => write!(f, "left out a block of type '{kind}' in entry '{entry}'"),
            Lost::ErrorMark => write!(f, "left out the error mark of a result in entry '{entry}'"),
            Lost::Moved => write!(f, "moved a picture or document behind its result in entry '{entry}'"),
            Lost::WrappedInput => write!(f, "wrapped arguments that are no object in entry '{entry}'"),
            Lost::InvalidText => write!(f, "replaced bytes that are no UTF-8 in entry '{entry}'"),
        }
    }
}

/// Takes out of an entry what a format has no place for, and notes it.
///
/// What is left is what the format's writer writes, all of it.
pub(super) fn fit(
    elements: &mut Vec<Element<'_>>,
    entry: EntryId,
    role: &Role,
    format: Format,
    dropped: &mut Vec<Dropped>,
) {
    for element in elements.iter_mut() {
        let whole = is_whole(element, role, format);
        if !whole {
            element.source = Source::Loose;
        }
        element.parts.retain(|part| match loss_of(part, role, format, whole) {
            None => true,
            Some(what) => {
                dropped.push(Dropped { entry, what });
                false
            }
        });
        for part in &element.parts {
            changes(part, format, whole, &mut |what| dropped.push(Dropped { entry, what }));
        }
    }
    // What is put together from its parts is taken apart, so that results can be put first.
    *elements = elements.drain(..).flat_map(Element::apart).collect();
}

/// Fits what stands inside the results of an entry.
pub(super) fn fit_results(element: &mut Element<'_>, entry: EntryId, format: Format, dropped: &mut Vec<Dropped>) {
    if !matches!(element.source, Source::Loose) {
        return;
    }
    for part in &mut element.parts {
        let native = format == Format::Anthropic && part.block.is_some();
        let Content::Result(answer) = &mut part.content else { continue };
        if native {
            continue;
        }
        let mut note = |what| dropped.push(Dropped { entry, what });
        if answer.error && format != Format::Anthropic {
            note(Lost::ErrorMark);
        }
        answer.content.retain(|piece| {
            let kept = match &piece.content {
                Content::Text(_) | Content::Image(_) => true,
                Content::File(File::Url(_)) => format != Format::OpenaiChat,
                Content::File(_) => true,
                Content::Other(_) => format == Format::Anthropic && piece.block.is_some(),
                _ => false,
            };
            if !kept {
                note(Lost::Block { kind: type_name(&piece.content) });
            } else if format == Format::OpenaiChat && is_medium(&piece.content) {
                note(Lost::Moved);
            } else if matches!(piece.content, Content::Text(words) if !words.is_exact()) {
                note(Lost::InvalidText);
            }
            kept
        });
    }
}

/// Tells whether a part of a result is not text, so that chat's tool messages cannot hold it.
pub(super) fn is_medium(content: &Content<'_>) -> bool {
    matches!(content, Content::Image(_) | Content::File(File::Data { .. } | File::Url(_)))
}

/// Tells whether an element can be copied as it stands: it is of the format, and its role is that of its entry.
fn is_whole(element: &Element<'_>, role: &Role, format: Format) -> bool {
    let agrees = |words: Words<'_>| match &*words.text() {
        "system" | "developer" => *role == Role::System,
        "user" => matches!(role, Role::User | Role::Summary | Role::Tool),
        "assistant" => *role == Role::Assistant,
        "tool" => matches!(role, Role::Tool | Role::User),
        _ => false,
    };
    match (element.source, format) {
        (Source::Chat { role, .. }, Format::OpenaiChat) => agrees(role),
        (Source::Item { role, .. }, Format::OpenaiResponses) => role.is_none_or(agrees),
        _ => false,
    }
}

/// Says why a part cannot stay.
fn loss_of(part: &Part<'_>, role: &Role, format: Format, whole: bool) -> Option<Lost> {
    let is_assistant = *role == Role::Assistant;
    let native = format == Format::Anthropic && part.block.is_some();
    let lost = |kept: bool| (!kept).then(|| Lost::Block { kind: type_name(&part.content) });
    match &part.content {
        Content::Text(words) => (!whole && words.is_blank()).then_some(Lost::BlankText),
        Content::Thinking { .. } | Content::Redacted if !is_assistant || format != Format::Anthropic => {
            Some(Lost::Thinking)
        }
        Content::Thinking { signed, .. } => (!signed).then_some(Lost::UnsignedThinking),
        Content::Redacted => None,
        Content::Reasoning { sealed, .. } if whole && format == Format::OpenaiResponses => {
            (!sealed).then_some(Lost::UnsignedThinking)
        }
        Content::Reasoning { .. } => (!whole).then_some(Lost::Thinking),
        Content::Call(_) | Content::Result(_) => None,
        Content::Image(_) | Content::File(File::Text(_) | File::Data { .. }) => lost(native || whole || !is_assistant),
        Content::File(File::Url(_)) => lost(native || whole || (!is_assistant && format != Format::OpenaiChat)),
        Content::Other(_) => lost(native || whole),
    }
}

/// Notes what a part that stays is changed in.
fn changes(part: &Part<'_>, format: Format, whole: bool, note: &mut dyn FnMut(Lost)) {
    match &part.content {
        Content::Text(words) if !words.is_exact() => note(Lost::InvalidText),
        Content::Call(call) if format == Format::Anthropic && !whole && part.block.is_none() => {
            let wrapped = match call.input {
                Input::Json(value) => !value.get().starts_with('{'),
                Input::Arguments(words) => !is_object(&words.text()),
                Input::Free(_) => true,
            };
            if wrapped {
                note(Lost::WrappedInput);
            }
        }
        _ => {}
    }
}

/// Tells whether arguments are a JSON object, or nothing, which means an empty one.
pub(super) fn is_object(arguments: &str) -> bool {
    let value: Result<&serde_json::value::RawValue, _> = serde_json::from_str(arguments);
    arguments.trim().is_empty() || value.is_ok_and(|value| value.get().starts_with('{'))
}

/// Names the type of a part as people know it.
fn type_name(content: &Content<'_>) -> String {
    match content {
        Content::Text(_) => "text".to_owned(),
        Content::Thinking { .. } | Content::Redacted | Content::Reasoning { .. } => "thinking".to_owned(),
        Content::Call(_) => "tool_use".to_owned(),
        Content::Result(_) => "tool_result".to_owned(),
        Content::Image(_) => "image".to_owned(),
        Content::File(_) => "document".to_owned(),
        Content::Other(kind) => kind.to_string(),
    }
}
