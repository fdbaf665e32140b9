//! What must hold of a compression, told from the contexts before and after it. Pure: `compress` asks before the branch
//! moves, `verify` whenever somebody wants to know.

use std::collections::HashMap;

use crate::codec::ToolIds;
use crate::model::{Entry, EntryId, Role, Touch, TouchKind};
use crate::ops::Finding;

/// Compares two contexts entry by entry: pins stay, the rest stays, and the commit names all that did not. Entries that
/// stand in both, alike, may be left out of both lists.
pub(in crate::ops) fn entries(before: &[Entry], after: &[Entry], touches: &[Touch], ignore_pins: bool) -> Vec<Finding> {
    let index = |entries: &[Entry]| -> HashMap<EntryId, usize> {
        entries.iter().enumerate().map(|(at, entry)| (entry.id, at)).collect()
    };
    let (olds, news) = (index(before), index(after));
    let said: HashMap<EntryId, TouchKind> = touches.iter().map(|touch| (touch.id, touch.kind)).collect();
    let mut findings = Vec::new();
    let mut real: HashMap<EntryId, TouchKind> = HashMap::new();
    for old in before {
        let pinned = old.flags.pin && !ignore_pins;
        let mut pin = |what| findings.push(Finding::Pin { id: old.id, what });
        let Some(new) = news.get(&old.id).map(|at| &after[*at]) else {
            if pinned {
                pin("is gone");
            }
            real.insert(old.id, TouchKind::Removed);
            continue;
        };
        if pinned && (new.body != old.body || new.kind != old.kind || new.role != old.role) {
            pin("says something else");
        } else if pinned && new.position != old.position {
            pin("has another place");
        } else if pinned && !new.flags.pin {
            pin("is pinned no more");
        }
        let marks = Entry { flags: old.flags.clone(), position: old.position.clone(), ..new.clone() };
        if marks != *old {
            real.insert(old.id, TouchKind::Changed);
        } else if new != old {
            real.insert(old.id, TouchKind::Marked);
        }
    }
    real.extend(after.iter().filter(|new| !olds.contains_key(&new.id)).map(|new| (new.id, TouchKind::Added)));
    for entry in before.iter().chain(after.iter().filter(|new| !olds.contains_key(&new.id))) {
        if let Some(kind) = real.get(&entry.id)
            && said.get(&entry.id) != Some(kind)
        {
            findings.push(Finding::Rest { id: entry.id, what: became(*kind) });
        }
    }
    for touch in touches {
        if real.get(&touch.id) != Some(&touch.kind) {
            findings.push(Finding::Touch { id: touch.id, said: word(touch.kind) });
        }
    }
    findings
}

/// Finds an entry of the model's before any of the user's, where that was not so.
pub(in crate::ops) fn first_speaker(before: &[Entry], after: &[Entry]) -> Option<Finding> {
    let first = |entries: &[Entry]| {
        let spoken = entries.iter().find(|entry| entry.role.is_sent() && entry.role != Role::System);
        spoken.filter(|entry| entry.role == Role::Assistant).map(|entry| entry.id)
    };
    first(after).filter(|_| first(before).is_none()).map(|id| Finding::AssistantFirst { id })
}

/// Holds the calls and results of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ops) struct Halves {
    pub(in crate::ops) id: EntryId,
    pub(in crate::ops) ids: ToolIds,
}

impl Halves {
    pub(in crate::ops) fn of(id: EntryId, ids: ToolIds) -> Self {
        Halves { id, ids }
    }

    /// Returns a name for the call that an entry answers without naming it; no provider's id begins so.
    pub(in crate::ops) fn unnamed(id: EntryId) -> String {
        format!("\0{id}")
    }

    /// Returns the same entry with another body.
    pub(in crate::ops) fn with_ids(&self, ids: ToolIds) -> Self {
        let unnamed = |ids: &[String]| ids.iter().filter(|id| id.starts_with('\0')).cloned().collect::<Vec<_>>();
        let calls = ids.calls.into_iter().chain(unnamed(&self.ids.calls)).collect();
        let results = ids.results.into_iter().chain(unnamed(&self.ids.results)).collect();
        Halves { id: self.id, ids: ToolIds { calls, results } }
    }
}

/// Finds calls and results of which just one half is left. Both lists hold every entry that has a half of what is
/// touched, in order.
pub(in crate::ops) fn pairs(before: &[Halves], after: &[Halves]) -> Vec<Finding> {
    let collect = |all: &[Halves]| {
        let mut calls: HashMap<String, EntryId> = HashMap::new();
        let mut results: HashMap<String, EntryId> = HashMap::new();
        for halves in all {
            calls.extend(halves.ids.calls.iter().map(|call| (call.clone(), halves.id)));
            results.extend(halves.ids.results.iter().map(|call| (call.clone(), halves.id)));
        }
        (calls, results)
    };
    let (old_calls, old_results) = collect(before);
    let (calls, results) = collect(after);
    // Half a pair before is no fault of this change.
    let was_half = |call: &String| old_calls.contains_key(call) != old_results.contains_key(call);
    let left = |some: &HashMap<String, EntryId>, others: &HashMap<String, EntryId>| {
        let lonely = some.iter().filter(|(call, _)| !others.contains_key(*call) && !was_half(call));
        lonely.map(|(call, id)| (*id, call.clone())).collect::<Vec<_>>()
    };
    let mut found = left(&calls, &results);
    found.extend(left(&results, &calls));
    found.sort();
    let shown = |call: String| call.trim_start_matches('\0').to_owned();
    found.into_iter().map(|(id, call)| Finding::Pair { id, call: shown(call) }).collect()
}

fn became(kind: TouchKind) -> &'static str {
    match kind {
        TouchKind::Added => "is new",
        TouchKind::Changed => "says something else",
        TouchKind::Removed => "is gone",
        TouchKind::Marked => "has other marks or another place",
    }
}

fn word(kind: TouchKind) -> &'static str {
    match kind {
        TouchKind::Added => "added",
        TouchKind::Changed => "changed",
        TouchKind::Removed => "removed",
        TouchKind::Marked => "marked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BodyKind, Flags, ObjectId, Position};

    fn entry(number: u8, pin: bool) -> Entry {
        Entry {
            position: Position::new(number.into()).expect("small"),
            role: Role::User,
            tokens: 5,
            id: EntryId::from_bits(number.into()),
            flags: Flags { pin, other: Vec::new() },
            kind: BodyKind::Text,
            body: ObjectId::Sha1([number; 20]),
            meta: None,
        }
    }

    fn touch(kind: TouchKind, number: u8) -> Touch {
        Touch::new(kind, EntryId::from_bits(number.into()))
    }

    #[test]
    fn what_is_named_and_leaves_the_pins_is_sound() {
        let before = [entry(1, false), entry(2, true), entry(3, false), entry(4, false)];
        let mut changed = entry(4, false);
        changed.body = ObjectId::Sha1([9; 20]);
        let after = [entry(2, true), entry(5, false), changed];
        let touches = [
            touch(TouchKind::Removed, 1),
            touch(TouchKind::Removed, 3),
            touch(TouchKind::Added, 5),
            touch(TouchKind::Changed, 4),
        ];
        assert_eq!(entries(&before, &after, &touches, false), []);
    }

    #[test]
    fn every_fault_is_found() {
        let before = [entry(1, false), entry(2, true)];
        let id = |number: u8| EntryId::from_bits(number.into());
        let rules = |after: &[Entry], touches: &[Touch]| {
            let found = entries(&before, after, touches, false);
            found.iter().map(|finding| (finding.rule(), finding.entry())).collect::<Vec<_>>()
        };
        assert_eq!(rules(&[entry(2, true)], &[]), [("rest", Some(id(1)))]);
        let gone = [touch(TouchKind::Removed, 2)];
        assert_eq!(rules(&[entry(1, false)], &gone), [("pin", Some(id(2)))]);
        assert_eq!(rules(&before, &gone), [("touch", Some(id(2)))]);
        let mut edited = before.clone();
        edited[1].body = ObjectId::Sha1([9; 20]);
        assert_eq!(rules(&edited, &[touch(TouchKind::Changed, 2)]), [("pin", Some(id(2)))]);
        let mut moved = before.clone();
        moved[1].position = Position::new(7).expect("small");
        assert_eq!(rules(&moved, &[touch(TouchKind::Marked, 2)]), [("pin", Some(id(2)))]);
        let more = [before[0].clone(), before[1].clone(), entry(3, false)];
        assert_eq!(rules(&more, &[]), [("rest", Some(id(3)))]);
        assert_eq!(entries(&before, &[], &[touch(TouchKind::Removed, 1), touch(TouchKind::Removed, 2)], true), []);
    }

    #[test]
    fn half_a_pair_is_found_unless_it_was_half_before() {
        let halves = |number: u64, calls: &[&str], results: &[&str]| {
            let own = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
            Halves::of(EntryId::from_bits(number), ToolIds { calls: own(calls), results: own(results) })
        };
        let before = [halves(1, &["a", "b"], &[]), halves(2, &[], &["a"]), halves(3, &[], &["c"])];
        assert_eq!(pairs(&before, &before), []);
        assert_eq!(pairs(&before, &[]), []);
        let call = |id: u64, call: &str| Finding::Pair { id: EntryId::from_bits(id), call: call.to_owned() };
        assert_eq!(pairs(&before, &before[..1]), [call(1, "a")]);
        assert_eq!(pairs(&before, &before[1..]), [call(2, "a")]);
        assert_eq!(pairs(&[], &before[1..]), [call(2, "a"), call(3, "c")]);
    }
}
