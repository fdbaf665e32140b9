//! Agents' own records of a session, read as steps: one folder per agent.
//!
//! Reading is streaming and deterministic: the same bytes give the same steps and the same entry ids, on every machine
//! and however often they are read. Nothing here touches git, the clock or the environment.

mod agent;
pub mod amp;
pub mod atif;
mod bounded;
pub mod chatgpt;
pub mod claude;
pub mod codex;
mod compose;
pub mod continue_cli;
pub mod copilot;
pub mod cursor;
mod database;
mod digest;
pub mod droid;
mod event;
pub mod gemini;
mod growth;
mod head;
pub mod hermes;
pub mod jsonl;
mod ledger;
mod members;
pub mod opencode;
mod outlet;
pub mod pi;
#[cfg(test)]
mod reader_tests;
mod recognise;
mod record;
mod route;
mod selected;
mod session;
mod sniff;
mod stamp;
pub mod swe_agent;
pub mod windsurf;
mod writes;

pub use agent::{Agent, UnknownAgent};
pub use event::{Event, EventKind};
pub use recognise::{RECOGNISED_BYTES, recognise, recognise_file};
pub use record::{Issue, Outcome, Receiver, Record, sessions_in};
pub use route::{Conversation, Routed};
pub use session::{CaptureError, SessionFacts};
pub use stamp::{bytes_read, stamp};
pub use writes::{ToolCall, failed_calls, file_writes, tool_call};
