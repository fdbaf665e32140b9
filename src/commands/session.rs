//! One run of the program: its options, its terminal, its repository.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use crate::ops::{OpError, ShareError, Workspace};
use crate::ui::{ColorChoice, Environment, ExitCode, Failure, JsonStyle, Settings, Ui};

/// Holds what a subcommand works with.
pub(super) struct Session {
    pub(super) ui: Ui,
    directory: PathBuf,
    branch: Option<String>,
    workspace: OnceCell<Workspace>,
}

impl Session {
    /// Opens the terminal with the options of a subcommand. A repository is looked for now, because its configuration
    /// says how to colour and page; that there is none is said only by who needs it.
    pub(super) fn new(matches: &ArgMatches) -> Self {
        let directory = matches.get_one::<PathBuf>("directory").cloned().unwrap_or_else(|| PathBuf::from("."));
        let branch = matches.get_one::<String>("branch").cloned();
        let branch = branch.or_else(|| std::env::var("GITTRACE_BRANCH").ok().filter(|name| !name.is_empty()));
        let seed = std::env::var("GITTRACE_ID_SEED").ok();
        let found = Workspace::discover(&directory, branch.as_deref(), seed);
        let config = |key: &str| found.as_ref().ok().and_then(|workspace| workspace.config(key));
        let environment = Environment::of_process();
        let watched = environment.stdout_is_terminal || environment.stderr_is_terminal;
        let colors = crate::ui::Label::ALL
            .iter()
            .filter(|_| watched)
            .filter_map(|label| Some((label.name().to_owned(), config(&format!("color.trace.{}", label.name()))?)));
        let settings = Settings {
            color: matches.get_one::<ColorChoice>("color").copied(),
            color_config: config("color.trace").or_else(|| config("color.ui")),
            color_pager: config("color.pager"),
            colors: colors.collect(),
            no_pager: matches.get_flag("no-pager"),
            core_pager: config("core.pager"),
            trace_pager: config("pager.trace"),
            json: matches.get_one::<JsonStyle>("json").copied(),
            quiet: matches.get_flag("quiet"),
            no_hints: false,
            environment,
        };
        let workspace = OnceCell::new();
        if let Ok(found) = found {
            let _ = workspace.set(found);
        }
        Session { ui: Ui::new(settings), directory, branch, workspace }
    }

    /// Opens the terminal for what is wrong with the command line itself.
    pub(super) fn for_usage(arguments: &[OsString]) -> Self {
        let json = arguments.iter().any(|argument| argument.to_string_lossy().starts_with("--json"));
        let settings = Settings {
            json: json.then_some(JsonStyle::Compact),
            environment: Environment::of_process(),
            ..Settings::default()
        };
        Session { ui: Ui::new(settings), directory: PathBuf::from("."), branch: None, workspace: OnceCell::new() }
    }

    /// Returns the repository.
    pub(super) fn workspace(&self) -> Result<&Workspace, Failure> {
        if let Some(workspace) = self.workspace.get() {
            return Ok(workspace);
        }
        let found = Workspace::discover(&self.directory, self.branch.as_deref(), None).map_err(failure)?;
        Ok(self.workspace.get_or_init(|| found))
    }

    /// Returns a path that is meant from where the program works.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    /// Returns the folder that the program works in.
    pub(super) fn folder(&self) -> PathBuf {
        std::path::absolute(&self.directory).unwrap_or_else(|_| self.directory.clone())
    }

    /// Says what was odd in an operation that went well.
    pub(super) fn pass_on_warnings(&self) {
        let warnings = self.workspace.get().map(Workspace::take_warnings).unwrap_or_default();
        warnings.iter().for_each(|warning| self.ui.warning(warning));
    }
}

/// Turns an operation's error into the end of the program.
pub(super) fn failure(error: OpError) -> Failure {
    let code = match &error {
        error if error.is_no_repository() => ExitCode::NoRepository,
        error if error.needs_decision() => ExitCode::Conflict,
        _ => ExitCode::Refused,
    };
    let mut failure = Failure::of_error(code, &error);
    if let OpError::Share(ShareError::Leaks { leaks }) = &error {
        failure = failure.details(serde_json::json!({ "leaks": leaks }));
    }
    error.hints().into_iter().fold(failure, Failure::hint)
}
