//! The forms in which a context can be rendered.

use std::fmt;
use std::str::FromStr;

/// Names a form in which a context can be rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// For a terminal or a file: a header line per entry, then what it says.
    Text,
    /// For a page: a heading per entry.
    Markdown,
    /// For programs: one JSON object per entry and line.
    Jsonl,
    /// Parameters `system` and `messages` of Anthropic's Messages API.
    Anthropic,
    /// Parameter `messages` of OpenAI's Chat Completions API.
    OpenaiChat,
    /// Parameters `instructions` and `input` of OpenAI's Responses API.
    OpenaiResponses,
}

impl Format {
    /// All formats, in the order in which help shows them.
    pub const ALL: [Format; 6] =
        [Format::Text, Format::Markdown, Format::Jsonl, Format::Anthropic, Format::OpenaiChat, Format::OpenaiResponses];

    /// Returns the name that users type.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Markdown => "markdown",
            Format::Jsonl => "jsonl",
            Format::Anthropic => "anthropic",
            Format::OpenaiChat => "openai-chat",
            Format::OpenaiResponses => "openai-responses",
        }
    }

    /// Tells whether a provider's API reads this format, so that only a valid sequence may be rendered.
    pub const fn is_for_a_provider(self) -> bool {
        matches!(self, Format::Anthropic | Format::OpenaiChat | Format::OpenaiResponses)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Says that a text names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown format '{text}'")]
pub struct ParseFormatError {
    /// The text as given.
    pub text: String,
}

impl ParseFormatError {
    /// Returns the advice that goes with the message.
    pub fn hint(&self) -> String {
        format!("formats are {}", Format::ALL.map(Format::name).join(", "))
    }
}

impl FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Format::ALL.into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| ParseFormatError { text: text.to_owned() })
    }
}
