//! Live capture: what a hook of an agent sets off, and what is remembered of each session.

mod failures;
mod hook;
mod pause;
mod record;
mod sessions;
mod subagents;

pub use failures::note_failure;
pub use hook::{Hook, Hooked, Unheard, hook};
pub use pause::{Paused, pause, unpause};
pub(super) use record::session_files;
pub use record::{LastEvent, SessionRecord, SessionState};
pub use sessions::{ListSessions, ListedSession, Sessions, sessions};
