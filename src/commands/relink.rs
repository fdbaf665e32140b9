//! `git trace relink`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{Relink, relink};
use crate::ui::{Failure, JsonDocument, Label, Line, figures};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Find again which sessions wrote which commits of the code")
        .long_about(
            "Find again which sessions wrote which commits of the code. Hooks keep these links up to date; this makes \
             them from nothing, from the contexts that are here and the commits of a range: HEAD's history if none is \
             given.",
        )
        .arg(Arg::new("range").value_name("range").help("Commits of the code, as git names them: main, A..B"))
        .arg(
            Arg::new("all")
                .long("all")
                .action(ArgAction::SetTrue)
                .conflicts_with("range")
                .help("Make the index anew, for all branches and tags"),
        )
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = Relink {
        range: matches.get_one::<String>("range").cloned(),
        all: matches.get_flag("all"),
        dry_run: matches.get_flag("dry-run"),
    };
    let ui = &session.ui;
    let mut progress = ui.progress("linking commits", None);
    let told = relink(session.workspace()?, &request, &mut |done| progress.set(done)).map_err(failure)?;
    drop(progress);
    session.pass_on_warnings();
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new(
            "relink",
            1,
            json!({
                "dry_run": request.dry_run,
                "trace_commits": told.traces,
                "writes": told.writes,
                "code_commits": told.commits,
                "linked": told.linked,
                "links": told.links,
                "partial": told.partial,
                "undo": told.undo,
            }),
        ))?);
    }
    let what = if request.dry_run { "would link" } else { "linked" };
    ui.print(&Line::new().plain(format!("{what} ")).push(Label::Commit, figures::count(told.linked)).plain(format!(
        " of {} commits to {} tool calls, from {} writes in {} context commits",
        figures::count(told.commits),
        figures::count(told.links),
        figures::count(told.writes),
        figures::count(told.traces)
    )))?;
    if let Some(undo) = &told.undo {
        ui.hint(format!("to take it back: {undo}"));
    }
    Ok(())
}
