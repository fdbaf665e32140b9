//! GitHub Copilot: its CLI, and its chat in VS Code.
//!
//! * **Events** (`~/.copilot/session-state/<id>/events.jsonl`, and VS Code's `transcripts/<id>.jsonl`): JSONL, one event
//!   a line.
//! * **Chat sessions** of VS Code (`chatSessions/<id>.json`, or `.jsonl`: a state and changes to it).
//! * **Traces** (`traces.db`): OpenTelemetry spans in SQLite, each with all that the model was sent; several sessions,
//!   one of which is read as `traces.db/<id>`.

mod chat;
mod events;
mod patched;
mod rendered;
#[cfg(feature = "sqlite")]
mod traces;

use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use super::bounded::open;
use super::selected::Selected;
use super::sniff::Sniff;
use super::{Agent, CaptureError, Routed, SessionFacts, database};

/// Bytes in which the shape of a record shows.
const HEAD_BYTES: u64 = 64 * 1024;

/// The shapes of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Events,
    Chat,
    Log,
    Traces,
}

/// Tells whether the first bytes of a file are those of a record.
pub fn is_record(_path: &Path, head: &[u8]) -> bool {
    shape(head).is_some()
}

fn shape(head: &[u8]) -> Option<Shape> {
    if database::has_tables(head, &["spans", "span_attributes"]) {
        return Some(Shape::Traces);
    }
    let sniff = Sniff::of(head);
    let has =
        |name: &str, part: &[u8]| sniff.get(name).is_some_and(|value| memchr::memmem::find(value, part).is_some());
    let is_event = sniff.begins("data", "{") && sniff.has("parentId") && sniff.has("id");
    if is_event
        && (has("data", b"\"copilot")
            || ["\"session.", "\"user.", "\"assistant.", "\"system."].iter().any(|kind| sniff.begins("type", kind)))
    {
        return Some(Shape::Events);
    }
    if sniff.is_listed {
        return None;
    }
    if sniff.begins("kind", "0") && (has("v", b"\"requests\"") || has("v", b"\"responderUsername\"")) {
        return Some(Shape::Log);
    }
    let is_chat = sniff.begins("requests", "[")
        && ["responderUsername", "inputState", "requesterUsername", "sessionId"].iter().any(|name| sniff.has(name));
    is_chat.then_some(Shape::Chat)
}

/// Lists the ids of the sessions in a database of traces, oldest first; of any other record there is one, its own.
///
/// # Errors
/// When it cannot be read.
pub fn sessions(path: &Path) -> Result<Vec<String>, CaptureError> {
    match shape_of(path)? {
        #[cfg(feature = "sqlite")]
        Shape::Traces => traces::sessions(path),
        #[cfg(not(feature = "sqlite"))]
        Shape::Traces => Err(database::not_built_in(Agent::Copilot)),
        _ => Ok(read(path, &mut |_| ControlFlow::Continue(()))?.id.into_iter().collect()),
    }
}

/// Reads a record.
///
/// # Errors
/// When it cannot be read or is none, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let selected = Selected::of(path);
    match shape_of(&selected.path)? {
        Shape::Events => events::read(path, sink),
        Shape::Chat => chat::read(path, sink),
        Shape::Log => patched::read(path, sink),
        #[cfg(feature = "sqlite")]
        Shape::Traces => traces::read(&selected, sink),
        #[cfg(not(feature = "sqlite"))]
        Shape::Traces => Err(database::not_built_in(Agent::Copilot)),
    }
}

fn shape_of(path: &Path) -> Result<Shape, CaptureError> {
    let mut head = Vec::new();
    open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    let reason = "neither events nor a chat session nor traces".to_owned();
    shape(&head).ok_or(CaptureError::Format { agent: Agent::Copilot, reason })
}
