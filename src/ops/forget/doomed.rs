//! What a purge has to drop: what the branches held when they went, with their logs. The names of the commits are
//! remembered in a file of the git directory, so that a later `--purge` finds what nothing leads to any more.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use super::choose::{Choice, Chosen};
use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};
use crate::store::StoreError;

/// The file: on each line the key of a tombstone, and a commit that went with the branch.
const FILE: &str = "forgotten-commits";

/// Collects what goes with each branch: its tip, what its log holds, and the other refs.
pub(super) fn of(
    workspace: &Workspace,
    choice: &Choice,
    refs: &[(String, ObjectId)],
) -> Result<BTreeSet<(String, ObjectId)>, OpError> {
    let mut found = BTreeSet::new();
    for one in &choice.chosen {
        let mut ids = workspace.repo.logged_ids(&workspace.repo.branch_ref(&one.branch))?;
        ids.extend(one.tip.into_iter().chain([one.tombstone.tip]));
        ids.extend(choice.tags.iter().map(|(_, id)| *id).chain(refs.iter().map(|(_, id)| *id)));
        found.extend(ids.into_iter().map(|id| (one.tombstone.key(), id)));
    }
    Ok(found)
}

/// Finds what only logs hold of the branches, unless something that stays began as they did.
pub(super) fn in_logs(
    workspace: &Workspace,
    choice: &Choice,
    refs: &[(String, ObjectId)],
) -> Result<Vec<ObjectId>, OpError> {
    let repo = &workspace.repo;
    let mut going: HashSet<String> = choice.chosen.iter().map(|one| repo.branch_ref(&one.branch)).collect();
    going.extend(choice.tags.iter().map(|(tag, _)| repo.tag_ref(tag)).chain(refs.iter().map(|(name, _)| name.clone())));
    let all = repo.list_refs(&format!("{}/", repo.settings().ref_prefix))?;
    let staying: Vec<ObjectId> = all.into_iter().filter(|(name, _)| !going.contains(name)).map(|(_, id)| id).collect();
    let logged = repo.only_logged()?;
    let mut found = HashSet::new();
    for root in choice.chosen.iter().flat_map(|one| &one.tombstone.roots).collect::<BTreeSet<_>>() {
        if repo.containing(&staying, *root).is_ok_and(|holding| holding.is_empty()) {
            found.extend(repo.containing(&logged, *root).unwrap_or_default());
        }
    }
    Ok(found.into_iter().collect())
}

/// Remembers what went, until it is purged.
pub(super) fn remember(workspace: &Workspace, doomed: &BTreeSet<(String, ObjectId)>) -> Result<(), OpError> {
    let path = file(workspace);
    let text: String = doomed.iter().map(|(key, id)| format!("{key} {id}\n")).collect();
    let write = || {
        fs::create_dir_all(workspace.trace_dir())?;
        fs::OpenOptions::new().append(true).create(true).open(&path)?.write_all(text.as_bytes())
    };
    write().map_err(|source| StoreError::Io { action: "write", path: path.clone(), source }.into())
}

/// Returns what was remembered of these branches.
pub(super) fn remembered(workspace: &Workspace, choice: &Choice) -> Vec<ObjectId> {
    let keys: HashSet<String> = choice.chosen.iter().map(key).collect();
    let text = fs::read_to_string(file(workspace)).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.filter(|(key, _)| keys.contains(*key)).filter_map(|(_, id)| id.parse().ok()).collect()
}

/// Forgets what was remembered of these branches: it is purged.
pub(super) fn forget(workspace: &Workspace, choice: &Choice) -> Result<(), OpError> {
    let path = file(workspace);
    let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
    let keys: HashSet<String> = choice.chosen.iter().map(key).collect();
    let stays = |line: &&str| line.split_once(' ').is_some_and(|(key, _)| !keys.contains(key));
    let kept: String = text.lines().filter(stays).map(|line| format!("{line}\n")).collect();
    let temporary = path.with_extension("new");
    let write = || match kept.is_empty() {
        true => fs::remove_file(&path),
        false => fs::write(&temporary, &kept).and_then(|()| fs::rename(&temporary, &path)),
    };
    write().map_err(|source| StoreError::Io { action: "write", path: path.clone(), source }.into())
}

fn key(one: &Chosen) -> String {
    one.tombstone.key()
}

fn file(workspace: &Workspace) -> PathBuf {
    workspace.trace_dir().join(FILE)
}
