//! Traces of OpenTelemetry in a database: spans, with what they say in `span_attributes`.
//!
//! The span of a call of the model holds all that was sent (`gen_ai.input.messages`) and the answer. Of what was sent,
//! only what is behind the end of the last call is new; the answers come from their own spans, with their usage. Where
//! the client wrote its context anew, what was not seen before is taken. Calls that belong to no chat session (titles,
//! progress messages) are nobody's context. One trace database holds many sessions.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::value::RawValue;

use super::events::cached_within;
use crate::capture::claude::json::elements;
use crate::capture::compose::Blocks;
use crate::capture::members::Members;
use crate::capture::outlet::{Outlet, Source};
use crate::capture::selected::Selected;
use crate::capture::{Agent, CaptureError, Routed, SessionFacts, database};
use crate::model::{Role, Time};

const SESSIONS: &str = "SELECT chat_session_id FROM spans WHERE operation_name = 'chat' AND chat_session_id IS NOT NULL \
                        GROUP BY chat_session_id ORDER BY min(start_time_ms), chat_session_id";
const SPANS: &str = "SELECT span_id, start_time_ms, end_time_ms, coalesce(response_model, request_model), input_tokens, \
                     output_tokens, cached_tokens, reasoning_tokens, \
                     (SELECT value FROM span_attributes AS a WHERE a.span_id = s.span_id AND key = 'gen_ai.input.messages'), \
                     (SELECT value FROM span_attributes AS a WHERE a.span_id = s.span_id AND key = 'gen_ai.output.messages') \
                     FROM spans AS s WHERE operation_name = 'chat' AND chat_session_id = ?1 \
                     ORDER BY start_time_ms, span_id";

/// Lists the sessions, oldest first.
pub(super) fn sessions(path: &Path) -> Result<Vec<String>, CaptureError> {
    database::read(Agent::Copilot, path, &mut |rows| {
        let mut found = Vec::new();
        if rows.has("spans")? && rows.has("span_attributes")? {
            rows.each(SESSIONS, &[], &mut |row| found.extend(row[0].clone()))?;
        }
        Ok(found)
    })
}

/// One call of the model.
struct Span {
    id: String,
    start: Option<Time>,
    end: Option<Time>,
    model: Option<String>,
    counts: [Option<u64>; 4],
    input: Option<String>,
    output: Option<String>,
}

/// Reads a session.
pub(super) fn read(
    selected: &Selected,
    sink: &mut dyn FnMut(Routed) -> ControlFlow<()>,
) -> Result<SessionFacts, CaptureError> {
    let session = selected.pick(Agent::Copilot, &sessions(&selected.path)?)?;
    let outlet = Outlet::new(Agent::Copilot, session.clone().unwrap_or_default(), sink);
    let Some(session) = session else { return outlet.finish() };
    let (spans, broken) = database::read(Agent::Copilot, &selected.path, &mut |rows| {
        let mut spans = Vec::new();
        rows.each(SPANS, &[&session], &mut |row| spans.extend(span(row)))?;
        Ok((spans, rows.broken))
    })?;
    let mut reader = Reader { outlet, known: Vec::new(), seen: HashMap::new() };
    reader.outlet.facts.broken += broken;
    for span in &spans {
        if reader.outlet.is_stopped() {
            break;
        }
        reader.take(span);
    }
    reader.outlet.finish()
}

fn span(row: &[Option<String>]) -> Option<Span> {
    let number = |place: usize| row[place].as_deref().and_then(|text| text.parse::<f64>().ok());
    let time = |place: usize| number(place).map(|millis| Time::from_millis(millis as i64));
    let count = |place: usize| row[place].as_deref().and_then(|text| text.parse().ok());
    Some(Span {
        id: row[0].clone()?,
        start: time(1),
        end: time(2),
        model: row[3].clone(),
        counts: [count(4), count(5), count(6), count(7)],
        input: row[8].clone(),
        output: row[9].clone(),
    })
}

struct Reader<'s> {
    outlet: Outlet<'s>,
    /// The roles of what the last call was sent, and of its answer.
    known: Vec<String>,
    /// How often a message came up.
    seen: HashMap<blake3::Hash, usize>,
}

impl Reader<'_> {
    fn take(&mut self, span: &Span) {
        let list =
            |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str::<Box<RawValue>>(text).ok());
        match list(&span.input).as_deref().and_then(|raw| elements(raw.get())) {
            Some(messages) => self.sent(&messages, span),
            None => self.outlet.broken(),
        }
        match list(&span.output).as_deref().and_then(|raw| elements(raw.get())) {
            Some(answers) => answers.into_iter().for_each(|raw| self.answer(raw, span)),
            None => self.outlet.broken(),
        }
    }

    /// Hands out what is new in what the model was sent.
    fn sent(&mut self, messages: &[&RawValue], span: &Span) {
        let is_first = self.known.is_empty();
        let roles: Vec<String> = messages
            .iter()
            .map(|raw| Members::of(raw).and_then(|message| message.name("role")).unwrap_or_default())
            .collect();
        let same = roles.iter().zip(&self.known).take_while(|(now, before)| now == before).count();
        let is_rewritten = same < self.known.len();
        let mut counts: HashMap<blake3::Hash, usize> = HashMap::new();
        for (place, raw) in messages.iter().enumerate() {
            let hash = blake3::hash(raw.get().as_bytes());
            let count = counts.entry(hash).or_default();
            *count += 1;
            let is_seen = self.seen.get(&hash).is_some_and(|seen| seen >= count);
            let is_answer = roles[place] == "assistant" && !is_first;
            if place >= same && !is_answer && !(is_rewritten && is_seen) {
                self.message(raw, place as u64, span.start);
            }
        }
        for (hash, count) in counts {
            let seen = self.seen.entry(hash).or_default();
            *seen = count.max(*seen);
        }
        self.known = roles;
    }

    fn message(&mut self, raw: &RawValue, place: u64, time: Option<Time>) {
        let Some(message) = Members::of(raw) else { return self.outlet.broken() };
        let source = Source::At(place, raw.get());
        let mut blocks = Blocks::default();
        message.list("parts").into_iter().for_each(|part| add(&mut blocks, part));
        let role = match message.text("role").as_deref() {
            Some("system" | "developer") => Role::System,
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("tool") => Role::Tool,
            _ => return self.outlet.event(source, time, raw.get()),
        };
        let mut draft = self.outlet.draft(source, role);
        draft.time = time;
        self.outlet.say(draft, blocks);
    }

    fn answer(&mut self, raw: &RawValue, span: &Span) {
        let Some(message) = Members::of(raw) else { return self.outlet.broken() };
        let mut blocks = Blocks::default();
        message.list("parts").into_iter().for_each(|part| add(&mut blocks, part));
        let mut draft = self.outlet.draft(Source::Local(&span.id), Role::Assistant);
        draft.time = span.end;
        draft.model.clone_from(&span.model);
        let [input, output, cached, reasoning] = span.counts;
        let mut usage = cached_within(input, cached, None, output);
        usage.reasoning = reasoning;
        draft.usage = span.counts.iter().any(Option::is_some).then_some(usage);
        self.outlet.say(draft, blocks);
        self.known.push("assistant".to_owned());
    }
}

fn add(blocks: &mut Blocks, raw: &RawValue) {
    let part = Members::of(raw).unwrap_or_default();
    match part.text("type").as_deref() {
        Some("text") => blocks.text(part.get("content")),
        Some("reasoning") => blocks.thinking(part.get("content"), None),
        Some("tool_call") => match part.name("id") {
            Some(id) => blocks.call(&id, &part.name("name").unwrap_or_default(), part.get("arguments")),
            None => blocks.other("tool_call", raw),
        },
        Some("tool_call_response") => match part.name("id") {
            Some(id) => blocks.result(&id, part.get("response").or_else(|| part.get("result")), false),
            None => blocks.other("tool_call_response", raw),
        },
        kind => blocks.other(kind.unwrap_or("part"), raw),
    }
}

#[cfg(test)]
mod tests {
    use crate::capture::copilot::{is_record, read, sessions};
    use crate::capture::reader_tests::found;
    use rusqlite::Connection;

    const USER: &str = r#"{"role":"user","parts":[{"type":"text","content":"Go on"}]}"#;
    const CALL: &str =
        r#"{"role":"assistant","parts":[{"type":"tool_call","id":"a","name":"ls","arguments":"{\"n\":1.0}"}]}"#;
    const TOOL: &str = r#"{"role":"tool","parts":[{"type":"tool_call_response","id":"a","response":"x"}]}"#;
    const DONE: &str = r#"{"role":"assistant","parts":[{"type":"text","content":"Done"}]}"#;

    #[test]
    fn sessions_are_read_from_what_the_model_was_sent() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("traces.db");
        let writer = Connection::open(&path).expect("a database");
        writer
            .execute_batch(
                "CREATE TABLE spans (span_id TEXT, start_time_ms INTEGER, end_time_ms INTEGER, operation_name TEXT, \
                 request_model TEXT, response_model TEXT, input_tokens INTEGER, output_tokens INTEGER, cached_tokens INTEGER, \
                 reasoning_tokens INTEGER, chat_session_id TEXT); \
                 CREATE TABLE span_attributes (span_id TEXT, key TEXT, value TEXT);",
            )
            .expect("tables");
        let add = |id: &str, at: i64, session: Option<&str>, input: &[&str], output: &str| {
            let values = rusqlite::params![id, at, session];
            let text = "INSERT INTO spans VALUES (?1, ?2, ?2 + 5, 'chat', 'gpt', NULL, 100, 7, 60, NULL, ?3)";
            writer.execute(text, values).expect("a span");
            for (key, list) in [("input", input.join(",")), ("output", output.to_owned())] {
                let values = [id, &format!("gen_ai.{key}.messages"), &format!("[{list}]")];
                writer.execute("INSERT INTO span_attributes VALUES (?1, ?2, ?3)", values).expect("said");
            }
        };
        add("s1", 10, Some("one"), &[USER], CALL);
        add("t1", 11, None, &[USER], DONE);
        add("s2", 20, Some("one"), &[USER, CALL, TOOL], DONE);
        let before = found(&path, read).expect("one session");
        add("s3", 30, Some("one"), &[USER, CALL, TOOL, DONE, USER], DONE);
        add("x1", 40, Some("two"), &[USER], DONE);
        drop(writer);
        assert!(is_record(&path, &std::fs::read(&path).expect("there")));
        assert_eq!(sessions(&path).expect("two"), ["one", "two"]);
        assert!(read(&path, &mut |_| std::ops::ControlFlow::Continue(())).is_err(), "which of them?");
        let one = found(&path.join("one"), read).expect("the first");
        one.check();
        assert_eq!(one.roles(), "user assistant tool assistant user assistant");
        let ids =
            |found: &crate::capture::reader_tests::Found| found.messages.iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(ids(&before)[..], ids(&one)[..4]);
        let usage = one.messages[1].usage.expect("told");
        assert_eq!((usage.input, usage.cache_read, usage.output), (Some(40), Some(60), Some(7)));
        assert_eq!(found(&path.join("two"), read).expect("the second").roles(), "user assistant");
    }
}
