//! Messages as the APIs of Anthropic and OpenAI take them: one a line, one JSON list, or one object with `messages`.
//!
//! Shapes may be mixed: messages of Anthropic's, of Chat Completions, items of the Responses API, and what
//! `git trace context --as jsonl` writes, whose entries keep their ids. A body is the content in its own bytes, or the
//! whole object where more than the content matters. What is no message is an event.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::value::RawValue;

use super::bounded::{each_line, read_text, stem};
use super::claude::json;
use super::members::Members;
use super::outlet::{Outlet, Source};
use super::{Agent, CaptureError, Routed, SessionFacts};
use crate::codec::tool_ids;
use crate::model::{BodyKind, Message, Role, Step, Usage};

/// Reads a file of messages.
///
/// # Errors
/// When it cannot be read, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let mut reader = Reader { outlet: Outlet::new(Agent::Jsonl, stem(path), sink), number: 0 };
    let mut is_document = false;
    each_line(path, &mut |line| {
        let members = line.text.and_then(Members::parse);
        let is_first = reader.number == 0;
        is_document = is_first && members.as_ref().is_none_or(|members| members.get("messages").is_some());
        match (line.text, members) {
            _ if is_document => return ControlFlow::Break(()),
            (Some(text), Some(members)) => reader.take(text, &members),
            _ => reader.outlet.broken(),
        }
        reader.outlet.flow()
    })?;
    if is_document {
        let text = read_text(Agent::Jsonl, path)?;
        let format = |reason: &str| CaptureError::Format { agent: Agent::Jsonl, reason: reason.to_owned() };
        let list = match Members::parse(&text) {
            Some(document) => {
                reader.document(&document);
                document.get("messages").and_then(|list| json::elements(list.get()))
            }
            None => json::elements(text.trim_ascii()),
        };
        for raw in list.ok_or_else(|| format("it is neither lines of messages nor a list of them"))? {
            match Members::of(raw) {
                Some(members) => reader.take(raw.get(), &members),
                None => reader.outlet.broken(),
            }
        }
    }
    reader.outlet.finish()
}

struct Reader<'s> {
    outlet: Outlet<'s>,
    number: u64,
}

impl Reader<'_> {
    /// Reads what a document says beside its messages: a request of Anthropic's has its instructions there.
    fn document(&mut self, document: &Members<'_>) {
        let id = document.name("session_id").or_else(|| document.name("sessionId")).or_else(|| document.name("id"));
        self.outlet.set_id(id);
        let facts = &mut self.outlet.facts;
        facts.model = document.name("model");
        facts.title = document.name("title");
        facts.cwd = document.name("cwd");
        if let Some(system) = document.get("system") {
            let mut draft = self.outlet.draft(Source::At(0, system.get()), Role::System);
            (draft.kind, draft.body) = body(system);
            self.hand_out(draft);
        }
    }

    fn take(&mut self, text: &str, message: &Members<'_>) {
        self.number += 1;
        let time = message.time("timestamp").or_else(|| message.time("created_at"));
        let kind = message.text("type");
        let kind = kind.as_deref().unwrap_or("message");
        let role = match (message.text("role").as_deref(), kind) {
            (Some("developer"), _) => Some(Role::System),
            (Some("function"), _) => Some(Role::Tool),
            (Some(role), _) => Some(Role::from_name(role)).filter(|role| !matches!(role, Role::Other(_))),
            (None, "reasoning") => Some(Role::Assistant),
            (None, kind) if kind.ends_with("_call_output") => Some(Role::Tool),
            (None, kind) if kind.ends_with("_call") => Some(Role::Assistant),
            _ => None,
        };
        let own = message.name("id").filter(|_| message.get("role").is_none() || message.get("position").is_none());
        let source = match &own {
            Some(id) => Source::Local(id),
            None => Source::At(self.number, text),
        };
        let Some(role) = role else { return self.outlet.event(source, time, text) };
        let is_ours = message.get("position").is_some() && message.get("kind").is_some();
        let content = message.get("content");
        let mut draft = self.outlet.draft(source, role);
        draft.time = time;
        match content {
            Some(content) if is_ours => {
                if let Some(id) = message.text("id").and_then(|id| id.parse().ok()) {
                    draft.id = id;
                }
                (draft.kind, draft.body) = match message.text("kind").as_deref() {
                    Some("text") => body(content),
                    _ => (BodyKind::Json, content.get().as_bytes().to_vec()),
                };
            }
            Some(content) if !is_whole(message, kind) => (draft.kind, draft.body) = body(content),
            _ => draft.body = text.as_bytes().to_vec(),
        }
        if draft.role == Role::Assistant {
            draft.model = message.name("model").or_else(|| self.outlet.facts.model.clone());
            draft.usage = message.get("usage").and_then(Members::of).map(|usage| usage_of(&usage));
        }
        self.hand_out(draft);
    }

    fn hand_out(&mut self, mut message: Message) {
        if message.kind == BodyKind::Json && message.role.is_sent() {
            let ids = tool_ids(&message.body);
            self.outlet.facts.tool_calls += ids.calls.len() as u64;
            self.outlet.facts.tool_results += ids.results.len() as u64;
            if message.role == Role::User && !ids.results.is_empty() {
                message.role = Role::Tool;
            }
            let ids = ids.calls.into_iter().chain(ids.results).filter(|id| id.len() <= 200);
            message.fields.extend(ids.map(|id| ("call".to_owned(), id)));
        }
        let facts = &mut self.outlet.facts;
        facts.prompts += u64::from(message.role == Role::User);
        facts.replies += u64::from(message.role == Role::Assistant);
        facts.started = facts.started.or(message.time);
        facts.model = message.model.clone().or_else(|| facts.model.take());
        self.outlet.step(Step::Append(message));
    }
}

/// Tells whether more than a message's content matters to a model.
fn is_whole(message: &Members<'_>, kind: &str) -> bool {
    const MATTERS: [&str; 6] = ["tool_calls", "tool_call_id", "function_call", "name", "refusal", "reasoning_content"];
    kind != "message" || MATTERS.iter().any(|name| message.get(name).is_some())
}

fn body(content: &RawValue) -> (BodyKind, Vec<u8>) {
    match json::text(Some(content)) {
        Some(text) => (BodyKind::Text, text.into_owned().into_bytes()),
        None => (BodyKind::Json, content.get().as_bytes().to_vec()),
    }
}

/// Reads what a provider reported: OpenAI's input includes what was cached, Anthropic's does not.
fn usage_of(usage: &Members<'_>) -> Usage {
    let details = |name: &str, count: &str| usage.object(name).count(count);
    let cached =
        details("prompt_tokens_details", "cached_tokens").or_else(|| details("input_tokens_details", "cached_tokens"));
    let is_chat = usage.get("prompt_tokens").is_some();
    let input = usage.count(if is_chat { "prompt_tokens" } else { "input_tokens" });
    Usage {
        input: input.map(|input| input.saturating_sub(cached.unwrap_or(0))),
        cache_read: cached.or_else(|| usage.count("cache_read_input_tokens")),
        cache_write: usage.count("cache_creation_input_tokens"),
        output: usage.count(if is_chat { "completion_tokens" } else { "output_tokens" }),
        reasoning: details("completion_tokens_details", "reasoning_tokens")
            .or_else(|| details("output_tokens_details", "reasoning_tokens")),
    }
}

#[cfg(test)]
mod tests;
