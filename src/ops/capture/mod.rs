//! Live capture: what a hook of an agent sets off, and what is remembered of each session.

mod failures;
mod record;
mod sessions;

pub use failures::note_failure;
pub use record::{LastEvent, SessionRecord, SessionState};
pub use sessions::{ListSessions, ListedSession, Sessions, sessions};
