//! `git trace cherry-pick`

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::brought::{self, force_arg, prefer_arg, preference, resuming_args, run_resuming};
use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{PickCommits, SequenceVerb, cherry_pick};
use crate::ui::{ExitCode, Failure};

pub(super) fn args(command: Command) -> Command {
    let command = command
        .about("Do again here what commits did elsewhere")
        .long_about(
            "Do again on the current branch what commits did elsewhere: entries keep their ids, and commits their authors. \
             What is there already is skipped. Where both sides changed the same entry, nothing moves until it is settled.",
        )
        .arg(revisions_arg())
        .arg(
            Arg::new("note-source")
                .short('x')
                .action(ArgAction::SetTrue)
                .help("Say in the message which commit was picked"),
        );
    resuming_args(pick_args(command))
}

/// `<revision>…`
pub(super) fn revisions_arg() -> Arg {
    Arg::new("revision")
        .value_name("revision")
        .num_args(0..)
        .help("Commits, or ranges ('A..B'); after it stopped, the entries to settle")
}

/// The options that cherry-pick and revert share.
pub(super) fn pick_args(command: Command) -> Command {
    command
        .arg(
            Arg::new("mainline")
                .short('m')
                .long("mainline")
                .value_name("parent")
                .value_parser(value_parser!(usize))
                .help("The parent that a merge commit is compared with, from 1"),
        )
        .arg(prefer_arg())
        .arg(Arg::new("message").long("message").value_name("text").help("The commit message, for a single commit"))
        .arg(force_arg())
        .arg(dry_run_arg())
}

/// Reads what cherry-pick and revert are asked for.
pub(super) fn request(matches: &ArgMatches, revisions: Vec<String>) -> Result<PickCommits, Failure> {
    if revisions.is_empty() {
        return Err(Failure::new(ExitCode::Usage, "name the commits"));
    }
    let options: Vec<String> = matches.get_many::<String>("prefer").into_iter().flatten().cloned().collect();
    Ok(PickCommits {
        revisions,
        mainline: matches.get_one::<usize>("mainline").copied(),
        prefer: preference(&options),
        note_source: false,
        message: matches.get_one::<String>("message").cloned(),
        force: matches.get_flag("force"),
        dry_run: matches.get_flag("dry-run"),
    })
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let names: Vec<String> = matches.get_many::<String>("revision").into_iter().flatten().cloned().collect();
    if run_resuming(session, matches, SequenceVerb::CherryPick, &names)? {
        return Ok(());
    }
    let request = PickCommits { note_source: matches.get_flag("note-source"), ..request(matches, names)? };
    let outcome = cherry_pick(session.workspace()?, &request).map_err(failure)?;
    brought::print(session, &outcome)
}
