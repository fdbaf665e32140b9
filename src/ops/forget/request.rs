//! What is asked of `forget`, and what it says.

use serde::Serialize;

use crate::model::ObjectId;
use crate::store::Purged;

/// Asks for branches or sessions to be forgotten, or for that to be lifted.
#[derive(Debug, Clone, Default)]
pub struct Forget {
    /// Branches, agents' names, or sessions as `<agent>:<id>`.
    pub names: Vec<String>,
    /// The remote that is to forget them too; `None` inside: the default one.
    pub remote: Option<Option<String>>,
    /// Whether they may come back.
    pub lift: bool,
    /// Whether objects that nothing reaches any more are dropped now.
    pub purge: bool,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
}

/// Says what was forgotten, or would be.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Forgotten {
    /// The branches.
    pub branches: Vec<ForgottenBranch>,
    /// The sessions that nobody brings back.
    pub sessions: Vec<String>,
    /// Tags that went with them.
    pub tags: Vec<ForgottenRef>,
    /// Other refs that went: of remotes, of work trees, of what was aside.
    pub refs: Vec<ForgottenRef>,
    /// Files under the git directory that went, without its path.
    pub files: Vec<String>,
    /// Links between code and context that went with them; the index begins anew then.
    pub links: u64,
    /// Branches and tags that still hold the same commits, or some of them.
    pub held_by: Vec<Holder>,
    /// What became of it at the remote.
    pub remote: Option<RemoteForgotten>,
    /// What was dropped at once.
    pub purged: Option<PurgeOutcome>,
    /// The commands that bring it back.
    pub undo: Vec<String>,
}

/// Names a branch that was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForgottenBranch {
    /// Its name, `<agent>/<branch>`.
    pub branch: String,
    /// Its newest commit; `None` if it was gone before.
    pub tip: Option<ObjectId>,
    /// The ref of its tombstone.
    pub tombstone: String,
    /// Whether this worktree was on it: HEAD has no commit now.
    pub was_head: bool,
}

/// Names a ref that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForgottenRef {
    /// Its full name.
    pub name: String,
    /// What it named.
    pub id: ObjectId,
}

/// Names what still holds commits that were to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// The ref.
    pub name: String,
    /// The forgotten branch.
    pub branch: String,
    /// Whether it holds all of the branch.
    pub whole: bool,
}

/// Says what a remote forgot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteForgotten {
    /// The remote.
    pub remote: String,
    /// Refs that are gone there, by their names here.
    pub deleted: Vec<String>,
    /// Tombstones that are there now.
    pub tombstones: Vec<String>,
    /// What it refused, and why.
    pub rejected: Vec<(String, String)>,
    /// Branches that had commits there that are on no branch here.
    pub only_there: Vec<OnlyThere>,
}

/// Names a branch of a remote that had more than ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OnlyThere {
    /// The branch.
    pub branch: String,
    /// Its newest commit there.
    pub tip: ObjectId,
    /// How many commits are on no branch here.
    pub commits: usize,
}

/// Says what a purge dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PurgeOutcome {
    /// Objects that are gone.
    pub dropped: u64,
    /// Objects that something else still reaches.
    pub reached: u64,
    /// Objects in packs of the user's: `git gc --prune=now` drops them.
    pub left: u64,
    /// Lines of logs that went.
    pub log_lines: u64,
    /// Commits that were to go, and that something still holds.
    pub held: u64,
}

impl From<Purged> for PurgeOutcome {
    fn from(purged: Purged) -> Self {
        let Purged { dropped, reached, left, log_lines, held } = purged;
        PurgeOutcome { dropped, reached, left, log_lines, held: held.len() as u64 }
    }
}

/// Says what may come back.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Lifted {
    /// Tombstones that are gone: the branches, and the refs.
    pub tombstones: Vec<(String, String)>,
    /// Copies that were moved aside.
    pub aside: Vec<ForgottenRef>,
    /// What became of it at the remote.
    pub remote: Option<RemoteForgotten>,
    /// The commands that bring the branches back.
    pub undo: Vec<String>,
}
