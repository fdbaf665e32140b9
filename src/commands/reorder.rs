//! `git trace reorder`

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};

use super::changed;
use super::commit::{dry_run_arg, read_content};
use super::edit::message_arg;
use super::session::{Session, failure};
use super::view::entry_line;
use crate::ops::{Beside, OpError, Order, Reorder, context, reorder};
use crate::ui::{ExitCode, Failure, Line};

/// The largest plan that is read, in lines.
const PLAN_MAX: usize = 1_000_000;

pub(super) fn args(command: Command) -> Command {
    let beside = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("entry").requires("move").help(help)
    };
    command
        .about("Give entries another place in the context")
        .long_about(
            "Put entries into another order. A result never comes before its call, nor apart from it. A reply before what \
             it answers, a mention before what it names, and pins in another order need --force.",
        )
        .arg(Arg::new("move").long("move").value_name("entry").num_args(1..).help("The entries to move, in their new order"))
        .arg(beside("before", "Put them right before this entry"))
        .arg(beside("after", "Put them right behind this entry"))
        .group(ArgGroup::new("place").args(["before", "after"]))
        .arg(
            Arg::new("plan")
                .long("plan")
                .value_name("file")
                .value_parser(clap::value_parser!(PathBuf))
                .conflicts_with("move")
                .help("Read the wanted order from a file ('-': standard input): one entry a line"),
        )
        .arg(
            Arg::new("print-plan")
                .long("print-plan")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["move", "plan"])
                .help("Print the order as it is, to be edited and given to --plan"),
        )
        .arg(Arg::new("force").short('f').long("force").action(ArgAction::SetTrue).help("Take an odd order too"))
        .arg(message_arg())
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    if matches.get_flag("print-plan") {
        return print_plan(session);
    }
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let order = match (matches.get_one::<PathBuf>("plan"), text("before"), text("after")) {
        (Some(path), ..) => Order::Listed(read_plan(&read_content(Some(path))?).map_err(failure)?),
        (None, before, after) => {
            let place = before.map(Beside::Before).or(after.map(Beside::After));
            let entries: Vec<String> = matches.get_many::<String>("move").into_iter().flatten().cloned().collect();
            let (Some(place), false) = (place, entries.is_empty()) else {
                let usage = "say what goes where: --move <entry> --before|--after <entry>, or --plan <file>";
                return Err(Failure::new(ExitCode::Usage, usage));
            };
            Order::Move { entries, place }
        }
    };
    let request = Reorder {
        order,
        force: matches.get_flag("force"),
        message: text("message"),
        dry_run: matches.get_flag("dry-run"),
    };
    let outcome = reorder(session.workspace()?, &request).map_err(failure)?;
    changed::print(session, "reorder", &outcome)
}

fn print_plan(session: &Session) -> Result<(), Failure> {
    let found = context(session.workspace()?, None).map_err(failure)?;
    let ui = &session.ui;
    ui.print(
        &Line::new().plain("# One entry a line, in the wanted order. Lines may be left out: those entries stay."),
    )?;
    for item in &found.items {
        let line = Line::new().plain(item.entry.id.as_str()).plain(" # ");
        ui.print(&line.join(entry_line(&item.entry)))?;
    }
    Ok(())
}

/// Reads a plan: the first word of each line, up to a `#`.
fn read_plan(content: &[u8]) -> Result<Vec<String>, OpError> {
    let malformed = |line: usize, reason: &str| OpError::Plan { line, reason: reason.to_owned() };
    let text = std::str::from_utf8(content).map_err(|_| malformed(1, "not UTF-8"))?;
    let mut names = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if at == PLAN_MAX {
            return Err(malformed(at + 1, "too many lines"));
        }
        // A position begins with '#', a comment has a blank behind it.
        let words = if line.trim_start().starts_with("# ") { "" } else { line.split(" #").next().unwrap_or_default() };
        let mut words = words.split_whitespace();
        names.extend(words.next().map(str::to_owned));
        if words.next().is_some() {
            return Err(malformed(at + 1, "more than one entry"));
        }
    }
    Ok(names)
}
