//! Agents' own records of a session, read as steps: one folder per agent.
//!
//! Reading is streaming and deterministic: the same bytes give the same steps and the same entry ids, on every machine
//! and however often they are read. Nothing here touches git, the clock or the environment.

mod agent;
pub mod claude;
mod digest;
mod event;
mod head;
mod ledger;
mod recognise;
mod record;
mod route;
mod session;
mod stamp;
mod writes;

pub use agent::{Agent, UnknownAgent};
pub use event::{Event, EventKind};
pub use recognise::{RECOGNISED_BYTES, recognise, recognise_file};
pub use record::{Issue, Outcome, Receiver, Record};
pub use route::{Conversation, Routed};
pub use session::{CaptureError, SessionFacts};
pub use writes::{ToolCall, file_writes, tool_call};
