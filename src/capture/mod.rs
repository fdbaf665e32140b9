//! Agents' own records of a session, read as steps: one folder per agent.
//!
//! Reading is streaming and deterministic: the same bytes give the same steps and the same entry ids, on every machine
//! and however often they are read. Nothing here touches git, the clock or the environment.

mod agent;
pub mod claude;
mod route;
mod session;
mod writes;

pub use agent::{Agent, UnknownAgent};
pub use route::{Conversation, Routed};
pub use session::{CaptureError, SessionFacts};
pub use writes::{ToolCall, file_writes, tool_call};
