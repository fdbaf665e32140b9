//! `sessions`: which sessions of agents there are, and what became of them.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{SessionRecord, SessionState};
use crate::model::{Branch, Commit, ObjectId, Time};
use crate::ops::link::commits_by_session;
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
    let mut tips: Vec<(Branch, Commit)> = Vec::new();
    for (branch, id) in repo.branches()? {
        // One broken branch hides no other.
        tips.extend(repo.read_commit(&id).ok().map(|tip| (branch, tip)));
    }
    let mut of_agent: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (branch, tip) in &tips {
        of_agent.entry(branch.agent()).or_default().extend(tip.facts.session.as_deref());
    }
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    for (branch, tip) in &tips {
        let others = of_agent.get(branch.agent());
        // Where a person has put something on top, the agent's other branches tell whose it is.
        let known = tip.facts.session.as_deref().or_else(|| others?.first().copied());
        let Some(session) = known else { continue };
        let group = groups.entry(session).or_default();
        // A subagent's name goes on after that of its parent, whose session it shares.
        let shares = |parent: &str| of_agent.get(parent).is_some_and(|sessions| sessions.contains(session));
        match parents(branch.agent()).any(shares) {
            true => drop(group.subagents.insert(branch.agent())),
            false => group.branches.push((branch, tip)),
        }
    }
    let records = workspace.session_records();
    let of_session: BTreeMap<String, &SessionRecord> = records.iter().map(|record| (record.name(), record)).collect();
    let mut found = Vec::new();
    for (session, group) in &groups {
        let record = of_session.get(*session).copied();
        let current = record.and_then(|record| record.branch.as_deref());
        let newest = group.branches.iter().max_by_key(|(_, tip)| tip.committer.time);
        let chosen = group.branches.iter().find(|(branch, _)| Some(branch.to_string().as_str()) == current).or(newest);
        let Some((branch, tip)) = chosen else { continue };
        found.push(ListedSession {
            session: (*session).to_owned(),
            state: record.map(|record| record.state),
            last_event: record.map(|record| format!("{} {}", record.last_event.name, record.last_event.at)),
            model: record.and_then(|record| record.model.clone()),
            branches: group.branches.len() - 1,
            subagents: group.subagents.len(),
            newest: tip.committer.time,
            cost: None,
            code_commits: Vec::new(),
            branch: (*branch).clone(),
            tip: (*tip).clone(),
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
    let commits = commits_by_session(workspace)?;
    for one in &mut found {
        one.code_commits = commits.get(&one.session).into_iter().flatten().copied().collect();
    }
    if request.cost {
        for one in &mut found {
            one.cost = Some(cost(workspace, Some(&one.tip.id.to_string()))?);
        }
    }
    Ok(Sessions { sessions: found, more })
}

/// Holds the branches of one session.
#[derive(Default)]
struct Group<'a> {
    branches: Vec<(&'a Branch, &'a Commit)>,
    subagents: BTreeSet<&'a str>,
}

/// Returns the names whose subagent's name this could be.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('-').map(|(at, _)| &name[..at])
}
