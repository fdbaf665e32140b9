//! What was forgotten may come back: its tombstones go.

use std::collections::HashSet;

use super::choose::forgotten_before;
use super::remote::Place;
use super::request::{Forget, ForgottenRef, Lifted};
use super::tombstones::Tombstones;
use crate::codec::Tombstone;
use crate::ops::import::lift_firsts;
use crate::ops::{OpError, Workspace};
use crate::store::RefMove;

/// Lifts tombstones, here and, if so asked, at a remote. It brings nothing back itself, and says how to.
///
/// # Errors
/// When nothing of a name was forgotten, or a ref cannot be deleted.
pub fn lift(workspace: &Workspace, request: &Forget) -> Result<Lifted, OpError> {
    let repo = &workspace.repo;
    let place = request.remote.as_ref().map(|name| Place::find(workspace, name.as_deref())).transpose()?;
    if let Some(place) = place.as_ref().filter(|_| !request.dry_run) {
        // It may be lifted here already.
        place.learn(workspace)?;
    }
    let tombstones = Tombstones::read(workspace)?;
    let mut found: Vec<Tombstone> = Vec::new();
    for name in &request.names {
        let mut of_name = forgotten_before(workspace, name, &tombstones)?;
        if place.is_none() {
            of_name.retain(|one| repo.find_ref_id(&repo.tombstone_ref(one)).is_ok_and(|id| id.is_some()));
        }
        if of_name.is_empty() {
            return Err(OpError::NotForgotten { name: name.clone() });
        }
        found.extend(of_name);
    }
    // A session comes back whole: what its subagents said was forgotten with it.
    let sessions: HashSet<String> = found.iter().flat_map(|one| one.sessions.iter().cloned()).collect();
    let shares = |one: &&Tombstone| one.sessions.iter().any(|session| sessions.contains(session));
    found.extend(tombstones.all().map(|known| &known.tombstone).filter(shares).cloned());
    found.sort_by_key(Tombstone::key);
    found.dedup_by_key(|one| one.key());
    let mut told = Lifted::default();
    let mut moves = Vec::new();
    for tombstone in &found {
        let name = repo.tombstone_ref(tombstone);
        moves.extend(repo.find_ref_id(&name)?.map(|id| RefMove::deletion(name.clone(), id)));
        told.tombstones.push((tombstone.branch.to_string(), name));
        let branch = tombstone.branch.to_string();
        let mut tips = Vec::new();
        for (name, id) in repo.asides_of(&tombstone.branch)? {
            tips.push(id);
            told.aside.push(ForgottenRef { name, id });
        }
        if tips.is_empty() && repo.read_commit(&tombstone.tip).is_ok() {
            tips.push(tombstone.tip);
        }
        told.undo.extend(tips.first().map(|tip| format!("git trace branch {branch} {tip}")));
    }
    if request.dry_run {
        return Ok(told);
    }
    // There first: a fetch in between would bring them back here.
    let names: Vec<String> = told.tombstones.iter().map(|(_, name)| name.clone()).collect();
    told.remote = place.map(|place| place.lift(workspace, &names)).transpose()?;
    // A push notes what it deleted as gone here too.
    let mut left = Vec::new();
    for one in moves {
        if repo.find_ref_id(&one.name)?.is_some() {
            left.push(one);
        }
    }
    if !left.is_empty() {
        repo.move_refs(&left, &[], "trace forget --lift", true, &repo.committer()?)?;
    }
    lift_firsts(workspace, &found.iter().map(Tombstone::key).collect::<Vec<_>>());
    Ok(told)
}
