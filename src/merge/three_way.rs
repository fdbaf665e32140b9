//! The merge itself: what becomes of each entry, and in which order.

use std::collections::{HashMap, HashSet};

use super::entry::{Fate, Three};
use super::gaps::Gaps;
use super::pairs::missing_halves;
use super::run::{Added, join};
use super::{Choice, Conflict, ConflictKind};
use crate::codec::ToolIds;
use crate::model::{Entry, EntryId, Role};

/// Holds one side of a merge.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// Its entries, in order.
    pub entries: &'a [Entry],
    /// Entries in whose place this side put something shorter.
    pub compressed: &'a HashSet<EntryId>,
    /// When entries came in, in milliseconds since 1970, where it is known.
    pub times: &'a HashMap<EntryId, i64>,
}

/// Holds all that a merge looks at. The three contexts may lack parts that they all share.
pub struct Input<'a> {
    /// What both sides began with.
    pub base: &'a [Entry],
    /// Our side, on which the outcome is to be.
    pub ours: Side<'a>,
    /// The side that is merged in.
    pub theirs: Side<'a>,
    /// How conflicts are to be settled.
    pub choices: &'a HashMap<EntryId, Choice>,
    /// Whether what both added at one place goes by time; else ours comes first.
    pub by_time: bool,
    /// Whether any half of a tool call that stays brings back the other half, which one side took out; else only one that
    /// stays because somebody chose so.
    pub completes_calls: bool,
    /// Finds the tool calls and results of an entry.
    pub tools: &'a dyn Fn(&Entry) -> ToolIds,
}

/// Holds what came of a merge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merged {
    /// The entries in order. Positions mean nothing. Where a conflict is not settled, the entry is as on our side.
    pub entries: Vec<Entry>,
    /// What is not settled, in the order of the entries.
    pub conflicts: Vec<Conflict>,
}

/// Merges two contexts that began as one.
pub fn merge(input: &Input<'_>) -> Merged {
    Merge::new(input, false).carry_out()
}

/// Merges two common ancestors into one: what they disagree about is like neither, so that whoever merges on top of it
/// has to say what it should be.
pub fn merge_ancestors(
    base: &[Entry],
    one: &[Entry],
    other: &[Entry],
    tools: &dyn Fn(&Entry) -> ToolIds,
) -> Vec<Entry> {
    let (compressed, times, choices) = (HashSet::new(), HashMap::new(), HashMap::new());
    let side = |entries| Side { entries, compressed: &compressed, times: &times };
    let input = Input {
        base,
        ours: side(one),
        theirs: side(other),
        choices: &choices,
        by_time: false,
        completes_calls: false,
        tools,
    };
    Merge::new(&input, true).carry_out().entries
}

struct Merge<'a> {
    input: &'a Input<'a>,
    is_ancestor: bool,
    base: HashMap<EntryId, &'a Entry>,
    ours: HashMap<EntryId, &'a Entry>,
    theirs: HashMap<EntryId, &'a Entry>,
    /// What stands in the merged context under each id, and what comes right behind it.
    fates: HashMap<EntryId, (Option<Entry>, Option<Entry>)>,
    conflicts: HashMap<EntryId, ConflictKind>,
}

impl<'a> Merge<'a> {
    fn new(input: &'a Input<'a>, is_ancestor: bool) -> Self {
        let index = |entries: &'a [Entry]| entries.iter().map(|entry| (entry.id, entry)).collect();
        Merge {
            base: index(input.base),
            ours: index(input.ours.entries),
            theirs: index(input.theirs.entries),
            input,
            is_ancestor,
            fates: HashMap::new(),
            conflicts: HashMap::new(),
        }
    }

    fn carry_out(mut self) -> Merged {
        let input = self.input;
        for entry in [input.base, input.ours.entries, input.theirs.entries].into_iter().flatten() {
            if !self.fates.contains_key(&entry.id) {
                let fate = self.decide(entry.id);
                self.fates.insert(entry.id, fate);
            }
        }
        self.keep_pairs_whole();
        let ours = Gaps::of(input.base, input.ours.entries);
        let theirs = Gaps::of(input.base, input.theirs.entries);
        let yield_to_theirs = self.decide_moves(&ours, &theirs);
        let mut entries = Vec::new();
        for gap in 0..=input.base.len() {
            if let Some(scaffold) = gap.checked_sub(1).map(|at| &input.base[at]) {
                let moved = ours.moved.contains(&scaffold.id) || theirs.moved.contains(&scaffold.id);
                if !moved {
                    self.emit(scaffold.id, &mut entries);
                }
            }
            let is_ours = |id: &EntryId| !yield_to_theirs.contains(id);
            let in_ours = |id: &EntryId| is_ours(id) && self.stands_in(&ours, *id, &self.ours);
            let our_run: Vec<EntryId> = ours.runs[gap].iter().copied().filter(is_ours).collect();
            let their_run: Vec<EntryId> = theirs.runs[gap].iter().copied().filter(|id| !in_ours(id)).collect();
            if our_run.is_empty() || their_run.is_empty() {
                our_run.into_iter().chain(their_run).for_each(|id| self.emit(id, &mut entries));
                continue;
            }
            self.check_answers(&our_run, &their_run);
            for id in join(self.look(our_run, &input.ours), self.look(their_run, &input.theirs), input.by_time) {
                self.emit(id, &mut entries);
            }
        }
        let order: HashMap<EntryId, usize> = entries.iter().enumerate().map(|(at, entry)| (entry.id, at)).collect();
        let mut conflicts: Vec<Conflict> = self.conflicts.iter().map(|(id, kind)| self.conflict(*id, *kind)).collect();
        // Those that are not there now come by where they stood.
        conflicts.sort_by_key(|conflict| {
            let stood = [&conflict.ours, &conflict.theirs, &conflict.base].into_iter().flatten().next();
            (
                order.get(&conflict.id).copied().unwrap_or(usize::MAX),
                stood.map(|entry| entry.position.clone()),
                conflict.id,
            )
        });
        Merged { entries, conflicts }
    }

    /// Tells whether a side has placed an entry itself: added it, or moved it.
    fn stands_in(&self, gaps: &Gaps, id: EntryId, side: &HashMap<EntryId, &Entry>) -> bool {
        side.contains_key(&id) && (!self.base.contains_key(&id) || gaps.moved.contains(&id))
    }

    /// Decides what an entry says, and whether it is there.
    fn decide(&mut self, id: EntryId) -> (Option<Entry>, Option<Entry>) {
        let three = self.three(id);
        match three.fate() {
            Fate::Clean(entry) => (entry, None),
            Fate::Conflict(_) if self.is_ancestor => (three.unlike_both(), None),
            Fate::Conflict(kind) => match self.input.choices.get(&id) {
                Some(choice) => three.settled(choice),
                None => {
                    let fate = (three.ours.cloned(), None);
                    self.conflicts.insert(id, kind);
                    fate
                }
            },
        }
    }

    /// Brings back what one side took out, where the other half of its tool call stays.
    fn keep_pairs_whole(&mut self) {
        let in_a_side = |id: &EntryId| self.ours.get(id).or(self.theirs.get(id)).copied();
        let (gone, there): (Vec<EntryId>, Vec<EntryId>) =
            self.fates.keys().filter(|id| in_a_side(id).is_some()).partition(|id| !self.is_there(id));
        if self.is_ancestor || gone.is_empty() {
            return;
        }
        let mut there = there;
        there.retain(|id| self.input.completes_calls || self.input.choices.contains_key(id));
        let back = missing_halves(&gone, &there, |id| {
            let kept = self.fates.get(&id).and_then(|(entry, _)| entry.as_ref());
            kept.or(in_a_side(&id)).map(|entry| (self.input.tools)(entry)).unwrap_or_default()
        });
        let again: Vec<(EntryId, Option<Entry>)> = back.iter().map(|id| (*id, in_a_side(id).cloned())).collect();
        for (id, entry) in again {
            self.conflicts.remove(&id);
            self.fates.insert(id, (entry, None));
        }
    }

    /// Finds what both moved to different places; returns those that go where theirs has them.
    fn decide_moves(&mut self, ours: &Gaps, theirs: &Gaps) -> HashSet<EntryId> {
        let mut yielding = HashSet::new();
        for id in ours.moved.intersection(&theirs.moved).filter(|id| !ours.agrees(theirs, **id)) {
            match self.input.choices.get(id) {
                Some(Choice::Theirs) => drop(yielding.insert(*id)),
                Some(_) => {}
                None if self.is_ancestor => {}
                None => drop(self.conflicts.entry(*id).or_insert(ConflictKind::BothMoved)),
            }
        }
        yielding
    }

    /// Finds results that both sides brought for one call: only one of them can stay.
    fn check_answers(&mut self, ours: &[EntryId], theirs: &[EntryId]) {
        if self.is_ancestor {
            return;
        }
        let mut answered: HashMap<String, EntryId> = HashMap::new();
        for id in ours.iter().filter(|id| self.is_there(id)) {
            answered.extend(self.tools(*id, &self.ours).results.into_iter().map(|call| (call, *id)));
        }
        for id in theirs {
            if !self.is_there(id) {
                continue;
            }
            let results = self.tools(*id, &self.theirs).results;
            let Some(other) = results.iter().find_map(|call| answered.get(call)).copied() else { continue };
            match self.input.choices.get(id) {
                Some(Choice::Theirs) => drop(self.fates.insert(other, (None, None))),
                // A call has one result: both cannot stay.
                Some(_) => drop(self.fates.insert(*id, (None, None))),
                None => {
                    self.conflicts.insert(*id, ConflictKind::BothAnswered);
                    self.fates.insert(*id, (None, None));
                }
            }
        }
    }

    fn is_there(&self, id: &EntryId) -> bool {
        self.fates.get(id).is_some_and(|(entry, _)| entry.is_some())
    }

    fn tools(&self, id: EntryId, side: &HashMap<EntryId, &Entry>) -> ToolIds {
        side.get(&id).map(|entry| (self.input.tools)(entry)).unwrap_or_default()
    }

    /// Gathers what decides about the order of a run.
    fn look(&self, run: Vec<EntryId>, side: &Side<'_>) -> Vec<Added> {
        let see = |id: EntryId| {
            let known = self.fates.get(&id).and_then(|(entry, _)| entry.as_ref());
            let mut tools = known.map(|entry| (self.input.tools)(entry)).unwrap_or_default();
            // A result that names no call answers the one before it.
            if tools.results.is_empty() && known.is_some_and(|entry| entry.role == Role::Tool) {
                tools.results.push(String::new());
            }
            Added { id, tools, time: side.times.get(&id).copied().unwrap_or(0) }
        };
        run.into_iter().map(see).collect()
    }

    fn emit(&self, id: EntryId, entries: &mut Vec<Entry>) {
        if let Some((first, second)) = self.fates.get(&id) {
            entries.extend(first.iter().chain(second).cloned());
        }
    }

    fn three(&self, id: EntryId) -> Three<'a> {
        Three {
            base: self.base.get(&id).copied(),
            ours: self.ours.get(&id).copied(),
            theirs: self.theirs.get(&id).copied(),
            ours_compressed: self.input.ours.compressed.contains(&id),
            theirs_compressed: self.input.theirs.compressed.contains(&id),
        }
    }

    fn conflict(&self, id: EntryId, kind: ConflictKind) -> Conflict {
        let three = self.three(id);
        let whole = |entry: Option<&Entry>| entry.cloned();
        Conflict { kind, id, base: whole(three.base), ours: whole(three.ours), theirs: whole(three.theirs) }
    }
}
