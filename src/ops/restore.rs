//! `restore`: puts back what was compressed.

use std::collections::HashSet;

use super::change::{Changed, Editing, Record};
use super::compress::check::{self, Halves};
use super::compress::{Compression, Scene, Ties, UNDOES};
use super::find::{find_entry, say};
use super::{OpError, Workspace};
use crate::model::{Entry, EntryId, Operation, Position, PositionError, Touch, TouchKind};

/// Asks for originals to be put back.
#[derive(Debug, Clone, Default)]
pub struct Restore {
    /// Summaries, and entries with stubs: ids, beginnings of ids, or positions.
    pub entries: Vec<String>,
    /// The commit message; made of the numbers where there is none.
    pub message: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Puts originals back in the place of what stands for them: the same ids, the same objects, the same pins. What was
/// done to the rest of the context since stays.
///
/// # Errors
/// When there is no such entry, it is pinned or not compressed, its originals are not in this history or are in the context
/// already, or a tool call would come back without its result.
pub fn restore(workspace: &Workspace, request: &Restore) -> Result<Changed, OpError> {
    // Looked for before the lock is taken: history may be long.
    let tip = workspace.tip()?;
    let all = workspace.repo.read_entries(&tip)?;
    let mut found: Vec<(Entry, Compression)> = Vec::new();
    for name in &request.entries {
        let entry = find_entry(&all, name, &|entry| say(workspace, entry))?;
        if entry.flags.pin {
            return Err(OpError::Pinned { id: entry.id.to_string() });
        }
        if !found.iter().any(|(known, _)| known.id == entry.id) {
            found.push((entry.clone(), Compression::find(workspace, tip.id, entry)?));
        }
    }
    if found.is_empty() {
        return Err(OpError::Nothing { reason: "no entry is named".to_owned() });
    }
    workspace.change(request.dry_run, &mut |editing| {
        let before = editing.context.entries()?;
        let mut touches = Vec::new();
        for (entry, compression) in &found {
            if editing.context.find(entry.id)?.as_ref() != Some(entry) {
                return Err(OpError::Busy);
            }
            match compression.is_summary {
                true => put_originals(editing, entry, compression, &mut touches)?,
                false => put_body(editing, entry, compression, &mut touches)?,
            }
        }
        check(editing, &before, &touches)?;
        let back: usize = found.iter().map(|(_, compression)| compression.originals.len()).sum();
        let unit = if back == 1 { "entry" } else { "entries" };
        let names: Vec<String> = found.iter().map(|(entry, _)| entry.id.to_string()).collect();
        let subject =
            request.message.clone().unwrap_or_else(|| format!("restore {back} {unit} of {}", names.join(" ")));
        Ok(Record::new(Operation::Restore, subject, touches))
    })
}

/// Names the commit that is taken back.
fn undoing(kind: TouchKind, id: EntryId, compression: &Compression) -> Touch {
    let mut touch = Touch::new(kind, id);
    touch.fields.push((UNDOES.to_owned(), compression.commit.id.to_string()));
    touch
}

/// Gives an entry with stubs its body back; its marks and its place stay.
fn put_body(
    editing: &mut Editing<'_>,
    entry: &Entry,
    compression: &Compression,
    touches: &mut Vec<Touch>,
) -> Result<(), OpError> {
    let Some(original) = compression.originals.first() else { return Ok(()) };
    let made = editing.workspace.repo.find_entry(&compression.commit, entry.id)?;
    if made.is_none_or(|made| made.body != entry.body) {
        let reason = "it was edited since".to_owned();
        return Err(OpError::Restore { id: entry.id.to_string(), reason });
    }
    editing.context.replace(Entry {
        position: entry.position.clone(),
        flags: entry.flags.clone(),
        id: entry.id,
        ..original.clone()
    })?;
    touches.push(undoing(TouchKind::Changed, entry.id, compression));
    Ok(())
}

/// Puts the originals in the place of their summary.
fn put_originals(
    editing: &mut Editing<'_>,
    summary: &Entry,
    compression: &Compression,
    touches: &mut Vec<Touch>,
) -> Result<(), OpError> {
    let rest: Vec<Entry> = editing.context.entries()?.into_iter().filter(|entry| entry.id != summary.id).collect();
    let originals = &compression.originals;
    let ids: HashSet<EntryId> = originals.iter().map(|original| original.id).collect();
    if let Some(there) = rest.iter().find(|entry| ids.contains(&entry.id)) {
        let reason = format!("its original '{}' is in the context", there.id);
        return Err(OpError::Restore { id: summary.id.to_string(), reason });
    }
    let positions: Vec<Position> = if know_their_places(editing, &rest, summary, compression)? {
        originals.iter().map(|original| original.position.clone()).collect()
    } else {
        let next = rest.iter().map(|entry| &entry.position).find(|position| **position > summary.position);
        let mut positions = vec![summary.position.clone()];
        spread(&summary.position, next, originals.len().saturating_sub(1), &mut positions)?;
        positions
    };
    editing.context.remove(summary.id)?;
    touches.push(Touch::new(TouchKind::Removed, summary.id));
    for (original, position) in originals.iter().zip(positions) {
        editing.context.insert(Entry { position, ..original.clone() })?;
        touches.push(undoing(TouchKind::Added, original.id, compression));
    }
    Ok(())
}

/// Tells whether the originals can have the positions that they had: where the summary was not moved, and nothing came
/// to stand among them since, which could part a call from its result.
fn know_their_places(
    editing: &Editing<'_>,
    rest: &[Entry],
    summary: &Entry,
    compression: &Compression,
) -> Result<bool, OpError> {
    let originals = &compression.originals;
    let Some((first, last)) = originals.first().zip(originals.last()) else { return Ok(false) };
    if first.position != summary.position {
        return Ok(false);
    }
    let range = &first.position..=&last.position;
    let mut among = rest.iter().filter(|entry| range.contains(&&entry.position)).peekable();
    if among.peek().is_none() {
        return Ok(true);
    }
    // Pins stood there before, and so did the summaries of other runs.
    let repo = &editing.workspace.repo;
    let (before, after) = (repo.read_entries(&compression.parent)?, repo.read_entries(&compression.commit)?);
    let there: HashSet<(EntryId, &Position)> =
        before.iter().chain(&after).map(|entry| (entry.id, &entry.position)).collect();
    let taken: HashSet<&Position> = originals.iter().map(|original| &original.position).collect();
    Ok(among.all(|entry| there.contains(&(entry.id, &entry.position)) && !taken.contains(&entry.position)))
}

/// Adds `count` positions between two, in order and all of them short.
fn spread(low: &Position, high: Option<&Position>, count: usize, out: &mut Vec<Position>) -> Result<(), PositionError> {
    let Some(high) = high else {
        for step in 1..=count as u64 {
            out.push(Position::new(low.number() + step)?);
        }
        return Ok(());
    };
    if count > 0 {
        let middle = Position::between(low, high)?;
        let left = (count - 1) / 2;
        spread(low, Some(&middle), left, out)?;
        out.push(middle.clone());
        spread(&middle, Some(high), count - 1 - left, out)?;
    }
    Ok(())
}

/// Refuses to bring back a tool call without its result.
fn check(editing: &mut Editing<'_>, before: &[Entry], touches: &[Touch]) -> Result<(), OpError> {
    let after = editing.context.entries()?;
    let known: HashSet<EntryId> = before.iter().map(|entry| entry.id).collect();
    let mut findings = check::entries(before, &after, touches, false);
    let scene = Scene::of(editing.workspace, editing.encoding, after);
    let new: Vec<usize> = (0..scene.entries.len()).filter(|at| !known.contains(&scene.entries[*at].id)).collect();
    if let Some((first, last)) = new.first().zip(new.last()) {
        let halves: Vec<Halves> = Ties::find(&scene, *first, *last)?.halves(&scene, &new)?;
        let there: Vec<Halves> = halves.iter().filter(|halves| known.contains(&halves.id)).cloned().collect();
        findings.extend(check::pairs(&there, &halves));
    }
    if findings.is_empty() { Ok(()) } else { Err(OpError::Unsound { findings }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_spread_in_order_and_stay_short() {
        let number = |number: u64| Position::new(number).expect("small");
        let mut positions = vec![number(7)];
        spread(&number(7), Some(&number(8)), 5000, &mut positions).expect("room");
        positions.push(number(8));
        assert!(positions.is_sorted_by(|low, high| low < high) && positions.len() == 5002);
        assert!(positions.iter().all(|position| position.to_string().len() < 16));
        let mut positions = Vec::new();
        spread(&number(7), None, 3, &mut positions).expect("room");
        assert_eq!(positions, [number(8), number(9), number(10)]);
    }
}
