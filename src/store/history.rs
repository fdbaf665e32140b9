//! Walks over the history of contexts.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};

use super::ancestry::{Horizon, Link, Links};
use super::object::{from_gix, to_gix};
use super::open::error_chain;
use super::{Repo, StoreError};
use crate::model::{Commit, ObjectId};

/// Says which part of history is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Walk<'a> {
    /// Where it begins.
    pub tips: &'a [ObjectId],
    /// Commits that are left out, with all that they can reach.
    pub hidden: &'a [ObjectId],
    /// Whether only the first parent of a merge is followed; what is hidden is hidden whole, as in git.
    pub first_parent: bool,
}

/// Yields commits in git's own order, newest first; see [`Repo::history`].
pub struct History<'r> {
    repo: &'r Repo,
    from: Source,
    broken: bool,
}

/// Says where the next commit comes from.
enum Source {
    /// Nothing is hidden: commits are read as they are asked for.
    Open { queue: BinaryHeap<Queued<Box<Commit>>>, seen: HashSet<ObjectId>, serial: u64, first_parent: bool },
    /// Some are hidden: which are left had to be found out first.
    Found(VecDeque<ObjectId>),
}

impl Repo {
    /// Walks over everything that the tips can reach and the hidden commits cannot, as `git rev-list` does.
    ///
    /// What is hidden is read as far back as it has to be: to commits that, by the commit-graph or by their dates, can no
    /// longer lead to one that is shown.
    ///
    /// # Errors
    /// When a tip or a hidden commit cannot be read.
    pub fn history(&self, tips: &[ObjectId], hidden: &[ObjectId]) -> Result<History<'_>, StoreError> {
        self.walk(Walk { tips, hidden, first_parent: false })
    }

    /// As [`Repo::history`], with all that can be asked for.
    ///
    /// # Errors
    /// When a tip or a hidden commit cannot be read.
    pub fn walk(&self, walk: Walk<'_>) -> Result<History<'_>, StoreError> {
        if !walk.hidden.is_empty() {
            let found = Limited::new(self, walk.first_parent).run(walk)?;
            return Ok(History { repo: self, from: Source::Found(found), broken: false });
        }
        let (queue, seen) = (BinaryHeap::new(), HashSet::new());
        let from = Source::Open { queue, seen, serial: 0, first_parent: walk.first_parent };
        let mut history = History { repo: self, from, broken: false };
        walk.tips.iter().try_for_each(|tip| history.push(*tip))?;
        Ok(history)
    }

    /// Lists what is wanted, newest first, be it commits of contexts or not.
    pub(super) fn listed(&self, walk: Walk<'_>) -> Result<Vec<ObjectId>, StoreError> {
        Ok(Limited::new(self, walk.first_parent).run(walk)?.into())
    }

    /// Counts what the tips can reach and the hidden commits cannot.
    ///
    /// # Errors
    /// When a commit cannot be read.
    pub fn count(&self, tips: &[ObjectId], hidden: &[ObjectId]) -> Result<usize, StoreError> {
        if tips.iter().all(|tip| hidden.contains(tip)) {
            return Ok(0);
        }
        Ok(Limited::new(self, false).run(Walk { tips, hidden, first_parent: false })?.len())
    }

    /// Lists what tips can reach and the hidden commits cannot, oldest first by date; `None` if there are more than `most`.
    /// Commits of any kind may be among them.
    ///
    /// # Errors
    /// When a commit is missing or cannot be read.
    pub fn new_commits(
        &self,
        tips: &[ObjectId],
        hidden: &[ObjectId],
        most: usize,
    ) -> Result<Option<Vec<ObjectId>>, StoreError> {
        let mut limited = Limited::new(self, false);
        limited.most = most;
        let found = limited.run(Walk { tips, hidden, first_parent: false })?;
        Ok((found.len() <= most).then(|| found.into_iter().rev().collect()))
    }

    /// Finds which of the wanted commits can be reached from a commit, itself included.
    ///
    /// # Errors
    /// When a commit cannot be read.
    pub fn reached(&self, from: ObjectId, wanted: &[ObjectId]) -> Result<HashSet<ObjectId>, StoreError> {
        Links::of(self).reached(from, wanted)
    }

    /// Finds from which of these commits the sought one can be reached.
    ///
    /// # Errors
    /// When a commit cannot be read.
    pub fn containing(&self, tips: &[ObjectId], sought: ObjectId) -> Result<HashSet<ObjectId>, StoreError> {
        Links::of(self).containing(tips, sought)
    }

    /// Finds the best common ancestors of two commits, as `git merge-base --all` does.
    ///
    /// # Errors
    /// When a commit cannot be read.
    pub fn merge_bases(&self, one: ObjectId, other: ObjectId) -> Result<Vec<ObjectId>, StoreError> {
        let find = || self.git.merge_bases_many(to_gix(&one), &[to_gix(&other)]);
        // Housekeeping of others may move objects while they are read: the second time, gix looks at the packs anew.
        let found = find().or_else(|_| find());
        let found = found.map_err(|error| StoreError::Object { id: one, reason: error_chain(&error).join(": ") })?;
        Ok(found.into_iter().map(|id| from_gix(&id)).collect())
    }
}

impl History<'_> {
    fn push(&mut self, id: ObjectId) -> Result<(), StoreError> {
        let Source::Open { queue, seen, serial, .. } = &mut self.from else { return Ok(()) };
        if seen.insert(id) {
            let commit = Box::new(self.repo.read_commit(&id)?);
            *serial += 1;
            queue.push(Queued { seconds: commit.committer.time.seconds(), serial: *serial, what: commit });
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<Option<Commit>, StoreError> {
        let (queue, first_parent) = match &mut self.from {
            Source::Open { queue, first_parent, .. } => (queue, *first_parent),
            Source::Found(found) => return found.pop_front().map(|id| self.repo.read_commit(&id)).transpose(),
        };
        let Some(Queued { what: commit, .. }) = queue.pop() else { return Ok(None) };
        let followed = if first_parent { 1 } else { usize::MAX };
        for parent in commit.parents.iter().take(followed) {
            self.push(*parent)?;
        }
        Ok(Some(*commit))
    }
}

impl Iterator for History<'_> {
    type Item = Result<Commit, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken {
            return None;
        }
        let next = self.advance();
        self.broken = next.is_err();
        next.transpose()
    }
}

/// Finds out what is left of history when some of it is hidden, as git's `limit_list` does.
struct Limited<'r> {
    links: Links<'r>,
    nodes: HashMap<ObjectId, Node>,
    queue: BinaryHeap<Queued<ObjectId>>,
    first_parent: bool,
    /// Commits in the queue that are not hidden.
    open: usize,
    /// Commits in the queue that the commit-graph does not know.
    ungraphed: usize,
    /// Commits that were met and are not hidden.
    shown: usize,
    /// Commits to look at before the generations in the queue are compared again.
    patience: usize,
    /// Commits that are not hidden, beyond which it gives up.
    most: usize,
}

struct Node {
    link: Link,
    hidden: bool,
    waits: bool,
}

impl<'r> Limited<'r> {
    fn new(repo: &'r Repo, first_parent: bool) -> Self {
        let (nodes, queue) = (HashMap::new(), BinaryHeap::new());
        let links = Links::of(repo);
        Limited { links, nodes, queue, first_parent, open: 0, ungraphed: 0, shown: 0, patience: 0, most: usize::MAX }
    }

    fn run(mut self, walk: Walk<'_>) -> Result<VecDeque<ObjectId>, StoreError> {
        for id in walk.hidden {
            self.add(*id, true)?;
        }
        for id in walk.tips {
            self.add(*id, false)?;
        }
        let mut found = VecDeque::new();
        let (mut oldest, mut lowest) = (i64::MAX, u32::MAX);
        let mut horizon = Horizon::default();
        while let Some(Queued { what: id, .. }) = self.queue.pop() {
            let node = self.nodes.get_mut(&id).expect("what waits is known");
            node.waits = false;
            let (hidden, link) = (node.hidden, node.link.clone());
            self.ungraphed -= usize::from(link.generation.is_none());
            let followed = if self.first_parent && !hidden { 1 } else { usize::MAX };
            for parent in link.parents.iter().take(followed) {
                self.add(*parent, hidden)?;
            }
            if !hidden {
                self.open -= 1;
                self.shown += 1;
                oldest = oldest.min(link.seconds);
                lowest = lowest.min(link.generation.unwrap_or(u32::MAX));
                found.push_back(id);
                horizon = Horizon::default();
                if self.shown > self.most {
                    break;
                }
            } else if self.open == 0 && (self.shown == 0 || self.is_past(lowest)) {
                break;
            } else if self.open > 0 {
                horizon = Horizon::default();
            } else if horizon.is_behind(link.seconds, oldest) {
                break;
            }
        }
        found.retain(|id| !self.nodes[id].hidden);
        Ok(found)
    }

    /// Tells whether nothing that waits can lead to a commit of this generation or above.
    fn is_past(&mut self, lowest: u32) -> bool {
        if self.ungraphed > 0 {
            return false;
        }
        if self.patience > 0 {
            self.patience -= 1;
            return false;
        }
        // Comparing costs as much as the queue is long: it is done again only after as many steps.
        self.patience = self.queue.len();
        self.queue.iter().all(|queued| self.nodes[&queued.what].link.generation.is_some_and(|own| own <= lowest))
    }

    /// Takes note of a commit, and hides it with all that is known to be below it.
    fn add(&mut self, id: ObjectId, hidden: bool) -> Result<(), StoreError> {
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            let Some(node) = self.nodes.get_mut(&id) else {
                let link = self.links.read(&id)?;
                self.open += usize::from(!hidden);
                self.ungraphed += usize::from(link.generation.is_none());
                self.queue.push(Queued { seconds: link.seconds, serial: self.nodes.len() as u64, what: id });
                self.nodes.insert(id, Node { link, hidden, waits: true });
                continue;
            };
            if hidden && !node.hidden {
                node.hidden = true;
                match node.waits {
                    // Its parents' turn comes with its own.
                    true => self.open -= 1,
                    false => {
                        self.shown -= 1;
                        stack.extend(&node.link.parents);
                    }
                }
            }
        }
        Ok(())
    }
}

/// A commit that waits for its turn: the youngest is first, among equals the one that came first.
struct Queued<T> {
    seconds: i64,
    serial: u64,
    what: T,
}

impl<T> Ord for Queued<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.seconds.cmp(&other.seconds).then(other.serial.cmp(&self.serial))
    }
}

impl<T> PartialOrd for Queued<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Queued<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Queued<T> {}
