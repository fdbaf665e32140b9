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
pub(super) use index::{commits_by_session, written_ref};
pub(super) use journal::{Journal, Note, Noting};
pub use relink::{Relink, Relinked, relink};
pub use why::{CodeBrief, Explained, Why, WhyLines, why};
