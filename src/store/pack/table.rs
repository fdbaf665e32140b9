//! Where each object of the pack lies.

use std::hash::{BuildHasher, RandomState};

use gix::objs::Kind;
use gix::{ObjectId, oid};
use hashbrown::HashTable;

/// The objects of one pack in the order in which they were written, found by id.
pub(super) struct Table {
    id_len: usize,
    /// All ids in one run, since an [`ObjectId`] is always as large as the longest hash.
    ids: Vec<u8>,
    rows: Vec<Row>,
    by_id: HashTable<u32>,
    /// Keyed at random, so that nobody can choose contents whose ids collide in the table.
    keys: RandomState,
}

/// What is remembered about one object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Where the object starts in the pack file.
    pub(super) offset: u64,
    /// The CRC32 of its bytes in the pack file.
    pub(super) crc: u32,
    /// The CRC32 of its content, to tell whether a base is what the caller says it is.
    pub(super) content_crc: u32,
    /// The kind of its content.
    pub(super) kind: Kind,
    /// The number of deltas to apply to read it.
    pub(super) depth: u8,
}

impl Table {
    pub(super) fn new(hash: gix::hash::Kind) -> Self {
        Self {
            id_len: hash.len_in_bytes(),
            ids: Vec::new(),
            rows: Vec::new(),
            by_id: HashTable::new(),
            keys: RandomState::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The raw id of the object that was written as number `at`.
    pub(super) fn id(&self, at: usize) -> &[u8] {
        &self.ids[at * self.id_len..][..self.id_len]
    }

    pub(super) fn find(&self, id: &oid) -> Option<usize> {
        let id = id.as_bytes();
        let found = self.by_id.find(self.keys.hash_one(id), |&at| self.id(at as usize) == id);
        found.map(|&at| at as usize)
    }

    /// Finds the object that starts at `offset`.
    pub(super) fn find_offset(&self, offset: u64) -> Option<usize> {
        self.rows.binary_search_by_key(&offset, |row| row.offset).ok()
    }

    /// Adds an object that is not yet there and starts after all others; returns whether there was room for it.
    pub(super) fn push(&mut self, id: &ObjectId, row: Row) -> bool {
        // The last number is kept free, so that the count fits the pack's header too.
        let Some(at) = u32::try_from(self.rows.len()).ok().filter(|&at| at < u32::MAX) else {
            return false;
        };
        self.ids.extend_from_slice(id.as_bytes());
        self.rows.push(row);
        let Self { ids, keys, id_len, by_id, .. } = self;
        let hash_of = |&at: &u32| keys.hash_one(&ids[at as usize * *id_len..][..*id_len]);
        by_id.insert_unique(hash_of(&at), at, hash_of);
        true
    }
}
