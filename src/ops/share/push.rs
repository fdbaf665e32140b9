//! `push`: sends contexts to one remote, in a push of their own, after a second look at them.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use serde::Serialize;

use super::ShareError;
use super::leave::{TooLarge, look};
use super::{connection, default_remote, fetch};
use crate::model::{Branch, ObjectId};
use crate::ops::forget::{MovedAside, forgotten_at};
use crate::ops::link::written_ref;
use crate::ops::{OpError, Workspace};
use crate::store::{HEADS, Lease, META, ObjectKind, Remote, Send, SendOutcome, Sent, StoreError, TAGS};

/// Of the refs that the remote is known to have, so many are looked at to count what is new in a branch.
const COMPARED: usize = 200;

/// Asks for contexts to be sent.
#[derive(Debug, Clone, Default)]
pub struct Push {
    /// The remote; the default one if `None`.
    pub remote: Option<String>,
    /// The branches; HEAD's if there are none.
    pub branches: Vec<String>,
    /// Whether all branches go, and all tags.
    pub all: bool,
    /// Whether all tags go too.
    pub tags: bool,
    /// Whether branches that were rewritten here are rewritten there, if nobody else moved them since the last fetch.
    pub force_with_lease: bool,
    /// Whether the user may be asked for a password.
    pub may_ask: bool,
    /// How long each talk with the server may take at most; as configured if `None`.
    pub time: Option<Duration>,
    /// Whether nothing is to be sent, and nobody asked: what would go is only told.
    pub dry_run: bool,
}

/// Says what was sent where.
#[derive(Debug, Clone, Serialize)]
pub struct Pushed {
    /// The remote.
    pub remote: String,
    /// Where it was pushed to, without a password.
    pub url: String,
    /// What became of each ref.
    pub refs: Vec<PushedRef>,
    /// Objects that are larger than hosts like.
    pub large: Vec<TooLarge>,
    /// What was moved aside here because somebody forgot it.
    pub moved_aside: Vec<MovedAside>,
    /// Whether nothing was sent.
    pub dry_run: bool,
}

/// Says what became of one ref.
#[derive(Debug, Clone, Serialize)]
pub struct PushedRef {
    /// `heads`, `tags` or `meta`.
    pub kind: &'static str,
    /// Its name: `<agent>/<branch>` of a branch.
    pub name: String,
    /// Its whole name on the server.
    pub there: String,
    /// What the remote was known to have.
    pub old: Option<ObjectId>,
    /// What it was sent.
    pub new: ObjectId,
    /// Commits that it was not known to have.
    pub commits: usize,
    /// `new`, `forward`, `forced`, `up-to-date` or `rejected`; `would-send` on a dry run.
    pub outcome: &'static str,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// Whether ours does not have what the remote was known to have: somebody rewrote it here.
    pub is_rewritten: bool,
}

impl Pushed {
    /// Returns the refs that the remote did not take.
    pub fn rejected(&self) -> impl Iterator<Item = &PushedRef> {
        self.refs.iter().filter(|one| one.reason.is_some())
    }
}

/// Sends branches to a remote.
///
/// What goes is what was looked at, object by object. A branch moves there only forward, or from exactly what it was known
/// to be ([`Push::force_with_lease`]). What somebody forgot there is not brought back: it is moved aside here. Beside
/// branches and tags goes this repository's own index of code and context; nothing else ever does.
///
/// # Errors
/// When the remote cannot be reached, when a secret or an object that is too large is in what would go.
pub fn push(workspace: &Workspace, request: &Push) -> Result<Pushed, OpError> {
    let remote = default_remote(workspace, request.remote.as_deref())?;
    let repo = &workspace.repo;
    let before = branches(workspace, request)?;
    let moved_aside = match request.dry_run {
        true => Vec::new(),
        false => fetch::fetch_forgotten(workspace, &remote, request.may_ask, request.time)?.moved_aside,
    };
    if let Some(moved) =
        moved_aside.iter().find(|moved| !request.all && before.iter().any(|branch| branch.to_string() == moved.branch))
    {
        return Err(ShareError::Forgotten { branch: moved.branch.clone(), aside: moved.aside.clone() }.into());
    }
    // What stays here and was forgotten there does not go there again.
    let forgotten = forgotten_at(workspace, &remote.name)?;
    if let Some(branch) = before.iter().find(|branch| !request.all && forgotten.0.contains(branch)) {
        let branch = branch.to_string();
        return Err(ShareError::Forgotten { aside: branch.clone(), branch }.into());
    }
    let outgoing = outgoing(workspace, &remote, request, &forgotten)?;
    let url = repo.push_place(&remote)?;
    let mut known = Vec::new();
    // Where nothing was learnt of the place to which it goes, all of it is looked at.
    let kinds = if repo.is_known_place(&remote)? { &[HEADS, TAGS, META][..] } else { &[] };
    for kind in kinds {
        known.extend(repo.list_refs(&remote.tracking_folder(*kind))?.into_iter().map(|(_, id)| id));
    }
    let there: HashSet<ObjectId> = known.iter().copied().collect();
    let new: Vec<ObjectId> = outgoing.iter().map(|one| one.new).filter(|new| !there.contains(new)).collect();
    let names: Vec<&str> = outgoing.iter().map(|one| one.name.as_str()).collect();
    let large = look(workspace, &names, &new, &known)?;
    // What the remote is known to have need not be here any more.
    known.retain(|id| repo.header(id).is_ok());
    let mut refs = Vec::with_capacity(outgoing.len());
    for one in &outgoing {
        let commits = match one.old {
            Some(old) if old == one.new => 0,
            Some(old) if known.len() > COMPARED && there.contains(&old) => repo.count(&[one.new], &[old])?,
            _ => repo.count(&[one.new], &known[..known.len().min(COMPARED)])?,
        };
        let is_rewritten = match one.old {
            Some(old) if old != one.new && one.kind == "heads" => {
                // Ours was once what the remote has.
                repo.reached(one.new, &[old]).is_ok_and(|reached| reached.is_empty())
                    && repo.logged_ids(&one.send.name)?.contains(&old)
            }
            _ => false,
        };
        refs.push(PushedRef { commits, is_rewritten, ..one.row() });
    }
    if !request.dry_run && !outgoing.is_empty() {
        let sends: Vec<Send> = outgoing.iter().map(|one| one.send.clone()).collect();
        let connection = connection(workspace, request.may_ask, request.time)?;
        let sent = repo.send(&remote, &sends, false, &connection, &repo.committer()?)?;
        refs.iter_mut().zip(sent).for_each(|(row, sent)| row.tell(sent));
    }
    Ok(Pushed { remote: remote.name, url, refs, large, moved_aside, dry_run: request.dry_run })
}

/// Returns the branches that are meant.
fn branches(workspace: &Workspace, request: &Push) -> Result<Vec<Branch>, OpError> {
    let repo = &workspace.repo;
    if request.all {
        return Ok(repo.branches()?.into_iter().map(|(branch, _)| branch).collect());
    }
    let target = workspace.target();
    if request.branches.is_empty() {
        let branch = target?.branch.ok_or(ShareError::NoBranch)?;
        return Ok(vec![branch]);
    }
    let agent = target.ok().and_then(|target| target.branch).unwrap_or_default().agent().to_owned();
    let named: Result<BTreeSet<Branch>, OpError> =
        request.branches.iter().map(|name| Ok(Branch::parse(name, &agent)?)).collect();
    Ok(named?.into_iter().collect())
}

/// A ref that is to be sent.
struct Outgoing {
    kind: &'static str,
    name: String,
    there: String,
    old: Option<ObjectId>,
    new: ObjectId,
    send: Send,
}

impl Outgoing {
    fn row(&self) -> PushedRef {
        PushedRef {
            kind: self.kind,
            name: self.name.clone(),
            there: self.there.clone(),
            old: self.old,
            new: self.new,
            commits: 0,
            outcome: if self.old == Some(self.new) { "up-to-date" } else { "would-send" },
            reason: None,
            is_rewritten: false,
        }
    }
}

fn outgoing(
    workspace: &Workspace,
    remote: &Remote,
    request: &Push,
    (branches_gone, tags_gone): &(HashSet<Branch>, HashSet<Branch>),
) -> Result<Vec<Outgoing>, OpError> {
    let repo = &workspace.repo;
    let prefix = &workspace.settings().ref_prefix;
    let mut found = Vec::new();
    let mut add = |kind: &'static str, name: String, new: ObjectId, is_own: bool| -> Result<(), OpError> {
        let local = format!("{prefix}/{kind}/{name}");
        let never = || StoreError::Ref { name: local.clone(), reason: "it never leaves this machine".to_owned() };
        let there = remote.there(&local).ok_or_else(never)?;
        let tracking = remote.tracking(&local).ok_or_else(never)?;
        let old = repo.find_ref_id(&tracking)?;
        let lease =
            if is_own || (request.force_with_lease && kind == "heads") { Lease::Exactly(old) } else { Lease::Forward };
        let send = Send { name: local, source: Some(new), lease };
        found.push(Outgoing { kind, name, there, old, new, send });
        Ok(())
    };
    for branch in branches(workspace, request)?.into_iter().filter(|branch| !branches_gone.contains(branch)) {
        let tip = repo.find_ref_id(&repo.branch_ref(&branch))?;
        let tip = tip.ok_or_else(|| StoreError::NoBranch { branch: branch.to_string() })?;
        add("heads", branch.to_string(), tip, false)?;
    }
    if request.all || request.tags {
        for (tag, id) in repo.tags()?.into_iter().filter(|(tag, _)| !tags_gone.contains(tag)) {
            // Somebody's git made it an object of its own.
            if repo.header(&id)?.0 != ObjectKind::Commit {
                workspace.warn(format!("tag {tag} names no commit, and is not sent"));
                continue;
            }
            add("tags", tag.to_string(), id, false)?;
        }
    }
    // Nobody else writes this repository's own index.
    if let Some(own) = written_ref(workspace)
        && let Some(id) = repo.find_ref_id(&own)?
        && let Some(name) = own.rsplit('/').next()
    {
        let is_known =
            remote.tracking(&own).map(|tracking| repo.find_ref_id(&tracking)).transpose()?.flatten() == Some(id);
        if !is_known {
            add("meta", name.to_owned(), id, true)?;
        }
    }
    Ok(found)
}

impl PushedRef {
    fn tell(&mut self, sent: Sent) {
        self.outcome = match sent.outcome {
            SendOutcome::UpToDate => "up-to-date",
            SendOutcome::New => "new",
            SendOutcome::Forward => "forward",
            SendOutcome::Forced => "forced",
            SendOutcome::Deleted => "deleted",
            SendOutcome::Rejected { reason } => {
                self.reason = Some(reason);
                "rejected"
            }
        };
    }
}
