//! The list of branches: one commit is read of each.

use std::collections::HashSet;

use serde::Serialize;

use super::{OpError, Workspace};
use crate::model::{Branch, Commit, ObjectId};
use crate::store::{Head, StoreError, matches_glob};

/// Asks which branches there are.
#[derive(Debug, Clone, Default)]
pub struct ListBranches {
    /// Shell patterns of which the name, with or without its agent, has to match one; all branches if there is none.
    pub patterns: Vec<String>,
    /// Only branches of this agent.
    pub agent: Option<String>,
    /// Which branches are wanted.
    pub scope: Scope,
    /// Only branches that this revision can reach (`true`), or that it cannot.
    pub merged: Option<(String, bool)>,
    /// Only branches that can reach this revision.
    pub contains: Option<String>,
    /// The order.
    pub sort: BranchOrder,
    /// Whether the order is turned round.
    pub reverse: bool,
}

/// Says whose branches are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scope {
    /// Those of this repository.
    #[default]
    Own,
    /// Those of remotes, as they were last fetched.
    Remote,
    /// Both.
    All,
}

/// Says in which order branches are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BranchOrder {
    /// By name.
    #[default]
    Name,
    /// Newest first.
    Age,
    /// Largest first.
    Tokens,
}

/// Holds a branch as it stands.
#[derive(Debug, Clone)]
pub struct ListedBranch {
    /// Its name: `<agent>/<branch>`, or `<remote>/<agent>/<branch>`.
    pub name: String,
    /// Its full ref.
    pub ref_name: String,
    /// Whose context it is.
    pub agent: String,
    /// Whether it is a remote's.
    pub is_remote: bool,
    /// Whether HEAD is on it.
    pub is_head: bool,
    /// Other worktrees that are on it.
    pub worktrees: Vec<String>,
    /// Its newest commit; what cannot be read says why instead.
    pub tip: Result<Commit, String>,
    /// The id of that commit.
    pub commit: ObjectId,
    /// The branch that it follows.
    pub upstream: Option<Upstream>,
}

/// Says how a branch stands to the one that it follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upstream {
    /// The branch of the remote, in short where that is possible.
    pub name: String,
    /// Whether it is configured, but not there.
    pub gone: bool,
    /// Commits that the branch has and its upstream has not.
    pub ahead: usize,
    /// Commits that its upstream has and the branch has not.
    pub behind: usize,
}

/// Holds what a list of branches says.
#[derive(Debug, Clone)]
pub struct Branches {
    /// Where a detached HEAD is.
    pub detached: Option<ObjectId>,
    /// The branches, in the order that was asked for.
    pub branches: Vec<ListedBranch>,
}

/// Lists branches.
///
/// # Errors
/// When a revision names nothing, or the refs cannot be read.
pub fn branches(workspace: &Workspace, request: &ListBranches) -> Result<Branches, OpError> {
    let repo = &workspace.repo;
    let worktrees = repo.worktree_heads()?;
    let mut found: Vec<ListedBranch> = Vec::new();
    if request.scope != Scope::Remote {
        for (branch, commit) in repo.branches()? {
            if !is_wanted(request, &branch, None) {
                continue;
            }
            let on: Vec<_> = worktrees.iter().filter(|worktree| worktree.is_on(&branch)).collect();
            let others = on.iter().filter(|worktree| !worktree.is_current);
            found.push(ListedBranch {
                name: branch.to_string(),
                ref_name: repo.branch_ref(&branch),
                agent: branch.agent().to_owned(),
                is_remote: false,
                is_head: on.iter().any(|worktree| worktree.is_current),
                worktrees: others.map(|worktree| worktree.path.display().to_string()).collect(),
                tip: Err(String::new()),
                commit,
                upstream: None,
            });
        }
    }
    if request.scope != Scope::Own {
        for (name, commit) in repo.remote_branches()? {
            let Some(branch) = name.split_once('/').and_then(|(_, branch)| Branch::parse(branch, "").ok()) else {
                continue;
            };
            if is_wanted(request, &branch, Some(&name)) {
                found.push(ListedBranch {
                    ref_name: format!("{}/remotes/{name}", repo.settings().ref_prefix),
                    name,
                    agent: branch.agent().to_owned(),
                    is_remote: true,
                    is_head: false,
                    worktrees: Vec::new(),
                    tip: Err(String::new()),
                    commit,
                    upstream: None,
                });
            }
        }
    }
    keep_related(workspace, request, &mut found)?;
    for listed in &mut found {
        listed.tip = repo.read_commit(&listed.commit).map_err(|error| error.to_string());
        if !listed.is_remote {
            listed.upstream = upstream(workspace, listed)?;
        }
    }
    sort(request, &mut found);
    let detached = match repo.head()? {
        Head::Detached(id) if request.scope != Scope::Remote && request.patterns.is_empty() => Some(id),
        _ => None,
    };
    Ok(Branches { detached, branches: found })
}

fn is_wanted(request: &ListBranches, branch: &Branch, full: Option<&str>) -> bool {
    let name = branch.to_string();
    let names = [full.unwrap_or(&name), branch.name()];
    request.agent.as_deref().is_none_or(|agent| agent == branch.agent())
        && (request.patterns.is_empty()
            || request.patterns.iter().any(|pattern| names.iter().any(|name| matches_glob(pattern, name))))
}

/// Keeps what is merged into, or contains, what was asked for.
fn keep_related(workspace: &Workspace, request: &ListBranches, found: &mut Vec<ListedBranch>) -> Result<(), OpError> {
    let repo = &workspace.repo;
    let tips: Vec<ObjectId> = found.iter().map(|listed| listed.commit).collect();
    if let Some((revision, wanted)) = &request.merged {
        let merged: HashSet<ObjectId> = repo.reached(workspace.resolve(revision)?, &tips)?;
        found.retain(|listed| merged.contains(&listed.commit) == *wanted);
    }
    if let Some(revision) = &request.contains {
        let tips: Vec<ObjectId> = found.iter().map(|listed| listed.commit).collect();
        let containing = repo.containing(&tips, workspace.resolve(revision)?)?;
        found.retain(|listed| containing.contains(&listed.commit));
    }
    Ok(())
}

fn upstream(workspace: &Workspace, listed: &ListedBranch) -> Result<Option<Upstream>, OpError> {
    let repo = &workspace.repo;
    let branch = Branch::parse(&listed.name, &listed.agent)?;
    let (ref_name, id) = match repo.upstream(&branch) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(None),
        // One bad line of the configuration hides no branch.
        Err(StoreError::Config { value, .. }) => (value, None),
        Err(error) => return Err(error.into()),
    };
    let prefix = format!("{}/remotes/", repo.settings().ref_prefix);
    let name = ref_name.strip_prefix(&prefix).unwrap_or(&ref_name).to_owned();
    let Some(id) = id else { return Ok(Some(Upstream { name, gone: true, ahead: 0, behind: 0 })) };
    let ahead = repo.count(&[listed.commit], &[id])?;
    let behind = repo.count(&[id], &[listed.commit])?;
    Ok(Some(Upstream { name, gone: false, ahead, behind }))
}

fn sort(request: &ListBranches, found: &mut [ListedBranch]) {
    let seconds = |listed: &ListedBranch| listed.tip.as_ref().map_or(i64::MIN, |tip| tip.committer.time.seconds());
    let tokens = |listed: &ListedBranch| listed.tip.as_ref().map_or(0, |tip| tip.facts.total);
    // Own branches come before those of remotes; what is equal is in the order of names.
    found.sort_by(|one, other| (one.is_remote, &one.name).cmp(&(other.is_remote, &other.name)));
    match request.sort {
        BranchOrder::Name => {}
        BranchOrder::Age => found.sort_by_key(|listed| std::cmp::Reverse(seconds(listed))),
        BranchOrder::Tokens => found.sort_by_key(|listed| std::cmp::Reverse(tokens(listed))),
    }
    if request.reverse {
        found.reverse();
    }
}
