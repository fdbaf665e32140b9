//! What changed between two states of a context, as a commit lists it.

use std::collections::{HashMap, HashSet};

use crate::model::{Entry, EntryId, Touch, TouchKind};

/// Lists what changed between two states of one side.
pub(super) fn touches(before: &[Entry], after: &[Entry]) -> Vec<Touch> {
    let old: HashMap<EntryId, &Entry> = before.iter().map(|entry| (entry.id, entry)).collect();
    let new: HashSet<EntryId> = after.iter().map(|entry| entry.id).collect();
    let gone = before.iter().filter(|entry| !new.contains(&entry.id));
    let changed = after.iter().filter_map(|entry| {
        let kind = match old.get(&entry.id) {
            None => TouchKind::Added,
            Some(old) if **old == *entry => return None,
            Some(old) => {
                let marked = Entry { position: old.position.clone(), flags: old.flags.clone(), ..entry.clone() };
                if marked == **old { TouchKind::Marked } else { TouchKind::Changed }
            }
        };
        Some(Touch::new(kind, entry.id))
    });
    gone.map(|entry| Touch::new(TouchKind::Removed, entry.id)).chain(changed).collect()
}

/// Puts what two changes touched into one list: what came and went again is not in it.
pub(super) fn joined(first: Vec<Touch>, second: Vec<Touch>) -> Vec<Touch> {
    let mut touches = first;
    let places: HashMap<EntryId, usize> = touches.iter().enumerate().map(|(at, touch)| (touch.id, at)).collect();
    let mut vanished = HashSet::new();
    for touch in second {
        match places.get(&touch.id).map(|at| &mut touches[*at]) {
            None => touches.push(touch),
            Some(known) => match (known.kind, touch.kind) {
                (TouchKind::Changed, TouchKind::Marked) => {}
                (TouchKind::Added, TouchKind::Removed) => drop(vanished.insert(touch.id)),
                (TouchKind::Added, _) => {}
                (TouchKind::Removed, TouchKind::Added) => known.kind = TouchKind::Changed,
                (_, kind) => known.kind = kind,
            },
        }
    }
    touches.retain(|touch| !vanished.contains(&touch.id));
    touches
}
