//! `cherry-pick` and `revert`: does again, or takes back, what commits did.

use super::brought::Brought;
use super::sequence::{Action, Options, Preference, Sequence, SequenceVerb, Step};
use super::{OpError, RevisionRange, Span, Workspace};
use crate::model::ObjectId;

/// Asks for commits to be done again on the current branch, or to be taken back.
#[derive(Debug, Clone, Default)]
pub struct Pick {
    /// The commits: revisions, or ranges (`A..B`), which go oldest first; a revert takes them newest first.
    pub revisions: Vec<String>,
    /// Which parent a merge commit is compared with, from 1.
    pub mainline: Option<usize>,
    /// Which side is right where the two disagree; without it the command stops there.
    pub prefer: Option<Preference>,
    /// Whether the message says where a commit came from.
    pub note_source: bool,
    /// The commit message, for a single commit.
    pub message: Option<String>,
    /// Whether tool calls may be parted from their results.
    pub force: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Does again on the current branch what commits did elsewhere; entries keep their ids.
///
/// # Errors
/// When a revision names nothing, a commit is a merge and no parent is said, a tool call would stand without its result or
/// the reverse, or another command waits.
pub fn cherry_pick(workspace: &Workspace, request: &Pick) -> Result<Brought, OpError> {
    pick(workspace, request, SequenceVerb::CherryPick)
}

/// Takes back what commits of this branch did, by a new commit for each.
///
/// # Errors
/// As [`cherry_pick`].
pub fn revert(workspace: &Workspace, request: &Pick) -> Result<Brought, OpError> {
    pick(workspace, request, SequenceVerb::Revert)
}

fn pick(workspace: &Workspace, request: &Pick, verb: SequenceVerb) -> Result<Brought, OpError> {
    workspace.check_nothing_stopped()?;
    let target = workspace.target()?;
    let start = workspace.repo.find_ref_id(&target.ref_name)?.ok_or_else(|| target.no_commits())?;
    let action = if verb == SequenceVerb::Revert { Action::Revert } else { Action::Pick };
    let commits = commits(workspace, request, action)?;
    if commits.is_empty() {
        return Err(OpError::Nothing { reason: "no commit is named".to_owned() });
    }
    let message = request.message.clone().filter(|_| commits.len() == 1);
    let step = |commit| Step { mainline: request.mainline, message: message.clone(), ..Step::new(action, commit) };
    let steps = commits.into_iter().map(step).collect();
    let mut sequence = Sequence::new(verb, &target, start, steps);
    sequence.options = Options {
        prefer: request.prefer.clone(),
        note_source: request.note_source,
        force: request.force,
        ..Options::default()
    };
    workspace.bring(sequence, request.dry_run)
}

/// Lists the commits in the order in which they are taken.
fn commits(workspace: &Workspace, request: &Pick, action: Action) -> Result<Vec<ObjectId>, OpError> {
    let mut commits = Vec::new();
    for revision in &request.revisions {
        let range = RevisionRange::parse(revision);
        if let RevisionRange::Reachable(revision) = &range {
            commits.push(workspace.commit(Some(revision))?.id);
            continue;
        }
        let Span { tips, hidden } = range.resolve(workspace)?;
        let found = workspace.repo.history(&tips, &hidden)?;
        let mut range = found.map(|commit| Ok(commit?.id)).collect::<Result<Vec<_>, OpError>>()?;
        if action == Action::Pick {
            range.reverse();
        }
        commits.extend(range);
    }
    Ok(commits)
}
