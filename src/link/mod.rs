//! The link between code and context: which of the lines that a commit adds were written by which tool call. Pure.
//!
//! Evidence is text: a line is linked when a tool call wrote it to that file before the commit was made. What merely
//! happened at the same time is no evidence.

mod claim;
mod line;
mod origin;
mod patch_id;
mod record;
mod runs;
mod simulate;

pub use claim::is_borne_out;
pub use line::normal;
pub use origin::{Effort, Origins, Written, is_moved_in, origins};
pub use patch_id::{PatchFile, PatchId, patch_id};
pub use record::{Link, LinkError, LinkRecord};
