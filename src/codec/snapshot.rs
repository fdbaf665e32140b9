//! The tree of a commit: a whole context, read and changed only as far as needed.
//!
//! ```text
//! .chunk/0000/000000/0000000.system.412.3kd9w1x0a7.txt     sealed chunks of about 32 entries, 100 chunks a group
//! .trace                                                   the manifest
//! 0000032.assistant.96.7h3kp0c2vd.json                     the newest entries, at most 32
//! ```
//!
//! `git ls-tree -r` shows the entries in the order of the context, because git sorts by name and `.` comes before the
//! digits. Appending rewrites the root alone; every 32nd time the tail becomes a chunk.

use super::chunk::{Chunk, Group, Stored, decode_entries, encode_entries, name_number};
use super::{CodecError, MANIFEST_NAME, RowKind, rows, write_row};
use crate::model::{Entry, HashKind, ObjectId, Position};

/// Most entries in the root, and size of a chunk when it is sealed.
pub(super) const TAIL_MAX: usize = 32;

/// Number of chunks in a group.
pub(super) const GROUP_SIZE: u32 = 100;

/// A chunk that insertions made larger than this is split.
const CHUNK_MAX: usize = 3 * TAIL_MAX;

/// Name of the folder of sealed chunks.
const CHUNKS_NAME: &[u8] = b".chunk";

/// Reads and writes the tree objects behind a [`Snapshot`].
pub trait TreeStore {
    /// What can go wrong below.
    type Error: From<CodecError>;

    /// Reads a tree object.
    ///
    /// # Errors
    /// When it cannot be read, or is no tree.
    fn read_tree(&mut self, id: &ObjectId) -> Result<Vec<u8>, Self::Error>;

    /// Writes a tree object and returns its id; `base` is the tree that it came from, nearly the same.
    ///
    /// # Errors
    /// When it cannot be written.
    fn write_tree(&mut self, bytes: &[u8], base: Option<(&ObjectId, &[u8])>) -> Result<ObjectId, Self::Error>;
}

/// Holds a context's tree, loaded as far as it was needed.
#[derive(Debug, Clone)]
pub struct Snapshot {
    hash: HashKind,
    manifest: ObjectId,
    /// Rows of the root that start with a dot and that this version does not know.
    extra: Vec<(RowKind, Vec<u8>, ObjectId)>,
    chunks: Stored,
    /// Groups in order; `None` until the folder of chunks is read.
    groups: Option<Vec<Group>>,
    tail: Vec<Entry>,
    root: Stored,
}

/// Points to an entry of a snapshot, until the snapshot changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    chunk: Option<(usize, usize)>,
    at: usize,
}

impl Snapshot {
    /// Makes an empty context with this manifest.
    pub fn new(hash: HashKind, manifest: ObjectId) -> Self {
        Snapshot {
            hash,
            manifest,
            extra: Vec::new(),
            chunks: Stored::default(),
            groups: Some(Vec::new()),
            tail: Vec::new(),
            root: Stored::default(),
        }
    }

    /// Reads the root of a context: its manifest's id and its newest entries.
    ///
    /// # Errors
    /// When the tree is no context's.
    pub fn read<S: TreeStore>(store: &mut S, root: ObjectId) -> Result<Self, S::Error> {
        let bytes = store.read_tree(&root)?;
        let mut snapshot = Snapshot::new(root.kind(), root);
        let mut manifest = None;
        let mut entries = Vec::new();
        for row in rows(&bytes, root.kind()) {
            let row = row?;
            match (row.kind, row.name) {
                (RowKind::Blob, MANIFEST_NAME) => manifest = Some(row.id),
                (RowKind::Tree, CHUNKS_NAME) => {
                    snapshot.chunks = Stored::known(row.id);
                    snapshot.groups = None;
                }
                (kind, name) if name.first() == Some(&b'.') => snapshot.extra.push((kind, name.to_vec(), row.id)),
                _ => entries.push(row),
            }
        }
        snapshot.manifest = manifest.ok_or(CodecError::NotAContext { reason: "no '.trace' in its tree" })?;
        snapshot.tail = decode_entries(entries.into_iter())?;
        snapshot.root = Stored::read(root, bytes);
        Ok(snapshot)
    }

    /// Returns the blob that holds the manifest.
    pub fn manifest(&self) -> ObjectId {
        self.manifest
    }

    /// Gives the context another manifest.
    pub fn set_manifest(&mut self, manifest: ObjectId) {
        self.manifest = manifest;
        self.root.touch();
    }

    /// Returns all entries in order.
    ///
    /// # Errors
    /// When a tree cannot be read or positions do not ascend.
    pub fn entries<S: TreeStore>(&mut self, store: &mut S) -> Result<Vec<Entry>, S::Error> {
        self.load_all(store)?;
        let sealed = self.groups.iter().flatten().flat_map(|group| group.chunks.iter().flatten());
        let all: Vec<Entry> =
            sealed.flat_map(|chunk| chunk.entries.iter().flatten()).chain(&self.tail).cloned().collect();
        if !all.is_sorted_by(|low, high| low.position < high.position) {
            return Err(CodecError::Tree { reason: "positions do not ascend" }.into());
        }
        Ok(all)
    }

    /// Returns the newest entries, as many as stand in the root.
    pub fn tail(&self) -> &[Entry] {
        &self.tail
    }

    /// Returns the position of the last entry.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn last_position<S: TreeStore>(&mut self, store: &mut S) -> Result<Option<Position>, S::Error> {
        if let Some(entry) = self.tail.last() {
            return Ok(Some(entry.position.clone()));
        }
        let Some((group, chunk)) = self.last_chunk(store)? else { return Ok(None) };
        let entries = self.load_chunk(store, group, chunk)?;
        Ok(entries.last().map(|entry| entry.position.clone()))
    }

    /// Puts another entry in the place of one; the position must stay.
    pub fn replace(&mut self, place: Place, entry: Entry) {
        if let Some(slot) = self.entries_mut(place).and_then(|entries| entries.get_mut(place.at)) {
            debug_assert_eq!(slot.position, entry.position, "replacing does not move");
            *slot = entry;
        }
    }

    /// Takes an entry out.
    pub fn remove(&mut self, place: Place) {
        let Some(entries) = self.entries_mut(place) else { return };
        if place.at >= entries.len() {
            return;
        }
        entries.remove(place.at);
        if let (true, Some((group, chunk))) = (entries.is_empty(), place.chunk) {
            let groups = self.groups.get_or_insert_default();
            groups[group].remove(chunk);
            if groups[group].is_empty() {
                groups.remove(group);
            }
        }
    }

    /// Puts an entry at the end; when the root is full, its entries become a chunk first.
    ///
    /// # Errors
    /// When a tree cannot be read or written.
    pub fn append<S: TreeStore>(&mut self, store: &mut S, entry: Entry) -> Result<(), S::Error> {
        if self.tail.len() >= TAIL_MAX {
            self.seal(store)?;
        }
        self.tail.push(entry);
        self.root.touch();
        Ok(())
    }

    /// Puts an entry where its position says.
    ///
    /// # Errors
    /// When a tree cannot be read or written.
    pub fn insert<S: TreeStore>(&mut self, store: &mut S, entry: Entry) -> Result<(), S::Error> {
        let last_sealed = match self.last_chunk(store)? {
            Some((group, chunk)) => self.load_chunk(store, group, chunk)?.last().map(|last| last.position.clone()),
            None => None,
        };
        if last_sealed.is_none_or(|last| last < entry.position) {
            let at = self.tail.partition_point(|other| other.position < entry.position);
            self.tail.insert(at, entry);
            self.root.touch();
            if self.tail.len() > TAIL_MAX {
                self.seal(store)?;
            }
            return Ok(());
        }
        let (group, chunk) = self.chunk_around(store, &entry.position)?;
        let entries = self.load_chunk(store, group, chunk)?;
        let at = entries.partition_point(|other| other.position < entry.position);
        if let Some(entries) = self.entries_mut(Place { chunk: Some((group, chunk)), at }) {
            entries.insert(at, entry);
            if entries.len() > CHUNK_MAX {
                self.split_large(store)?;
            }
        }
        Ok(())
    }

    /// Writes all trees that changed and returns the root.
    ///
    /// # Errors
    /// When a tree cannot be written.
    pub fn write<S: TreeStore>(&mut self, store: &mut S) -> Result<ObjectId, S::Error> {
        if let Some(id) = self.root.id() {
            return Ok(id);
        }
        let mut dotted = self.extra.clone();
        dotted.push((RowKind::Blob, MANIFEST_NAME.to_vec(), self.manifest));
        if let Some(chunks) = self.write_chunks(store)? {
            dotted.push((RowKind::Tree, CHUNKS_NAME.to_vec(), chunks));
        }
        // git compares a folder's name as if it ended in a slash.
        dotted
            .sort_by_key(|(kind, name, _)| [name.as_slice(), if *kind == RowKind::Tree { b"/" } else { b"" }].concat());
        let mut bytes = Vec::with_capacity(64 + self.tail.len() * 72);
        for (kind, name, id) in &dotted {
            write_row(*kind, name, id, &mut bytes);
        }
        encode_entries(&self.tail, &mut bytes);
        self.root.write(store, bytes)
    }

    /// Writes the folder of chunks, if there are any.
    fn write_chunks<S: TreeStore>(&mut self, store: &mut S) -> Result<Option<ObjectId>, S::Error> {
        let Some(groups) = &mut self.groups else { return Ok(self.chunks.id()) };
        if groups.is_empty() {
            return Ok(None);
        }
        if let Some(id) = self.chunks.id() {
            return Ok(Some(id));
        }
        let mut bytes = Vec::with_capacity(groups.len() * 32);
        for group in groups {
            let id = group.write(store)?;
            write_row(RowKind::Tree, format!("{:04}", group.number).as_bytes(), &id, &mut bytes);
        }
        self.chunks.write(store, bytes).map(Some)
    }

    /// Makes a chunk of the oldest entries in the root.
    fn seal<S: TreeStore>(&mut self, store: &mut S) -> Result<(), S::Error> {
        let last = self.last_chunk(store)?;
        let groups = self.groups.get_or_insert_default();
        let number = last.map_or(0, |(group, chunk)| groups[group].chunk_number(chunk) + 1);
        if groups.last().is_none_or(|group| group.number != number / GROUP_SIZE) {
            groups.push(Group::new(number / GROUP_SIZE));
        }
        let sealed: Vec<Entry> = self.tail.drain(..TAIL_MAX.min(self.tail.len())).collect();
        let mut chunk = Chunk::new(number, sealed);
        // Written at once, so that a long import holds no more than the entries of its last chunk.
        chunk.write(store)?;
        chunk.entries = None;
        groups.last_mut().expect("pushed above").push(chunk);
        self.chunks.touch();
        self.root.touch();
        Ok(())
    }

    fn last_chunk<S: TreeStore>(&mut self, store: &mut S) -> Result<Option<(usize, usize)>, S::Error> {
        let Some(group) = self.load_groups(store)?.len().checked_sub(1) else { return Ok(None) };
        let chunk = self.load_group(store, group)?.len().checked_sub(1);
        chunk
            .map(|chunk| (group, chunk))
            .ok_or_else(|| CodecError::Tree { reason: "a group has no chunks" }.into())
            .map(Some)
    }

    fn load_groups<S: TreeStore>(&mut self, store: &mut S) -> Result<&mut Vec<Group>, S::Error> {
        if self.groups.is_none() {
            let id = self.chunks.id().expect("groups are unknown only while the folder is unchanged");
            let bytes = store.read_tree(&id)?;
            let mut groups: Vec<Group> = Vec::new();
            for row in rows(&bytes, self.hash) {
                let row = row?;
                let number = name_number(&row, 4, groups.last().map(|group| group.number))?;
                groups.push(Group::known(number, row.id));
            }
            self.chunks = Stored::read(id, bytes);
            self.groups = Some(groups);
        }
        Ok(self.groups.get_or_insert_default())
    }

    fn load_group<S: TreeStore>(&mut self, store: &mut S, group: usize) -> Result<&mut Vec<Chunk>, S::Error> {
        let hash = self.hash;
        self.load_groups(store)?[group].load(store, hash)
    }

    fn load_chunk<S: TreeStore>(
        &mut self,
        store: &mut S,
        group: usize,
        chunk: usize,
    ) -> Result<&mut Vec<Entry>, S::Error> {
        let hash = self.hash;
        self.load_group(store, group)?[chunk].load(store, hash)
    }

    fn load_all<S: TreeStore>(&mut self, store: &mut S) -> Result<(), S::Error> {
        for group in 0..self.load_groups(store)?.len() {
            for chunk in 0..self.load_group(store, group)?.len() {
                self.load_chunk(store, group, chunk)?;
            }
        }
        Ok(())
    }

    /// Returns the entries around a place and marks every tree above them as changed.
    fn entries_mut(&mut self, place: Place) -> Option<&mut Vec<Entry>> {
        self.root.touch();
        let Some((group, chunk)) = place.chunk else { return Some(&mut self.tail) };
        self.chunks.touch();
        self.groups.as_mut()?.get_mut(group)?.entries_mut(chunk)
    }

    /// Splits chunks that grew too large, and numbers all chunks anew: only folders change, not what is in the chunks.
    fn split_large<S: TreeStore>(&mut self, store: &mut S) -> Result<(), S::Error> {
        for group in 0..self.load_groups(store)?.len() {
            self.load_group(store, group)?;
        }
        let groups = self.groups.get_or_insert_default();
        let mut chunks: Vec<Chunk> = Vec::new();
        for chunk in std::mem::take(groups).into_iter().flat_map(|group| group.chunks.unwrap_or_default()) {
            chunks.extend(chunk.split(CHUNK_MAX, TAIL_MAX));
        }
        for (number, mut chunk) in chunks.into_iter().enumerate() {
            chunk.number = u32::try_from(number).expect("fewer chunks than positions");
            if groups.last().is_none_or(|group| group.number != chunk.number / GROUP_SIZE) {
                groups.push(Group::new(chunk.number / GROUP_SIZE));
            }
            groups.last_mut().expect("pushed above").push(chunk);
        }
        Ok(())
    }
}

mod search;
mod window;

#[cfg(test)]
mod tests;
