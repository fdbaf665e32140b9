//! The sealed chunks of two contexts, side by side: which of them only one has, read from the folders that differ.

use std::collections::HashSet;

use crate::codec::{CodecError, Root};
use crate::model::{Entry, ObjectId, Position};

/// Reads trees, strictly.
pub(super) trait ReadTrees {
    /// What can go wrong.
    type Error;

    /// Reads a folder of groups (4 digits) or of chunks (6 digits).
    fn folder(&mut self, id: &ObjectId, digits: usize) -> Result<Vec<(u32, ObjectId)>, Self::Error>;

    /// Reads a chunk.
    fn chunk(&mut self, id: &ObjectId) -> Result<Vec<Entry>, Self::Error>;

    /// Says that an object breaks a rule.
    fn wrong(&self, object: ObjectId, error: CodecError) -> Self::Error;
}

/// A group that both contexts share, or a chunk of a group that they do not.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) id: ObjectId,
    is_group: bool,
    /// Its path in the root.
    pub(super) place: String,
}

/// The sealed part of a context, beside that of the context before.
#[derive(Debug, Default)]
pub(super) struct Sealed {
    own: Vec<Unit>,
    old: Vec<Unit>,
    /// Chunks that only the new context has.
    pub(super) fresh: Vec<Unit>,
    /// Chunks that only the old one has.
    pub(super) gone: Vec<Unit>,
}

impl Sealed {
    pub(super) fn read<T: ReadTrees>(trees: &mut T, root: &Root, old: Option<&Root>) -> Result<Self, T::Error> {
        let before = old.and_then(|old| old.chunks);
        if root.chunks == before {
            return Ok(Sealed::default());
        }
        let mut groups = |id: Option<ObjectId>| match id {
            Some(id) => trees.folder(&id, 4),
            None => Ok(Vec::new()),
        };
        let (own, old) = (groups(root.chunks)?, groups(before)?);
        let ids = |groups: &[(u32, ObjectId)]| groups.iter().map(|group| group.1).collect::<HashSet<_>>();
        let (own_ids, old_ids) = (ids(&own), ids(&old));
        let own = Sealed::units(trees, &own, &old_ids)?;
        let old = Sealed::units(trees, &old, &own_ids)?;
        let ids = |units: &[Unit]| units.iter().map(|unit| unit.id).collect::<HashSet<_>>();
        let (own_ids, old_ids) = (ids(&own), ids(&old));
        let fresh = own.iter().filter(|unit| !unit.is_group && !old_ids.contains(&unit.id)).cloned().collect();
        let gone = old.iter().filter(|unit| !unit.is_group && !own_ids.contains(&unit.id)).cloned().collect();
        Ok(Sealed { own, old, fresh, gone })
    }

    fn units<T: ReadTrees>(
        trees: &mut T,
        groups: &[(u32, ObjectId)],
        shared: &HashSet<ObjectId>,
    ) -> Result<Vec<Unit>, T::Error> {
        let mut units = Vec::new();
        for (number, id) in groups {
            let place = format!("{number:04}");
            if shared.contains(id) {
                units.push(Unit { id: *id, is_group: true, place });
                continue;
            }
            let chunks = trees.folder(id, 6)?;
            let unit = |(number, id)| Unit { id, is_group: false, place: format!(".chunk/{place}/{number:06}") };
            units.extend(chunks.into_iter().map(unit));
        }
        Ok(units)
    }

    /// Checks that positions ascend from chunk to chunk, wherever two stand side by side that did not before: so no tree can
    /// stand for more entries than it holds.
    pub(super) fn check_order<T: ReadTrees>(
        &self,
        trees: &mut T,
        root: &Root,
        old: Option<&Root>,
    ) -> Result<(), T::Error> {
        let unordered = CodecError::Tree { reason: "positions do not ascend" };
        let before: HashSet<(ObjectId, ObjectId)> = self.old.windows(2).map(|pair| (pair[0].id, pair[1].id)).collect();
        for pair in self.own.windows(2).filter(|pair| !before.contains(&(pair[0].id, pair[1].id))) {
            if end(trees, &pair[0], true)? >= end(trees, &pair[1], false)? {
                return Err(trees.wrong(pair[1].id, unordered));
            }
        }
        let Some(first) = root.tail.first() else { return Ok(()) };
        let is_same = root.chunks == old.and_then(|old| old.chunks)
            || self.own.last().map(|unit| unit.id) == self.old.last().map(|unit| unit.id);
        let old_first = old.and_then(|old| old.tail.first()).filter(|_| is_same);
        if old_first.is_some_and(|old| first.position >= old.position) {
            return Ok(());
        }
        let last = match (self.own.last(), root.chunks) {
            (Some(unit), _) => end(trees, unit, true)?,
            (None, Some(chunks)) => match trees.folder(&chunks, 4)?.last() {
                Some((_, id)) => end(trees, &Unit { id: *id, is_group: true, place: String::new() }, true)?,
                None => None,
            },
            (None, None) => None,
        };
        if last.is_some_and(|last| last >= first.position) { Err(trees.wrong(first.body, unordered)) } else { Ok(()) }
    }
}

/// Returns the first or last position below a group, or in a chunk.
fn end<T: ReadTrees>(trees: &mut T, unit: &Unit, last: bool) -> Result<Option<Position>, T::Error> {
    let end = |found: Vec<(u32, ObjectId)>| if last { found.last().copied() } else { found.first().copied() };
    let chunk = if unit.is_group { end(trees.folder(&unit.id, 6)?).map(|found| found.1) } else { Some(unit.id) };
    let Some(chunk) = chunk else { return Ok(None) };
    let entries = trees.chunk(&chunk)?;
    let entry = if last { entries.last() } else { entries.first() };
    Ok(entry.map(|entry| entry.position.clone()))
}
