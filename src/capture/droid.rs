//! Factory's Droid: JSONL files under `~/.factory/sessions/`, which grow by lines, with the session's settings beside.
//!
//! Messages are Anthropic's, whichever provider answered. Tokens are told in sum only (`<id>.settings.json`), so no
//! message has usage. Lines of other types (to-do lists, compaction states) are events.

use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use super::bounded::{Line, open};
use super::compose::Blocks;
use super::members::Members;
use super::outlet::{Outlet, Source, read_by_line};
use super::sniff::Sniff;
use super::{Agent, CaptureError, Routed, SessionFacts};
use crate::model::Role;

/// Settings are never larger.
const SETTINGS_BYTES: u64 = 1 << 20;

/// Tells whether the first bytes of a file are those of a session.
pub fn is_record(_path: &Path, head: &[u8]) -> bool {
    let sniff = Sniff::of(head);
    sniff.is("type", "session_start") && sniff.has("id")
}

/// Reads a session.
///
/// # Errors
/// When it cannot be read, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let mut outlet = read_by_line(Agent::Droid, path, sink, say)?;
    if outlet.facts.model.is_none() {
        outlet.facts.model = settings_model(path);
    }
    outlet.finish()
}

/// Returns the model that the settings beside a session name. They must be a file there, no link to elsewhere.
fn settings_model(path: &Path) -> Option<String> {
    let settings = path.with_extension("settings.json");
    if !std::fs::symlink_metadata(&settings).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    open(&settings).ok()?.take(SETTINGS_BYTES).read_to_string(&mut text).ok()?;
    Members::parse(&text)?.name("model")
}

fn say(outlet: &mut Outlet<'_>, line: Line<'_>) {
    let Some((text, members)) = line.object() else {
        return outlet.broken();
    };
    let kind = members.text("type").unwrap_or_default();
    if kind == "session_start" {
        outlet.set_id(members.name("id"));
        outlet.facts.title = members.name("title").or_else(|| members.name("sessionTitle"));
        outlet.facts.cwd = members.name("cwd");
        outlet.facts.parent = members.name("callingSessionId");
        return;
    }
    let id = members.name("id");
    let source = match &id {
        Some(id) => Source::Id(id),
        None => Source::At(line.number, text),
    };
    let time = members.time("timestamp");
    let message = members.object("message");
    let role = match message.text("role").as_deref() {
        Some("user") if kind == "message" => Role::User,
        Some("assistant") if kind == "message" => Role::Assistant,
        Some("system") if kind == "message" => Role::System,
        _ => return outlet.event(source, time, text),
    };
    let mut blocks = Blocks::default();
    if let Some(content) = message.get("content") {
        blocks.content(content);
    }
    let role = if blocks.results.is_empty() { role } else { Role::Tool };
    let mut draft = outlet.draft(source, role);
    draft.time = time;
    draft.model = message.name("model").or_else(|| members.name("model"));
    outlet.say(draft, blocks);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::reader_tests::{Sample, lines_hold};

    const LINES: &str = r#"{"type":"session_start","id":"s1","title":"T","cwd":"/w","callingSessionId":"s0"}
{"type":"message","id":"m1","timestamp":"2026-01-28T16:57:01.391Z","message":{"role":"user","content":[{"type":"text","text":"Do"},{"type":"text","text":"it"}]}}
{"type":"message","id":"m2","timestamp":"2026-01-28T16:57:02Z","message":{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"Read","input":{"n":1.0}}]}}
{"type":"todo_state","id":"t1","timestamp":"2026-01-28T16:57:03Z","todos":{}}
{"type":"message","id":"m3","timestamp":"2026-01-28T16:57:04Z","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"x"}]}}
"#;

    #[test]
    fn a_session_is_read() {
        let sample = Sample::new("s1.jsonl", LINES).beside("s1.settings.json", r#"{"model":"gpt-5"}"#);
        assert!(sample.is_of(is_record));
        let found = sample.read(read).expect("a session");
        assert_eq!(found.roles(), "user assistant event tool");
        let facts = &found.facts;
        assert_eq!((facts.prompts, facts.replies, facts.tool_calls, facts.tool_results), (1, 1, 1, 1));
        assert_eq!((facts.model.as_deref(), facts.parent.as_deref()), (Some("gpt-5"), Some("s0")));
        assert_eq!(found.field(0, "source"), ["droid:m1"]);
        assert!(found.text(2).starts_with(r#"{"type":"todo_state""#));
    }

    #[test]
    fn cuts_and_growth() {
        lines_hold(read, is_record, "s1.jsonl", LINES);
    }
}
