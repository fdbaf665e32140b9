//! Refs that change together, deletions among them, and the tombstones that are made with them.

use std::fs;

use gix::objs::Kind;

use super::ref_file::{self, signature};
use super::refs::{Backend, Expected, RefEdit, RefValue};
use super::sink::Sink;
use super::{Repo, StoreError, reftable};
use crate::codec::Tombstone;
use crate::model::{ObjectId, Person};

/// Describes a ref that is made, moved or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefMove {
    /// Its full name.
    pub name: String,
    /// What it must hold; `None`: it must not exist.
    pub old: Option<ObjectId>,
    /// What it is to hold; `None` deletes it, and its log.
    pub new: Option<ObjectId>,
    /// The ref whose log a new one begins with.
    pub log_of: Option<String>,
}

impl RefMove {
    /// Describes the deletion of a ref.
    pub fn deletion(name: String, old: ObjectId) -> Self {
        RefMove { name, old: Some(old), new: None, log_of: None }
    }
}

impl Repo {
    /// Changes refs, all or none, and makes tombstones in the same step; what is made comes before what goes.
    ///
    /// # Errors
    /// [`StoreError::RefMoved`] when one of them holds something else than it must; [`StoreError::BranchInUse`] when
    /// another worktree is on a branch that is to go, unless `even_used`.
    pub fn move_refs(
        &self,
        moves: &[RefMove],
        tombstones: &[Tombstone],
        message: &str,
        even_used: bool,
        who: &Person,
    ) -> Result<(), StoreError> {
        let guard = self.lock()?;
        if !even_used {
            let heads = self.worktree_heads()?;
            for branch in moves.iter().filter(|one| one.new.is_none()).filter_map(|one| self.branch_of(&one.name)) {
                if let Some(other) = heads.iter().find(|other| !other.is_current && other.is_on(&branch)) {
                    return Err(StoreError::BranchInUse { branch: branch.to_string(), path: other.path.clone() });
                }
            }
        }
        let durability = self.durability(false);
        let mut sink = Sink::Few(Vec::new());
        let mut edits = Vec::new();
        for tombstone in tombstones {
            let tree = sink.put(self, Kind::Tree, &[], None)?;
            let person = signature(who);
            let bytes = format!("tree {tree}\nauthor {person}\ncommitter {person}\n\n{}", tombstone.encode());
            let id = sink.put(self, Kind::Commit, bytes.as_bytes(), None)?;
            edits.push(RefEdit {
                name: self.tombstone_ref(tombstone),
                expected: Expected::Any,
                new: Some(RefValue::Id(id)),
                message: message.to_owned(),
            });
        }
        let mut flushed = sink.flush(self, &guard, durability)?;
        for one in moves {
            let mut expected = one.old.map_or(Expected::Absent, Expected::Id);
            if let (Some(from), Some(_)) = (&one.log_of, one.new) {
                expected = self.begin_log(from, &one.name, expected, who)?;
            }
            let new = one.new.map(RefValue::Id);
            edits.push(RefEdit { name: one.name.clone(), expected, new, message: message.to_owned() });
        }
        self.edit_refs(&guard, &edits, who, durability)?;
        flushed.release(self);
        self.tidy(&guard, flushed);
        Ok(())
    }

    /// Gives a ref that does not exist yet the log of another one; returns what it holds then.
    fn begin_log(&self, from: &str, to: &str, expected: Expected, who: &Person) -> Result<Expected, StoreError> {
        if self.refs == Backend::Reftable {
            return Ok(reftable::replay_log(self, from, to, who)?.map_or(expected, Expected::Id));
        }
        let (from, to) = (ref_file::log_path(self, from), ref_file::log_path(self, to));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
        }
        match fs::copy(&from, &to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io("copy", &from)(error)),
            _ => Ok(expected),
        }
    }
}
