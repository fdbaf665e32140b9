//! What is forgotten: the tombstones, and which branches, tags and sessions they cover.

use std::collections::{BTreeMap, HashSet};

use crate::codec::Tombstone;
use crate::model::{Branch, ObjectId};
use crate::ops::share::default_remote;
use crate::ops::{OpError, Workspace};
use crate::store::StoreError;

/// Says whose tombstone it is, and so what it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// This repository's: made here, or taken over because it covered something here.
    Ours,
    /// The default remote's. It covers all that is here, and says nothing of sessions before it covered something.
    Default,
    /// Another remote's, or a bundle's: it covers nothing but what that one has.
    Of(String),
}

/// A tombstone, and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// Its ref.
    pub(crate) ref_name: String,
    /// The commit.
    pub(crate) id: ObjectId,
    /// What it says.
    pub(crate) tombstone: Tombstone,
    /// Whose it is.
    pub(crate) whose: Whose,
}

impl Known {
    /// Tells whether it has a say about what is this repository's (`None`), or about what a remote has.
    fn concerns(&self, remote: Option<&str>) -> bool {
        match &self.whose {
            Whose::Ours | Whose::Default => true,
            Whose::Of(own) => remote == Some(own.as_str()),
        }
    }
}

/// All tombstones of a repository. Where there are none, finding that out is one look at two folders.
#[derive(Debug, Default)]
pub(crate) struct Tombstones {
    by_branch: BTreeMap<Branch, Vec<Known>>,
}

impl Tombstones {
    /// Reads them. What is none, or makes no sense, is left out with a warning: it may have come from anywhere.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self, OpError> {
        let repo = &workspace.repo;
        let mut found = Tombstones::default();
        let mut keys = HashSet::new();
        for (name, id) in repo.tombstone_refs()? {
            keys.insert(key_of(&name).to_owned());
            found.add(workspace, name, id, Whose::Ours);
        }
        let noted = repo.remote_tombstone_refs()?;
        let default = match noted.is_empty() {
            true => None,
            false => default_remote(workspace, None).ok().map(|remote| remote.name),
        };
        for (remote, name, id) in noted {
            let whose = if Some(&remote) == default.as_ref() { Whose::Default } else { Whose::Of(remote) };
            if !keys.contains(key_of(&name)) {
                found.add(workspace, name, id, whose);
            }
        }
        Ok(found)
    }

    fn add(&mut self, workspace: &Workspace, ref_name: String, id: ObjectId, whose: Whose) {
        match workspace.repo.read_tombstone(&ref_name, &id) {
            Ok(tombstone) => {
                let of_branch = self.by_branch.entry(tombstone.branch.clone()).or_default();
                of_branch.push(Known { ref_name, id, tombstone, whose });
            }
            Err(error) => workspace.warn(format!("'{ref_name}' is ignored: {error}")),
        }
    }

    /// Tells whether nothing is forgotten.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_branch.is_empty()
    }

    /// Lists the tombstones.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Known> {
        self.by_branch.values().flatten()
    }

    /// Returns the tombstone that covers a branch, of a remote or of this repository, at this commit: one of the same name
    /// whose beginnings are in its history. A branch that is behind what was forgotten, or ahead of it, is covered too.
    pub(crate) fn covers(
        &self,
        workspace: &Workspace,
        remote: Option<&str>,
        branch: &Branch,
        tip: ObjectId,
    ) -> Option<&Known> {
        let of_name = self.by_branch.get(branch).into_iter().flatten();
        of_name.filter(|known| known.concerns(remote)).find(|known| is_of(workspace, &known.tombstone, tip))
    }

    /// Returns the tombstone that covers a tag: it names the tag, or the tag is of the branch's agent; the commit is of the
    /// branch's history, and on no branch that stays.
    pub(super) fn covers_tag(
        &self,
        workspace: &Workspace,
        remote: Option<&str>,
        tag: &Branch,
        commit: ObjectId,
        staying: &[ObjectId],
    ) -> Option<&Known> {
        let is_about = |one: &Tombstone| one.branch.agent() == tag.agent() || one.tags.contains(tag);
        let mut about = self.all().filter(|known| known.concerns(remote) && is_about(&known.tombstone));
        let found = about.find(|known| is_of(workspace, &known.tombstone, commit))?;
        let stays = workspace.repo.containing(staying, commit).is_ok_and(|holding| !holding.is_empty());
        (!stays).then_some(found)
    }
}

/// Finds the branches and tags of this repository that a remote has forgotten: they are not sent to it again, wherever
/// they may stay.
///
/// # Errors
/// When the refs cannot be read.
pub(crate) fn forgotten_at(workspace: &Workspace, remote: &str) -> Result<(HashSet<Branch>, HashSet<Branch>), OpError> {
    let tombstones = Tombstones::read(workspace)?;
    let (mut branches, mut tags, mut staying) = (HashSet::new(), HashSet::new(), Vec::new());
    if tombstones.is_empty() {
        return Ok((branches, tags));
    }
    for (branch, tip) in workspace.repo.branches()? {
        match tombstones.covers(workspace, Some(remote), &branch, tip) {
            Some(_) => drop(branches.insert(branch)),
            None => staying.push(tip),
        }
    }
    for (tag, id) in workspace.repo.tags()? {
        if tombstones.covers_tag(workspace, Some(remote), &tag, id, &staying).is_some() {
            tags.insert(tag);
        }
    }
    Ok((branches, tags))
}

/// Returns the last part of a ref's name, which is a tombstone's key.
fn key_of(ref_name: &str) -> &str {
    ref_name.rsplit('/').next().unwrap_or(ref_name)
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

/// Returns the branch with which a session was forgotten, if it was: here, or elsewhere together with what was here.
///
/// # Errors
/// When the refs cannot be read.
pub(crate) fn forgotten_session(workspace: &Workspace, session: &str) -> Result<Option<Branch>, OpError> {
    let repo = &workspace.repo;
    for (name, id) in repo.tombstone_refs()? {
        // What makes no sense is told of where tombstones are obeyed.
        if let Ok(tombstone) = repo.read_tombstone(&name, &id)
            && tombstone.sessions.iter().any(|one| one == session)
        {
            return Ok(Some(tombstone.branch));
        }
    }
    Ok(None)
}

/// Collects the sessions that have a part in commits.
pub(super) fn sessions_in(
    workspace: &Workspace,
    tips: &[ObjectId],
    hidden: &[ObjectId],
) -> Result<HashSet<String>, OpError> {
    let mut found = HashSet::new();
    for commit in workspace.repo.history(tips, hidden)? {
        found.extend(commit?.facts.session);
    }
    Ok(found)
}
