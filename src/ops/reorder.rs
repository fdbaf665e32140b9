//! `reorder`: gives entries another place, and refuses an order that no model could have seen.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::change::{Changed, Editing, Record};
use super::find::say;
use super::touches::touches;
use super::{OpError, Workspace};
use crate::codec::{ToolIds, tool_ids};
use crate::export::{Problem, ProblemKind, plain_text, validate};
use crate::model::{BodyKind, Entry, EntryId, Item, Operation, Role};

/// Largest body that is searched for the ids of other entries, in bytes.
const SEARCHED_MAX: usize = 256 << 10;

/// Says which order is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// These entries go right before, or right behind, another one, in the order in which they are named.
    Move {
        /// The entries.
        entries: Vec<String>,
        /// Where they go.
        place: Beside,
    },
    /// These entries stand in this order, in the places that they have now between them; all others stay.
    Listed(Vec<String>),
}

/// Names a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beside {
    /// Right before this entry.
    Before(String),
    /// Right behind this entry.
    After(String),
}

/// Asks for another order.
#[derive(Debug, Clone)]
pub struct Reorder {
    /// The order.
    pub order: Order,
    /// Whether it may be odd: a reply before what it answers, a mention before what it names, pins in another order.
    pub force: bool,
    /// The commit message; made from the first entry that moved where there is none.
    pub message: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Puts entries into another order. Bodies, ids and pins stay.
///
/// # Errors
/// When there is no such entry, nothing would move, a tool's call and result would be in the wrong order or parted, or
/// the order is odd and `force` is not given.
pub fn reorder(workspace: &Workspace, request: &Reorder) -> Result<Changed, OpError> {
    workspace.change(request.dry_run, &mut |editing| {
        let before = editing.context.entries()?;
        let wanted = wanted(editing, &before, &request.order)?;
        if wanted.iter().map(|entry| entry.id).eq(before.iter().map(|entry| entry.id)) {
            return Err(OpError::Nothing { reason: "the entries are in that order".to_owned() });
        }
        check(editing, &before, &wanted, request.force)?;
        let after = editing.context.rearrange(&before, wanted)?;
        let mut touched = touches(&before, &after);
        let moved = moved(&before, &after);
        touched.retain(|touch| moved.contains(&touch.id));
        let first = after.iter().find(|entry| moved.contains(&entry.id));
        let subject =
            request.message.clone().or_else(|| first.map(|first| format!("reorder {}", say(workspace, first))));
        Ok(Record::new(Operation::Reorder, subject.unwrap_or_default(), touched))
    })
}

/// Lists the entries whose positions changed.
fn moved(before: &[Entry], after: &[Entry]) -> HashSet<EntryId> {
    let old: HashMap<EntryId, &Entry> = before.iter().map(|entry| (entry.id, entry)).collect();
    let elsewhere = |entry: &&Entry| old.get(&entry.id).is_some_and(|old| old.position != entry.position);
    after.iter().filter(elsewhere).map(|entry| entry.id).collect()
}

fn wanted(editing: &mut Editing<'_>, before: &[Entry], order: &Order) -> Result<Vec<Entry>, OpError> {
    match order {
        Order::Move { entries, place } => {
            let moving = editing.find_all(entries)?;
            let (name, behind) = match place {
                Beside::Before(name) => (name, 0),
                Beside::After(name) => (name, 1),
            };
            let anchor = editing.find_all(std::slice::from_ref(name))?.remove(0);
            if moving.iter().any(|entry| entry.id == anchor.id) {
                return Err(OpError::Nothing { reason: format!("'{}' cannot go beside itself", anchor.id) });
            }
            let mut wanted: Vec<Entry> =
                before.iter().filter(|entry| !moving.iter().any(|moved| moved.id == entry.id)).cloned().collect();
            let at = wanted.iter().position(|entry| entry.id == anchor.id).map_or(wanted.len(), |at| at + behind);
            wanted.splice(at..at, moving);
            Ok(wanted)
        }
        Order::Listed(names) => {
            let listed = editing.find_all(names)?;
            if listed.len() != names.len() {
                return Err(OpError::Plan { line: 0, reason: "an entry is listed twice".to_owned() });
            }
            let ids: HashSet<EntryId> = listed.iter().map(|entry| entry.id).collect();
            let mut next = listed.into_iter();
            let pick = |entry: &Entry| if ids.contains(&entry.id) { next.next() } else { Some(entry.clone()) };
            Ok(before.iter().filter_map(pick).collect())
        }
    }
}

/// Refuses an order that cannot be, and one that is odd unless `force` is given.
fn check(editing: &mut Editing<'_>, before: &[Entry], wanted: &[Entry], force: bool) -> Result<(), OpError> {
    let changed = |(old, new): (&Entry, &Entry)| old.id != new.id;
    let Some(first) = before.iter().zip(wanted).position(changed) else { return Ok(()) };
    let last = before.iter().zip(wanted).rposition(changed).unwrap_or(first);
    let (first, last) = whole_pairs(editing, before, first, last)?;
    let old = items(editing, &before[first..=last])?;
    let new = items(editing, &wanted[first..=last])?;
    let faults = |items: &[Item]| -> Vec<Problem> {
        let alone = |problem: &Problem| first > 0 && problem.kind == ProblemKind::AssistantFirst;
        validate(items).into_iter().filter(|problem| !alone(problem)).collect()
    };
    let known = faults(&old);
    if let Some(problem) = faults(&new).into_iter().find(|problem| !known.contains(problem)) {
        return Err(OpError::InvalidOrder { reason: problem.to_string() });
    }
    let odd = oddities(&old, &new);
    if odd.is_empty() || force { Ok(()) } else { Err(OpError::OddOrder { reasons: odd }) }
}

/// Widens a range until no tool call in it has its result outside, and the other way round.
fn whole_pairs(
    editing: &mut Editing<'_>,
    entries: &[Entry],
    mut first: usize,
    mut last: usize,
) -> Result<(usize, usize), OpError> {
    let mut ids = |entry: &Entry| -> Result<ToolIds, OpError> {
        match entry.kind == BodyKind::Json && entry.role.is_sent() {
            true => Ok(tool_ids(&editing.context.read_body(&entry.body)?)),
            false => Ok(ToolIds::default()),
        }
    };
    // Calls without a result so far, and results without a call.
    let mut calls: HashSet<String> = HashSet::new();
    let mut results: HashSet<String> = HashSet::new();
    let take_in = |found: ToolIds, calls: &mut HashSet<String>, results: &mut HashSet<String>| {
        for call in found.calls {
            if !results.remove(&call) {
                calls.insert(call);
            }
        }
        for result in found.results {
            if !calls.remove(&result) {
                results.insert(result);
            }
        }
    };
    for entry in &entries[first..=last] {
        take_in(ids(entry)?, &mut calls, &mut results);
    }
    while !results.is_empty() && first > 0 {
        first -= 1;
        take_in(ids(&entries[first])?, &mut calls, &mut results);
    }
    while !calls.is_empty() && last + 1 < entries.len() {
        last += 1;
        take_in(ids(&entries[last])?, &mut calls, &mut results);
    }
    Ok((first, last))
}

fn items(editing: &mut Editing<'_>, entries: &[Entry]) -> Result<Vec<Item>, OpError> {
    let read = |entry: &Entry| Ok(Item { body: editing.context.read_body(&entry.body)?, entry: entry.clone() });
    entries.iter().map(read).collect()
}

/// Finds what is odd about a new order: each is said in one line.
fn oddities(old: &[Item], new: &[Item]) -> Vec<String> {
    let place: HashMap<EntryId, usize> = new.iter().enumerate().map(|(at, item)| (item.entry.id, at)).collect();
    let now = |item: &Item| place.get(&item.entry.id).copied();
    let mut odd = Vec::new();
    let mut asked: Option<&Item> = None;
    for item in old {
        match item.entry.role {
            Role::User => asked = Some(item),
            Role::Assistant => {
                // Only the first reply answers; what follows goes on from it.
                if let Some(question) = asked.take().filter(|question| now(item) < now(question)) {
                    odd.push(format!(
                        "'{}' would come before '{}', which it answers",
                        item.entry.id, question.entry.id
                    ));
                }
            }
            _ => {}
        }
    }
    let was: HashMap<EntryId, usize> = old.iter().enumerate().map(|(at, item)| (item.entry.id, at)).collect();
    // Whether anything that stood before an entry stands behind it now: only then its text matters.
    let overtakes = old.iter().scan(None, |furthest, item| {
        let overtakes = now(item) < *furthest;
        *furthest = (*furthest).max(now(item));
        Some(overtakes)
    });
    let overtaking = old.iter().enumerate().zip(overtakes).filter(|(_, overtakes)| *overtakes).map(|(one, _)| one);
    for (at, item) in overtaking.filter(|(_, item)| item.body.len() <= SEARCHED_MAX) {
        let text = plain_text(&item.entry.kind, &item.body);
        for earlier in named(&text, &was).into_iter().filter(|earlier| *earlier < at).map(|earlier| &old[earlier]) {
            if now(item) < now(earlier) {
                odd.push(format!("'{}' would come before '{}', which it names", item.entry.id, earlier.entry.id));
            }
        }
    }
    let pins = |items: &[Item]| -> Vec<EntryId> {
        items.iter().filter(|item| item.entry.flags.pin).map(|item| item.entry.id).collect()
    };
    if pins(old) != pins(new) {
        odd.push("pinned entries would stand in another order".to_owned());
    }
    odd
}

/// Finds the entries that a text names, in order: one pass, however many there are.
fn named(text: &str, places: &HashMap<EntryId, usize>) -> BTreeSet<usize> {
    let in_ids = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    let words = text.as_bytes().split(|byte| !in_ids(byte));
    // An id may be a part of a longer word, as in `id_0123456789x`.
    let parts = words.flat_map(|word| word.windows(EntryId::LEN));
    let ids = parts.filter_map(|part| std::str::from_utf8(part).ok()?.parse::<EntryId>().ok());
    ids.filter_map(|id| places.get(&id).copied()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::model::{Flags, ObjectId, Position};

    fn item(number: usize, text: &str) -> Item {
        let entry = Entry {
            position: Position::new(number as u64).expect("small"),
            role: Role::System,
            tokens: 1,
            id: EntryId::from_bits((number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            flags: Flags::default(),
            kind: BodyKind::Text,
            body: ObjectId::Sha1([0; 20]),
            meta: None,
        };
        Item { entry, body: text.as_bytes().to_vec() }
    }

    #[test]
    fn every_mention_is_found_wherever_it_stands() {
        let mut items: Vec<Item> = (0..4).map(|number| item(number, "")).collect();
        let id = |number: usize| item(number, "").entry.id;
        items[2].body = format!("é{}x, then '{}', {}; and {}", id(1), id(0), id(3), id(1)).into_bytes();
        let new = [2, 0, 1, 3].map(|at: usize| items[at].clone());
        let says = |earlier: usize| format!("'{}' would come before '{}', which it names", id(2), id(earlier));
        assert_eq!(oddities(&items, &new), [says(0), says(1)]);
        assert_eq!(oddities(&items, &items), [""; 0]);
        assert_eq!(oddities(&items, &[0, 2, 1, 3].map(|at: usize| items[at].clone())), [says(1)]);
    }

    #[test]
    fn a_long_context_is_looked_through_once() {
        let text = "one two three four five six ".repeat(300);
        let mut new: Vec<Item> = (0..4000).map(|number| item(number, &text)).collect();
        let id = new[7].entry.id;
        new[3999].body.extend_from_slice(id.as_str().as_bytes());
        let old = new.clone();
        new.reverse();
        let since = Instant::now();
        assert_eq!(oddities(&old, &new).len(), 1);
        // A search for each pair would read 60 GB.
        assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    }
}
