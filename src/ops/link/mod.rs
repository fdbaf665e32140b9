//! The link between code and context: what was written is noted, found again in commits, and kept in an index.

mod cause;
mod commit;
mod git_hook;
mod index;
mod journal;
mod path;
mod relink;
mod trailer;
mod why;

pub use cause::{Cause, Said};
pub use git_hook::{GitHook, GitHooked, HOOK_INPUT_MAX, git_hook, link_arrived};
pub(super) use index::{Links, commits_by_session, own_links, rewritten, written_ref};
pub(super) use journal::{Journal, Note, Noting};
pub use relink::{Relink, Relinked, relink};
pub use why::{CodeBrief, Explained, Why, WhyLines, why};

use super::{OpError, Workspace};
use crate::store::StoreError;

/// Lets go of the writes that were noted of some branches.
pub(super) fn forget_writes(workspace: &Workspace, goes: &dyn Fn(&str) -> bool) -> Result<(), OpError> {
    change_writes(workspace, &|note| (!goes(&note.branch)).then_some(note))
}

/// Changes what was noted of writes: `None` lets a note go.
pub(super) fn change_writes(workspace: &Workspace, change: &dyn Fn(Note) -> Option<Note>) -> Result<(), OpError> {
    let io = |source| StoreError::Io { action: "write", path: workspace.trace_dir().join("writes"), source };
    Ok(Journal::of(workspace).change(change).map_err(io)?)
}
