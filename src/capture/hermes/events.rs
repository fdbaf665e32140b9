//! Events in ATOF: scopes that start and end, and marks.
//!
//! The start of a model's scope holds what was asked, which may be the whole conversation so far: what was handed out
//! before is passed over, and what the model and the tools said comes from their own scopes. The end holds the answer.
//! A tool's scope is its call, unless the model's answer had it, and its result.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

use crate::capture::bounded::{Line, each_line, stem};
use crate::capture::compose::Blocks;
use crate::capture::members::Members;
use crate::capture::outlet::{Outlet, Source};
use crate::capture::{Agent, CaptureError, Conversation, Routed, SessionFacts};
use crate::model::Role;

/// The counts of a row of usage; the input's are those that came from no cache.
const USAGE: [&str; 5] =
    ["input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"];

/// Tells whether a file's first line is an event.
pub(super) fn are_in(path: &Path) -> Result<bool, CaptureError> {
    let mut found = false;
    each_line(path, &mut |line| {
        let event = line.text.and_then(Members::parse);
        found = event.is_some_and(|event| event.get("atof_version").is_some());
        ControlFlow::Break(())
    })?;
    Ok(found)
}

/// Reads events.
pub(super) fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let outlet = Outlet::new(Agent::Hermes, stem(path), sink);
    let mut reader = Reader { outlet, session: None, seen: HashSet::new(), calls: HashSet::new() };
    each_line(path, &mut |line| {
        reader.take(line);
        reader.outlet.flow()
    })?;
    reader.outlet.finish()
}

struct Reader<'s> {
    outlet: Outlet<'s>,
    /// The session of the first event; all others are its subagents'.
    session: Option<String>,
    /// Conversation, place and content of what was asked.
    seen: HashSet<blake3::Hash>,
    calls: HashSet<String>,
}

impl Reader<'_> {
    fn take(&mut self, line: Line<'_>) {
        let Some((text, event)) = line.object() else {
            return self.outlet.broken();
        };
        let metadata = event.object("metadata");
        self.route(metadata.name("session_id"));
        let is = |name: &str, value: &str| event.text(name).is_some_and(|text| text == value);
        let stage = if is("scope_category", "start") { "start" } else { "end" };
        let id = event.name("uuid").map(|uuid| if is("kind", "scope") { format!("{uuid}:{stage}") } else { uuid });
        let source = match &id {
            Some(id) => Source::Local(id),
            None => Source::At(line.number, text),
        };
        let category = event.text("category").unwrap_or_default();
        let said = is("kind", "scope")
            && match (&*category, stage) {
                ("llm", "start") => self.asked(&event, source),
                ("llm", _) => self.answered(&event, source),
                ("tool", "start") => self.called(&event, source),
                ("tool", _) => self.returned(&event, source),
                _ => false,
            };
        if !said {
            self.outlet.event(source, event.time("timestamp"), text);
        }
        self.outlet.to = Conversation::Main;
    }

    fn route(&mut self, session: Option<String>) {
        let Some(session) = session else { return };
        match &self.session {
            None => {
                self.outlet.set_id(Some(session.clone()));
                self.session = Some(session);
            }
            Some(own) if *own != session => self.outlet.to = Conversation::Subagent(session),
            Some(_) => {}
        }
    }

    /// Hands out what is new in a question.
    fn asked(&mut self, event: &Members<'_>, source: Source<'_>) -> bool {
        let data = event.object("data");
        let content = data.object("content");
        let list = [&data, &content].into_iter().flat_map(|data| [data.list("messages"), data.list("input")]);
        let list = list.into_iter().find(|list| !list.is_empty());
        let name = self.outlet.name(source);
        let Some(list) = list else {
            let mut blocks = Blocks::default();
            blocks.text(data.get("content"));
            let mut draft = self.outlet.draft(source, Role::User);
            draft.time = event.time("timestamp");
            return self.outlet.say(draft, blocks).is_some();
        };
        for (place, raw) in list.into_iter().enumerate() {
            let message = Members::of(raw).unwrap_or_default();
            let role = match message.text("role").as_deref() {
                Some("system" | "developer") => Role::System,
                Some("user") => Role::User,
                _ => continue,
            };
            let key = format!("{:?}\0{place}\0{}", self.outlet.to, raw.get());
            if !self.seen.insert(blake3::hash(key.as_bytes())) {
                continue;
            }
            let mut blocks = Blocks::default();
            message.get("content").into_iter().for_each(|content| blocks.content(content));
            let mut draft = self.outlet.draft(Source::At(place as u64, &format!("{name}{}", raw.get())), role);
            draft.time = event.time("timestamp");
            self.outlet.say(draft, blocks);
        }
        true
    }

    /// Hands out a model's answer.
    fn answered(&mut self, event: &Members<'_>, source: Source<'_>) -> bool {
        let data = event.object("data");
        let answer = data.object("assistant_message");
        let mut blocks = Blocks::default();
        blocks.thinking(answer.get("reasoning").or_else(|| answer.get("reasoning_content")), None);
        blocks.text(data.get("assistant_message"));
        answer.get("content").into_iter().for_each(|content| blocks.content(content));
        self.outlet.add_chat_calls(&mut blocks, answer.list("tool_calls"), source);
        if blocks.is_empty() {
            return false;
        }
        self.calls.extend(blocks.calls.iter().cloned());
        let mut draft = self.outlet.draft(source, Role::Assistant);
        draft.time = event.time("timestamp");
        draft.model = data.name("model").or_else(|| event.object("metadata").name("model"));
        draft.usage = data.object("usage").usage(USAGE);
        self.outlet.say(draft, blocks);
        true
    }

    fn call_of(event: &Members<'_>) -> Option<String> {
        event.object("metadata").name("tool_call_id").or_else(|| event.name("uuid"))
    }

    /// Hands out a tool's call, unless the model's answer had it.
    fn called(&mut self, event: &Members<'_>, source: Source<'_>) -> bool {
        let Some(call) = Self::call_of(event) else { return false };
        if !self.calls.insert(call.clone()) {
            return true;
        }
        let mut blocks = Blocks::default();
        blocks.call(&call, &event.name("name").unwrap_or_default(), event.get("data"));
        let mut draft = self.outlet.draft(source, Role::Assistant);
        draft.time = event.time("timestamp");
        self.outlet.say(draft, blocks);
        true
    }

    /// Hands out a tool's result.
    fn returned(&mut self, event: &Members<'_>, source: Source<'_>) -> bool {
        let Some(call) = Self::call_of(event).filter(|call| self.calls.contains(call)) else { return false };
        let status = event.object("metadata").text("status").unwrap_or_default();
        let is_error = matches!(&*status, "error" | "failed") || event.object("data").get("error").is_some();
        let mut blocks = Blocks::default();
        blocks.result(&call, event.get("data"), is_error);
        let mut draft = self.outlet.draft(source, Role::Tool);
        draft.time = event.time("timestamp");
        self.outlet.say(draft, blocks);
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::capture::hermes::{is_record, read};
    use crate::capture::reader_tests::{Sample, lines_hold};

    const LINES: &str = r#"{"atof_version":"0.1","kind":"scope","category":"agent","scope_category":"start","uuid":"s","name":"x","metadata":{"session_id":"h1"}}
{"atof_version":"0.1","kind":"scope","category":"llm","scope_category":"start","uuid":"l1","timestamp":"2026-07-18T09:00:01Z","metadata":{"session_id":"h1"},"data":{"content":{"messages":[{"role":"system","content":"Be"},{"role":"user","content":"Do"}]}}}
{"atof_version":"0.1","kind":"scope","category":"llm","scope_category":"end","uuid":"l1","timestamp":"2026-07-18T09:00:02Z","metadata":{"session_id":"h1","model":"m"},"data":{"assistant_message":{"content":"Yes","tool_calls":[{"id":"a","function":{"name":"ls","arguments":"{\"n\":1.0}"}}]},"usage":{"input_tokens":8983,"output_tokens":7}}}
{"atof_version":"0.1","kind":"scope","category":"tool","scope_category":"start","uuid":"t1","name":"ls","metadata":{"session_id":"h1","tool_call_id":"a"},"data":{"n":1.0}}
{"atof_version":"0.1","kind":"scope","category":"tool","scope_category":"end","uuid":"t1","name":"ls","metadata":{"session_id":"h1","tool_call_id":"a","status":"completed"},"data":{"stdout":"x"}}
{"atof_version":"0.1","kind":"scope","category":"llm","scope_category":"start","uuid":"l2","metadata":{"session_id":"h1"},"data":{"content":{"messages":[{"role":"system","content":"Be"},{"role":"user","content":"Do"},{"role":"assistant","content":"Yes"},{"role":"tool","content":"x"},{"role":"user","content":"On"}]}}}
{"atof_version":"0.1","kind":"scope","category":"llm","scope_category":"end","uuid":"l3","metadata":{"session_id":"h1"},"data":{"error":"no"}}
{"atof_version":"0.1","kind":"scope","category":"llm","scope_category":"end","uuid":"c1","metadata":{"session_id":"child"},"data":{"assistant_message":"I am one"}}
{"atof_version":"0.1","kind":"scope","category":"tool","scope_category":"start","uuid":"t2","name":"sh","metadata":{"session_id":"h1"},"data":{"command":"ls"}}
{"atof_version":"0.1","kind":"scope","category":"tool","scope_category":"end","uuid":"t2","name":"sh","metadata":{"session_id":"h1","status":"error"},"data":"no"}
"#;

    #[test]
    fn events_are_read() {
        let sample = Sample::new("h.jsonl", LINES);
        assert!(sample.is_of(is_record));
        let found = sample.read(read).expect("events");
        found.check();
        let steps = "event system user assistant tool user event child/assistant assistant tool";
        assert_eq!(found.steps(), steps);
        assert_eq!((found.facts.id.as_deref(), found.facts.model.as_deref()), (Some("h1"), Some("m")));
        assert_eq!(found.messages[3].usage.expect("told").input, Some(8983));
        assert!(found.text(3).contains(r#""input":{"n":1.0}"#));
        assert!(found.text(4).contains(r#""content":"{\"stdout\":\"x\"}""#), "{}", found.text(4));
        assert!(found.text(9).contains(r#""content":"no","is_error":true"#));
    }

    #[test]
    fn cuts_and_growth() {
        lines_hold(read, is_record, "h.jsonl", LINES);
    }
}
