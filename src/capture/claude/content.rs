//! What a message's content consists of.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{elements, is_true, object, text};
use crate::model::BodyKind;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Block<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_use_id: Option<&'a RawValue>,
    #[serde(borrow)]
    is_error: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// Counts what a message's content holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    /// Ids of the tool calls made.
    pub calls: Vec<String>,
    /// The tool calls that start a subagent.
    pub spawns: Vec<Spawn>,
    /// Ids of the tool calls answered.
    pub results: Vec<String>,
    /// Number of tool calls made, those without id included.
    pub tool_uses: u64,
    /// Number of tool results, those without id included.
    pub tool_results: u64,
    /// Number of results that report a fault.
    pub errors: u64,
    /// Number of thinking blocks.
    pub thinking: u64,
    /// Number of images, those in tool results included.
    pub images: u64,
    /// Bytes that the model had to write, at least: text, thinking and tool input, without signatures.
    pub written: u64,
}

/// Holds a tool call that starts a subagent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spawn {
    /// The call's id.
    pub call: String,
    /// What is said of the subagent, as a JSON object made of the call's own bytes.
    pub body: Vec<u8>,
}

/// The members of the call's input that say which subagent it is; its prompt stands in its own context.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Task<'a> {
    #[serde(borrow)]
    subagent_type: Option<&'a RawValue>,
    #[serde(borrow)]
    description: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
}

impl Spawn {
    /// Reads a call of `Task`, or of `Agent` as newer versions call it.
    fn read(block: &Block<'_>) -> Option<Self> {
        let name = text(block.name)?;
        if !matches!(&*name, "Task" | "Agent") {
            return None;
        }
        let task = object::<Task<'_>>(block.input?.get())?;
        let call = text(block.id)?.into_owned();
        let members = [
            ("call", block.id),
            ("subagent_type", task.subagent_type),
            ("description", task.description),
            ("model", task.model),
        ];
        let members = members.into_iter().filter_map(|(name, raw)| Some(format!("\"{name}\":{}", raw?.get())));
        let body = format!("{{{}}}", members.collect::<Vec<_>>().join(",")).into_bytes();
        Some(Spawn { call, body })
    }
}

/// A tool call costs the model its name and its frame too; they are never fewer bytes than this.
const CALL_FRAME: u64 = 40;

impl Content {
    /// Looks at a content's blocks; a string is one text block.
    pub(super) fn of(content: &RawValue) -> Self {
        let mut found = Content::default();
        let source = content.get();
        match elements(source) {
            Some(blocks) => blocks.into_iter().for_each(|block| found.add(block)),
            None => found.written = source.len() as u64,
        }
        found
    }

    /// Adds the counts of another part of the same message.
    pub(super) fn merge(&mut self, other: Content) {
        self.calls.extend(other.calls);
        self.spawns.extend(other.spawns);
        self.results.extend(other.results);
        self.tool_uses += other.tool_uses;
        self.tool_results += other.tool_results;
        self.errors += other.errors;
        self.thinking += other.thinking;
        self.images += other.images;
        self.written += other.written;
    }

    fn add(&mut self, raw: &RawValue) {
        let Some(block) = object::<Block<'_>>(raw.get()) else { return };
        let length = |raw: Option<&RawValue>| raw.map_or(0, |raw| raw.get().len() as u64);
        match text(block.kind).as_deref() {
            Some("tool_use") => {
                self.tool_uses += 1;
                self.written += CALL_FRAME + length(block.input);
                self.calls.extend(text(block.id).map(String::from));
                self.spawns.extend(Spawn::read(&block));
            }
            Some("tool_result") => {
                self.tool_results += 1;
                self.results.extend(text(block.tool_use_id).map(String::from));
                self.errors += u64::from(is_true(block.is_error));
                self.images += block.content.map_or(0, nested_images);
            }
            Some("thinking" | "redacted_thinking") => {
                self.thinking += 1;
                self.written += length(block.thinking);
            }
            Some("image") => self.images += 1,
            _ => self.written += length(block.text),
        }
    }
}

fn nested_images(content: &RawValue) -> u64 {
    let source = content.get();
    if !source.starts_with('[') || memchr::memmem::find(source.as_bytes(), br#""image""#).is_none() {
        return 0;
    }
    let blocks = elements(source).unwrap_or_default();
    let is_image = |raw: &&RawValue| {
        object::<Block<'_>>(raw.get()).is_some_and(|block| text(block.kind).as_deref() == Some("image"))
    };
    blocks.iter().filter(|raw| is_image(raw)).count() as u64
}

/// Makes a body of a content: decoded text of a string, else the bytes as they stand.
///
/// A string that is no Unicode (a lone surrogate escape) stays JSON, since no text could hold it.
pub(super) fn body(content: &RawValue) -> (BodyKind, Vec<u8>) {
    let source = content.get();
    match text(Some(content)) {
        Some(text) => (BodyKind::Text, text.into_owned().into_bytes()),
        None => (BodyKind::Json, source.as_bytes().to_vec()),
    }
}
