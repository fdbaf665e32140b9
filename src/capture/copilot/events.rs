//! Events of a session, one a line: what was said, and what happened around it.
//!
//! The model's message names its tool calls (`toolRequests`); the result comes with the end of the tool's run. What has
//! a `parentToolCallId` (or an `agentId`) is a subagent's. The beginnings and ends of turns, and the beginnings of runs
//! that a message has named, are the display's.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::value::RawValue;

use crate::capture::bounded::{Line, each_line, stem};
use crate::capture::compose::Blocks;
use crate::capture::members::Members;
use crate::capture::outlet::{Outlet, Source};
use crate::capture::{Agent, CaptureError, Conversation, Routed, SessionFacts};
use crate::model::{EntryId, Role, Usage};

/// Events that say nothing which the others do not say.
const NOISE: [&str; 6] = [
    "assistant.turn_start",
    "assistant.turn_end",
    "assistant.message_delta",
    "assistant.reasoning_delta",
    "tool.execution_progress",
    "tool.execution_partial_result",
];

/// Reads events.
pub(super) fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    // The CLI has one folder for each session, with a file of one name in each.
    let name = match (stem(path).as_str(), path.parent()) {
        ("events", Some(folder)) => folder.file_name().map(|name| name.to_string_lossy().into_owned()),
        (stem, _) => Some(stem.to_owned()),
    };
    let outlet = Outlet::new(Agent::Copilot, name.unwrap_or_default(), sink);
    let mut reader = Reader { outlet, calls: HashSet::new(), system: Vec::new(), model: None };
    each_line(path, &mut |line| {
        reader.take(line);
        reader.outlet.flow()
    })?;
    reader.outlet.finish()
}

struct Reader<'s> {
    outlet: Outlet<'s>,
    calls: HashSet<String>,
    /// Instructions: they stay when the context is compacted.
    system: Vec<EntryId>,
    /// The model that is set.
    model: Option<String>,
}

impl Reader<'_> {
    fn take(&mut self, line: Line<'_>) {
        let Some((text, event)) = line.object() else {
            return self.outlet.broken();
        };
        let data = event.object("data");
        let kind = event.text("type").unwrap_or_default();
        let id = event.name("id");
        let source = match &id {
            Some(id) => Source::Local(id),
            None => Source::At(line.number, text),
        };
        self.outlet.to = match data.name("parentToolCallId").or_else(|| event.name("agentId")) {
            Some(agent) => Conversation::Subagent(agent),
            None => Conversation::Main,
        };
        let said = match &*kind {
            "session.start" => {
                self.start(&data);
                true
            }
            "session.model_change" => {
                self.model = data.name("newModel");
                false
            }
            "session.title_changed" => {
                self.outlet.facts.title = data.name("title");
                false
            }
            "system.message" => self.plain(&event, &data, source, Role::System),
            "user.message" => self.plain(&event, &data, source, Role::User),
            "assistant.message" => self.answer(&event, &data, source),
            "tool.execution_start" => self.call(&event, &data, source),
            "tool.execution_complete" => self.result(&event, &data, source),
            "session.compaction_complete" => self.compaction(&event, &data, source),
            "assistant.usage" => self.usage(&event, &data, source, text),
            kind => NOISE.contains(&kind),
        };
        if !said {
            self.outlet.event(source, event.time("timestamp"), text);
        }
    }

    fn start(&mut self, data: &Members<'_>) {
        self.outlet.set_id(data.name("sessionId"));
        self.outlet.facts.cwd = data.object("context").name("cwd");
        self.outlet.facts.started = data.time("startTime");
        self.model = data.name("selectedModel");
    }

    /// Hands out what a person or the client said: as the model saw it, where that is told.
    fn plain(&mut self, event: &Members<'_>, data: &Members<'_>, source: Source<'_>, role: Role) -> bool {
        let mut blocks = Blocks::default();
        blocks.text(data.quoted("transformedContent").or_else(|| data.get("content")));
        if data.get("transformedContent").is_none() && !data.list("attachments").is_empty() {
            data.get("attachments").into_iter().for_each(|list| blocks.other("attachments", list));
        }
        let mut draft = self.outlet.draft(source, role);
        draft.time = event.time("timestamp");
        let is_system = draft.role == Role::System && self.outlet.to == Conversation::Main;
        let said = self.outlet.say(draft, blocks);
        self.system.extend(said.filter(|_| is_system));
        said.is_some()
    }

    fn answer(&mut self, event: &Members<'_>, data: &Members<'_>, source: Source<'_>) -> bool {
        let mut blocks = Blocks::default();
        blocks.thinking(data.get("reasoningText"), None);
        blocks.text(data.get("content"));
        for (nth, request) in data.list("toolRequests").into_iter().enumerate() {
            let request = Members::of(request).unwrap_or_default();
            let id = request.name("toolCallId").unwrap_or_else(|| self.outlet.call_id(source, nth));
            blocks.call(&id, &request.name("name").unwrap_or_default(), request.get("arguments"));
            self.calls.insert(id);
        }
        let mut draft = self.outlet.draft(source, Role::Assistant);
        draft.time = event.time("timestamp");
        draft.model = data.name("model").or_else(|| self.model.clone());
        self.outlet.say(draft, blocks).is_some()
    }

    /// Hands out a call that no message named.
    fn call(&mut self, event: &Members<'_>, data: &Members<'_>, source: Source<'_>) -> bool {
        let Some(id) = data.name("toolCallId") else { return false };
        if !self.calls.insert(id.clone()) {
            return true;
        }
        let mut blocks = Blocks::default();
        blocks.call(&id, &data.name("toolName").unwrap_or_default(), data.get("arguments"));
        let mut draft = self.outlet.draft(source, Role::Assistant);
        draft.time = event.time("timestamp");
        draft.model.clone_from(&self.model);
        self.outlet.say(draft, blocks).is_some()
    }

    fn result(&mut self, event: &Members<'_>, data: &Members<'_>, source: Source<'_>) -> bool {
        let Some(id) = data.name("toolCallId").filter(|id| self.calls.remove(id)) else { return false };
        let result = data.object("result");
        let kind = result.text("result_type").or_else(|| result.text("resultType")).unwrap_or(Cow::Borrowed("success"));
        let is_failure = data.get("success").is_some_and(|success| success.get() == "false");
        let said: Option<&RawValue> = ["content", "text_result_for_llm", "textResultForLlm"]
            .iter()
            .find_map(|name| result.quoted(name))
            .or_else(|| data.get("result"))
            .or_else(|| data.object("error").quoted("message"))
            .or_else(|| data.get("error"));
        let mut blocks = Blocks::default();
        blocks.result(&id, said, is_failure || kind != "success");
        let mut draft = self.outlet.draft(source, Role::Tool);
        draft.time = event.time("timestamp");
        self.outlet.say(draft, blocks).is_some()
    }

    fn compaction(&mut self, event: &Members<'_>, data: &Members<'_>, source: Source<'_>) -> bool {
        let is_failure = data.get("success").is_some_and(|success| success.get() == "false");
        let Some(words) = data.quoted("summaryContent").filter(|_| !is_failure) else { return false };
        let mut summary = self.outlet.draft(source, Role::Summary);
        summary.time = event.time("timestamp");
        let kept = if self.outlet.to == Conversation::Main { self.system.clone() } else { Vec::new() };
        self.outlet.compress(summary, words, kept, data.count("preCompactionTokens"));
        true
    }

    /// Hands out the usage of a call, with the event that tells it. Cached tokens are among the input's.
    fn usage(&mut self, event: &Members<'_>, data: &Members<'_>, source: Source<'_>, text: &str) -> bool {
        let usage = cached_within(
            data.count("inputTokens"),
            data.count("cacheReadTokens"),
            data.count("cacheWriteTokens"),
            data.count("outputTokens"),
        );
        if usage == Usage::default() {
            return false;
        }
        let mut draft = self.outlet.draft(source, Role::Event);
        draft.time = event.time("timestamp");
        draft.usage = Some(usage);
        draft.model = data.name("model");
        draft.body = text.as_bytes().to_vec();
        self.outlet.append(draft);
        true
    }
}

/// Makes usage of counts in which the input holds the cached tokens too.
pub(super) fn cached_within(input: Option<u64>, read: Option<u64>, write: Option<u64>, output: Option<u64>) -> Usage {
    let cached = read.unwrap_or(0).saturating_add(write.unwrap_or(0));
    let input = input.and_then(|input| input.checked_sub(cached));
    Usage { input, cache_read: read, cache_write: write, output, reasoning: None }
}

#[cfg(test)]
mod tests {
    use crate::capture::copilot::{is_record, read};
    use crate::capture::reader_tests::{Sample, lines_hold};

    const LINES: &str = r#"{"type":"session.start","data":{"sessionId":"c1","version":1,"producer":"copilot-agent","startTime":"2026-05-12T00:21:05.216Z","context":{"cwd":"/w"}},"id":"e0","timestamp":"2026-05-12T00:21:05.254Z","parentId":null}
{"type":"session.model_change","data":{"newModel":"gpt-4.1"},"id":"e1","timestamp":"2026-05-12T00:21:07Z","parentId":"e0"}
{"type":"system.message","data":{"content":"Be"},"id":"e2","timestamp":"2026-05-12T00:21:08Z","parentId":"e1"}
{"type":"user.message","data":{"content":"make","transformedContent":"make it","attachments":[]},"id":"e3","timestamp":"2026-05-12T00:21:10Z","parentId":"e2"}
{"type":"assistant.turn_start","data":{"turnId":"0"},"id":"e4","timestamp":"2026-05-12T00:21:11Z","parentId":"e3"}
{"type":"assistant.message","data":{"messageId":"m","content":"Yes","reasoningText":"hm","toolRequests":[{"toolCallId":"a","name":"create","arguments":"{\"n\":1.0}","type":"function"}]},"id":"e5","timestamp":"2026-05-12T00:21:12Z","parentId":"e4"}
{"type":"tool.execution_start","data":{"toolCallId":"a","toolName":"create","arguments":{"n":1.0}},"id":"e6","timestamp":"2026-05-12T00:21:13Z","parentId":"e5"}
{"type":"tool.execution_complete","data":{"toolCallId":"a","success":true,"result":{"content":"ok","detailedContent":"okay"}},"id":"e7","timestamp":"2026-05-12T00:21:14Z","parentId":"e6"}
{"type":"tool.execution_start","data":{"toolCallId":"b","toolName":"task","arguments":{"p":"go"}},"id":"e8","timestamp":"2026-05-12T00:21:15Z","parentId":"e7"}
{"type":"assistant.message","data":{"content":"I help","parentToolCallId":"b"},"id":"e9","timestamp":"2026-05-12T00:21:16Z","parentId":"e8"}
{"type":"tool.execution_complete","data":{"toolCallId":"b","success":false,"error":{"message":"no"}},"id":"f0","timestamp":"2026-05-12T00:21:17Z","parentId":"e9"}
{"type":"assistant.usage","data":{"model":"gpt-4.1","inputTokens":100,"outputTokens":5,"cacheReadTokens":60},"id":"f1","timestamp":"2026-05-12T00:21:18Z","parentId":"f0"}
{"type":"session.compaction_complete","data":{"success":true,"preCompactionTokens":900,"summaryContent":"So far"},"id":"f2","timestamp":"2026-05-12T00:21:19Z","parentId":"f1"}
"#;

    #[test]
    fn events_are_read() {
        let sample = Sample::new("events.jsonl", LINES);
        assert!(sample.is_of(is_record));
        let found = sample.read(read).expect("events");
        found.check();
        let steps = "event system user assistant tool assistant b/assistant tool event compress:1";
        assert_eq!(found.steps(), steps);
        let facts = &found.facts;
        assert_eq!((facts.id.as_deref(), facts.cwd.as_deref()), (Some("c1"), Some("/w")));
        assert_eq!(facts.model.as_deref(), Some("gpt-4.1"));
        assert_eq!(found.text(2), "make it");
        assert!(found.text(3).contains(r#""name":"create","input":{"n":1.0}"#));
        assert!(found.text(4).contains(r#""tool_use_id":"a","content":"ok"}"#));
        assert!(found.text(7).contains(r#""content":"no","is_error":true"#));
        let usage = found.messages[8].usage.expect("told");
        assert_eq!((usage.input, usage.cache_read, usage.cache_write), (Some(40), Some(60), None));
    }

    #[test]
    fn cuts_and_growth() {
        lines_hold(read, is_record, "events.jsonl", LINES);
    }
}
