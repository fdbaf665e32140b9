//! Changes of branches and of HEAD that belong together, each under one turn of the writers' queue.

use std::fs;

use super::head::{HEAD, Head};
use super::lock::Guard;
use super::ref_file;
use super::refs::{Backend, Expected, RefEdit, RefValue};
use super::{Repo, StoreError, reftable};
use crate::model::{Branch, ObjectId, Person};

/// Describes a branch that is made or moved.
#[derive(Debug, Clone)]
pub struct Placement {
    /// The branch.
    pub branch: Branch,
    /// What it must hold; `None`: it must not exist.
    pub old: Option<ObjectId>,
    /// What it is to hold.
    pub new: ObjectId,
    /// Line for its reflog.
    pub message: String,
}

impl Repo {
    /// Makes or moves a branch.
    ///
    /// # Errors
    /// [`StoreError::BranchInUse`] when a worktree is on a branch that is to move; [`StoreError::RefMoved`] when it holds
    /// something else than it must.
    pub fn place_branch(&self, place: &Placement, who: &Person) -> Result<(), StoreError> {
        let guard = self.lock()?;
        if place.old.is_some() {
            self.check_unused(&place.branch)?;
        }
        self.change(&guard, &[self.placing(place)], who)
    }

    /// Moves HEAD to a branch that exists, or to a commit; returns where it was.
    ///
    /// # Errors
    /// [`StoreError::NoBranch`] when the branch is gone.
    pub fn switch(&self, to: &Head, who: &Person) -> Result<Head, StoreError> {
        let guard = self.lock()?;
        if let Head::Branch(branch) = to
            && self.find_ref_id(&self.branch_ref(branch))?.is_none()
        {
            return Err(StoreError::NoBranch { branch: branch.to_string() });
        }
        let from = self.head()?;
        self.change(&guard, &[self.moving(&from, to)], who)?;
        Ok(from)
    }

    /// Makes or moves a branch and moves HEAD to it; returns where HEAD was.
    ///
    /// # Errors
    /// As [`Repo::place_branch`]; this worktree may be on the branch.
    pub fn switch_to_placed(&self, place: &Placement, who: &Person) -> Result<Head, StoreError> {
        let guard = self.lock()?;
        let mut heads = self.worktree_heads()?.into_iter();
        if let Some(other) = heads.find(|other| place.old.is_some() && !other.is_current && other.is_on(&place.branch))
        {
            return Err(StoreError::BranchInUse { branch: place.branch.to_string(), path: other.path });
        }
        let from = self.head()?;
        let head = self.moving(&from, &Head::Branch(place.branch.clone()));
        self.change(&guard, &[self.placing(place), head], who)?;
        Ok(from)
    }

    /// Moves HEAD to a branch that has no commit yet; returns where it was.
    ///
    /// # Errors
    /// [`StoreError::RefMoved`] when the branch has one by now.
    pub fn switch_to_unborn(&self, branch: &Branch, who: &Person) -> Result<Head, StoreError> {
        let guard = self.lock()?;
        let name = self.branch_ref(branch);
        if self.find_ref_id(&name)?.is_some() {
            return Err(StoreError::RefMoved { name });
        }
        let from = self.head()?;
        self.change(&guard, &[self.moving(&from, &Head::Branch(branch.clone()))], who)?;
        Ok(from)
    }

    /// Deletes branches, all or none, that no worktree is on and that hold these commits; their reflogs go too.
    ///
    /// # Errors
    /// [`StoreError::BranchInUse`], or [`StoreError::RefMoved`].
    pub fn delete_branches(&self, branches: &[(Branch, ObjectId)], who: &Person) -> Result<(), StoreError> {
        let guard = self.lock()?;
        let heads = self.worktree_heads()?;
        for (branch, _) in branches {
            if let Some(worktree) = heads.iter().find(|worktree| worktree.is_on(branch)) {
                return Err(StoreError::BranchInUse { branch: branch.to_string(), path: worktree.path.clone() });
            }
        }
        let deletion = |(branch, tip): &(Branch, ObjectId)| self.deletion(branch, *tip);
        self.change(&guard, &branches.iter().map(deletion).collect::<Vec<_>>(), who)
    }

    /// Renames a branch with its reflog; the worktrees that are on it follow. Returns how many did.
    ///
    /// The new branch is whole before the old one goes: whatever happens in between, nothing is lost.
    ///
    /// # Errors
    /// [`StoreError::RefMoved`] when one of them holds something else than `tip` and `replaced`;
    /// [`StoreError::BranchInUse`] when a worktree is on the branch that is to be replaced.
    pub fn rename_branch(
        &self,
        (old, new): (&Branch, &Branch),
        tip: Option<ObjectId>,
        replaced: Option<ObjectId>,
        who: &Person,
    ) -> Result<usize, StoreError> {
        let guard = self.lock()?;
        let (old_name, new_name) = (self.branch_ref(old), self.branch_ref(new));
        for (name, expected) in [(&old_name, tip), (&new_name, replaced)] {
            if self.find_ref_id(name)? != expected {
                return Err(StoreError::RefMoved { name: name.clone() });
            }
        }
        let heads = self.worktree_heads()?;
        if let Some(worktree) = heads.iter().find(|worktree| worktree.is_on(new)) {
            return Err(StoreError::BranchInUse { branch: new.to_string(), path: worktree.path.clone() });
        }
        let message = format!("trace branch: renamed {old} to {new}");
        if let Some(replaced) = replaced {
            self.change(&guard, &[self.deletion(new, replaced)], who)?;
        }
        if let Some(tip) = tip {
            self.copy_with_log(&guard, &old_name, &new_name, tip, &message, who)?;
        }
        let following: Vec<_> = heads.iter().filter(|worktree| worktree.is_on(old)).collect();
        let point = |target: &str| -> Vec<RefEdit> {
            let edit = |worktree: &&super::WorktreeHead| RefEdit {
                name: worktree.ref_name.clone(),
                expected: Expected::Any,
                new: Some(RefValue::Symbolic(target.to_owned())),
                message: message.clone(),
            };
            following.iter().map(edit).collect()
        };
        if !following.is_empty() {
            self.change(&guard, &point(&new_name), who)?;
        }
        if let Some(tip) = tip
            && let Err(error) = self.change(&guard, &[self.deletion(old, tip)], who)
        {
            // Somebody's git moved the old branch just now: all is put back, as well as it can be.
            let _ = self.change(&guard, &point(&old_name), who);
            let _ = self.change(&guard, &[self.deletion(new, tip)], who);
            return Err(error);
        }
        Ok(following.len())
    }

    fn copy_with_log(
        &self,
        guard: &Guard,
        old_name: &str,
        new_name: &str,
        tip: ObjectId,
        message: &str,
        who: &Person,
    ) -> Result<(), StoreError> {
        if self.refs == Backend::Reftable {
            let reached = reftable::replay_log(self, old_name, new_name, who)?;
            let expected = reached.map_or(Expected::Absent, Expected::Id);
            let new = Some(RefValue::Id(tip));
            let edit = RefEdit { name: new_name.to_owned(), expected, new, message: message.to_owned() };
            return self.change(guard, &[edit], who);
        }
        let durability = self.settings.durability(false);
        let lock = ref_file::lock(self, new_name)?;
        if self.find_ref(new_name)?.is_some() {
            return Err(StoreError::RefMoved { name: new_name.to_owned() });
        }
        self.check_conflicts(new_name)?;
        lock.write(&RefValue::Id(tip), durability)?;
        let (from, to) = (ref_file::log_path(self, old_name), ref_file::log_path(self, new_name));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
        }
        match fs::copy(&from, &to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::io("copy", &from)(error));
            }
            _ => {}
        }
        ref_file::append_reflog(self, new_name, Some(tip), Some(tip), who, message)?;
        ref_file::sync_log(&to, durability)?;
        lock.commit(durability)
    }

    fn placing(&self, place: &Placement) -> RefEdit {
        RefEdit {
            name: self.branch_ref(&place.branch),
            expected: place.old.map_or(Expected::Absent, Expected::Id),
            new: Some(RefValue::Id(place.new)),
            message: place.message.clone(),
        }
    }

    fn moving(&self, from: &Head, to: &Head) -> RefEdit {
        let new = match to {
            Head::Branch(branch) => RefValue::Symbolic(self.branch_ref(branch)),
            Head::Detached(id) => RefValue::Id(*id),
        };
        let message = format!("checkout: moving from {from} to {to}");
        RefEdit { name: HEAD.to_owned(), expected: Expected::Any, new: Some(new), message }
    }

    fn deletion(&self, branch: &Branch, tip: ObjectId) -> RefEdit {
        let message = "trace branch: deleted".to_owned();
        RefEdit { name: self.branch_ref(branch), expected: Expected::Id(tip), new: None, message }
    }

    fn change(&self, guard: &Guard, edits: &[RefEdit], who: &Person) -> Result<(), StoreError> {
        self.edit_refs(guard, edits, who, self.settings.durability(false))
    }
}
