//! The command line: one subcommand a file, one row a subcommand in the table `VERBS`.
//!
//! A subcommand parses its arguments, calls an operation, and prints the outcome. It decides nothing else.

mod blame;
mod branch;
mod branches;
mod brought;
mod bundle;
mod changed;
mod checkout;
mod cherry_pick;
mod clone;
mod commit;
mod completions;
mod compress;
mod context;
mod demo;
mod diff;
mod doctor;
mod drop;
mod edit;
mod enable;
mod expand;
mod fetch;
mod forget;
mod hook;
mod import;
mod init;
mod install_man;
mod log;
mod ls_remote;
mod marketplace;
mod merge;
mod pack;
mod pause;
mod pin;
mod pull;
mod push;
mod rebase;
mod redact;
mod relink;
mod remote;
mod reorder;
mod reset;
mod restore;
mod revert;
mod rewind;
mod run;
mod run_printed;
mod session;
mod sessions;
mod show;
mod status;
mod step;
mod switch;
mod tag;
mod verify;
mod view;
mod watch;
mod why;
mod workflow;

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::ui::{ColorChoice, ExitCode, Failure, JsonStyle, report_panics};
use session::Session;

/// Describes a subcommand.
struct Verb {
    /// Its name.
    name: &'static str,
    /// The heading under which the help lists it.
    group: &'static str,
    /// Its arguments.
    args: fn(Command) -> Command,
    /// What it does.
    run: fn(&Session, &ArgMatches) -> Result<(), Failure>,
}

/// All subcommands, in the order of the help.
const VERBS: &[Verb] = &[
    Verb { name: "init", group: "start", args: init::args, run: init::run },
    Verb { name: "import", group: "start", args: import::args, run: import::run },
    Verb { name: "enable", group: "start", args: enable::args, run: enable::run },
    Verb { name: "disable", group: "start", args: enable::disable_args, run: enable::run_disable },
    Verb { name: "watch", group: "start", args: watch::args, run: watch::run },
    Verb { name: "demo", group: "start", args: demo::args, run: demo::run },
    Verb { name: "commit", group: "change", args: commit::args, run: commit::run },
    Verb { name: "edit", group: "change", args: edit::args, run: edit::run },
    Verb { name: "pin", group: "change", args: pin::args, run: pin::run },
    Verb { name: "unpin", group: "change", args: pin::unpin_args, run: pin::run_unpin },
    Verb { name: "drop", group: "change", args: drop::args, run: drop::run },
    Verb { name: "reorder", group: "change", args: reorder::args, run: reorder::run },
    Verb { name: "compress", group: "change", args: compress::args, run: compress::run },
    Verb { name: "restore", group: "change", args: restore::args, run: restore::run },
    Verb { name: "status", group: "look", args: status::args, run: status::run },
    Verb { name: "log", group: "look", args: log::args, run: log::run },
    Verb { name: "show", group: "look", args: show::args, run: show::run },
    Verb { name: "diff", group: "look", args: diff::args, run: diff::run },
    Verb { name: "context", group: "look", args: context::args, run: context::run },
    Verb { name: "blame", group: "look", args: blame::args, run: blame::run },
    Verb { name: "sessions", group: "look", args: sessions::args, run: sessions::run },
    Verb { name: "branch", group: "move", args: branch::args, run: branch::run },
    Verb { name: "switch", group: "move", args: switch::args, run: switch::run },
    Verb { name: "expand", group: "look", args: expand::args, run: expand::run },
    Verb { name: "why", group: "look", args: why::args, run: why::run },
    Verb { name: "verify", group: "look", args: verify::args, run: verify::run },
    Verb { name: "checkout", group: "move", args: checkout::args, run: checkout::run },
    Verb { name: "reset", group: "move", args: reset::args, run: reset::run },
    Verb { name: "rewind", group: "move", args: rewind::args, run: rewind::run },
    Verb { name: "merge", group: "join", args: merge::args, run: merge::run },
    Verb { name: "rebase", group: "join", args: rebase::args, run: rebase::run },
    Verb { name: "cherry-pick", group: "join", args: cherry_pick::args, run: cherry_pick::run },
    Verb { name: "revert", group: "join", args: revert::args, run: revert::run },
    Verb { name: "tag", group: "move", args: tag::args, run: tag::run },
    Verb { name: "push", group: "share", args: push::args, run: push::run },
    Verb { name: "fetch", group: "share", args: fetch::args, run: fetch::run },
    Verb { name: "pull", group: "share", args: pull::args, run: pull::run },
    Verb { name: "remote", group: "share", args: remote::args, run: remote::run },
    Verb { name: "ls-remote", group: "share", args: ls_remote::args, run: ls_remote::run },
    Verb { name: "clone", group: "share", args: clone::args, run: clone::run },
    Verb { name: "bundle", group: "share", args: bundle::args, run: bundle::run },
    Verb { name: "workflow", group: "work", args: workflow::args, run: workflow::run },
    Verb { name: "marketplace", group: "work", args: marketplace::args, run: marketplace::run },
    Verb { name: "run", group: "work", args: run::args, run: run::run },
    Verb { name: "step", group: "work", args: step::args, run: step::run },
    Verb { name: "redact", group: "keep", args: redact::args, run: redact::run },
    Verb { name: "forget", group: "keep", args: forget::args, run: forget::run },
    Verb { name: "pause", group: "keep", args: pause::args, run: pause::run },
    Verb { name: "unpause", group: "keep", args: pause::unpause_args, run: pause::run_unpause },
    Verb { name: "relink", group: "keep", args: relink::args, run: relink::run },
    Verb { name: "hook", group: "keep", args: hook::args, run: hook::run },
    Verb { name: "pack", group: "keep", args: pack::args, run: pack::run },
    Verb { name: "doctor", group: "keep", args: doctor::args, run: doctor::run },
    Verb { name: "completions", group: "keep", args: completions::args, run: completions::run },
    Verb { name: "install-man", group: "keep", args: install_man::args, run: install_man::run },
];

/// Headings of the help, by group.
const GROUPS: [(&str, &str); 8] = [
    ("start", "start a context"),
    ("change", "change it"),
    ("look", "look at it"),
    ("move", "move along its history"),
    ("join", "bring branches together"),
    ("share", "share it"),
    ("work", "run workflows"),
    ("keep", "keep house"),
];

/// Runs the program with these arguments, the first of which is its own name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    report_panics();
    let arguments: Vec<OsString> = arguments.into_iter().map(number_option).collect();
    let matches = match command(wanted(&arguments)).try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        // A hook says nothing, however it is called; help is asked for by people.
        Err(error) if wanted(&arguments) == Some("hook") && error.use_stderr() => return ExitCode::Done,
        Err(error) => return Session::for_usage(&arguments).ui.usage(&error),
    };
    let Some((name, inner)) = matches.subcommand() else { return ExitCode::Usage };
    let verb = VERBS.iter().find(|verb| verb.name == name).expect("clap knows no other subcommands");
    if verb.name == "hook" {
        return hook::run_silently(inner);
    }
    let session = Session::new(inner);
    let result = (verb.run)(&session, inner);
    session.ui.end(result)
}

/// Reads `-20` as `-n20`, as git does.
fn number_option(argument: OsString) -> OsString {
    let digits = argument.to_str().and_then(|text| text.strip_prefix('-'));
    match digits.filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())) {
        Some(digits) => OsString::from(format!("-n{digits}")),
        None => argument,
    }
}

/// Returns the subcommand that the arguments ask for, so that the others need not be built.
fn wanted(arguments: &[OsString]) -> Option<&'static str> {
    let mut rest = arguments.iter().skip(1).filter_map(|argument| argument.to_str());
    let first = loop {
        match rest.next()? {
            "-C" | "--branch" => drop(rest.next()),
            option if option.starts_with('-') => {}
            word => break word,
        }
    };
    VERBS.iter().find(|verb| verb.name == first).map(|verb| verb.name)
}

/// Builds the command line: all of it, or only one subcommand.
pub(crate) fn command(only: Option<&str>) -> Command {
    let mut command = Command::new("git-trace")
        .bin_name("git trace")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Version the context of AI agents as git objects")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(false)
        .override_usage("git trace [options] <command> [<args>]")
        .args(globals());
    let mut help = String::new();
    for (group, heading) in GROUPS {
        help += &format!("{heading}\n");
        for verb in VERBS.iter().filter(|verb| verb.group == group) {
            let about = if only.is_none() { build(verb).get_about().map(ToString::to_string) } else { None };
            help += &format!("   {:<13} {}\n", verb.name, about.unwrap_or_default());
        }
        help.push('\n');
    }
    help += "See 'git trace <command> -h' for more on one of them.";
    for verb in VERBS.iter().filter(|verb| only.is_none_or(|only| only == verb.name)) {
        command = command.subcommand(build(verb));
    }
    command.help_template("{about}\n\n{usage-heading} {usage}{after-help}\n\nOptions:\n{options}").after_help(help)
}

fn build(verb: &Verb) -> Command {
    (verb.args)(Command::new(verb.name))
}

/// Arguments that every subcommand takes, before or after its name.
fn globals() -> Vec<Arg> {
    let globals = [
        Arg::new("directory")
            .short('C')
            .value_name("path")
            .global(true)
            .value_parser(value_parser!(std::path::PathBuf))
            .help("Run as if started in <path>"),
        Arg::new("branch")
            .long("branch")
            .value_name("branch")
            .global(true)
            .help("Work on this branch instead of HEAD's (also GITTRACE_BRANCH)"),
        Arg::new("json")
            .long("json")
            .value_name("style")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("compact")
            .global(true)
            .value_parser(|text: &str| JsonStyle::from_name(text).ok_or("it is 'compact' or 'pretty'"))
            .help("Answer in JSON ('compact' or 'pretty')"),
        Arg::new("color")
            .long("color")
            .value_name("when")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("always")
            .global(true)
            .value_parser(|text: &str| ColorChoice::from_name(text).ok_or("it is 'auto', 'always' or 'never'"))
            .help("Colour the answer: 'auto', 'always' or 'never'"),
        Arg::new("no-pager").long("no-pager").action(ArgAction::SetTrue).global(true).help("Start no pager"),
        Arg::new("quiet")
            .short('q')
            .long("quiet")
            .action(ArgAction::SetTrue)
            .global(true)
            .help("Say nothing but the answer"),
    ];
    // Behind the subcommand's own.
    globals.into_iter().zip(900..).map(|(arg, order)| arg.help_heading("Common options").display_order(order)).collect()
}
