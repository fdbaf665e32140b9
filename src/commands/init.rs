//! `git trace init`

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;

use super::session::{Session, failure};
use crate::ops::{Init, init};
use crate::tokens::Encoding;
use crate::ui::{Failure, JsonDocument, Label, Line};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Begin an empty context on the current branch")
        .long_about(
            "Begin an empty context on the current branch. Does nothing if there is one. The work tree, the index and \
             the branches of code stay as they are.",
        )
        .arg(
            Arg::new("budget")
                .long("budget")
                .value_name("tokens")
                .value_parser(value_parser!(u64))
                .help("The most tokens that the context should have"),
        )
        .arg(
            Arg::new("encoding")
                .long("encoding")
                .value_name("name")
                .value_parser(value_parser!(Encoding))
                .help("Count tokens in this encoding: o200k_base (default) or cl100k_base"),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = Init { budget: matches.get_one("budget").copied(), encoding: matches.get_one("encoding").copied() };
    let outcome = init(session.workspace()?, &request).map_err(failure)?;
    session.pass_on_warnings();
    let ui = &session.ui;
    for name in &outcome.foreign_refs {
        ui.warning(format!("'{name}' belongs to another tool; git trace leaves it alone (see trace.refPrefix)"));
    }
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("init", 1, json!({ "outcome": outcome })))?);
    }
    let word = if outcome.created { "Began an empty context on " } else { "There is a context already on " };
    let line = Line::new().plain(word).push(Label::Branch, &outcome.branch);
    ui.print(&line.plain(" (").push(Label::Commit, outcome.commit.short(10)).plain(") in ").plain(&outcome.git_dir))?;
    Ok(())
}
