//! `git trace hook`: what agents' hooks and git's hooks call. It prints nothing and ends with 0, whatever happens.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};

use super::session::Session;
use crate::ops::{GitHook, HOOK_INPUT_MAX, Hook, OpError, PUSHING, Workspace, git_hook, hook, note_failure};
use crate::ui::{ExitCode, Failure};

/// Bytes of standard input that are read; what a hook of an agent is told can hold a whole file.
const INPUT_MAX: u64 = 64 << 20;

/// How long git waits for us: a little longer than a hook takes at most by its own clock. What is not linked then, `why` finds.
const GIT_WAITS: Duration = Duration::from_secs(2);

/// The folder of the project, as agents tell their own hooks.
const PROJECT: [(&str, &str); 3] =
    [("claude", "CLAUDE_PROJECT_DIR"), ("gemini", "GEMINI_PROJECT_DIR"), ("cursor", "CURSOR_PROJECT_DIR")];

pub(super) fn args(command: Command) -> Command {
    command
        .about("Take in what a hook of an agent, or of git, tells")
        .long_about(
            "Called by the hooks that 'git trace enable' installs; nobody else needs it. It reads what the hook was told \
             from standard input, prints nothing, and ends with 0. What went wrong stands in trace/hook.log in the git \
             directory.",
        )
        .arg(Arg::new("agent").value_name("agent").required(true).help("The agent, or 'git'"))
        .arg(
            Arg::new("arguments")
                .value_name("event")
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .help("The event, where standard input does not name it; for git, the hook and its arguments"),
        )
}

/// Runs the hook without opening a terminal: there is nobody to talk to.
pub(super) fn run_silently(matches: &ArgMatches) -> ExitCode {
    let dir = matches.get_one::<PathBuf>("directory").cloned().unwrap_or_else(|| PathBuf::from("."));
    let agent = matches.get_one::<String>("agent").cloned().unwrap_or_default();
    let words: Vec<String> = matches.get_many::<String>("arguments").into_iter().flatten().cloned().collect();
    let name = words.first().map_or_else(|| agent.clone(), |event| format!("{agent} {event}"));
    fault_ends_well(&dir, &name);
    // It is we who push: nothing is to be reminded of, or pushed once more.
    if agent == "git" && std::env::var_os(PUSHING).is_some() {
        return ExitCode::Done;
    }
    // Where the user wants contexts to go along with the code, git waits for that.
    if agent == "git" && words.first().is_none_or(|hook| hook != "pre-push") {
        end_in_time(&dir, &name);
    }
    let done = if agent == "git" { of_git(&dir, matches, words) } else { of_agent(&dir, &agent, words.first()) };
    if let Err(error) = done
        && let Ok(workspace) = Workspace::discover(&dir, None, None)
    {
        let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let what: Vec<String> = chain.map(ToString::to_string).collect();
        note_failure(&workspace.trace_dir(), &name, &what.join(": "));
    }
    ExitCode::Done
}

/// The same, for the table of subcommands.
pub(super) fn run(_: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    run_silently(matches);
    Ok(())
}

/// Lets a fault of ours end the program well: in a release build it would end in a signal, and git or the agent would
/// tell the user.
#[allow(clippy::disallowed_methods, reason = "a fault must not become the agent's, or git's")]
fn fault_ends_well(dir: &Path, name: &str) {
    let (dir, name) = (dir.to_owned(), name.to_owned());
    std::panic::set_hook(Box::new(move |fault| {
        if let Ok(workspace) = Workspace::discover(&dir, None, None) {
            note_failure(&workspace.trace_dir(), &name, &format!("internal error: {fault}"));
        }
        std::process::exit(0);
    }));
}

/// Ends the program well when it takes too long: whatever it waits for, git is not to wait with it. (Agents have limits of
/// their own for their hooks.)
#[allow(clippy::disallowed_methods, reason = "git must not wait")]
fn end_in_time(dir: &Path, name: &str) {
    let (dir, name) = (dir.to_owned(), name.to_owned());
    std::thread::spawn(move || {
        std::thread::sleep(GIT_WAITS);
        // Finding the folder may be what hangs.
        std::thread::spawn(move || {
            if let Ok(workspace) = Workspace::discover(&dir, None, None) {
                note_failure(&workspace.trace_dir(), &name, "ended: it took too long");
            }
        });
        std::thread::sleep(GIT_WAITS / 10);
        std::process::exit(0);
    });
}

fn of_agent(dir: &Path, agent: &str, event: Option<&String>) -> Result<(), OpError> {
    let mut payload = Vec::new();
    // Whatever was read so far is all there is.
    let _ = std::io::stdin().lock().take(INPUT_MAX).read_to_end(&mut payload);
    let told = PROJECT.iter().find(|(name, _)| *name == agent).and_then(|(_, variable)| std::env::var_os(variable));
    let project = told.map(PathBuf::from).filter(|path| path.is_absolute());
    hook(dir, &Hook { agent: agent.parse()?, event: event.cloned(), payload, project }).map(drop)
}

/// Serves a hook of git; only what the user asked to be reminded of is said.
fn of_git(dir: &Path, matches: &ArgMatches, words: Vec<String>) -> Result<(), OpError> {
    let mut words = words.into_iter();
    let mut hook = GitHook { name: words.next().unwrap_or_default(), args: words.collect(), stdin: Vec::new() };
    // Only this one is told something there; a terminal would wait for the user.
    if hook.name == "post-rewrite" {
        let _ = std::io::stdin().take(HOOK_INPUT_MAX).read_to_end(&mut hook.stdin);
    }
    let done = git_hook(&Workspace::discover(dir, None, None)?, &hook)?;
    if let Some(reminder) = done.reminder {
        Session::new(matches).ui.hint(&reminder);
    }
    Ok(())
}
