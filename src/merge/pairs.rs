//! Keeps a tool's call and its result together, whatever becomes of one of them.

use std::collections::{HashMap, HashSet};

use crate::codec::ToolIds;
use crate::model::EntryId;

/// Finds the entries that must come back: those that are gone although the other half of their call stays.
///
/// A half that stays does so because a side wants it kept; so the call is whole again rather than lost. What comes back
/// may bring other calls back, whose halves follow.
pub(super) fn missing_halves(gone: &[EntryId], there: &[EntryId], tools: impl Fn(EntryId) -> ToolIds) -> Vec<EntryId> {
    let calls_of = |id: EntryId| {
        let ToolIds { calls, results } = tools(id);
        calls.into_iter().chain(results).collect::<Vec<String>>()
    };
    let mut holders: HashMap<String, Vec<EntryId>> = HashMap::new();
    let mut calls_gone: HashMap<EntryId, Vec<String>> = HashMap::new();
    for id in gone {
        let calls = calls_of(*id);
        calls.iter().for_each(|call| holders.entry(call.clone()).or_default().push(*id));
        calls_gone.insert(*id, calls);
    }
    if holders.is_empty() {
        return Vec::new();
    }
    let mut kept: Vec<String> =
        there.iter().flat_map(|id| calls_of(*id)).filter(|call| holders.contains_key(call)).collect();
    let mut back = Vec::new();
    let mut seen = HashSet::new();
    while let Some(call) = kept.pop() {
        for id in holders.remove(&call).into_iter().flatten() {
            if seen.insert(id) {
                kept.extend(calls_gone.remove(&id).unwrap_or_default());
                back.push(id);
            }
        }
    }
    back
}
