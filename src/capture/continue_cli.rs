//! Continue's sessions: one JSON file per session, `~/.continue/sessions/<id>.json`, written anew as it grows.
//!
//! An item of `history` holds a message in the shape of OpenAI's chat, the files that went with it (`contextItems`) and
//! what became of its tool calls (`toolCallStates`). The session tells tokens in sum only, so no message has usage.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::value::RawValue;

use super::bounded::{object_with, read_text, stem};
use super::compose::{Blocks, joined};
use super::members::Members;
use super::outlet::{Outlet, Place, Source};
use super::sniff::Sniff;
use super::{Agent, CaptureError, Routed, SessionFacts};
use crate::model::Role;

/// Tells whether the first bytes of a file are those of a session.
pub fn is_record(_path: &Path, head: &[u8]) -> bool {
    let sniff = Sniff::of(head);
    sniff.has("sessionId") && sniff.has("workspaceDirectory") && sniff.begins("history", "[")
}

/// Reads a session.
///
/// # Errors
/// When it cannot be read or is none, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let text = read_text(Agent::Continue, path)?;
    let session = object_with(Agent::Continue, &text, "history")?;
    let mut outlet = Outlet::new(Agent::Continue, stem(path), sink);
    outlet.set_id(session.name("sessionId"));
    outlet.facts.title = session.name("title");
    outlet.facts.cwd = session.name("workspaceDirectory");
    outlet.each(session.list("history"), &mut say);
    outlet.finish()
}

fn say(outlet: &mut Outlet<'_>, item: &Members<'_>, place: Place<'_>) {
    // What becomes of a message's calls is told beside it, later: the id is the message's alone.
    let Some((raw, message)) = item.get("message").and_then(|raw| Some((raw, Members::of(raw)?))) else {
        return outlet.broken();
    };
    let source = Source::At(place.number, raw.get());
    let mut blocks = Blocks::default();
    let role = match message.text("role").as_deref() {
        Some("user") => Role::User,
        Some("system") => Role::System,
        Some("assistant") => Role::Assistant,
        Some("thinking") => {
            blocks.thinking(message.get("content"), message.get("signature"));
            let draft = outlet.draft(source, Role::Assistant);
            outlet.say(draft, blocks);
            return;
        }
        Some("tool") => {
            if let Some(call) = message.name("toolCallId") {
                blocks.result(&call, message.get("content"), false);
                let draft = outlet.draft(source, Role::Tool);
                outlet.say(draft, blocks);
                return;
            }
            return outlet.event(source, None, raw.get());
        }
        _ => return outlet.event(source, None, raw.get()),
    };
    for context in item.list("contextItems") {
        blocks.text(Members::of(context).and_then(|context| context.get("content")));
    }
    blocks.thinking(item.object("reasoning").get("text"), None);
    match message.get("content") {
        Some(content) if content.get().starts_with('[') => {
            message.list("content").into_iter().for_each(|part| add(&mut blocks, part));
        }
        content => blocks.text(content),
    }
    outlet.add_chat_calls(&mut blocks, message.list("toolCalls"), source);
    let calls = blocks.calls.clone();
    let mut draft = outlet.draft(source, role);
    draft.model = message.name("model");
    outlet.say(draft, blocks);
    for state in item.list("toolCallStates") {
        let Some(state) = Members::of(state) else { continue };
        if let Some(call) = state.name("toolCallId").filter(|call| calls.contains(call)) {
            answer(outlet, &state, &call);
        }
    }
}

fn add(blocks: &mut Blocks, raw: &RawValue) {
    let part = Members::of(raw).unwrap_or_default();
    let is_image = part.text("type").is_some_and(|kind| kind == "imageUrl");
    if !(is_image && blocks.data_url(part.object("imageUrl").get("url"))) {
        blocks.content(raw);
    }
}

/// Hands out the result of a call that has ended.
fn answer(outlet: &mut Outlet<'_>, state: &Members<'_>, call: &str) {
    let status = state.text("status").unwrap_or_default();
    let is_error = matches!(&*status, "errored" | "canceled");
    if !is_error && status != "done" {
        return;
    }
    let output = state.list("output");
    let said = output.iter().filter_map(|item| Members::of(item)?.quoted("content").map(RawValue::get));
    let said: Vec<&str> = said.collect();
    let mut blocks = Blocks::default();
    if said.is_empty() {
        blocks.result(call, state.get("output").or_else(|| state.get("status")), is_error);
    } else {
        blocks.quoted_result(call, &joined(&said), is_error);
    }
    let draft = outlet.draft(Source::Local(&format!("result:{call}")), Role::Tool);
    outlet.say(draft, blocks);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::reader_tests::{Sample, growth_keeps_ids};

    const SESSION: &str = r#"{"sessionId":"s","title":"T","workspaceDirectory":"/w","history":[
{"message":{"role":"user","content":"Add it"},"contextItems":[{"content":"file text","name":"f"}]},
{"message":{"role":"assistant","content":"","toolCalls":[{"id":"a","type":"function","function":{"name":"Read","arguments":"{\"n\":1.50}"}},
{"id":"b","type":"function","function":{"name":"Run","arguments":"{\"c\""}}]},"contextItems":[],
"toolCallStates":[{"toolCallId":"a","status":"done","output":[{"content":"x"},{"content":"y"}]},{"toolCallId":"b","status":"errored","output":[{"content":"no"}]}]},
{"message":{"role":"user","content":[{"type":"imageUrl","imageUrl":{"url":"data:image/png;base64,QUJD"}},{"type":"text","text":"see"}]}},
{"message":{"role":"assistant","content":"Done"}}]}"#;

    #[test]
    fn a_session_is_read() {
        let sample = Sample::new("s.json", SESSION);
        assert!(sample.is_of(is_record));
        let found = sample.read(read).expect("a session");
        assert_eq!(found.roles(), "user assistant tool tool user assistant");
        let facts = &found.facts;
        assert_eq!((facts.prompts, facts.replies, facts.tool_calls, facts.tool_results), (2, 2, 2, 2));
        assert!(found.text(0).contains(r#""text":"file text"}"#) && found.text(0).contains(r#""text":"Add it"}"#));
        assert!(found.text(1).contains(r#""input":{"n":1.50}}"#), "{}", found.text(1));
        assert!(found.text(1).contains(r#""input":{"arguments":"{\"c\""}}"#), "{}", found.text(1));
        assert!(found.text(2).contains(r#"[{"type":"text","text":"x"},{"type":"text","text":"y"}]"#));
        assert!(found.text(3).contains(r#""content":"no","is_error":true"#));
        assert_eq!(found.field(4, "image"), ["1"]);
        assert_eq!(found.text(5), "Done");
    }

    #[test]
    fn cuts_and_growth() {
        let whole = Sample::new("s.json", SESSION);
        whole.survives_cuts(read, is_record);
        for end in [
            ",\n{\"message\":{\"role\":\"user\",\"content\":[",
            ",\n{\"message\":{\"role\":\"assistant\",\"content\":\"Done",
        ] {
            let shorter = format!("{}]}}", &SESSION[..SESSION.find(end).expect("there")]);
            growth_keeps_ids(read, &Sample::new("s.json", &shorter), &whole);
        }
    }
}
