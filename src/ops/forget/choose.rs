//! Which branches are meant by a name, and all that goes with them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::tombstones::{Tombstones, sessions_in};
use crate::codec::Tombstone;
use crate::model::{Branch, ObjectId};
use crate::ops::{OpError, Workspace};
use crate::store::StoreError;

/// A branch that is to be forgotten, or was before.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) branch: Branch,
    /// What it names; `None` if it is gone.
    pub(super) tip: Option<ObjectId>,
    /// What is known of it, of the branch itself or of what a remote has.
    pub(super) tombstone: Tombstone,
}

/// All that is to be forgotten.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) chosen: Vec<Chosen>,
    /// Tags that are on no branch that stays.
    pub(super) tags: Vec<(Branch, ObjectId)>,
    /// Branches that stay.
    pub(super) staying: Vec<(Branch, ObjectId)>,
}

/// A branch with its newest commit, and the session that this commit names.
type Known = (Branch, ObjectId, Option<String>);

impl Choice {
    /// Finds what names mean.
    pub(super) fn new(workspace: &Workspace, names: &[String], tombstones: &Tombstones) -> Result<Self, OpError> {
        let repo = &workspace.repo;
        let mut known: Vec<Known> = Vec::new();
        for (branch, tip) in repo.branches()? {
            let session = repo.read_commit(&tip).ok().and_then(|commit| commit.facts.session);
            known.push((branch, tip, session));
        }
        let mut wanted: BTreeMap<Branch, Option<ObjectId>> = BTreeMap::new();
        let mut gone: BTreeMap<Branch, Tombstone> = BTreeMap::new();
        for name in names {
            let found = named(workspace, name, &known)?;
            if !found.is_empty() {
                wanted.extend(found.into_iter().map(|(branch, tip)| (branch, Some(tip))));
                continue;
            }
            let before = forgotten_before(workspace, name, tombstones)?;
            if before.is_empty() {
                return Err(StoreError::NoBranch { branch: name.clone() }.into());
            }
            for tombstone in before {
                wanted.entry(tombstone.branch.clone()).or_insert(None);
                gone.insert(tombstone.branch.clone(), tombstone);
            }
        }
        let staying: Vec<(Branch, ObjectId)> = known
            .iter()
            .filter(|(branch, ..)| !wanted.contains_key(branch))
            .map(|(b, tip, _)| (b.clone(), *tip))
            .collect();
        let kept: Vec<ObjectId> = staying.iter().map(|(_, tip)| *tip).collect();
        let staying_sessions: HashSet<&String> = known
            .iter()
            .filter(|(branch, ..)| !wanted.contains_key(branch))
            .filter_map(|(_, _, s)| s.as_ref())
            .collect();
        let mut choice = Choice { chosen: Vec::new(), tags: Vec::new(), staying };
        let tips: Vec<ObjectId> = wanted.values().flatten().copied().collect();
        choice.find_tags(workspace, &tips, &kept)?;
        for (branch, tip) in wanted {
            let Some(tip) = tip else {
                let tombstone = gone.remove(&branch).expect("what has no tip has a tombstone");
                choice.chosen.push(Chosen { branch, tip: None, tombstone });
                continue;
            };
            let mut tombstone = Tombstone::new(branch.clone(), repo.roots(tip)?, tip);
            let mut sessions: BTreeSet<String> = sessions_in(workspace, &[tip], &kept)?.into_iter().collect();
            let own = known.iter().find(|(one, ..)| *one == branch).and_then(|(_, _, session)| session.clone());
            sessions.extend(own);
            // What goes on under the same agent goes on with its sessions, whoever made the newest commit there.
            let of_agent: Vec<ObjectId> =
                choice.staying.iter().filter(|(one, _)| one.agent() == branch.agent()).map(|(_, tip)| *tip).collect();
            let going_on = if sessions.is_empty() { HashSet::new() } else { sessions_in(workspace, &of_agent, &[])? };
            sessions.retain(|session| !staying_sessions.contains(session) && !going_on.contains(session));
            tombstone.sessions = sessions.into_iter().collect();
            let commits: Vec<ObjectId> = choice.tags.iter().map(|(_, id)| *id).collect();
            let reached = repo.reached(tip, &commits)?;
            tombstone.tags =
                choice.tags.iter().filter(|(_, id)| reached.contains(id)).map(|(tag, _)| tag.clone()).collect();
            choice.chosen.push(Chosen { branch, tip: Some(tip), tombstone });
        }
        Ok(choice)
    }

    /// Finds the tags that are on what goes, and on nothing that stays.
    fn find_tags(&mut self, workspace: &Workspace, tips: &[ObjectId], kept: &[ObjectId]) -> Result<(), OpError> {
        let repo = &workspace.repo;
        let tags = repo.tags()?;
        let commits: Vec<ObjectId> = tags.iter().map(|(_, id)| *id).collect();
        let mut reached: HashSet<ObjectId> = HashSet::new();
        for tip in tips {
            reached.extend(repo.reached(*tip, &commits)?);
        }
        for (tag, id) in tags {
            if reached.contains(&id) && repo.containing(kept, id)?.is_empty() {
                self.tags.push((tag, id));
            }
        }
        Ok(())
    }

    /// Returns the agents of which no branch stays.
    pub(super) fn agents(&self) -> BTreeSet<&str> {
        let all = self.chosen.iter().map(|one| one.branch.agent());
        all.filter(|agent| !self.staying.iter().any(|(branch, _)| branch.agent() == *agent)).collect()
    }

    /// Returns the sessions that nobody is to bring back.
    pub(super) fn sessions(&self) -> BTreeSet<&str> {
        self.chosen.iter().flat_map(|one| &one.tombstone.sessions).map(String::as_str).collect()
    }
}

/// Finds the branches that a name means: a session's, the one of that name, or all of an agent's and its subagents'.
fn named(workspace: &Workspace, name: &str, known: &[Known]) -> Result<Vec<(Branch, ObjectId)>, OpError> {
    let plain = |known: &Known| (known.0.clone(), known.1);
    if let Some((_, id)) = name.split_once(':')
        && !id.is_empty()
    {
        return Ok(known.iter().filter(|one| is_of_session(one, name, known)).map(plain).collect());
    }
    let agent = workspace.head()?.agent();
    if let Ok(branch) = Branch::parse(name, &agent)
        && let Some(found) = known.iter().find(|one| one.0 == branch)
    {
        return Ok(vec![plain(found)]);
    }
    if name.contains('/') {
        return Ok(Vec::new());
    }
    let sessions: BTreeSet<&String> =
        known.iter().filter(|one| one.0.agent() == name).filter_map(|one| one.2.as_ref()).collect();
    let is_below = |agent: &str| agent.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
    let is_its = |one: &&Known| {
        one.0.agent() == name || (is_below(one.0.agent()) && one.2.as_ref().is_some_and(|own| sessions.contains(own)))
    };
    Ok(known.iter().filter(is_its).map(plain).collect())
}

/// Tells whether a branch is a session's: its newest commit says so, or says nothing and no other session is at home with
/// its agent.
fn is_of_session(one: &Known, session: &str, known: &[Known]) -> bool {
    match &one.2 {
        Some(own) => own == session,
        None => {
            let others: BTreeSet<&String> = known
                .iter()
                .filter(|other| other.0.agent() == one.0.agent())
                .filter_map(|other| other.2.as_ref())
                .collect();
            others.len() == 1 && others.iter().all(|other| *other == session)
        }
    }
}

/// Finds the tombstones that a name means.
pub(super) fn forgotten_before(
    workspace: &Workspace,
    name: &str,
    tombstones: &Tombstones,
) -> Result<Vec<Tombstone>, OpError> {
    let agent = workspace.head()?.agent();
    let branch = Branch::parse(name, &agent).ok();
    let all = || tombstones.all().map(|known| &known.tombstone);
    let means = |one: &&Tombstone| {
        Some(&one.branch) == branch.as_ref() || one.sessions.iter().any(|session| session == name) || one.key() == name
    };
    let found: Vec<Tombstone> = all().filter(means).cloned().collect();
    let of_agent = || all().filter(|one| one.branch.agent() == name).cloned().collect();
    Ok(if found.is_empty() { of_agent() } else { found })
}
