//! One API message, put together from its lines.

use serde_json::value::RawValue;

use super::content::{self, Content};
use super::line::Line;
use super::safe::SafePoint;
use super::usage::UsageRows;
use crate::model::{BodyKind, EntryId, Message};

/// An API message that waits longer than this for its next line is handed out without it.
const HELD_ITEMS: usize = 4096;
pub(super) const HELD_BYTES: usize = 32 * 1024 * 1024;
const BODY_BYTES: usize = 256 * 1024 * 1024;

/// Holds an API message whose next line may still come, and what has to wait for that.
#[derive(Debug)]
pub(super) struct OpenMessage {
    /// Stands for the API's id.
    pub key: EntryId,
    /// Where to read again from when the message grows later.
    pub from: SafePoint,
    /// How often the API's id has come up: not more than once, unless a file repeats itself.
    pub times: u32,
    /// What its lines hold.
    pub content: Content,
    /// What its lines report.
    pub usage: UsageRows,
    message: Message,
    /// The blocks so far, after an opening bracket.
    blocks: Vec<u8>,
    /// The only line's content, where that is a string.
    string: Option<Box<RawValue>>,
    parts: usize,
    has_blocks: bool,
    spawns: usize,
    held: Vec<Message>,
    held_bytes: usize,
}

impl OpenMessage {
    /// Starts with a message that has everything of the first line but its content.
    pub(super) fn new(key: EntryId, from: SafePoint, times: u32, message: Message) -> Self {
        OpenMessage {
            key,
            from,
            times,
            message,
            content: Content::default(),
            usage: UsageRows::default(),
            blocks: vec![b'['],
            string: None,
            parts: 0,
            has_blocks: false,
            spawns: 0,
            held: Vec::new(),
            held_bytes: 0,
        }
    }

    /// Returns the id of its entry.
    pub(super) fn entry(&self) -> EntryId {
        self.message.id
    }

    /// Adds a line's content, in the bytes that it has there.
    pub(super) fn add(&mut self, line: &Line<'_>, raw: &RawValue, found: Content) {
        let source = raw.get();
        self.content.merge(found);
        self.usage.add(line.usage(), line.has_stop_reason());
        let inner = source.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let adds_blocks = inner.is_none_or(|inner| !inner.trim_ascii().is_empty());
        if self.has_blocks && adds_blocks {
            self.blocks.push(b',');
        }
        self.has_blocks |= adds_blocks;
        match inner {
            Some(inner) => self.blocks.extend_from_slice(inner.as_bytes()),
            None => {
                self.blocks.extend_from_slice(br#"{"type":"text","text":"#);
                self.blocks.extend_from_slice(source.as_bytes());
                self.blocks.push(b'}');
            }
        }
        self.string = (self.parts == 0 && inner.is_none()).then(|| raw.to_owned());
        self.parts += 1;
    }

    /// Numbers one more subagent that the message starts.
    pub(super) fn count_spawn(&mut self) -> usize {
        self.spawns += 1;
        self.spawns
    }

    /// Tells whether nothing more may be added or held back.
    pub(super) fn is_full(&self) -> bool {
        self.held.len() >= HELD_ITEMS || self.held_bytes >= HELD_BYTES || self.blocks.len() >= BODY_BYTES
    }

    /// Holds a message back until this one is complete.
    pub(super) fn hold(&mut self, message: Message) {
        self.held_bytes += message.body.len();
        self.held.push(message);
    }

    /// Returns the message, and what waited for it in its order.
    pub(super) fn finish(mut self) -> (Message, Vec<Message>) {
        let message = &mut self.message;
        (message.kind, message.body) = match &self.string {
            Some(raw) => content::body(raw),
            None => {
                self.blocks.push(b']');
                (BodyKind::Json, self.blocks)
            }
        };
        // A repeated message was paid for once.
        message.usage = if self.times == 1 { self.usage.usage() } else { None };
        let fields = &mut message.fields;
        let calls = self.content.calls.iter().filter(|call| call.len() <= 200);
        fields.extend(calls.map(|call| ("call".to_owned(), call.clone())));
        if self.content.images > 0 {
            fields.push(("image".to_owned(), self.content.images.to_string()));
        }
        if message.usage.is_some() && self.usage.is_placeholder(self.content.written) {
            fields.push(("placeholder".to_owned(), "1".to_owned()));
        }
        (self.message, self.held)
    }
}
