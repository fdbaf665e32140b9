//! `git trace checkout`

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use super::switch::print;
use crate::ops::{Checkout, checkout};
use crate::ui::Failure;

pub(super) fn args(command: Command) -> Command {
    command
        .about("Move HEAD to a branch or commit, or make a branch")
        .long_about("Move this worktree's trace HEAD. No file of the work tree changes: what moves is the context that is looked at and added to.")
        .arg(
            Arg::new("revision")
                .value_name("revision")
                .help("A branch, or a commit (HEAD is detached then); '-' is where HEAD was before")
                .required_unless_present("create"),
        )
        .arg(Arg::new("create").short('b').value_name("branch").help("Make this branch at the revision and move to it"))
        .arg(Arg::new("detach").long("detach").action(ArgAction::SetTrue).help("Detach HEAD even where the revision is a branch"))
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let request = Checkout {
        revision: text("revision"),
        create: text("create"),
        detach: matches.get_flag("detach"),
        dry_run: matches.get_flag("dry-run"),
    };
    let outcome = checkout(session.workspace()?, &request).map_err(failure)?;
    print(session, "checkout", &outcome, request.dry_run)
}
