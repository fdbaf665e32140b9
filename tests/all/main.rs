//! Promises that a user would notice broken, checked on the real program and by real git.

mod housekeeping;
mod world;
