//! The words of the domain: entries, roles, positions, operations, facts. No I/O, no git, no formats.

mod branch;
mod commit;
mod entry;
mod facts;
mod file_write;
mod id;
mod oid;
mod operation;
mod position;
mod role;
mod step;
mod time;
mod usage;

pub use branch::{Branch, BranchError};
pub use commit::{Commit, Person};
pub use entry::{BodyKind, Entry, Flags, Item};
pub use facts::{Facts, Touch, TouchKind};
pub use file_write::{FileChange, FileWrite};
pub use id::{EntryId, ParseEntryIdError};
pub use oid::{HashKind, ObjectId, ParseObjectIdError};
pub use operation::Operation;
pub use position::{Position, PositionError};
pub use role::Role;
pub use step::{Message, Step};
pub use time::{ParseTimeError, Time};
pub use usage::{NanoDollars, Usage};
