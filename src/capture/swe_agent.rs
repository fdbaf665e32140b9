//! SWE-agent's trajectories: one JSON file per run, `<instance>.traj`.
//!
//! `history` holds what the model saw, in the shape of OpenAI's chat; `trajectory` tells the same steps once more for
//! people and is passed over. What came out of the run (`info`) is an event. Messages have no ids.

use std::ops::ControlFlow;
use std::path::Path;

use super::bounded::{object_with, read_text, stem};
use super::compose::Blocks;
use super::members::Members;
use super::outlet::{Outlet, Place, Source, push};
use super::sniff::Sniff;
use super::{Agent, CaptureError, Routed, SessionFacts};
use crate::model::Role;

/// Tells whether the first bytes of a file are those of a trajectory.
pub fn is_record(path: &Path, head: &[u8]) -> bool {
    let sniff = Sniff::of(head);
    let is_named = path.extension().is_some_and(|ending| ending == "traj");
    let first = sniff.get("history").filter(|history| history.starts_with(b"[")).map(Sniff::of).unwrap_or_default();
    let is_history = first.has("role") && first.has("content") && (first.has("message_type") || first.has("agent"));
    is_history || (sniff.begins("trajectory", "[") && (is_named || sniff.has("environment")))
}

/// Reads a trajectory.
///
/// # Errors
/// When it cannot be read or is none, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let text = read_text(Agent::SweAgent, path)?;
    let run = object_with(Agent::SweAgent, &text, "history")?;
    let mut outlet = Outlet::new(Agent::SweAgent, stem(path), sink);
    let model = model(&run);
    outlet.each(run.list("history"), &mut |outlet, message, place| say(outlet, message, place, model.as_deref()));
    if let Some(info) = run.get("info").filter(|info| info.get() != "{}") {
        outlet.event(
            Source::Local(&format!("info:{}", &blake3::hash(info.get().as_bytes()).to_hex()[..32])),
            None,
            info.get(),
        );
    }
    outlet.finish()
}

/// Returns the model that the run was set up with; the set-up is an object, or the text of one.
fn model(run: &Members<'_>) -> Option<String> {
    let of = |setup: &Members<'_>| setup.object("agent").object("model").name("name");
    match run.text("replay_config") {
        Some(text) => of(&Members::parse(&text)?),
        None => of(&run.object("replay_config")),
    }
}

fn say(outlet: &mut Outlet<'_>, message: &Members<'_>, place: Place<'_>, model: Option<&str>) {
    let source = place.source();
    let content = message.get("content");
    let mut blocks = Blocks::default();
    let mut role = match message.text("role").as_deref() {
        Some("system") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("tool") => Role::Tool,
        _ => return outlet.event(source, None, place.raw.get()),
    };
    let call = message.name("tool_call_id").or_else(|| {
        let calls = message.list("tool_call_ids");
        calls.first().and_then(|call| super::claude::json::text(Some(call)).map(|call| call.into_owned()))
    });
    match (&role, call) {
        (Role::Tool, Some(call)) => blocks.result(&call, content, false),
        (Role::Tool, None) => {
            // Without tools the environment answers as the user does.
            role = Role::User;
            content.into_iter().for_each(|content| blocks.content(content));
        }
        _ => {
            message.list("thinking_blocks").into_iter().for_each(|block| blocks.content(block));
            content.into_iter().for_each(|content| blocks.content(content));
        }
    }
    outlet.add_chat_calls(&mut blocks, message.list("tool_calls"), source);
    let mut draft = outlet.draft(source, role);
    if draft.role == Role::Assistant {
        draft.model = model.map(str::to_owned);
    }
    if message.is_true("is_demo") {
        push(&mut draft, "demo", Some("1"));
    }
    outlet.say(draft, blocks);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::reader_tests::{Sample, growth_keeps_ids};

    const RUN: &str = r#"{"environment":"main","trajectory":[],"history":[
{"role":"system","content":"You fix.","agent":"main","message_type":"system_prompt"},
{"role":"user","content":[{"type":"text","text":"It fails"}],"agent":"main","message_type":"observation","is_demo":true},
{"role":"assistant","content":"Look","thought":"Look","action":"ls","agent":"main","tool_calls":[{"function":{"arguments":"{\"n\":1.0}","name":"ls"},"id":"a","type":"function"}],"message_type":"action"},
{"role":"tool","content":"x","agent":"main","tool_call_ids":["a"],"message_type":"observation"}],
"info":{"exit_status":"submitted"},"replay_config":{"agent":{"model":{"name":"gpt-4o"}}}}"#;

    #[test]
    fn a_trajectory_is_read() {
        let sample = Sample::new("r.traj", RUN);
        assert!(sample.is_of(is_record));
        let found = sample.read(read).expect("a trajectory");
        assert_eq!(found.roles(), "system user assistant tool event");
        assert_eq!((found.facts.prompts, found.facts.replies, found.facts.tool_calls), (1, 1, 1));
        assert_eq!(found.facts.model.as_deref(), Some("gpt-4o"));
        assert_eq!(found.field(1, "demo"), ["1"]);
        assert!(found.text(2).contains(r#""id":"a","name":"ls","input":{"n":1.0}}"#));
        assert_eq!(found.text(3), r#"[{"type":"tool_result","tool_use_id":"a","content":"x"}]"#);
    }

    #[test]
    fn cuts_and_growth() {
        let whole = Sample::new("r.traj", RUN);
        whole.survives_cuts(read, is_record);
        let end = RUN.find(",\n{\"role\":\"tool\"").expect("there");
        growth_keeps_ids(read, &Sample::new("r.traj", &format!("{}]}}", &RUN[..end])), &whole);
    }
}
