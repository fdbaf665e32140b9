//! Sealed chunks of entries, and the groups that hold them.

use super::name::{Named, decode_name, encode_entry_name, encode_meta_name};
use super::{CodecError, Row, RowKind, TreeStore, rows, write_row};
use crate::model::{Entry, HashKind, ObjectId};

/// Remembers a tree as it was last read or written, and whether it changed since.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored {
    id: Option<ObjectId>,
    bytes: Vec<u8>,
    changed: bool,
}

impl Stored {
    /// Makes the memory of a tree of which only the id is known.
    pub(super) fn known(id: ObjectId) -> Self {
        Stored { id: Some(id), bytes: Vec::new(), changed: false }
    }

    /// Makes the memory of a tree that was read.
    pub(super) fn read(id: ObjectId, bytes: Vec<u8>) -> Self {
        Stored { id: Some(id), bytes, changed: false }
    }

    /// Says that the tree is no longer what was stored.
    pub(super) fn touch(&mut self) {
        self.changed = true;
    }

    /// Returns the id if the tree is still what was stored.
    pub(super) fn id(&self) -> Option<ObjectId> {
        self.id.filter(|_| !self.changed)
    }

    /// Stores the new bytes, with the old ones as the base of a delta.
    pub(super) fn write<S: TreeStore>(&mut self, store: &mut S, bytes: Vec<u8>) -> Result<ObjectId, S::Error> {
        let base = self.id.as_ref().filter(|_| !self.bytes.is_empty()).map(|id| (id, self.bytes.as_slice()));
        let id = store.write_tree(&bytes, base)?;
        *self = Stored::read(id, bytes);
        Ok(id)
    }
}

/// Holds up to 100 chunks.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) number: u32,
    tree: Stored,
    /// Chunks in order; `None` until the tree is read.
    pub(super) chunks: Option<Vec<Chunk>>,
}

impl Group {
    pub(super) fn new(number: u32) -> Self {
        Group { number, tree: Stored::default(), chunks: Some(Vec::new()) }
    }

    pub(super) fn known(number: u32, id: ObjectId) -> Self {
        Group { number, tree: Stored::known(id), chunks: None }
    }

    pub(super) fn load<S: TreeStore>(&mut self, store: &mut S, hash: HashKind) -> Result<&mut Vec<Chunk>, S::Error> {
        if self.chunks.is_none() {
            let id = self.tree.id().expect("chunks are unknown only while the group is unchanged");
            let bytes = store.read_tree(&id)?;
            let mut chunks: Vec<Chunk> = Vec::new();
            for row in rows(&bytes, hash) {
                let row = row?;
                let number = name_number(&row, 6, chunks.last().map(|chunk| chunk.number))?;
                chunks.push(Chunk { number, tree: Stored::known(row.id), entries: None });
            }
            self.tree = Stored::read(id, bytes);
            self.chunks = Some(chunks);
        }
        Ok(self.chunks.get_or_insert_default())
    }

    /// Returns the tree's id if it is still what was stored.
    pub(super) fn id(&self) -> Option<ObjectId> {
        self.tree.id()
    }

    pub(super) fn chunk_number(&self, chunk: usize) -> u32 {
        self.chunks.as_ref().and_then(|chunks| chunks.get(chunk)).map_or(0, |chunk| chunk.number)
    }

    pub(super) fn push(&mut self, chunk: Chunk) {
        self.tree.touch();
        self.chunks.get_or_insert_default().push(chunk);
    }

    pub(super) fn remove(&mut self, chunk: usize) {
        self.tree.touch();
        self.chunks.get_or_insert_default().remove(chunk);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks.as_ref().is_some_and(Vec::is_empty)
    }

    pub(super) fn entries_mut(&mut self, chunk: usize) -> Option<&mut Vec<Entry>> {
        self.tree.touch();
        let chunk = self.chunks.as_mut()?.get_mut(chunk)?;
        chunk.tree.touch();
        chunk.entries.as_mut()
    }

    pub(super) fn write<S: TreeStore>(&mut self, store: &mut S) -> Result<ObjectId, S::Error> {
        if let Some(id) = self.tree.id() {
            return Ok(id);
        }
        let mut bytes = Vec::new();
        for chunk in self.chunks.get_or_insert_default() {
            let id = chunk.write(store)?;
            write_row(RowKind::Tree, format!("{:06}", chunk.number).as_bytes(), &id, &mut bytes);
        }
        self.tree.write(store, bytes)
    }
}

/// Holds about 32 entries that are no longer among the newest.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) number: u32,
    tree: Stored,
    /// Entries in order; `None` until the tree is read.
    pub(super) entries: Option<Vec<Entry>>,
}

impl Chunk {
    pub(super) fn new(number: u32, entries: Vec<Entry>) -> Self {
        Chunk { number, tree: Stored::default(), entries: Some(entries) }
    }

    /// Returns the tree's id if it is still what was stored.
    pub(super) fn id(&self) -> Option<ObjectId> {
        self.tree.id()
    }

    pub(super) fn load<S: TreeStore>(&mut self, store: &mut S, hash: HashKind) -> Result<&mut Vec<Entry>, S::Error> {
        if self.entries.is_none() {
            let id = self.tree.id().expect("entries are unknown only while the chunk is unchanged");
            let bytes = store.read_tree(&id)?;
            let rows: Result<Vec<Row<'_>>, CodecError> = rows(&bytes, hash).collect();
            self.entries = Some(decode_entries(rows?.into_iter())?);
            self.tree = Stored::read(id, bytes);
        }
        Ok(self.entries.get_or_insert_default())
    }

    pub(super) fn write<S: TreeStore>(&mut self, store: &mut S) -> Result<ObjectId, S::Error> {
        if let Some(id) = self.tree.id() {
            return Ok(id);
        }
        let mut bytes = Vec::new();
        encode_entries(self.entries.as_deref().unwrap_or_default(), &mut bytes);
        let id = self.tree.write(store, bytes)?;
        self.tree.bytes = Vec::new();
        Ok(id)
    }

    /// Cuts a chunk with more than `max` entries into pieces of `size`.
    pub(super) fn split(self, max: usize, size: usize) -> Vec<Chunk> {
        match &self.entries {
            Some(entries) if entries.len() > max => {
                entries.chunks(size).map(|piece| Chunk::new(self.number, piece.to_vec())).collect()
            }
            _ => vec![self],
        }
    }
}

/// Reads the rows of a chunk, or the rows of the root that are entries.
pub(super) fn decode_entries<'a>(rows: impl Iterator<Item = Row<'a>>) -> Result<Vec<Entry>, CodecError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut metas = Vec::new();
    for row in rows {
        if row.kind == RowKind::Tree {
            return Err(CodecError::Name {
                name: row.name.escape_ascii().to_string(),
                reason: "a folder among entries",
            });
        }
        match decode_name(row.name, row.id)? {
            Named::Entry(entry) if entries.last().is_some_and(|last| last.position >= entry.position) => {
                return Err(CodecError::Tree { reason: "positions do not ascend" });
            }
            Named::Entry(entry) => entries.push(entry),
            Named::Meta { position, id } => metas.push((position, id, row.id)),
        }
    }
    for (position, id, blob) in metas {
        let at = entries.binary_search_by(|entry| entry.position.cmp(&position)).ok();
        match at.map(|at| &mut entries[at]) {
            Some(entry) if entry.id == id && entry.meta.is_none() => entry.meta = Some(blob),
            _ => return Err(CodecError::Tree { reason: "metadata without its entry" }),
        }
    }
    Ok(entries)
}

/// Appends the rows of these entries, and of their metadata files, in git's order.
pub(super) fn encode_entries(entries: &[Entry], out: &mut Vec<u8>) {
    let mut name = Vec::with_capacity(64);
    for entry in entries {
        let mut write = |encode: fn(&Entry, &mut Vec<u8>), id: &ObjectId| {
            name.clear();
            encode(entry, &mut name);
            write_row(RowKind::Blob, &name, id, out);
        };
        match &entry.meta {
            // At one position git sorts by what follows it: the role, or the word 'meta'.
            Some(meta) if entry.role.name().bytes().chain([b'.']).gt(*b"meta.") => {
                write(encode_meta_name, meta);
                write(encode_entry_name, &entry.body);
            }
            Some(meta) => {
                write(encode_entry_name, &entry.body);
                write(encode_meta_name, meta);
            }
            None => write(encode_entry_name, &entry.body),
        }
    }
}

/// Reads the number that names a group or a chunk; numbers ascend.
pub(super) fn name_number(row: &Row<'_>, digits: usize, before: Option<u32>) -> Result<u32, CodecError> {
    let error = |reason| CodecError::Name { name: row.name.escape_ascii().to_string(), reason };
    if row.kind != RowKind::Tree || row.name.len() != digits {
        return Err(error("not a folder of chunks"));
    }
    let text = std::str::from_utf8(row.name).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = text.and_then(|text| text.parse().ok()).ok_or_else(|| error("not a number"))?;
    if before.is_some_and(|before| before >= number) {
        return Err(error("numbers do not ascend"));
    }
    Ok(number)
}
