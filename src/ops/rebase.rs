//! `rebase`: does the commits of a branch again on top of another one.

use super::brought::Brought;
use super::sequence::{Action, Options, Preference, Sequence, SequenceVerb, Step};
use super::{OpError, Workspace};
use crate::model::{Commit, ObjectId};

/// Asks for a branch to be rebased.
#[derive(Debug, Clone, Default)]
pub struct Rebase {
    /// What to leave out: the commits that this revision has.
    pub upstream: String,
    /// Where to put them; `upstream` if `None`.
    pub onto: Option<String>,
    /// The branch; HEAD's if `None`.
    pub branch: Option<String>,
    /// Whether merge commits are made again as merge commits; else only what they brought in is.
    pub keep_merges: bool,
    /// Which side is right where the two disagree; without it the rebase stops there.
    pub prefer: Option<Preference>,
    /// Whether the branch that was rebased away is deleted: HEAD's branch takes over what it had.
    pub drop_branch: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Does the commits of a branch again on top of another commit. Entries keep their ids, pins and facts.
///
/// # Errors
/// When a revision names nothing, or another command waits.
pub fn rebase(workspace: &Workspace, request: &Rebase) -> Result<Brought, OpError> {
    workspace.check_nothing_stopped()?;
    let target = workspace.target()?;
    let start = workspace.repo.find_ref_id(&target.ref_name)?.ok_or_else(|| target.no_commits())?;
    let upstream = workspace.commit(Some(&request.upstream))?.id;
    let onto = request.onto.as_deref().map(|onto| workspace.resolve(onto)).transpose()?.unwrap_or(upstream);
    let commits = commits_to_do(workspace, start, upstream, request.keep_merges)?;
    let steps: Vec<Step> = commits.iter().map(|commit| Step::new(Action::Pick, commit.id)).collect();
    let mut sequence = Sequence::new(SequenceVerb::Rebase, &target, start, steps);
    sequence.onto = Some(onto);
    sequence.options =
        Options { prefer: request.prefer.clone(), keep_merges: request.keep_merges, ..Options::default() };
    workspace.bring(sequence, request.dry_run)
}

/// Lists the commits of a branch that another does not have, oldest first.
pub(super) fn commits_to_do(
    workspace: &Workspace,
    tip: ObjectId,
    upstream: ObjectId,
    keep_merges: bool,
) -> Result<Vec<Commit>, OpError> {
    let mut commits: Vec<Commit> = workspace.repo.history(&[tip], &[upstream])?.collect::<Result<_, _>>()?;
    commits.reverse();
    commits.retain(|commit| keep_merges || commit.parents.len() < 2);
    Ok(commits)
}
