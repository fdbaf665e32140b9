//! `forget`: deletes branches and sessions for good, here and elsewhere, and remembers that they are to stay away.

mod obey;
mod tombstones;

pub use obey::MovedAside;
pub(crate) use obey::obey_tombstones;
pub(super) use tombstones::forgotten_session;
pub(crate) use tombstones::{Tombstones, is_forgotten};
