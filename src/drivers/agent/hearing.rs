//! What an agent prints: events, one JSON document a line, or plain text.
//!
//! Forms of events: Claude Code's `--output-format json` and `stream-json`, and Codex's `exec --json`.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::TurnEnd;
use crate::model::{NanoDollars, Usage};

/// Longest line that is read as an event, in bytes; of longer ones nothing is taken.
const LINE_MAX: usize = 8 << 20;
/// How much of plain text, and of the last words, is kept: its end, in bytes.
const TEXT_MAX: usize = 1 << 20;
/// Calls whose usage is told apart; further ones are added up as one.
const CALLS_MAX: usize = 100_000;

/// Is something that an agent did, as it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The kind of event, such as `assistant` or `item.completed`.
    pub kind: String,
    /// The tool that it calls.
    pub tool: Option<String>,
    /// The session that it is about.
    pub session: Option<String>,
}

/// Reads what an agent prints.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    /// The line that is not complete yet.
    line: Vec<u8>,
    /// Whether that line is too long.
    is_long: bool,
    /// Lines that are no events.
    plain: Vec<u8>,
    end: TurnEnd,
    /// Usage of each call, by the id of its message; the report with the highest output counts.
    calls: HashMap<String, Usage>,
    /// Usage of calls that have no id.
    nameless: Vec<Usage>,
    /// Usage of the whole, where the agent tells.
    whole: Option<Usage>,
    /// What it complained of; it may have gone on all the same.
    complaint: Option<String>,
}

/// Longest name of a session that is believed.
const SESSION_MAX: usize = 128;

/// Tells whether a text can be the name of an agent's session, and no option.
pub(super) fn is_session(text: &str) -> bool {
    text.len() <= SESSION_MAX
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

impl Hearing {
    /// Takes the next piece of what was printed.
    pub(super) fn take(&mut self, mut piece: &[u8], watch: &mut dyn FnMut(Heard)) {
        while let Some(at) = memchr::memchr(b'\n', piece) {
            self.add(&piece[..at]);
            self.end_line(watch);
            piece = &piece[at + 1..];
        }
        self.add(piece);
    }

    /// Returns what was heard, once all is printed, and what the agent complained of without giving up.
    pub(super) fn finish(mut self, watch: &mut dyn FnMut(Heard)) -> (TurnEnd, Option<String>) {
        if !self.line.is_empty() {
            self.end_line(watch);
        }
        let mut end = self.end;
        if end.text.is_empty() {
            end.text = String::from_utf8_lossy(&self.plain).trim().to_owned();
        }
        end.usage =
            self.whole.or_else(|| self.calls.into_values().chain(self.nameless).reduce(|one, other| one.plus(&other)));
        (end, self.complaint)
    }

    fn add(&mut self, bytes: &[u8]) {
        self.is_long |= self.line.len() + bytes.len() > LINE_MAX;
        if self.is_long {
            self.line.clear();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self, watch: &mut dyn FnMut(Heard)) {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.is_long) {
            return;
        }
        let documents: Vec<Event> = match line.trim_ascii_start().first() {
            Some(b'{') => serde_json::from_slice(&line).into_iter().collect(),
            // All events at once, as `--output-format json --verbose` prints them.
            Some(b'[') => serde_json::from_slice(&line).unwrap_or_default(),
            _ => Vec::new(),
        };
        let mut known = documents.into_iter().filter(|event| !event.kind.is_empty()).peekable();
        if known.peek().is_none() {
            self.plain.extend_from_slice(&line);
            self.plain.push(b'\n');
            self.plain.drain(..self.plain.len().saturating_sub(TEXT_MAX));
            return;
        }
        known.for_each(|event| self.hear(event, watch));
    }

    fn hear(&mut self, event: Event, watch: &mut dyn FnMut(Heard)) {
        let session = event.session_id.or(event.thread_id).filter(|session| is_session(session));
        if session.is_some() {
            self.end.session.clone_from(&session);
        }
        let mut tools = Vec::new();
        match event.kind.as_str() {
            "assistant" => {
                let message = Message::deserialize(event.message).unwrap_or_default();
                let is_own = event.parent_tool_use_id.is_none();
                if let Some(usage) = message.usage.map(Reported::read) {
                    if is_own {
                        self.end.context = usage.context();
                    }
                    self.note(message.id, usage);
                }
                if is_own {
                    self.end.model = message.model.or(self.end.model.take());
                }
                let blocks = message.content.as_array().map(Vec::as_slice).unwrap_or_default();
                for block in blocks {
                    match (block["type"].as_str(), block["name"].as_str(), block["text"].as_str()) {
                        (Some("tool_use"), Some(name), _) => tools.push(name.to_owned()),
                        (Some("text"), _, Some(text)) if is_own => self.say(text),
                        _ => {}
                    }
                }
            }
            "result" => {
                self.whole = event.usage.map(Reported::read).or(self.whole);
                self.end.cost = event.total_cost_usd.and_then(nanos).or(self.end.cost);
                let text = event.result.as_str().unwrap_or_default();
                if event.is_error == Some(true) {
                    let subtype = event.subtype.unwrap_or_default();
                    self.end.failure = Some(if text.is_empty() { subtype } else { super::said::beginning(text) });
                } else {
                    self.end.failure = None;
                    if !text.is_empty() {
                        self.say(text);
                    }
                }
            }
            "item.completed" => {
                let item = event.item.unwrap_or_default();
                let kind = item["type"].as_str().or(item["item_type"].as_str());
                match (kind, item["text"].as_str()) {
                    (Some("agent_message" | "assistant_message"), Some(text)) => self.say(text),
                    (Some(kind @ ("command_execution" | "file_change" | "web_search")), _) => {
                        tools.push(kind.to_owned())
                    }
                    (Some("mcp_tool_call"), _) => tools.extend(item["tool"].as_str().map(str::to_owned)),
                    _ => {}
                }
            }
            "turn.completed" => {
                self.end.failure = None;
                if let Some(usage) = event.usage.map(Reported::read_with_cached_inside) {
                    self.nameless.push(usage);
                }
            }
            "turn.failed" | "error" => {
                let said = event.error["message"].as_str().or(event.error.as_str()).or(event.message.as_str());
                let said = super::said::beginning(said.unwrap_or(&event.kind));
                // Codex tells of errors after which it goes on.
                match event.kind.as_str() {
                    "turn.failed" => self.end.failure = Some(said),
                    _ => self.complaint = Some(said),
                }
            }
            _ => {}
        }
        let kind = event.kind;
        if tools.is_empty() {
            watch(Heard { kind, tool: None, session });
        } else {
            tools.into_iter().for_each(|tool| {
                watch(Heard { kind: kind.clone(), tool: Some(tool), session: session.clone() });
            });
        }
    }

    /// Notes the last words so far.
    fn say(&mut self, text: &str) {
        let start = text.char_indices().map(|(at, _)| at).find(|at| text.len() - at <= TEXT_MAX).unwrap_or(0);
        text[start..].clone_into(&mut self.end.text);
    }

    /// Notes what one call used: a message is told more than once while it grows.
    fn note(&mut self, id: Option<String>, usage: Usage) {
        match id {
            Some(id) if self.calls.len() < CALLS_MAX || self.calls.contains_key(&id) => {
                let known = self.calls.entry(id).or_insert(usage);
                if usage.output > known.output {
                    *known = usage;
                }
            }
            _ => {
                let total = self.nameless.pop().map_or(usage, |known| known.plus(&usage));
                self.nameless.push(total);
            }
        }
    }
}

/// Is one event, of any agent; other members are passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    subtype: Option<String>,
    session_id: Option<String>,
    thread_id: Option<String>,
    parent_tool_use_id: Option<String>,
    /// A message of Claude Code, or the text of an error of Codex.
    message: Value,
    result: Value,
    is_error: Option<bool>,
    total_cost_usd: Option<f64>,
    usage: Option<Reported>,
    item: Option<Value>,
    error: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    id: Option<String>,
    model: Option<String>,
    usage: Option<Reported>,
    content: Value,
}

/// Holds usage as agents report it.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Reported {
    input_tokens: Option<u64>,
    cached_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    reasoning_output_tokens: Option<u64>,
}

impl Reported {
    fn read(self) -> Usage {
        Usage {
            input: self.input_tokens,
            cache_read: self.cache_read_input_tokens,
            cache_write: self.cache_creation_input_tokens,
            output: self.output_tokens,
            reasoning: self.reasoning_output_tokens,
        }
    }

    /// Reads usage whose input counts what came from a cache too.
    fn read_with_cached_inside(self) -> Usage {
        let cached = self.cached_input_tokens;
        let input = self.input_tokens.map(|input| input.saturating_sub(cached.unwrap_or(0)));
        Usage { input, cache_read: cached, ..self.read() }
    }
}

/// Reads dollars; what is no amount of money is unknown.
#[allow(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn nanos(dollars: f64) -> Option<NanoDollars> {
    let nanos = (dollars * 1e9).round();
    (0.0..9e18).contains(&nanos).then_some(NanoDollars(nanos as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(pieces: &[&str]) -> TurnEnd {
        let mut hearing = Hearing::default();
        pieces.iter().for_each(|piece| hearing.take(piece.as_bytes(), &mut |_| {}));
        hearing.finish(&mut |_| {}).0
    }

    #[test]
    fn a_stream_of_claude_code() {
        let end = hear(&[
            "{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"s1\"}\nnot json\n{\"type\":\"assistant\",\"message\":{\"id\":\"m1\",\"model\":\"c\",",
            "\"usage\":{\"input_tokens\":10,\"output_tokens\":2,\"cache_read_input_tokens\":5},\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}}\n",
            "{\"type\":\"assistant\",\"message\":{\"id\":\"m1\",\"usage\":{\"input_tokens\":10,\"output_tokens\":7,\"cache_read_input_tokens\":5}}}\n",
            "{\"type\":\"assistant\",\"parent_tool_use_id\":\"t\",\"message\":{\"id\":\"m2\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}",
        ]);
        assert_eq!((end.session.as_deref(), end.model.as_deref(), end.text.as_str()), (Some("s1"), Some("c"), "hi"));
        let usage = end.usage.expect("reported");
        assert_eq!((usage.input, usage.output, usage.cache_read, end.context), (Some(13), Some(8), Some(5), Some(15)));
        let whole = "{\"type\":\"result\",\"result\":\"bye\",\"total_cost_usd\":0.0123,\"usage\":{\"input_tokens\":20,\"output_tokens\":4}}";
        let end = hear(&["{\"type\":\"assistant\",\"message\":{\"usage\":{\"input_tokens\":1}}}\n", whole]);
        assert_eq!((end.text.as_str(), end.cost), ("bye", Some(NanoDollars(12_300_000))));
        assert_eq!(end.usage.and_then(|usage| usage.input), Some(20));
    }

    #[test]
    fn a_stream_of_codex() {
        let end = hear(&["{\"type\":\"thread.started\",\"thread_id\":\"t1\"}\n\
            {\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"done\"}}\n\
            {\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":30,\"cached_input_tokens\":10,\"output_tokens\":2}}\n"]);
        assert_eq!((end.session.as_deref(), end.text.as_str()), (Some("t1"), "done"));
        let usage = end.usage.expect("reported");
        assert_eq!((usage.input, usage.cache_read), (Some(20), Some(10)));
        let failed = hear(&["{\"type\":\"turn.failed\",\"error\":{\"message\":\"stream disconnected\"}}"]);
        assert_eq!(failed.failure.as_deref(), Some("stream disconnected"));
        let went_on = hear(&["{\"type\":\"error\",\"message\":\"429\"}\n{\"type\":\"turn.completed\"}"]);
        assert_eq!(went_on.failure, None);
        let odd = hear(&["{\"type\":\"thread.started\",\"thread_id\":\"--dangerous\"}"]);
        assert_eq!(odd.session, None, "a name that is an option is none");
    }

    #[test]
    fn anything_else_is_text() {
        assert_eq!(hear(&["{\"a\":1}\nplain\n"]).text, "{\"a\":1}\nplain");
        assert_eq!(hear(&[&"x".repeat(LINE_MAX + 1), "\nrest"]).text, "rest");
        assert_eq!(
            hear(&["{\"type\":\"result\",\"is_error\":true,\"subtype\":\"error_max_turns\"}"]).failure.as_deref(),
            Some("error_max_turns")
        );
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(hear(&[&deep]).text.len(), 200_000);
    }
}
