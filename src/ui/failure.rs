//! How a command ends when it does not end well.

use std::error::Error;

use serde::Serialize;

use super::OutputError;

/// Says how the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitCode {
    /// 0: it is done.
    Done,
    /// 1: it was refused, or it could not be done.
    Refused,
    /// 2: the command line is wrong.
    Usage,
    /// 3: a conflict, or a decision is needed.
    Conflict,
    /// 4: a budget is exceeded.
    Budget,
    /// 8: a run stopped because something is in its way.
    Blocked,
    /// 9: a run has no turns left.
    Exhausted,
    /// 10: a run waits for a person to look at it.
    Suspended,
    /// 70: a fault of our own (`EX_SOFTWARE` of sysexits(3)).
    Internal,
    /// 128: there is no repository, as git's `fatal:`.
    NoRepository,
    /// 130: the user interrupted, as a shell counts SIGINT.
    Interrupted,
    /// 141: nobody reads the answer any more, as a shell counts SIGPIPE; git ends so, for a pager too.
    OutputClosed,
}

impl ExitCode {
    /// Returns the number.
    pub const fn code(self) -> u8 {
        match self {
            ExitCode::Done => 0,
            ExitCode::Refused => 1,
            ExitCode::Usage => 2,
            ExitCode::Conflict => 3,
            ExitCode::Budget => 4,
            ExitCode::Blocked => 8,
            ExitCode::Exhausted => 9,
            ExitCode::Suspended => 10,
            ExitCode::Internal => 70,
            ExitCode::NoRepository => 128,
            ExitCode::Interrupted => 130,
            ExitCode::OutputClosed => 141,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        std::process::ExitCode::from(code.code())
    }
}

/// Holds what went wrong, what to do about it, and how the process ends.
///
/// With `--json` it is printed as a document on standard error, never on standard output: there stands the answer or
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong, in git's manner; empty when there is nothing to say.
    pub message: String,
    /// What to do: each names a command to run.
    pub hints: Vec<String>,
    /// How the process ends.
    pub code: ExitCode,
    /// More about it, for programs.
    pub details: Option<Box<serde_json::Value>>,
}

impl Failure {
    /// Makes a failure without hints.
    pub fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Failure { message: message.into(), hints: Vec::new(), code, details: None }
    }

    /// Makes a failure that ends with 1.
    pub fn refused(message: impl Into<String>) -> Self {
        Failure::new(ExitCode::Refused, message)
    }

    /// Makes a failure of an error and its causes: `cannot read 'x': no such file`.
    pub fn of_error(code: ExitCode, error: &dyn Error) -> Self {
        // A chain of causes is short; the limit is against one that bites its tail.
        const CAUSES: usize = 16;
        let mut message = error.to_string();
        let mut cause = error.source();
        for _ in 0..CAUSES {
            let Some(error) = cause else { break };
            let text = error.to_string();
            // Many errors already tell their cause.
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = error.source();
        }
        Failure::new(code, message)
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says more, for programs.
    #[must_use]
    pub fn details(mut self, details: serde_json::Value) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    /// Returns the word before the message: git says `fatal` when it ends with 128.
    pub(super) fn word(&self) -> &'static str {
        if self.code == ExitCode::NoRepository { "fatal" } else { "error" }
    }

    /// Returns the document for programs.
    pub(super) fn document(&self) -> FailureDocument<'_> {
        FailureDocument {
            message: &self.message,
            hints: &self.hints,
            exit_code: self.code.code(),
            details: self.details.as_deref(),
        }
    }
}

/// An answer that nobody takes is no news; an answer that cannot be written is.
impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Closed => Failure::new(ExitCode::OutputClosed, ""),
            OutputError::Interrupted => Failure::new(ExitCode::Interrupted, ""),
            OutputError::Write { .. } => Failure::of_error(ExitCode::Refused, &error),
            OutputError::Document { .. } => Failure::of_error(ExitCode::Internal, &error),
        }
    }
}

/// The body of `git-trace/failure/1`.
#[derive(Serialize)]
pub(super) struct FailureDocument<'a> {
    message: &'a str,
    hints: &'a [String],
    exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read '{name}'")]
    struct Outer {
        name: String,
        source: std::fmt::Error,
    }

    #[test]
    fn causes_follow_their_effect_once() {
        let error = Outer { name: "x".to_owned(), source: std::fmt::Error };
        let failure = Failure::of_error(ExitCode::Refused, &error).hint("run 'git trace init'");
        assert!(failure.message.starts_with("cannot read 'x': an error occurred"), "{}", failure.message);
        assert_eq!(failure.hints, ["run 'git trace init'"]);
    }

    #[test]
    fn a_reader_that_left_is_no_news() {
        let failure = Failure::from(OutputError::Closed);
        assert_eq!((failure.message.as_str(), failure.code.code()), ("", 141));
    }
}
