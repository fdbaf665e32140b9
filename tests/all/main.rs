//! Promises that a user would notice broken, checked on the real program and by real git.

mod freshen;
mod full;
mod kills;
mod power;
mod syscalls;
mod world;
mod writers;
