//! `git trace clone`

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::fetch::{self, refusal};
use super::session::{Session, failure};
use crate::ops::{CloneTraces, RemoteMode, clone};
use crate::ui::{Failure, JsonDocument, Label, Line};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Make a repository of the contexts of another")
        .long_about("Make a repository with the contexts of another one, and nothing of its code.")
        .arg(Arg::new("url").value_name("address").required(true).help("Where the other one is"))
        .arg(
            Arg::new("folder")
                .value_name("folder")
                .value_parser(value_parser!(PathBuf))
                .help("The new repository; the last part of the address if not given"),
        )
        .arg(
            Arg::new("mode")
                .long("mode")
                .value_name("mode")
                .value_parser(["refs", "branch"])
                .help("How the other one keeps contexts; found out if not given"),
        )
        .arg(Arg::new("bare").long("bare").action(ArgAction::SetTrue).help("Make a repository without a work tree"))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let url = matches.get_one::<String>("url").cloned().unwrap_or_default();
    let folder = matches.get_one::<PathBuf>("folder").cloned().or_else(|| last_part(&url));
    let Some(folder) = folder else { return Err(Failure::refused("the address ends in no name: name a folder")) };
    let beside = session.path(Path::new(&url));
    let request = CloneTraces {
        url: if beside.exists() { beside.to_string_lossy().into_owned() } else { url },
        folder: session.path(&folder),
        mode: matches.get_one::<String>("mode").and_then(|name| RemoteMode::from_name(name)),
        bare: matches.get_flag("bare"),
        may_ask: true,
    };
    let cloned = clone(&request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        ui.json(&JsonDocument::new("clone", 1, &cloned))?;
    } else {
        fetch::print(session, &cloned.fetched)?;
        let line = Line::new().plain(format!("cloned into {}", folder.display()));
        ui.print(&match &cloned.branch {
            Some(branch) => line.plain(", on ").push(Label::Branch, branch),
            None => line.plain("; it has no contexts yet"),
        })?;
    }
    refusal(&cloned.fetched).map_or(Ok(()), Err)
}

/// Returns the name that git gives to a clone: the last part of the address, without `.git`.
fn last_part(url: &str) -> Option<PathBuf> {
    let path = url.trim_end_matches('/').trim_end_matches("/.git");
    let name = path.rsplit(['/', ':']).next()?;
    let name = name.strip_suffix(".git").unwrap_or(name);
    let is_name = !name.is_empty() && name != "." && name != ".." && !name.starts_with('-');
    is_name.then(|| PathBuf::from(name))
}
