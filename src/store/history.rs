//! Walks over the history of contexts.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet};

use super::object::{from_gix, to_gix};
use super::open::error_chain;
use super::{Repo, StoreError};
use crate::model::{Commit, ObjectId};

/// Yields commits, newest first and never a parent before its child; see [`Repo::history`].
pub struct History<'r> {
    repo: &'r Repo,
    queue: BinaryHeap<Queued>,
    seen: HashSet<ObjectId>,
    hidden: HashSet<ObjectId>,
    serial: u64,
    broken: bool,
}

impl Repo {
    /// Walks over everything that the tips can reach and the hidden commits cannot.
    ///
    /// # Errors
    /// When a tip or a hidden commit cannot be read.
    pub fn history(&self, tips: &[ObjectId], hidden: &[ObjectId]) -> Result<History<'_>, StoreError> {
        let mut gone = HashSet::new();
        let mut stack = hidden.to_vec();
        while let Some(id) = stack.pop() {
            if gone.insert(id) {
                stack.extend(self.read_commit(&id)?.parents);
            }
        }
        let mut history = History {
            repo: self,
            queue: BinaryHeap::new(),
            seen: HashSet::new(),
            hidden: gone,
            serial: 0,
            broken: false,
        };
        for tip in tips {
            history.push(*tip)?;
        }
        Ok(history)
    }
}

impl Repo {
    /// Finds the best common ancestors of two commits, as `git merge-base --all` does.
    ///
    /// # Errors
    /// When a commit cannot be read.
    pub fn merge_bases(&self, one: ObjectId, other: ObjectId) -> Result<Vec<ObjectId>, StoreError> {
        let find = || self.git.merge_bases_many(to_gix(&one), &[to_gix(&other)]);
        // Housekeeping of others may move objects while they are read: the second time, gix looks at the packs anew.
        let found = find().or_else(|_| find());
        let found = found.map_err(|error| StoreError::Object { id: one, reason: error_chain(&error).join(": ") })?;
        Ok(found.into_iter().map(|id| from_gix(&id)).collect())
    }
}

impl History<'_> {
    fn push(&mut self, id: ObjectId) -> Result<(), StoreError> {
        if !self.hidden.contains(&id) && self.seen.insert(id) {
            let commit = self.repo.read_commit(&id)?;
            self.serial += 1;
            self.queue.push(Queued { commit, serial: self.serial });
        }
        Ok(())
    }
}

impl Iterator for History<'_> {
    type Item = Result<Commit, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken {
            return None;
        }
        let Queued { commit, .. } = self.queue.pop()?;
        for parent in &commit.parents {
            if let Err(error) = self.push(*parent) {
                self.broken = true;
                return Some(Err(error));
            }
        }
        Some(Ok(commit))
    }
}

/// A commit that waits for its turn: the youngest is first, among equals the one that came first.
struct Queued {
    commit: Commit,
    serial: u64,
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        let time = |queued: &Queued| queued.commit.committer.time.seconds();
        time(self).cmp(&time(other)).then(other.serial.cmp(&self.serial))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Queued {}
