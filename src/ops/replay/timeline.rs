//! Where entries came in, so that a branch can start behind any of them.

use std::collections::HashMap;

use super::super::{OpError, Workspace};
use crate::model::{EntryId, ObjectId, Operation, TouchKind};

/// Remembers where entries came in, so that a branch can start behind any of them.
#[derive(Default)]
pub(super) struct Timeline {
    /// For each branch: its newest commit right before each step that brought an entry.
    pub(super) before: HashMap<String, Vec<Option<ObjectId>>>,
    /// For each entry: the branch that it came in on, and the number of that step.
    pub(super) brought: HashMap<EntryId, (String, usize)>,
    /// Whether the commits that were there before this replay are in it.
    pub(super) has_past: bool,
}

impl Timeline {
    pub(super) fn note(&mut self, branch: &str, id: EntryId, tip: Option<ObjectId>) {
        let before = self.before.entry(branch.to_owned()).or_default();
        self.brought.entry(id).or_insert_with(|| (branch.to_owned(), before.len()));
        before.push(tip);
    }

    /// Puts the commits that were there before this replay in front.
    pub(super) fn read_past(&mut self, workspace: &Workspace, agent: &str) -> Result<(), OpError> {
        self.has_past = true;
        let repo = &workspace.repo;
        let mut past = Timeline::default();
        for (branch, tip) in repo.branches()?.into_iter().filter(|(branch, _)| branch.agent() == agent) {
            let mut commits = repo.history(&[tip], &[])?.collect::<Result<Vec<_>, _>>()?;
            commits.reverse();
            for commit in commits {
                let brings = matches!(
                    commit.facts.operation,
                    Operation::Append | Operation::Spawn | Operation::Collapse | Operation::Compress
                );
                let added = commit.facts.entries.iter().find(|touch| touch.kind == TouchKind::Added);
                if let (true, Some(added)) = (brings, added) {
                    past.note(branch.name(), added.id, commit.parents.first().copied());
                }
            }
        }
        for (branch, before) in std::mem::take(&mut self.before) {
            let known = past.before.entry(branch.clone()).or_default();
            let shift = known.len();
            known.extend(before);
            for (id, (at, nth)) in &self.brought {
                if *at == branch {
                    past.brought.entry(*id).or_insert_with(|| (branch.clone(), nth + shift));
                }
            }
        }
        past.has_past = true;
        *self = past;
        Ok(())
    }
}
