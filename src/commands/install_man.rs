//! `git trace install-man`

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;

use super::session::Session;
use crate::ui::{ExitCode, Failure, JsonDocument, Line, man};

pub(super) fn args(command: Command) -> Command {
    command.about("Install the manual pages, so that 'git trace --help' opens one").arg(
        Arg::new("folder")
            .value_name("folder")
            .value_parser(value_parser!(PathBuf))
            .help("The folder for section 1; beside the program if not given"),
    )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let beside = || std::env::current_exe().ok().and_then(|binary| man::folder_for(&binary));
    let folder = matches.get_one::<PathBuf>("folder").cloned().or_else(beside);
    let folder = folder.ok_or_else(|| {
        Failure::refused("no folder for manual pages beside the program")
            .hint("name one: git trace install-man ~/.local/share/man/man1")
    })?;
    let pages =
        man::install(super::command(None), &folder).map_err(|error| Failure::of_error(ExitCode::Refused, &error))?;
    let ui = &session.ui;
    if ui.wants_json() {
        let pages: Vec<String> = pages.iter().map(|page| page.display().to_string()).collect();
        return Ok(ui.json(&JsonDocument::new("install-man", 1, json!({ "pages": pages })))?);
    }
    Ok(ui.print(&Line::new().plain(format!("{} pages in {}", pages.len(), folder.display())))?)
}
