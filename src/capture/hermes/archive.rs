//! Exports of whole sessions.

use std::ops::ControlFlow;
use std::path::Path;

use crate::capture::bounded::{object_with, read_text, stem};
use crate::capture::compose::Blocks;
use crate::capture::members::Members;
use crate::capture::outlet::{Outlet, Place, Source, push};
use crate::capture::{Agent, CaptureError, Routed, SessionFacts};
use crate::model::Role;

/// Members that tell of the session as a whole.
const SUMS: [&str; 5] = ["usage", "cost", "end_reason", "archive_state", "finalized"];

/// Reads an export.
pub(super) fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let text = read_text(Agent::Hermes, path)?;
    let session = object_with(Agent::Hermes, &text, "messages")?;
    let mut outlet = Outlet::new(Agent::Hermes, stem(path), sink);
    outlet.set_id(session.name("session_id"));
    outlet.facts.title = session.name("title");
    outlet.facts.cwd = session.name("repository_cwd");
    outlet.facts.parent = session.name("parent_session_id");
    outlet.facts.started = session.time("created_at");
    outlet.each(session.list("messages"), &mut say);
    let sums = session.iter().filter(|(name, value)| SUMS.contains(name) && value.get() != "null");
    let sums: Vec<String> = sums.map(|(name, value)| format!("\"{name}\":{}", value.get())).collect();
    if !sums.is_empty() {
        let sums = format!("{{{}}}", sums.join(","));
        let id = format!("sums:{}", &blake3::hash(sums.as_bytes()).to_hex()[..32]);
        outlet.event(Source::Local(&id), session.time("ended_at"), &sums);
    }
    outlet.finish()
}

fn say(outlet: &mut Outlet<'_>, message: &Members<'_>, place: Place<'_>) {
    let id = message.name("message_id");
    let source = match &id {
        Some(id) => Source::Id(id),
        None => place.source(),
    };
    let time = message.time("timestamp");
    let state = message.text("state").unwrap_or_default();
    let role = match message.text("role").as_deref() {
        Some("system") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("tool") => Role::Tool,
        _ => return outlet.event(source, time, place.raw.get()),
    };
    if state == "rewound" {
        return outlet.event(source, time, place.raw.get());
    }
    let mut blocks = Blocks::default();
    blocks.thinking(message.get("reasoning"), None);
    blocks.text(message.get("text"));
    for (nth, call) in message.list("tool_calls").into_iter().enumerate() {
        let call = Members::of(call).unwrap_or_default();
        let id = call.name("action_id").unwrap_or_else(|| outlet.call_id(source, nth));
        let input = call.get("arguments_json").or_else(|| call.get("arguments"));
        blocks.call(&id, &call.name("tool_name").unwrap_or_default(), input);
    }
    for result in message.list("tool_results") {
        let members = Members::of(result).unwrap_or_default();
        match members.name("action_id") {
            Some(id) => {
                let said = members.get("output").or_else(|| members.get("output_preview"));
                blocks.result(&id, said.or(Some(result)), members.is_true("is_error"));
            }
            None => outlet.broken(),
        }
    }
    let mut draft = outlet.draft(source, role);
    draft.time = time;
    if state != "active" {
        push(&mut draft, "state", Some(&state));
    }
    outlet.say(draft, blocks);
}

#[cfg(test)]
mod tests {
    use crate::capture::hermes::{is_record, read};
    use crate::capture::reader_tests::{Sample, growth_keeps_ids};

    const EXPORT: &str = r#"{"schema_version":1,"producer":"hermes/0.9.0","session_id":"h1","created_at":"2026-07-10T09:00:00Z","messages":[
{"message_id":"h1:0","role":"user","state":"active","timestamp":"2026-07-10T09:00:05Z","text":"Fix","reasoning":null,"tool_calls":[],"tool_results":[]},
{"message_id":"h1:1","role":"assistant","state":"compacted","text":"Look","reasoning":"hm","tool_calls":[{"action_id":"a","tool_name":"read","arguments_json":"{\"n\": 1.0}"}],"tool_results":[]},
{"message_id":"h1:2","role":"tool","state":"compacted","text":null,"tool_calls":[],"tool_results":[{"action_id":"a","is_error":true,"output_preview":"no"}]},
{"message_id":"h1:3","role":"assistant","state":"rewound","text":"wrong"}],
"usage":{"input_tokens":3120},"parent_session_id":"h0","repository_cwd":"/w"}"#;

    #[test]
    fn an_export_is_read() {
        let sample = Sample::new("h.json", EXPORT);
        assert!(sample.is_of(is_record));
        let found = sample.read(read).expect("an export");
        found.check();
        assert_eq!(found.roles(), "user assistant tool event event");
        assert_eq!((found.facts.parent.as_deref(), found.facts.cwd.as_deref()), (Some("h0"), Some("/w")));
        assert!(found.text(1).contains(r#""input":{"n": 1.0}"#) && found.text(1).contains(r#""thinking":"hm""#));
        assert!(found.text(2).contains(r#""content":"no","is_error":true"#));
        assert_eq!(found.text(4), r#"{"usage":{"input_tokens":3120}}"#);
    }

    #[test]
    fn cuts_and_growth() {
        let whole = Sample::new("h.json", EXPORT);
        whole.survives_cuts(read, is_record);
        let end = EXPORT.find(",\n{\"message_id\":\"h1:2\"").expect("there");
        growth_keeps_ids(read, &Sample::new("h.json", &format!("{}]}}", &EXPORT[..end])), &whole);
    }
}
