//! Gives entries positions in a wanted order, changing as few as can be.

use std::collections::HashMap;

use crate::model::{Entry, EntryId, Position};

/// Fractions longer than this make the entries behind them move, long before a name has no room for them.
const FRACTION_MAX: usize = 48;

/// Gives the entries of a part of a context positions in the order in which they are listed.
///
/// `before` is that part as it is now. Entries that are in it and in order keep their positions; those that moved, and
/// those that are new, come between their neighbours. Behind the last of them comes what `next` gives out: the part
/// must reach to the end of the context.
///
/// # Errors
/// What `next` answers when it has no more positions.
pub fn arrange<E>(
    before: &[Entry],
    mut wanted: Vec<Entry>,
    mut next: impl FnMut() -> Result<Position, E>,
) -> Result<Vec<Entry>, E> {
    let known: HashMap<EntryId, &Position> = before.iter().map(|entry| (entry.id, &entry.position)).collect();
    let positions: Vec<Option<&Position>> = wanted.iter().map(|entry| known.get(&entry.id).copied()).collect();
    let mut kept = longest_ascending(&positions);
    // Where the part begins: nothing may come before what it begins with now.
    let floor = before.first().map(|first| first.position.clone());
    let mut placed: Vec<Position> = Vec::with_capacity(wanted.len());
    let mut at = 0;
    while at < wanted.len() {
        if let (true, Some(position)) = (kept[at], positions[at]) {
            placed.push(position.clone());
            at += 1;
            continue;
        }
        // A run of entries without a place, and the first one behind it that has one.
        let mut end = (at..wanted.len()).find(|&at| kept[at]).unwrap_or(wanted.len());
        loop {
            let ceiling = positions.get(end).copied().flatten();
            let Some(ceiling) = ceiling else {
                for _ in at..end {
                    placed.push(next()?);
                }
                break;
            };
            if let Some(found) = between(placed.last(), floor.as_ref(), ceiling, end - at) {
                placed.extend(found);
                break;
            }
            // No room: what is behind moves too.
            kept[end] = false;
            end = (end..wanted.len()).find(|&at| kept[at]).unwrap_or(wanted.len());
        }
        at = end;
    }
    for (entry, position) in wanted.iter_mut().zip(placed) {
        entry.position = position;
    }
    Ok(wanted)
}

/// Finds this many positions before `high`: behind `low`, or from `floor` on where nothing comes before.
fn between(low: Option<&Position>, floor: Option<&Position>, high: &Position, count: usize) -> Option<Vec<Position>> {
    let mut found = Vec::with_capacity(count);
    match (low, floor) {
        (Some(low), _) => fill(low, high, count, &mut found)?,
        (None, Some(floor)) if floor < high => {
            found.push(floor.clone());
            fill(floor, high, count - 1, &mut found)?;
        }
        (None, _) => return None,
    }
    Some(found)
}

fn fill(low: &Position, high: &Position, count: usize, found: &mut Vec<Position>) -> Option<()> {
    if count == 0 {
        return Some(());
    }
    let middle = Position::between(low, high).ok()?;
    if middle.fraction_len() > FRACTION_MAX {
        return None;
    }
    fill(low, &middle, (count - 1) / 2, found)?;
    found.push(middle.clone());
    fill(&middle, high, count - 1 - (count - 1) / 2, found)
}

/// Marks a longest subsequence that ascends; what has no value is never in it.
pub fn longest_ascending<T: Ord>(values: &[Option<T>]) -> Vec<bool> {
    // For each length: where the subsequence of that length with the lowest end ends.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; values.len()];
    for (at, value) in values.iter().enumerate() {
        if value.is_none() {
            continue;
        }
        let length = ends.partition_point(|&end| values[end] < *value);
        before[at] = length.checked_sub(1).map(|shorter| ends[shorter]);
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut kept = vec![false; values.len()];
    let mut at = ends.last().copied();
    while let Some(end) = at {
        kept[end] = true;
        at = before[end];
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BodyKind, Flags, ObjectId, Role};
    use proptest::prelude::*;

    fn entry(serial: u64, position: Position) -> Entry {
        Entry {
            position,
            role: Role::User,
            tokens: 1,
            id: EntryId::from_bits(serial),
            flags: Flags::default(),
            kind: BodyKind::Text,
            body: ObjectId::Sha1([serial as u8; 20]),
            meta: None,
        }
    }

    fn number(number: u64) -> Position {
        Position::new(number).expect("small")
    }

    /// Arranges, and checks what must always hold.
    fn arranged(before: &[Entry], wanted: Vec<Entry>) -> Vec<Entry> {
        let mut last = before.last().map_or(0, |last| last.position.number() + 1);
        let next = || {
            last += 1;
            Position::new(last - 1)
        };
        let ids: Vec<EntryId> = wanted.iter().map(|entry| entry.id).collect();
        let after = arrange(before, wanted, next).expect("room");
        assert!(after.is_sorted_by(|one, other| one.position < other.position), "{after:?}");
        assert_eq!(after.iter().map(|entry| entry.id).collect::<Vec<_>>(), ids);
        after
    }

    #[test]
    fn only_what_moved_gets_another_position() {
        let before: Vec<Entry> = (0..6).map(|serial| entry(serial, number(serial))).collect();
        let order = [4, 0, 1, 2, 3, 5];
        let after = arranged(&before, order.map(|at| before[at].clone()).to_vec());
        let texts: Vec<String> = after.iter().map(|entry| entry.position.to_string()).collect();
        // Nothing can come before the first position: the one that had it moves.
        assert_eq!(texts, ["0000000", "0000000~i", "0000001", "0000002", "0000003", "0000005"]);
        let mut more = before.clone();
        more.insert(3, entry(9, number(0)));
        more.push(entry(10, number(0)));
        let after = arranged(&before, more);
        assert_eq!(after[3].position.to_string(), "0000002~i");
        assert_eq!(after[7].position.to_string(), "0000006");
    }

    #[test]
    fn one_gap_takes_any_number() {
        let mut context = vec![entry(0, number(0)), entry(1, number(1)), entry(2, number(2))];
        for serial in 3..700 {
            let mut wanted = context.clone();
            wanted.insert(1, entry(serial, number(0)));
            context = arranged(&context, wanted);
        }
        assert!(context.iter().all(|entry| entry.position.to_string().len() <= 8 + FRACTION_MAX));
    }

    proptest! {
        #[test]
        fn any_order_can_be_had(
            count in 1usize..40,
            picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0u8..3), 0..60),
        ) {
            let mut context: Vec<Entry> = (0..count as u64).map(|serial| entry(serial, number(serial))).collect();
            for (serial, (from, to, what)) in (1000u64..).zip(picks) {
                let mut wanted = context.clone();
                match what {
                    0 if wanted.len() > 1 => {
                        let moved = wanted.remove(from.index(wanted.len()));
                        wanted.insert(to.index(wanted.len() + 1), moved);
                    }
                    1 if wanted.len() > 1 => { wanted.remove(from.index(wanted.len())); }
                    _ => wanted.insert(to.index(wanted.len() + 1), entry(serial, number(0))),
                }
                let changed = arranged(&context, wanted);
                context = changed;
            }
        }
    }
}
