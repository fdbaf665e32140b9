//! Real git servers on this machine, and what travels between them and clones: plain git first, then git trace.
//!
//! A server is started on loopback for one test, serves one bare repository in a folder of its own, and ends with the
//! test. What is not installed says "skipped"; `.ci/run` installs all of it.

mod client;
mod hasty;
mod kinds;
mod plain;
mod process;
mod proxy;
mod secrets;
mod server;
mod smoke;
mod strict;

pub use client::{Answer, Run};
pub use kinds::Kind;
pub use proxy::{Cut, How, Proxy, Way};
pub use server::Server;
pub use strict::Rule;
