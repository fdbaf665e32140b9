//! `git trace edit`

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::changed;
use super::commit::{dry_run_arg, file_arg, read_content, role_arg};
use super::session::{Session, failure};
use crate::model::{BodyKind, Role};
use crate::ops::{Edit, edit};
use crate::ui::Failure;

pub(super) fn args(command: Command) -> Command {
    command
        .about("Change what an entry says; its id and place stay")
        .long_about(
            "Give an entry other words; its id and its place stay, and history keeps the old ones. The content comes \
             from standard input, or from a file with -F.",
        )
        .arg(entry_arg())
        .arg(file_arg())
        .arg(role_arg())
        .arg(
            Arg::new("kind")
                .long("kind")
                .value_name("kind")
                .value_parser(["text", "json"])
                .help("How to read the content; as before if not given"),
        )
        .arg(message_arg())
        .arg(
            Arg::new("force")
                .short('f')
                .long("force")
                .action(ArgAction::SetTrue)
                .help("Change a pinned entry, or half of a tool call, too"),
        )
        .arg(dry_run_arg())
}

/// `<entry>`
pub(super) fn entry_arg() -> Arg {
    Arg::new("entry")
        .value_name("entry")
        .required(true)
        .help("Id, beginning of an id, position ('#12'), or place from the end ('@1')")
}

/// `-m`
pub(super) fn message_arg() -> Arg {
    Arg::new("message").short('m').long("message").value_name("text").help("The commit message")
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let workspace = session.workspace()?;
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let request = Edit {
        entry: text("entry").unwrap_or_default(),
        body: read_content(matches.get_one::<PathBuf>("file"))?,
        kind: text("kind").map(|kind| if kind == "json" { BodyKind::Json } else { BodyKind::Text }),
        role: text("role").map(|role| Role::from_name(&role)),
        message: text("message"),
        force: matches.get_flag("force"),
        dry_run: matches.get_flag("dry-run"),
    };
    let outcome = edit(workspace, &request).map_err(failure)?;
    changed::print(session, "edit", &outcome)
}
