//! `git trace merge`

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::brought::{self, prefer_arg, preference, resuming_args, run_resuming};
use super::commit::dry_run_arg;
use super::edit::message_arg;
use super::session::{Session, failure};
use crate::ops::{FastForward, Merge, Preference, SequenceVerb, WholeSide, merge};
use crate::ui::{ExitCode, Failure};

pub(super) fn args(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let command = command
        .about("Bring what another branch did into this one")
        .long_about(
            "Merge another branch into the current one, entry by entry: every live entry of both sides is there once, ours \
             in order, then theirs where they diverged. Where both sides changed the same entry, nothing moves until it \
             is settled; no marker is ever put into the context.",
        )
        .arg(
            Arg::new("revision")
                .value_name("revision")
                .num_args(0..)
                .help("What to bring in; after it stopped, the entries to settle"),
        )
        .arg(flag("ff-only", "Refuse anything but moving the branch forward"))
        .arg(flag("no-ff", "Make a merge commit even where the branch could move forward").conflicts_with("ff-only"))
        .arg(flag("squash", "Make one commit of our own instead of a merge commit"))
        .arg(
            Arg::new("strategy")
                .short('s')
                .long("strategy")
                .value_name("strategy")
                .value_parser(["ours", "theirs", "union", "driver"])
                .help("'ours' or 'theirs': take that side whole; 'union', 'driver': settle conflicts so"),
        )
        .arg(prefer_arg())
        .arg(flag("interleave", "Put what both sides appended in order of time"))
        .arg(flag("strict", "Stop at contradictions in meaning too"))
        .arg(flag("allow-unrelated-histories", "Merge contexts that have no common beginning"))
        .arg(message_arg())
        .arg(dry_run_arg());
    resuming_args(command)
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let names: Vec<String> = matches.get_many::<String>("revision").into_iter().flatten().cloned().collect();
    if run_resuming(session, matches, SequenceVerb::Merge, &names)? {
        return Ok(());
    }
    let [revision] = names.as_slice() else {
        return Err(Failure::new(ExitCode::Usage, "name one branch or revision to merge"));
    };
    let options: Vec<String> = matches.get_many::<String>("prefer").into_iter().flatten().cloned().collect();
    let strategy = matches.get_one::<String>("strategy").map(String::as_str);
    let request = Merge {
        revision: revision.clone(),
        fast_forward: match (matches.get_flag("ff-only"), matches.get_flag("no-ff")) {
            (true, _) => FastForward::Only,
            (_, true) => FastForward::Never,
            _ => FastForward::Allowed,
        },
        squash: matches.get_flag("squash"),
        whole: match strategy {
            Some("ours") => Some(WholeSide::Ours),
            Some("theirs") => Some(WholeSide::Theirs),
            _ => None,
        },
        prefer: match strategy {
            Some("union") => Some(Preference::Union),
            Some("driver") => preference(&options).or(Some(Preference::Driver(None))),
            _ => preference(&options),
        },
        interleave: matches.get_flag("interleave") || options.iter().any(|option| option == "interleave"),
        strict: matches.get_flag("strict"),
        unrelated: matches.get_flag("allow-unrelated-histories"),
        message: matches.get_one::<String>("message").cloned(),
        dry_run: matches.get_flag("dry-run"),
    };
    let outcome = merge(session.workspace()?, &request).map_err(failure)?;
    brought::print(session, &outcome)
}
