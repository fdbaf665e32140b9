//! A context as it was at a commit, and how it differs from the one before.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use super::objects::{Objects, Trouble};
use crate::codec::Root;
use crate::model::{Entry, EntryId, ObjectId};
use crate::ops::sealed::{ReadTrees, Sealed};

/// Holds all entries of a context.
#[derive(Default)]
pub(super) struct State {
    root: Option<(ObjectId, Root)>,
    pub(super) entries: HashMap<EntryId, Entry>,
    /// What the model sees, in tokens, by the names of the entries.
    pub(super) total: u64,
}

/// What is not the same in two contexts.
#[derive(Default)]
pub(super) struct Delta {
    pub(super) before: Vec<Entry>,
    pub(super) after: Vec<Entry>,
    /// Ids that more than one entry has.
    pub(super) twice: Vec<EntryId>,
    /// The manifest before, if it was another one.
    pub(super) manifest: Option<ObjectId>,
    /// The number behind the last position.
    pub(super) end: u64,
}

impl State {
    /// Returns the blob that holds the manifest.
    pub(super) fn manifest(&self) -> Option<ObjectId> {
        self.root.as_ref().map(|(_, root)| root.manifest)
    }

    /// Makes this the context of another commit, and tells what changed; only what differs is read.
    pub(super) fn advance(&mut self, objects: &mut Objects<'_>, tree: ObjectId) -> Result<Delta, Trouble> {
        if let Some((_, root)) = self.root.as_ref().filter(|(known, _)| *known == tree) {
            let end = end(objects, root)?;
            return Ok(Delta { end, ..Delta::default() });
        }
        let root = objects.root(&tree)?;
        let old = self.root.as_ref().map(|(_, root)| root);
        let sealed = Sealed::read(objects, &root, old)?;
        sealed.check_order(objects, &root, old)?;
        let mut before: Vec<Entry> = old.map(|old| old.tail.clone()).unwrap_or_default();
        let mut after = root.tail.clone();
        for unit in &sealed.gone {
            before.extend(objects.chunk(&unit.id)?);
        }
        for unit in &sealed.fresh {
            after.extend(objects.chunk(&unit.id)?);
        }
        let end = end(objects, &root)?;
        let manifest = old.map(|old| old.manifest).filter(|manifest| *manifest != root.manifest);
        self.root = Some((tree, root));
        let mut delta = self.apply(before, after);
        (delta.end, delta.manifest) = (end, manifest);
        Ok(delta)
    }

    /// Takes entries out and puts others in; what is alike in both is no change.
    fn apply(&mut self, before: Vec<Entry>, after: Vec<Entry>) -> Delta {
        let mut delta = Delta::default();
        let olds: HashMap<EntryId, &Entry> = before.iter().map(|entry| (entry.id, entry)).collect();
        let mut staying = HashMap::new();
        for entry in after {
            let alike = olds.get(&entry.id).is_some_and(|old| **old == entry);
            if alike && staying.insert(entry.id, ()).is_none() {
                continue;
            }
            delta.after.push(entry);
        }
        for entry in before.into_iter().filter(|entry| !staying.contains_key(&entry.id)) {
            self.total = self.total.saturating_sub(cost(&entry));
            self.entries.remove(&entry.id);
            delta.before.push(entry);
        }
        for entry in &delta.after {
            self.total = self.total.saturating_add(cost(entry));
            match self.entries.entry(entry.id) {
                Slot::Vacant(free) => drop(free.insert(entry.clone())),
                Slot::Occupied(_) => delta.twice.push(entry.id),
            }
        }
        delta.before.sort_by(|one, other| one.position.cmp(&other.position));
        delta.after.sort_by(|one, other| one.position.cmp(&other.position));
        delta
    }
}

/// Returns the number behind the last position of a context.
fn end(objects: &mut Objects<'_>, root: &Root) -> Result<u64, Trouble> {
    if let Some(last) = root.tail.last() {
        return Ok(last.position.number() + 1);
    }
    let Some(chunks) = root.chunks else { return Ok(0) };
    let Some((_, group)) = objects.folder(&chunks, 4)?.pop() else { return Ok(0) };
    let Some((_, chunk)) = objects.folder(&group, 6)?.pop() else { return Ok(0) };
    Ok(objects.chunk(&chunk)?.last().map_or(0, |last| last.position.number() + 1))
}

fn cost(entry: &Entry) -> u64 {
    if entry.role.is_sent() { entry.tokens } else { 0 }
}
