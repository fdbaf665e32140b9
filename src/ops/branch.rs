//! `branch`: makes, moves, renames and deletes branches. No object is copied, and HEAD stays where it is.

use serde::Serialize;

use super::{OpError, Workspace};
use crate::model::{Branch, ObjectId};
use crate::store::{Placement, StoreError};

/// Asks for branches to change.
#[derive(Debug, Clone)]
pub enum BranchChange {
    /// A new branch.
    Create {
        /// Its name: `<name>` of the current agent, or `<agent>/<name>`.
        name: String,
        /// Where it begins; HEAD if `None`.
        start: Option<String>,
        /// Whether a branch of that name may move.
        force: bool,
    },
    /// Branches to delete, all or none.
    Delete {
        /// Their names.
        names: Vec<String>,
        /// Whether they may be deleted though commits would be on no branch then.
        force: bool,
    },
    /// A branch to rename; its reflog goes along, and the worktrees that are on it.
    Rename {
        /// Its name; HEAD's branch if `None`.
        from: Option<String>,
        /// Its new name.
        to: String,
        /// Whether a branch of that name may go for it.
        force: bool,
    },
}

/// Says what became of one branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedBranch {
    /// Its name, `<agent>/<branch>`.
    pub name: String,
    /// The commit it holds; `None` if it is deleted, or has none yet.
    pub commit: Option<ObjectId>,
    /// The commit it held, if there was a branch of that name.
    pub was: Option<ObjectId>,
    /// Its name before.
    pub renamed_from: Option<String>,
    /// Commits that neither HEAD nor its upstream has, of a branch that is deleted.
    pub unmerged: usize,
    /// The commands that take it back, in their order.
    pub undo: Vec<String>,
}

/// Changes branches; returns what became of each.
///
/// # Errors
/// When a name is none, is taken or is not there; when a worktree is on the branch; when it is not merged.
pub fn branch(workspace: &Workspace, change: &BranchChange, dry_run: bool) -> Result<Vec<ChangedBranch>, OpError> {
    let agent = workspace.head()?.agent();
    match change {
        BranchChange::Create { name, start, force } => {
            let branch = Branch::parse(name, &agent)?;
            create(workspace, branch, start.as_deref(), *force, dry_run).map(|changed| vec![changed])
        }
        BranchChange::Delete { names, force } => {
            let mut branches = names.iter().map(|name| Branch::parse(name, &agent)).collect::<Result<Vec<_>, _>>()?;
            branches.sort();
            branches.dedup();
            delete(workspace, branches, *force, dry_run)
        }
        BranchChange::Rename { from, to, force } => {
            let from = match from {
                Some(name) => Branch::parse(name, &agent)?,
                None => workspace.target()?.branch.ok_or(OpError::Detached)?,
            };
            // A short name stays within the branch's own agent.
            let to = Branch::parse(to, from.agent())?;
            rename(workspace, &from, &to, *force, dry_run).map(|changed| vec![changed])
        }
    }
}

fn tip_of(workspace: &Workspace, branch: &Branch) -> Result<Option<ObjectId>, OpError> {
    Ok(workspace.repo.find_ref_id(&workspace.repo.branch_ref(branch))?)
}

fn create(
    workspace: &Workspace,
    branch: Branch,
    start: Option<&str>,
    force: bool,
    dry_run: bool,
) -> Result<ChangedBranch, OpError> {
    let repo = &workspace.repo;
    let was = tip_of(workspace, &branch)?;
    let name = branch.to_string();
    if was.is_some() {
        if !force {
            return Err(OpError::Exists { what: "branch", name });
        }
        repo.check_unused(&branch)?;
    }
    let started = start.unwrap_or("HEAD");
    let commit = workspace.commit(Some(started))?.id;
    if !dry_run {
        let message = format!("trace branch: {} {started}", if was.is_some() { "reset to" } else { "created from" });
        let place = Placement { branch, old: was, new: commit, message };
        repo.place_branch(&place, &repo.committer()?).map_err(|error| match error {
            StoreError::RefMoved { .. } if was.is_none() => OpError::Exists { what: "branch", name: name.clone() },
            error => error.into(),
        })?;
    }
    let undo = match was {
        Some(was) => format!("git trace branch -f {name} {was}"),
        None => format!("git trace branch -D {name}"),
    };
    Ok(ChangedBranch { name, commit: Some(commit), was, renamed_from: None, unmerged: 0, undo: vec![undo] })
}

fn delete(
    workspace: &Workspace,
    branches: Vec<Branch>,
    force: bool,
    dry_run: bool,
) -> Result<Vec<ChangedBranch>, OpError> {
    let repo = &workspace.repo;
    let target = workspace.target()?;
    let head = repo.find_ref_id(&target.ref_name)?;
    let mut gone = Vec::with_capacity(branches.len());
    let mut changed = Vec::with_capacity(branches.len());
    for branch in branches {
        let name = branch.to_string();
        let tip = tip_of(workspace, &branch)?.ok_or_else(|| StoreError::NoBranch { branch: name.clone() })?;
        repo.check_unused(&branch)?;
        let mut kept: Vec<ObjectId> = head.into_iter().collect();
        kept.extend(repo.upstream(&branch)?.and_then(|(_, id)| id));
        let unmerged = match repo.count(&[tip], &kept) {
            // A history that cannot be read hinders nobody who forces it.
            Err(_) if force => 0,
            counted => counted?,
        };
        let undo = vec![format!("git trace branch {name} {tip}")];
        changed.push(ChangedBranch { name, commit: None, was: Some(tip), renamed_from: None, unmerged, undo });
        gone.push((branch, tip));
    }
    let unmerged: Vec<&ChangedBranch> = changed.iter().filter(|branch| branch.unmerged > 0).collect();
    if !force && let Some(first) = unmerged.first() {
        return Err(OpError::NotMerged {
            branch: first.name.clone(),
            commits: first.unmerged,
            all: unmerged.iter().map(|branch| branch.name.clone()).collect(),
        });
    }
    if !dry_run {
        repo.delete_branches(&gone, &repo.committer()?)?;
    }
    Ok(changed)
}

fn rename(
    workspace: &Workspace,
    from: &Branch,
    to: &Branch,
    force: bool,
    dry_run: bool,
) -> Result<ChangedBranch, OpError> {
    let repo = &workspace.repo;
    let (tip, was) = (tip_of(workspace, from)?, tip_of(workspace, to)?);
    let is_head = repo.worktree_heads()?.iter().any(|worktree| worktree.is_on(from));
    if tip.is_none() && !is_head {
        return Err(StoreError::NoBranch { branch: from.to_string() }.into());
    }
    if from == to {
        return Err(OpError::Nothing { reason: format!("the branch is called '{to}' already") });
    }
    if was.is_some() && !force {
        return Err(OpError::Exists { what: "branch", name: to.to_string() });
    }
    repo.check_unused(to)?;
    if !dry_run {
        repo.rename_branch((from, to), tip, was, &repo.committer()?).map_err(|error| match error {
            StoreError::RefMoved { name } if was.is_none() && name == repo.branch_ref(to) => {
                OpError::Exists { what: "branch", name: to.to_string() }
            }
            error => error.into(),
        })?;
    }
    let mut undo = vec![format!("git trace branch -m {to} {from}")];
    undo.extend(was.map(|was| format!("git trace branch {to} {was}")));
    let renamed_from = Some(from.to_string());
    Ok(ChangedBranch { name: to.to_string(), commit: tip, was, renamed_from, unmerged: 0, undo })
}
