//! Codex' rollouts: JSONL files `$CODEX_HOME/sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl`, which grow by lines.
//!
//! * A **`response_item`** is what the model saw or said: an entry whose body is the item in its own bytes.
//! * **`event_msg`** says most things a second time, for the display; what does is dropped. `token_count` is the usage of
//!   the call before it. The totals are cumulative and repeat: what counts is by how much they grew.
//! * **`compacted`** is `Step::Compress`: what its replacement history has of earlier items stays, the rest of it is the
//!   summary. Without one, the messages of people stay.
//! * **`thread_rolled_back`** takes back the newest turns: what follows goes to a branch.
//! * A **fork** begins with the lines of its parent. Ids are made of the first session's id and the item, so that both
//!   name one entry alike.
//! * Lines of a type that is not known are events, byte for byte.

mod held;
mod item;
mod names;
mod usage;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::held::Held;
use self::item::{Item, Taken};
use self::names::Names;
use self::usage::Totals;
use super::growth::Growing;
use super::members::Members;
use super::{Agent, Conversation, Routed, SessionFacts};
use crate::codec::derive_entry_id;
use crate::model::{BodyKind, EntryId, Message, Role, Step, Time};

/// More ids than this make a watermark too large (10 bytes each); the file is then read from its start every time.
const NAMES: usize = 65_536;
/// Turns beyond this are forgotten: nobody takes back so many.
const TURNS: usize = 16_384;
/// Values longer than this are no facts for a commit's trailers.
const FIELD_BYTES: usize = 1000;

/// Holds the state of a reading.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Codex {
    id: Option<String>,
    parent: Option<String>,
    /// The session in which the record's first lines were written.
    root: Option<String>,
    title: Option<String>,
    cwd: Option<String>,
    branch: Option<String>,
    model: Option<String>,
    started: Option<i64>,
    /// What the last entry was told of its surroundings.
    told: (Option<String>, Option<String>),
    prompts: u64,
    replies: u64,
    tool_calls: u64,
    tool_results: u64,
    broken: u64,
    totals: Totals,
    names: Names,
    turns: Vec<Turn>,
    last: Option<EntryId>,
    rewinds: u32,
    held: Option<Held>,
}

/// Remembers where a turn began.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Turn {
    before: Option<EntryId>,
    prompt: EntryId,
}

/// Returns what the head of a rollout says of its session.
pub(super) fn facts(head: &[u8]) -> SessionFacts {
    let mut state = Codex::default();
    for line in head.split(|byte| *byte == b'\n') {
        let Some(line) = std::str::from_utf8(line).ok().and_then(Members::parse) else { continue };
        match line.text("type").as_deref() {
            Some("session_meta") => state.meta(&line),
            Some("turn_context") => state.context(&line.object("payload")),
            _ => break,
        }
    }
    if state.id.is_none() {
        // The first version wrote its facts without a type.
        state.old_meta(head);
    }
    state.facts()
}

impl Growing for Codex {
    const AGENT: Agent = Agent::Codex;

    fn take(&mut self, line: &str, out: &mut Vec<Routed>) -> bool {
        let Some(members) = Members::parse(line) else { return false };
        let time = members.time("timestamp");
        self.started = self.started.or(time.map(|time| time.millis));
        let payload = members.get("payload");
        match (members.text("type").as_deref(), payload) {
            (Some("session_meta"), Some(_)) => self.meta(&members),
            (Some("turn_context"), Some(_)) => self.context(&members.object("payload")),
            (Some("response_item"), Some(payload)) => self.item(payload, time, line, out),
            (Some("compacted"), Some(payload)) => self.compact(payload, time, out),
            (Some("event_msg"), Some(payload)) => self.event_message(payload, time, line, out),
            (None, None) if self.id.is_none() && members.get("id").is_some() => {
                self.old_meta(line.as_bytes());
            }
            (None, None) if members.text("record_type").as_deref() == Some("state") => {}
            // The first version wrote its items without an envelope.
            (Some(kind), None) if item::is_item(kind) => self.bare(line, time, out),
            _ => self.event(line, payload.map_or(line, RawValue::get), time, out),
        }
        true
    }

    fn pass(&mut self) {
        self.broken += 1;
    }

    fn pause(&mut self, out: &mut Vec<Routed>) {
        if let Some(held) = &mut self.held {
            held.pause(out);
        }
    }

    fn facts(&self) -> SessionFacts {
        SessionFacts {
            id: self.id.clone(),
            title: self.title.clone(),
            cwd: self.cwd.clone(),
            model: self.model.clone(),
            started: self.started.map(Time::from_millis),
            parent: self.parent.clone(),
            prompts: self.prompts,
            replies: self.replies,
            tool_calls: self.tool_calls,
            tool_results: self.tool_results,
            broken: self.broken,
        }
    }

    fn is_small(&self) -> bool {
        self.names.len() <= NAMES
    }
}

impl Codex {
    /// Reads what a session says of itself. A fork's file begins with its own, its parent's, and so on.
    fn meta(&mut self, line: &Members<'_>) {
        let meta = line.object("payload");
        let id = meta.name("id").or_else(|| meta.name("session_id"));
        let is_own = self.id.is_none();
        if is_own {
            self.id.clone_from(&id);
            self.parent = meta.name("forked_from_id").or_else(|| meta.name("parent_thread_id"));
            self.cwd = meta.name("cwd").filter(|cwd| cwd.len() <= FIELD_BYTES);
            self.branch = meta.object("git").name("branch");
            self.title = meta.name("thread_name");
            let started = meta.time("timestamp").or_else(|| line.time("timestamp"));
            self.started = started.map(|time| time.millis).or(self.started);
            self.root = meta.name("forked_from_id").or_else(|| id.clone());
        }
        if self.names.is_empty() && !is_own {
            self.root = id.or_else(|| self.root.take());
        }
    }

    fn old_meta(&mut self, head: &[u8]) {
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let Some(meta) = std::str::from_utf8(line).ok().and_then(Members::parse) else { return };
        if self.id.is_none() && meta.get("type").is_none() {
            self.id = meta.name("id");
            self.root.clone_from(&self.id);
            self.started = meta.time("timestamp").map(|time| time.millis);
        }
    }

    fn context(&mut self, context: &Members<'_>) {
        self.model = context.name("model").or_else(|| self.model.take());
        self.cwd = context.name("cwd").filter(|cwd| cwd.len() <= FIELD_BYTES).or_else(|| self.cwd.take());
    }

    fn bare(&mut self, line: &str, time: Option<Time>, out: &mut Vec<Routed>) {
        match serde_json::from_str::<&RawValue>(line) {
            Ok(payload) => self.item(payload, time, line, out),
            Err(_) => self.broken += 1,
        }
    }

    /// Takes an item in.
    fn item(&mut self, payload: &RawValue, time: Option<Time>, line: &str, out: &mut Vec<Routed>) {
        let Some(item) = Item::read(payload) else { return self.event(line, payload.get(), time, out) };
        let mut message = self.message(&item.source, item.role.clone(), payload.get(), time);
        message.fields.extend(item.call.iter().map(|call| ("call".to_owned(), call.clone())));
        self.tool_calls += u64::from(item.taken == Taken::Call);
        self.tool_results += u64::from(item.taken == Taken::Result);
        self.replies += u64::from(item.taken == Taken::Reply);
        if item.taken == Taken::Prompt {
            self.prompts += 1;
            if self.turns.len() == TURNS {
                self.turns.remove(0);
            }
            self.turns.push(Turn { before: self.last, prompt: message.id });
        }
        if item.role == Role::Assistant {
            message.model.clone_from(&self.model);
        }
        self.last = Some(message.id);
        match item.role {
            Role::Assistant if Held::can_wait(&message) => {
                if let Some(mut held) = self.held.replace(Held::new(message)) {
                    held.pause(out);
                }
            }
            Role::Tool => self.follow(message, out),
            _ => self.append(message, out),
        }
    }

    /// Puts a message behind what waits, if something does.
    fn follow(&mut self, message: Message, out: &mut Vec<Routed>) {
        match &mut self.held {
            Some(held) if held.has_room(&message) => held.push(message),
            _ => self.append(message, out),
        }
    }

    /// Hands a message out, behind what waits.
    fn append(&mut self, message: Message, out: &mut Vec<Routed>) {
        if let Some(mut held) = self.held.take() {
            held.pause(out);
        }
        out.push(routed(Step::Append(message)));
    }

    /// Makes a message; its id is made of the first session and the source, and of how often that came up.
    fn message(&mut self, source: &str, role: Role, body: &str, time: Option<Time>) -> Message {
        let root = self.root.as_deref().unwrap_or_default();
        let source = format!("codex:{root}:{source}");
        let id = self.names.take(&source);
        let mut fields = Vec::new();
        let now = (self.cwd.clone(), self.branch.clone());
        for (name, now, told) in [("cwd", &now.0, &self.told.0), ("branch", &now.1, &self.told.1)] {
            if let Some(now) = now.as_ref().filter(|now| Some(*now) != told.as_ref()) {
                fields.push((name.to_owned(), now.clone()));
            }
        }
        self.told = now;
        let body = body.as_bytes().to_vec();
        Message { id, role, kind: BodyKind::Json, body, time, model: None, usage: None, fields, meta: None }
    }

    /// Makes an event of a line; its id is made of what does not change when a fork copies it.
    fn event(&mut self, line: &str, lasting: &str, time: Option<Time>, out: &mut Vec<Routed>) {
        let source = item::hash_source("event", lasting);
        let message = self.message(&source, Role::Event, line, time);
        self.last = Some(message.id);
        self.follow(message, out);
    }

    fn event_message(&mut self, payload: &RawValue, time: Option<Time>, line: &str, out: &mut Vec<Routed>) {
        let event = Members::of(payload).unwrap_or_default();
        match event.text("type").as_deref().unwrap_or_default() {
            "token_count" => self.count(&event.object("info"), payload, time, line, out),
            "thread_rolled_back" => self.roll_back(event.count("num_turns").unwrap_or(0), out),
            "thread_name_updated" => self.title = event.name("thread_name").or_else(|| self.title.take()),
            kind if item::is_shown_only(kind) => {}
            _ => self.event(line, payload.get(), time, out),
        }
    }

    /// Takes the usage of the newest call in.
    fn count(&mut self, info: &Members<'_>, payload: &RawValue, time: Option<Time>, line: &str, out: &mut Vec<Routed>) {
        let Some(usage) = self.totals.add(info) else { return };
        let model = info.name("model").or_else(|| self.model.clone());
        match self.held.take() {
            Some(mut held) => held.finish(usage, model, out),
            None => {
                // Nobody said what it was for; it counts all the same.
                let source = item::hash_source("event", payload.get());
                let mut message = self.message(&source, Role::Event, line, time);
                (message.usage, message.model) = (Some(usage), model);
                self.last = Some(message.id);
                self.append(message, out);
            }
        }
    }

    /// Goes back to before the newest turns.
    fn roll_back(&mut self, turns: u64, out: &mut Vec<Routed>) {
        let turns = usize::try_from(turns).unwrap_or(usize::MAX).min(self.turns.len());
        if let Some(mut held) = self.held.take() {
            held.pause(out);
        }
        let left = self.turns.len() - turns;
        let Some(turn) = self.turns.get(left) else { return };
        self.last = turn.before;
        self.turns.truncate(left);
        self.rewinds += 1;
        out.push(routed(Step::Fork { branch: format!("rewind-{}", self.rewinds), after: self.last }));
    }

    /// Takes a compaction in.
    fn compact(&mut self, payload: &RawValue, time: Option<Time>, out: &mut Vec<Routed>) {
        let compacted = Members::of(payload).unwrap_or_default();
        let root = self.root.clone().unwrap_or_default();
        let (mut kept, mut new) = (Vec::new(), Vec::new());
        for piece in compacted.list("replacement_history") {
            let source = Item::read(piece).map(|item| item.source);
            let id = source.map(|source| derive_entry_id(&format!("codex:{root}:{source}")));
            match id.filter(|id| self.names.has(*id)) {
                Some(id) => kept.push(id),
                None => new.push(piece),
            }
        }
        if compacted.get("replacement_history").is_none() {
            kept.extend(self.turns.iter().map(|turn| turn.prompt));
        }
        let words = compacted.text("message").filter(|words| !words.is_empty());
        let source = item::hash_source("compacted", payload.get());
        let mut summary = self.message(&source, Role::Summary, payload.get(), time);
        if !new.is_empty() {
            let pieces: Vec<&str> = new.iter().map(|piece| piece.get()).collect();
            summary.body = format!("[{}]", pieces.join(",")).into_bytes();
        } else if let Some(words) = words {
            (summary.kind, summary.body) = (BodyKind::Text, words.into_owned().into_bytes());
        }
        if let Some(mut held) = self.held.take() {
            held.pause(out);
        }
        self.last = Some(summary.id);
        let facts = self.totals.context().map(|tokens| ("Reported-Tokens".to_owned(), tokens.to_string()));
        out.push(routed(Step::Compress { summary, kept, facts: facts.into_iter().collect() }));
    }
}

fn routed(step: Step) -> Routed {
    Routed { conversation: Conversation::Main, step }
}

#[cfg(test)]
mod tests;
