//! Where history keeps what was compressed.

use std::collections::HashMap;

use super::super::{OpError, Workspace};
use crate::model::{Commit, Entry, EntryId, ObjectId, Operation, Touch, TouchKind};

/// The field of a restored entry's touch that names the commit which is taken back.
pub(in crate::ops) const UNDOES: &str = "undoes";

/// Holds a compression of one entry.
#[derive(Debug, Clone)]
pub(in crate::ops) struct Compression {
    /// The commit that made it.
    pub(in crate::ops) commit: Commit,
    /// The commit before, whose context holds the originals.
    pub(in crate::ops) parent: Commit,
    /// The originals in order: what a summary stands for, or the one entry with stubs as it was.
    pub(in crate::ops) originals: Vec<Entry>,
    /// Whether it is a summary, and no entry with stubs in it.
    pub(in crate::ops) is_summary: bool,
}

impl Compression {
    /// Finds the newest compression of an entry in the history of a commit.
    pub(in crate::ops) fn find(workspace: &Workspace, tip: ObjectId, entry: &Entry) -> Result<Self, OpError> {
        let repo = &workspace.repo;
        let known = repo.read_meta(entry)?.is_some_and(|meta| meta.replaces.is_some());
        let lost = |reason: String| OpError::NoOriginals { id: entry.id.to_string(), reason };
        let not_found = || match known {
            true => lost("no commit of it compressed the entry".to_owned()),
            false => OpError::NotCompressed { id: entry.id.to_string() },
        };
        let mut history = repo.history(&[tip], &[])?;
        while let Some(commit) = history.next().transpose()? {
            let Some(touch) = commit.facts.entries.iter().find(|touch| touch.id == entry.id) else { continue };
            match (&commit.facts.operation, touch.kind) {
                (Operation::Compress, TouchKind::Added | TouchKind::Changed) => {
                    let is_summary = touch.kind == TouchKind::Added;
                    let Some(parent) = commit.parents.first() else {
                        return Err(lost(format!("the commit before '{}' is not here", commit.id.short(12))));
                    };
                    let parent = repo.read_commit(parent)?;
                    let wanted = match is_summary {
                        true => replaced_by(&commit, entry.id),
                        false => vec![entry.id],
                    };
                    let all = repo.read_entries(&parent)?;
                    let index: HashMap<EntryId, &Entry> = all.iter().map(|entry| (entry.id, entry)).collect();
                    let mut originals = Vec::with_capacity(wanted.len());
                    for id in &wanted {
                        let missing = || lost(format!("commit '{}' has no entry '{id}'", parent.id.short(12)));
                        originals.push((*index.get(id).ok_or_else(missing)?).clone());
                    }
                    originals.sort_by(|one, other| one.position.cmp(&other.position));
                    return Ok(Compression { commit, parent, originals, is_summary });
                }
                // What was put back is what it was before that compression.
                (Operation::Restore, TouchKind::Added | TouchKind::Changed) => {
                    let undone = touch.field(UNDOES).and_then(|id| id.parse::<ObjectId>().ok());
                    let Some(undone) = undone.filter(|undone| *undone != commit.id) else { return Err(not_found()) };
                    let before = repo.read_commit(&undone)?.parents;
                    history = repo.history(&before[..before.len().min(1)], &[])?;
                }
                // A merge or a replay may have brought it: then the compression is elsewhere in this history.
                (_, TouchKind::Added) if !known => return Err(not_found()),
                _ => {}
            }
        }
        Err(not_found())
    }
}

/// Returns the entries that a summary of a commit stands for, as the commit names them.
pub(in crate::ops) fn replaced_by(commit: &Commit, summary: EntryId) -> Vec<EntryId> {
    let touches = &commit.facts.entries;
    let by = |touch: &Touch| touch.field("by").is_some_and(|by| by == summary.as_str());
    // A commit that an import made has one summary, which stands for all that went.
    let lone = touches.iter().filter(|touch| touch.kind == TouchKind::Added).count() == 1
        && touches.iter().all(|touch| touch.field("by").is_none());
    let removed = touches.iter().filter(|touch| touch.kind == TouchKind::Removed);
    removed.filter(|touch| lone || by(touch)).map(|touch| touch.id).collect()
}
