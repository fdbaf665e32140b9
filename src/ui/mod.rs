//! The terminal: colour, pager, progress, JSON, escaping, manual pages and completions.
//!
//! The only room that writes to standard output and standard error. It looks nothing up in git: a caller hands it
//! [`Settings`], and [`Environment`] holds the variables that count.
//!
//! **Invariant: nothing that a context holds acts on a terminal.** A [`Line`] is escaped when it is made,
//! [`Ui::text`] and the messages escape, JSON writes such characters as `\u…`, and [`Ui::raw_out`] lets bytes through
//! unchanged only where no person reads them. A test feeds the output to a terminal's parser.

#![allow(clippy::disallowed_methods, reason = "this is the room that prints, and starts pager and editor")]

mod answer;
pub mod completions;
mod editor;
mod environment;
mod escape;
mod failure;
pub mod figures;
mod json;
mod label;
mod line;
pub mod man;
mod pager;
mod panic;
mod progress;
mod raw;
mod settings;
mod terminal;
#[cfg(test)]
mod tests;

pub use answer::OutputError;
pub use editor::{Editor, EditorError};
pub use environment::Environment;
pub use escape::{escape, escape_bytes, escape_line};
pub use failure::{ExitCode, Failure};
pub use json::{JsonDocument, JsonStyle};
pub use label::{ColorError, GitColor, Label};
pub use line::{Align, Line, Span, display_width, truncate};
pub use panic::report_panics;
pub use progress::Progress;
pub use raw::RawOut;
pub use settings::{ColorChoice, Settings};
pub use terminal::{Captured, Ui};
