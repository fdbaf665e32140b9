//! `git trace demo`

use clap::{ArgMatches, Command};

use super::session::Session;
use crate::ui::Failure;

pub(super) fn args(command: Command) -> Command {
    command.about("Show all of it on a bundled session, in a scratch repository")
}

pub(super) fn run(_: &Session, _: &ArgMatches) -> Result<(), Failure> {
    Ok(())
}
