//! Messages made of single lines.

use serde_json::value::RawValue;

use super::content::{self, Content, Spawn};
use super::line::Line;
use super::names::content_source;
use super::safe::Surroundings;
use crate::codec::derive_entry_id;
use crate::model::{BodyKind, EntryId, Message, Role, Time};

/// Values longer than this are no facts for a commit's trailers.
const FIELD_BYTES: usize = 1000;

/// Returns the source of the id of an entry that is one line.
pub(super) fn source(line: &Line<'_>) -> String {
    match line.uuid() {
        Some(uuid) => format!("claude:{uuid}"),
        None => content_source(line.session().as_deref().unwrap_or_default(), line.raw),
    }
}

/// Makes a message without content of what every line says.
pub(super) fn bare(line: &Line<'_>, known: &mut Surroundings, id: EntryId, role: Role) -> Message {
    let mut fields = Vec::new();
    let uuid = line.uuid().map(|uuid| format!("claude:{uuid}"));
    push(&mut fields, "source", uuid.as_deref());
    for (name, now, before) in
        [("cwd", line.cwd(), &mut known.cwd), ("branch", line.git_branch(), &mut known.git_branch)]
    {
        let now = now.filter(|now| now.len() <= FIELD_BYTES && !now.is_empty() && before.as_deref() != Some(now));
        if let Some(now) = now {
            push(&mut fields, name, Some(&now));
            *before = Some(now.into_owned());
        }
    }
    if line.is_sidechain() {
        fields.push(("sidechain".to_owned(), "1".to_owned()));
    }
    let time = line.timestamp().and_then(|time| time.parse::<Time>().ok());
    Message { id, role, kind: BodyKind::Json, body: Vec::new(), time, model: None, usage: None, fields, meta: None }
}

/// Makes a message of the model that still lacks its content.
pub(super) fn reply(line: &Line<'_>, known: &mut Surroundings, id: EntryId) -> Message {
    let mut message = bare(line, known, id, Role::Assistant);
    message.model = line.model().filter(|model| model.len() <= 200).map(String::from);
    push(&mut message.fields, "msg", line.message_id().as_deref());
    push(&mut message.fields, "req", line.request().as_deref());
    message
}

/// Makes the entry that stands for the start of a subagent.
pub(super) fn spawn(line: &Line<'_>, known: &mut Surroundings, reply: EntryId, nth: usize, spawn: &Spawn) -> Message {
    let id = derive_entry_id(&format!("claude:spawn:{reply}:{nth}:{}", spawn.call));
    let mut message = bare(line, known, id, Role::Spawn);
    message.body = spawn.body.clone();
    push(&mut message.fields, "call", Some(&spawn.call));
    message
}

/// Makes a message of a user line: a prompt, a tool result, or what a tool brought in.
pub(super) fn user(line: &Line<'_>, raw: &RawValue, found: &Content, known: &mut Surroundings, id: EntryId) -> Message {
    let role = if found.tool_results > 0 { Role::Tool } else { Role::User };
    let mut message = bare(line, known, id, role);
    (message.kind, message.body) = content::body(raw);
    found.results.iter().for_each(|call| push(&mut message.fields, "call", Some(call)));
    push(&mut message.fields, "agent", line.answering_agent().as_deref());
    for (name, value) in [("error", found.errors), ("image", found.images), ("meta", u64::from(line.is_meta()))] {
        if value > 0 {
            message.fields.push((name.to_owned(), value.to_string()));
        }
    }
    message
}

/// Makes the message that stands in the place of what a compaction removed.
pub(super) fn summary(line: &Line<'_>, raw: &RawValue, known: &mut Surroundings, id: EntryId) -> Message {
    let mut message = bare(line, known, id, Role::Summary);
    (message.kind, message.body) = content::body(raw);
    message
}

/// Makes an event that holds the whole line.
pub(super) fn event(line: &Line<'_>, known: &mut Surroundings, id: EntryId) -> Message {
    let mut message = bare(line, known, id, Role::Event);
    message.body = line.raw.as_bytes().to_vec();
    message
}

fn push(fields: &mut Vec<(String, String)>, name: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| value.len() <= FIELD_BYTES) {
        fields.push((name.to_owned(), value.to_owned()));
    }
}
