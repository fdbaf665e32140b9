//! The session that a forked one goes on from.

use std::collections::HashSet;

use super::memory::owner;
use super::name::agent_name;
use crate::capture::Agent;
use crate::model::{Branch, EntryId, TouchKind};
use crate::ops::{OpError, Workspace};

/// Knows what a forked session copied from its parent, so that its branch starts there and nothing counts twice.
#[derive(Debug)]
pub(super) struct Parent {
    /// The agent on whose branches the parent is.
    pub(super) agent: String,
    /// The last entry that both have.
    pub(super) last: Option<EntryId>,
    entries: HashSet<EntryId>,
    has_parted: bool,
}

impl Parent {
    /// Finds the branches of a session; `None` if it was not imported.
    pub(super) fn find(workspace: &Workspace, format: Agent, session: &str) -> Result<Option<Self>, OpError> {
        let repo = &workspace.repo;
        let agent = agent_name(format, session, None);
        if owner(workspace, &agent, None)?.as_deref() != Some(&format!("{format}:{session}")) {
            return Ok(None);
        }
        let mut entries = HashSet::new();
        for (_, tip) in repo.branches()?.into_iter().filter(|(branch, _): &(Branch, _)| branch.agent() == agent) {
            for commit in repo.history(&[tip], &[])? {
                let added = commit?.facts.entries.into_iter().filter(|touch| touch.kind == TouchKind::Added);
                entries.extend(added.map(|touch| touch.id));
            }
        }
        Ok(Some(Parent { agent, last: None, entries, has_parted: false }))
    }

    /// Tells whether an entry is the parent's, as long as all before it were.
    pub(super) fn has(&mut self, id: EntryId) -> bool {
        self.has_parted |= !self.entries.contains(&id);
        if !self.has_parted {
            self.last = Some(id);
        }
        !self.has_parted
    }
}
