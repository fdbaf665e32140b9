//! `git trace switch`

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command, value_parser};
use serde_json::json;

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{Destination, Switch, Switched, switch};
use crate::ui::{Failure, JsonDocument, Label, Line};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Move HEAD to a branch")
        .long_about(
            "Move this worktree's trace HEAD to a branch, which may be made on the way. No file of the work tree changes: \
             what moves is the context that is looked at and added to. 'switch -' goes back to where HEAD was before.",
        )
        .arg(
            Arg::new("to")
                .value_name("branch")
                .allow_hyphen_values(true)
                .value_parser(|text: &str| match text.strip_prefix('-') {
                    Some(rest) if !rest.is_empty() => Err("no such option"),
                    _ => Ok(text.to_owned()),
                })
                .required_unless_present("making")
                .help("The branch; '-' is the one before; with -c: where the new branch begins, HEAD if not given"),
        )
        .arg(Arg::new("create").short('c').long("create").value_name("new").help("Make this branch and move to it"))
        .arg(
            Arg::new("force-create")
                .short('C')
                .long("force-create")
                .value_name("new")
                .help("As -c, and move a branch of that name if there is one"),
        )
        .arg(
            Arg::new("orphan")
                .long("orphan")
                .value_name("new")
                .conflicts_with("to")
                .help("Move to a branch that has no commit yet: an empty context"),
        )
        .group(ArgGroup::new("making").args(["create", "force-create", "orphan"]))
        .arg(
            Arg::new("detach")
                .short('d')
                .long("detach")
                .action(ArgAction::SetTrue)
                .conflicts_with("making")
                .help("Move to the commit that a revision names, on no branch"),
        )
        .arg(dry_run_arg())
        // Behind 'switch', -C is what it is in git; the folder is named before it: git trace -C <path> switch.
        .arg(Arg::new("directory").long("directory").hide(true).value_parser(value_parser!(PathBuf)))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let made = text("create").map(|name| (name, false)).or(text("force-create").map(|name| (name, true)));
    let to = match (made, text("orphan"), text("to")) {
        (Some((name, force)), _, start) => Destination::New { name, start, force },
        (None, Some(name), _) => Destination::Unborn(name),
        (None, None, to) if matches.get_flag("detach") => Destination::Commit(to.unwrap_or_else(|| "HEAD".to_owned())),
        (None, None, to) => Destination::Branch(to.unwrap_or_else(|| "-".to_owned())),
    };
    let request = Switch { to, dry_run: matches.get_flag("dry-run") };
    let outcome = switch(session.workspace()?, &request).map_err(failure)?;
    print(session, "switch", &outcome, request.dry_run)
}

/// Says where HEAD is now, and how to go back.
pub(super) fn print(session: &Session, verb: &str, outcome: &Switched, dry_run: bool) -> Result<(), Failure> {
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new(verb, 1, json!({ "outcome": outcome, "dry_run": dry_run })))?);
    }
    let begin = if dry_run { "Would switch to" } else { "Switched to" };
    let line = match (&outcome.branch, outcome.created, outcome.was) {
        (Some(branch), true, _) => Line::new().plain(format!("{begin} new branch ")).push(Label::Branch, branch),
        (Some(branch), false, Some(was)) if Some(was) != outcome.commit => Line::new()
            .plain(format!("{begin} branch "))
            .push(Label::Branch, branch)
            .plain(", moved from ")
            .push(Label::Commit, was.short(10)),
        (Some(branch), false, _) => Line::new().plain(format!("{begin} branch ")).push(Label::Branch, branch),
        (None, ..) => {
            Line::new().push(Label::Head, "HEAD").plain(if dry_run { " would be detached" } else { " is now detached" })
        }
    };
    ui.print(&match outcome.commit {
        Some(commit) => line.plain(" at ").push(Label::Commit, commit.short(10)),
        None => line.plain(", which has no commits yet"),
    })?;
    if dry_run {
        return Ok(());
    }
    if outcome.left_behind > 0 {
        let commits = if outcome.left_behind == 1 { "commit" } else { "commits" };
        ui.warning(format!("{} {commits} of the detached HEAD are on no branch", outcome.left_behind));
        let short = outcome.from.get(..12).unwrap_or(&outcome.from);
        ui.hint(format!("to keep them: git trace branch <branch> {short}"));
    }
    if outcome.branch.is_none() {
        ui.hint("what you commit here is on no branch; to keep it: git trace switch -c <branch>");
    }
    ui.hint(format!("to go back: {}", outcome.undo.join(" && ")));
    Ok(())
}
