//! Claude Code's transcripts: JSONL files, one per session, which grow while the session goes on.
//!
//! The shape of the lines is no documented interface; what is read here was found in about 100,000 real lines and in
//! the types of the public SDK. A line of a type or shape that is not known becomes an event, byte for byte.
//!
//! * An **API message** stands on several lines with the same `message.id`. They are one entry: the blocks in their own
//!   bytes, the usage of the row with the highest output. Results of its tool calls, which may stand between its lines,
//!   follow it.
//! * A **user line** is a tool entry when it holds a tool result, else a user entry.
//! * `progress` and `file-history-snapshot` lines are the display's and the undo's; they are counted and dropped, and
//!   so is `toolUseResult`, a second copy of each result. Messages that the client made itself are events.
//! * A **compaction** (`compact_boundary` and the summary after it) is `Step::Compress`, a micro-compaction
//!   `Step::Mask`.
//! * A **rewind** is a second prompt after the same message. It starts a branch. All other forks of the `parentUuid`
//!   graph (parallel tool calls, progress) are none.
//! * Inline **subagents** (`isSidechain`) are conversations of their own; a file that begins with a subagent's message
//!   is that subagent's, and its conversation the main one.
//! * An API id that comes back after its message was closed (a file that repeats itself) makes an entry of its own
//!   without usage, so nothing is lost and nothing counted twice. A uuid that comes back is passed over, unless a
//!   compaction had removed the message and it now follows another one.

mod compact;
mod content;
mod graph;
mod importer;
mod join;
pub(in crate::capture) mod json;
mod line;
pub(in crate::capture) mod lines;
mod mask;
mod message;
mod names;
mod output;
mod read;
mod safe;
mod subagents;
mod summary;
#[cfg(test)]
mod tests;
mod thread;
mod usage;
mod watermark;

pub use mask::mask_tool_results;
pub use read::{ClaudeError, Issue, IssueKind, Outcome, read, read_unknown, resume};
pub use subagents::subagent_files;
pub use summary::{Compaction, Summary, UsageTotals};
pub use watermark::Watermark;
