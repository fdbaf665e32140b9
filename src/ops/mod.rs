//! The library's API: one verb a file, from a request to an outcome.

mod brought;
mod change;
mod checkout;
mod cherry_pick;
mod commit;
mod context;
mod cost;
mod diff;
mod driver;
mod drop;
mod edit;
mod error;
mod find;
mod group;
mod import;
mod init;
mod log;
mod merge;
mod message;
mod pack;
mod pin;
mod rebase;
mod rebase_plan;
mod replay;
mod reset;
mod resume;
mod sequence;
mod show;
mod status;
mod tag;
mod workspace;

pub use brought::{Brought, Contradiction, OpenConflict, Outcome};
pub use change::Changed;
pub use checkout::{CheckedOut, Checkout, checkout};
pub use cherry_pick::{Pick as PickCommits, cherry_pick, revert};
pub use commit::{Commit as CommitMessages, commit};
pub use context::{Materialized, context};
pub use cost::{Cost, cost};
pub use diff::{Difference, EntryChange, diff};
pub use drop::{Drop as DropEntries, drop};
pub use edit::{Edit, edit};
pub use error::OpError;
pub use import::{Import, Imported, ImportedBranch, import_claude, subagent_files};
pub use init::{Init, Initialized, create_repository, init};
pub use log::{Log, log};
pub use merge::{FastForward, Merge, merge};
pub use message::{NewMessage, parse_messages};
pub use pack::pack;
pub use pin::{Pin, pin};
pub use rebase::{Rebase, rebase};
pub use rebase_plan::{PLAN_MAX, RebasePlan, rebase_plan};
pub use reset::{Reset, ResetMode, WasReset, reset};
pub use resume::{Resolution, Resume, Settle, conflicts, resume, settle};
pub use sequence::{Preference, SequenceVerb, WholeSide};
pub use show::{Shown, show};
pub use status::{Budget, Status, status};
pub use tag::{Tag, TagOutcome, tag};
pub use workspace::{Target, Workspace};

pub use crate::store::BODY_MAX;

use crate::codec::one_line;

/// Longest preview of an entry in a subject line or list, in characters.
const PREVIEW_MAX: usize = 60;

/// Returns the beginning of a text on one line.
fn preview(text: &str) -> String {
    // Enough to find the first words, however much follows.
    let end = text.char_indices().map(|(at, _)| at).nth(2000).unwrap_or(text.len());
    one_line(&text[..end], PREVIEW_MAX)
}
