//! `redact`: makes history anew without something that slipped in.
//!
//! Entries keep their ids and places; what they hold, what it costs, and what commits are called changes from the first
//! commit on that holds it. All refs move together.

mod cut;
mod follow;
mod history;
mod holders;
mod message;
mod outcome;
mod stub;
mod summaries;

use std::collections::{BTreeMap, HashSet};

pub(in crate::ops) use self::outcome::GREW;
pub use self::outcome::{AUTHOR, Left, Redact, RedactOutcome, RewrittenRef};

use self::cut::Cut;
use self::history::History;
use super::{OpError, Workspace};
use crate::model::{Branch, EntryId, ObjectId};
use crate::redact::Pattern;
use crate::store::{Purge, RefMove};

/// Fewest bytes of words that are taken out: shorter ones stand everywhere.
const WORDS_MIN: usize = 3;

/// Takes words, patterns or whole entries out of stored history. `progress` is told the number of commits done.
///
/// # Errors
/// When a pattern is malformed or is nowhere, a merge or rebase waits to be continued, or the repository cannot be read or
/// written; [`crate::store::StoreError::RefMoved`] when somebody else commits meanwhile: nothing has changed then.
pub fn redact(
    workspace: &Workspace,
    request: &Redact,
    progress: &mut dyn FnMut(u64),
) -> Result<RedactOutcome, OpError> {
    let repo = &workspace.repo;
    if request.what.is_empty() && !request.scan {
        return Err(OpError::Request { reason: "nothing is named that is to be taken out".to_owned() });
    }
    workspace.check_nothing_stopped()?;
    if let Some(stopped) = repo.stopped_commands()?.into_iter().find(|stopped| !stopped.is_current) {
        return Err(OpError::OngoingIn { verb: stopped.verb, path: stopped.path });
    }
    workspace.rehearse(request.dry_run);
    let refs = refs(workspace, request)?;
    let tips: Vec<ObjectId> = refs.values().copied().collect();
    let commits = repo.reachable(&tips)?;
    let (patterns, mut entries) = what(workspace, request, &commits)?;
    let summaries = summaries::add(workspace, &commits, &mut entries);
    let cut = Cut::new(workspace.scanner()?, patterns, entries, request.scan);
    let mut history = History::new(workspace, &cut, repo.rewrite(request.dry_run)?);
    history.run(&commits, progress)?;
    let mut told = RedactOutcome {
        commits: history.changed.clone(),
        bodies: history.bodies,
        found: cut.found(),
        unsigned: history.unsigned,
        left: history.left.clone(),
        summaries,
        ..RedactOutcome::default()
    };
    let only_logged = repo.only_logged()?;
    let logged: HashSet<ObjectId> = history.would_change(&only_logged)?.into_iter().collect();
    told.logged = logged.len() as u64;
    told.held_by = holders::find(workspace, &refs, &history)?;
    holders::look_elsewhere(workspace, &cut, &mut told)?;
    if told.commits.is_empty() && (logged.is_empty() || !request.purge) {
        if told.left.is_empty() && !request.scan && told.held_by.is_empty() {
            return Err(OpError::Nothing { reason: nowhere(&told) });
        }
        return Ok(told);
    }
    let mut moves = Vec::new();
    for (name, old) in &refs {
        let Some(new) = history.renamed(old) else { continue };
        moves.push(RefMove { name: name.clone(), old: Some(*old), new: Some(new), log_of: None });
        told.refs.push(RewrittenRef { name: shown(workspace, name), ref_name: name.clone(), old: *old, new });
    }
    told.undo = undo(workspace, &told.refs);
    let who = repo.committer()?;
    let index = follow::index(workspace, &mut history, &cut, &who)?;
    if request.dry_run {
        return Ok(told);
    }
    let mut doomed: Vec<ObjectId> = told.refs.iter().map(|one| one.old).collect();
    doomed.extend(index.iter().filter_map(|one| one.old));
    moves.extend(index);
    let followed = follow::Followed::of(&history, &cut);
    let rewrite = history.rewrite;
    if !moves.is_empty() {
        rewrite.finish(&moves, "trace redact", &who)?;
    }
    followed.carry_over(workspace)?;
    if request.purge {
        doomed.extend(told.commits.iter().map(|(old, _)| *old).chain(logged.iter().copied()));
        let kept: Vec<ObjectId> = only_logged.into_iter().filter(|id| !logged.contains(id)).collect();
        let quotes = |line: &[u8]| cut.is_in(line);
        let purged = repo.purge(&Purge { commits: &doomed, kept: &kept, quotes: &quotes }, &who)?;
        holders::still(workspace, &purged.held, &mut told)?;
        told.purged = Some(purged.into());
    }
    Ok(told)
}

/// Says that there is nothing to do, and where something is all the same.
fn nowhere(told: &RedactOutcome) -> String {
    match told.logged {
        0 => "it is nowhere in the history".to_owned(),
        1 => "only logs hold it, in 1 commit, which goes with --purge".to_owned(),
        count => format!("only logs hold it, in {count} commits, which go with --purge"),
    }
}

/// Finds the refs that are made anew.
fn refs(workspace: &Workspace, request: &Redact) -> Result<BTreeMap<String, ObjectId>, OpError> {
    let repo = &workspace.repo;
    let mut found = BTreeMap::new();
    let wanted = request.branch.as_deref().map(|name| {
        let agent = workspace.head().map(|head| head.agent()).unwrap_or_default();
        Branch::parse(name, &agent)
    });
    let wanted = wanted.transpose()?;
    let (chosen, others): (Vec<_>, Vec<_>) =
        repo.branches()?.into_iter().partition(|(branch, _)| wanted.as_ref().is_none_or(|wanted| wanted == branch));
    if let (Some(wanted), true) = (&wanted, chosen.is_empty()) {
        return Err(crate::store::StoreError::NoBranch { branch: wanted.to_string() }.into());
    }
    let tips: Vec<ObjectId> = chosen.iter().map(|(_, tip)| *tip).collect();
    let kept: Vec<ObjectId> = others.iter().map(|(_, tip)| *tip).collect();
    let mut more: Vec<(String, ObjectId)> = Vec::new();
    more.extend(repo.tags()?.into_iter().map(|(tag, id)| (repo.tag_ref(&tag), id)));
    more.extend(repo.worktree_refs()?);
    more.extend(repo.aside_refs()?);
    // Work trees are no contexts, but say at which commit of one they were.
    more.extend(repo.list_refs(&format!("{}/snapshots/", repo.settings().ref_prefix))?);
    if wanted.is_some() {
        let ids: Vec<ObjectId> = more.iter().map(|(_, id)| *id).collect();
        let mut reached = HashSet::new();
        for tip in &tips {
            reached.extend(repo.reached(*tip, &ids)?);
        }
        let mut own = Vec::new();
        for (name, id) in more {
            if reached.contains(&id) && repo.containing(&kept, id)?.is_empty() {
                own.push((name, id));
            }
        }
        more = own;
    }
    found.extend(chosen.into_iter().map(|(branch, tip)| (repo.branch_ref(&branch), tip)));
    found.extend(more);
    Ok(found)
}

/// Reads what is to be taken out; the whole id of an entry that there is means the entry.
fn what(
    workspace: &Workspace,
    request: &Redact,
    commits: &[ObjectId],
) -> Result<(Vec<Pattern>, HashSet<EntryId>), OpError> {
    let (mut patterns, mut entries) = (Vec::new(), HashSet::new());
    let could_be: HashSet<EntryId> = match request.regex {
        true => HashSet::new(),
        false => request.what.iter().filter_map(|text| text.parse().ok()).collect(),
    };
    if !could_be.is_empty() {
        for id in commits {
            let Ok(commit) = workspace.repo.read_commit(id) else { continue };
            entries.extend(commit.facts.entries.iter().map(|touch| touch.id).filter(|id| could_be.contains(id)));
        }
    }
    for text in &request.what {
        if text.parse::<EntryId>().is_ok_and(|id| entries.contains(&id)) {
            continue;
        }
        if request.regex {
            let pattern = Pattern::regex(text).map_err(|error| OpError::Request { reason: error.to_string() })?;
            patterns.push(pattern);
            continue;
        }
        if text.trim().len() < WORDS_MIN {
            return Err(OpError::Request { reason: format!("'{text}' is too short: it would go everywhere") });
        }
        patterns.push(Pattern::words(text));
    }
    Ok((patterns, entries))
}

/// Returns what people call a ref of ours.
fn shown(workspace: &Workspace, ref_name: &str) -> String {
    let prefix = format!("{}/", workspace.repo.settings().ref_prefix);
    let rest = ref_name.strip_prefix(&prefix).unwrap_or(ref_name);
    rest.strip_prefix("heads/").unwrap_or(rest).to_owned()
}

fn undo(workspace: &Workspace, refs: &[RewrittenRef]) -> Vec<String> {
    let prefix = format!("{}/", workspace.repo.settings().ref_prefix);
    let command = |one: &RewrittenRef| {
        let rest = one.ref_name.strip_prefix(&prefix)?;
        match rest.split_once('/')? {
            ("heads", branch) => Some(format!("git trace --branch {branch} reset --hard {}", one.old)),
            ("tags", tag) => Some(format!("git trace tag -f {tag} {}", one.old)),
            _ => None,
        }
    };
    refs.iter().filter_map(command).collect()
}
