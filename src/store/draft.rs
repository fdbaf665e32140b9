//! A context that is being changed, commit by commit, before any ref moves.

use std::collections::{HashMap, HashSet};

use gix::objs::Kind;

use super::ref_file::signature;
use super::sign::Signing;
use super::sink::{Committed, Sink, Trees};
use super::{Repo, StoreError};
use crate::codec::{CodecError, Manifest, Meta, Place, Snapshot, arrange, encode_message};
use crate::model::{Commit, Entry, EntryId, Facts, NanoDollars, ObjectId, Operation, Person, Position, Touch, Usage};
use crate::redact::Redacted;

/// Holds a branch's newest commit and its context, with the changes since.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) tip: Option<ObjectId>,
    /// Tokens that the tip counts.
    committed_total: u64,
    total: u64,
    count: u64,
    next: u64,
    manifest: Manifest,
    snapshot: Snapshot,
}

/// Says what a new commit is to record beside the context itself.
#[derive(Debug, Clone)]
pub struct CommitRequest {
    /// What was done.
    pub operation: Operation,
    /// First line of the message.
    pub subject: Redacted<String>,
    /// The rest of the message.
    pub body: Redacted<String>,
    /// The entries that were touched, with facts about them.
    pub entries: Vec<Touch>,
    /// Who is behind the change, and when.
    pub author: Person,
    /// Who stores it, and when.
    pub committer: Person,
    /// Who acted, where it was not the user.
    pub agent: Option<String>,
    /// The commit that the work tree is at.
    pub code: Option<ObjectId>,
    /// The model that spoke.
    pub model: Option<String>,
    /// What its provider reported.
    pub usage: Option<Usage>,
    /// What it cost.
    pub cost: Option<NanoDollars>,
    /// The agent's own session.
    pub session: Option<String>,
    /// Further trailers, with full names.
    pub other: Vec<(String, String)>,
    /// Parents beside the newest commit: what was merged.
    pub merged: Vec<ObjectId>,
}

impl Draft {
    /// Begins a context that has no commit yet.
    pub(super) fn new(repo: &Repo, sink: &mut Sink, manifest: &Manifest) -> Result<Self, StoreError> {
        let id = sink.put(repo, Kind::Blob, &manifest.encode(), None)?;
        let snapshot = Snapshot::new(repo.hash_kind(), id);
        Ok(Draft { tip: None, committed_total: 0, total: 0, count: 0, next: 0, manifest: manifest.clone(), snapshot })
    }

    /// Goes on from a commit, which may be part of this very change.
    pub(super) fn load(repo: &Repo, sink: &mut Sink, tip: ObjectId) -> Result<Self, StoreError> {
        let Commit { tree, facts, .. } = match sink.get(&tip)? {
            Some(bytes) => repo.parse_commit(&tip, &bytes)?,
            None => repo.read_commit(&tip)?,
        };
        let snapshot = Snapshot::read(&mut Trees { repo, sink }, tree).map_err(|error| not_a_context(tip, error))?;
        // Older than anything else: a newer format must be seen before it is written on.
        let manifest = read_manifest(repo, sink, &snapshot.manifest(), tip)?;
        let Facts { total, count, next, .. } = facts;
        Ok(Draft { tip: Some(tip), committed_total: total, total, count, next, manifest, snapshot })
    }
}

/// Reads the manifest of a commit's context, which may be part of this very change.
fn read_manifest(repo: &Repo, sink: &mut Sink, id: &ObjectId, commit: ObjectId) -> Result<Manifest, StoreError> {
    match sink.get(id)? {
        Some(bytes) => Ok(Manifest::decode(&bytes)?),
        None => repo.read_manifest(id).map_err(|error| not_a_context(commit, error)),
    }
}

/// Names the commit whose tree is no context, rather than some tree.
fn not_a_context(id: ObjectId, error: StoreError) -> StoreError {
    match error {
        StoreError::Codec(source) => StoreError::NotAContext { id, source },
        other => other,
    }
}

impl Repo {
    fn read_snapshot(&self, commit: &ObjectId, tree: ObjectId) -> Result<Snapshot, StoreError> {
        Snapshot::read(&mut Committed(self), tree).map_err(|error| not_a_context(*commit, error))
    }

    /// Reads the entries of a commit's context, in order.
    ///
    /// # Errors
    /// When the commit is no context, or of a newer format.
    pub fn read_entries(&self, commit: &Commit) -> Result<Vec<Entry>, StoreError> {
        let mut snapshot = self.read_snapshot(&commit.id, commit.tree)?;
        self.read_manifest(&snapshot.manifest()).map_err(|error| not_a_context(commit.id, error))?;
        snapshot.entries(&mut Committed(self)).map_err(|error| not_a_context(commit.id, error))
    }

    /// Reads the manifest of a commit's context.
    ///
    /// # Errors
    /// As [`Repo::read_entries`].
    pub fn read_context_manifest(&self, commit: &Commit) -> Result<Manifest, StoreError> {
        let snapshot = self.read_snapshot(&commit.id, commit.tree)?;
        self.read_manifest(&snapshot.manifest()).map_err(|error| not_a_context(commit.id, error))
    }

    /// Reads the entries of both contexts that are not in trees which both share; alike ones may be among them.
    ///
    /// # Errors
    /// As [`Repo::read_entries`].
    pub fn read_differing_entries(&self, from: &Commit, to: &Commit) -> Result<(Vec<Entry>, Vec<Entry>), StoreError> {
        let mut old = self.read_snapshot(&from.id, from.tree)?;
        let mut new = self.read_snapshot(&to.id, to.tree)?;
        for snapshot in [&old, &new] {
            self.read_manifest(&snapshot.manifest())?;
        }
        let mut windows = Snapshot::windows(&mut [&mut old, &mut new], &mut Committed(self))?.into_iter();
        Ok((windows.next().unwrap_or_default(), windows.next().unwrap_or_default()))
    }

    /// Finds one entry in a commit's context, reading no more trees than needed.
    ///
    /// # Errors
    /// As [`Repo::read_entries`].
    pub fn find_entry(&self, commit: &Commit, id: EntryId) -> Result<Option<Entry>, StoreError> {
        let mut snapshot = self.read_snapshot(&commit.id, commit.tree)?;
        let place = snapshot.find(&mut Committed(self), id)?;
        Ok(place.and_then(|place| snapshot.get(place)).cloned())
    }
}

/// Changes one branch's context inside a [`super::Batch`].
pub struct Context<'b> {
    pub(super) repo: &'b Repo,
    pub(super) sink: &'b mut Sink,
    pub(super) draft: &'b mut Draft,
    pub(super) signing: Signing,
}

impl Context<'_> {
    /// Returns the newest commit, those of this change included.
    pub fn tip(&self) -> Option<ObjectId> {
        self.draft.tip
    }

    /// Returns the manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.draft.manifest
    }

    /// Returns what the model would see now, in tokens.
    pub fn total(&self) -> u64 {
        self.draft.total
    }

    /// Returns the number of entries, those that are not sent included.
    pub fn count(&self) -> u64 {
        self.draft.count
    }

    /// Returns all entries in order.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn entries(&mut self) -> Result<Vec<Entry>, StoreError> {
        self.draft.snapshot.entries(&mut Trees { repo: self.repo, sink: self.sink })
    }

    /// Finds an entry by its id.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn find(&mut self, id: EntryId) -> Result<Option<Entry>, StoreError> {
        Ok(self.place(id)?.and_then(|place| self.draft.snapshot.get(place)).cloned())
    }

    /// Stores a body; only what went through redaction can be stored.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_body(&mut self, body: &Redacted<Vec<u8>>) -> Result<ObjectId, StoreError> {
        self.sink.put(self.repo, Kind::Blob, body.as_inner(), None)
    }

    /// Stores a metadata file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_meta(&mut self, meta: &Meta) -> Result<ObjectId, StoreError> {
        self.sink.put(self.repo, Kind::Blob, &meta.encode(), None)
    }

    /// Reads a body, be it stored or part of this change.
    ///
    /// # Errors
    /// As [`Repo::read_blob`].
    pub fn read_body(&mut self, id: &ObjectId) -> Result<Vec<u8>, StoreError> {
        match self.sink.get(id)? {
            Some(bytes) => Ok(bytes),
            None => self.repo.read_blob(id),
        }
    }

    /// Gives out the position for an entry at the end.
    ///
    /// # Errors
    /// When all positions are used up.
    pub fn next_position(&mut self) -> Result<Position, StoreError> {
        let after = self.draft.snapshot.last_position(&mut Trees { repo: self.repo, sink: self.sink })?;
        let next = self.draft.next.max(after.map_or(0, |last| last.number() + 1));
        let position = Position::new(next).map_err(|error| StoreError::Open { reason: error.to_string() })?;
        self.draft.next = next + 1;
        Ok(position)
    }

    /// Puts an entry at the end; its position must be from [`Context::next_position`].
    ///
    /// # Errors
    /// When a tree cannot be read or written.
    pub fn append(&mut self, entry: Entry) -> Result<(), StoreError> {
        self.account(None, Some(&entry));
        self.draft.snapshot.append(&mut Trees { repo: self.repo, sink: self.sink }, entry)
    }

    /// Puts an entry where its position says.
    ///
    /// # Errors
    /// When a tree cannot be read or written.
    pub fn insert(&mut self, entry: Entry) -> Result<(), StoreError> {
        self.account(None, Some(&entry));
        self.draft.snapshot.insert(&mut Trees { repo: self.repo, sink: self.sink }, entry)
    }

    /// Puts an entry in the place of the one with the same id; `false` if there is none.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn replace(&mut self, entry: Entry) -> Result<bool, StoreError> {
        let Some(place) = self.place(entry.id)? else { return Ok(false) };
        let old = self.draft.snapshot.get(place).cloned();
        self.account(old.as_ref(), Some(&entry));
        self.draft.snapshot.replace(place, entry);
        Ok(true)
    }

    /// Takes an entry out and returns it.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn remove(&mut self, id: EntryId) -> Result<Option<Entry>, StoreError> {
        let Some(place) = self.place(id)? else { return Ok(None) };
        let old = self.draft.snapshot.get(place).cloned();
        self.account(old.as_ref(), None);
        self.draft.snapshot.remove(place);
        Ok(old)
    }

    /// Returns what the contexts of these commits and this one do not share: own entries first, then those of each commit,
    /// in order. Entries that are alike may be among them; see [`Snapshot::windows`].
    ///
    /// # Errors
    /// When a tree cannot be read, or a commit is no context.
    pub fn windows(&mut self, commits: &[&Commit]) -> Result<(Vec<Entry>, Vec<Vec<Entry>>), StoreError> {
        let mut trees = Trees { repo: self.repo, sink: self.sink };
        let mut others = Vec::with_capacity(commits.len());
        for commit in commits {
            let read = Snapshot::read(&mut trees, commit.tree);
            let snapshot = read.map_err(|error| not_a_context(commit.id, error))?;
            if snapshot.manifest() != self.draft.snapshot.manifest() {
                read_manifest(self.repo, trees.sink, &snapshot.manifest(), commit.id)?;
            }
            others.push(snapshot);
        }
        let mut all = vec![&mut self.draft.snapshot];
        all.extend(others.iter_mut());
        let mut windows = Snapshot::windows(&mut all, &mut trees)?.into_iter();
        Ok((windows.next().unwrap_or_default(), windows.collect()))
    }

    /// Makes a part of the context what is wanted, in the wanted order, and returns it with its new positions.
    ///
    /// `before` is that part as it is now, up to the end of the context: all entries, or what [`Context::windows`] gave.
    /// Positions in `wanted` mean nothing: what is in order keeps its own, what is new or moved gets one.
    ///
    /// # Errors
    /// When a tree cannot be read or written, or all positions are used up.
    pub fn rearrange(&mut self, before: &[Entry], wanted: Vec<Entry>) -> Result<Vec<Entry>, StoreError> {
        let after = arrange(before, wanted, || self.next_position())?;
        let kept: HashMap<EntryId, &Entry> = after.iter().map(|entry| (entry.id, entry)).collect();
        let mut staying = HashSet::new();
        for old in before {
            let new = kept.get(&old.id).filter(|new| new.position == old.position);
            if new.is_some() {
                staying.insert(old.id);
            }
            if new.is_none_or(|new| **new != *old) {
                let mut trees = Trees { repo: self.repo, sink: self.sink };
                let place = self.draft.snapshot.locate(&mut trees, &old.position)?;
                let place = place.ok_or(CodecError::Tree { reason: "an entry is not where it was" })?;
                match new {
                    Some(new) => self.draft.snapshot.replace(place, (*new).clone()),
                    None => self.draft.snapshot.remove(place),
                }
                self.account(Some(old), new.copied());
            }
        }
        for entry in after.iter().filter(|entry| !staying.contains(&entry.id)) {
            self.insert(entry.clone())?;
        }
        Ok(after)
    }

    /// Gives the context another manifest.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_manifest(&mut self, manifest: &Manifest) -> Result<(), StoreError> {
        let id = self.sink.put(self.repo, Kind::Blob, &manifest.encode(), None)?;
        self.draft.snapshot.set_manifest(id);
        self.draft.manifest = manifest.clone();
        Ok(())
    }

    /// Makes a commit of the context as it is now, on top of the newest one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn commit(&mut self, request: CommitRequest) -> Result<ObjectId, StoreError> {
        let tree = self.draft.snapshot.write(&mut Trees { repo: self.repo, sink: self.sink })?;
        let draft = &mut *self.draft;
        let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let CommitRequest {
            operation,
            subject,
            body,
            entries,
            author,
            committer,
            agent,
            code,
            model,
            usage,
            cost,
            session,
            other,
            merged,
        } = request;
        let facts = Facts {
            operation,
            entries,
            tokens: signed(draft.total) - signed(draft.committed_total),
            total: draft.total,
            count: draft.count,
            next: draft.next,
            agent,
            code,
            model,
            usage,
            cost,
            session,
            other,
        };
        let mut bytes = format!("tree {tree}\n");
        for parent in draft.tip.iter().chain(&merged) {
            bytes += &format!("parent {parent}\n");
        }
        bytes += &format!("author {}\ncommitter {}\n\n", signature(&author), signature(&committer));
        bytes += &encode_message(subject.as_inner(), body.as_inner(), &facts);
        let bytes = self.repo.sign(bytes, self.signing, &committer)?;
        let id = self.sink.put(self.repo, Kind::Commit, bytes.as_bytes(), None)?;
        draft.tip = Some(id);
        draft.committed_total = draft.total;
        Ok(id)
    }

    fn place(&mut self, id: EntryId) -> Result<Option<Place>, StoreError> {
        self.draft.snapshot.find(&mut Trees { repo: self.repo, sink: self.sink }, id)
    }

    /// Keeps the sums in step with the entries.
    fn account(&mut self, old: Option<&Entry>, new: Option<&Entry>) {
        let cost = |entry: &Entry| if entry.role.is_sent() { entry.tokens } else { 0 };
        let draft = &mut *self.draft;
        draft.total = draft.total.saturating_sub(old.map_or(0, cost)) + new.map_or(0, cost);
        draft.count = draft.count.saturating_sub(u64::from(old.is_some())) + u64::from(new.is_some());
    }
}
