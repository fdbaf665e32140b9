//! `git trace hook`: what installed hooks call. It prints nothing, and ends well whatever happens.

use std::io::Read;

use clap::{Arg, ArgMatches, Command};

use super::session::Session;
use crate::ops::{GitHook, GitHooked, HOOK_INPUT_MAX, Workspace, git_hook, log_hook};
use crate::ui::Failure;

pub(super) fn args(command: Command) -> Command {
    command
        .about("Take note of what git, or an agent, has just done")
        .long_about(
            "Take note of what git, or an agent, has just done. Installed hooks call it; it prints nothing and never \
             fails. What goes wrong is noted in 'trace/hook.log' in the git directory.",
        )
        .arg(Arg::new("source").value_name("source").required(true).help("Who calls: 'git'"))
        .arg(
            Arg::new("argument")
                .value_name("argument")
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .help("The hook's name and its arguments, as git gives them"),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    // Where there is no repository, or none that may be used, there is nothing to note.
    let Ok(workspace) = session.workspace() else { return Ok(()) };
    let mut words = matches.get_many::<String>("argument").into_iter().flatten().cloned();
    if matches.get_one::<String>("source").is_some_and(|source| source == "git") {
        let hook = GitHook { name: words.next().unwrap_or_default(), args: words.collect(), stdin: Vec::new() };
        if let Some(reminder) = of_git(workspace, hook).reminder {
            session.ui.hint(&reminder);
        }
    }
    Ok(())
}

/// Runs a git hook; an error, and a fault of ours, is noted and nothing else.
#[allow(clippy::disallowed_methods, reason = "a fault must not become git's")]
fn of_git(workspace: &Workspace, mut hook: GitHook) -> GitHooked {
    // Only this one is told something there; a terminal would wait for the user.
    if hook.name == "post-rewrite" {
        let _ = std::io::stdin().take(HOOK_INPUT_MAX).read_to_end(&mut hook.stdin);
    }
    let folder = workspace.trace_dir();
    let name = hook.name.clone();
    // A released program ends at a fault, and git would tell the user: it is to end well, here and now.
    let (log, named) = (folder.clone(), name.clone());
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |fault| {
        log_hook(&log, &named, &format!("internal error: {fault}"));
        std::process::exit(0);
    }));
    let done = git_hook(workspace, &hook);
    std::panic::set_hook(loud);
    done.unwrap_or_else(|error| {
        log_hook(&folder, &name, &error.to_string());
        GitHooked::default()
    })
}
