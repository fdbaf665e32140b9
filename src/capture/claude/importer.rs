//! The state of a reading, and where each line goes.

mod kinds;

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::content::Content;
use super::graph::{Graph, Move, Parent};
use super::line::Line;
use super::message::{self, source};
use super::names::{Names, uuid_key};
use super::output::Output;
use super::safe::{Place, SafePoint, SafeState, Surroundings};
use super::summary::Summary;
use super::thread::{OpenBoundary, Thread};
use super::watermark::{End, Handed, Home, Incomplete, NODES, State};
use crate::capture::{Conversation, Routed};
use crate::codec::derive_entry_id;
use crate::model::{EntryId, Message, Step};

/// Turns lines into steps.
pub(super) struct Importer<'s> {
    /// The counts so far.
    pub summary: Summary,
    /// Where the steps go.
    pub output: Output<'s>,
    graph: Graph,
    names: Names,
    threads: Vec<Thread>,
    agents: HashMap<String, u32>,
    /// Conversations that may have an open message.
    opened: Vec<u32>,
    calls: HashMap<EntryId, EntryId>,
    home: Home,
    is_resumed: bool,
    at: Place,
}

/// Holds what is known of a line's place.
#[derive(Clone, Copy)]
struct Spot {
    thread: u32,
    key: Option<EntryId>,
    parent: Option<EntryId>,
    at: Parent,
}

impl<'s> Importer<'s> {
    /// Starts at the beginning of a file.
    pub(super) fn new(handed: &[Handed], sink: &'s mut dyn FnMut(Routed) -> ControlFlow<()>) -> Self {
        Importer {
            summary: Summary::default(),
            output: Output::new(handed, sink),
            graph: Graph::new(),
            names: Names::default(),
            threads: vec![Thread::new(Conversation::Main)],
            agents: HashMap::new(),
            opened: Vec::new(),
            calls: HashMap::new(),
            home: Home::Unknown,
            is_resumed: false,
            at: Place { offset: 0, number: 1 },
        }
    }

    /// Goes on at a watermark with what it remembers.
    pub(super) fn resume(
        state: &State,
        handed: &[Handed],
        at: Place,
        sink: &'s mut dyn FnMut(Routed) -> ControlFlow<()>,
    ) -> Self {
        let mut importer = Importer::new(handed, sink);
        importer.summary = state.summary.clone();
        importer.graph = Graph::resume(state.window());
        importer.graph.dangling = state.summary.dangling;
        importer.names = Names::resume(state.names());
        importer.home = state.home.clone();
        importer.is_resumed = true;
        importer.at = at;
        let main = &mut importer.threads[0];
        main.epoch = state.epoch;
        main.surroundings = Surroundings { cwd: state.cwd.clone(), git_branch: state.git_branch.clone() };
        importer
    }

    /// Takes a line in that starts at `at`.
    pub(super) fn take(&mut self, line: &Line<'_>, at: Place) -> Result<(), Incomplete> {
        self.at = at;
        self.place(line)?;
        self.summary.add_line(line);
        Ok(())
    }

    fn place(&mut self, line: &Line<'_>) -> Result<(), Incomplete> {
        let key = line.uuid().map(|uuid| uuid_key(&uuid));
        let parent = line.parent().map(|uuid| uuid_key(&uuid));
        let kind = line.kind();
        let kind = kind.as_deref().unwrap_or_default();
        if matches!(kind, "progress" | "file-history-snapshot") {
            self.summary.dropped += 1;
            if key.is_some_and(|key| !self.graph.contains(key)) {
                let at = self.graph.follow(parent)?;
                self.graph.pass(key, parent, at, 0);
            }
            return Ok(());
        }
        let thread = self.route(line, kind, parent)?;
        if let Some(key) = key
            && let Some(node) = self.graph.known(key, &self.names)?
        {
            self.summary.duplicates += 1;
            // What a compaction removed is back when the agent wrote it anew, behind another line.
            let is_back = node.own && node.epoch < self.threads[thread as usize].epoch && node.parent != parent;
            if !is_back {
                return Ok(());
            }
        }
        let at = self.graph.follow(parent)?;
        let spot = Spot { thread, key, parent, at };
        match (kind, line.content()) {
            ("assistant", Some(_)) if line.is_made_by_client() => {
                self.event(line, spot)?;
                self.summary.client_made += 1;
            }
            ("assistant", Some(content)) => self.reply(line, content, spot)?,
            ("user", Some(content)) if line.is_compact_summary() => {
                self.compress(line, content, spot)?;
            }
            ("user", Some(content)) if !line.is_transcript_only() => {
                let found = Content::of(content);
                if found.tool_results > 0 || (line.is_meta() && line.is_from_tool()) {
                    self.result(line, content, found, spot)?;
                } else {
                    self.prompt(line, content, found, spot)?;
                }
            }
            ("system", _) => match line.subkind().as_deref() {
                Some("compact_boundary") if thread == 0 => self.boundary(line, spot)?,
                Some("microcompact_boundary") => self.clear(line, spot)?,
                _ => self.event(line, spot)?,
            },
            _ => self.event(line, spot)?,
        }
        Ok(())
    }

    /// Finds the conversation of a line.
    fn route(&mut self, line: &Line<'_>, kind: &str, parent: Option<EntryId>) -> Result<u32, Incomplete> {
        let is_message = matches!(kind, "user" | "assistant");
        let agent = line.agent();
        if self.home == Home::Unknown && is_message {
            // A file that starts with a subagent's message is that subagent's own.
            let owner = || Home::Subagent(agent.as_deref().map(str::to_owned));
            self.home = if line.is_sidechain() { owner() } else { Home::Session };
        }
        if !line.is_sidechain() {
            return Ok(0);
        }
        match &self.home {
            Home::Unknown => return Ok(0),
            Home::Subagent(own) if agent.is_none() || own.as_deref() == agent.as_deref() => return Ok(0),
            // What a watermark remembers is of one conversation only.
            _ if self.is_resumed => return Err(Incomplete),
            _ => {}
        }
        let name = match agent {
            Some(agent) => agent.into_owned(),
            None => match parent.map(|parent| self.graph.named(parent)).transpose()?.flatten() {
                Some(node) if node.thread != 0 => return Ok(node.thread),
                _ => format!("side-{}", derive_entry_id(&source(line))),
            },
        };
        if let Some(thread) = self.agents.get(&name) {
            return Ok(*thread);
        }
        let thread = self.threads.len() as u32;
        self.threads.push(Thread::new(Conversation::Subagent(name.clone())));
        self.agents.insert(name, thread);
        Ok(thread)
    }

    /// Goes to the branch of a line of the main conversation; nothing may be open when that is another one.
    fn follow(&mut self, line: &Line<'_>, spot: Spot, opens: bool) {
        if spot.thread != 0 {
            return;
        }
        let session = opens.then(|| line.session().map(|session| uuid_key(&session))).flatten();
        let step = match self.graph.go(spot.at, opens, session) {
            Move::Stay => return,
            Move::Switch(branch) => Step::Switch { branch },
            Move::Fork(branch, after) => {
                self.summary.rewinds += 1;
                Step::Fork { branch, after }
            }
        };
        self.emit(0, step);
    }

    /// Closes what a line of this conversation ends: the main one goes on only when its subagents have answered.
    fn close_for(&mut self, thread: u32) {
        if thread == 0 { self.close_all() } else { self.close(thread) }
    }

    fn close_all(&mut self) {
        for thread in std::mem::take(&mut self.opened) {
            self.threads[thread as usize].is_listed = false;
            self.close(thread);
        }
        if self.threads[0].boundary.is_none() {
            self.output.settle();
        }
    }

    fn close(&mut self, thread: u32) {
        let Some(open) = self.threads[thread as usize].open.take() else { return };
        let summary = &mut self.summary;
        if open.times == 1 {
            summary.finished_messages += u64::from(open.usage.is_finished());
            summary.placeholders += u64::from(open.usage.is_placeholder(open.content.written));
            if let Some(usage) = open.usage.usage() {
                summary.add_usage(usage);
            }
        }
        let (message, held) = open.finish();
        let messages = std::iter::once(message).chain(held);
        messages.for_each(|message| self.emit(thread, Step::Append(message)));
    }

    /// Makes an event of a boundary that no summary followed.
    fn release(&mut self, thread: u32) {
        let state = &mut self.threads[thread as usize];
        let Some(OpenBoundary { line: (raw, entry), held, .. }) = state.boundary.take() else { return };
        let line = Line::parse(raw.as_bytes()).ok();
        let event = line.map(|line| message::event(&line, &mut state.surroundings, entry));
        event.into_iter().chain(held).for_each(|message| self.emit(thread, Step::Append(message)));
    }

    /// Hands a message out, or holds it back until the open message is complete.
    fn hold(&mut self, thread: u32, message: Message) {
        let state = &mut self.threads[thread as usize];
        if let Some(boundary) = &mut state.boundary {
            boundary.held.push(message);
            if boundary.is_full() {
                self.release(thread);
            }
            return;
        }
        match &mut state.open {
            Some(open) if !open.is_full() => open.hold(message),
            _ => {
                self.close(thread);
                self.emit(thread, Step::Append(message));
            }
        }
    }

    fn emit(&mut self, thread: u32, step: Step) {
        if let (0, Step::Append(Message { id, .. }) | Step::Compress { summary: Message { id, .. }, .. }) =
            (thread, &step)
        {
            self.graph.set_last(*id);
        }
        let is_open = !self.opened.is_empty() || self.threads[0].boundary.is_some();
        let state = &self.threads[thread as usize];
        self.output.emit(&state.conversation, step, is_open.then_some(self.at.offset));
    }

    fn surroundings(&mut self, spot: Spot) -> &mut Surroundings {
        &mut self.threads[spot.thread as usize].surroundings
    }

    fn note(&mut self, key: Option<EntryId>) {
        if let Some(key) = key {
            self.names.note(key);
        }
    }

    fn safe_point(&mut self, thread: u32) -> SafePoint {
        self.output.unmute_at(self.at.offset);
        let state = (thread == 0).then(|| Box::new(self.state()));
        SafePoint { place: self.at, state }
    }

    fn state(&self) -> SafeState {
        let mut summary = self.summary.clone();
        summary.dangling = self.graph.dangling;
        let surroundings = self.threads[0].surroundings.clone();
        let epoch = self.threads[0].epoch;
        SafeState { nodes: self.graph.len(), names: self.names.log().len(), surroundings, summary, epoch }
    }

    /// Hands out what is still open, and says from where to go on.
    ///
    /// `at` is the end of the last complete line. A boundary whose summary has yet to come is left for the next time.
    pub(super) fn finish(mut self, at: Place) -> (Summary, End) {
        self.at = at;
        let waiting = self.threads[0].boundary.as_ref().map_or(at, |open| open.from.place).offset;
        let points = self.threads.iter().flat_map(|thread| {
            thread.open.iter().map(|open| &open.from).chain(thread.boundary.iter().map(|open| &open.from))
        });
        let first = points.min_by_key(|point| point.place).cloned();
        let is_open = first.is_some();
        let SafePoint { place, state } =
            first.unwrap_or_else(|| SafePoint { place: at, state: Some(Box::new(self.state())) });
        let state = state.filter(|_| self.threads.len() == 1).and_then(|state| self.write(*state));
        for thread in self.opened.clone() {
            self.close(thread);
        }
        let handed = self.output.handed(place.offset);
        self.summary.dangling = self.graph.dangling;
        (self.summary, End { place, is_open, waiting, handed, state, is_stopped: self.output.is_stopped })
    }

    fn write(&self, safe: SafeState) -> Option<State> {
        let window = self.graph.window(safe.nodes, NODES)?;
        let mut state = State::write(window, &self.names.log()[..safe.names])?;
        state.cwd = safe.surroundings.cwd;
        state.git_branch = safe.surroundings.git_branch;
        state.epoch = safe.epoch;
        state.home = self.home.clone();
        state.summary = safe.summary;
        Some(state)
    }
}
