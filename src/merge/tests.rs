//! Merging against what anybody would expect of it.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::codec::{ToolIds, arrange};
use crate::model::{BodyKind, Entry, EntryId, Flags, ObjectId, Position, Role};

fn entry(serial: u64) -> Entry {
    Entry {
        position: Position::new(serial).expect("small"),
        role: Role::User,
        tokens: 1,
        id: EntryId::from_bits(serial),
        flags: Flags::default(),
        kind: BodyKind::Text,
        body: words(serial),
        meta: None,
    }
}

fn words(number: u64) -> ObjectId {
    let mut raw = [7; 20];
    raw[..8].copy_from_slice(&number.to_be_bytes());
    ObjectId::Sha1(raw)
}

fn context(serials: &[u64]) -> Vec<Entry> {
    serials.iter().map(|serial| entry(*serial)).collect()
}

/// Gives a side's entries positions, as the store does.
fn placed(base: &[Entry], wanted: Vec<Entry>) -> Vec<Entry> {
    let mut next = base.last().map_or(0, |last| last.position.number() + 1);
    arrange(base, wanted, || {
        next += 1;
        Position::new(next - 1)
    })
    .expect("room")
}

/// Calls are named by the body's first byte being 1, results by 2; the id is the second byte.
fn tools(entry: &Entry) -> ToolIds {
    let bytes = entry.body.as_bytes();
    let name = vec![bytes[1].to_string()];
    match bytes[0] {
        1 => ToolIds { calls: name, results: Vec::new() },
        2 => ToolIds { calls: Vec::new(), results: name },
        _ => ToolIds::default(),
    }
}

#[derive(Default)]
struct Given {
    choices: HashMap<EntryId, Choice>,
    compressed: HashSet<EntryId>,
    times: HashMap<EntryId, i64>,
    by_time: bool,
}

impl Given {
    fn merge(&self, base: &[Entry], ours: &[Entry], theirs: &[Entry]) -> Merged {
        let (nothing, no_times) = (HashSet::new(), HashMap::new());
        let input = Input {
            base,
            ours: Side { entries: ours, compressed: &self.compressed, times: &self.times },
            theirs: Side {
                entries: theirs,
                compressed: &nothing,
                times: if self.by_time { &self.times } else { &no_times },
            },
            choices: &self.choices,
            by_time: self.by_time,
            completes_calls: true,
            tools: &tools,
        };
        super::merge(&input)
    }
}

fn merged(base: &[Entry], ours: &[Entry], theirs: &[Entry]) -> Merged {
    Given::default().merge(base, ours, theirs)
}

fn serials(entries: &[Entry]) -> Vec<u64> {
    let bits: HashMap<EntryId, u64> = (0..2000).map(|serial| (EntryId::from_bits(serial), serial)).collect();
    entries.iter().map(|entry| bits[&entry.id]).collect()
}

/// Merges contexts given by their order alone.
fn order(base: &[u64], ours: &[u64], theirs: &[u64]) -> (Vec<u64>, Vec<(u64, ConflictKind)>) {
    let base = context(base);
    let [ours, theirs] = [ours, theirs].map(|side| placed(&base, context(side)));
    let found = merged(&base, &ours, &theirs);
    let conflicts = found.conflicts.iter().map(|conflict| {
        (serials(&[conflict.ours.clone().or(conflict.theirs.clone()).expect("somewhere")])[0], conflict.kind)
    });
    (serials(&found.entries), conflicts.collect())
}

#[test]
fn ours_comes_in_order_then_theirs_where_they_diverged() {
    assert_eq!(order(&[1, 2], &[1, 2, 10, 11], &[1, 2, 20, 21]).0, [1, 2, 10, 11, 20, 21]);
    // In between, too.
    assert_eq!(order(&[1, 2], &[1, 10, 2, 11], &[1, 20, 2, 21]).0, [1, 10, 20, 2, 11, 21]);
    // Nothing in common.
    assert_eq!(order(&[], &[10, 11], &[20]).0, [10, 11, 20]);
    // One side dropped the last entries; what the other appended still comes last.
    assert_eq!(order(&[1, 2, 3], &[1, 2, 3, 10], &[1, 20]).0, [1, 10, 20]);
    assert_eq!(order(&[1, 2, 3], &[1, 10], &[1, 2, 3, 20]).0, [1, 10, 20]);
    // What came in on both is there once.
    assert_eq!(order(&[1], &[1, 10, 11], &[1, 10, 20]).0, [1, 10, 11, 20]);
}

#[test]
fn a_summary_stands_where_the_range_was() {
    let base = context(&[1, 2, 3, 4]);
    let mut summary = entry(50);
    summary.position = base[1].position.clone();
    let compressed = vec![base[0].clone(), summary.clone(), base[3].clone()];
    let grown = placed(&base, context(&[1, 2, 3, 4, 10]));
    assert_eq!(serials(&merged(&base, &compressed, &grown).entries), [1, 50, 4, 10]);
    assert_eq!(serials(&merged(&base, &grown, &compressed).entries), [1, 50, 4, 10]);
    // To the end: what the other side appended follows the summary.
    let mut all = entry(51);
    all.position = base[2].position.clone();
    let to_the_end = vec![base[0].clone(), base[1].clone(), all];
    assert_eq!(serials(&merged(&base, &to_the_end, &grown).entries), [1, 2, 51, 10]);
    assert_eq!(serials(&merged(&base, &grown, &to_the_end).entries), [1, 2, 51, 10]);
}

#[test]
fn moves_of_one_side_are_kept_and_of_both_conflict() {
    let base = [1, 2, 3, 4, 5];
    assert_eq!(order(&base, &[1, 5, 2, 3, 4], &[1, 2, 3, 4, 5, 20]), (vec![1, 5, 2, 3, 4, 20], vec![]));
    assert_eq!(order(&base, &[1, 2, 3, 4, 5, 10], &[1, 5, 2, 3, 4]), (vec![1, 5, 2, 3, 4, 10], vec![]));
    assert_eq!(order(&base, &[1, 5, 2, 3, 4], &[1, 5, 2, 3, 4]), (vec![1, 5, 2, 3, 4], vec![]));
    let (found, conflicts) = order(&base, &[1, 5, 2, 3, 4], &[1, 2, 5, 3, 4]);
    assert_eq!((found, conflicts), (vec![1, 5, 2, 3, 4], vec![(5, ConflictKind::BothMoved)]));
}

#[test]
fn every_kind_of_conflict_is_told_and_can_be_settled() {
    let base = context(&[1, 2, 3]);
    let edited = |mut entries: Vec<Entry>, at: usize, words_now: u64| {
        entries[at].body = words(words_now);
        entries
    };
    let without = |at: usize| {
        let mut entries = base.clone();
        entries.remove(at);
        entries
    };
    let pinned = |at: usize| {
        let mut entries = base.clone();
        entries[at].flags.pin = true;
        entries
    };
    let (ours, theirs) = (edited(base.clone(), 1, 100), edited(base.clone(), 1, 200));
    let cases = [
        (ours.clone(), theirs.clone(), ConflictKind::BothEdited),
        (without(1), theirs.clone(), ConflictKind::EditedDropped),
        (ours.clone(), without(1), ConflictKind::EditedDropped),
        (pinned(1), without(1), ConflictKind::PinnedDropped),
        (without(1), pinned(1), ConflictKind::PinnedDropped),
        (pinned(1), theirs.clone(), ConflictKind::PinnedEdited),
    ];
    for (ours, theirs, kind) in cases {
        let found = merged(&base, &ours, &theirs);
        assert_eq!(found.conflicts.iter().map(|conflict| conflict.kind).collect::<Vec<_>>(), [kind]);
        assert_eq!(found.entries, ours, "as on our side");
        let settle = |choice: Choice| {
            let given = Given { choices: HashMap::from([(base[1].id, choice)]), ..Given::default() };
            let found = given.merge(&base, &ours, &theirs);
            assert!(found.conflicts.is_empty(), "{kind}");
            found.entries
        };
        assert_eq!(settle(Choice::Ours), ours);
        assert_eq!(settle(Choice::Theirs), theirs);
        let both = settle(Choice::Both(EntryId::from_bits(999)));
        let expected = if kind == ConflictKind::BothEdited || kind == ConflictKind::PinnedEdited { 4 } else { 3 };
        assert_eq!(both.len(), expected, "{kind}");
        let mut other = entry(0);
        other.body = words(300);
        assert!(settle(Choice::Words(Box::new(other))).iter().any(|entry| entry.body == words(300)));
    }
    let given = Given { compressed: HashSet::from([base[1].id]), ..Given::default() };
    assert_eq!(given.merge(&base, &ours, &theirs).conflicts[0].kind, ConflictKind::EditedCompressed);
    assert_eq!(given.merge(&base, &without(1), &theirs).conflicts[0].kind, ConflictKind::EditedCompressed);
}

#[test]
fn what_peers_get_wrong_is_clean() {
    let base = context(&[1, 2]);
    let mut same = base.clone();
    same[0].body = words(100);
    let mut pinned = same.clone();
    pinned[1].flags.pin = true;
    // Identical edits; an edit against an append; both pin.
    assert_eq!(merged(&base, &same, &same), Merged { entries: same.clone(), conflicts: vec![] });
    let found = merged(&base, &same, &placed(&base, context(&[1, 2, 20])));
    assert!(found.conflicts.is_empty() && found.entries[0].body == words(100) && found.entries.len() == 3);
    assert_eq!(merged(&base, &pinned, &pinned), Merged { entries: pinned, conflicts: vec![] });
}

fn tool(serial: u64, what: u8, call: u8) -> Entry {
    let mut raw = [serial as u8; 20];
    (raw[0], raw[1]) = (what, call);
    Entry { body: ObjectId::Sha1(raw), kind: BodyKind::Json, ..entry(serial) }
}

#[test]
fn calls_and_results_stay_together() {
    let base = vec![entry(1), tool(2, 1, 7)];
    // Ours went on without an answer, theirs answered.
    let ours = placed(&base, [base.clone(), vec![entry(10)]].concat());
    let theirs = placed(&base, [base.clone(), vec![tool(20, 2, 7), entry(21)]].concat());
    assert_eq!(serials(&merged(&base, &ours, &theirs).entries), [1, 2, 20, 10, 21]);
    // So it is with a result that does not say of which call it is.
    let unnamed = Entry { role: Role::Tool, ..entry(20) };
    let theirs = placed(&base, [base.clone(), vec![unnamed, entry(21)]].concat());
    assert_eq!(serials(&merged(&base, &ours, &theirs).entries), [1, 2, 20, 10, 21]);
    // Ours waits for an answer: theirs comes before. What was interrupted earlier waits for nothing.
    let start = vec![entry(1)];
    let ours = placed(&start, vec![entry(1), entry(10), tool(11, 1, 8)]);
    let theirs = placed(&start, vec![entry(1), entry(20)]);
    assert_eq!(serials(&merged(&start, &ours, &theirs).entries), [1, 10, 20, 11]);
    let interrupted = placed(&start, vec![entry(1), tool(11, 1, 8), entry(12), entry(13)]);
    assert_eq!(serials(&merged(&start, &interrupted, &theirs).entries), [1, 11, 12, 13, 20]);
    // Both answered: one of them must go.
    let ours = placed(&base, [base.clone(), vec![tool(10, 2, 7), entry(11)]].concat());
    let theirs = placed(&base, [base.clone(), vec![tool(20, 2, 7), entry(21)]].concat());
    let found = merged(&base, &ours, &theirs);
    assert_eq!(found.conflicts[0].kind, ConflictKind::BothAnswered);
    assert_eq!(serials(&found.entries), [1, 2, 10, 11, 21]);
    let given = Given { choices: HashMap::from([(EntryId::from_bits(20), Choice::Theirs)]), ..Given::default() };
    assert_eq!(serials(&given.merge(&base, &ours, &theirs).entries), [1, 2, 20, 11, 21]);
}

#[test]
fn a_half_that_stays_keeps_the_other() {
    let base = vec![entry(1), tool(2, 1, 7), tool(3, 2, 7), entry(4)];
    let without = vec![base[0].clone(), base[3].clone()];
    let mut pinned = base.clone();
    pinned[1].flags.pin = true;
    for (ours, theirs) in [(&without, &pinned), (&pinned, &without)] {
        let found = merged(&base, ours, theirs);
        assert_eq!(found.conflicts.len(), 1);
        for choice in [Choice::Ours, Choice::Theirs] {
            let wants_it = (choice == Choice::Ours) == (ours == &pinned);
            let given = Given { choices: HashMap::from([(base[1].id, choice)]), ..Given::default() };
            let found = given.merge(&base, ours, theirs);
            assert_eq!(serials(&found.entries), if wants_it { vec![1, 2, 3, 4] } else { vec![1, 4] });
        }
    }
}

#[test]
fn by_time_each_side_keeps_its_order_and_its_pairs() {
    let base = vec![entry(1)];
    let ours = placed(&base, vec![entry(1), entry(10), tool(11, 1, 9), tool(12, 2, 9), entry(13)]);
    let theirs = placed(&base, vec![entry(1), entry(20), entry(21)]);
    let times = [(10, 100), (11, 200), (12, 400), (13, 500), (20, 150), (21, 300)];
    let times = times.into_iter().map(|(serial, time)| (EntryId::from_bits(serial), time)).collect();
    let given = Given { times, by_time: true, ..Given::default() };
    assert_eq!(serials(&given.merge(&base, &ours, &theirs).entries), [1, 10, 20, 11, 12, 21, 13]);
}

#[derive(Debug, Clone)]
enum Change {
    Append,
    Insert(Index),
    Drop(Index),
    Edit(Index),
    Pin(Index),
    Move(Index, Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        4 => Just(Change::Append),
        2 => any::<Index>().prop_map(Change::Insert),
        2 => any::<Index>().prop_map(Change::Drop),
        2 => any::<Index>().prop_map(Change::Edit),
        1 => any::<Index>().prop_map(Change::Pin),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Move(from, to)),
    ];
    prop::collection::vec(change, 0..14)
}

fn changed(base: &[Entry], changes: &[Change], first: u64) -> Vec<Entry> {
    let mut side = base.to_vec();
    for (serial, change) in (first..).zip(changes) {
        let mut wanted = side.clone();
        match change {
            Change::Insert(at) => wanted.insert(at.index(wanted.len() + 1), entry(serial)),
            Change::Drop(at) if !wanted.is_empty() => drop(wanted.remove(at.index(wanted.len()))),
            Change::Edit(at) if !wanted.is_empty() => {
                let at = at.index(wanted.len());
                wanted[at].body = words(serial);
            }
            Change::Pin(at) if !wanted.is_empty() => {
                let at = at.index(wanted.len());
                wanted[at].flags.pin = true;
            }
            Change::Move(from, to) if !wanted.is_empty() => {
                let moved = wanted.remove(from.index(wanted.len()));
                wanted.insert(to.index(wanted.len() + 1), moved);
            }
            _ => wanted.push(entry(serial)),
        }
        side = placed(&side, wanted);
    }
    side
}

fn ids(entries: &[Entry]) -> Vec<EntryId> {
    entries.iter().map(|entry| entry.id).collect()
}

/// What two contexts say, whatever the positions.
fn told(entries: &[Entry]) -> Vec<(EntryId, ObjectId, bool)> {
    entries.iter().map(|entry| (entry.id, entry.body, entry.flags.pin)).collect()
}

proptest! {
    #[test]
    fn a_side_that_did_nothing_changes_nothing(count in 0u64..12, changes in changes()) {
        let base = context(&(1..=count).collect::<Vec<_>>());
        let side = changed(&base, &changes, 100);
        for found in [merged(&base, &side, &base), merged(&base, &base, &side), merged(&base, &side, &side)] {
            prop_assert_eq!(told(&found.entries), told(&side));
            prop_assert_eq!(found.conflicts, vec![]);
        }
    }

    #[test]
    fn every_live_entry_of_both_sides_is_there_once(count in 0u64..12, one in changes(), two in changes()) {
        let base = context(&(1..=count).collect::<Vec<_>>());
        let (ours, theirs) = (changed(&base, &one, 100), changed(&base, &two, 500));
        let found = merged(&base, &ours, &theirs);
        let there = ids(&found.entries);
        let distinct: HashSet<EntryId> = there.iter().copied().collect();
        prop_assert_eq!(distinct.len(), there.len(), "once");
        let find = |side: &[Entry], id: EntryId| side.iter().find(|entry| entry.id == id).cloned();
        let in_conflict: HashSet<EntryId> = found.conflicts.iter().map(|conflict| conflict.id).collect();
        for id in ids(&base).into_iter().chain(ids(&ours)).chain(ids(&theirs)) {
            let (at_base, at_ours, at_theirs) = (find(&base, id), find(&ours, id), find(&theirs, id));
            let expected = match (&at_base, &at_ours, &at_theirs) {
                (None, ..) => true,
                (Some(_), Some(_), Some(_)) => true,
                _ => in_conflict.contains(&id) && at_ours.is_some(),
            };
            prop_assert_eq!(distinct.contains(&id), expected);
            if let (Some(_), Some(theirs), false) = (&at_base, &at_theirs, in_conflict.contains(&id)) {
                let now = find(&found.entries, id);
                if let (Some(now), Some(base)) = (now, &at_base) && theirs.body != base.body {
                    prop_assert_eq!(now.body, theirs.body, "an edit of theirs");
                }
            }
        }
        // Both directions have the same entries, unless the sides disagree.
        let back = merged(&base, &theirs, &ours);
        prop_assert_eq!(back.conflicts.len(), found.conflicts.len());
        if found.conflicts.is_empty() {
            let mut here = told(&found.entries);
            let mut there = told(&back.entries);
            here.sort();
            there.sort();
            prop_assert_eq!(here, there);
        }
        // What a side appended is in that side's order, and nobody moves it but who added it.
        for (side, first) in [(&ours, 100), (&theirs, 500)] {
            let own: HashSet<EntryId> = (first..first + 20).map(EntryId::from_bits).collect();
            let before: Vec<EntryId> = ids(side).into_iter().filter(|id| own.contains(id)).collect();
            let after: Vec<EntryId> = there.iter().copied().filter(|id| own.contains(id)).collect();
            prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn a_choice_settles_everything(count in 1u64..12, one in changes(), two in changes(), theirs_wins in any::<bool>()) {
        let base = context(&(1..=count).collect::<Vec<_>>());
        let (ours, theirs) = (changed(&base, &one, 100), changed(&base, &two, 500));
        let choice = if theirs_wins { Choice::Theirs } else { Choice::Ours };
        let open = merged(&base, &ours, &theirs).conflicts;
        let choices = open.iter().map(|conflict| (conflict.id, choice.clone())).collect();
        let settled = Given { choices, ..Given::default() }.merge(&base, &ours, &theirs);
        // An entry that was edited by both and moved by both has one conflict at a time, and one choice for both.
        prop_assert_eq!(settled.conflicts, vec![]);
    }

    #[test]
    fn ancestors_that_disagree_are_like_neither(count in 1u64..8, one in changes(), two in changes()) {
        let base = context(&(1..=count).collect::<Vec<_>>());
        let (ours, theirs) = (changed(&base, &one, 100), changed(&base, &two, 500));
        let ancestor = merge_ancestors(&base, &ours, &theirs, &tools);
        prop_assert_eq!(ids(&ancestor).into_iter().collect::<HashSet<_>>().len(), ancestor.len());
        for conflict in merged(&base, &ours, &theirs).conflicts.iter().filter(|conflict| conflict.kind == ConflictKind::BothEdited) {
            let known = ancestor.iter().find(|entry| entry.id == conflict.id).expect("it stays");
            prop_assert!(Some(known.body) != conflict.ours.as_ref().map(|entry| entry.body));
            prop_assert!(Some(known.body) != conflict.theirs.as_ref().map(|entry| entry.body));
        }
    }
}
