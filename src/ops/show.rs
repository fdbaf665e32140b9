//! `show`: one commit with the entries it touched, or one entry.

use super::find::{find_entry, say};
use super::{OpError, Workspace};
use crate::codec::Meta;
use crate::model::{Commit, EntryId, Item, Touch, TouchKind};
use crate::store::StoreError;

/// Holds what was asked for.
#[derive(Debug, Clone)]
pub enum Shown {
    /// A commit, and the entries it touched as they are in its context (`None`: they left it).
    Commit {
        /// The commit.
        commit: Box<Commit>,
        /// The entries.
        entries: Vec<(Touch, Option<Item>)>,
    },
    /// An entry of HEAD's context.
    Entry {
        /// The entry with its body.
        item: Box<Item>,
        /// Its metadata.
        meta: Option<Box<Meta>>,
    },
}

/// Shows a revision (`None`: HEAD), or an entry of HEAD's context by its id, the beginning of it, position or
/// place from the end.
///
/// `<revision>:<entry>` shows an entry as it was then.
///
/// # Errors
/// When the name is neither, or an object cannot be read.
pub fn show(workspace: &Workspace, name: Option<&str>) -> Result<Shown, OpError> {
    if let Some((revision, entry)) = name.and_then(|name| name.split_once(':')) {
        let revision = if revision.is_empty() { "HEAD" } else { revision };
        return show_entry(workspace, &workspace.commit(Some(revision))?, entry);
    }
    if let Some(name) = name.filter(|name| looks_like_entry(name)) {
        let tip = workspace.tip()?;
        match show_entry(workspace, &tip, name) {
            // It may be a revision after all, or an entry that left the context.
            Err(OpError::UnknownEntry { .. }) => {}
            shown => return shown,
        }
        return match workspace.commit(Some(name)) {
            Ok(commit) => show_commit(workspace, commit),
            Err(OpError::Store(StoreError::UnknownRevision { .. })) => show_entry(workspace, &tip, name),
            Err(error) => Err(error),
        };
    }
    match (workspace.commit(name), name) {
        // It may be the beginning of an id.
        (Err(unknown @ OpError::Store(StoreError::UnknownRevision { .. })), Some(name)) => {
            match workspace.tip().and_then(|tip| show_entry(workspace, &tip, name)) {
                Err(OpError::UnknownEntry { .. } | OpError::NoCommits { .. }) => Err(unknown),
                shown => shown,
            }
        }
        (commit, _) => show_commit(workspace, commit?),
    }
}

fn looks_like_entry(name: &str) -> bool {
    let place = name.strip_prefix('@').is_some_and(|place| place.parse::<u32>().is_ok());
    name.parse::<EntryId>().is_ok() || name.starts_with('#') || place
}

fn show_entry(workspace: &Workspace, commit: &Commit, name: &str) -> Result<Shown, OpError> {
    let repo = &workspace.repo;
    let exact = name.parse().ok().map(|id| repo.find_entry(commit, id)).transpose()?.flatten();
    let entry = match exact {
        Some(entry) => entry,
        None => find_entry(&repo.read_entries(commit)?, name, &|entry| say(workspace, entry))?.clone(),
    };
    let body = repo.read_blob(&entry.body)?;
    let meta = repo.read_meta(&entry)?;
    Ok(Shown::Entry { item: Box::new(Item { entry, body }), meta: meta.map(Box::new) })
}

fn show_commit(workspace: &Workspace, commit: Commit) -> Result<Shown, OpError> {
    let repo = &workspace.repo;
    let before = commit.parents.first().map(|parent| repo.read_commit(parent)).transpose()?;
    let mut entries = Vec::with_capacity(commit.facts.entries.len());
    for touch in &commit.facts.entries {
        // What left the context is shown as it was before.
        let at = if touch.kind == TouchKind::Removed { before.as_ref() } else { Some(&commit) };
        let entry = at.map(|at| repo.find_entry(at, touch.id)).transpose()?.flatten();
        let item = match entry {
            Some(entry) => Some(Item { body: repo.read_blob(&entry.body)?, entry }),
            None => None,
        };
        entries.push((touch.clone(), item));
    }
    Ok(Shown::Commit { commit: Box::new(commit), entries })
}
