//! One line of a transcript: its envelope, with everything that is content left as it stands.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{is_true, object, text};

/// Holds a line's fields; unknown lines have none but are still lines.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    subtype: Option<&'a RawValue>,
    #[serde(borrow)]
    uuid: Option<&'a RawValue>,
    #[serde(borrow)]
    parent_uuid: Option<&'a RawValue>,
    #[serde(borrow)]
    logical_parent_uuid: Option<&'a RawValue>,
    #[serde(borrow)]
    session_id: Option<&'a RawValue>,
    #[serde(borrow)]
    agent_id: Option<&'a RawValue>,
    #[serde(borrow)]
    version: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    cwd: Option<&'a RawValue>,
    #[serde(borrow)]
    git_branch: Option<&'a RawValue>,
    #[serde(borrow)]
    request_id: Option<&'a RawValue>,
    #[serde(borrow)]
    is_sidechain: Option<&'a RawValue>,
    #[serde(borrow)]
    is_meta: Option<&'a RawValue>,
    #[serde(borrow)]
    is_compact_summary: Option<&'a RawValue>,
    #[serde(borrow)]
    is_visible_in_transcript_only: Option<&'a RawValue>,
    #[serde(borrow)]
    is_api_error_message: Option<&'a RawValue>,
    #[serde(borrow, rename = "sourceToolUseID")]
    source_tool_use_id: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_use_result: Option<&'a RawValue>,
    #[serde(borrow)]
    compact_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    microcompact_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    custom_title: Option<&'a RawValue>,
    #[serde(borrow)]
    ai_title: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Inner<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    stop_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, rename = "agentId")]
    agent: Option<&'a RawValue>,
}

/// Says why a line is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// Its bytes are not UTF-8.
    NotUtf8,
    /// It is not one JSON value.
    NotJson,
}

/// Gives access to one line.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// The line as it stands, without space around it.
    pub raw: &'a str,
    envelope: Envelope<'a>,
    inner: Option<Inner<'a>>,
}

impl<'a> Line<'a> {
    /// Reads a line. Any JSON value is one, whether its shape is known or not.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Broken> {
        let raw = std::str::from_utf8(bytes).map_err(|_| Broken::NotUtf8)?.trim_ascii();
        let Some(envelope) = object::<Envelope<'a>>(raw) else {
            serde_json::from_str::<&RawValue>(raw).map_err(|_| Broken::NotJson)?;
            return Ok(Line { raw, envelope: Envelope::default(), inner: None });
        };
        let inner = envelope.message.and_then(|message| object(message.get()));
        Ok(Line { raw, envelope, inner })
    }

    /// Returns the type, `None` where there is none.
    pub(super) fn kind(&self) -> Option<Cow<'a, str>> {
        text(self.envelope.kind)
    }

    /// Returns the subtype of a `system` line, or the type of a `progress` line's data.
    pub(super) fn subkind(&self) -> Option<Cow<'a, str>> {
        text(self.envelope.subtype).or_else(|| {
            let source = self.envelope.data?.get();
            if let Some(rest) = source.strip_prefix(r#"{"type":""#) {
                let end = memchr::memchr2(b'"', b'\\', rest.as_bytes())?;
                if rest.as_bytes()[end] == b'"' {
                    return Some(Cow::Borrowed(&rest[..end]));
                }
            }
            text(object::<Typed<'a>>(source)?.kind)
        })
    }

    /// Returns the line's own id.
    pub(super) fn uuid(&self) -> Option<Cow<'a, str>> {
        text(self.envelope.uuid)
    }

    /// Returns the id of the line that this one follows; boundaries are crossed.
    pub(super) fn parent(&self) -> Option<Cow<'a, str>> {
        text(self.envelope.parent_uuid).or_else(|| text(self.envelope.logical_parent_uuid))
    }

    /// Returns the session's id.
    pub(super) fn session(&self) -> Option<Cow<'a, str>> {
        text(self.envelope.session_id)
    }

    /// Returns the id of the subagent whose line this is.
    pub(super) fn agent(&self) -> Option<Cow<'a, str>> {
        text(self.envelope.agent_id)
    }

    /// Returns the version of the program that wrote the line.
    pub(super) fn version(&self) -> Option<Cow<'a, str>> {
        text(self.envelope.version)
    }

    /// Returns when the line was written, as it says.
    pub(super) fn timestamp(&self) -> Option<Cow<'a, str>> {
        text(self.envelope.timestamp)
    }

    /// Returns the working directory.
    pub(super) fn cwd(&self) -> Option<Cow<'a, str>> {
        text(self.envelope.cwd)
    }

    /// Returns the git branch.
    pub(super) fn git_branch(&self) -> Option<Cow<'a, str>> {
        text(self.envelope.git_branch)
    }

    /// Returns the id of the request to the provider.
    pub(super) fn request(&self) -> Option<Cow<'a, str>> {
        text(self.envelope.request_id)
    }

    /// Returns the title that the line gives the session, and whether a person chose it.
    pub(super) fn title(&self) -> Option<(Cow<'a, str>, bool)> {
        let chosen = text(self.envelope.custom_title).map(|title| (title, true));
        chosen.or_else(|| text(self.envelope.ai_title).map(|title| (title, false)))
    }

    /// Tells whether the line belongs to a subagent's conversation.
    pub(super) fn is_sidechain(&self) -> bool {
        is_true(self.envelope.is_sidechain)
    }

    /// Tells whether the program, not the person, wrote this user line.
    pub(super) fn is_meta(&self) -> bool {
        is_true(self.envelope.is_meta)
    }

    /// Tells whether a tool brought this user line in, beside its result.
    pub(super) fn is_from_tool(&self) -> bool {
        self.envelope.source_tool_use_id.is_some()
    }

    /// Tells whether the line is the summary that a compaction left.
    pub(super) fn is_compact_summary(&self) -> bool {
        is_true(self.envelope.is_compact_summary)
    }

    /// Tells whether the line is shown to people only.
    pub(super) fn is_transcript_only(&self) -> bool {
        is_true(self.envelope.is_visible_in_transcript_only)
    }

    /// Tells whether the program made this assistant line itself, so that no model ever saw it.
    pub(super) fn is_made_by_client(&self) -> bool {
        is_true(self.envelope.is_api_error_message) || self.model().is_some_and(|model| model == "<synthetic>")
    }

    /// Returns the API's id of the message.
    pub(super) fn message_id(&self) -> Option<Cow<'a, str>> {
        text(self.inner.as_ref()?.id)
    }

    /// Returns the model that spoke.
    pub(super) fn model(&self) -> Option<Cow<'a, str>> {
        text(self.inner.as_ref()?.model)
    }

    /// Returns the message's content: a string or a list of blocks; `None` for any other shape.
    pub(super) fn content(&self) -> Option<&'a RawValue> {
        self.inner.as_ref()?.content.filter(|content| content.get().starts_with(['"', '[']))
    }

    /// Tells whether the provider said why the message ended.
    pub(super) fn has_stop_reason(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.stop_reason.is_some())
    }

    /// Returns the provider's usage.
    pub(super) fn usage(&self) -> Option<&'a RawValue> {
        self.inner.as_ref()?.usage
    }

    /// Returns the facts of a compaction.
    pub(super) fn compact_metadata(&self) -> Option<&'a RawValue> {
        self.envelope.compact_metadata
    }

    /// Returns the facts of a micro-compaction.
    pub(super) fn microcompact_metadata(&self) -> Option<&'a RawValue> {
        self.envelope.microcompact_metadata
    }

    /// Returns the id of the subagent whose answer this tool result is.
    pub(super) fn answering_agent(&self) -> Option<Cow<'a, str>> {
        let source = self.envelope.tool_use_result?.get();
        // Tool results are the bulk of a transcript: most are passed over without a second look.
        memchr::memmem::find(source.as_bytes(), br#""agentId""#)?;
        text(object::<Typed<'a>>(source)?.agent)
    }
}
