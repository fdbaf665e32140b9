//! The way out of a reader: messages get their ids and facts, and are counted.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::value::RawValue;

use super::bounded::{Line, each_line, stem};
use super::compose::Blocks;
use super::members::Members;
use super::{Agent, CaptureError, Conversation, Routed, SessionFacts};
use crate::codec::derive_entry_id;
use crate::model::{BodyKind, EntryId, Message, Role, Step, Time};

/// Values longer than this are no facts for a commit's trailers.
const FIELD_BYTES: usize = 1000;
/// Ids of calls longer than this are none either.
const CALL_BYTES: usize = 200;

/// Says what an entry's id is made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// The source's own id.
    Id(&'a str),
    /// An id that is the source's own only within its session.
    Local(&'a str),
    /// The source has none: the place in the session, and the content.
    At(u64, &'a str),
}

/// Says where an element of a list stands, and what its bytes are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) number: u64,
    pub(super) raw: &'a RawValue,
}

impl<'a> Place<'a> {
    /// Makes the source of an id: the element's own, or where it stands.
    pub(super) fn source(&self) -> Source<'a> {
        Source::At(self.number, self.raw.get())
    }
}

/// Reads a file whose lines each say one thing, and whose session is called as the file unless a line says otherwise.
pub(super) fn read_by_line<'s>(
    agent: Agent,
    path: &Path,
    sink: &'s mut dyn FnMut(Routed) -> ControlFlow<()>,
    say: fn(&mut Outlet<'_>, Line<'_>),
) -> Result<Outlet<'s>, CaptureError> {
    let mut outlet = Outlet::new(agent, stem(path), sink);
    each_line(path, &mut |line| {
        say(&mut outlet, line);
        outlet.flow()
    })?;
    Ok(outlet)
}

/// Hands out the messages of one record.
pub(super) struct Outlet<'s> {
    /// What is known of the session; its counts are kept here.
    pub(super) facts: SessionFacts,
    /// The conversation that messages go to now.
    pub(super) to: Conversation,
    agent: Agent,
    given: HashMap<EntryId, u32>,
    is_stopped: bool,
    sink: &'s mut dyn FnMut(Routed) -> ControlFlow<()>,
}

impl<'s> Outlet<'s> {
    /// Starts a record; `id` names the session until the record itself does.
    pub(super) fn new(agent: Agent, id: String, sink: &'s mut dyn FnMut(Routed) -> ControlFlow<()>) -> Self {
        let facts = SessionFacts { id: Some(id).filter(|id| !id.is_empty()), ..SessionFacts::default() };
        Outlet { facts, to: Conversation::Main, agent, given: HashMap::new(), is_stopped: false, sink }
    }

    /// Takes down what the record says its session is called.
    pub(super) fn set_id(&mut self, id: Option<String>) {
        if id.is_some() {
            self.facts.id = id;
        }
    }

    /// Tells whether the receiver wants no more.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Tells whether to go on, as a loop over lines asks.
    pub(super) fn flow(&self) -> ControlFlow<()> {
        if self.is_stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Takes down a part that could not be read.
    pub(super) fn broken(&mut self) {
        self.facts.broken += 1;
    }

    /// Makes the text that an id is derived from.
    pub(super) fn name(&self, source: Source<'_>) -> String {
        let session = self.facts.id.as_deref().unwrap_or_default();
        match source {
            Source::Id(id) => format!("{}:{id}", self.agent),
            Source::Local(id) => format!("{}:{session}:{id}", self.agent),
            Source::At(place, content) => {
                format!("{}:{session}:{place}:{}", self.agent, &blake3::hash(content.as_bytes()).to_hex()[..32])
            }
        }
    }

    /// Returns the id that a call has whose source gives it none.
    pub(super) fn call_id(&self, source: Source<'_>, nth: usize) -> String {
        format!("call_{}_{nth}", derive_entry_id(&self.name(source)))
    }

    /// Adds the tool calls of a message in the shape of OpenAI's chat.
    pub(super) fn add_chat_calls(&self, blocks: &mut Blocks, calls: Vec<&RawValue>, source: Source<'_>) {
        for (nth, call) in calls.into_iter().enumerate() {
            let call = Members::of(call).unwrap_or_default();
            let function = call.object("function");
            let id = call.name("id").unwrap_or_else(|| self.call_id(source, nth));
            blocks.call(&id, &function.name("name").unwrap_or_default(), function.get("arguments"));
        }
    }

    /// Goes through a list of objects, until the receiver wants no more; what is none is broken.
    pub(super) fn each<'a>(
        &mut self,
        list: Vec<&'a RawValue>,
        say: &mut dyn FnMut(&mut Self, &Members<'a>, Place<'a>),
    ) {
        for (number, raw) in list.into_iter().enumerate() {
            if self.is_stopped {
                return;
            }
            match Members::of(raw) {
                Some(members) => say(self, &members, Place { number: number as u64, raw }),
                None => self.broken(),
            }
        }
    }

    /// Starts a message without content. An id that comes back stands for another message: it gets one of its own.
    pub(super) fn draft(&mut self, source: Source<'_>, role: Role) -> Message {
        let name = self.name(source);
        let mut id = derive_entry_id(&name);
        let times = self.given.entry(id).or_insert(0);
        *times += 1;
        if *times > 1 {
            id = derive_entry_id(&format!("{name}#{times}"));
        }
        let is_named = !matches!(source, Source::At(..)) && name.len() <= FIELD_BYTES;
        let fields = if is_named { vec![("source".to_owned(), name)] } else { Vec::new() };
        Message {
            id,
            role,
            kind: BodyKind::Json,
            body: Vec::new(),
            time: None,
            model: None,
            usage: None,
            fields,
            meta: None,
        }
    }

    /// Hands a message out with what it says; returns its id, or `None` where it says nothing.
    pub(super) fn say(&mut self, mut message: Message, mut blocks: Blocks) -> Option<EntryId> {
        if blocks.is_empty() {
            return None;
        }
        let calls = blocks.calls.iter().chain(&blocks.results).filter(|call| call.len() <= CALL_BYTES);
        message.fields.extend(calls.map(|call| ("call".to_owned(), call.clone())));
        for (name, number) in [("error", blocks.errors), ("image", blocks.images)] {
            if number > 0 {
                message.fields.push((name.to_owned(), number.to_string()));
            }
        }
        self.facts.tool_calls += blocks.calls.len() as u64;
        self.facts.tool_results += blocks.results.len() as u64;
        self.facts.prompts += u64::from(message.role == Role::User);
        self.facts.replies += u64::from(message.role == Role::Assistant);
        (message.kind, message.body) = blocks.body();
        Some(self.append(message))
    }

    /// Hands out what is no message: its bytes as an event.
    pub(super) fn event(&mut self, source: Source<'_>, time: Option<Time>, raw: &str) {
        let mut message = self.draft(source, Role::Event);
        message.time = time;
        message.body = raw.as_bytes().to_vec();
        self.append(message);
    }

    /// Hands a message out as it is.
    pub(super) fn append(&mut self, message: Message) -> EntryId {
        let id = message.id;
        self.note(&message);
        self.step(Step::Append(message));
        id
    }

    /// Hands out a summary that takes the place of all that is sent but `kept`.
    pub(super) fn compress(&mut self, mut summary: Message, words: &RawValue, kept: Vec<EntryId>, tokens: Option<u64>) {
        let mut blocks = Blocks::default();
        blocks.text(Some(words));
        (summary.kind, summary.body) = blocks.body();
        self.note(&summary);
        let facts = tokens.map(|tokens| ("Reported-Tokens".to_owned(), tokens.to_string())).into_iter().collect();
        self.step(Step::Compress { summary, kept, facts });
    }

    /// Hands out a step as it is.
    pub(super) fn step(&mut self, step: Step) {
        if !self.is_stopped {
            let routed = Routed { conversation: self.to.clone(), step };
            self.is_stopped = (self.sink)(routed).is_break();
        }
    }

    fn note(&mut self, message: &Message) {
        if self.to == Conversation::Main {
            self.facts.started = self.facts.started.or(message.time);
            if message.model.is_some() {
                self.facts.model.clone_from(&message.model);
            }
        }
    }

    /// Ends the record.
    pub(super) fn finish(self) -> Result<SessionFacts, CaptureError> {
        if self.is_stopped { Err(CaptureError::Stopped) } else { Ok(self.facts) }
    }
}

/// Adds a fact to a message, unless it is empty or too long for one.
pub(super) fn push(message: &mut Message, name: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty() && value.len() <= FIELD_BYTES) {
        message.fields.push((name.to_owned(), value.to_owned()));
    }
}
