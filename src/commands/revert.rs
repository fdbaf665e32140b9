//! `git trace revert`

use clap::{ArgMatches, Command};

use super::brought::{self, resuming_args, run_resuming};
use super::cherry_pick::{pick_args, request, revisions_arg};
use super::session::{Session, failure};
use crate::ops::{SequenceVerb, revert};
use crate::ui::Failure;

pub(super) fn args(command: Command) -> Command {
    let command = command
        .about("Take back what commits did, by new commits")
        .long_about(
            "Take back what commits did, newest first, by a new commit for each: what was added goes, what was dropped or \
             compressed comes back under its own id. Where something changed it since, nothing moves until it is settled.",
        )
        .arg(revisions_arg());
    resuming_args(pick_args(command))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let names: Vec<String> = matches.get_many::<String>("revision").into_iter().flatten().cloned().collect();
    if run_resuming(session, matches, SequenceVerb::Revert, &names)? {
        return Ok(());
    }
    let outcome = revert(session.workspace()?, &request(matches, names)?).map_err(failure)?;
    brought::print(session, &outcome)
}
