//! A remote forgets too: refs there are deleted, each only as it was seen, and tombstones are put there.

use super::choose::{Choice, Chosen};
use super::request::{OnlyThere, RemoteForgotten};
use crate::model::ObjectId;
use crate::ops::link::written_ref;
use crate::ops::share::{Fetch, connection, default_remote, receive};
use crate::ops::{OpError, Workspace};
use crate::store::{Connection, Lease, Remote, Repo, Send, SendOutcome, Sent, StoreError, Wanted};

/// A remote, and what it has of ours.
pub(super) struct Place {
    remote: Remote,
    there: Vec<(String, ObjectId)>,
    connection: Connection,
}

impl Place {
    /// Asks a remote what it has.
    pub(super) fn find(workspace: &Workspace, name: Option<&str>) -> Result<Self, OpError> {
        let repo = &workspace.repo;
        let remote = default_remote(workspace, name)?;
        let connection = connection(workspace, true, None)?;
        let there = repo.list_remote(&remote, &connection)?;
        Ok(Place { remote, there, connection })
    }

    /// Says what is to be deleted there: what is known here to be the same branches and tags.
    ///
    /// # Errors
    /// When the remote has commits of a branch that are not here: they may be anybody's.
    pub(super) fn deletions(&self, workspace: &Workspace, choice: &Choice) -> Result<Vec<Send>, OpError> {
        let repo = &workspace.repo;
        let mut sends = Vec::new();
        let mut delete = |name: String, id: ObjectId| {
            sends.push(Send { name, source: None, lease: Lease::Exactly(Some(id)) });
        };
        for one in &choice.chosen {
            let name = repo.branch_ref(&one.branch);
            let Some(id) = self.has(&name) else { continue };
            match is_same(repo, one, id) {
                Some(true) => delete(name, id),
                Some(false) => workspace.warn(format!(
                    "'{}' of '{}' is another branch of that name, and stays",
                    one.branch, self.remote.name
                )),
                None => {
                    let (branch, remote) = (one.branch.to_string(), self.remote.name.clone());
                    return Err(OpError::UnseenCommits { branch, remote });
                }
            }
        }
        let mut tags: Vec<&crate::model::Branch> = choice.chosen.iter().flat_map(|one| &one.tombstone.tags).collect();
        tags.sort_unstable();
        tags.dedup();
        for tag in tags {
            let name = repo.tag_ref(tag);
            let is_its = |id: &ObjectId| choice.chosen.iter().any(|one| is_same(repo, one, *id) == Some(true));
            if let Some(id) = self.has(&name).filter(is_its) {
                delete(name, id);
            }
        }
        Ok(sends)
    }

    /// Says which of the branches that go have commits there that are on no branch here.
    pub(super) fn only_there(&self, workspace: &Workspace, choice: &Choice) -> Result<Vec<OnlyThere>, OpError> {
        let repo = &workspace.repo;
        let mut found = Vec::new();
        for one in &choice.chosen {
            let there = self.has(&repo.branch_ref(&one.branch));
            let Some(tip) = there.filter(|id| is_same(repo, one, *id) == Some(true)) else { continue };
            let own = one.tip.unwrap_or(one.tombstone.tip);
            let mut here: Vec<ObjectId> = choice.staying.iter().map(|(_, tip)| *tip).collect();
            // What was purged here is nowhere here.
            here.extend(repo.header(&own).is_ok().then_some(own));
            let commits = if repo.header(&tip).is_ok() { repo.count(&[tip], &here)? } else { 0 };
            if commits > 0 {
                found.push(OnlyThere { branch: one.branch.to_string(), tip, commits });
            }
        }
        Ok(found)
    }

    /// Learns which tombstones are there now.
    pub(super) fn learn(&self, workspace: &Workspace) -> Result<(), OpError> {
        let wanted = Fetch { may_ask: true, ..Fetch::default() };
        receive(workspace, &self.remote, &Wanted::Forgotten, &wanted, true).map(|_| ())
    }

    /// Says what would become of it there.
    pub(super) fn rehearsed(&self, choice: &Choice, sends: &[Send], repo: &Repo) -> RemoteForgotten {
        let tombstones = choice.chosen.iter().map(|one| repo.tombstone_ref(&one.tombstone));
        RemoteForgotten {
            remote: self.remote.name.clone(),
            deleted: sends.iter().map(|send| send.name.clone()).collect(),
            tombstones: tombstones.filter(|name| self.has(name).is_none()).collect(),
            rejected: Vec::new(),
            only_there: Vec::new(),
        }
    }

    /// Puts the tombstones there, deletes what they cover, and brings our own index up to date there; all or nothing,
    /// where the server can.
    pub(super) fn forget(
        &self,
        workspace: &Workspace,
        choice: &Choice,
        deletions: Vec<Send>,
    ) -> Result<RemoteForgotten, OpError> {
        let repo = &workspace.repo;
        let mut sends = Vec::new();
        for one in &choice.chosen {
            let name = repo.tombstone_ref(&one.tombstone);
            if self.has(&name).is_none()
                && let Some(source) = repo.find_ref_id(&name)?
            {
                sends.push(Send { name, source: Some(source), lease: Lease::Exactly(None) });
            }
        }
        sends.extend(deletions);
        if let Some(name) = written_ref(workspace)
            && let Some(old) = self.has(&name)
        {
            let source = repo.find_ref_id(&name)?;
            if source != Some(old)
                && source.is_none_or(|new| repo.reached(new, &[old]).map_or(true, |found| found.is_empty()))
            {
                sends.push(Send { name, source, lease: Lease::Exactly(Some(old)) });
            }
        }
        self.send(workspace, &sends)
    }

    /// Takes tombstones away there.
    pub(super) fn lift(&self, workspace: &Workspace, names: &[String]) -> Result<RemoteForgotten, OpError> {
        let found = names.iter().filter_map(|name| Some((name.clone(), self.has(name)?)));
        let sends: Vec<Send> =
            found.map(|(name, id)| Send { name, source: None, lease: Lease::Exactly(Some(id)) }).collect();
        self.send(workspace, &sends)
    }

    fn send(&self, workspace: &Workspace, sends: &[Send]) -> Result<RemoteForgotten, OpError> {
        let repo = &workspace.repo;
        let mut told = RemoteForgotten {
            remote: self.remote.name.clone(),
            deleted: Vec::new(),
            tombstones: Vec::new(),
            rejected: Vec::new(),
            only_there: Vec::new(),
        };
        if sends.is_empty() {
            return Ok(told);
        }
        let who = repo.committer()?;
        let send = |all_or_none| repo.send(&self.remote, sends, all_or_none, &self.connection, &who);
        let sent: Vec<Sent> = match send(true) {
            // Old servers cannot: then each by itself.
            Err(StoreError::Unreachable { reason, .. }) if reason.contains("atomic") => send(false)?,
            sent => sent?,
        };
        for (sent, send) in sent.into_iter().zip(sends) {
            match sent.outcome {
                SendOutcome::Rejected { reason } => told.rejected.push((sent.name, reason)),
                _ if send.source.is_none() => told.deleted.push(sent.name),
                _ if sent.name.contains("/forgotten/") => told.tombstones.push(sent.name),
                _ => {}
            }
        }
        Ok(told)
    }

    fn has(&self, name: &str) -> Option<ObjectId> {
        self.there.iter().find(|(known, _)| known == name).map(|(_, id)| *id)
    }
}

/// Tells whether a commit there is of this branch; `None` where it is not here, and nobody can tell.
fn is_same(repo: &Repo, one: &Chosen, id: ObjectId) -> Option<bool> {
    if one.tip == Some(id) || one.tombstone.tip == id {
        return Some(true);
    }
    if repo.roots(id).is_err() {
        return None;
    }
    let mut named = one.tombstone.roots.iter().chain([&one.tombstone.tip]);
    Some(named.any(|root| repo.containing(&[id], *root).is_ok_and(|found| !found.is_empty())))
}
