//! Keeps tool calls and their results together.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::state::{Action, Sequence, SequenceVerb, Step};
use super::weave::Half;
use crate::codec::tool_ids;
use crate::model::{BodyKind, Entry, EntryId, ObjectId};
use crate::ops::{OpError, Workspace};
use crate::store::{Batch, StoreError};

/// Gathers the halves of tool calls that steps touched.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// For each call, the steps in which its call and its result came in, if they are there.
    halves: BTreeMap<String, [Option<usize>; 2]>,
}

impl Touched {
    /// Takes in what a step touched.
    pub(super) fn take_in(&mut self, step: usize, found: Vec<Half>) {
        for Half { call, is_call, is_there } in found {
            let halves = self.halves.entry(call).or_default();
            halves[usize::from(!is_call)] = is_there.then_some(step);
        }
    }

    /// Returns the calls of which both halves have to be looked for: where both came in, and in order, all is well.
    fn in_doubt(&self) -> HashSet<String> {
        let is_whole = |halves: &[Option<usize>; 2]| matches!(halves, [Some(call), Some(result)] if call <= result);
        self.halves.iter().filter(|(_, halves)| !is_whole(halves)).map(|(call, _)| call.clone()).collect()
    }
}

/// Where the halves of tool calls stand.
#[derive(Default)]
struct Halves {
    /// The entry that makes a call, and how far behind the first entry.
    calls: BTreeMap<String, (usize, EntryId)>,
    results: BTreeMap<String, (usize, EntryId)>,
}

/// Refuses an outcome in which a call lost its result, or a result its call; what was so before may stay so.
///
/// `tools` are the calls that some step was about: no others are looked at.
pub(super) fn check(
    workspace: &Workspace,
    batch: &mut Batch<'_>,
    sequence: &Sequence,
    tools: &Touched,
) -> Result<(), OpError> {
    let tools = &tools.in_doubt();
    if tools.is_empty() {
        return Ok(());
    }
    let Some(mut context) = batch.context(&sequence.ref_name)? else { return Ok(()) };
    let entries = context.entries()?;
    let after = Halves::of(&entries, tools, &mut |id| context.read_body(id))?;
    let broken = after.broken(tools);
    if broken.is_empty() {
        return Ok(());
    }
    let mut known = BTreeSet::new();
    let onto = sequence.onto.filter(|_| matches!(sequence.verb, SequenceVerb::Rebase | SequenceVerb::Merge));
    let dropped = sequence.drop_branch.as_ref().map(|(_, id)| *id);
    let is_merge = |step: &&Step| matches!(step.action, Action::Merge | Action::Squash);
    let merged = sequence.steps.iter().filter(is_merge).map(|step| step.commit);
    for id in [Some(sequence.start), onto, dropped].into_iter().flatten().chain(merged) {
        let commit = workspace.repo.read_commit(&id)?;
        let entries = workspace.repo.read_entries(&commit)?;
        let before = Halves::of(&entries, tools, &mut |id| workspace.repo.read_blob(id))?;
        known.extend(before.broken(tools).into_iter().map(|(call, _, half)| (call, half)));
    }
    match broken.into_iter().find(|(call, _, half)| !known.contains(&(call.clone(), *half))) {
        Some((_, entry, half)) => Err(OpError::HalfPair { id: entry.to_string(), half }),
        None => Ok(()),
    }
}

impl Halves {
    fn of(
        entries: &[Entry],
        tools: &HashSet<String>,
        read: &mut dyn FnMut(&ObjectId) -> Result<Vec<u8>, StoreError>,
    ) -> Result<Self, OpError> {
        let mut halves = Halves::default();
        let may_call = |entry: &Entry| entry.role.is_sent() && entry.kind == BodyKind::Json;
        for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| may_call(entry)) {
            let ids = tool_ids(&read(&entry.body)?);
            let wanted = |id: &String| tools.contains(id);
            halves.calls.extend(ids.calls.into_iter().filter(wanted).map(|id| (id, (at, entry.id))));
            halves.results.extend(ids.results.into_iter().filter(wanted).map(|id| (id, (at, entry.id))));
        }
        Ok(halves)
    }

    /// Lists the halves whose other half is not there, or stands on the wrong side.
    fn broken(&self, tools: &HashSet<String>) -> BTreeSet<(String, EntryId, &'static str)> {
        let broken = |tool: &String| match (self.calls.get(tool), self.results.get(tool)) {
            (Some((_, id)), None) => Some((tool.clone(), *id, "call")),
            (None, Some((_, id))) => Some((tool.clone(), *id, "result")),
            (Some((call, _)), Some((result, id))) if result < call => Some((tool.clone(), *id, "result")),
            _ => None,
        };
        tools.iter().filter_map(broken).collect()
    }
}
