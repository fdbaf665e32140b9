//! `diff`: what differs between two contexts, entry by entry.

use std::collections::HashMap;

use super::{OpError, RevisionRange, Workspace};
use crate::model::{Commit, Entry, EntryId, Item};

/// Holds the difference between two contexts.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The commit that is compared.
    pub from: Commit,
    /// The commit that it is compared with.
    pub to: Commit,
    /// What changed, in the order of the newer context; what left comes where it stood.
    pub changes: Vec<EntryChange>,
}

/// Says what became of one entry.
#[derive(Debug, Clone)]
pub enum EntryChange {
    /// It is only in the newer context.
    Added(Item),
    /// It is only in the older context.
    Removed(Item),
    /// It is in both, and not the same.
    Changed {
        /// As it was.
        old: Box<Item>,
        /// As it is.
        new: Box<Item>,
    },
}

impl Difference {
    /// Returns the change in size, in tokens.
    pub fn tokens(&self) -> i64 {
        let total = |commit: &Commit| i64::try_from(commit.facts.total).unwrap_or(i64::MAX);
        total(&self.to) - total(&self.from)
    }
}

/// Compares two revisions; only the parts of their trees that differ are read.
///
/// Where only `from` is given, it may be `A..B`, or `A...B`: what B changed since the two parted.
///
/// # Errors
/// When a revision names nothing, or an object cannot be read; when A and B have nothing in common.
pub fn diff(workspace: &Workspace, from: &str, to: Option<&str>) -> Result<Difference, OpError> {
    let repo = &workspace.repo;
    let (from, to) = match (RevisionRange::parse(from), to) {
        (RevisionRange::Between { from, to }, None) => (workspace.commit(Some(&from))?, workspace.commit(Some(&to))?),
        (RevisionRange::Symmetric { left, right }, None) => {
            let (one, other) = (workspace.resolve(&left)?, workspace.commit(Some(&right))?);
            let base = repo.merge_bases(one, other.id)?.into_iter().next();
            let base = base.ok_or(OpError::NoMergeBase { left, right })?;
            (repo.read_commit(&base)?, other)
        }
        _ => (workspace.commit(Some(from))?, workspace.commit(to)?),
    };
    let (old, new) = repo.read_differing_entries(&from, &to)?;
    let item = |entry: &Entry| Ok::<_, OpError>(Item { entry: entry.clone(), body: repo.read_blob(&entry.body)? });
    let known: HashMap<EntryId, &Entry> = old.iter().map(|entry| (entry.id, entry)).collect();
    let kept: HashMap<EntryId, ()> = new.iter().map(|entry| (entry.id, ())).collect();
    let mut gone = old.iter().filter(|entry| !kept.contains_key(&entry.id)).peekable();
    let mut changes = Vec::new();
    for entry in &new {
        while let Some(removed) = gone.next_if(|removed| removed.position <= entry.position) {
            changes.push(EntryChange::Removed(item(removed)?));
        }
        match known.get(&entry.id) {
            None => changes.push(EntryChange::Added(item(entry)?)),
            Some(old) if *old != entry => {
                changes.push(EntryChange::Changed { old: Box::new(item(old)?), new: Box::new(item(entry)?) });
            }
            Some(_) => {}
        }
    }
    for removed in gone {
        changes.push(EntryChange::Removed(item(removed)?));
    }
    Ok(Difference { from, to, changes })
}
