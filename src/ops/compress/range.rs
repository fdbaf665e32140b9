//! Which entries a person means.

use std::collections::{BTreeSet, HashMap};

use super::super::OpError;
use super::super::find::{find_entry, say};
use super::scene::Scene;
use crate::model::{EntryId, TouchKind};

/// Holds the places of the entries that were named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Selection {
    pub(super) places: BTreeSet<usize>,
    /// Those that were named one by one.
    pub(super) single: BTreeSet<usize>,
}

/// Finds the entries of ranges: `<a>..<b>` by entries (both included; either may be left out), one entry, or the
/// commits of `<revision>..<revision>` or one revision: what they added or changed and is still there.
pub(super) fn select(scene: &Scene<'_>, ranges: &[String]) -> Result<Selection, OpError> {
    let index: HashMap<EntryId, usize> = scene.entries.iter().enumerate().map(|(at, entry)| (entry.id, at)).collect();
    let mut selection = Selection::default();
    for text in ranges {
        match text.split_once("..") {
            Some((first, last)) if could_be_entries(first, last) => {
                let first = if first.is_empty() { Ok(0) } else { place(scene, &index, first) };
                let end = scene.entries.len().saturating_sub(1);
                let last = if last.is_empty() { Ok(end) } else { place(scene, &index, last) };
                match (first, last) {
                    (Ok(first), Ok(last)) if first > last => {
                        return Err(OpError::Request { reason: format!("the range '{text}' ends before it begins") });
                    }
                    (Ok(first), Ok(last)) => selection.places.extend(first..=last),
                    (first, last) => {
                        let unknown = first.and(last).err();
                        add_commits(scene, &index, text, &mut selection).map_err(|error| unknown.unwrap_or(error))?;
                    }
                }
            }
            None if could_be_entry(text) => match place(scene, &index, text) {
                Ok(at) => {
                    selection.places.insert(at);
                    selection.single.insert(at);
                }
                Err(unknown) => add_commits(scene, &index, text, &mut selection).map_err(|_| unknown)?,
            },
            _ => add_commits(scene, &index, text, &mut selection)?,
        }
    }
    Ok(selection)
}

fn place(scene: &Scene<'_>, index: &HashMap<EntryId, usize>, name: &str) -> Result<usize, OpError> {
    let say = |entry: &crate::model::Entry| say(scene.workspace, entry);
    let entry = find_entry(&scene.entries, name, &say)?;
    Ok(index[&entry.id])
}

/// Tells what has the form of an entry's name from what can only be a revision: looking for names that come close takes
/// its time.
fn could_be_entry(text: &str) -> bool {
    let place = text.strip_prefix('@').is_some_and(|place| place.parse::<u32>().is_ok());
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'~';
    place || text.strip_prefix('#').unwrap_or(text).bytes().all(plain)
}

fn could_be_entries(first: &str, last: &str) -> bool {
    let is_open = first.is_empty() && last.is_empty();
    // `a...b` is a range of commits.
    let is_symmetric = last.starts_with('.');
    !(is_open || is_symmetric) && could_be_entry(first) && could_be_entry(last)
}

/// Adds what commits added or changed.
fn add_commits(
    scene: &Scene<'_>,
    index: &HashMap<EntryId, usize>,
    text: &str,
    selection: &mut Selection,
) -> Result<(), OpError> {
    let workspace = scene.workspace;
    let resolve = |name: &str| workspace.resolve(if name.is_empty() { "HEAD" } else { name });
    let commits = match text.split_once("..") {
        Some((hidden, tip)) => {
            let history = workspace.repo.history(&[resolve(tip)?], &[resolve(hidden)?])?;
            history.collect::<Result<Vec<_>, _>>()?
        }
        None => vec![workspace.commit(Some(text))?],
    };
    let touches = commits.iter().flat_map(|commit| &commit.facts.entries);
    let brought = touches.filter(|touch| matches!(touch.kind, TouchKind::Added | TouchKind::Changed));
    selection.places.extend(brought.filter_map(|touch| index.get(&touch.id)));
    Ok(())
}
