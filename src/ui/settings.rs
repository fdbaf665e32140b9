//! What the caller decides about output, and what follows from it.

use super::environment::{is_false, is_true};
use super::{Environment, JsonStyle};

/// The pager of last resort, as git's.
const DEFAULT_PAGER: &str = "less";

/// Says when to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// On a terminal, or in a pager, that understands it.
    #[default]
    Auto,
    /// Wherever the output goes.
    Always,
    /// Nowhere.
    Never,
}

impl ColorChoice {
    /// Reads `auto`, `always`, `never`, or a truth value, as git's `color.*` take them (`true` is `auto`).
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "auto" => Some(ColorChoice::Auto),
            "always" => Some(ColorChoice::Always),
            "never" => Some(ColorChoice::Never),
            other if is_true(other) => Some(ColorChoice::Auto),
            other if is_false(other) => Some(ColorChoice::Never),
            _ => None,
        }
    }
}

/// Holds everything that decides how output looks; values of git's configuration come in as text.
///
/// Nothing here is looked up: a caller fills in what it knows and leaves the rest at its default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// `--color`, when given.
    pub color: Option<ColorChoice>,
    /// `color.trace`, else `color.ui`.
    pub color_config: Option<String>,
    /// `color.pager`.
    pub color_pager: Option<String>,
    /// `color.trace.<label>`: label and colour.
    pub colors: Vec<(String, String)>,
    /// `--no-pager`.
    pub no_pager: bool,
    /// `core.pager`.
    pub core_pager: Option<String>,
    /// `pager.trace`: a truth value or a command.
    pub trace_pager: Option<String>,
    /// `--json`, when given.
    pub json: Option<JsonStyle>,
    /// `--quiet`: no status lines, hints or progress.
    pub quiet: bool,
    /// `--no-hints`, or `advice.*` turned off: no hints.
    pub no_hints: bool,
    /// Variables and terminals.
    pub environment: Environment,
}

impl Settings {
    /// Returns the pager's command, or nothing when the answer goes out directly.
    ///
    /// The order is git's: `GIT_PAGER`, `pager.trace` or `core.pager`, `PAGER`, `less`; an empty command or `cat` is
    /// no pager (git-config(1), `core.pager`).
    pub(super) fn pager(&self) -> Option<&str> {
        let environment = &self.environment;
        if self.no_pager || self.json.is_some() || !environment.stdout_is_terminal {
            return None;
        }
        let configured = match self.trace_pager.as_deref() {
            Some(value) if is_false(value) => return None,
            Some(value) if !is_true(value) => Some(value),
            _ => self.core_pager.as_deref(),
        };
        let command =
            environment.get("GIT_PAGER").or(configured).or_else(|| environment.get("PAGER")).unwrap_or(DEFAULT_PAGER);
        let command = command.trim();
        (!command.is_empty() && command != "cat").then_some(command)
    }

    /// Tells whether a person reads standard output, at once or through a pager.
    pub(super) fn answer_is_watched(&self) -> bool {
        self.environment.stdout_is_terminal || self.environment.is_paged_by_git()
    }

    /// Tells whether the answer is coloured.
    pub(super) fn colors_answer(&self) -> bool {
        let paged = self.environment.is_paged_by_git() && !self.color_pager.as_deref().is_some_and(is_false);
        self.colors(self.environment.stdout_is_terminal || paged)
    }

    /// Tells whether messages are coloured.
    pub(super) fn colors_messages(&self) -> bool {
        self.colors(self.environment.stderr_is_terminal)
    }

    /// Decides: the option, then git's configuration, then `NO_COLOR`, then `CLICOLOR_FORCE`, then the terminal.
    ///
    /// Configuration beats `NO_COLOR`, as <https://no-color.org> asks; `CLICOLOR_FORCE` is after
    /// <https://bixense.com/clicolors>.
    fn colors(&self, watched: bool) -> bool {
        let environment = &self.environment;
        let configured = self.color_config.as_deref().and_then(ColorChoice::from_name);
        match self.color.or(configured).unwrap_or_default() {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if environment.filled("NO_COLOR").is_some() => false,
            ColorChoice::Auto if environment.filled("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            ColorChoice::Auto => watched && !environment.is_dumb(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal() -> Settings {
        let environment = Environment::default().with_terminal().with("TERM", "xterm");
        Settings { environment, ..Settings::default() }
    }

    #[test]
    fn pagers_are_chosen_in_gits_order() {
        let mut settings = terminal();
        assert_eq!(settings.pager(), Some("less"));
        settings.environment = settings.environment.with("PAGER", "more");
        assert_eq!(settings.pager(), Some("more"));
        settings.core_pager = Some("delta".to_owned());
        assert_eq!(settings.pager(), Some("delta"));
        settings.trace_pager = Some("bat -p".to_owned());
        assert_eq!(settings.pager(), Some("bat -p"));
        settings.trace_pager = Some("true".to_owned());
        assert_eq!(settings.pager(), Some("delta"));
        settings.environment = settings.environment.with("GIT_PAGER", "most");
        assert_eq!(settings.pager(), Some("most"));
        settings.trace_pager = Some("false".to_owned());
        assert_eq!(settings.pager(), None);
    }

    #[test]
    fn nothing_is_paged_where_nobody_pages() {
        for command in ["", "cat", " cat "] {
            let mut settings = terminal();
            settings.environment = settings.environment.with("GIT_PAGER", command);
            assert_eq!(settings.pager(), None, "{command:?}");
        }
        let mut settings = terminal();
        settings.no_pager = true;
        assert_eq!(settings.pager(), None);
        let mut settings = terminal();
        settings.environment.stdout_is_terminal = false;
        assert_eq!(settings.pager(), None);
        let settings = Settings { json: Some(JsonStyle::Compact), ..terminal() };
        assert_eq!(settings.pager(), None, "a document is for programs");
    }

    #[test]
    fn colour_follows_option_then_configuration_then_environment() {
        let settings = terminal();
        assert!(settings.colors_answer() && settings.colors_messages());
        let with = |name, value| {
            let mut settings = terminal();
            settings.environment = settings.environment.with(name, value);
            settings
        };
        assert!(!with("NO_COLOR", "1").colors_answer());
        assert!(with("NO_COLOR", "").colors_answer(), "an empty value does not count");
        assert!(!with("TERM", "dumb").colors_answer());
        let configured = Settings { color_config: Some("always".to_owned()), ..with("NO_COLOR", "1") };
        assert!(configured.colors_answer());
        let optioned = Settings { color: Some(ColorChoice::Never), ..configured };
        assert!(!optioned.colors_answer());

        let piped = Settings::default();
        assert!(!piped.colors_answer() && !piped.colors_messages());
        let forced = Environment::default().with("CLICOLOR_FORCE", "1");
        assert!(Settings { environment: forced.clone(), ..Settings::default() }.colors_answer());
        let both = Settings { environment: forced.with("NO_COLOR", "1"), ..Settings::default() };
        assert!(!both.colors_answer());
        let falsy = Settings { color_config: Some("false".to_owned()), ..terminal() };
        assert!(!falsy.colors_answer());
    }

    #[test]
    fn a_pager_started_by_git_counts_as_a_reader() {
        let environment = Environment::default().with("GIT_PAGER_IN_USE", "true").with("TERM", "xterm");
        let settings = Settings { environment, ..Settings::default() };
        assert!(settings.answer_is_watched() && settings.colors_answer());
        assert_eq!(settings.pager(), None, "one pager is enough");
        assert!(!Settings { color_pager: Some("false".to_owned()), ..settings }.colors_answer());
        assert!(!Settings::default().answer_is_watched());
    }
}
