//! Who writes a summary, or settles a conflict: a rule of ours, a program, or a model behind HTTP. And who works on a run:
//! an agent, turn by turn.
//!
//! One small protocol: a [`Task`] goes in, an [`Answer`] comes back, both have a JSON form. An answer is never trusted:
//! whoever asked checks it before anything is stored.

mod agent;
mod command;
mod embedded;
mod entity;
mod error;
#[cfg(feature = "http")]
mod http;
mod patterns;
mod process;
mod prompt;
mod protocol;
mod said;
mod settings;
mod task;
mod three_way;

pub use agent::{AgentKind, AgentProgram, AgentTurn, Heard, Stopped, TurnEnd};
pub use command::{Command, Input, Output};
pub use embedded::Embedded;
pub use entity::{Entity, EntityKind, entities};
pub use error::DriverError;
#[cfg(feature = "http")]
pub use http::{Dialect, Http};
pub(crate) use patterns::patterns;
pub use process::Interrupt;
pub use prompt::Prompts;
pub use settings::{Opening, open};
pub use task::{Answer, Form, Passage, Reconcile, Summarise, Task};

/// Carries out tasks.
pub trait Driver {
    /// Returns the name that a commit records, such as `embedded`, `command:claude`, `http:anthropic`.
    fn name(&self) -> String;

    /// Carries out one task.
    ///
    /// # Errors
    /// When there is no answer that can be read.
    fn carry_out(&self, task: &Task) -> Result<Answer, DriverError>;
}
