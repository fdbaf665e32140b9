//! Gemini CLI's sessions: one JSON document, or, from newer versions, JSONL files that grow by lines.
//!
//! The lines hold the session's facts, messages, changes of the facts (`$set`) and rewinds (`$rewindTo`: the message
//! named and all after it are gone; what follows goes to a branch). A message that changed is written once more: its
//! last form holds, at the place of its first. A tool's result is an entry of its own, at the place where the call
//! first had one. What the program tells the user (`info`, `warning`, `error`) is an event.
//!
//! `tokens.input` includes `cached`, and `output` does not include `thoughts`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::value::RawValue;

use super::bounded::{each_line, read_text, stem};
use super::claude::json;
use super::compose::Blocks;
use super::members::Members;
use super::outlet::{Outlet, Source};
use super::{Agent, CaptureError, Routed, SessionFacts};
use crate::model::{EntryId, Role, Step, Usage};

/// Reads a session.
///
/// # Errors
/// When it cannot be read, or the receiver breaks off.
pub fn read(path: &Path, sink: &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError> {
    let mut reader = Reader {
        outlet: Outlet::new(Agent::Gemini, stem(path), sink),
        slots: Vec::new(),
        messages: Vec::new(),
        places: HashMap::new(),
        results: HashSet::new(),
        is_subagent: false,
    };
    let mut is_lines = true;
    let mut number = 0;
    each_line(path, &mut |line| {
        let members = line.text.and_then(Members::parse);
        // A document that is written over several lines begins with a line that is no object.
        is_lines = number > 0 || members.as_ref().is_some_and(|members| members.get("messages").is_none());
        number += 1;
        match members {
            Some(members) if is_lines => reader.take_line(line.text.unwrap_or_default(), &members),
            None if is_lines => reader.outlet.broken(),
            _ => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    })?;
    if !is_lines {
        let text = read_text(Agent::Gemini, path)?;
        let format = |reason: &str| CaptureError::Format { agent: Agent::Gemini, reason: reason.to_owned() };
        let session = Members::parse(&text).ok_or_else(|| format("it is no JSON object"))?;
        if session.get("messages").is_none() {
            return Err(format("it has no messages"));
        }
        reader.facts(&session);
        session.list("messages").into_iter().for_each(|message| reader.take_message(message.get()));
    }
    reader.finish(path)
}

/// What the lines say, in their order.
enum Slot {
    /// The message with this number.
    Message(usize),
    /// The result of a call of that message.
    Result(usize, usize),
    /// Back to before the message with this id.
    Rewind(String),
}

struct Reader<'s> {
    outlet: Outlet<'s>,
    slots: Vec<Slot>,
    /// The messages in their last form.
    messages: Vec<String>,
    /// Where each id's message is.
    places: HashMap<String, usize>,
    results: HashSet<(usize, usize)>,
    is_subagent: bool,
}

impl Reader<'_> {
    fn facts(&mut self, session: &Members<'_>) {
        self.outlet.set_id(session.name("sessionId"));
        let facts = &mut self.outlet.facts;
        facts.started = session.time("startTime").or(facts.started);
        facts.title = session.name("summary").or_else(|| facts.title.take());
        if let Some(folder) = session.list("directories").first() {
            facts.cwd = json::text(Some(folder)).map(Cow::into_owned);
        }
        self.is_subagent |= session.text("kind").as_deref() == Some("subagent");
    }

    fn take_line(&mut self, text: &str, line: &Members<'_>) {
        if let Some(id) = line.name("$rewindTo") {
            self.slots.push(Slot::Rewind(id));
            self.places.clear();
        } else if line.get("id").is_some() {
            self.take_message(text);
        } else if let Some(set) = line.get("$set").and_then(Members::of) {
            self.facts(&set);
            set.list("messages").into_iter().for_each(|message| self.take_message(message.get()));
        } else {
            self.facts(line);
        }
    }

    fn take_message(&mut self, text: &str) {
        let Some(members) = Members::parse(text) else { return self.outlet.broken() };
        let known = members.name("id").and_then(|id| self.places.get(&id).copied());
        let nth = match known {
            Some(nth) => nth,
            None => {
                let nth = self.messages.len();
                self.messages.push(String::new());
                self.slots.push(Slot::Message(nth));
                self.places.extend(members.name("id").map(|id| (id, nth)));
                nth
            }
        };
        text.clone_into(&mut self.messages[nth]);
        for (call, raw) in members.list("toolCalls").into_iter().enumerate() {
            let has_result = Members::of(raw).is_some_and(|call| call.get("result").is_some());
            if has_result && self.results.insert((nth, call)) {
                self.slots.push(Slot::Result(nth, call));
            }
        }
    }

    fn finish(mut self, path: &Path) -> Result<SessionFacts, CaptureError> {
        if self.is_subagent {
            let folder = path.parent().and_then(Path::file_name);
            self.outlet.facts.parent = folder.map(|folder| folder.to_string_lossy().into_owned());
        }
        let messages = std::mem::take(&mut self.messages);
        // The entries of the branch that messages go to now, with the ids of their messages.
        let mut line: Vec<(String, EntryId)> = Vec::new();
        let mut rewinds = 0;
        for slot in std::mem::take(&mut self.slots) {
            match slot {
                Slot::Message(nth) => {
                    let message = Members::parse(&messages[nth]).unwrap_or_default();
                    let entry = self.message(&messages[nth], &message, nth);
                    line.extend(entry.map(|entry| (message.name("id").unwrap_or_default(), entry)));
                }
                Slot::Result(nth, call) => {
                    let message = Members::parse(&messages[nth]).unwrap_or_default();
                    let entry = self.result(&message, nth, call);
                    line.extend(entry.map(|entry| (message.name("id").unwrap_or_default(), entry)));
                }
                Slot::Rewind(id) => {
                    let at = line.iter().position(|(message, _)| *message == id).unwrap_or(0);
                    line.truncate(at);
                    rewinds += 1;
                    let after = line.last().map(|(_, entry)| *entry);
                    self.outlet.step(Step::Fork { branch: format!("rewind-{rewinds}"), after });
                }
            }
        }
        self.outlet.finish()
    }

    fn message(&mut self, text: &str, message: &Members<'_>, nth: usize) -> Option<EntryId> {
        let id = message.name("id");
        let source = source(id.as_deref(), nth, text);
        let role = match message.text("type").as_deref() {
            Some("user") => Role::User,
            Some("gemini") => Role::Assistant,
            _ => {
                self.outlet.event(source, message.time("timestamp"), text);
                return None;
            }
        };
        let mut blocks = Blocks::default();
        for thought in message.list("thoughts").into_iter().filter_map(Members::of) {
            blocks.thinking(thought_of(&thought).as_deref(), None);
        }
        if let Some(content) = message.get("content") {
            add_content(&mut blocks, content);
        }
        for (nth_call, raw) in message.list("toolCalls").into_iter().enumerate() {
            let call = Members::of(raw).unwrap_or_default();
            let call_id = call.name("id").unwrap_or_else(|| self.outlet.call_id(source, nth_call));
            blocks.call(&call_id, &call.name("name").unwrap_or_else(|| "unknown".to_owned()), call.get("args"));
        }
        if blocks.is_empty() {
            // It may still be filled; until then it says nothing but what it cost.
            message.get("tokens")?;
            self.outlet.event(source, message.time("timestamp"), text);
            return None;
        }
        let mut draft = self.outlet.draft(source, role);
        draft.time = message.time("timestamp");
        if draft.role == Role::Assistant {
            draft.model = message.name("model");
            draft.usage = message.get("tokens").and_then(Members::of).map(|tokens| usage(&tokens));
        }
        self.outlet.say(draft, blocks)
    }

    fn result(&mut self, message: &Members<'_>, nth: usize, nth_call: usize) -> Option<EntryId> {
        let call = Members::of(message.list("toolCalls").get(nth_call)?)?;
        let id = message.name("id");
        let own = source(id.as_deref(), nth, "");
        let call_id = call.name("id").unwrap_or_else(|| self.outlet.call_id(own, nth_call));
        let result = call.get("result")?;
        let parts = json::elements(result.get()).unwrap_or_default();
        let response = match parts.as_slice() {
            [part] => Members::of(part).and_then(|part| part.object("functionResponse").get("response")),
            _ => None,
        };
        let answer = response.and_then(Members::of).unwrap_or_default();
        let said = answer.quoted("output").or_else(|| answer.quoted("error"));
        let is_error = answer.get("error").is_some() || call.text("status").as_deref() == Some("error");
        let mut blocks = Blocks::default();
        blocks.result(&call_id, said.or(response).or(Some(result)), is_error);
        let name = format!("{}:{nth_call}:result", id.unwrap_or_else(|| format!("#{nth}")));
        let mut draft = self.outlet.draft(Source::Local(&name), Role::Tool);
        draft.time = call.time("timestamp").or_else(|| message.time("timestamp"));
        self.outlet.say(draft, blocks)
    }
}

fn source<'a>(id: Option<&'a str>, nth: usize, text: &'a str) -> Source<'a> {
    match id {
        Some(id) => Source::Local(id),
        None => Source::At(nth as u64, text),
    }
}

/// Puts a thought together: its subject and what it says, as one JSON string.
fn thought_of(thought: &Members<'_>) -> Option<Box<RawValue>> {
    let inner = |name: &str| thought.quoted(name).map(|raw| raw.get()[1..raw.get().len() - 1].to_owned());
    let words = match (inner("subject").filter(|words| !words.is_empty()), inner("description")) {
        (Some(subject), Some(description)) => format!("\"**{subject}** {description}\""),
        (one, other) => format!("\"{}\"", one.or(other)?),
    };
    RawValue::from_string(words).ok()
}

/// Adds what a message says: text, or a list of the provider's parts.
fn add_content(blocks: &mut Blocks, content: &RawValue) {
    let parts = match json::elements(content.get()) {
        Some(parts) => parts,
        None => vec![content],
    };
    for raw in parts {
        if raw.get().starts_with('"') {
            blocks.text(Some(raw));
            continue;
        }
        let part = Members::of(raw).unwrap_or_default();
        let inline = part.object("inlineData");
        match (part.quoted("text"), inline.text("mimeType"), inline.quoted("data")) {
            (Some(_), ..) if part.is_true("thought") => blocks.thinking(part.quoted("text"), None),
            (Some(text), ..) => blocks.text(Some(text)),
            (None, Some(media), Some(data)) if media.starts_with("image/") => blocks.image(&media, data.get()),
            _ => blocks.other("part", raw),
        }
    }
}

/// Reads what the provider reported.
fn usage(tokens: &Members<'_>) -> Usage {
    let cached = tokens.count("cached");
    let thoughts = tokens.count("thoughts");
    let plus = |count: u64, more: Option<u64>| count.saturating_add(more.unwrap_or(0));
    Usage {
        input: tokens.count("input").map(|input| plus(input, tokens.count("tool")).saturating_sub(cached.unwrap_or(0))),
        cache_read: cached,
        cache_write: None,
        output: tokens.count("output").map(|output| plus(output, thoughts)),
        reasoning: thoughts,
    }
}

#[cfg(test)]
mod tests;
