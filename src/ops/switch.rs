//! `switch`: moves this worktree's HEAD, making a branch on the way if asked to. No file of the work tree changes.

use serde::Serialize;

use super::{OpError, Workspace};
use crate::model::{Branch, ObjectId};
use crate::store::{Head, Placement, StoreError};

/// Asks for HEAD to move.
#[derive(Debug, Clone)]
pub struct Switch {
    /// Where to.
    pub to: Destination,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Says where HEAD is to be. `-` is where it was before, as `@{-1}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// On this branch, and nowhere else.
    Branch(String),
    /// At the commit that this revision names, on no branch.
    Commit(String),
    /// On the branch of that name, or else at the commit.
    Either(String),
    /// On a branch that is made now.
    New {
        /// Its name.
        name: String,
        /// Where it begins; HEAD if `None`.
        start: Option<String>,
        /// Whether a branch of that name may be moved.
        force: bool,
    },
    /// On a branch that has no commit yet.
    Unborn(String),
}

/// Says where HEAD was and is.
#[derive(Debug, Clone, Serialize)]
pub struct Switched {
    /// Where it was: a branch, or a commit.
    pub from: String,
    /// The branch it is on, unless it is detached.
    pub branch: Option<String>,
    /// The commit it is at, unless the branch has none yet.
    pub commit: Option<ObjectId>,
    /// Whether the branch was made now.
    pub created: bool,
    /// Where the branch was before it was moved.
    pub was: Option<ObjectId>,
    /// Commits that only a detached HEAD led to, and no branch.
    pub left_behind: usize,
    /// The commands that take it back, in their order.
    pub undo: Vec<String>,
}

/// Moves HEAD. Making a branch copies no object.
///
/// # Errors
/// When there is no such branch or revision, or the branch to make exists.
pub fn switch(workspace: &Workspace, request: &Switch) -> Result<Switched, OpError> {
    let repo = &workspace.repo;
    let was_at = repo.head()?;
    let agent = workspace.head()?.agent();
    let plan = plan(workspace, &request.to, &agent)?;
    let mut from = was_at;
    if !request.dry_run {
        let who = repo.committer()?;
        from = match &plan {
            Plan::Head(head, _) => repo.switch(head, &who)?,
            Plan::Place(place) => repo.switch_to_placed(place, &who).map_err(|error| exists(error, place))?,
            Plan::Unborn(branch) => repo.switch_to_unborn(branch, &who)?,
        };
    }
    let back = format!("git trace switch {}{from}", if from.branch().is_none() { "--detach " } else { "" });
    let (head, commit, was, created) = match plan {
        Plan::Head(head, commit) => (head, Some(commit), None, false),
        Plan::Place(place) => (Head::Branch(place.branch), Some(place.new), place.old, place.old.is_none()),
        Plan::Unborn(branch) => (Head::Branch(branch), None, None, true),
    };
    let mut undo = vec![back];
    if let (Head::Branch(branch), Some(_)) = (&head, commit) {
        match was {
            // HEAD stays on it.
            Some(was) if from.branch() == Some(branch) => undo = vec![format!("git trace reset --hard {was}")],
            Some(was) => undo.push(format!("git trace branch -f {branch} {was}")),
            None if created => undo.push(format!("git trace branch -D {branch}")),
            None => {}
        }
    }
    let left_behind = match (&from, commit) {
        (Head::Detached(id), Some(commit)) if *id != commit => left_behind(workspace, *id, commit)?,
        _ => 0,
    };
    let branch = head.branch().map(ToString::to_string);
    Ok(Switched { from: from.to_string(), branch, commit, created, was, left_behind, undo })
}

enum Plan {
    Head(Head, ObjectId),
    Place(Placement),
    Unborn(Branch),
}

fn plan(workspace: &Workspace, to: &Destination, agent: &str) -> Result<Plan, OpError> {
    let repo = &workspace.repo;
    let named = |name: &str| if name == "-" { "@{-1}".to_owned() } else { name.to_owned() };
    let find_branch = |name: &str| match find_branch(workspace, name, agent)? {
        Some(branch) => Ok(repo.find_ref_id(&repo.branch_ref(&branch))?.map(|tip| (branch, tip))),
        None => Ok::<_, OpError>(None),
    };
    let detached = |name: &str| {
        let commit = workspace.commit(Some(name))?;
        Ok(Plan::Head(Head::Detached(commit.id), commit.id))
    };
    match to {
        Destination::Commit(name) => detached(&named(name)),
        Destination::Either(name) => match find_branch(&named(name))? {
            Some((branch, tip)) => Ok(Plan::Head(Head::Branch(branch), tip)),
            None => detached(&named(name)),
        },
        Destination::Branch(name) => match find_branch(&named(name))? {
            Some((branch, tip)) => Ok(Plan::Head(Head::Branch(branch), tip)),
            // `switch -` goes back to a commit too, as in git.
            None if name == "-" => detached("@{-1}"),
            None => {
                let commit = workspace.commit(Some(name))?.id;
                // Somebody may have made it between the two looks.
                if let Some((branch, tip)) = find_branch(name)? {
                    return Ok(Plan::Head(Head::Branch(branch), tip));
                }
                Err(OpError::NotABranch { revision: name.clone(), commit: commit.to_string() })
            }
        },
        Destination::New { name, start, force } => {
            let branch = Branch::parse(name, agent)?;
            let old = repo.find_ref_id(&repo.branch_ref(&branch))?;
            if old.is_some() && !force {
                return Err(OpError::Exists { what: "branch", name: branch.to_string() });
            }
            let started = start.as_deref().map(named).unwrap_or_else(|| "HEAD".to_owned());
            let new = workspace.commit(Some(&started))?.id;
            let message = match old {
                None => format!("trace branch: created from {started}"),
                Some(_) => format!("trace branch: reset to {started}"),
            };
            Ok(Plan::Place(Placement { branch, old, new, message }))
        }
        Destination::Unborn(name) => {
            let branch = Branch::parse(name, agent)?;
            if repo.find_ref_id(&repo.branch_ref(&branch))?.is_some() {
                return Err(OpError::Exists { what: "branch", name: branch.to_string() });
            }
            Ok(Plan::Unborn(branch))
        }
    }
}

/// Returns the branch that a name may stand for; `@{-1}` stands for one if HEAD was on one.
fn find_branch(workspace: &Workspace, name: &str, agent: &str) -> Result<Option<Branch>, OpError> {
    let nth = name.strip_prefix("@{-").and_then(|rest| rest.strip_suffix('}')?.parse().ok());
    match nth.filter(|nth| *nth > 0) {
        Some(nth) => Ok(workspace.repo.previous_head(nth)?.and_then(|head| head.branch().cloned())),
        None => Ok(Branch::parse(name, agent).ok()),
    }
}

/// Counts the commits that HEAD alone led to.
fn left_behind(workspace: &Workspace, from: ObjectId, to: ObjectId) -> Result<usize, OpError> {
    let repo = &workspace.repo;
    let mut kept: Vec<ObjectId> = repo.branches()?.into_iter().map(|(_, tip)| tip).collect();
    kept.extend(repo.tags()?.into_iter().map(|(_, id)| id));
    kept.push(to);
    Ok(repo.count(&[from], &kept)?)
}

/// Says that the branch exists where somebody else has just made it.
fn exists(error: StoreError, place: &Placement) -> OpError {
    match error {
        StoreError::RefMoved { .. } if place.old.is_none() => {
            OpError::Exists { what: "branch", name: place.branch.to_string() }
        }
        error => error.into(),
    }
}
