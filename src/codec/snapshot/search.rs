//! Finds entries in a context, reading no more trees than needed.

use super::{Place, Snapshot, TreeStore};
use crate::codec::CodecError;
use crate::model::{Entry, EntryId, Position};

impl Snapshot {
    /// Finds an entry by its id, newest first.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn find<S: TreeStore>(&mut self, store: &mut S, id: EntryId) -> Result<Option<Place>, S::Error> {
        let by_id = |entry: &Entry| entry.id == id;
        if let Some(at) = self.tail.iter().rposition(by_id) {
            return Ok(Some(Place { chunk: None, at }));
        }
        for group in (0..self.load_groups(store)?.len()).rev() {
            for chunk in (0..self.load_group(store, group)?.len()).rev() {
                if let Some(at) = self.load_chunk(store, group, chunk)?.iter().rposition(by_id) {
                    return Ok(Some(Place { chunk: Some((group, chunk)), at }));
                }
            }
        }
        Ok(None)
    }

    /// Returns the entry at a place that [`Snapshot::find`] gave.
    pub fn get(&self, place: Place) -> Option<&Entry> {
        match place.chunk {
            None => self.tail.get(place.at),
            Some((group, chunk)) => {
                let chunk = self.groups.as_ref()?.get(group)?.chunks.as_ref()?.get(chunk)?;
                chunk.entries.as_ref()?.get(place.at)
            }
        }
    }

    /// Finds the entry at a position.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn locate<S: TreeStore>(&mut self, store: &mut S, position: &Position) -> Result<Option<Place>, S::Error> {
        let seek = |entries: &[Entry]| entries.binary_search_by(|entry| entry.position.cmp(position)).ok();
        if self.tail.first().is_some_and(|first| first.position <= *position) {
            return Ok(seek(&self.tail).map(|at| Place { chunk: None, at }));
        }
        if self.last_chunk(store)?.is_none() {
            return Ok(None);
        }
        let (group, chunk) = self.chunk_around(store, position)?;
        let at = seek(self.load_chunk(store, group, chunk)?);
        Ok(at.map(|at| Place { chunk: Some((group, chunk)), at }))
    }

    /// Finds the chunk in which a position is or would be: the last one that does not begin behind it. There must be
    /// chunks.
    pub(super) fn chunk_around<S: TreeStore>(
        &mut self,
        store: &mut S,
        position: &Position,
    ) -> Result<(usize, usize), S::Error> {
        let groups = self.load_groups(store)?.len();
        let group = last_before(groups, |group| self.begins_behind(store, group, 0, position))?;
        let chunks = self.load_group(store, group)?.len();
        let chunk = last_before(chunks, |chunk| self.begins_behind(store, group, chunk, position))?;
        Ok((group, chunk))
    }

    fn begins_behind<S: TreeStore>(
        &mut self,
        store: &mut S,
        group: usize,
        chunk: usize,
        position: &Position,
    ) -> Result<bool, S::Error> {
        if self.load_group(store, group)?.is_empty() {
            return Err(CodecError::Tree { reason: "a group has no chunks" }.into());
        }
        Ok(self.load_chunk(store, group, chunk)?.first().is_none_or(|first| first.position > *position))
    }
}

/// Returns the last place for which `is_behind` does not hold, or the first place; it holds for all places after one
/// for which it does.
fn last_before<E>(count: usize, mut is_behind: impl FnMut(usize) -> Result<bool, E>) -> Result<usize, E> {
    let (mut low, mut high) = (0, count);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if is_behind(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(low)
}
