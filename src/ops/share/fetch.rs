//! `fetch`: brings what a remote has here, beside what is here.

use std::collections::HashSet;
use std::time::Duration;

use serde::Serialize;

use super::ShareError;
use super::arrive::faults;
use super::{connection, default_remote};
use crate::model::{Branch, ObjectId};
use crate::ops::forget::{MovedAside, obey_tombstones};
use crate::ops::{OpError, Workspace};
use crate::store::{Arrival, Arrivals, FORGOTTEN, HEADS, META, Remote, TAGS, Wanted};

/// Asks for what a remote has.
#[derive(Debug, Clone, Default)]
pub struct Fetch {
    /// The remote; the default one if `None`.
    pub remote: Option<String>,
    /// Branches to bring, `<agent>/<branch>` or with a `*`; all, with tags, if there are none.
    pub branches: Vec<String>,
    /// Whether branches that the remote has no longer are forgotten here as its branches.
    pub prune: bool,
    /// Whether the user may be asked for a password.
    pub may_ask: bool,
    /// How long it may take at most; as configured if `None`.
    pub time: Option<Duration>,
    /// Whether nothing is to be kept: what would come is only told.
    pub dry_run: bool,
}

/// Says what came.
#[derive(Debug, Clone, Serialize)]
pub struct Fetched {
    /// The remote.
    pub remote: String,
    /// Its address, without a password.
    pub url: String,
    /// What is new, by name.
    pub refs: Vec<FetchedRef>,
    /// Branches, tags and indexes that the remote has no longer, as they are called here.
    pub gone: Vec<String>,
    /// Whether those are forgotten here.
    pub pruned: bool,
    /// What was moved aside here because it was forgotten.
    pub moved_aside: Vec<MovedAside>,
    /// Tags that were made here.
    pub tags: Vec<String>,
    /// Refs that git itself refused, because of an object in them.
    pub bad: Vec<BadRef>,
    /// Whether nothing was kept.
    pub dry_run: bool,
}

/// Names a ref of a remote that git refused.
#[derive(Debug, Clone, Serialize)]
pub struct BadRef {
    /// Its name here.
    pub name: String,
    /// What git said.
    pub reason: String,
}

/// Says what became of one ref of a remote.
#[derive(Debug, Clone, Serialize)]
pub struct FetchedRef {
    /// `heads`, `tags`, `meta` or `forgotten`.
    pub kind: &'static str,
    /// Its name: `<agent>/<branch>` of a branch.
    pub name: String,
    /// What it was known to hold.
    pub old: Option<ObjectId>,
    /// What it holds.
    pub new: ObjectId,
    /// How it moved.
    pub movement: Movement,
    /// Why it is not followed, if it is not.
    pub refused: Option<String>,
}

/// Says how a ref moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Movement {
    /// It is new.
    New,
    /// It has the old in its history.
    Forward,
    /// It has not: somebody rewrote it.
    Rewritten,
}

/// Brings what a remote has into `remotes/<remote>/…` below our prefix. No branch of this repository moves but those that
/// were forgotten, which are moved aside.
///
/// What comes is looked at first; what is not sound is refused, ref by ref.
///
/// # Errors
/// When the remote cannot be reached, or has no such branch.
pub fn fetch(workspace: &Workspace, request: &Fetch) -> Result<Fetched, OpError> {
    fetch_for(workspace, request, true)
}

/// As [`fetch`]; without `obeys`, what was forgotten stays where it is for now.
pub(super) fn fetch_for(workspace: &Workspace, request: &Fetch, obeys: bool) -> Result<Fetched, OpError> {
    let remote = default_remote(workspace, request.remote.as_deref())?;
    let wanted = match request.branches.as_slice() {
        [] => Wanted::All,
        names => Wanted::Branches(names.iter().map(|name| full_name(name)).collect::<Result<_, _>>()?),
    };
    let mut fetched = receive(workspace, &remote, &wanted, request, obeys)?;
    if obeys && !request.dry_run {
        fetched.moved_aside = obey_tombstones(workspace)?;
    }
    Ok(fetched)
}

/// Learns what was forgotten, and nothing else.
pub(super) fn fetch_forgotten(
    workspace: &Workspace,
    remote: &Remote,
    may_ask: bool,
    time: Option<Duration>,
) -> Result<Fetched, OpError> {
    let request = Fetch { may_ask, time, ..Fetch::default() };
    let mut fetched = receive(workspace, remote, &Wanted::Forgotten, &request, true)?;
    fetched.moved_aside = obey_tombstones(workspace)?;
    Ok(fetched)
}

/// Brings what a remote has, or a bundle that stands for one.
pub(in crate::ops) fn receive(
    workspace: &Workspace,
    remote: &Remote,
    wanted: &Wanted,
    request: &Fetch,
    makes_tags: bool,
) -> Result<Fetched, OpError> {
    let repo = &workspace.repo;
    let who = repo.committer()?;
    let connection = connection(workspace, request.may_ask, request.time)?;
    let arrivals = repo.receive(remote, wanted, &connection, &who)?;
    let refs = look_at(workspace, remote, &arrivals)?;
    let gone: Vec<String> = arrivals.gone.iter().map(|(name, _)| name.clone()).collect();
    let mut fetched = Fetched {
        remote: remote.name.clone(),
        url: remote.url.clone(),
        refs,
        gone,
        pruned: request.prune && !request.dry_run,
        moved_aside: Vec::new(),
        tags: Vec::new(),
        bad: arrivals.bad.iter().map(|(name, reason)| BadRef { name: name.clone(), reason: reason.clone() }).collect(),
        dry_run: request.dry_run,
    };
    if request.dry_run {
        return Ok(fetched);
    }
    // A row for each that came, in the same order.
    let rows = arrivals.changed.iter().zip(&fetched.refs);
    let sound: Vec<Arrival> =
        rows.filter(|(_, row)| row.refused.is_none()).map(|(arrival, _)| arrival.clone()).collect();
    let tags = if makes_tags { new_tags(workspace, &sound)? } else { Vec::new() };
    arrivals.accept(&sound, &tags)?;
    let folder = format!("{}/tags/", workspace.settings().ref_prefix);
    fetched.tags = tags.into_iter().filter_map(|(name, _)| Some(name.strip_prefix(&folder)?.to_owned())).collect();
    for (name, id) in &arrivals.lifted {
        if let Ok(tombstone) = repo.read_tombstone(name, id)
            && repo.find_ref_id(&repo.tombstone_ref(&tombstone))?.is_some()
        {
            let (remote, branch) = (&remote.name, &tombstone.branch);
            workspace.warn(format!(
                "'{branch}' is no longer forgotten at '{remote}', but here; to lift it: git trace forget --lift {branch}"
            ));
        }
    }
    if request.prune {
        arrivals.prune()?;
    }
    match arrivals.complaint.clone() {
        Some(reason) => Err(ShareError::PartlyFetched { remote: remote.name.clone(), reason }.into()),
        None => Ok(fetched),
    }
}

/// Returns the tags that are to be made here: as git does with its own, new ones come along, those that are here stay.
fn new_tags(workspace: &Workspace, sound: &[Arrival]) -> Result<Vec<(String, ObjectId)>, OpError> {
    let known: HashSet<String> = workspace.repo.tags()?.into_iter().map(|(tag, _)| tag.to_string()).collect();
    let prefix = &workspace.settings().ref_prefix;
    let is_new = |arrival: &&Arrival| arrival.kind == TAGS && !known.contains(&arrival.name);
    Ok(sound.iter().filter(is_new).map(|arrival| (format!("{prefix}/tags/{}", arrival.name), arrival.new)).collect())
}

/// Looks at all that came, and says what each is, in the order in which they came.
fn look_at(workspace: &Workspace, remote: &Remote, arrivals: &Arrivals<'_>) -> Result<Vec<FetchedRef>, OpError> {
    let repo = &workspace.repo;
    let mut known: Vec<ObjectId> = repo.branches()?.into_iter().chain(repo.tags()?).map(|(_, id)| id).collect();
    for kind in [HEADS, TAGS] {
        known.extend(repo.list_refs(&remote.tracking_folder(kind))?.into_iter().map(|(_, id)| id));
    }
    let faults = faults(workspace, &arrivals.changed, &known)?;
    let mut rows = Vec::with_capacity(arrivals.changed.len());
    for (arrival, refused) in arrivals.changed.iter().zip(faults) {
        let movement = match arrival.old {
            None => Movement::New,
            Some(_) if refused.is_some() => Movement::Rewritten,
            // Indexes and tombstones are replaced whole.
            Some(_) if [META, FORGOTTEN].contains(&arrival.kind) => Movement::Forward,
            Some(old) if repo.reached(arrival.new, &[old]).is_ok_and(|reached| !reached.is_empty()) => {
                Movement::Forward
            }
            Some(_) => Movement::Rewritten,
        };
        rows.push(FetchedRef {
            kind: arrival.kind.folder,
            name: arrival.name.clone(),
            old: arrival.old,
            new: arrival.new,
            movement,
            refused,
        });
    }
    Ok(rows)
}

/// Returns `<agent>/<branch>` of what the user wrote, in which a `*` may stand for more.
fn full_name(text: &str) -> Result<String, OpError> {
    let sample = text.replacen('*', "x", 1);
    let branch = Branch::parse(&sample, Branch::default().agent())?;
    if !text.contains('*') {
        return Ok(branch.to_string());
    }
    Ok(if text.contains('/') { text.to_owned() } else { format!("{}/{text}", branch.agent()) })
}
