//! Commits in an order in which each comes right behind its first parent, as often as can be.

use std::collections::{HashMap, HashSet};

use super::objects::{Objects, Trouble};
use crate::model::ObjectId;

/// A commit, and its first parent.
pub(super) type Child = (ObjectId, Option<ObjectId>);

/// A commit that cannot be read, and why.
pub(super) type Broken = (ObjectId, Trouble);

/// Holds the commits that are to be checked.
#[derive(Default)]
pub(super) struct Forest {
    children: HashMap<ObjectId, Vec<ObjectId>>,
    roots: Vec<ObjectId>,
}

impl Forest {
    /// Arranges these commits.
    pub(super) fn of(commits: &[Child]) -> Self {
        let all: HashSet<ObjectId> = commits.iter().map(|(id, _)| *id).collect();
        let mut forest = Forest::default();
        for (id, parent) in commits {
            match parent.filter(|parent| all.contains(parent)) {
                Some(parent) => forest.children.entry(parent).or_default().push(*id),
                None => forest.roots.push(*id),
            }
        }
        forest
    }

    /// Returns all of them: parents first, the first child of each right behind it.
    pub(super) fn order(mut self) -> Vec<ObjectId> {
        let mut order = Vec::new();
        let mut stack = std::mem::take(&mut self.roots);
        stack.reverse();
        while let Some(id) = stack.pop() {
            order.push(id);
            stack.extend(self.children.remove(&id).into_iter().flatten());
        }
        order
    }
}

/// Finds everything that the tips reach: commits with their first parents, and what is wrong with those that cannot be
/// read.
pub(super) fn reach(objects: &mut Objects<'_>, tips: &[ObjectId]) -> Result<(Vec<Child>, Vec<Broken>), Trouble> {
    let (mut found, mut broken) = (Vec::new(), Vec::new());
    let mut seen: HashSet<ObjectId> = HashSet::new();
    let mut stack: Vec<ObjectId> = tips.iter().rev().copied().collect();
    while let Some(id) = stack.pop() {
        if !seen.insert(id) {
            continue;
        }
        match objects.commit(&id) {
            Ok((commit, _)) => {
                found.push((id, commit.parents.first().copied()));
                stack.extend(commit.parents);
            }
            Err(Trouble::Op(error)) => return Err(Trouble::Op(error)),
            Err(trouble) => broken.push((id, trouble)),
        }
    }
    Ok((found, broken))
}
