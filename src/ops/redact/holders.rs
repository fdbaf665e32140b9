//! What still has it, and is not made anew.

use std::collections::{BTreeMap, HashSet};

use super::cut::Cut;
use super::history::History;
use super::outcome::RedactOutcome;
use crate::codec::decode_message;
use crate::model::{ObjectId, Operation};
use crate::ops::{OpError, Workspace};

/// Most places at which it is asked who else holds the old commits.
const FRONTIER_MAX: usize = 20;

/// Most files that are read of what is no context: a work tree may be large.
const FILES_MAX: usize = 20_000;

/// Folders in folders are walked so deep.
const DEPTH: usize = 64;

/// Finds what still holds commits as they were.
pub(super) fn find(
    workspace: &Workspace,
    moved: &BTreeMap<String, ObjectId>,
    history: &History<'_>,
) -> Result<Vec<String>, OpError> {
    let repo = &workspace.repo;
    let all = repo.list_refs(&format!("{}/", repo.settings().ref_prefix))?;
    let prefix = format!("{}/", repo.settings().ref_prefix);
    let is_context = |name: &str| {
        ["heads/", "tags/", "remotes/", "remote-tags/", "aside/"]
            .iter()
            .any(|kind| name[prefix.len()..].starts_with(kind))
    };
    let others: Vec<(String, ObjectId)> =
        all.into_iter().filter(|(name, _)| is_context(name) && !moved.contains_key(name)).collect();
    let tips: Vec<ObjectId> = others.iter().map(|(_, id)| *id).collect();
    // Whoever holds one of the others holds one of these.
    let is_first = |old: &ObjectId| {
        let parents = repo.read_raw_commit(old).map(|commit| commit.parents).unwrap_or_default();
        !parents.iter().any(|parent| history.renamed(parent).is_some())
    };
    let first = history.changed.iter().map(|(old, _)| *old).filter(is_first).take(FRONTIER_MAX);
    let mut holding = HashSet::new();
    for old in first {
        holding.extend(repo.containing(&tips, old).unwrap_or_default());
    }
    let held = others.into_iter().filter(|(_, id)| holding.contains(id));
    Ok(held.map(|(name, _)| name[prefix.len()..].to_owned()).collect())
}

/// Looks through what is no context: work trees of agents, and indexes that others wrote.
pub(super) fn look_elsewhere(workspace: &Workspace, cut: &Cut<'_>, told: &mut RedactOutcome) -> Result<(), OpError> {
    let repo = &workspace.repo;
    let prefix = format!("{}/", repo.settings().ref_prefix);
    let own = crate::ops::link::written_ref(workspace);
    let mut looking = Looking { workspace, cut, seen: HashSet::new(), left: FILES_MAX };
    for kind in ["snapshots/", "meta/", "remote-meta/"] {
        for (name, tip) in repo.list_refs(&format!("{prefix}{kind}"))? {
            if own.as_ref() == Some(&name) {
                continue;
            }
            let shown = name[prefix.len()..].to_owned();
            match looking.history(tip, kind == "snapshots/") {
                Some(true) => told.held_by.push(shown),
                Some(false) => {}
                None => told.not_read.push(shown),
            }
        }
    }
    Ok(())
}

/// Names what holds commits that were to be dropped.
pub(super) fn still(workspace: &Workspace, held: &[ObjectId], told: &mut RedactOutcome) -> Result<(), OpError> {
    let repo = &workspace.repo;
    let prefix = format!("{}/", repo.settings().ref_prefix);
    for name in repo.refs_holding(&held[..held.len().min(FRONTIER_MAX)])? {
        let shown = name.strip_prefix(&prefix).unwrap_or(&name).to_owned();
        if !told.held_by.contains(&shown) {
            told.held_by.push(shown);
        }
    }
    Ok(())
}

struct Looking<'w> {
    workspace: &'w Workspace,
    cut: &'w Cut<'w>,
    seen: HashSet<ObjectId>,
    left: usize,
}

impl Looking<'_> {
    /// Tells whether it is in the files of some commits; `None` if they are too many, or cannot be read.
    fn history(&mut self, tip: ObjectId, only_snapshots: bool) -> Option<bool> {
        for id in self.workspace.repo.reachable(&[tip]).ok()? {
            let raw = self.workspace.repo.read_raw_commit(&id).ok()?;
            let is_snapshot =
                || decode_message(&raw.message).is_ok_and(|(_, _, facts)| facts.operation == Operation::Snapshot);
            if (!only_snapshots || is_snapshot()) && self.tree(raw.tree, 0)? {
                return Some(true);
            }
        }
        Some(false)
    }

    fn tree(&mut self, tree: ObjectId, depth: usize) -> Option<bool> {
        if depth > DEPTH {
            return None;
        }
        if !self.seen.insert(tree) {
            return Some(false);
        }
        for (is_tree, id) in self.workspace.repo.read_any_tree(&tree).ok()? {
            let found = match is_tree {
                true => self.tree(id, depth + 1)?,
                false if !self.seen.insert(id) => false,
                false => {
                    self.left = self.left.checked_sub(1)?;
                    self.cut.is_in(&self.workspace.repo.read_blob(&id).ok()?)
                }
            };
            if found {
                return Some(true);
            }
        }
        Some(false)
    }
}
