//! `pull`: brings what a remote has, and then what its branches did into ours.

use super::fetch::{Fetch, Fetched, fetch_for};
use crate::model::{Branch, Commit, ObjectId, Operation};
use crate::ops::brought::{Brought, Outcome};
use crate::ops::rebase::{Rebase, rebase};
use crate::ops::sequence::{Action, Sequence, SequenceVerb, Step};
use crate::ops::{OpError, Target, Workspace};

/// Says how branches that went apart come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullHow {
    /// By a merge, which is the same whoever makes it.
    Merge,
    /// By doing our commits again on top of theirs.
    Rebase,
    /// Not at all.
    FastForwardOnly,
}

impl PullHow {
    /// Finds a way by the name that `trace.pull` has for it.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "merge" | "false" => Some(PullHow::Merge),
            "rebase" | "true" => Some(PullHow::Rebase),
            "ff" | "only" | "ff-only" => Some(PullHow::FastForwardOnly),
            _ => None,
        }
    }
}

/// Asks for a fetch, and for branches to follow.
#[derive(Debug, Clone, Default)]
pub struct Pull {
    /// The remote; the default one if `None`.
    pub remote: Option<String>,
    /// Whether all branches that the remote has too follow; else HEAD's.
    pub all: bool,
    /// How; `trace.pull` if `None`, and a merge if that says nothing.
    pub how: Option<PullHow>,
    /// Whether the user may be asked for a password.
    pub may_ask: bool,
    /// Whether no branch is to move. What the remote has is fetched, to see what would become of them.
    pub dry_run: bool,
}

/// Says what came, and what became of our branches.
#[derive(Debug, Clone)]
pub struct Pulled {
    /// What came.
    pub fetched: Fetched,
    /// Our branches.
    pub branches: Vec<PulledBranch>,
}

/// Says what became of one branch of ours.
#[derive(Debug, Clone)]
pub struct PulledBranch {
    /// Its name.
    pub branch: String,
    /// What it named.
    pub from: Option<ObjectId>,
    /// What it names now; `None` on a dry run that would have made a commit, and where there is none.
    pub to: Option<ObjectId>,
    /// What was done.
    pub how: PulledHow,
    /// More about a merge or rebase.
    pub brought: Option<Brought>,
    /// The command that takes it back.
    pub undo: Option<String>,
}

/// Says what was done with a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PulledHow {
    /// The remote has no such branch.
    NotThere,
    /// Both have the same.
    UpToDate,
    /// Ours has all of theirs, and more.
    Ahead,
    /// It is new here.
    New,
    /// It moved forward.
    FastForward,
    /// Somebody else had made the same merge: theirs was taken.
    Adopted,
    /// Both were merged.
    Merged,
    /// Ours was done again on top of theirs.
    Rebased,
    /// They went apart, and that is left.
    Apart,
    /// The two disagree: it waits to be settled.
    Stopped,
}

/// Fetches, and lets branches follow their remote's.
///
/// Where both went on, the merge is the same on every machine that makes it: the side whose newest commit is older comes
/// first, and what two machines merged at once is taken for one merge. Where the two disagree about an entry it stops, as
/// `merge` does.
///
/// # Errors
/// When the remote cannot be reached, or another command waits.
pub fn pull(workspace: &Workspace, request: &Pull) -> Result<Pulled, OpError> {
    workspace.check_nothing_stopped()?;
    let how = match (request.how, workspace.config("trace.pull")) {
        (Some(how), _) => how,
        (None, None) => PullHow::Merge,
        (None, Some(value)) => PullHow::from_name(&value).ok_or_else(|| OpError::config("trace.pull", &value))?,
    };
    let own = workspace.target()?;
    let wanted = Fetch { remote: request.remote.clone(), may_ask: request.may_ask, ..Fetch::default() };
    let fetched = fetch_for(workspace, &wanted, !request.dry_run)?;
    let repo = &workspace.repo;
    let mut targets = Vec::new();
    if request.all {
        let name = |branch: Branch| Target { ref_name: repo.branch_ref(&branch), branch: Some(branch) };
        targets.extend(repo.branches()?.into_iter().map(|(branch, _)| name(branch)));
    }
    // The one that may stop comes last.
    targets.retain(|target| *target != own);
    let mut branches = Vec::new();
    for target in &targets {
        let followed = follow(workspace, &fetched.remote, target, how, request.dry_run, false)?;
        branches.extend(followed.filter(|branch| branch.how != PulledHow::NotThere));
    }
    branches.extend(follow(workspace, &fetched.remote, &own, how, request.dry_run, true)?);
    Ok(Pulled { fetched, branches })
}

/// Lets one branch follow; `may_stop`: where the sides disagree it stops there, to be settled.
fn follow(
    workspace: &Workspace,
    remote: &str,
    target: &Target,
    how: PullHow,
    dry_run: bool,
    may_stop: bool,
) -> Result<Option<PulledBranch>, OpError> {
    let repo = &workspace.repo;
    let Some(branch) = &target.branch else { return Err(OpError::Detached) };
    let tracking = format!("{}/remotes/{remote}/{branch}", workspace.settings().ref_prefix);
    let ours = repo.find_ref_id(&target.ref_name)?;
    let told = |how, to| {
        let branch = branch.to_string();
        Some(PulledBranch { branch, from: ours, to, how, brought: None, undo: None })
    };
    let Some(theirs) = repo.find_ref_id(&tracking)? else { return Ok(told(PulledHow::NotThere, ours)) };
    let moved = |how| -> Result<Option<PulledBranch>, OpError> {
        if !dry_run {
            let who = repo.committer()?;
            repo.move_ref(&target.ref_name, ours, theirs, &format!("trace pull {remote}"), &who)?;
        }
        let undo = match ours {
            Some(ours) => way_back(branch, ours),
            None => format!("git trace branch -D {branch}"),
        };
        Ok(told(how, Some(theirs)).map(|row| PulledBranch { undo: (!dry_run).then_some(undo), ..row }))
    };
    let Some(ours) = ours else { return moved(PulledHow::New) };
    if ours == theirs {
        return Ok(told(PulledHow::UpToDate, Some(ours)));
    }
    let bases = repo.merge_bases(ours, theirs)?;
    if bases == [theirs] {
        return Ok(told(PulledHow::Ahead, Some(ours)));
    }
    if bases == [ours] {
        return moved(PulledHow::FastForward);
    }
    let (our_commit, their_commit) = (repo.read_commit(&ours)?, repo.read_commit(&theirs)?);
    if is_same_merge(workspace, &our_commit, &their_commit)? {
        return moved(PulledHow::Adopted);
    }
    let brought = match how {
        PullHow::FastForwardOnly => return Ok(told(PulledHow::Apart, Some(ours))),
        PullHow::Rebase if !may_stop => return Ok(told(PulledHow::Apart, Some(ours))),
        PullHow::Rebase => rebase(workspace, &Rebase { upstream: Some(tracking), dry_run, ..Rebase::default() })?,
        PullHow::Merge => match merge(workspace, remote, target, (&our_commit, &their_commit), dry_run, may_stop)? {
            Some(brought) => brought,
            None => return Ok(told(PulledHow::Apart, Some(ours))),
        },
    };
    let done = match (brought.outcome, how) {
        (Outcome::Stopped | Outcome::Paused, _) => PulledHow::Stopped,
        (_, PullHow::Rebase) => PulledHow::Rebased,
        _ => PulledHow::Merged,
    };
    let (to, undo) = (brought.to, brought.undo.clone());
    let branch = branch.to_string();
    Ok(Some(PulledBranch { branch, from: Some(ours), to, how: done, brought: Some(brought), undo }))
}

fn way_back(branch: &Branch, commit: ObjectId) -> String {
    format!("git trace --branch {branch} reset --hard {}", commit.short(12))
}

/// Tells whether our newest commit is only a merge of what theirs has too, with the same outcome: nothing is lost with it.
fn is_same_merge(workspace: &Workspace, ours: &Commit, theirs: &Commit) -> Result<bool, OpError> {
    if ours.facts.operation != Operation::Merge || ours.tree != theirs.tree {
        return Ok(false);
    }
    let reached = workspace.repo.reached(theirs.id, &ours.parents)?;
    Ok(ours.parents.iter().all(|parent| reached.contains(parent)))
}

/// Merges the two so that every machine has the same first side; `None` where they disagree and that may not stop.
fn merge(
    workspace: &Workspace,
    remote: &str,
    target: &Target,
    (ours, theirs): (&Commit, &Commit),
    dry_run: bool,
    may_stop: bool,
) -> Result<Option<Brought>, OpError> {
    let branch = target.display_name();
    let message = format!("merge {remote}/{branch}");
    let sequence = |other: ObjectId, onto: Option<ObjectId>| {
        let step = Step { message: Some(message.clone()), ..Step::new(Action::Merge, other) };
        let mut sequence = Sequence::new(SequenceVerb::Merge, target, ours.id, vec![step]);
        sequence.onto = onto;
        sequence
    };
    let place = |commit: &Commit| (commit.committer.time.seconds(), commit.id);
    let natural = sequence(theirs.id, None);
    let chosen = if place(theirs) < place(ours) { sequence(ours.id, Some(theirs.id)) } else { natural.clone() };
    let ran = workspace.run(&chosen, dry_run)?;
    if ran.stopped.is_none() {
        return Brought::of(workspace, &chosen, ran, dry_run).map(Some);
    }
    // Whoever settles it knows which side is ours.
    if may_stop { workspace.bring(natural, dry_run).map(Some) } else { Ok(None) }
}
