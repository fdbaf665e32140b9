//! `git trace drop`

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::changed;
use super::commit::dry_run_arg;
use super::edit::{entry_arg, message_arg};
use super::session::{Session, failure};
use crate::ops::{DropEntries, drop};
use crate::ui::Failure;

pub(super) fn args(command: Command) -> Command {
    command
        .about("Take entries out of the context; history keeps them")
        .arg(entry_arg().num_args(1..))
        .arg(message_arg())
        .arg(
            Arg::new("force")
                .short('f')
                .long("force")
                .action(ArgAction::SetTrue)
                .help("Take pinned entries and halves of tool calls too"),
        )
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = DropEntries {
        entries: matches.get_many::<String>("entry").into_iter().flatten().cloned().collect(),
        message: matches.get_one::<String>("message").cloned(),
        force: matches.get_flag("force"),
        dry_run: matches.get_flag("dry-run"),
    };
    let outcome = drop(session.workspace()?, &request).map_err(failure)?;
    changed::print(session, "drop", &outcome)
}
