//! The entries that both sides put into one gap, in one order.

use std::collections::{HashMap, HashSet};

use crate::codec::ToolIds;
use crate::model::EntryId;

/// Holds an entry of a run with what decides about its place.
#[derive(Debug, Clone)]
pub(super) struct Added {
    pub(super) id: EntryId,
    pub(super) tools: ToolIds,
    /// When it came in, in milliseconds since 1970.
    pub(super) time: i64,
}

/// Puts two runs into one order: ours, then theirs, or by time.
///
/// Results that answer a call from before the gap come first, calls that wait for their results last: a result stands
/// behind its call on either side, and must do so here.
pub(super) fn join(ours: Vec<Added>, theirs: Vec<Added>, by_time: bool) -> Vec<EntryId> {
    let [ours, theirs] = [Parts::of(ours), Parts::of(theirs)];
    let middle: Vec<Added> = match by_time {
        false => ours.middle.into_iter().chain(theirs.middle).collect(),
        true => by_turns(units(ours.middle), units(theirs.middle)),
    };
    let first = theirs.answers.into_iter().chain(ours.answers);
    let last = ours.waiting.into_iter().chain(theirs.waiting);
    first.chain(middle).chain(last).map(|added| added.id).collect()
}

struct Parts {
    /// What answers calls from before.
    answers: Vec<Added>,
    middle: Vec<Added>,
    /// Calls at the end that nothing here answers.
    waiting: Vec<Added>,
}

impl Parts {
    fn of(run: Vec<Added>) -> Self {
        let calls: HashSet<String> = run.iter().flat_map(|added| added.tools.calls.iter().cloned()).collect();
        let results: HashSet<String> = run.iter().flat_map(|added| added.tools.results.iter().cloned()).collect();
        let answers = |added: &Added| added.tools.results.iter().any(|call| !calls.contains(call));
        let waits = |added: &Added| added.tools.calls.iter().any(|call| !results.contains(call));
        let behind = run.iter().rev().take_while(|added| waits(added)).count();
        let first = run.iter().take_while(|added| answers(added)).count();
        // A call that was never answered, and after which the agent went on, waits for nothing.
        let last = first.max(run.len() - behind);
        let mut answers = run;
        let waiting = answers.split_off(last);
        let middle = answers.split_off(first);
        Parts { answers, middle, waiting }
    }
}

/// Cuts a run into pieces that must not be parted: a call, its result, and what stands between.
fn units(run: Vec<Added>) -> Vec<Vec<Added>> {
    let mut last_of: HashMap<&str, usize> = HashMap::new();
    for (at, added) in run.iter().enumerate() {
        last_of.extend(added.tools.results.iter().map(|call| (call.as_str(), at)));
    }
    let reach: Vec<usize> = run
        .iter()
        .enumerate()
        .map(|(at, added)| {
            added.tools.calls.iter().filter_map(|call| last_of.get(call.as_str())).fold(at, |far, &at| far.max(at))
        })
        .collect();
    let mut units: Vec<Vec<Added>> = Vec::new();
    let mut end = 0;
    for (at, added) in run.into_iter().enumerate() {
        if at >= end || units.is_empty() {
            units.push(Vec::new());
        }
        end = end.max(reach[at] + 1);
        units.last_mut().expect("pushed above").push(added);
    }
    units
}

/// Merges two sequences by the time of their pieces; each stays in its own order, and ours is first in doubt.
fn by_turns(ours: Vec<Vec<Added>>, theirs: Vec<Vec<Added>>) -> Vec<Added> {
    let time = |unit: &Vec<Added>| unit.first().map_or(i64::MAX, |added| added.time);
    let (mut ours, mut theirs) = (ours.into_iter().peekable(), theirs.into_iter().peekable());
    let mut joined = Vec::new();
    loop {
        let next = match (ours.peek(), theirs.peek()) {
            (Some(one), Some(other)) if time(other) < time(one) => theirs.next(),
            (Some(_), _) => ours.next(),
            (None, _) => theirs.next(),
        };
        match next {
            Some(unit) => joined.extend(unit),
            None => return joined,
        }
    }
}
