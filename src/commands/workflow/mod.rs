//! `git trace workflow`: one of its subcommands a row in `PARTS`.

mod change;
mod look;
mod run;

pub(super) use look::age;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::session::Session;
use crate::ui::{ExitCode, Failure};

/// Describes a subcommand of `workflow`.
struct Part {
    /// Its name.
    name: &'static str,
    /// Its arguments.
    args: fn(Command) -> Command,
    /// What it does.
    run: fn(&Session, &ArgMatches) -> Result<(), Failure>,
}

/// All of them, in the order of the help.
const PARTS: &[Part] = &[
    Part { name: "search", args: look::search_args, run: look::search },
    Part { name: "show", args: look::show_args, run: look::show },
    Part { name: "resolve", args: look::resolve_args, run: look::resolve },
    Part { name: "install", args: change::install_args, run: change::install },
    Part { name: "run", args: run::args, run: run::run },
    Part { name: "list", args: look::list_args, run: look::list },
    Part { name: "verify", args: look::verify_args, run: look::verify },
    Part { name: "upgrade", args: change::upgrade_args, run: change::upgrade },
    Part { name: "remove", args: change::remove_args, run: change::remove },
    Part { name: "path", args: look::path_args, run: look::path },
];

pub(super) fn args(command: Command) -> Command {
    let command = command
        .about("Find, install and run workflows")
        .long_about(
            "Find workflows in marketplaces and install them: a workflow's files become part of this repository, and the lock \
             file .gittrace/workflows.lock says exactly which they are.\n\nA workflow is named <name>, <name>@<version or range>, \
             <name>@<owner/repo, address or path>[#<branch, tag or commit>][@<version or range>], or by the path of its file or \
             folder.",
        )
        .subcommand_required(true);
    PARTS.iter().fold(command, |command, part| command.subcommand((part.args)(Command::new(part.name))))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let Some((name, inner)) = matches.subcommand() else {
        return Err(Failure::new(ExitCode::Usage, "what is to be done?"));
    };
    let part = PARTS.iter().find(|part| part.name == name).expect("clap knows no other subcommands");
    (part.run)(session, inner)
}

/// `--offline`
pub(super) fn offline_arg() -> Arg {
    Arg::new("offline").long("offline").action(ArgAction::SetTrue).help("Fetch nothing: use what was fetched before")
}

/// `<workflow>`
fn reference_arg() -> Arg {
    Arg::new("reference").value_name("workflow").required(true).help("A name, with version and marketplace; or a path")
}

/// `<name>…`
fn names_arg(what: &'static str) -> Arg {
    Arg::new("names").value_name("name").num_args(0..).help(what)
}

/// Returns all values of an argument.
pub(super) fn texts(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.get_many::<String>(name).into_iter().flatten().cloned().collect()
}
