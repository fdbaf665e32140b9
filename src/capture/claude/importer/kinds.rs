//! What each kind of line does to the state.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::super::compact::{self, Boundary, Cleared};
use super::super::content::Content;
use super::super::join::OpenMessage;
use super::super::line::Line;
use super::super::message::{self, source};
use super::super::thread::OpenBoundary;
use super::super::watermark::Incomplete;
use super::{Importer, Spot};
use crate::codec::derive_entry_id;
use crate::model::{EntryId, Step};

impl Importer<'_> {
    /// Takes a line of the model's in.
    pub(super) fn reply(&mut self, line: &Line<'_>, raw: &RawValue, spot: Spot) -> Result<(), Incomplete> {
        let found = Content::of(raw);
        let api_id = line.message_id().map(|id| format!("claude:{id}"));
        let join = api_id.as_deref().map(derive_entry_id);
        let epoch = self.threads[spot.thread as usize].epoch;
        if let Some(open) =
            self.threads[spot.thread as usize].open.as_mut().filter(|open| Some(open.key) == join && !open.is_full())
        {
            open.add(line, raw, found.clone());
            let entry = open.entry();
            self.hold_spawns(line, &found, spot, entry);
            self.graph.add(spot.key, spot.parent, spot.at, (entry, spot.thread, epoch));
            self.note(spot.key);
            self.summary.add_content(&found);
            return Ok(());
        }
        self.close_for(spot.thread);
        self.release(spot.thread);
        self.follow(line, spot, false);
        let from = self.safe_point(spot.thread);
        let (entry, times) = match &api_id {
            Some(id) => self.names.take(id)?,
            None => self.names.take(&source(line))?,
        };
        let message = message::reply(line, self.surroundings(spot), entry);
        self.graph.add(spot.key, spot.parent, spot.at, (entry, spot.thread, epoch));
        self.note(spot.key);
        self.summary.add_content(&found);
        let mut open = OpenMessage::new(join.unwrap_or(entry), from, times, message);
        open.add(line, raw, found.clone());
        let thread = &mut self.threads[spot.thread as usize];
        thread.open = Some(open);
        self.hold_spawns(line, &found, spot, entry);
        let thread = &mut self.threads[spot.thread as usize];
        if !std::mem::replace(&mut thread.is_listed, true) {
            self.opened.push(spot.thread);
        }
        match (join, times) {
            (None, _) => {
                self.summary.unnamed_messages += 1;
                // Without the API's id nothing tells that more will come.
                self.close_for(spot.thread);
            }
            (Some(_), 1) => self.summary.api_messages += 1,
            (Some(_), _) => self.summary.reopened_messages += 1,
        }
        Ok(())
    }

    /// Puts an entry behind the open message for each subagent that a line of it starts.
    fn hold_spawns(&mut self, line: &Line<'_>, found: &Content, spot: Spot, reply: EntryId) {
        for spawn in &found.spawns {
            let nth = self.threads[spot.thread as usize].open.as_mut().map_or(0, OpenMessage::count_spawn);
            let message = message::spawn(line, self.surroundings(spot), reply, nth, spawn);
            if let Some(open) = &mut self.threads[spot.thread as usize].open {
                open.hold(message);
            }
        }
    }

    /// Takes a tool's result in, or what a tool brought in beside it.
    pub(super) fn result(
        &mut self,
        line: &Line<'_>,
        raw: &RawValue,
        found: Content,
        spot: Spot,
    ) -> Result<(), Incomplete> {
        self.release(spot.thread);
        if !self.graph.is_here(spot.at) {
            self.close_all();
        }
        self.follow(line, spot, false);
        let (entry, _) = self.names.take(&source(line))?;
        let message = message::user(line, raw, &found, self.surroundings(spot), entry);
        let epoch = self.threads[spot.thread as usize].epoch;
        self.graph.add(spot.key, spot.parent, spot.at, (entry, spot.thread, epoch));
        for call in &found.results {
            self.calls.insert(call_key(call), entry);
        }
        self.summary.add_content(&found);
        self.hold(spot.thread, message);
        Ok(())
    }

    /// Takes any other user line in.
    pub(super) fn prompt(
        &mut self,
        line: &Line<'_>,
        raw: &RawValue,
        found: Content,
        spot: Spot,
    ) -> Result<(), Incomplete> {
        self.close_for(spot.thread);
        self.release(spot.thread);
        self.follow(line, spot, true);
        let (entry, _) = self.names.take(&source(line))?;
        let message = message::user(line, raw, &found, self.surroundings(spot), entry);
        let epoch = self.threads[spot.thread as usize].epoch;
        self.graph.add(spot.key, spot.parent, spot.at, (entry, spot.thread, epoch));
        self.summary.add_content(&found);
        self.summary.prompts += u64::from(!line.is_meta());
        self.emit(spot.thread, Step::Append(message));
        Ok(())
    }

    /// Takes the summary in that a compaction left.
    pub(super) fn compress(&mut self, line: &Line<'_>, raw: &RawValue, spot: Spot) -> Result<(), Incomplete> {
        self.close_all();
        self.follow(line, spot, false);
        let thread = spot.thread as usize;
        let epoch = self.threads[thread].epoch.saturating_add(1);
        let open = self.threads[thread].boundary.take();
        let (boundary, held) = open.map(|open| (open.boundary, open.held)).unwrap_or_default();
        let kept = boundary.kept(&mut self.graph, epoch)?;
        let (entry, _) = self.names.take(&source(line))?;
        let summary = message::summary(line, raw, self.surroundings(spot), entry);
        self.graph.add(spot.key, spot.parent, spot.at, (entry, spot.thread, epoch));
        self.threads[thread].epoch = epoch;
        let facts = compact::facts(&boundary.compaction);
        self.summary.add_compaction(boundary.compaction);
        self.emit(spot.thread, Step::Compress { summary, kept, facts });
        held.into_iter().for_each(|message| self.emit(spot.thread, Step::Append(message)));
        Ok(())
    }

    /// Takes a boundary in, which waits for its summary.
    pub(super) fn boundary(&mut self, line: &Line<'_>, spot: Spot) -> Result<(), Incomplete> {
        self.close_all();
        self.release(spot.thread);
        let from = self.safe_point(spot.thread);
        let (entry, _) = self.names.take(&source(line))?;
        self.graph.pass(spot.key, spot.parent, spot.at, spot.thread);
        let boundary = Boundary::read(line.compact_metadata());
        let line = (line.raw.to_owned(), entry);
        self.threads[spot.thread as usize].boundary = Some(OpenBoundary { boundary, from, line, held: Vec::new() });
        Ok(())
    }

    /// Takes a micro-compaction in.
    pub(super) fn clear(&mut self, line: &Line<'_>, spot: Spot) -> Result<(), Incomplete> {
        let Cleared { calls, facts } = Cleared::read(line.microcompact_metadata());
        if calls.is_empty() {
            return self.event(line, spot);
        }
        self.close_all();
        self.release(spot.thread);
        let (mut entries, mut seen) = (Vec::new(), HashSet::new());
        for call in &calls {
            match self.calls.get(&call_key(call)) {
                Some(entry) if seen.insert(*entry) => entries.push(*entry),
                None if self.is_resumed => return Err(Incomplete),
                _ => {}
            }
        }
        self.graph.pass(spot.key, spot.parent, spot.at, spot.thread);
        self.note(spot.key);
        self.summary.micro_compactions += 1;
        self.emit(spot.thread, Step::Mask { entries, calls, facts });
        Ok(())
    }

    /// Takes a line in that no model sees.
    pub(super) fn event(&mut self, line: &Line<'_>, spot: Spot) -> Result<(), Incomplete> {
        let (entry, _) = self.names.take(&source(line))?;
        let message = message::event(line, self.surroundings(spot), entry);
        self.graph.pass(spot.key, spot.parent, spot.at, spot.thread);
        self.hold(spot.thread, message);
        Ok(())
    }
}

fn call_key(call: &str) -> EntryId {
    derive_entry_id(&format!("claude:call:{call}"))
}
