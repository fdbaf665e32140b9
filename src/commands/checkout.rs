//! `git trace checkout`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::session::{Session, failure};
use crate::ops::{Checkout, checkout};
use crate::ui::{Failure, JsonDocument, Label, Line};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Move HEAD to a branch or commit, or make a branch")
        .long_about("Move this worktree's trace HEAD. No file of the work tree changes: what moves is the context that is looked at and added to.")
        .arg(Arg::new("revision").value_name("revision").help("A branch, or a commit (HEAD is detached then)").required_unless_present("create"))
        .arg(Arg::new("create").short('b').value_name("branch").help("Make this branch at the revision and move to it"))
        .arg(Arg::new("detach").long("detach").action(ArgAction::SetTrue).help("Detach HEAD even where the revision is a branch"))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let request = Checkout { revision: text("revision"), create: text("create"), detach: matches.get_flag("detach") };
    let outcome = checkout(session.workspace()?, &request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("checkout", 1, json!({ "outcome": outcome })))?);
    }
    let commit = outcome.commit.map(|commit| commit.short(10)).unwrap_or_default();
    let line = match (&outcome.branch, outcome.created) {
        (Some(branch), true) => Line::new().plain("Switched to new branch ").push(Label::Branch, branch),
        (Some(branch), false) => Line::new().plain("Switched to branch ").push(Label::Branch, branch),
        (None, _) => Line::new().push(Label::Head, "HEAD").plain(" is now detached"),
    };
    ui.print(&line.plain(" at ").push(Label::Commit, commit))?;
    if outcome.branch.is_none() {
        ui.hint("what you commit here is on no branch; to keep it: git trace checkout -b <branch>");
    }
    ui.hint(format!("to go back: git trace checkout {}", outcome.from));
    Ok(())
}
