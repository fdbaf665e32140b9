//! The model's newest item, which waits for the usage of its call.

use serde::{Deserialize, Serialize};

use super::routed;
use crate::capture::Routed;
use crate::model::{BodyKind, EntryId, Message, Role, Step, Time, Usage};

/// A larger item is handed out at once: it stands in the watermark while it waits.
const BYTES: usize = 1 << 20;
/// More than this does not wait.
const MESSAGES: usize = 64;

/// Holds an item of the model, and what came after it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Held {
    item: Waiting,
    after: Vec<Waiting>,
    /// How many of them were handed out.
    handed: usize,
}

/// A message in JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Waiting {
    id: EntryId,
    role: String,
    body: String,
    time: Option<i64>,
    model: Option<String>,
    fields: Vec<(String, String)>,
}

impl Held {
    /// Tells whether a message is small enough to wait.
    pub(super) fn can_wait(message: &Message) -> bool {
        message.body.len() <= BYTES
    }

    pub(super) fn new(message: Message) -> Self {
        Held { item: Waiting::new(message), after: Vec::new(), handed: 0 }
    }

    /// Tells whether a message can wait behind the item.
    pub(super) fn has_room(&self, message: &Message) -> bool {
        let bytes: usize = self.after.iter().map(|waiting| waiting.body.len()).sum();
        self.after.len() < MESSAGES && bytes + self.item.body.len() + message.body.len() <= BYTES
    }

    pub(super) fn push(&mut self, message: Message) {
        self.after.push(Waiting::new(message));
    }

    /// Hands out what was not, without usage.
    pub(super) fn pause(&mut self, out: &mut Vec<Routed>) {
        let all = std::iter::once(&self.item).chain(&self.after);
        out.extend(all.skip(self.handed).map(|waiting| routed(Step::Append(waiting.message()))));
        self.handed = 1 + self.after.len();
    }

    /// Hands out everything, with the usage of the call.
    pub(super) fn finish(&mut self, usage: Usage, model: Option<String>, out: &mut Vec<Routed>) {
        let mut item = self.item.message();
        item.usage = Some(usage);
        item.model = model.or(item.model);
        let step = if self.handed == 0 { Step::Append(item) } else { Step::Extend(item) };
        out.push(routed(step));
        self.handed = self.handed.max(1);
        self.pause(out);
    }
}

impl Waiting {
    fn new(message: Message) -> Self {
        let Message { id, role, body, time, model, fields, .. } = message;
        Waiting {
            id,
            role: role.name().to_owned(),
            body: String::from_utf8(body).expect("it is a part of a line of text"),
            time: time.map(|time| time.millis),
            model,
            fields,
        }
    }

    fn message(&self) -> Message {
        Message {
            id: self.id,
            role: Role::from_name(&self.role),
            kind: BodyKind::Json,
            body: self.body.clone().into_bytes(),
            time: self.time.map(Time::from_millis),
            model: self.model.clone(),
            usage: None,
            fields: self.fields.clone(),
            meta: None,
        }
    }
}
