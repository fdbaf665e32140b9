//! `checkout`: moves this worktree's HEAD to a branch or commit. No file of the work tree changes.

use serde::Serialize;

use super::{OpError, Workspace};
use crate::model::{Branch, ObjectId};
use crate::store::Head;

/// Asks for HEAD to move.
#[derive(Debug, Clone, Default)]
pub struct Checkout {
    /// A branch, or any revision (HEAD is detached then). With `create`: where the new branch starts; HEAD if `None`.
    pub revision: Option<String>,
    /// Name of a branch to make.
    pub create: Option<String>,
    /// Whether HEAD is to be detached even where the revision is a branch.
    pub detach: bool,
}

/// Says where HEAD was and is.
#[derive(Debug, Clone, Serialize)]
pub struct CheckedOut {
    /// Where it was: a branch, or a commit.
    pub from: String,
    /// The branch it is on, unless it is detached.
    pub branch: Option<String>,
    /// The commit it is at, unless the branch has none yet.
    pub commit: Option<ObjectId>,
    /// Whether the branch was made now.
    pub created: bool,
}

/// Moves HEAD. Making a branch copies no object.
///
/// # Errors
/// When the revision names nothing, or the branch to make exists.
pub fn checkout(workspace: &Workspace, request: &Checkout) -> Result<CheckedOut, OpError> {
    let repo = &workspace.repo;
    let before = repo.head()?;
    let from = match &before {
        Head::Branch(branch) => branch.to_string(),
        Head::Detached(id) => id.to_string(),
    };
    let agent = match &before {
        Head::Branch(branch) => branch.agent().to_owned(),
        Head::Detached(_) => Branch::default().agent().to_owned(),
    };
    let who = repo.committer()?;
    let (head, commit) = match &request.create {
        Some(name) => {
            let branch = Branch::parse(name, &agent)?;
            let ref_name = repo.branch_ref(&branch);
            if repo.find_ref(&ref_name)?.is_some() {
                return Err(OpError::Exists { what: "branch", name: branch.to_string() });
            }
            let start = workspace.commit(request.revision.as_deref())?;
            let started = request.revision.as_deref().unwrap_or("HEAD");
            repo.move_ref(&ref_name, None, start.id, &format!("trace branch: created from {started}"), &who)?;
            (Head::Branch(branch), Some(start.id))
        }
        None => {
            let revision = request.revision.as_deref().unwrap_or("HEAD");
            let branch = Branch::parse(revision, &agent).ok();
            let tip = branch.as_ref().map(|branch| repo.find_ref_id(&repo.branch_ref(branch))).transpose()?.flatten();
            match (branch, tip) {
                (Some(branch), Some(tip)) if !request.detach => (Head::Branch(branch), Some(tip)),
                _ => {
                    let commit = workspace.commit(Some(revision))?;
                    (Head::Detached(commit.id), Some(commit.id))
                }
            }
        }
    };
    let to = match &head {
        Head::Branch(branch) => branch.to_string(),
        Head::Detached(id) => id.to_string(),
    };
    repo.set_head(&head, &format!("checkout: moving from {from} to {to}"), &who)?;
    let branch = match &head {
        Head::Branch(branch) => Some(branch.to_string()),
        Head::Detached(_) => None,
    };
    Ok(CheckedOut { from, branch, commit, created: request.create.is_some() })
}
