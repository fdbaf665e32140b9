//! Agents' own records of a session, read as steps: one folder per agent.
//!
//! Reading is streaming and deterministic: the same bytes give the same steps and the same entry ids, on every machine
//! and however often they are read. Nothing here touches git, the clock or the environment.

mod agent;
pub mod amp;
mod bounded;
pub mod chatgpt;
pub mod claude;
mod compose;
pub mod continue_cli;
pub mod copilot;
pub mod cursor;
mod database;
pub mod droid;
pub mod hermes;
mod members;
pub mod opencode;
mod outlet;
pub mod pi;
#[cfg(test)]
mod reader_tests;
mod route;
mod selected;
mod session;
mod sniff;
pub mod swe_agent;
pub mod windsurf;

pub use agent::{Agent, UnknownAgent};
pub use route::{Conversation, Routed};
pub use session::{CaptureError, SessionFacts};
