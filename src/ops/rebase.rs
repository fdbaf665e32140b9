//! `rebase`: does the commits of a branch again on top of another one.

use std::collections::{HashMap, HashSet};

use super::brought::Brought;
use super::rebase_plan::parse_plan;
use super::sequence::{Action, Options, Place, Preference, Sequence, SequenceVerb, Step};
use super::{OpError, Target, Workspace};
use crate::model::{Branch, Commit, ObjectId};
use crate::store::Head;

/// Asks for a branch to be rebased.
#[derive(Debug, Clone, Default)]
pub struct Rebase {
    /// What to leave out: the commits that this revision has; the branch's remote-tracking ref if `None`.
    pub upstream: Option<String>,
    /// Where to put them; `upstream` if `None`.
    pub onto: Option<String>,
    /// The branch, on which HEAD is afterwards; HEAD's if `None`.
    pub branch: Option<String>,
    /// Whether merge commits are made again as merge commits; else only what they brought in is.
    pub keep_merges: bool,
    /// Which side is right where the two disagree; without it the rebase stops there.
    pub prefer: Option<Preference>,
    /// Whether the branch goes: its commits are put on the upstream branch, which moves forward.
    pub drop_branch: bool,
    /// What to do with each commit, as [`super::rebase_plan`] writes it; `None`: all are picked.
    pub plan: Option<String>,
    /// Whether tool calls may be parted from their results.
    pub force: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Does the commits of a branch again on top of another commit. Entries keep their ids, pins and facts.
///
/// Tags go on naming the old commits, as in git.
///
/// # Errors
/// When a revision names nothing, the plan cannot be carried out, a tool call would stand without its result or the reverse,
/// or another command waits.
pub fn rebase(workspace: &Workspace, request: &Rebase) -> Result<Brought, OpError> {
    workspace.check_nothing_stopped()?;
    let Prepared { target, start, onto, commits, ends_on, drop_branch } = Prepared::of(workspace, request)?;
    let mut left_out = Vec::new();
    let steps: Vec<Step> = match &request.plan {
        Some(plan) if !commits.is_empty() => {
            let (steps, gone) = parse_plan(workspace, plan, &commits)?;
            left_out = gone;
            steps
        }
        _ => commits.iter().map(|commit| Step::new(Action::Pick, commit.id)).collect(),
    };
    if steps.iter().any(|step| step.pauses) {
        let head = match workspace.repo.head()? {
            Head::Branch(branch) => Some(branch),
            Head::Detached(_) => None,
        };
        // With `--branch`, what the user does next would not go to HEAD.
        if workspace.target()?.branch != head {
            return Err(OpError::PauseElsewhere);
        }
    }
    let mut sequence = Sequence::new(SequenceVerb::Rebase, &target, start, steps);
    sequence.onto = Some(onto);
    sequence.ends_on = ends_on;
    sequence.drop_branch = drop_branch;
    sequence.options = Options {
        prefer: request.prefer.clone(),
        keep_merges: request.keep_merges,
        force: request.force,
        ..Options::default()
    };
    let brought = workspace.bring(sequence, request.dry_run)?;
    Ok(Brought { left_out, ..brought })
}

/// Holds what a rebase is about.
pub(super) struct Prepared {
    /// The branch that moves.
    target: Target,
    /// Where it is now.
    start: ObjectId,
    pub(super) onto: ObjectId,
    /// The commits to do again, oldest first.
    pub(super) commits: Vec<Commit>,
    ends_on: Option<Place>,
    drop_branch: Option<(String, ObjectId)>,
}

impl Prepared {
    pub(super) fn of(workspace: &Workspace, request: &Rebase) -> Result<Self, OpError> {
        let repo = &workspace.repo;
        let head = repo.head()?;
        let own = match &request.branch {
            Some(name) => branch_target(workspace, name)?,
            None => workspace.target()?,
        };
        let own_tip = repo.find_ref_id(&own.ref_name)?.ok_or_else(|| own.no_commits())?;
        let upstream_name = match &request.upstream {
            Some(name) => name.clone(),
            None => tracking(workspace, &own)?,
        };
        let upstream = workspace.commit(Some(&upstream_name))?.id;
        let commits = commits_to_do(workspace, own_tip, upstream, request.keep_merges)?;
        let is_on =
            |target: &Target| matches!((&head, &target.branch), (Head::Branch(one), Some(other)) if one == other);
        let place = |target: &Target| target.branch.as_ref().map(|branch| Place::Branch(branch.to_string()));
        if !request.drop_branch {
            let onto = request.onto.as_deref().map(|onto| workspace.commit(Some(onto))).transpose()?;
            let ends_on = if request.branch.is_some() && !is_on(&own) { place(&own) } else { None };
            let onto = onto.map_or(upstream, |commit| commit.id);
            return Ok(Prepared { target: own, start: own_tip, onto, commits, ends_on, drop_branch: None });
        }
        let target = branch_target(workspace, &upstream_name)?;
        let Some(branch) = own.branch.as_ref().map(ToString::to_string) else {
            return Err(OpError::Detached);
        };
        if target == own {
            return Err(OpError::SameBranch { branch });
        }
        let ends_on = if is_on(&own) { place(&target) } else { None };
        let drop_branch = Some((branch, own_tip));
        Ok(Prepared { target, start: upstream, onto: upstream, commits, ends_on, drop_branch })
    }
}

/// Finds a branch that exists.
fn branch_target(workspace: &Workspace, name: &str) -> Result<Target, OpError> {
    let repo = &workspace.repo;
    let head = repo.head()?;
    let agent = match &head {
        Head::Branch(branch) => branch.agent().to_owned(),
        Head::Detached(_) => Branch::default().agent().to_owned(),
    };
    if let Ok(branch) = Branch::parse(name, &agent) {
        let ref_name = repo.branch_ref(&branch);
        if repo.find_ref_id(&ref_name)?.is_some() {
            return Ok(Target { ref_name, branch: Some(branch) });
        }
    }
    let commit = workspace.commit(Some(name))?.id.to_string();
    Err(OpError::NotABranch { revision: name.to_owned(), commit })
}

/// Finds the remote-tracking ref of a branch; `origin`'s where there are several.
fn tracking(workspace: &Workspace, own: &Target) -> Result<String, OpError> {
    let none = || OpError::NoUpstream { branch: own.display_name() };
    let branch = own.branch.as_ref().ok_or_else(none)?;
    let prefix = format!("{}/remotes/", workspace.settings().ref_prefix);
    let is_its = |name: &str| {
        let rest = name.strip_prefix(&prefix).and_then(|rest| rest.split_once('/'));
        rest.filter(|(_, rest)| *rest == branch.to_string()).map(|(remote, _)| remote == "origin")
    };
    let refs = workspace.repo.list_refs(&prefix)?.into_iter();
    let mut found: Vec<(bool, String)> = refs.filter_map(|(name, _)| Some((is_its(&name)?, name))).collect();
    found.sort_by_key(|(is_origin, _)| !is_origin);
    match found.as_slice() {
        [(_, only)] | [(true, only), ..] => Ok(only.clone()),
        _ => Err(none()),
    }
}

/// Lists the commits of a branch that another does not have, a parent always before its children.
pub(super) fn commits_to_do(
    workspace: &Workspace,
    tip: ObjectId,
    upstream: ObjectId,
    keep_merges: bool,
) -> Result<Vec<Commit>, OpError> {
    if tip == upstream {
        return Ok(Vec::new());
    }
    let commits: Vec<Commit> = workspace.repo.history(&[tip], &[upstream])?.collect::<Result<_, _>>()?;
    let mut commits = oldest_first(commits);
    commits.retain(|commit| keep_merges || commit.parents.len() < 2);
    Ok(commits)
}

/// Turns a history around. Clocks may be wrong: a parent is never behind its child, whatever they say.
fn oldest_first(newest_first: Vec<Commit>) -> Vec<Commit> {
    let place: HashMap<ObjectId, usize> = newest_first.iter().enumerate().map(|(at, commit)| (commit.id, at)).collect();
    let mut order = Vec::with_capacity(newest_first.len());
    let mut seen = HashSet::new();
    for at in (0..newest_first.len()).rev() {
        let mut stack = vec![(at, false)];
        while let Some((at, parents_done)) = stack.pop() {
            if parents_done {
                order.push(at);
            } else if seen.insert(at) {
                stack.push((at, true));
                let parents = newest_first[at].parents.iter().rev();
                stack.extend(parents.filter_map(|parent| place.get(parent)).map(|at| (*at, false)));
            }
        }
    }
    let mut commits: Vec<Option<Commit>> = newest_first.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| commits[at].take()).collect()
}
