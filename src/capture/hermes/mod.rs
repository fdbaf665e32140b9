//! Hermes: the exports that it makes of its sessions, and the events that it sends out while it runs.
//!
//! * An **archival export** is one JSON file with all messages of a session. What was rewound is an event. Tokens and
//!   cost are told in sum only; they are an event too.
//! * **ATOF** (Agent Trajectory Observability Format, <https://docs.nvidia.com/nemo/relay/reference/atof-event-format>)
//!   is JSONL: scopes of work that start and end. Calls of a model and of tools are messages, all else is events.
//!
//! Trajectories in ATIF are read as such.

mod archive;
mod events;

use std::ops::ControlFlow;
use std::path::Path;

use super::sniff::Sniff;
use super::{CaptureError, Routed, SessionFacts};

/// Tells whether the first bytes of a file are those of an export or of events.
pub fn is_record(_path: &Path, head: &[u8]) -> bool {
    let sniff = Sniff::of(head);
    sniff.has("atof_version") || (sniff.begins("producer", "\"hermes/") && sniff.has("session_id"))
}

/// Reads an export or events.
///
/// # Errors
/// When it cannot be read or is neither, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    if events::are_in(path)? { events::read(path, sink) } else { archive::read(path, sink) }
}
