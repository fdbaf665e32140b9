//! Amp's threads: one JSON file per thread, `~/.local/share/amp/threads/T-….json`, written anew as it grows.
//!
//! Messages are in the shape of Anthropic's, with members of Amp's own among them; a result is `run`: its state and
//! whatever the tool returned. A result of a run that has not ended is none yet. Roles other than `user` and
//! `assistant` (`info`) are events.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::value::RawValue;

use super::bounded::{object_with, read_text, stem};
use super::compose::Blocks;
use super::members::Members;
use super::outlet::{Outlet, Place, Source};
use super::sniff::Sniff;
use super::{Agent, CaptureError, Routed, SessionFacts};
use crate::model::Role;

/// Tells whether the first bytes of a file are those of a thread.
pub fn is_record(_path: &Path, head: &[u8]) -> bool {
    let sniff = Sniff::of(head);
    sniff.begins("id", "\"T-") && (sniff.begins("messages", "[") || sniff.has("created"))
}

/// Reads a thread.
///
/// # Errors
/// When it cannot be read or is none, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let text = read_text(Agent::Amp, path)?;
    let thread = object_with(Agent::Amp, &text, "messages")?;
    let mut outlet = Outlet::new(Agent::Amp, stem(path), sink);
    outlet.set_id(thread.name("id"));
    outlet.facts.title = thread.name("title");
    outlet.facts.started = thread.time("created");
    outlet.facts.cwd = folder(&thread);
    outlet.each(thread.list("messages"), &mut say);
    outlet.finish()
}

/// Returns the first folder that the thread is about.
fn folder(thread: &Members<'_>) -> Option<String> {
    let initial = thread.object("env").object("initial");
    let trees = initial.list("trees");
    let uri = trees.first().and_then(|tree| Members::of(tree)?.name("uri"));
    initial.name("cwd").or_else(|| uri.map(|uri| uri.strip_prefix("file://").unwrap_or(&uri).to_owned()))
}

fn say(outlet: &mut Outlet<'_>, message: &Members<'_>, place: Place<'_>) {
    let number = message.count("messageId").map(|number| number.to_string());
    let source = match &number {
        Some(number) => Source::Local(number),
        None => place.source(),
    };
    let usage = message.object("usage");
    let time = usage.time("timestamp").or_else(|| message.object("meta").time("sentAt"));
    let mut blocks = Blocks::default();
    let role = match message.text("role").as_deref() {
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        _ => return outlet.event(source, time, place.raw.get()),
    };
    match message.get("content") {
        Some(content) if content.get().starts_with('[') => {
            message.list("content").into_iter().for_each(|block| add(&mut blocks, block));
        }
        Some(content) => blocks.content(content),
        None => {}
    }
    let role = if blocks.results.is_empty() { role } else { Role::Tool };
    let mut draft = outlet.draft(source, role);
    draft.time = time;
    draft.model = usage.name("model");
    let names = ["inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens", "outputTokens", "reasoningTokens"];
    draft.usage = usage.usage(names);
    outlet.say(draft, blocks);
}

fn add(blocks: &mut Blocks, raw: &RawValue) {
    let Some(block) = Members::of(raw) else { return blocks.other("value", raw) };
    match block.text("type").as_deref() {
        Some("text") if block.quoted("text").is_some() => blocks.text(block.get("text")),
        Some("thinking") if block.quoted("thinking").is_some() => {
            // A signature is of use to Anthropic alone.
            let is_theirs = block.text("provider").is_none_or(|provider| provider == "anthropic");
            blocks.thinking(block.get("thinking"), block.get("signature").filter(|_| is_theirs));
        }
        Some("tool_use") => match (block.name("id"), block.name("name")) {
            (Some(id), Some(name)) => blocks.call(&id, &name, block.get("input")),
            _ => blocks.other("tool_use", raw),
        },
        Some("tool_result") => {
            let Some(id) = block.name("toolUseID") else { return blocks.content(raw) };
            let run = block.object("run");
            let status = run.text("status").unwrap_or_default();
            match &*status {
                "done" => blocks.result(&id, run.get("result").or_else(|| run.get("progress")), false),
                "error" | "cancelled" | "rejected-by-user" => {
                    let said = run.get("error").or_else(|| run.get("reason")).or_else(|| run.get("result"));
                    let said = said.or_else(|| run.get("status"));
                    blocks.result(&id, said, true);
                }
                _ => {}
            }
        }
        _ => blocks.content(raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::reader_tests::{Sample, growth_keeps_ids};

    const THREAD: &str = r#"{"v":9,"id":"T-1","created":1772241173221,"title":"A title","messages":[
{"role":"user","messageId":0,"content":[{"type":"text","text":"Look"}],"meta":{"sentAt":1772241201792}},
{"role":"assistant","messageId":1,"content":[{"type":"thinking","thinking":"hm","signature":"s","provider":"anthropic"},
{"type":"tool_use","complete":true,"id":"a","name":"Read","input":{"n":1.50}},{"type":"tool_use","id":"b","name":"Bash","input":{}}],
"usage":{"model":"opus","inputTokens":3,"outputTokens":9,"cacheReadInputTokens":7,"totalInputTokens":10}},
{"role":"user","messageId":2,"content":[{"type":"tool_result","toolUseID":"a","run":{"status":"done","result":{"content":"x"}}},
{"type":"tool_result","toolUseID":"b","run":{"status":"rejected-by-user"}}]},
{"role":"info","messageId":3,"content":[{"type":"summary"}]}],
"env":{"initial":{"trees":[{"uri":"file:///home/me/it"}]}}}"#;

    #[test]
    fn a_thread_is_read() {
        let sample = Sample::new("T-1.json", THREAD);
        assert!(sample.is_of(is_record));
        let found = sample.read(read).expect("a thread");
        assert_eq!(found.roles(), "user assistant tool event");
        let facts = &found.facts;
        assert_eq!((facts.prompts, facts.replies, facts.tool_calls, facts.tool_results), (1, 1, 2, 2));
        assert_eq!((facts.id.as_deref(), facts.cwd.as_deref()), (Some("T-1"), Some("/home/me/it")));
        assert_eq!((facts.model.as_deref(), facts.title.as_deref()), (Some("opus"), Some("A title")));
        assert_eq!(found.text(0), "Look");
        let thinking = r#"{"type":"thinking","thinking":"hm","signature":"s"}"#;
        let call = r#"{"type":"tool_use","id":"a","name":"Read","input":{"n":1.50}}"#;
        assert!(found.text(1).contains(thinking) && found.text(1).contains(call), "{}", found.text(1));
        let usage = found.messages[1].usage.expect("told");
        assert_eq!((usage.input, usage.cache_read, usage.cache_write, usage.output), (Some(3), Some(7), None, Some(9)));
        let results = found.text(2);
        assert!(results.contains(r#""tool_use_id":"a","content":"{\"content\":\"x\"}"}"#), "{results}");
        assert!(results.contains(r#""tool_use_id":"b","content":"rejected-by-user","is_error":true}"#), "{results}");
        assert_eq!(found.field(2, "call"), ["a", "b"]);
        assert_eq!(found.field(0, "source"), ["amp:T-1:0"]);
    }

    #[test]
    fn cuts_and_growth() {
        Sample::new("T-1.json", THREAD).survives_cuts(read, is_record);
        let messages = THREAD.find(",\n{\"role\":\"info\"").expect("there");
        let shorter = format!("{}]}}", &THREAD[..messages]);
        growth_keeps_ids(read, &Sample::new("T-1.json", &shorter), &Sample::new("T-1.json", THREAD));
    }
}
