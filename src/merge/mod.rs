//! Three-way merge of contexts, entry by entry. Pure: entries in, entries out.
//!
//! # What a merge does to the context
//!
//! * **Every live entry of both sides is there once.** Entries are told by their ids, wherever they stand and whatever
//!   they say; an entry that one side dropped and the other left alone is gone.
//! * **Ours in order, then theirs where they diverged.** What both sides began with is the scaffold. Between two of its
//!   entries come the entries that our side put there, then those that theirs put there; what was appended comes at the
//!   end. An entry that one side moved goes where that side moved it.
//! * **Calls and results stay together.** A result that answers a call of the scaffold comes first behind it; calls that
//!   still wait for their results come last. If one half stays because a side wants it kept, the other half does too.
//! * **Words are never mixed.** There is no marker text: where the two sides disagree there is a [`Conflict`], and until
//!   it is settled the entry is as it is on our side.

mod conflict;
mod entry;
mod gaps;
mod pairs;
mod run;
mod semantic;
#[cfg(test)]
mod tests;
mod three_way;

pub use conflict::{Choice, Conflict, ConflictKind};
pub use semantic::{Finding, FindingKind, STATEMENTS_MAX, Statement, contradictions};
pub use three_way::{Input, Merged, Side, merge, merge_ancestors};
