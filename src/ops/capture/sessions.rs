//! `sessions`: which sessions of agents there are, and what became of them.

use std::collections::BTreeMap;

use super::record::{SessionRecord, SessionState};
use crate::model::{Branch, Commit, ObjectId, Time};
use crate::ops::link::commits_by_agent;
use crate::ops::{Cost, OpError, Workspace, cost};

/// Asks for the sessions of a repository.
#[derive(Debug, Clone, Default)]
pub struct ListSessions {
    /// Only sessions of this agent, such as `claude`.
    pub agent: Option<String>,
    /// Only sessions that did not end.
    pub open: bool,
    /// Most sessions that are listed, newest first; all if `None`.
    pub most: Option<usize>,
    /// Whether what they cost is added up, which reads their whole history.
    pub cost: bool,
}

/// Lists sessions, the one with the newest entry first.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// The sessions.
    pub sessions: Vec<ListedSession>,
    /// How many more there are.
    pub more: usize,
}

/// Describes one session.
#[derive(Debug, Clone)]
pub struct ListedSession {
    /// The session, `<agent>:<id>`, as the commits of its context name it.
    pub session: String,
    /// The branch that its context goes to.
    pub branch: Branch,
    /// Its newest commit.
    pub tip: Commit,
    /// What it does; `None` where only its record was imported.
    pub state: Option<SessionState>,
    /// The newest event of its hooks.
    pub last_event: Option<String>,
    /// The model that spoke last.
    pub model: Option<String>,
    /// Further branches of its agent: rewinds and forks.
    pub branches: usize,
    /// Subagents that it started.
    pub subagents: usize,
    /// When its newest entry was said.
    pub newest: Time,
    /// What it cost, if that was asked for.
    pub cost: Option<Cost>,
    /// Commits of the code that it had a part in.
    pub code_commits: Vec<ObjectId>,
}

/// Lists the sessions whose contexts are in the repository.
///
/// # Errors
/// When the branches cannot be read.
pub fn sessions(workspace: &Workspace, request: &ListSessions) -> Result<Sessions, OpError> {
    let repo = &workspace.repo;
    let mut agents: BTreeMap<String, Vec<(Branch, Commit)>> = BTreeMap::new();
    for (branch, id) in repo.branches()? {
        // One broken branch hides no other.
        let Ok(tip) = repo.read_commit(&id) else { continue };
        if tip.facts.session.is_some() {
            agents.entry(branch.agent().to_owned()).or_default().push((branch, tip));
        }
    }
    let records = workspace.session_records();
    let of_branch: BTreeMap<&str, &SessionRecord> =
        records.iter().filter_map(|record| Some((record.branch.as_deref()?, record))).collect();
    // A subagent's name goes on after that of its parent, whose session it shares.
    let session_of = |name: &str| agents.get(name)?.first()?.1.facts.session.as_deref();
    let parent_of = |name: &str| {
        let is_parent = |parent: &&str| session_of(parent).is_some() && session_of(parent) == session_of(name);
        parents(name).find(is_parent).map(str::to_owned)
    };
    let mut children: BTreeMap<String, usize> = BTreeMap::new();
    for parent in agents.keys().filter_map(|name| parent_of(name)) {
        *children.entry(parent).or_default() += 1;
    }
    let mut found = Vec::new();
    for (name, branches) in &agents {
        if parent_of(name).is_some() {
            continue;
        }
        let record = branches.iter().find_map(|(branch, _)| of_branch.get(branch.to_string().as_str()).copied());
        let current = record.and_then(|record| record.branch.as_deref());
        let newest = branches.iter().max_by_key(|(_, tip)| tip.committer.time);
        let chosen = branches.iter().find(|(branch, _)| Some(branch.to_string().as_str()) == current).or(newest);
        let Some((branch, tip)) = chosen.cloned() else { continue };
        let session = tip.facts.session.clone().unwrap_or_default();
        found.push(ListedSession {
            session,
            state: record.map(|record| record.state),
            last_event: record.map(|record| format!("{} {}", record.last_event.name, record.last_event.at)),
            model: record.and_then(|record| record.model.clone()),
            branches: branches.len() - 1,
            subagents: children.get(name).copied().unwrap_or(0),
            newest: tip.committer.time,
            cost: None,
            code_commits: Vec::new(),
            branch,
            tip,
        });
    }
    let fits = |one: &ListedSession| {
        let agent = request.agent.as_deref();
        agent.is_none_or(|agent| one.session.split(':').next() == Some(agent))
            && (!request.open || one.state.is_some_and(|state| state != SessionState::Ended))
    };
    found.retain(fits);
    found.sort_by_key(|one| std::cmp::Reverse(one.newest));
    let most = request.most.unwrap_or(usize::MAX).min(found.len());
    let more = found.len() - most;
    found.truncate(most);
    let commits = commits_by_agent(workspace)?;
    for one in &mut found {
        one.code_commits = commits.get(one.branch.agent()).into_iter().flatten().copied().collect();
    }
    if request.cost {
        for one in &mut found {
            one.cost = Some(cost(workspace, Some(&one.tip.id.to_string()))?);
        }
    }
    Ok(Sessions { sessions: found, more })
}

/// Returns the names whose subagent's name this could be.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('-').map(|(at, _)| &name[..at])
}
