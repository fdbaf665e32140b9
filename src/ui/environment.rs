//! What the terminal room wants to know about its surroundings.

use std::collections::BTreeMap;
use std::io::IsTerminal;

/// The variables that are looked at, and no others.
const NAMES: [&str; 13] = [
    "CLICOLOR_FORCE",
    "COLUMNS",
    "EDITOR",
    "GIT_EDITOR",
    "GIT_PAGER",
    "GIT_PAGER_IN_USE",
    "GIT_SEQUENCE_EDITOR",
    "LESS",
    "LV",
    "NO_COLOR",
    "PAGER",
    "TERM",
    "VISUAL",
];

/// Holds the environment variables that matter to output, and whether the two output streams are terminals.
///
/// The default is empty: no variable is set and nothing is a terminal, which is what tests start from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    variables: BTreeMap<&'static str, String>,
    /// Whether standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub stderr_is_terminal: bool,
}

impl Environment {
    /// Reads the process's own surroundings.
    pub fn of_process() -> Self {
        let read = |name| std::env::var_os(name).map(|value| (name, value.to_string_lossy().into_owned()));
        Environment {
            variables: NAMES.into_iter().filter_map(read).collect(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Sets one variable; a name that this room does not read is ignored.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Some(known) = NAMES.into_iter().find(|known| *known == name) {
            self.variables.insert(known, value.to_owned());
        }
        self
    }

    /// Declares both output streams to be terminals.
    #[must_use]
    pub fn with_terminal(mut self) -> Self {
        self.stdout_is_terminal = true;
        self.stderr_is_terminal = true;
        self
    }

    /// Returns a variable that is set, even to nothing.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Returns a variable that is set to something.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Tells whether the terminal understands nothing but text, as git decides it (`TERM` unset or `dumb`).
    pub fn is_dumb(&self) -> bool {
        self.get("TERM").is_none_or(|term| term == "dumb")
    }

    /// Tells whether a pager that somebody else started reads our standard output.
    ///
    /// `git -p trace …`, and `pager.trace` in the configuration, make git itself start the pager for us.
    pub fn is_paged_by_git(&self) -> bool {
        !self.stdout_is_terminal && self.get("GIT_PAGER_IN_USE").is_some_and(is_true)
    }
}

/// Reads a truth value as git writes it.
pub(super) fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "true" | "yes" | "on" | "1")
}

/// Reads a false value as git writes it; the empty text is false.
pub(super) fn is_false(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "false" | "no" | "off" | "0" | "")
}
