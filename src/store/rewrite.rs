//! History that is made anew: objects are read as they are, and written as they are to be, before any ref moves.

use gix::objs::Kind;

use super::refs::{Expected, RefEdit, RefValue};
use super::sink::Sink;
use super::transaction::RefMove;
use super::{MetaEdits, Repo, StoreError, Walk};
use crate::codec::{Meta, RowKind, rows, write_row};
use crate::model::{ObjectId, Person};
use crate::redact::Redacted;

/// Holds a commit as its bytes say, be it of a context or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCommit {
    /// Its tree.
    pub tree: ObjectId,
    /// Its parents, those that a shallow clone left out included.
    pub parents: Vec<ObjectId>,
    /// Its other headers as they are, each with its line feed; signatures are not among them.
    pub headers: Vec<u8>,
    /// Whether it was signed.
    pub is_signed: bool,
    /// Its message.
    pub message: Vec<u8>,
}

/// Holds a row of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRow {
    /// What it names.
    pub kind: RowKind,
    /// The name.
    pub name: Vec<u8>,
    /// The object.
    pub id: ObjectId,
}

/// Gathers new objects. Nothing can be seen by others before [`Rewrite::finish`]; a rehearsal keeps none.
pub struct Rewrite<'r> {
    repo: &'r Repo,
    sink: Option<Sink>,
}

impl Repo {
    /// Begins to make history anew.
    ///
    /// # Errors
    /// While a push is being received.
    pub fn rewrite(&self, dry_run: bool) -> Result<Rewrite<'_>, StoreError> {
        if dry_run {
            return Ok(Rewrite { repo: self, sink: None });
        }
        self.check_quarantine()?;
        Ok(Rewrite { repo: self, sink: Some(Sink::many(self)) })
    }

    /// Lists all commits that some can reach, parents before children where their dates are right.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn reachable(&self, tips: &[ObjectId]) -> Result<Vec<ObjectId>, StoreError> {
        let mut found = self.listed(Walk { tips, hidden: &[], first_parent: false })?;
        found.reverse();
        Ok(found)
    }

    /// Reads a commit, be it of a context or not.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_raw_commit(&self, id: &ObjectId) -> Result<RawCommit, StoreError> {
        let (kind, bytes) = self.read_any(id)?;
        let broken = || StoreError::Object { id: *id, reason: "a malformed commit".to_owned() };
        if kind != Kind::Commit {
            return Err(broken());
        }
        let end = memchr::memmem::find(&bytes, b"\n\n").ok_or_else(broken)?;
        let (head, message) = (&bytes[..=end], &bytes[end + 2..]);
        let mut commit = RawCommit {
            tree: self.read_root(id)?,
            parents: Vec::new(),
            headers: Vec::new(),
            is_signed: false,
            message: message.to_vec(),
        };
        let mut in_signature = false;
        for line in head.split_inclusive(|byte| *byte == b'\n') {
            let value = |name: &[u8]| line.strip_prefix(name);
            in_signature = value(b"gpgsig").is_some() || (in_signature && line.starts_with(b" "));
            if in_signature {
                commit.is_signed = true;
            } else if let Some(parent) = value(b"parent ") {
                let text = std::str::from_utf8(parent.trim_ascii_end()).map_err(|_| broken())?;
                commit.parents.push(text.parse().map_err(|_| broken())?);
            } else if value(b"tree ").is_none() {
                commit.headers.extend_from_slice(line);
            }
        }
        Ok(commit)
    }

    /// Reads the rows of a tree.
    ///
    /// # Errors
    /// When it cannot be read, or has rows that no context has.
    pub fn read_raw_tree(&self, tree: &ObjectId) -> Result<Vec<RawRow>, StoreError> {
        let bytes = self.read_tree_bytes(tree)?;
        let row = |row: crate::codec::Row<'_>| RawRow { kind: row.kind, name: row.name.to_vec(), id: row.id };
        let read: Result<Vec<RawRow>, _> = rows(&bytes, tree.kind()).map(|found| found.map(row)).collect();
        Ok(read?)
    }

    /// Lists what a tree of any kind holds, be it of a context or of code: whether each is a tree, and its id. What is
    /// another repository is left out.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_any_tree(&self, tree: &ObjectId) -> Result<Vec<(bool, ObjectId)>, StoreError> {
        let bytes = self.read_tree_bytes(tree)?;
        let broken = || StoreError::Object { id: *tree, reason: "a malformed tree".to_owned() };
        let length = self.kind.id_len();
        let (mut rest, mut found) = (bytes.as_slice(), Vec::new());
        while !rest.is_empty() {
            let end = memchr::memchr(0, rest).ok_or_else(broken)?;
            let id = rest.get(end + 1..end + 1 + length).and_then(ObjectId::from_bytes).ok_or_else(broken)?;
            let mode = rest[..end].split(|byte| *byte == b' ').next().unwrap_or_default();
            if mode != b"160000" {
                found.push((mode == b"40000", id));
            }
            rest = &rest[end + 1 + length..];
        }
        Ok(found)
    }
}

impl Rewrite<'_> {
    /// Stores a file's content.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_blob(&mut self, body: &Redacted<Vec<u8>>) -> Result<ObjectId, StoreError> {
        self.put(Kind::Blob, body.as_inner(), None)
    }

    /// Stores a metadata file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_meta(&mut self, meta: &Meta) -> Result<ObjectId, StoreError> {
        self.put(Kind::Blob, &meta.encode(), None)
    }

    /// Stores a tree in the place of another one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_tree(&mut self, old: &ObjectId, rows: &[RawRow]) -> Result<ObjectId, StoreError> {
        let mut bytes = Vec::new();
        rows.iter().for_each(|row| write_row(row.kind, &row.name, &row.id, &mut bytes));
        let base = self.repo.read_tree_bytes(old)?;
        self.put(Kind::Tree, &bytes, Some((old, &base)))
    }

    /// Stores a commit, unsigned; its message is a stored one, without what was to be taken out of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_commit(&mut self, commit: &RawCommit, message: &[u8]) -> Result<ObjectId, StoreError> {
        let mut bytes = format!("tree {}\n", commit.tree).into_bytes();
        for parent in &commit.parents {
            bytes.extend_from_slice(format!("parent {parent}\n").as_bytes());
        }
        bytes.extend_from_slice(&commit.headers);
        bytes.push(b'\n');
        bytes.extend_from_slice(message);
        self.put(Kind::Commit, &bytes, None)
    }

    /// Stores an index without a history, of these files alone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_index(&mut self, files: MetaEdits, who: &Person) -> Result<ObjectId, StoreError> {
        let repo = self.repo;
        let mut scratch = Sink::Few(Vec::new());
        repo.draft_index(self.sink.as_mut().unwrap_or(&mut scratch), files, who)
    }

    /// Stores all objects, then moves all refs together.
    ///
    /// # Errors
    /// [`StoreError::RefMoved`] when one of them holds something else than it must; nothing has changed then.
    pub fn finish(self, moves: &[RefMove], message: &str, who: &Person) -> Result<(), StoreError> {
        let Some(sink) = self.sink else { return Ok(()) };
        let repo = self.repo;
        let guard = repo.lock()?;
        let durability = repo.durability(false);
        let mut flushed = sink.flush(repo, &guard, durability)?;
        let edit = |one: &RefMove| RefEdit {
            name: one.name.clone(),
            expected: one.old.map_or(Expected::Absent, Expected::Id),
            new: one.new.map(RefValue::Id),
            message: message.to_owned(),
        };
        let edits: Vec<RefEdit> = moves.iter().map(edit).collect();
        repo.edit_refs(&guard, &edits, who, durability)?;
        flushed.release(repo);
        repo.tip.replace(None);
        repo.tidy(&guard, flushed);
        Ok(())
    }

    fn put(&mut self, kind: Kind, bytes: &[u8], base: Option<(&ObjectId, &[u8])>) -> Result<ObjectId, StoreError> {
        match &mut self.sink {
            Some(sink) => sink.put(self.repo, kind, bytes, base),
            None => Sink::Few(Vec::new()).put(self.repo, kind, bytes, None),
        }
    }
}
