//! `git trace restore`

use clap::{ArgMatches, Command};

use super::changed;
use super::commit::dry_run_arg;
use super::edit::{entry_arg, message_arg};
use super::session::{Session, failure};
use crate::ops::{Restore, restore};
use crate::ui::Failure;

pub(super) fn args(command: Command) -> Command {
    command
        .about("Put back what was compressed, in the place of what stands for it")
        .arg(entry_arg().num_args(1..))
        .arg(message_arg())
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = Restore {
        entries: matches.get_many::<String>("entry").into_iter().flatten().cloned().collect(),
        message: matches.get_one::<String>("message").cloned(),
        dry_run: matches.get_flag("dry-run"),
    };
    let outcome = restore(session.workspace()?, &request).map_err(failure)?;
    changed::print(session, "restore", &outcome)
}
