//! `git trace reset`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{Reset, ResetMode, reset};
use crate::ui::{Failure, JsonDocument, Label, Line, figures};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Move the branch to another commit")
        .long_about(
            "Move the current branch to another commit. With --soft (the default), ORIG_HEAD keeps what is left behind; \
             with --hard, only the reflog does.",
        )
        .arg(Arg::new("soft").long("soft").action(ArgAction::SetTrue).conflicts_with("hard").help("Keep what is left behind under ORIG_HEAD (default)"))
        .arg(Arg::new("hard").long("hard").action(ArgAction::SetTrue).help("Keep what is left behind in the reflog only"))
        .arg(Arg::new("revision").value_name("revision").required(true).help("Where the branch is to be"))
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = Reset {
        revision: matches.get_one::<String>("revision").cloned().unwrap_or_default(),
        mode: if matches.get_flag("hard") { ResetMode::Hard } else { ResetMode::Soft },
        dry_run: matches.get_flag("dry-run"),
    };
    let outcome = reset(session.workspace()?, &request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new(
            "reset",
            1,
            json!({ "outcome": outcome, "dry_run": request.dry_run }),
        ))?);
    }
    let line = Line::new()
        .push(Label::Branch, outcome.branch.as_deref().unwrap_or("HEAD"))
        .plain(if request.dry_run { " would be at " } else { " is now at " })
        .push(Label::Commit, outcome.to.short(10))
        .plain(" ")
        .plain(&outcome.subject)
        .push(
            Label::Tokens,
            format!(
                " ({} left behind; {} tokens in {} entries)",
                figures::count(outcome.left_behind as u64),
                figures::count(outcome.total),
                figures::count(outcome.count)
            ),
        );
    ui.print(&line)?;
    if !request.dry_run {
        ui.hint(format!("to take it back: {}", outcome.undo));
    }
    Ok(())
}
