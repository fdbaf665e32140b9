//! What `redact` is asked, and what it says.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{EntryId, ObjectId};
use crate::ops::PurgeOutcome;

/// What stands in the place of a path where the words are in the name or address of who made a commit.
pub const AUTHOR: &str = "author";

/// The trailer of a compression that saves nothing any more, since what it stands for is shorter now.
pub(in crate::ops) const GREW: &str = "Trace-Redacted";

/// Asks for words, or whole entries, to be taken out of stored history.
#[derive(Debug, Clone, Default)]
pub struct Redact {
    /// Words as they are, or the whole ids of entries; with `regex`, regular expressions.
    pub what: Vec<String>,
    /// Whether they are regular expressions.
    pub regex: bool,
    /// Whether what today's rules find goes too.
    pub scan: bool,
    /// The only branch that is made anew; all branches and tags if `None`.
    pub branch: Option<String>,
    /// Whether objects that nothing reaches any more are dropped now.
    pub purge: bool,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
}

/// Says what was taken out, and what is called otherwise now.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RedactOutcome {
    /// Branches, tags and other refs that moved.
    pub refs: Vec<RewrittenRef>,
    /// All commits that are made anew: as they were, and as they are. Others may hold the old ones.
    pub commits: Vec<(ObjectId, ObjectId)>,
    /// Files that changed: bodies of entries, and metadata.
    pub bodies: u64,
    /// How often each rule found something; what a person asked for is `manual`.
    pub found: BTreeMap<String, u64>,
    /// Signatures that hold no longer, and were left out.
    pub unsigned: u64,
    /// Where something had to stay: in words of the protocol, in a name.
    pub left: Vec<Left>,
    /// What still holds the old commits, such as branches of remotes, or the words, such as work trees of agents.
    pub held_by: Vec<String>,
    /// What was too large to be looked through.
    pub not_read: Vec<String>,
    /// Summaries of entries that went as a whole, and went with them.
    pub summaries: Vec<EntryId>,
    /// Commits that only logs hold, and that have it too; with `purge` they go.
    pub logged: u64,
    /// What was dropped at once.
    pub purged: Option<PurgeOutcome>,
    /// The commands that take it back.
    pub undo: Vec<String>,
}

/// Names a ref that was moved to a commit that was made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RewrittenRef {
    /// Its name, as people call it: `<agent>/<branch>`.
    pub name: String,
    /// Its full name.
    pub ref_name: String,
    /// What it named.
    pub old: ObjectId,
    /// What it names.
    pub new: ObjectId,
}

/// Names a place where words had to stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The first commit that has it.
    pub commit: ObjectId,
    /// The entry.
    pub entry: Option<EntryId>,
    /// The file's path; empty for the commit's message, [`AUTHOR`] for the names of who made it.
    pub path: String,
}
