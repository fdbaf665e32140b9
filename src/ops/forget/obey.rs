//! What others have forgotten is moved aside here: never deleted, and never brought back to them.

use serde::Serialize;

use super::tombstones::Tombstones;
use crate::model::{Branch, ObjectId};
use crate::ops::{OpError, Workspace};
use crate::store::RefMove;

/// Names a branch, tag or tracking branch that was moved aside because a tombstone covers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedAside {
    /// Its name, `<agent>/<branch>`; behind a remote's name if it is what that remote had.
    pub branch: String,
    /// The ref that is gone.
    pub ref_name: String,
    /// What it named.
    pub tip: ObjectId,
    /// The ref that names it now.
    pub aside: String,
    /// The ref of the tombstone.
    pub tombstone: String,
    /// Worktrees that were on the branch, which has no commit there now.
    pub worktrees: Vec<String>,
    /// The commands that bring it back.
    pub undo: String,
}

/// What is to be moved aside.
struct Covered {
    /// As people call it.
    shown: String,
    branch: Branch,
    ref_name: String,
    tip: ObjectId,
    tombstone: String,
    is_tag: bool,
}

/// Moves local branches, tags and tracking refs that a tombstone covers aside; tells which.
///
/// It comes after every fetch and before every push. The copies under `refs/trace/aside/` are whole before the refs go,
/// logs of branches included.
///
/// # Errors
/// When the refs cannot be read or moved.
pub(crate) fn obey_tombstones(workspace: &Workspace) -> Result<Vec<MovedAside>, OpError> {
    let tombstones = Tombstones::read(workspace)?;
    if tombstones.is_empty() {
        return Ok(Vec::new());
    }
    let covered = covered(workspace, &tombstones)?;
    if covered.is_empty() {
        return Ok(Vec::new());
    }
    let repo = &workspace.repo;
    let worktrees = repo.worktree_heads()?;
    let (mut moved, mut moves, mut taken): (Vec<MovedAside>, Vec<RefMove>, Vec<String>) = Default::default();
    for one in covered {
        let Covered { shown, branch, ref_name, tip, tombstone, is_tag } = one;
        // What is aside already keeps what a tracking ref had.
        let kept = moved.iter().find(|other| other.tip == tip).map(|other| other.aside.clone());
        let aside = match kept {
            Some(aside) => aside,
            None => {
                let (aside, is_there) = repo.aside_ref(&branch, tip, &taken)?;
                if !is_there {
                    let log_of = Some(ref_name.clone());
                    moves.push(RefMove { name: aside.clone(), old: None, new: Some(tip), log_of });
                }
                taken.push(aside.clone());
                aside
            }
        };
        moves.push(RefMove::deletion(ref_name.clone(), tip));
        let on = worktrees
            .iter()
            .filter(|worktree| !is_tag && ref_name == repo.branch_ref(&branch) && worktree.is_on(&branch));
        let back = if is_tag { "tag" } else { "branch" };
        moved.push(MovedAside {
            worktrees: on.map(|worktree| worktree.path.display().to_string()).collect(),
            undo: format!(
                "git trace forget --lift {} && git trace {back} {branch} {tip}",
                lifted(&tombstones, &tombstone)
            ),
            branch: shown,
            ref_name,
            tip,
            aside,
            tombstone,
        });
    }
    repo.move_refs(&moves, &[], "trace forget: moved aside", true, &repo.committer()?)?;
    Ok(moved)
}

/// Names the branch whose tombstone has this ref.
fn lifted(tombstones: &Tombstones, ref_name: &str) -> String {
    let found = tombstones.all().find(|(name, _)| name == ref_name);
    found.map(|(_, tombstone)| tombstone.branch.to_string()).unwrap_or_default()
}

/// Finds all that a tombstone covers: branches first, whose copies the others may share.
fn covered(workspace: &Workspace, tombstones: &Tombstones) -> Result<Vec<Covered>, OpError> {
    let repo = &workspace.repo;
    let prefix = &repo.settings().ref_prefix;
    let mut found = Vec::new();
    let mut staying = Vec::new();
    for (branch, tip) in repo.branches()? {
        match tombstones.covers(workspace, &branch, tip) {
            Some(tombstone) => found.push(Covered {
                shown: branch.to_string(),
                ref_name: repo.branch_ref(&branch),
                branch,
                tip,
                tombstone: tombstone.to_owned(),
                is_tag: false,
            }),
            None => staying.push(tip),
        }
    }
    for (name, tip) in repo.remote_branches()? {
        let Some(branch) = name.split_once('/').and_then(|(_, rest)| Branch::parse(rest, "").ok()) else { continue };
        if let Some(tombstone) = tombstones.covers(workspace, &branch, tip) {
            let (ref_name, tombstone) = (format!("{prefix}/remotes/{name}"), tombstone.to_owned());
            found.push(Covered { shown: name, ref_name, branch, tip, tombstone, is_tag: false });
        }
    }
    let mut tags: Vec<(String, String, Branch, ObjectId)> = Vec::new();
    tags.extend(repo.tags()?.into_iter().map(|(tag, id)| (tag.to_string(), repo.tag_ref(&tag), tag, id)));
    let remote_tags = format!("{prefix}/remote-tags/");
    for (name, id) in repo.list_refs(&remote_tags)? {
        let shown = name[remote_tags.len()..].to_owned();
        let tag = shown.split_once('/').and_then(|(_, rest)| Branch::parse(rest, "").ok());
        tags.extend(tag.map(|tag| (shown, name, tag, id)));
    }
    for (shown, ref_name, branch, tip) in tags {
        if let Some(tombstone) = tombstones.covers_tag(workspace, &branch, tip, &staying) {
            let tombstone = tombstone.to_owned();
            found.push(Covered { shown, ref_name, branch, tip, tombstone, is_tag: true });
        }
    }
    Ok(found)
}
