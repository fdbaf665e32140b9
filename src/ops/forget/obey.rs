//! What others have forgotten is moved aside here: never deleted, and never brought back to them.

use std::collections::HashSet;

use serde::Serialize;

use super::tombstones::{Known, Tombstones, Whose};
use crate::model::{Branch, ObjectId};
use crate::ops::{OpError, Workspace};
use crate::store::{RefMove, Repo, StoreError};

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
    /// The commands that bring it back, after those of what is before it; `None` for what the next fetch brings.
    pub undo: Option<String>,
}

/// What is to be moved aside.
struct Covered<'t> {
    /// As people call it.
    shown: String,
    branch: Branch,
    ref_name: String,
    tip: ObjectId,
    known: &'t Known,
    what: What,
}

/// What kind of ref it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Branch,
    Tag,
    /// What a remote had.
    Tracking,
}

/// Moves local branches, tags and tracking refs that a tombstone covers aside; tells which.
///
/// It comes after every fetch and before every push. The copies under `refs/trace/aside/` are whole before the refs go,
/// logs of branches included. A tombstone of the default remote that covered something is this repository's from then on.
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
    let (mut moved, mut moves): (Vec<MovedAside>, Vec<RefMove>) = Default::default();
    let (mut copies, mut lifted) = (Copies::default(), HashSet::new());
    for one in covered {
        let Covered { shown, branch, ref_name, tip, known, what } = one;
        let tombstone = repo.tombstone_ref(&known.tombstone);
        if known.whose == Whose::Default && moves.iter().all(|one| one.name != tombstone) {
            moves.push(RefMove { name: tombstone.clone(), old: None, new: Some(known.id), log_of: None });
        }
        let aside = match copies.holding(repo, &branch, tip, what)? {
            Some(aside) => aside,
            None => {
                let (aside, is_there) = repo.aside_ref(&branch, tip, &copies.names())?;
                if !is_there {
                    let log_of = Some(ref_name.clone());
                    moves.push(RefMove { name: aside.clone(), old: None, new: Some(tip), log_of });
                }
                copies.taken.push((aside.clone(), tip));
                aside
            }
        };
        moves.push(RefMove::deletion(ref_name.clone(), tip));
        let on = worktrees.iter().filter(|worktree| what == What::Branch && worktree.is_on(&branch));
        let back = match what {
            What::Branch => Some(format!("git trace branch {branch} {tip}")),
            What::Tag => Some(format!("git trace tag {branch} {tip}")),
            What::Tracking => None,
        };
        let forgotten = &known.tombstone.branch;
        moved.push(MovedAside {
            worktrees: on.map(|worktree| worktree.path.display().to_string()).collect(),
            // Each is lifted once, before the first that comes back.
            undo: back.map(|back| match lifted.insert(forgotten.clone()) {
                true => format!("git trace forget --lift {forgotten} && {back}"),
                false => back,
            }),
            branch: shown,
            ref_name,
            tip,
            aside,
            tombstone: if known.whose == Whose::Default { tombstone } else { known.ref_name.clone() },
        });
    }
    repo.move_refs(&moves, &[], "trace forget: moved aside", true, &repo.committer()?)?;
    Ok(moved)
}

/// The copies that were moved aside.
#[derive(Default)]
struct Copies {
    /// Those of this time.
    taken: Vec<(String, ObjectId)>,
}

impl Copies {
    /// Finds a copy that keeps a commit already. A branch has one of its own, for its log; what tags and remotes had may be
    /// further down in another.
    fn holding(&self, repo: &Repo, branch: &Branch, tip: ObjectId, what: What) -> Result<Option<String>, StoreError> {
        let mut all = self.taken.clone();
        if what != What::Branch {
            all.extend(repo.asides_of(branch)?);
        }
        let alike = all.iter().find(|(_, id)| *id == tip);
        if alike.is_some() || what == What::Branch {
            return Ok(alike.map(|(name, _)| name.clone()));
        }
        let ids: Vec<ObjectId> = all.iter().map(|(_, id)| *id).collect();
        let holding = repo.containing(&ids, tip).unwrap_or_default();
        Ok(all.into_iter().find(|(_, id)| holding.contains(id)).map(|(name, _)| name))
    }

    fn names(&self) -> Vec<String> {
        self.taken.iter().map(|(name, _)| name.clone()).collect()
    }
}

/// Finds all that a tombstone covers: branches first, whose copies the others may share.
fn covered<'t>(workspace: &Workspace, tombstones: &'t Tombstones) -> Result<Vec<Covered<'t>>, OpError> {
    let repo = &workspace.repo;
    let prefix = &repo.settings().ref_prefix;
    let mut found = Vec::new();
    let mut staying = Vec::new();
    for (branch, tip) in repo.branches()? {
        match tombstones.covers(workspace, None, &branch, tip) {
            Some(known) => found.push(Covered {
                shown: branch.to_string(),
                ref_name: repo.branch_ref(&branch),
                branch,
                tip,
                known,
                what: What::Branch,
            }),
            None => staying.push(tip),
        }
    }
    for (name, tip) in repo.remote_branches()? {
        let Some((remote, rest)) = name.split_once('/') else { continue };
        let Ok(branch) = Branch::parse(rest, "") else { continue };
        match tombstones.covers(workspace, Some(remote), &branch, tip) {
            Some(known) => {
                let ref_name = format!("{prefix}/remotes/{name}");
                found.push(Covered { shown: name, ref_name, branch, tip, known, what: What::Tracking });
            }
            // What stays there keeps the tags on it here too: not everybody has all branches.
            None => staying.push(tip),
        }
    }
    for (tag, tip) in repo.tags()? {
        if let Some(known) = tombstones.covers_tag(workspace, None, &tag, tip, &staying) {
            let (shown, ref_name) = (tag.to_string(), repo.tag_ref(&tag));
            found.push(Covered { shown, ref_name, branch: tag, tip, known, what: What::Tag });
        }
    }
    let remote_tags = format!("{prefix}/remote-tags/");
    for (ref_name, tip) in repo.list_refs(&remote_tags)? {
        let shown = ref_name[remote_tags.len()..].to_owned();
        let Some((remote, rest)) = shown.split_once('/') else { continue };
        let Ok(branch) = Branch::parse(rest, "") else { continue };
        if let Some(known) = tombstones.covers_tag(workspace, Some(remote), &branch, tip, &staying) {
            found.push(Covered { shown, ref_name, branch, tip, known, what: What::Tracking });
        }
    }
    Ok(found)
}
