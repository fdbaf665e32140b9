//! Who descends from whom: commits as dates and parents, from git's commit-graph where there is one.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet};

use gix::commitgraph::Graph;

use super::object::from_gix;
use super::{Repo, StoreError};
use crate::model::ObjectId;

/// Commits that are looked at beyond the one that, by its date, should be the last: clocks go wrong. git itself looks
/// at five (`SLOP` in its revision.c).
pub(super) const SLOP: usize = 256;

/// From this number on, a generation of the commit-graph says no more (`GENERATION_NUMBER_V1_MAX` in git's commit.h).
const GENERATION_MAX: u32 = 0x3fff_ffff;

/// Holds what a walk has to know of a commit.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) parents: Vec<ObjectId>,
    /// When it was made, in seconds.
    pub(super) seconds: i64,
    /// One more than the highest of its parents', if the commit-graph knows it: an ancestor's is always lower.
    pub(super) generation: Option<u32>,
}

/// Reads links.
pub(super) struct Links<'r> {
    repo: &'r Repo,
    graph: Option<Graph>,
}

impl<'r> Links<'r> {
    /// Opens the commit-graph, if there is one that may be used: where history is cut, it tells of too much.
    pub(super) fn of(repo: &'r Repo) -> Self {
        let graph = if repo.shallow.is_empty() { repo.git.commit_graph_if_enabled().ok().flatten() } else { None };
        Links { repo, graph }
    }

    pub(super) fn read(&self, id: &ObjectId) -> Result<Link, StoreError> {
        match self.graph.as_ref().and_then(|graph| from_graph(graph, id)) {
            Some(link) => Ok(link),
            None => self.repo.read_link(id),
        }
    }

    /// Finds which of the wanted commits can be reached from a commit, itself included.
    pub(super) fn reached(&self, from: ObjectId, wanted: &[ObjectId]) -> Result<HashSet<ObjectId>, StoreError> {
        let mut missing: HashMap<ObjectId, Link> = HashMap::new();
        for id in wanted {
            missing.insert(*id, self.read(id)?);
        }
        let floor = |missing: &HashMap<ObjectId, Link>| {
            let oldest = missing.values().map(|link| link.seconds).min().unwrap_or(i64::MAX);
            let lowest = missing.values().map(|link| link.generation.unwrap_or(u32::MAX)).min();
            (oldest, lowest.unwrap_or(u32::MAX))
        };
        let (mut oldest, mut lowest) = floor(&missing);
        let mut found = HashSet::new();
        let first = self.read(&from)?;
        let mut queue = BinaryHeap::from([(first.seconds, Reverse(from))]);
        let mut seen = HashMap::from([(from, first)]);
        let mut horizon = Horizon::default();
        while let Some((seconds, Reverse(id))) = queue.pop() {
            if missing.remove(&id).is_some() {
                found.insert(id);
                (oldest, lowest) = floor(&missing);
            }
            if missing.is_empty() || horizon.is_behind(seconds, oldest) {
                break;
            }
            let link = &seen[&id];
            // A commit whose generation is not above theirs leads to none of them.
            let parents =
                if link.generation.is_some_and(|own| own <= lowest) { Vec::new() } else { link.parents.clone() };
            for parent in parents {
                if let Entry::Vacant(free) = seen.entry(parent) {
                    let link = self.read(&parent)?;
                    queue.push((link.seconds, Reverse(parent)));
                    free.insert(link);
                }
            }
        }
        Ok(found)
    }

    /// Finds the commits without a parent that can be reached from a commit.
    pub(super) fn roots(&self, tip: ObjectId) -> Result<Vec<ObjectId>, StoreError> {
        let (mut seen, mut stack, mut roots) = (HashSet::from([tip]), vec![tip], Vec::new());
        while let Some(id) = stack.pop() {
            let link = self.read(&id)?;
            if link.parents.is_empty() {
                roots.push(id);
            }
            stack.extend(link.parents.into_iter().filter(|parent| seen.insert(*parent)));
        }
        Ok(roots)
    }

    /// Tells of each of these commits whether the sought one can be reached from it.
    pub(super) fn containing(&self, tips: &[ObjectId], sought: ObjectId) -> Result<HashSet<ObjectId>, StoreError> {
        let lowest = self.read(&sought)?.generation;
        let mut known = HashMap::from([(sought, true)]);
        for tip in tips {
            let mut path: Vec<(ObjectId, Vec<ObjectId>)> = Vec::new();
            let enter = |id: ObjectId, known: &mut HashMap<ObjectId, bool>| {
                let link = self.read(&id)?;
                known.insert(id, false);
                let below = link.generation.zip(lowest).is_some_and(|(own, lowest)| own <= lowest);
                Ok::<_, StoreError>((id, if below { Vec::new() } else { link.parents }))
            };
            if !known.contains_key(tip) {
                path.push(enter(*tip, &mut known)?);
            }
            while let Some((id, parents)) = path.last_mut() {
                let id = *id;
                match parents.pop() {
                    Some(parent) => match known.get(&parent) {
                        Some(true) => {
                            known.insert(id, true);
                        }
                        Some(false) => {}
                        None => path.push(enter(parent, &mut known)?),
                    },
                    None => {
                        path.pop();
                        if known[&id]
                            && let Some((child, _)) = path.last()
                        {
                            known.insert(*child, true);
                        }
                    }
                }
            }
        }
        Ok(tips.iter().copied().filter(|tip| known[tip]).collect())
    }
}

/// Notices when a walk, newest first, has gone far enough behind a moment.
#[derive(Debug, Default)]
pub(super) struct Horizon {
    behind: usize,
}

impl Horizon {
    /// Takes note of the next commit; tells whether [`SLOP`] of them in a row were older than the moment.
    pub(super) fn is_behind(&mut self, seconds: i64, moment: i64) -> bool {
        self.behind = if seconds < moment { self.behind + 1 } else { 0 };
        self.behind > SLOP
    }
}

fn from_graph(graph: &Graph, id: &ObjectId) -> Option<Link> {
    let commit = graph.commit_by_id(super::object::to_gix(id))?;
    let parents: Result<Vec<_>, _> = commit.iter_parents().collect();
    let parents = parents.ok()?.into_iter().map(|parent| from_gix(graph.id_at(parent))).collect();
    let generation = Some(commit.generation()).filter(|known| (1..GENERATION_MAX).contains(known));
    Some(Link { parents, seconds: i64::try_from(commit.committer_timestamp()).ok()?, generation })
}
