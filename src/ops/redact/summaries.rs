//! Summaries of entries that go as a whole: they say what those said.

use std::collections::HashSet;

use crate::model::{EntryId, ObjectId, Operation, TouchKind};
use crate::ops::Workspace;
use crate::ops::compress::replaced_by;

/// Adds to some entries all that was made of them, and summaries of that; returns what was added. The commits are in
/// order, parents first.
pub(super) fn add(workspace: &Workspace, commits: &[ObjectId], entries: &mut HashSet<EntryId>) -> Vec<EntryId> {
    let mut added = Vec::new();
    if entries.is_empty() {
        return added;
    }
    loop {
        let before = added.len();
        for id in commits {
            let Ok(commit) = workspace.repo.read_commit(id) else { continue };
            if commit.facts.operation != Operation::Compress {
                continue;
            }
            for touch in commit.facts.entries.iter().filter(|touch| touch.kind == TouchKind::Added) {
                let is_of = replaced_by(&commit, touch.id).iter().any(|gone| entries.contains(gone));
                if is_of && entries.insert(touch.id) {
                    added.push(touch.id);
                }
            }
        }
        // Dates may be wrong, and a summary of a summary stand before it.
        if added.len() == before {
            return added;
        }
    }
}
