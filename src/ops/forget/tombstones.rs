//! What is forgotten here: the tombstones, and which branches and sessions they cover.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::codec::Tombstone;
use crate::model::{Branch, ObjectId};
use crate::ops::{OpError, Workspace};
use crate::store::StoreError;

/// All tombstones of a repository. Where there are none, finding that out is one look at a folder.
#[derive(Debug, Default)]
pub(crate) struct Tombstones {
    /// By branch, with their refs.
    by_branch: BTreeMap<Branch, Vec<(String, Tombstone)>>,
    /// Which branch a session that nobody is to bring back was on.
    sessions: HashMap<String, Branch>,
}

impl Tombstones {
    /// Reads them. What is none, or makes no sense, is left out with a warning: it may have come from anywhere.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self, OpError> {
        let mut found = Tombstones::default();
        for (name, id) in workspace.repo.tombstone_refs()? {
            match workspace.repo.read_tombstone(&name, &id) {
                Ok(tombstone) => {
                    let sessions = tombstone.sessions.iter().cloned();
                    found.sessions.extend(sessions.map(|session| (session, tombstone.branch.clone())));
                    found.by_branch.entry(tombstone.branch.clone()).or_default().push((name, tombstone));
                }
                Err(error) => workspace.warn(format!("'{name}' is ignored: {error}")),
            }
        }
        Ok(found)
    }

    /// Tells whether nothing is forgotten.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_branch.is_empty()
    }

    /// Returns the branch with which a session was forgotten.
    pub(crate) fn branch_of_session(&self, session: &str) -> Option<&Branch> {
        self.sessions.get(session)
    }

    /// Lists the tombstones of a branch, with their refs.
    pub(crate) fn of_branch(&self, branch: &Branch) -> &[(String, Tombstone)] {
        self.by_branch.get(branch).map_or(&[], Vec::as_slice)
    }

    /// Lists all tombstones, with their refs.
    pub(crate) fn all(&self) -> impl Iterator<Item = &(String, Tombstone)> {
        self.by_branch.values().flatten()
    }

    /// Returns the ref of the tombstone that covers a branch at this commit: one of the same name whose beginnings are in
    /// its history. A branch that is behind what was forgotten, or ahead of it, is covered too.
    pub(crate) fn covers(&self, workspace: &Workspace, branch: &Branch, tip: ObjectId) -> Option<&str> {
        let of_name = self.of_branch(branch).iter();
        of_name
            .map(|(name, tombstone)| (name, is_of(workspace, tombstone, tip)))
            .find(|(_, is_of)| *is_of)
            .map(|found| found.0.as_str())
    }

    /// Returns the ref of the tombstone that covers a tag: it names the tag, or the tag is of the branch's agent; the
    /// commit is of the branch's history, and on no branch that stays.
    pub(super) fn covers_tag(
        &self,
        workspace: &Workspace,
        tag: &Branch,
        commit: ObjectId,
        staying: &[ObjectId],
    ) -> Option<&str> {
        let mut about = self.all().filter(|(_, one)| one.branch.agent() == tag.agent() || one.tags.contains(tag));
        let (name, _) = about.find(|(_, tombstone)| is_of(workspace, tombstone, commit))?;
        let stays = workspace.repo.containing(staying, commit).is_ok_and(|holding| !holding.is_empty());
        (!stays).then_some(name)
    }
}

/// Tells whether a commit descends from where a forgotten branch began, or from where it ended: a shallow clone does not
/// know the former. A history that cannot be read is nobody's.
fn is_of(workspace: &Workspace, tombstone: &Tombstone, tip: ObjectId) -> bool {
    if tip == tombstone.tip {
        return true;
    }
    let mut named = tombstone.roots.iter().chain([&tombstone.tip]);
    named.any(|id| match workspace.repo.containing(&[tip], *id) {
        Ok(found) => !found.is_empty(),
        // Where it is not here, nothing here descends from it.
        Err(StoreError::Missing { .. }) => false,
        Err(error) => {
            workspace.warn(format!("cannot tell whether {} is forgotten: {error}", tip.short(12)));
            false
        }
    })
}

/// Returns the branch with which a session was forgotten, if it was.
///
/// # Errors
/// When the refs cannot be read.
pub(crate) fn forgotten_session(workspace: &Workspace, session: &str) -> Result<Option<Branch>, OpError> {
    Ok(Tombstones::read(workspace)?.branch_of_session(session).cloned())
}

/// Collects the sessions that have a part in commits.
pub(super) fn sessions_in(
    workspace: &Workspace,
    tip: ObjectId,
    hidden: &[ObjectId],
) -> Result<HashSet<String>, OpError> {
    let mut found = HashSet::new();
    for commit in workspace.repo.history(&[tip], hidden)? {
        found.extend(commit?.facts.session);
    }
    Ok(found)
}
