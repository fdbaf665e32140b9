//! `git trace pause` and `git trace unpause`

use clap::{ArgMatches, Command};
use serde_json::json;

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{pause, unpause};
use crate::ui::{Failure, JsonDocument, Line};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Record sessions without their words, until 'unpause'")
        .long_about(
            "Pause capture: from now on, sessions in this repository are recorded without their words. Who spoke, and which \
             tools were called, is still recorded, so that calls and results remain pairs.",
        )
        .arg(dry_run_arg())
}

pub(super) fn unpause_args(command: Command) -> Command {
    command.about("Record sessions in full again").arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    set(session, matches, true)
}

pub(super) fn run_unpause(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    set(session, matches, false)
}

fn set(session: &Session, matches: &ArgMatches, wanted: bool) -> Result<(), Failure> {
    let dry_run = matches.get_flag("dry-run");
    let outcome = if wanted { pause(session.workspace()?, dry_run) } else { unpause(session.workspace()?, dry_run) };
    let outcome = outcome.map_err(failure)?;
    let ui = &session.ui;
    let (name, other) = if wanted { ("pause", "unpause") } else { ("unpause", "pause") };
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new(name, 1, json!({ "outcome": outcome, "dry_run": dry_run })))?);
    }
    let state = match (wanted, outcome.changed, dry_run) {
        (true, false, _) => "capture is paused already",
        (false, false, _) => "capture is not paused",
        (true, true, true) => "capture would be paused",
        (false, true, true) => "capture would go on",
        (true, true, false) => "capture is paused: sessions are recorded without their words",
        (false, true, false) => "capture goes on",
    };
    ui.print(&Line::new().plain(state))?;
    if outcome.changed && !dry_run {
        ui.hint(format!("to take it back: git trace {other}"));
    }
    Ok(())
}
