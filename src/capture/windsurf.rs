//! Windsurf's transcripts: JSONL files under `~/.windsurf/transcripts/`, which grow by lines.
//!
//! A line is a step of Cascade: its type, and under that name what it was given and what came of it, mixed. A prompt
//! and a reply are messages; every other step is a call of the tool that its type names, and its result once it has ended.
//! Which members are the result's is written down here. Steps have no ids.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::value::RawValue;

use super::bounded::Line;
use super::compose::{Blocks, joined, quoted};
use super::members::Members;
use super::outlet::{Outlet, Source, read_by_line};
use super::sniff::Sniff;
use super::{Agent, CaptureError, Routed, SessionFacts};
use crate::model::Role;

/// Members that a step's tool returned; all others were given to it.
const RETURNED: [&str; 10] = [
    "output",
    "content",
    "exit_code",
    "user_rejected",
    "acknowledgement_type",
    "total_results",
    "results",
    "result",
    "error",
    "summary",
];

/// Tells whether the first bytes of a file are those of a transcript.
pub fn is_record(_path: &Path, head: &[u8]) -> bool {
    let sniff = Sniff::of(head);
    let kind = sniff.get("type").and_then(|kind| std::str::from_utf8(kind).ok()).unwrap_or_default();
    sniff.has("status") && sniff.begins(kind.trim_matches('"'), "{")
}

/// Reads a transcript.
///
/// # Errors
/// When it cannot be read, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    read_by_line(Agent::Windsurf, path, sink, say)?.finish()
}

fn say(outlet: &mut Outlet<'_>, line: Line<'_>) {
    let Some((text, step)) = line.object() else {
        return outlet.broken();
    };
    let source = Source::At(line.number, text);
    let named = step.name("type").and_then(|kind| {
        let inner = Members::of(step.get(&kind)?)?;
        Some((kind, inner))
    });
    let Some((kind, inner)) = named else {
        return outlet.event(source, None, text);
    };
    let mut blocks = Blocks::default();
    match &*kind {
        "user_input" => {
            blocks.text(inner.get("user_response"));
            let draft = outlet.draft(source, Role::User);
            outlet.say(draft, blocks);
        }
        "planner_response" => {
            blocks.thinking(inner.get("thinking"), None);
            blocks.text(inner.get("response"));
            let draft = outlet.draft(source, Role::Assistant);
            outlet.say(draft, blocks);
        }
        _ => call(outlet, &step, &kind, &inner, source),
    }
}

/// Hands out a step as a call, and its result where it has ended.
fn call(outlet: &mut Outlet<'_>, step: &Members<'_>, kind: &str, inner: &Members<'_>, source: Source<'_>) {
    let call = outlet.call_id(source, 0);
    let given: Vec<_> = inner.iter().filter(|(name, _)| !RETURNED.contains(name)).collect();
    let mut blocks = Blocks::default();
    let input = RawValue::from_string(object(&given)).expect("an object of JSON values is JSON");
    blocks.call(&call, kind, Some(&input));
    let draft = outlet.draft(source, Role::Assistant);
    outlet.say(draft, blocks);
    let status = step.text("status").unwrap_or_default();
    let is_error = matches!(&*status, "error" | "cancelled" | "canceled");
    if status != "done" && !is_error {
        return;
    }
    let is_error = is_error || inner.is_true("user_rejected");
    let returned: Vec<_> = inner.iter().filter(|(name, _)| RETURNED.contains(name)).collect();
    let (said, rest): (Vec<_>, Vec<_>) = returned
        .into_iter()
        .partition(|(name, value)| matches!(*name, "output" | "content") && value.get().starts_with('"'));
    let rest = (!rest.is_empty()).then(|| quoted(&object(&rest)));
    let pieces: Vec<&str> = said.iter().map(|(_, value)| value.get()).chain(rest.as_deref()).collect();
    let mut blocks = Blocks::default();
    if pieces.is_empty() {
        blocks.result(&call, step.get("status"), is_error);
    } else {
        blocks.quoted_result(&call, &joined(&pieces), is_error);
    }
    let draft = outlet.draft(source, Role::Tool);
    outlet.say(draft, blocks);
}

/// Writes members as an object, their values in their own bytes.
fn object(members: &[(&str, &RawValue)]) -> String {
    let members = members.iter().map(|(name, value)| format!("{}:{}", quoted(name), value.get()));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::reader_tests::{Sample, lines_hold};

    const LINES: &str = r#"{"status":"done","type":"user_input","user_input":{"user_response":"Write"}}

{"planner_response":{"response":"Yes."},"status":"done","type":"planner_response"}
{"run_command":{"command":"ls","cwd":"/w","exit_code":0,"output":"a\nb","user_rejected":false},"status":"done","type":"run_command"}
{"list_directory":{"path":"file:///w"},"status":"done","type":"list_directory"}
{"list_resources":{"server_name":"m"},"status":"error","type":"list_resources"}
{"view_file":{"path":"p"},"status":"pending","type":"view_file"}
{"status":"done","type":"checkpoint"}
"#;

    #[test]
    fn a_transcript_is_read() {
        let sample = Sample::new("w.jsonl", LINES);
        assert!(sample.is_of(is_record));
        let found = sample.read(read).expect("a transcript");
        let roles = "user assistant assistant tool assistant tool assistant tool assistant event";
        assert_eq!(found.roles(), roles);
        assert_eq!((found.facts.tool_calls, found.facts.tool_results), (4, 3));
        assert_eq!((found.text(0), found.text(1)), ("Write".to_owned(), "Yes.".to_owned()));
        assert!(found.text(2).contains(r#""name":"run_command","input":{"command":"ls","cwd":"/w"}}"#));
        let result =
            r#"[{"type":"text","text":"a\nb"},{"type":"text","text":"{\"exit_code\":0,\"user_rejected\":false}"}]"#;
        assert!(found.text(3).contains(result), "{}", found.text(3));
        assert_eq!(found.field(2, "call"), found.field(3, "call"));
        assert!(found.text(7).contains(r#""content":"error","is_error":true"#));
    }

    #[test]
    fn cuts_and_growth() {
        lines_hold(read, is_record, "w.jsonl", LINES);
    }
}
