//! What several contexts do not share: the part of each that a comparison has to look at.

use std::collections::HashSet;

use super::{Chunk, Group, Snapshot, TreeStore};
use crate::codec::CodecError;
use crate::model::{Entry, ObjectId};

/// The parts of one context in order: the id of a stored tree, `None` for what changed since it was stored.
type Parts = Vec<Option<ObjectId>>;

impl Snapshot {
    /// Returns the entries of each context that are not in trees which all of them share, in order.
    ///
    /// Entries that are alike may be among them: what stands beside a place where the contexts differ is always there,
    /// so that whatever one context has more has a neighbour that the others know.
    ///
    /// # Errors
    /// When a tree cannot be read or positions do not ascend.
    pub fn windows<S: TreeStore>(snapshots: &mut [&mut Snapshot], store: &mut S) -> Result<Vec<Vec<Entry>>, S::Error> {
        let first = snapshots.first().and_then(|snapshot| snapshot.root.id());
        if first.is_some() && snapshots.iter().all(|snapshot| snapshot.root.id() == first) {
            return Ok(vec![Vec::new(); snapshots.len()]);
        }
        let mut groups: Vec<Parts> = Vec::with_capacity(snapshots.len());
        for snapshot in snapshots.iter_mut() {
            groups.push(snapshot.load_groups(store)?.iter().map(Group::id).collect());
        }
        let groups = out_of_sight(&groups);
        let mut chunks: Vec<Parts> = Vec::with_capacity(snapshots.len());
        for snapshot in snapshots.iter_mut() {
            chunks.push(snapshot.parts_outside(store, &groups)?);
        }
        let chunks = out_of_sight(&chunks);
        snapshots.iter_mut().map(|snapshot| snapshot.entries_outside(store, &groups, &chunks)).collect()
    }

    /// Lists the chunks in order; a group that is out of sight stands as one part.
    fn parts_outside<S: TreeStore>(&mut self, store: &mut S, groups: &HashSet<ObjectId>) -> Result<Parts, S::Error> {
        let mut parts = Vec::new();
        for group in 0..self.load_groups(store)?.len() {
            match self.load_groups(store)?[group].id().filter(|id| groups.contains(id)) {
                Some(id) => parts.push(Some(id)),
                None => parts.extend(self.load_group(store, group)?.iter().map(Chunk::id)),
            }
        }
        Ok(parts)
    }

    fn entries_outside<S: TreeStore>(
        &mut self,
        store: &mut S,
        groups: &HashSet<ObjectId>,
        chunks: &HashSet<ObjectId>,
    ) -> Result<Vec<Entry>, S::Error> {
        let mut entries = Vec::new();
        for group in 0..self.load_groups(store)?.len() {
            if self.load_groups(store)?[group].id().is_some_and(|id| groups.contains(&id)) {
                continue;
            }
            for chunk in 0..self.load_group(store, group)?.len() {
                if !self.load_group(store, group)?[chunk].id().is_some_and(|id| chunks.contains(&id)) {
                    entries.extend(self.load_chunk(store, group, chunk)?.iter().cloned());
                }
            }
        }
        entries.extend(self.tail.iter().cloned());
        if !entries.is_sorted_by(|low, high| low.position < high.position) {
            return Err(CodecError::Tree { reason: "positions do not ascend" }.into());
        }
        Ok(entries)
    }
}

/// Returns the parts that all contexts have, and that stand beside parts which all have. The newest entries come after
/// the last part, and are never out of sight.
fn out_of_sight(contexts: &[Parts]) -> HashSet<ObjectId> {
    let mut shared: HashSet<ObjectId> = contexts.first().into_iter().flatten().copied().flatten().collect();
    for parts in contexts.iter().skip(1) {
        let own: HashSet<ObjectId> = parts.iter().copied().flatten().collect();
        shared.retain(|id| own.contains(id));
    }
    let is_shared = |part: Option<&Option<ObjectId>>| part.copied().flatten().is_some_and(|id| shared.contains(&id));
    let mut edges = HashSet::new();
    for parts in contexts {
        for (at, part) in parts.iter().enumerate() {
            let alone = !is_shared(parts.get(at + 1)) || (at > 0 && !is_shared(parts.get(at - 1)));
            edges.extend(part.filter(|_| alone));
        }
    }
    shared.retain(|id| !edges.contains(id));
    shared
}
