//! Installations that nobody needs: no lock file of any worktree names them. They stay, since one of another branch may, and
//! since a removal can be taken back; a commit on top says that they are not installed.

use super::installing::Installing;
use super::lock_file::{read_lock_at, worktree_lock_path};
use super::record::{Installable, is_aside};
use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};
use crate::workflow::{Lock, Name};

/// Is an installation that no lock file names.
pub(super) struct Unused {
    pub(super) what: Installable,
    pub(super) name: String,
    pub(super) ref_name: String,
    pub(super) tip: ObjectId,
}

/// Lists what neither this lock nor that of another worktree names, and what is not set aside yet.
pub(super) fn unused(workspace: &Workspace, lock: &Lock) -> Result<Vec<Unused>, OpError> {
    let repo = &workspace.repo;
    let mut locks = vec![lock.clone()];
    for worktree in repo.worktree_heads()?.into_iter().filter(|worktree| !worktree.is_current) {
        locks.push(read_lock_at(&worktree_lock_path(&worktree.path))?);
    }
    let mut found = Vec::new();
    for what in [Installable::Workflow, Installable::Plugin] {
        let folder = what.ref_name(workspace, "");
        for (ref_name, tip) in repo.list_refs(&folder)? {
            let Some(name) = ref_name.strip_prefix(&folder).filter(|name| name.parse::<Name>().is_ok()) else {
                continue;
            };
            let is_locked = locks.iter().any(|lock| what.of_lock(lock).contains_key(name));
            if !is_locked && !is_aside(repo, &tip)? {
                found.push(Unused { what, name: name.to_owned(), ref_name: ref_name.clone(), tip });
            }
        }
    }
    Ok(found)
}

/// Sets aside what no lock file names: what was removed just now, and what a killed command left. Whoever cannot do it leaves
/// it to the next one.
pub(super) fn set_aside(workspace: &Workspace, lock: &Lock) {
    let done = || -> Result<(), OpError> {
        let mut installing = Installing::new(workspace, false)?;
        for Unused { what, name, .. } in unused(workspace, lock)? {
            installing.keep_aside(what, &name)?;
        }
        installing.finish("remove")
    };
    if let Err(error) = done() {
        workspace.warn(format!("what is needed no longer is not set aside yet: {error}"));
    }
}
