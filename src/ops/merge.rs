//! `merge`: brings what another branch did into this one.

use super::brought::{Brought, Outcome};
use super::sequence::{Action, Options, Preference, Sequence, SequenceVerb, Step, WholeSide};
use super::{OpError, Workspace};
use crate::model::ObjectId;

/// Says whether a merge may be a mere move of the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FastForward {
    /// Where it can be.
    #[default]
    Allowed,
    /// Nothing else.
    Only,
    /// Never: there is a merge commit.
    Never,
}

/// Asks for a merge.
#[derive(Debug, Clone, Default)]
pub struct Merge {
    /// What to bring in: a branch, or any revision.
    pub revision: String,
    /// Whether it may be a mere move of the branch.
    pub fast_forward: FastForward,
    /// Whether to make a commit of our own instead of a merge commit.
    pub squash: bool,
    /// A side that is taken whole, whatever the other did.
    pub whole: Option<WholeSide>,
    /// Which side is right where the two disagree; without it the merge stops there.
    pub prefer: Option<Preference>,
    /// Whether what both sides appended goes by time; else ours comes first.
    pub interleave: bool,
    /// Whether contradictions in meaning stop the merge; else they are told.
    pub strict: bool,
    /// Whether contexts that began apart may be merged.
    pub unrelated: bool,
    /// The commit message; made from the branches where there is none.
    pub message: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Merges a revision into the current branch.
///
/// Three-way on entry ids from the true merge base over the whole history; see [`crate::merge`] for what becomes of the
/// context. Where the sides disagree nothing changes, and what was asked is remembered beside HEAD
/// ([`Outcome::Stopped`]).
///
/// # Errors
/// When the revision names nothing, the contexts began apart, or another command waits.
pub fn merge(workspace: &Workspace, request: &Merge) -> Result<Brought, OpError> {
    workspace.check_nothing_stopped()?;
    let repo = &workspace.repo;
    let target = workspace.target()?;
    let ours = repo.find_ref_id(&target.ref_name)?.ok_or_else(|| target.no_commits())?;
    let theirs = workspace.commit(Some(&request.revision))?.id;
    let bases = repo.merge_bases(ours, theirs)?;
    if bases == [theirs] {
        return Brought::unmoved(workspace, SequenceVerb::Merge, &target, ours);
    }
    let may_move = request.fast_forward != FastForward::Never && !request.squash && request.whole.is_none();
    if bases == [ours] && may_move {
        return forward(workspace, request, ours, theirs);
    }
    if request.fast_forward == FastForward::Only {
        return Err(OpError::NotForward { branch: target.display_name(), revision: request.revision.clone() });
    }
    let into = target.branch.as_ref().map_or_else(|| "HEAD".to_owned(), |branch| branch.name().to_owned());
    let message = request.message.clone().unwrap_or_else(|| format!("merge {} into {into}", request.revision));
    let action = if request.squash { Action::Squash } else { Action::Merge };
    let step = Step { message: Some(message), ..Step::new(action, theirs) };
    let mut sequence = Sequence::new(SequenceVerb::Merge, &target, ours, vec![step]);
    sequence.options = Options {
        prefer: request.prefer.clone(),
        whole: request.whole,
        by_time: request.interleave,
        strict: request.strict,
        unrelated: request.unrelated,
        ..Options::default()
    };
    workspace.bring(sequence, request.dry_run)
}

/// Moves the branch to a commit that has all of it.
fn forward(workspace: &Workspace, request: &Merge, ours: ObjectId, theirs: ObjectId) -> Result<Brought, OpError> {
    let target = workspace.target()?;
    if !request.dry_run {
        let reflog = format!("merge {}: Fast-forward", request.revision);
        let who = workspace.repo.committer()?;
        workspace.repo.move_ref(&target.ref_name, Some(ours), theirs, &reflog, &who)?;
    }
    let moved = Brought::unmoved(workspace, SequenceVerb::Merge, &target, theirs)?;
    let undo = (!request.dry_run).then(|| workspace.way_back(ours));
    let to = (!request.dry_run).then_some(theirs);
    Ok(Brought { outcome: Outcome::FastForward, from: ours, to, undo, ..moved })
}
