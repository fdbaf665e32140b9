//! A materialized context, rendered for people and for providers.
//!
//! Three forms are for people and programs and show anything: [`Format::Text`], [`Format::Markdown`],
//! [`Format::Jsonl`]. Three are the exact parameters of a provider's API, as one JSON object: [`Format::Anthropic`]
//! (`system`, `messages`), [`Format::OpenaiChat`] (`messages`), [`Format::OpenaiResponses`] (`instructions`, `input`).
//! The object's members are the names of the API's parameters, so that a request is this object with a model in it;
//! who wants the bare list takes that member.
//!
//! # What the providers' forms keep to
//!
//! * **Nothing invalid is ever written.** [`validate`] names what a provider would refuse, entry by entry, with a
//!   command that repairs it; [`render`] writes only after it has nothing to say.
//! * **Original bytes.** A block of the Messages API goes into `anthropic` as it stands, signatures, numbers and order
//!   of members included; so does a chat message into `openai-chat` and an item into `openai-responses`. Text goes
//!   from one JSON string into another without being decoded; `arguments` are the source of `input`, unchanged.
//! * **Losses are told.** What a format has no place for is left out and listed in [`Rendered::dropped`].
//! * Consecutive entries of one side make one message (Anthropic), results of calls first, all else in order. Chat
//!   and Responses keep one message per entry where the rule "results directly behind their calls" allows.
//! * Instructions at the front are `system` or `instructions`, or `system` messages in chat. Later ones are `system`
//!   messages for OpenAI, and for Anthropic a text of the user in `<system-reminder>` tags: not every model takes a
//!   system message in the middle.
//! * A summary is a message of the user.
//! * Blank text is left out, since Anthropic refuses it ("text content blocks must contain non-whitespace text"). An
//!   entry in which there is nothing else is an error; one of which only thinking is left is left out.
//! * Thinking goes back only to who made it: signed blocks to Anthropic, sealed items (`encrypted_content`) to
//!   Responses, `reasoning_content` to chat; never at the end of a message, where Anthropic refuses it. Its place
//!   among other blocks is kept: with interleaved thinking it may stand behind text and calls.
//! * A tool's entry that names no call answers the one call before it that nothing else answers; if there is not
//!   exactly one of each, that is an error.

mod anthropic;
mod chat;
mod format;
mod json_source;
mod jsonl;
mod loss;
mod markdown;
mod pairing;
mod part;
mod plan;
mod problem;
mod read;
mod render;
mod responses;
#[cfg(test)]
mod tests;
mod text;
mod trim;
mod words;

pub use format::{Format, ParseFormatError};
pub use loss::{Dropped, Lost};
pub use plan::validate;
pub use problem::{Problem, ProblemKind};
pub use render::{Options, RenderError, Rendered, render};
pub use text::plain_text;
