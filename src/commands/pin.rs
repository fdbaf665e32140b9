//! `git trace pin` and `git trace unpin`

use clap::{ArgMatches, Command};

use super::changed;
use super::commit::dry_run_arg;
use super::edit::{entry_arg, message_arg};
use super::session::{Session, failure};
use crate::ops::{Pin, pin};
use crate::ui::Failure;

pub(super) fn args(command: Command) -> Command {
    let command = command.about("Keep entries word for word, whatever is compressed");
    command.arg(entry_arg().num_args(1..)).arg(message_arg()).arg(dry_run_arg())
}

pub(super) fn unpin_args(command: Command) -> Command {
    let command = command.about("Let pinned entries go");
    command.arg(entry_arg().num_args(1..)).arg(message_arg()).arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    set(session, matches, true)
}

pub(super) fn run_unpin(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    set(session, matches, false)
}

fn set(session: &Session, matches: &ArgMatches, wanted: bool) -> Result<(), Failure> {
    let request = Pin {
        entries: matches.get_many::<String>("entry").into_iter().flatten().cloned().collect(),
        pin: wanted,
        message: matches.get_one::<String>("message").cloned(),
        dry_run: matches.get_flag("dry-run"),
    };
    let outcome = pin(session.workspace()?, &request).map_err(failure)?;
    changed::print(session, if wanted { "pin" } else { "unpin" }, &outcome)
}
