//! Where one side put what it added or moved: which gap of the scaffold each entry stands in.

use std::collections::{HashMap, HashSet};

use crate::codec::longest_ascending;
use crate::model::{Entry, EntryId};

/// Holds one side as changes to the scaffold: the entries that both sides began with, in their order.
///
/// Gap 0 is in front of the scaffold, gap `n` behind its `n`th entry.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// For each gap, the entries that this side put there, in order.
    pub(super) runs: Vec<Vec<EntryId>>,
    /// Entries of the scaffold that stand elsewhere on this side.
    pub(super) moved: HashSet<EntryId>,
    /// For each entry of the scaffold that is still there: the one of them that stands before it.
    before: HashMap<EntryId, Option<EntryId>>,
    gap_of: HashMap<EntryId, usize>,
}

impl Gaps {
    pub(super) fn of(base: &[Entry], side: &[Entry]) -> Self {
        let place: HashMap<EntryId, usize> = base.iter().enumerate().map(|(at, entry)| (entry.id, at)).collect();
        let before = neighbours(side.iter().filter(|entry| place.contains_key(&entry.id)));
        let moved = moved(base, side, &place, &before);
        let mut gaps = Gaps { runs: vec![Vec::new(); base.len() + 1], moved, before, gap_of: HashMap::new() };
        let stable = |entry: &Entry| place.get(&entry.id).copied().filter(|_| !gaps.moved.contains(&entry.id));
        // For each entry, the first gap behind the last stable entry before it, and the last gap before the next one.
        let mut highest = vec![base.len(); side.len()];
        let mut ceiling = base.len();
        for (at, entry) in side.iter().enumerate().rev() {
            highest[at] = ceiling;
            ceiling = stable(entry).unwrap_or(ceiling);
        }
        let mut floor = 0;
        let mut found = Vec::new();
        for (entry, highest) in side.iter().zip(highest) {
            match stable(entry) {
                Some(at) => floor = at + 1,
                None => {
                    // Entries that this side took out stood in between: positions tell behind which of them.
                    let passed = base[floor..highest.max(floor)].iter();
                    let gap = floor + passed.take_while(|gone| gone.position < entry.position).count();
                    found.push((entry.id, gap));
                    floor = gap;
                }
            }
        }
        for (id, gap) in found {
            gaps.runs[gap].push(id);
            gaps.gap_of.insert(id, gap);
        }
        gaps
    }

    /// Tells whether an entry that both sides moved stands at the same place in both.
    pub(super) fn agrees(&self, other: &Gaps, id: EntryId) -> bool {
        self.gap_of.get(&id) == other.gap_of.get(&id) && self.before.get(&id) == other.before.get(&id)
    }
}

/// For each entry, the one before it.
fn neighbours<'e>(entries: impl Iterator<Item = &'e Entry>) -> HashMap<EntryId, Option<EntryId>> {
    let mut last = None;
    entries
        .map(|entry| {
            let before = (entry.id, last);
            last = Some(entry.id);
            before
        })
        .collect()
}

/// Finds the entries that a side moved: those with another position *and* another neighbour than before. A position
/// alone may change when room is made; a neighbour alone, when another entry moves.
fn moved(
    base: &[Entry],
    side: &[Entry],
    place: &HashMap<EntryId, usize>,
    before: &HashMap<EntryId, Option<EntryId>>,
) -> HashSet<EntryId> {
    let were = neighbours(base.iter().filter(|entry| before.contains_key(&entry.id)));
    let has_moved = |entry: &&Entry| {
        let Some(&at) = place.get(&entry.id) else { return false };
        entry.position != base[at].position && before.get(&entry.id) != were.get(&entry.id)
    };
    let moved: HashSet<EntryId> = side.iter().filter(has_moved).map(|entry| entry.id).collect();
    let staying = side.iter().filter(|entry| !moved.contains(&entry.id));
    if staying.filter_map(|entry| place.get(&entry.id)).is_sorted() {
        return moved;
    }
    // Positions were given out anew: what is not in the longest ascending part has moved.
    let order: Vec<Option<usize>> = side.iter().map(|entry| place.get(&entry.id).copied()).collect();
    let kept = longest_ascending(&order);
    let lost = order.into_iter().zip(kept).filter(|(_, kept)| !kept);
    lost.filter_map(|(at, _)| Some(base[at?].id)).collect()
}
