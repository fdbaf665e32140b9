//! `forget`: deletes branches and sessions for good, here and elsewhere, and remembers that they are to stay away.

mod choose;
mod doomed;
mod lift;
mod obey;
mod remains;
mod remote;
mod request;
mod tombstones;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use self::lift::lift;
pub use self::obey::MovedAside;
pub(crate) use self::obey::obey_tombstones;
pub use self::request::{
    Forget, Forgotten, ForgottenBranch, ForgottenRef, Holder, Lifted, OnlyThere, PurgeOutcome, RemoteForgotten,
};
pub(crate) use self::tombstones::Tombstones;
pub(super) use self::tombstones::{forgotten_at, forgotten_session};

use self::choose::{Choice, Chosen};
use self::remains::Remains;
use self::remote::Place;
use super::{OpError, Workspace};
use crate::codec::Tombstone;
use crate::model::ObjectId;
use crate::store::{ORIG_HEAD, Purge, RefMove, StoreError};

/// Forgets branches, or the branches of sessions and agents: refs, logs, records and links go, tombstones stay.
///
/// What was forgotten before is looked for once more, so that an interrupted command can be repeated, and a remote can be
/// told later.
///
/// # Errors
/// When a name means nothing, another worktree is on a branch, or the repository or the remote cannot be read or written.
pub fn forget(workspace: &Workspace, request: &Forget) -> Result<Forgotten, OpError> {
    let repo = &workspace.repo;
    let tombstones = Tombstones::read(workspace)?;
    let choice = Choice::new(workspace, &request.names, &tombstones)?;
    // A remote that cannot be reached is found out before anything has changed.
    let place = request.remote.as_ref().map(|name| Place::find(workspace, name.as_deref())).transpose()?;
    let sends = place.as_ref().map(|place| place.deletions(workspace, &choice)).transpose()?;
    let refs = other_refs(workspace, &choice)?;
    check_stopped(workspace, &choice)?;
    let remains = Remains::of(workspace, &choice)?;
    let heads = repo.worktree_heads()?;
    for one in &choice.chosen {
        if let Some(other) = heads.iter().find(|head| one.tip.is_some() && !head.is_current && head.is_on(&one.branch))
        {
            let (branch, path) = (one.branch.to_string(), other.path.clone());
            return Err(StoreError::BranchInUse { branch, path }.into());
        }
    }
    let mut told = Forgotten {
        held_by: holders(workspace, &choice, &refs)?,
        sessions: choice.sessions().into_iter().map(str::to_owned).collect(),
        files: remains.names(workspace),
        links: remains.links(),
        ..Forgotten::default()
    };
    let only_there = place.as_ref().map(|place| place.only_there(workspace, &choice)).transpose()?.unwrap_or_default();
    told.undo = undo(workspace, &choice, &refs, &only_there);
    for one in &choice.chosen {
        told.branches.push(ForgottenBranch {
            branch: one.branch.to_string(),
            tip: one.tip,
            tombstone: repo.tombstone_ref(&one.tombstone),
            was_head: one.tip.is_some() && heads.iter().any(|head| head.is_current && head.is_on(&one.branch)),
        });
    }
    told.tags = choice.tags.iter().map(|(tag, id)| ForgottenRef { name: tag.to_string(), id: *id }).collect();
    told.refs = refs.iter().map(|(name, id)| ForgottenRef { name: name.clone(), id: *id }).collect();
    if request.dry_run {
        let rehearsed = place.zip(sends).map(|(place, sends)| place.rehearsed(&choice, &sends, repo));
        told.remote = rehearsed.map(|remote| RemoteForgotten { only_there, ..remote });
        return Ok(told);
    }
    // What the logs hold goes with them, and has to be dropped with the branches.
    let going = doomed::of(workspace, &choice, &refs)?;
    let mut doomed: Vec<ObjectId> = going.iter().map(|(_, id)| *id).collect();
    if request.purge {
        doomed.extend(doomed::remembered(workspace, &choice));
        doomed.extend(doomed::in_logs(workspace, &choice, &refs)?);
    } else {
        doomed::remember(workspace, &going)?;
    }
    let mut moves: Vec<RefMove> = Vec::new();
    let branches = choice.chosen.iter().filter_map(|one| Some((repo.branch_ref(&one.branch), one.tip?)));
    let tags = choice.tags.iter().map(|(tag, id)| (repo.tag_ref(tag), *id));
    moves.extend(branches.chain(tags).chain(refs).map(|(name, id)| RefMove::deletion(name, id)));
    let mut new: Vec<Tombstone> = Vec::new();
    for one in &choice.chosen {
        // What is gone here already may be forgotten by a remote alone.
        if one.tip.is_some() || repo.find_ref_id(&repo.tombstone_ref(&one.tombstone))?.is_none() {
            new.push(one.tombstone.clone());
        }
    }
    let who = repo.committer()?;
    if !moves.is_empty() || !new.is_empty() {
        repo.move_refs(&moves, &new, "trace forget", false, &who)?;
    }
    remains.remove(workspace)?;
    if let (Some(place), Some(sends)) = (place, sends) {
        told.remote = Some(RemoteForgotten { only_there, ..place.forget(workspace, &choice, sends)? });
    }
    if request.purge {
        told.purged = Some(repo.purge(&Purge::of(&doomed), &who)?.into());
        doomed::forget(workspace, &choice)?;
    }
    Ok(told)
}

/// Finds the refs beside branches and tags that go too: what remotes had of them, work trees of an agent without
/// branches, what was moved aside, and ORIG_HEADs on them.
fn other_refs(workspace: &Workspace, choice: &Choice) -> Result<Vec<(String, ObjectId)>, OpError> {
    let repo = &workspace.repo;
    let prefix = &repo.settings().ref_prefix;
    let is_covered = |one: &Chosen, tip: ObjectId| {
        let named = one.tombstone.roots.iter().chain([&one.tombstone.tip]);
        tip == one.tombstone.tip
            || named.into_iter().any(|id| repo.containing(&[tip], *id).is_ok_and(|found| !found.is_empty()))
    };
    let mut found = Vec::new();
    let remotes = format!("{prefix}/remotes/");
    let asides = format!("{prefix}/aside/");
    for (name, id) in repo.list_refs(&remotes)?.into_iter().chain(repo.list_refs(&asides)?) {
        let is_of = |one: &&Chosen| match name.strip_prefix(&asides) {
            // A further copy has a number behind a `+`.
            Some(rest) => rest.split_once('+').map_or(rest, |(name, _)| name) == one.branch.to_string(),
            None => name[remotes.len()..].split_once('/').is_some_and(|(_, rest)| rest == one.branch.to_string()),
        };
        if choice.chosen.iter().filter(is_of).any(|one| is_covered(one, id)) {
            found.push((name, id));
        }
    }
    let tags: BTreeSet<String> =
        choice.chosen.iter().flat_map(|one| &one.tombstone.tags).map(ToString::to_string).collect();
    let remote_tags = format!("{prefix}/remote-tags/");
    for (name, id) in repo.list_refs(&remote_tags)? {
        let tag = name[remote_tags.len()..].split_once('/').map(|(_, tag)| tag.to_owned());
        if tag.is_some_and(|tag| tags.contains(&tag)) && choice.chosen.iter().any(|one| is_covered(one, id)) {
            found.push((name, id));
        }
    }
    for agent in choice.agents() {
        let name = format!("{prefix}/snapshots/{agent}");
        found.extend(repo.find_ref_id(&name)?.map(|id| (name, id)));
    }
    let kept: Vec<ObjectId> = choice.staying.iter().map(|(_, tip)| *tip).collect();
    if let Some(id) = repo.find_ref_id(ORIG_HEAD)?
        && choice.chosen.iter().any(|one| is_covered(one, id))
        && repo.containing(&kept, id).is_ok_and(|holding| holding.is_empty())
    {
        found.push((ORIG_HEAD.to_owned(), id));
    }
    Ok(found)
}

/// Refuses while a command that stopped in some worktree is about to bring in what goes and nothing else holds.
fn check_stopped(workspace: &Workspace, choice: &Choice) -> Result<(), OpError> {
    let repo = &workspace.repo;
    let kept: Vec<ObjectId> = choice.staying.iter().map(|(_, tip)| *tip).collect();
    for stopped in repo.stopped_commands()? {
        let holds = |root: &ObjectId| repo.containing(&[stopped.needs], *root).is_ok_and(|found| !found.is_empty());
        let is_its = choice.chosen.iter().any(|one| one.tombstone.roots.iter().any(holds));
        if is_its && repo.containing(&kept, stopped.needs)?.is_empty() {
            return Err(match stopped.is_current {
                true => OpError::Ongoing { verb: stopped.verb },
                false => OpError::OngoingIn { verb: stopped.verb, path: stopped.path },
            });
        }
    }
    Ok(())
}

/// Finds what stays and holds commits of what goes: forks, merges, tags, worktrees.
fn holders(workspace: &Workspace, choice: &Choice, going: &[(String, ObjectId)]) -> Result<Vec<Holder>, OpError> {
    let repo = &workspace.repo;
    let mut held = Vec::new();
    let tags = repo.tags()?.into_iter().filter(|tag| !choice.tags.contains(tag));
    let branches = choice.staying.iter().map(|(branch, tip)| (branch.to_string(), *tip));
    let worktrees = repo.worktree_refs()?.into_iter().filter(|one| !going.contains(one));
    let others = branches.chain(tags.map(|(tag, id)| (format!("tag {tag}"), id))).chain(worktrees);
    let others: Vec<(String, ObjectId)> = others.collect();
    let tips: Vec<ObjectId> = others.iter().map(|(_, tip)| *tip).collect();
    for one in &choice.chosen {
        let mut some = std::collections::HashSet::new();
        for root in &one.tombstone.roots {
            some.extend(repo.containing(&tips, *root).unwrap_or_default());
        }
        let whole = one.tip.map(|tip| repo.containing(&tips, tip)).transpose()?.unwrap_or_default();
        let holding = others.iter().filter(|(_, tip)| some.contains(tip));
        held.extend(holding.map(|(name, tip)| Holder {
            name: name.clone(),
            branch: one.branch.to_string(),
            whole: whole.contains(tip),
        }));
    }
    Ok(held)
}

/// Returns the commands that bring it back, as long as the objects are here.
fn undo(workspace: &Workspace, choice: &Choice, refs: &[(String, ObjectId)], only_there: &[OnlyThere]) -> Vec<String> {
    let mut commands = Vec::new();
    let names: Vec<String> = choice.chosen.iter().map(|one| one.branch.to_string()).collect();
    commands.push(format!("git trace forget --lift {}", names.join(" ")));
    for one in &choice.chosen {
        let more = only_there.iter().find(|more| more.branch == one.branch.to_string()).map(|more| more.tip);
        let has_ours = |more: ObjectId, own: ObjectId| {
            workspace.repo.reached(more, &[own]).is_ok_and(|reached| !reached.is_empty())
        };
        match (one.tip, more) {
            // What the remote had holds ours too.
            (Some(own), Some(more)) if !has_ours(more, own) => {
                commands.push(format!("git trace branch {} {own}", one.branch));
                commands.push(format!("git trace branch {}-there {more}", one.branch));
            }
            (_, Some(tip)) | (Some(tip), None) => commands.push(format!("git trace branch {} {tip}", one.branch)),
            (None, None) => {}
        }
    }
    commands.extend(choice.tags.iter().map(|(tag, id)| format!("git trace tag {tag} {id}")));
    // What remotes had comes with the next fetch.
    let own = refs.iter().filter(|(name, _)| name.contains("/aside/") || name.contains("/snapshots/"));
    commands.extend(own.map(|(name, id)| format!("git update-ref {name} {id}")));
    commands
}
