//! One thing that was found, and all of them.

use serde::Serialize;

use super::Remedy;

/// Says how bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing can be captured.
    Error,
    /// Something is lost, or will be.
    Warning,
    /// Good to know.
    Note,
}

/// Holds one finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was looked at: one stable word.
    pub check: &'static str,
    /// What it is.
    pub message: String,
    /// The command that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Whether `doctor --fix` mends it.
    pub fixable: bool,
}

/// Collects findings, and what mends them.
#[derive(Default)]
pub(super) struct Findings {
    found: Vec<Finding>,
    remedies: Vec<Remedy>,
}

impl Findings {
    /// Adds something that stops capture.
    pub(super) fn error(&mut self, check: &'static str, message: impl Into<String>, command: &str) {
        self.add(Severity::Error, check, message.into(), Some(command.to_owned()), false);
    }

    /// Adds something that a person has to mend.
    pub(super) fn warning(&mut self, check: &'static str, message: impl Into<String>, command: Option<String>) {
        self.add(Severity::Warning, check, message.into(), command, false);
    }

    /// Adds something that we can mend.
    pub(super) fn fixable(&mut self, check: &'static str, message: String, command: String, remedy: Remedy) {
        self.add(Severity::Warning, check, message, Some(command), true);
        if !self.remedies.contains(&remedy) {
            self.remedies.push(remedy);
        }
    }

    /// Adds something that is good to know.
    pub(super) fn note(&mut self, check: &'static str, message: impl Into<String>, command: Option<String>) {
        self.add(Severity::Note, check, message.into(), command, false);
    }

    /// Returns the findings, the worst first, and what mends them.
    pub(super) fn finish(mut self) -> (Vec<Finding>, Vec<Remedy>) {
        self.found.sort_by_key(|finding| finding.severity);
        (self.found, self.remedies)
    }

    fn add(
        &mut self,
        severity: Severity,
        check: &'static str,
        message: String,
        command: Option<String>,
        fixable: bool,
    ) {
        self.found.push(Finding { severity, check, message, command, fixable });
    }
}
