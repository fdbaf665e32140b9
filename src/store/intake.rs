//! Trees of other repositories on their way into this one, with commits that hold them. They are files as their authors made
//! them, no contexts: nothing in them is redacted, and no ref that names them ever leaves this machine.

use std::collections::HashMap;

use gix::objs::Kind;

use super::foreign::{ForeignKind, TreeLimits};
use super::ref_file::signature;
use super::refs::{Expected, RefEdit, RefValue};
use super::sign::Signing;
use super::sink::Sink;
use super::{BODY_MAX, Repo, StoreError};
use crate::model::{ObjectId, Person};

/// Gathers trees and commits. Nothing can be seen by others before [`Intake::finish`]; a rehearsal keeps none.
pub struct Intake<'r> {
    repo: &'r Repo,
    sink: Option<Sink>,
}

impl Repo {
    /// Begins to take in trees.
    ///
    /// # Errors
    /// While a push is being received.
    pub fn intake(&self, dry_run: bool) -> Result<Intake<'_>, StoreError> {
        if dry_run {
            return Ok(Intake { repo: self, sink: None });
        }
        self.check_quarantine()?;
        Ok(Intake { repo: self, sink: Some(Sink::many(self)) })
    }
}

impl Intake<'_> {
    /// Takes in a whole tree of another repository, and returns the id that it has here: the same, unless the other one has
    /// another hash function; then submodules are left out, which nothing here could name.
    ///
    /// # Errors
    /// When an object is missing, damaged, or not what its id says; when there is more than the limits allow.
    pub fn put_tree(&mut self, from: &Repo, tree: &ObjectId, limits: &TreeLimits) -> Result<ObjectId, StoreError> {
        let mut scratch = Sink::Few(Vec::new());
        let is_rehearsal = self.sink.is_none();
        let sink = self.sink.as_mut().unwrap_or(&mut scratch);
        let mut copy =
            Copy { from, to: self.repo, sink, is_rehearsal, limits, known: HashMap::new(), entries: 0, bytes: 0 };
        copy.tree(tree, 0)
    }

    /// Takes in the tree that holds nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_empty_tree(&mut self) -> Result<ObjectId, StoreError> {
        let mut scratch = Sink::Few(Vec::new());
        self.sink.as_mut().unwrap_or(&mut scratch).put(self.repo, Kind::Tree, &[], None)
    }

    /// Stores a commit that holds a tree.
    ///
    /// # Errors
    /// When it cannot be signed, or written.
    pub fn put_commit(
        &mut self,
        tree: &ObjectId,
        parents: &[ObjectId],
        message: &str,
        author: &Person,
        committer: &Person,
    ) -> Result<ObjectId, StoreError> {
        let parents: String = parents.iter().map(|parent| format!("parent {parent}\n")).collect();
        let (by, from) = (signature(author), signature(committer));
        let commit = format!("tree {tree}\n{parents}author {by}\ncommitter {from}\n\n{message}");
        match &mut self.sink {
            Some(sink) => {
                let commit = self.repo.sign(commit, Signing::Person, committer)?;
                sink.put(self.repo, Kind::Commit, commit.as_bytes(), None)
            }
            None => Sink::Few(Vec::new()).put(self.repo, Kind::Commit, commit.as_bytes(), None),
        }
    }

    /// Stores all objects, then moves all refs together.
    ///
    /// # Errors
    /// [`StoreError::RefMoved`] when one of them holds something else than it must; nothing has changed then.
    pub fn finish(self, moves: &[RefAdvance], message: &str, who: &Person) -> Result<(), StoreError> {
        let Some(sink) = self.sink else { return Ok(()) };
        let repo = self.repo;
        let guard = repo.lock()?;
        let durability = repo.durability(false);
        let mut flushed = sink.flush(repo, &guard, durability)?;
        let edit = |one: &RefAdvance| RefEdit {
            name: one.name.clone(),
            expected: one.old.map_or(Expected::Absent, Expected::Id),
            new: Some(RefValue::Id(one.new)),
            message: message.to_owned(),
        };
        let edits: Vec<RefEdit> = moves.iter().map(edit).collect();
        repo.edit_refs(&guard, &edits, who, durability)?;
        flushed.release(repo);
        repo.tidy(&guard, flushed);
        Ok(())
    }
}

/// Copies trees, each once.
struct Copy<'a> {
    from: &'a Repo,
    to: &'a Repo,
    sink: &'a mut Sink,
    is_rehearsal: bool,
    limits: &'a TreeLimits,
    known: HashMap<ObjectId, ObjectId>,
    entries: usize,
    bytes: u64,
}

impl Copy<'_> {
    /// Copies a tree with all that is in it. Depth is limited, and so is this recursion.
    fn tree(&mut self, tree: &ObjectId, depth: usize) -> Result<ObjectId, StoreError> {
        if let Some(known) = self.known.get(tree) {
            return Ok(*known);
        }
        let too_much = |reason: String| StoreError::Object { id: *tree, reason };
        if depth > self.limits.depth {
            return Err(too_much(format!("folders are nested deeper than {}", self.limits.depth)));
        }
        let rows = self.from.foreign_rows(tree)?;
        self.entries += rows.len();
        if self.entries > self.limits.entries {
            return Err(too_much(format!("it has more than {} files", self.limits.entries)));
        }
        let is_same = self.from.hash_kind() == self.to.hash_kind();
        let mut bytes = Vec::new();
        for row in &rows {
            let (mode, id) = match row.kind {
                ForeignKind::Folder => ("40000", self.tree(&row.id, depth + 1)?),
                ForeignKind::File { executable: false } => ("100644", self.blob(&row.id)?),
                ForeignKind::File { executable: true } => ("100755", self.blob(&row.id)?),
                ForeignKind::Link => ("120000", self.blob(&row.id)?),
                ForeignKind::Submodule if is_same => ("160000", row.id),
                ForeignKind::Submodule => continue,
            };
            bytes.extend_from_slice(mode.as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(&row.name);
            bytes.push(0);
            bytes.extend_from_slice(id.as_bytes());
        }
        let bytes = if is_same { self.from.read_tree_bytes(tree)? } else { bytes };
        let id = self.put(tree, Kind::Tree, &bytes)?;
        self.known.insert(*tree, id);
        Ok(id)
    }

    fn blob(&mut self, blob: &ObjectId) -> Result<ObjectId, StoreError> {
        if let Some(known) = self.known.get(blob) {
            return Ok(*known);
        }
        let room = self.limits.bytes.saturating_sub(self.bytes).min(BODY_MAX);
        let bytes = self.from.read_blob_within(blob, room)?;
        self.bytes += bytes.len() as u64;
        let id = self.put(blob, Kind::Blob, &bytes)?;
        self.known.insert(*blob, id);
        Ok(id)
    }

    fn put(&mut self, old: &ObjectId, kind: Kind, bytes: &[u8]) -> Result<ObjectId, StoreError> {
        let id = match self.is_rehearsal {
            true => super::foreign::object_id(self.to.gix_kind(), kind, bytes)?,
            false => self.sink.put(self.to, kind, bytes, None)?,
        };
        if old.kind() == id.kind() && *old != id {
            return Err(StoreError::Object { id: *old, reason: format!("its bytes have the id {id}") });
        }
        Ok(id)
    }
}

/// Describes a ref that is made or moved to something that was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefAdvance {
    /// Its full name.
    pub name: String,
    /// What it must hold; `None`: it must not exist.
    pub old: Option<ObjectId>,
    /// What it is to hold.
    pub new: ObjectId,
}
