//! What a message consists of, whichever provider's shape it came in.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::words::Words;

/// Holds one element of a body: a content block, a message object, an item, or a whole plain text.
#[derive(Debug, Clone)]
pub(super) struct Element<'a> {
    /// Where it came from, as far as that allows to copy it as it stands.
    pub(super) source: Source<'a>,
    /// What it says.
    pub(super) parts: Vec<Part<'a>>,
}

/// Says whether an element as a whole is valid in one of OpenAI's formats.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// It must be put together from its parts.
    Loose,
    /// It is a message of the Chat Completions API.
    Chat {
        /// The message object.
        raw: &'a RawValue,
        /// Its role.
        role: Words<'a>,
    },
    /// It is an item of the Responses API.
    Item {
        /// The item.
        raw: &'a RawValue,
        /// Its role, where it is a message.
        role: Option<Words<'a>>,
    },
}

/// Holds one thing that a message says or does.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    /// The source, where it is a content block of the Messages API.
    pub(super) block: Option<&'a RawValue>,
    /// What it says or does.
    pub(super) content: Content<'a>,
}

/// Says what a part of a message is.
#[derive(Debug, Clone)]
pub(super) enum Content<'a> {
    /// Words to read.
    Text(Words<'a>),
    /// A thinking block of the Messages API.
    Thinking {
        /// What was thought.
        words: Words<'a>,
        /// The provider signed it; it takes back no other.
        signed: bool,
    },
    /// A thinking block that only the provider can read.
    Redacted,
    /// Reasoning in one of OpenAI's shapes.
    Reasoning {
        /// What was thought, or its summary.
        words: Vec<Words<'a>>,
        /// The provider sealed it (`encrypted_content`); it takes back no other.
        sealed: bool,
    },
    /// A call of a tool that the client runs.
    Call(Call<'a>),
    /// The result of such a call.
    Result(Answer<'a>),
    /// A picture.
    Image(Image<'a>),
    /// A document.
    File(File<'a>),
    /// Something of another type, named here.
    Other(Cow<'a, str>),
}

/// Holds a call of a tool.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    /// The provider's name of the call.
    pub(super) id: Cow<'a, str>,
    /// The tool.
    pub(super) name: Words<'a>,
    /// What it was called with.
    pub(super) input: Input<'a>,
}

/// Holds what a tool was called with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input<'a> {
    /// JSON in place (`input` of a `tool_use` block).
    Json(&'a RawValue),
    /// JSON inside a string (`arguments`); the model may have written anything there.
    Arguments(Words<'a>),
    /// Free text (`input` of a custom tool).
    Free(Words<'a>),
}

/// Holds the result of a call.
#[derive(Debug, Clone)]
pub(super) struct Answer<'a> {
    /// The call that it answers.
    pub(super) call: Cow<'a, str>,
    /// Text, pictures, documents.
    pub(super) content: Vec<Part<'a>>,
    /// The tool reported an error.
    pub(super) error: bool,
}

/// Says where a picture is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Image<'a> {
    /// Here, in base 64.
    Data {
        /// Its media type.
        media: Words<'a>,
        /// Its bytes.
        data: Words<'a>,
    },
    /// At an address.
    Url(Words<'a>),
}

/// Says where a document is.
#[derive(Debug, Clone, Copy)]
pub(super) enum File<'a> {
    /// Here, in base 64.
    Data {
        /// Its media type.
        media: Words<'a>,
        /// Its bytes.
        data: Words<'a>,
        /// Its name or title.
        name: Option<Words<'a>>,
    },
    /// Here, as text.
    Text(Words<'a>),
    /// At an address.
    Url(Words<'a>),
}

impl<'a> Element<'a> {
    /// Makes an element of one part that no provider's format has as a whole.
    pub(super) fn loose(content: Content<'a>) -> Self {
        Element { source: Source::Loose, parts: vec![Part { block: None, content }] }
    }

    /// Takes an element apart into elements of one part, unless it is copied as a whole.
    pub(super) fn apart(self) -> Vec<Element<'a>> {
        match self.source {
            Source::Loose => {
                self.parts.into_iter().map(|part| Element { source: Source::Loose, parts: vec![part] }).collect()
            }
            Source::Chat { .. } | Source::Item { .. } if self.parts.is_empty() => Vec::new(),
            Source::Chat { .. } | Source::Item { .. } => vec![self],
        }
    }

    /// Tells whether this element is results of calls and nothing else.
    pub(super) fn is_result(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| matches!(part.content, Content::Result(_)))
    }
}

impl Content<'_> {
    /// Tells whether this is thinking, in any provider's shape.
    pub(super) fn is_thinking(&self) -> bool {
        matches!(self, Content::Thinking { .. } | Content::Redacted | Content::Reasoning { .. })
    }

    /// Tells whether this is text of white space only.
    pub(super) fn is_blank_text(&self) -> bool {
        matches!(self, Content::Text(words) if words.is_blank())
    }
}

/// Returns the number of bytes that a text in base 64 stands for.
pub(super) fn decoded_len(data: Words<'_>) -> usize {
    let text = data.text();
    let digits = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').count();
    digits / 4 * 3 + [0, 0, 1, 2][digits % 4]
}
