//! `git trace hook`: what agents' hooks and git's hooks call. It prints nothing and ends with 0, whatever happens.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command};

use super::session::Session;
use crate::ops::{Hook, Hooked, OpError, Workspace, hook, note_failure};
use crate::ui::{ExitCode, Failure};

/// Bytes of standard input that are read; what a hook is told can hold a whole file.
const INPUT_MAX: u64 = 64 << 20;

/// The folder of the project, as agents tell their hooks.
const PROJECT: [&str; 3] = ["CLAUDE_PROJECT_DIR", "GEMINI_PROJECT_DIR", "CURSOR_PROJECT_DIR"];

pub(super) fn args(command: Command) -> Command {
    command
        .about("Take in what a hook of an agent, or of git, tells")
        .long_about(
            "Called by the hooks that 'git trace enable' installs; nobody else needs it. It reads what the hook was told \
             from standard input, prints nothing, and ends with 0. What went wrong stands in trace/hook.log in the git \
             directory.",
        )
        .arg(Arg::new("agent").value_name("agent").required(true).help("The agent, or 'git'"))
        .arg(Arg::new("event").value_name("event").help("The event, where standard input does not name it"))
        .arg(Arg::new("arguments").value_name("args").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true))
}

/// Runs the hook without opening a terminal: there is nobody to talk to.
pub(super) fn run_silently(matches: &ArgMatches) -> ExitCode {
    // A panic is no reason to bother an agent either; in a release build it would end in a signal.
    std::panic::set_hook(Box::new(|_| std::process::exit(0)));
    let dir = matches.get_one::<PathBuf>("directory").cloned().unwrap_or_else(|| PathBuf::from("."));
    if let Err(error) = take_in(&dir, matches) {
        note(&dir, matches, &error);
    }
    ExitCode::Done
}

/// The same, for the table of subcommands.
pub(super) fn run(_: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    run_silently(matches);
    Ok(())
}

fn take_in(dir: &Path, matches: &ArgMatches) -> Result<Hooked, OpError> {
    let agent = matches.get_one::<String>("agent").map_or("", String::as_str);
    let mut payload = Vec::new();
    // Whatever was read so far is all there is.
    let _ = std::io::stdin().lock().take(INPUT_MAX).read_to_end(&mut payload);
    let request = Hook {
        agent: agent.parse()?,
        event: matches.get_one::<String>("event").cloned(),
        payload,
        project: PROJECT.iter().find_map(std::env::var_os).map(PathBuf::from).filter(|path| path.is_absolute()),
    };
    hook(dir, &request)
}

fn note(dir: &Path, matches: &ArgMatches, error: &OpError) {
    let Ok(workspace) = Workspace::discover(dir, None, None) else { return };
    let words: Vec<&str> =
        ["agent", "event"].iter().filter_map(|name| matches.get_one::<String>(name)).map(String::as_str).collect();
    let chain = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let what: Vec<String> = chain.map(ToString::to_string).collect();
    let now = workspace.now().map(|now| now.to_string()).unwrap_or_default();
    note_failure(&workspace.trace_dir(), &now, &words.join(" "), &what.join(": "));
}
