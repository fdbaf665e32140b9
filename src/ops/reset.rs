//! `reset`: moves the branch to another commit.

use serde::Serialize;

use super::{OpError, Workspace};
use crate::model::ObjectId;
use crate::store::ORIG_HEAD;

/// Says what becomes of the commits that are left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetMode {
    /// `ORIG_HEAD` keeps them, so that `git trace reset ORIG_HEAD` brings them back however long it takes.
    Soft,
    /// Only the reflog keeps them, as long as git keeps reflogs.
    Hard,
}

/// Asks for the branch to move.
#[derive(Debug, Clone)]
pub struct Reset {
    /// Where to.
    pub revision: String,
    /// What becomes of what is left behind.
    pub mode: ResetMode,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Says what a reset moved.
#[derive(Debug, Clone, Serialize)]
pub struct WasReset {
    /// The branch, unless HEAD is detached.
    pub branch: Option<String>,
    /// Where it was.
    pub from: ObjectId,
    /// Where it is.
    pub to: ObjectId,
    /// Subject of the commit it is at.
    pub subject: String,
    /// Commits that the branch no longer has.
    pub left_behind: usize,
    /// Tokens of the context now.
    pub total: u64,
    /// Entries of the context now.
    pub count: u64,
    /// The command that takes it back.
    pub undo: String,
}

/// Moves the current branch to a commit.
///
/// # Errors
/// When the revision names nothing, or the branch moved in between.
pub fn reset(workspace: &Workspace, request: &Reset) -> Result<WasReset, OpError> {
    let repo = &workspace.repo;
    let target = workspace.target()?;
    let from = repo.find_ref_id(&target.ref_name)?.ok_or_else(|| target.no_commits())?;
    let to = workspace.commit(Some(&request.revision))?;
    let left_behind = repo.history(&[from], &[to.id])?.collect::<Result<Vec<_>, _>>()?.len();
    if !request.dry_run {
        let who = repo.committer()?;
        let old_origin = repo.find_ref_id(ORIG_HEAD)?;
        if request.mode == ResetMode::Soft {
            repo.overwrite_ref(ORIG_HEAD, from, "trace reset", &who)?;
        }
        repo.move_ref(&target.ref_name, Some(from), to.id, &format!("reset: moving to {}", request.revision), &who)?;
        if let (ResetMode::Hard, Some(origin)) = (request.mode, old_origin) {
            repo.delete_ref(ORIG_HEAD, origin, &who)?;
        }
    }
    Ok(WasReset {
        branch: target.branch.as_ref().map(ToString::to_string),
        from,
        to: to.id,
        subject: to.subject,
        left_behind,
        total: to.facts.total,
        count: to.facts.count,
        undo: workspace.way_back(from),
    })
}
