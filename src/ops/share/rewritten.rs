//! Finds out whether a remote's branch was rewritten under ours: what somebody took out there must not come back.

use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};

/// Older positions of the remote's branch that are looked at.
const LOOKED_AT: usize = 100;

/// Says what ours is to a branch that was rewritten there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rewritten {
    /// It was not.
    No,
    /// Ours has nothing of its own: all of it was there.
    Whole,
    /// Ours went on from this commit, which was there.
    Since(ObjectId),
}

/// Compares ours with what the remote's branch was, by the log of the tracking ref.
pub(super) fn rewritten(
    workspace: &Workspace,
    tracking: &str,
    ours: ObjectId,
    theirs: ObjectId,
) -> Result<Rewritten, OpError> {
    let repo = &workspace.repo;
    let mut was: Vec<(i64, ObjectId)> = Vec::new();
    for id in repo.logged_ids(tracking)? {
        // What was there once need not be here any more.
        if let (true, Ok(commit)) = (id != theirs, repo.read_commit(&id)) {
            was.push((commit.committer.time.seconds(), id));
        }
    }
    was.sort_unstable();
    for (_, id) in was.into_iter().rev().take(LOOKED_AT) {
        if !repo.reached(theirs, &[id])?.is_empty() {
            continue;
        }
        if !repo.reached(id, &[ours])?.is_empty() {
            return Ok(Rewritten::Whole);
        }
        if !repo.reached(ours, &[id])?.is_empty() {
            return Ok(Rewritten::Since(id));
        }
    }
    Ok(Rewritten::No)
}
