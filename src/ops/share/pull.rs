//! `pull`: brings what a remote has, and then what its branches did into ours.

use super::ShareError;
use super::fetch::{Fetch, Fetched, fetch_for};
use super::rewritten::{Rewritten, rewritten};
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
    /// Whether contexts that began apart may be merged.
    pub unrelated: bool,
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
    /// Why it could not follow, if it could not.
    pub reason: Option<String>,
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
    /// The remote's was rewritten, and ours had nothing more: theirs was taken.
    Replaced,
    /// It could not follow.
    Failed,
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
    if own.branch.is_none() {
        return Err(ShareError::NoBranch.into());
    }
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
        let followed = Follow { workspace, remote: &fetched.remote, target, how, request, may_stop: false }.run();
        match followed {
            Ok(row) => branches.extend(row.filter(|row| row.how != PulledHow::NotThere)),
            // What one branch cannot do hinders no other.
            Err(error) => branches.push(PulledBranch::failed(target, &error)),
        }
    }
    let followed = Follow { workspace, remote: &fetched.remote, target: &own, how, request, may_stop: true }.run();
    match followed {
        Ok(row) => branches.extend(row),
        Err(error) if branches.is_empty() => return Err(error),
        Err(error) => branches.push(PulledBranch::failed(&own, &error)),
    }
    Ok(Pulled { fetched, branches })
}

impl PulledBranch {
    fn failed(target: &Target, error: &OpError) -> Self {
        let branch = target.display_name();
        let reason = Some(error.to_string());
        PulledBranch { branch, from: None, to: None, how: PulledHow::Failed, brought: None, undo: None, reason }
    }
}

/// One branch that is to follow.
struct Follow<'a> {
    workspace: &'a Workspace,
    remote: &'a str,
    target: &'a Target,
    how: PullHow,
    request: &'a Pull,
    /// Whether it may stop where the sides disagree, to be settled.
    may_stop: bool,
}

impl Follow<'_> {
    fn run(&self) -> Result<Option<PulledBranch>, OpError> {
        let repo = &self.workspace.repo;
        let Some(branch) = &self.target.branch else { return Err(ShareError::NoBranch.into()) };
        let tracking = format!("{}/remotes/{}/{branch}", self.workspace.settings().ref_prefix, self.remote);
        let ours = repo.find_ref_id(&self.target.ref_name)?;
        let told = |how, to| {
            let branch = branch.to_string();
            Ok(Some(PulledBranch { branch, from: ours, to, how, brought: None, undo: None, reason: None }))
        };
        let Some(theirs) = repo.find_ref_id(&tracking)? else { return told(PulledHow::NotThere, ours) };
        let Some(ours) = ours else { return self.moved(PulledHow::New, None, theirs) };
        if ours == theirs {
            return told(PulledHow::UpToDate, Some(ours));
        }
        let bases = repo.merge_bases(ours, theirs)?;
        if bases == [theirs] {
            return told(PulledHow::Ahead, Some(ours));
        }
        if bases == [ours] {
            return self.moved(PulledHow::FastForward, Some(ours), theirs);
        }
        let since = match rewritten(self.workspace, &tracking, ours, theirs)? {
            Rewritten::Whole => return self.moved(PulledHow::Replaced, Some(ours), theirs),
            Rewritten::Since(id) => Some(id.to_string()),
            Rewritten::No => None,
        };
        let (our_commit, their_commit) = (repo.read_commit(&ours)?, repo.read_commit(&theirs)?);
        if is_same_merge(self.workspace, &our_commit, &their_commit)? {
            return self.moved(PulledHow::Adopted, Some(ours), theirs);
        }
        // What was taken out there would come back with a merge.
        let rebases = self.how == PullHow::Rebase || since.is_some();
        if self.how == PullHow::FastForwardOnly || (rebases && !self.may_stop) {
            return told(PulledHow::Apart, Some(ours));
        }
        let brought = if rebases {
            let (upstream, onto) = match since {
                Some(since) => (Some(since), Some(tracking)),
                None => (Some(tracking), None),
            };
            let dry_run = self.request.dry_run;
            rebase(self.workspace, &Rebase { upstream, onto, dry_run, ..Rebase::default() })?
        } else {
            match self.merge(&our_commit, &their_commit)? {
                Some(brought) => brought,
                None => return told(PulledHow::Apart, Some(ours)),
            }
        };
        let how = match brought.outcome {
            Outcome::Stopped | Outcome::Paused => PulledHow::Stopped,
            _ if rebases => PulledHow::Rebased,
            _ => PulledHow::Merged,
        };
        let (to, undo, branch) = (brought.to, brought.undo.clone(), branch.to_string());
        Ok(Some(PulledBranch { branch, from: Some(ours), to, how, brought: Some(brought), undo, reason: None }))
    }

    /// Moves the branch to what the remote has.
    fn moved(&self, how: PulledHow, ours: Option<ObjectId>, theirs: ObjectId) -> Result<Option<PulledBranch>, OpError> {
        let repo = &self.workspace.repo;
        let branch = self.target.display_name();
        let dry_run = self.request.dry_run;
        if !dry_run {
            let line = format!("trace pull {}", self.remote);
            repo.move_ref(&self.target.ref_name, ours, theirs, &line, &repo.committer()?)?;
        }
        let undo = match ours {
            Some(ours) => format!("git trace --branch {branch} reset --hard {}", ours.short(12)),
            None => format!("git update-ref -d {} {theirs}", self.target.ref_name),
        };
        let undo = (!dry_run).then_some(undo);
        Ok(Some(PulledBranch { branch, from: ours, to: Some(theirs), how, brought: None, undo, reason: None }))
    }

    /// Merges the two so that every machine has the same first side; `None` where they disagree and that may not stop.
    fn merge(&self, ours: &Commit, theirs: &Commit) -> Result<Option<Brought>, OpError> {
        let Follow { workspace, target, .. } = self;
        let message = format!("merge {}/{}", self.remote, target.display_name());
        let sequence = |other: ObjectId, onto: Option<ObjectId>| {
            let step = Step { message: Some(message.clone()), ..Step::new(Action::Merge, other) };
            let mut sequence = Sequence::new(SequenceVerb::Merge, target, ours.id, vec![step]);
            sequence.onto = onto;
            sequence.options.unrelated = self.request.unrelated;
            sequence
        };
        let place = |commit: &Commit| (commit.committer.time.seconds(), commit.id);
        let natural = sequence(theirs.id, None);
        let is_swapped = place(theirs) < place(ours);
        let chosen = if is_swapped { sequence(ours.id, Some(theirs.id)) } else { natural.clone() };
        let ran = workspace.run(&chosen, self.request.dry_run)?;
        if ran.stopped.is_none() {
            return Brought::of(workspace, &chosen, ran, self.request.dry_run).map(Some);
        }
        // Whoever settles it knows which side is ours.
        if self.may_stop { workspace.bring(natural, self.request.dry_run).map(Some) } else { Ok(None) }
    }
}

/// Tells whether our newest commit is only a merge of what theirs has too, with the same outcome: nothing is lost with it.
fn is_same_merge(workspace: &Workspace, ours: &Commit, theirs: &Commit) -> Result<bool, OpError> {
    if ours.facts.operation != Operation::Merge || ours.tree != theirs.tree {
        return Ok(false);
    }
    let reached = workspace.repo.reached(theirs.id, &ours.parents)?;
    Ok(ours.parents.iter().all(|parent| reached.contains(parent)))
}
