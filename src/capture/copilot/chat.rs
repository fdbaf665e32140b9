//! Chat sessions of VS Code: requests, each with what was asked and what came of it.
//!
//! What the model saw is in the request's `result.metadata`: the rendered question, and the rounds of answers with
//! their tool calls and results. Where that is missing, the question as it was typed and the answer as it was shown are
//! taken. Edits and errors are events; the rest of the answer's parts is the display's. A request tells the tokens of
//! its last call; which of them were cached, it does not tell.

use std::ops::ControlFlow;
use std::path::Path;

use super::rendered;
use crate::capture::bounded::{read_text, stem};
use crate::capture::compose::Blocks;
use crate::capture::members::Members;
use crate::capture::outlet::{Outlet, Place, Source, push};
use crate::capture::{Agent, CaptureError, Routed, SessionFacts};
use crate::model::{Role, Time, Usage};

/// Reads a session that is one JSON object.
pub(super) fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let text = read_text(Agent::Copilot, path)?;
    say_all(&text, Outlet::new(Agent::Copilot, stem(path), sink))
}

/// Hands out a session.
pub(super) fn say_all(text: &str, mut outlet: Outlet<'_>) -> Result<SessionFacts, CaptureError> {
    let session = Members::parse(text).ok_or_else(|| CaptureError::Format {
        agent: Agent::Copilot,
        reason: "a chat session that is no object".to_owned(),
    })?;
    outlet.set_id(session.name("sessionId"));
    outlet.facts.title = session.name("customTitle");
    outlet.facts.started = session.time("creationDate");
    outlet.facts.model = model_of(session.object("inputState").object("selectedModel").name("identifier"));
    outlet.each(session.list("requests"), &mut |outlet, request, place| Request::new(request, place).say(outlet));
    outlet.finish()
}

/// Names a model without its vendor; `auto` names none.
fn model_of(name: Option<String>) -> Option<String> {
    let name = name?;
    Some(name.strip_prefix("copilot/").unwrap_or(&name).to_owned()).filter(|name| name != "auto")
}

struct Request<'a> {
    id: String,
    time: Option<Time>,
    model: Option<String>,
    members: &'a Members<'a>,
    metadata: Members<'a>,
}

impl<'a> Request<'a> {
    fn new(members: &'a Members<'a>, place: Place<'_>) -> Self {
        let metadata = members.object("result").object("metadata");
        let id = members.name("requestId").unwrap_or_else(|| format!("request-{}", place.number));
        Request { id, time: members.time("timestamp"), model: model_of(members.name("modelId")), members, metadata }
    }

    fn say(&self, outlet: &mut Outlet<'_>) {
        self.ask(outlet);
        let rounds = self.metadata.list("toolCallRounds");
        let last = rounds.len().saturating_sub(1);
        for (nth, round) in rounds.iter().enumerate() {
            match Members::of(round) {
                Some(round) => self.round(outlet, &round, nth, nth == last),
                None => outlet.broken(),
            }
        }
        if rounds.is_empty() {
            self.shown(outlet);
        }
        for (nth, part) in self.members.list("response").into_iter().enumerate() {
            let kind = Members::of(part).and_then(|part| part.name("kind")).unwrap_or_default();
            if matches!(&*kind, "textEditGroup" | "notebookEditGroup" | "warning" | "questionCarousel") {
                outlet.event(Source::Local(&format!("{}:{kind}:{nth}", self.id)), self.time, part.get());
            }
        }
        if let Some(error) = self.members.object("result").get("errorDetails") {
            outlet.event(Source::Local(&format!("{}:error", self.id)), self.time, error.get());
        }
    }

    fn ask(&self, outlet: &mut Outlet<'_>) {
        let mut blocks = Blocks::default();
        let texts = rendered::message(self.metadata.get("renderedGlobalContext"));
        texts.into_iter().for_each(|text| blocks.text(Some(text)));
        let mut draft = outlet.draft(Source::Local(&format!("{}:context", self.id)), Role::User);
        draft.time = self.time;
        push(&mut draft, "meta", Some("1"));
        outlet.say(draft, blocks);
        let mut blocks = Blocks::default();
        let texts = rendered::message(self.metadata.get("renderedUserMessage"));
        texts.into_iter().for_each(|text| blocks.text(Some(text)));
        if blocks.is_empty() {
            blocks.text(self.members.object("message").get("text"));
        }
        let mut draft = outlet.draft(Source::Local(&self.id), Role::User);
        draft.time = self.time;
        outlet.say(draft, blocks);
    }

    fn round(&self, outlet: &mut Outlet<'_>, round: &Members<'_>, nth: usize, is_last: bool) {
        let id = round.name("id").unwrap_or_else(|| format!("{}:round:{nth}", self.id));
        let source = Source::Local(&id);
        let mut blocks = Blocks::default();
        let thinking = round.object("thinking");
        blocks.thinking(thinking.get("text"), None);
        blocks.text(round.get("response"));
        for (nth, call) in round.list("toolCalls").into_iter().enumerate() {
            let call = Members::of(call).unwrap_or_default();
            let id = call.name("id").unwrap_or_else(|| outlet.call_id(source, nth));
            blocks.call(&id, &call.name("name").unwrap_or_default(), call.get("arguments"));
        }
        let calls = blocks.calls.clone();
        self.answer(outlet, source, blocks, is_last);
        let results = self.metadata.object("toolCallResults");
        for call in calls {
            let Some(result) = results.get(&call) else { continue };
            let mut blocks = Blocks::default();
            match rendered::result(result) {
                Some(content) => blocks.quoted_result(&call, &content, false),
                None => blocks.result(&call, Some(result), false),
            }
            let draft = outlet.draft(Source::Local(&format!("result:{call}")), Role::Tool);
            outlet.say(draft, blocks);
        }
    }

    /// Hands out an answer of which only what was shown is kept.
    fn shown(&self, outlet: &mut Outlet<'_>) {
        let mut words = String::new();
        let mut blocks = Blocks::default();
        for part in self.members.list("response") {
            let Some(part) = Members::of(part) else { continue };
            match part.text("kind").as_deref() {
                None => words.push_str(&part.text("value").unwrap_or_default()),
                Some("markdownContent") => words.push_str(&part.object("content").text("value").unwrap_or_default()),
                Some("inlineReference") => {
                    let reference = part.object("inlineReference");
                    let path = reference.text("path").unwrap_or_default();
                    let name =
                        part.text("name").unwrap_or_else(|| path.rsplit('/').next().unwrap_or("").to_owned().into());
                    words.push_str(&format!("`{name}`"));
                }
                Some("thinking") => blocks.thinking(part.get("value"), None),
                _ => {}
            }
        }
        blocks.words(&words);
        let id = self.members.name("responseId").unwrap_or_else(|| format!("{}:response", self.id));
        self.answer(outlet, Source::Local(&id), blocks, true);
    }

    fn answer(&self, outlet: &mut Outlet<'_>, source: Source<'_>, blocks: Blocks, is_last: bool) {
        let mut draft = outlet.draft(source, Role::Assistant);
        draft.time = self.time;
        draft.model.clone_from(&self.model);
        let usage = self.members.object("result").object("usage");
        let usage =
            Usage { input: usage.count("promptTokens"), output: usage.count("completionTokens"), ..Usage::default() };
        draft.usage = Some(usage).filter(|usage| is_last && *usage != Usage::default());
        outlet.say(draft, blocks);
    }
}

#[cfg(test)]
mod tests {
    use crate::capture::copilot::{is_record, read};
    use crate::capture::reader_tests::{Sample, growth_keeps_ids};

    const SESSION: &str = r#"{"version":3,"sessionId":"v1","customTitle":"T","creationDate":1770580242421,"requests":[
{"requestId":"r1","timestamp":1770580257491,"modelId":"copilot/gpt-4o","message":{"text":"Add it","parts":[]},"response":[{"kind":"textEditGroup","edits":[]},{"kind":"undoStop"}],
"result":{"metadata":{"renderedUserMessage":[{"type":1,"text":"<context>\nAdd it"},{"type":3,"cacheType":"ephemeral"}],"renderedGlobalContext":[{"type":1,"text":"macOS"}],
"toolCallRounds":[{"response":"","toolCalls":[{"name":"read","arguments":"{\"n\":1.0}","id":"a"}],"id":"q1"},{"response":"Done","toolCalls":[],"id":"q2"}],
"toolCallResults":{"a":{"content":[{"value":"x"}]}}},"usage":{"promptTokens":9723,"completionTokens":33}}},
{"requestId":"r2","modelId":"copilot/auto","message":{"text":"More"},"responseId":"s2","response":[{"value":"See "},{"kind":"inlineReference","inlineReference":{"path":"/w/it.ts"}},{"value":"."}],"result":{"errorDetails":{"message":"no"}}}]}"#;

    #[test]
    fn a_chat_session_is_read() {
        let sample = Sample::new("v1.json", SESSION);
        assert!(sample.is_of(is_record));
        let found = sample.read(read).expect("a session");
        found.check();
        assert_eq!(found.roles(), "user user assistant tool assistant event user assistant event");
        assert_eq!((found.text(0), found.text(1)), ("macOS".to_owned(), "<context>\nAdd it".to_owned()));
        assert!(found.text(2).contains(r#""input":{"n":1.0}"#));
        assert_eq!(found.text(7), "See `it.ts`.");
        let usage = found.messages[4].usage.expect("of the last call");
        assert_eq!((usage.input, usage.cache_read, usage.output), (Some(9723), None, Some(33)));
        assert_eq!((found.messages[2].usage, found.messages[7].model.clone()), (None, None));
        assert_eq!(found.facts.model.as_deref(), Some("gpt-4o"));
    }

    #[test]
    fn cuts_and_growth() {
        let whole = Sample::new("v1.json", SESSION);
        whole.survives_cuts(read, is_record);
        let end = SESSION.find(",\n{\"requestId\":\"r2\"").expect("there");
        growth_keeps_ids(read, &Sample::new("v1.json", &format!("{}]}}", &SESSION[..end])), &whole);
    }
}
