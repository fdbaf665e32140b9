//! Cursor's transcripts: JSONL files under `~/.cursor/projects/<project>/agent-transcripts/`, which grow by lines.
//!
//! A line is a message: its role, and content in Anthropic's blocks. There are no ids of messages, none of calls (they
//! get one here), and no results: Cursor does not write them down.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::value::RawValue;

use super::bounded::Line;
use super::compose::Blocks;
use super::members::Members;
use super::outlet::{Outlet, Source, read_by_line};
use super::sniff::Sniff;
use super::{Agent, CaptureError, Routed, SessionFacts};
use crate::model::Role;

/// Tells whether the first bytes of a file are those of a transcript.
pub fn is_record(_path: &Path, head: &[u8]) -> bool {
    let sniff = Sniff::of(head);
    let is_role = ["user", "assistant", "system"].iter().any(|role| sniff.is("role", role));
    is_role && sniff.begins("message", "{") && !sniff.has("type") && !sniff.has("content") && !sniff.is_listed
}

/// Reads a transcript.
///
/// # Errors
/// When it cannot be read, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    read_by_line(Agent::Cursor, path, sink, say)?.finish()
}

fn say(outlet: &mut Outlet<'_>, line: Line<'_>) {
    let Some((text, members)) = line.object() else {
        return outlet.broken();
    };
    let source = Source::At(line.number, text);
    let message = members.object("message");
    let mut blocks = Blocks::default();
    let role = match members.text("role").as_deref() {
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("system") => Role::System,
        _ => return outlet.event(source, None, text),
    };
    match message.get("content") {
        Some(content) if content.get().starts_with('[') => {
            let list = message.list("content");
            list.into_iter().enumerate().for_each(|(nth, block)| add(outlet, &mut blocks, block, source, nth));
        }
        Some(content) => blocks.content(content),
        None => return outlet.event(source, None, text),
    }
    let role = if blocks.results.is_empty() { role } else { Role::Tool };
    let mut draft = outlet.draft(source, role);
    draft.time = members.time("timestamp");
    draft.model = message.name("model");
    outlet.say(draft, blocks);
}

/// Adds a block; a call without an id gets one.
fn add(outlet: &Outlet<'_>, blocks: &mut Blocks, raw: &RawValue, source: Source<'_>, nth: usize) {
    let block = Members::of(raw).unwrap_or_default();
    let is_call = block.text("type").is_some_and(|kind| kind == "tool_use");
    match block.name("name").filter(|_| is_call && block.get("id").is_none()) {
        Some(name) => blocks.call(&outlet.call_id(source, nth), &name, block.get("input")),
        None => blocks.content(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::reader_tests::{Sample, lines_hold};

    const LINES: &str = r#"{"role":"user","message":{"content":[{"type":"text","text":"<user_query>\nmake it\n</user_query>"}]}}
{"role":"assistant","message":{"content":[{"type":"text","text":"Yes."},{"type":"tool_use","name":"Read","input":{"n":1.0}},{"type":"tool_use","name":"Read","input":{"n":1.0}}]}}

{"role":"assistant","message":{"content":[{"type":"text","text":"Yes."}]}}
{"type":"turn_ended","status":"done"}
{"role":"assistant","message":{"content":[{"type":"text","text":"Yes."}]}}
"#;

    #[test]
    fn a_transcript_is_read() {
        let sample = Sample::new("c.jsonl", LINES);
        assert!(sample.is_of(is_record));
        let found = sample.read(read).expect("a transcript");
        assert_eq!(found.roles(), "user assistant assistant event assistant");
        assert_eq!((found.facts.prompts, found.facts.replies, found.facts.tool_calls), (1, 3, 2));
        let calls = found.field(1, "call");
        assert!(calls.len() == 2 && calls[0] != calls[1], "two calls alike are two calls");
        assert!(found.text(1).contains(r#""input":{"n":1.0}}"#));
        assert_ne!(found.messages[2].id, found.messages[4].id, "two messages alike are two messages");
    }

    #[test]
    fn cuts_and_growth() {
        lines_hold(read, is_record, "c.jsonl", LINES);
        let found = Sample::new("c.jsonl", "{\"role\":\"us\n[1]\n").read(read).expect("read");
        assert_eq!(found.facts.broken, 2);
    }
}
