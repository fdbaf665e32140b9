//! A change to the repository: new commits on some branches, seen by others all at once.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Context, Draft};
use super::head::{HEAD, Head};
use super::lock::Guard;
use super::pack::Durability;
use super::refs::{Expected, RefEdit, RefValue};
use super::sign::Signing;
use super::sink::Sink;
use super::{Repo, StoreError};
use crate::codec::Manifest;
use crate::model::{ObjectId, Person};

/// Says how many objects a change will have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// One or a few commits: the lock is held from the start, so that nothing moves in between.
    Few,
    /// Any number: objects go to one pack while others write, and the lock is taken at the end.
    Many,
}

/// Gathers commits on branches. Objects are written first, refs last; dropping it changes nothing.
///
/// **Guarantees**
/// 1. No ref moves before every object that it needs is stored, and durable if so asked.
/// 2. Refs move all together, each only from the value that the change was based on.
/// 3. When `finish` fails, every ref holds what it held; but a ref that is deleted goes after the others have moved, and
///    stays if somebody else moved it meanwhile.
pub struct Batch<'r> {
    repo: &'r Repo,
    guard: Option<Guard>,
    sink: Sink,
    drafts: BTreeMap<String, (Option<ObjectId>, Draft)>,
    /// Branches whose new commits are stored and which do not move.
    withheld: BTreeSet<String>,
    /// Branches to delete once all others have moved, and what they name.
    deleted: Vec<(String, ObjectId)>,
    /// Where this worktree is to be.
    head: Option<Head>,
}

impl Repo {
    /// Begins a change.
    ///
    /// # Errors
    /// When the lock cannot be had.
    pub fn begin(&self, size: Size) -> Result<Batch<'_>, StoreError> {
        self.check_quarantine()?;
        let guard = if size == Size::Few { Some(self.lock()?) } else { None };
        Ok(self.batch(size, guard))
    }

    /// Begins a change that is never finished: to see what it would be. Takes no lock and writes nothing.
    pub fn rehearse(&self) -> Batch<'_> {
        self.batch(Size::Few, None)
    }

    pub(super) fn batch(&self, size: Size, guard: Option<Guard>) -> Batch<'_> {
        let sink = if size == Size::Few { Sink::Few(Vec::new()) } else { Sink::many(self) };
        Batch {
            repo: self,
            guard,
            sink,
            drafts: BTreeMap::new(),
            withheld: BTreeSet::new(),
            deleted: Vec::new(),
            head: None,
        }
    }
}

impl Batch<'_> {
    /// Returns the context of a branch, or `None` if the branch does not exist and was not started.
    ///
    /// # Errors
    /// When its newest commit cannot be read.
    pub fn context(&mut self, ref_name: &str) -> Result<Option<Context<'_>>, StoreError> {
        if !self.drafts.contains_key(ref_name) {
            let Some(tip) = self.repo.find_ref_id(ref_name)? else { return Ok(None) };
            let draft = match self.repo.tip.take() {
                Some(draft) if draft.tip == Some(tip) => draft,
                _ => Draft::load(self.repo, &mut self.sink, tip)?,
            };
            self.drafts.insert(ref_name.to_owned(), (Some(tip), draft));
        }
        let signing = self.signing();
        let draft = self.drafts.get_mut(ref_name).map(|(_, draft)| draft);
        Ok(draft.map(|draft| Context { repo: self.repo, sink: &mut self.sink, draft, signing }))
    }

    /// Starts a branch that does not exist: with an empty context, or at a commit, which may be one
    /// of this change.
    ///
    /// # Errors
    /// When it exists, or the commit cannot be read.
    pub fn start(&mut self, ref_name: &str, from: Start<'_>) -> Result<Context<'_>, StoreError> {
        if self.drafts.contains_key(ref_name) || self.repo.find_ref(ref_name)?.is_some() {
            return Err(StoreError::RefConflict { name: ref_name.to_owned(), other: ref_name.to_owned() });
        }
        let draft = match from {
            Start::Empty(manifest) => Draft::new(self.repo, &mut self.sink, manifest)?,
            Start::Commit(commit) => Draft::load(self.repo, &mut self.sink, commit)?,
        };
        let signing = self.signing();
        let (_, draft) = self.drafts.entry(ref_name.to_owned()).or_insert((None, draft));
        Ok(Context { repo: self.repo, sink: &mut self.sink, draft, signing })
    }

    /// Goes on from another commit than the one that a ref names; at the end the ref moves to what was made on top of it.
    ///
    /// # Errors
    /// When the commit cannot be read.
    pub fn restart(&mut self, ref_name: &str, commit: ObjectId) -> Result<Context<'_>, StoreError> {
        let old = match self.drafts.remove(ref_name) {
            Some((old, _)) => old,
            None => self.repo.find_ref_id(ref_name)?,
        };
        let draft = Draft::load(self.repo, &mut self.sink, commit)?;
        let signing = self.signing();
        let (_, draft) = self.drafts.entry(ref_name.to_owned()).or_insert((old, draft));
        Ok(Context { repo: self.repo, sink: &mut self.sink, draft, signing })
    }

    /// Stores the new commits of a branch without moving it: HEAD is to name them.
    pub fn withhold(&mut self, ref_name: &str) {
        self.withheld.insert(ref_name.to_owned());
    }

    /// Deletes a branch that names this commit, once all others have moved.
    pub fn delete(&mut self, ref_name: &str, id: ObjectId) {
        self.deleted.push((ref_name.to_owned(), id));
    }

    /// Moves this worktree together with the branches.
    pub fn set_head(&mut self, head: Head) {
        self.head = Some(head);
    }

    /// Says whose commits these are: large changes are made by imports and hooks, which nobody watches.
    fn signing(&self) -> Signing {
        match (&self.sink, &self.guard) {
            (Sink::Many(_), _) => Signing::Quiet,
            (Sink::Few(_), Some(_)) => Signing::Person,
            (Sink::Few(_), None) => Signing::No,
        }
    }

    pub(super) fn repo(&self) -> &Repo {
        self.repo
    }

    /// Stores all objects, then moves all refs whose branch has new commits.
    ///
    /// # Errors
    /// [`StoreError::RefMoved`] when somebody else moved a ref in between; nothing has changed then.
    pub fn finish(self, message: &str, who: &Person, durability: Durability) -> Result<(), StoreError> {
        self.finish_and(message, who, durability, || ())
    }

    /// As [`Batch::finish`], and does one more thing before the next writer gets its turn.
    ///
    /// # Errors
    /// As [`Batch::finish`].
    pub fn finish_and(
        self,
        message: &str,
        who: &Person,
        durability: Durability,
        then: impl FnOnce(),
    ) -> Result<(), StoreError> {
        let Batch { repo, guard, sink, drafts, withheld, deleted, head } = self;
        let moved = |(old, draft): &(Option<ObjectId>, Draft)| draft.tip.is_some() && draft.tip != *old;
        let mut edits: Vec<RefEdit> = drafts
            .iter()
            .filter(|(name, state)| moved(state) && !withheld.contains(*name))
            .filter_map(|(name, (old, draft))| {
                Some(RefEdit {
                    name: name.clone(),
                    expected: old.map_or(Expected::Absent, Expected::Id),
                    new: Some(RefValue::Id(draft.tip?)),
                    message: message.to_owned(),
                })
            })
            .collect();
        edits.extend(head.map(|head| head_edit(repo, &head, message)).transpose()?.flatten());
        if edits.is_empty() && deleted.is_empty() {
            return Ok(());
        }
        let guard = match guard {
            Some(guard) => guard,
            None => repo.lock()?,
        };
        // Whoever else writes waits for the guard: what is there now is there when it is deleted.
        for (name, id) in &deleted {
            if repo.find_ref_id(name)? != Some(*id) {
                return Err(StoreError::RefMoved { name: name.clone() });
            }
        }
        let mut flushed = sink.flush(repo, &guard, durability)?;
        repo.edit_refs(&guard, &edits, who, durability)?;
        let deletions: Vec<RefEdit> = deleted
            .into_iter()
            .map(|(name, id)| RefEdit { name, expected: Expected::Id(id), new: None, message: message.to_owned() })
            .collect();
        if !deletions.is_empty() {
            repo.edit_refs(&guard, &deletions, who, durability)?;
        }
        then();
        flushed.release(repo);
        if let ([_], Some((_, (_, draft)))) = (edits.as_slice(), drafts.into_iter().next()) {
            repo.tip.replace(Some(draft));
        }
        repo.tidy(&guard, flushed);
        Ok(())
    }
}

/// Describes the move of this worktree, if it is one.
fn head_edit(repo: &Repo, head: &Head, message: &str) -> Result<Option<RefEdit>, StoreError> {
    let new = match head {
        Head::Branch(branch) => RefValue::Symbolic(repo.branch_ref(branch)),
        Head::Detached(id) => RefValue::Id(*id),
    };
    let now = repo.find_ref(HEAD)?;
    let expected = match now {
        Some(RefValue::Id(id)) => Expected::Id(id),
        _ => Expected::Any,
    };
    let edit = RefEdit { name: HEAD.to_owned(), expected, new: Some(new.clone()), message: message.to_owned() };
    Ok((now != Some(new)).then_some(edit))
}

/// Says where a new branch starts.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// At an empty context.
    Empty(&'a Manifest),
    /// At a commit.
    Commit(ObjectId),
}
