//! Where the worktrees of a repository are: each has a HEAD of its own.

use std::fs;
use std::path::{Path, PathBuf};

use super::head::{HEAD, Head, ORIG_HEAD};
use super::{Repo, StoreError};
use crate::model::{Branch, ObjectId};

/// The refs of a worktree that keep what a stopped command needs, and the commands.
const STOPPED: [(&str, &str); 4] = [
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("REBASE_HEAD", "rebase"),
];

/// Says that a command stopped in a worktree and waits to be continued.
#[derive(Debug, Clone)]
pub struct StoppedIn {
    /// The work tree, or the git directory if there is none.
    pub path: PathBuf,
    /// The command.
    pub verb: &'static str,
    /// What it needs.
    pub needs: ObjectId,
    /// Whether the worktree is the one that this process is in.
    pub is_current: bool,
}

/// Says where a worktree is.
#[derive(Debug, Clone)]
pub struct WorktreeHead {
    /// The work tree, or the git directory if there is none.
    pub path: PathBuf,
    /// Where it is.
    pub head: Head,
    /// Whether it is the one that this process is in.
    pub is_current: bool,
    /// The name by which any worktree can read and write that HEAD.
    pub(super) ref_name: String,
}

impl WorktreeHead {
    /// Tells whether the worktree is on this branch.
    pub fn is_on(&self, branch: &Branch) -> bool {
        matches!(&self.head, Head::Branch(on) if on == branch)
    }
}

impl Repo {
    /// Lists where all worktrees are, this one first. One that never said so is on the default branch; one whose HEAD
    /// makes no sense is on none, and left out.
    ///
    /// # Errors
    /// When this worktree's own HEAD cannot be read.
    pub fn worktree_heads(&self) -> Result<Vec<WorktreeHead>, StoreError> {
        let own = self.work_dir().unwrap_or(self.git_dir()).to_owned();
        let mut found =
            vec![WorktreeHead { path: own, head: self.head()?, is_current: true, ref_name: HEAD.to_owned() }];
        let mut add = |path: PathBuf, ref_name: String| {
            if let Ok(head) = self.head_at(&ref_name) {
                found.push(WorktreeHead { path, head, is_current: false, ref_name });
            }
        };
        if self.private_dir != self.common_dir {
            let beside = self.common_dir.parent().filter(|_| self.common_dir.ends_with(".git"));
            add(beside.unwrap_or(&self.common_dir).to_owned(), format!("main-worktree/{HEAD}"));
        }
        let linked = fs::read_dir(self.common_dir.join("worktrees")).into_iter().flatten().filter_map(Result::ok);
        let mut linked: Vec<PathBuf> = linked.map(|folder| folder.path()).collect();
        linked.sort();
        for folder in linked {
            let Some(id) = folder.file_name().and_then(|id| id.to_str()) else { continue };
            if !same_folder(&folder, &self.private_dir) && folder.join("gitdir").is_file() {
                add(work_tree_of(&folder), format!("worktrees/{id}/{HEAD}"));
            }
        }
        Ok(found)
    }

    /// Lists what the worktrees' own refs name: HEADs on no branch, and ORIG_HEADs.
    ///
    /// # Errors
    /// When this worktree's own HEAD cannot be read.
    pub fn worktree_refs(&self) -> Result<Vec<(String, ObjectId)>, StoreError> {
        let mut found = Vec::new();
        for worktree in self.worktree_heads()? {
            if let Head::Detached(id) = worktree.head {
                found.push((worktree.ref_name.clone(), id));
            }
            let before = worktree.ref_name.replace(HEAD, ORIG_HEAD);
            found.extend(self.find_ref_id(&before)?.map(|id| (before, id)));
        }
        Ok(found)
    }

    /// Lists the commands that stopped in any worktree.
    ///
    /// # Errors
    /// When a ref cannot be read.
    pub fn stopped_commands(&self) -> Result<Vec<StoppedIn>, StoreError> {
        let mut found = Vec::new();
        for WorktreeHead { path, is_current, ref_name, .. } in self.worktree_heads()? {
            for (name, verb) in STOPPED {
                let id = self.find_ref_id(&ref_name.replace(HEAD, &format!("refs/worktree/trace/{name}")))?;
                found.extend(id.map(|needs| StoppedIn { path: path.clone(), verb, needs, is_current }));
            }
        }
        Ok(found)
    }

    /// Lists all that the worktrees' own refs name; git itself looks at those of this worktree only.
    ///
    /// # Errors
    /// When a ref cannot be read.
    pub(super) fn worktree_ids(&self) -> Result<Vec<ObjectId>, StoreError> {
        let mut found: Vec<ObjectId> = self.worktree_refs()?.into_iter().map(|(_, id)| id).collect();
        found.extend(self.stopped_commands()?.into_iter().map(|stopped| stopped.needs));
        Ok(found)
    }

    /// Refuses a branch that a worktree is on.
    ///
    /// # Errors
    /// [`StoreError::BranchInUse`].
    pub fn check_unused(&self, branch: &Branch) -> Result<(), StoreError> {
        match self.worktree_heads()?.into_iter().find(|worktree| worktree.is_on(branch)) {
            Some(worktree) => Err(StoreError::BranchInUse { branch: branch.to_string(), path: worktree.path }),
            None => Ok(()),
        }
    }
}

fn same_folder(one: &Path, other: &Path) -> bool {
    one == other
        || fs::canonicalize(one).ok().is_some_and(|one| fs::canonicalize(other).is_ok_and(|other| one == other))
}

/// Returns the folder whose `.git` file a linked worktree's `gitdir` names.
fn work_tree_of(folder: &Path) -> PathBuf {
    let text = fs::read_to_string(folder.join("gitdir")).unwrap_or_default();
    let file = folder.join(text.trim_end());
    file.parent().unwrap_or(folder).to_owned()
}
