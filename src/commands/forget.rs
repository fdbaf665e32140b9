//! `git trace forget`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{Forget, Forgotten, Lifted, OnlyThere, PurgeOutcome, RemoteForgotten, forget, lift};
use crate::ui::{Failure, JsonDocument, Label, Line, Ui, figures};

/// Names that are listed one by one, of each kind.
const NAMED_MAX: usize = 10;

pub(super) fn args(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    command
        .about("Delete branches or sessions for good, here and on a server")
        .long_about(
            "Delete branches, or all branches of a session or an agent, with their tags, their logs, what is remembered of \
             their session, and their links to code. A tombstone stays: another clone that fetches it moves its copy aside, \
             and neither its push nor a hook or an import brings the branch back.",
        )
        .arg(
            Arg::new("name")
                .value_name("branch|session")
                .num_args(1..)
                .required(true)
                .help("<branch>, <agent>/<branch>, <agent> for all of its branches, or a session as <agent>:<id>"),
        )
        .arg(
            Arg::new("remote")
                .long("remote")
                .value_name("remote")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("")
                .help("Forget it on this server too; 'trace.remote', or 'origin', if none is named"),
        )
        .arg(flag("lift", "Take the tombstone away, so that it may come back").conflicts_with("purge"))
        .arg(flag("purge", "Drop objects that nothing reaches any more, at once; this cannot be taken back"))
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = Forget {
        names: matches.get_many::<String>("name").into_iter().flatten().cloned().collect(),
        remote: matches.get_one::<String>("remote").map(|name| Some(name.clone()).filter(|name| !name.is_empty())),
        lift: matches.get_flag("lift"),
        purge: matches.get_flag("purge"),
        dry_run: matches.get_flag("dry-run"),
    };
    let workspace = session.workspace()?;
    if request.lift {
        let lifted = lift(workspace, &request).map_err(failure)?;
        return print_lifted(session, &request, &lifted);
    }
    let forgotten = forget(workspace, &request).map_err(failure)?;
    print(session, &request, &forgotten)
}

fn print(session: &Session, request: &Forget, told: &Forgotten) -> Result<(), Failure> {
    let ui = &session.ui;
    session.pass_on_warnings();
    if ui.wants_json() {
        let body = json!({ "forgotten": told, "dry_run": request.dry_run });
        return Ok(ui.json(&JsonDocument::new("forget", 1, body))?);
    }
    let (did, would) = ("Forgot ", "Would forget ");
    let verb = if request.dry_run { would } else { did };
    for one in &told.branches {
        let line = Line::new().plain(verb).push(Label::Branch, &one.branch);
        ui.print(&match one.tip {
            Some(tip) => line.plain(" was ").push(Label::Commit, tip.short(10)),
            None => line.plain(" (it was gone before)"),
        })?;
        if one.was_head {
            ui.warning(format!("HEAD is on '{}', which has no commit now", one.branch));
        }
    }
    for tag in &told.tags {
        let line = Line::new().plain("  tag ").push(Label::Tag, &tag.name).plain(" was ");
        ui.print(&line.push(Label::Commit, tag.id.short(10)))?;
    }
    for one in told.refs.iter().take(NAMED_MAX) {
        ui.print(&Line::new().plain("  ").plain(&one.name).plain(" was ").push(Label::Commit, one.id.short(10)))?;
    }
    let parts = [
        (told.refs.len().saturating_sub(NAMED_MAX) as u64, "more refs"),
        (told.links, "links to code"),
        (told.files.len() as u64, "files about sessions"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, of)| format!("{} {of}", figures::count(*count)))
        .collect();
    if !parts.is_empty() {
        ui.print(&Line::new().plain("  ").plain(parts.join(", ")))?;
    }
    for session in &told.sessions {
        ui.print(&Line::new().plain("  session ").plain(session).plain(" stays away"))?;
    }
    print_remote(ui, told.remote.as_ref(), request.dry_run)?;
    if let Some(PurgeOutcome { dropped, reached, left, .. }) = &told.purged {
        let text = format!("  dropped {} objects", figures::count(*dropped));
        ui.print(&Line::new().plain(text))?;
        if *reached > 0 {
            ui.warning(format!("{} objects stay: something else still holds them", figures::count(*reached)));
        }
        if *left > 0 {
            ui.warning(format!("{} objects are in packs of git's own", figures::count(*left)));
            ui.hint("to drop those too: git gc --prune=now");
        }
    }
    for holder in told.held_by.iter().take(NAMED_MAX) {
        let what = if holder.whole { "all" } else { "some" };
        ui.warning(format!("'{}' still holds {what} of '{}'", holder.name, holder.branch));
    }
    if told.held_by.len() > NAMED_MAX {
        ui.warning(format!("and {} more do", told.held_by.len() - NAMED_MAX));
    }
    if !request.dry_run && !request.purge {
        ui.hint(format!("to take it back: {}", told.undo.join(" && ")));
    }
    refused(told.remote.as_ref())
}

fn print_lifted(session: &Session, request: &Forget, told: &Lifted) -> Result<(), Failure> {
    let ui = &session.ui;
    session.pass_on_warnings();
    if ui.wants_json() {
        let body = json!({ "lifted": told, "dry_run": request.dry_run });
        return Ok(ui.json(&JsonDocument::new("forget", 1, body))?);
    }
    for (branch, _) in &told.tombstones {
        let text = if request.dry_run { " could come back" } else { " may come back" };
        ui.print(&Line::new().push(Label::Branch, branch).plain(text))?;
    }
    for one in &told.aside {
        ui.print(&Line::new().plain("  aside: ").plain(&one.name).plain(" ").push(Label::Commit, one.id.short(10)))?;
    }
    print_remote(ui, told.remote.as_ref(), request.dry_run)?;
    if request.remote.is_none() && !request.dry_run {
        let names: Vec<&str> = told.tombstones.iter().map(|(branch, _)| branch.as_str()).collect();
        let again = format!("git trace forget --lift {} --remote", names.join(" "));
        ui.hint(format!("a server that has the tombstone gives it back with the next fetch: {again}"));
    }
    for command in &told.undo {
        ui.hint(format!("to bring it back: {command}"));
    }
    if !told.aside.is_empty() {
        let delete: Vec<String> = told.aside.iter().map(|one| format!("git update-ref -d {}", one.name)).collect();
        ui.hint(format!("to let go of what is aside: {}", delete.join(" && ")));
    }
    refused(told.remote.as_ref())
}

fn print_remote(ui: &Ui, told: Option<&RemoteForgotten>, dry_run: bool) -> Result<(), Failure> {
    let Some(told) = told else { return Ok(()) };
    let verb = if dry_run { "would delete " } else { "deleted " };
    for name in &told.deleted {
        ui.print(&Line::new().plain("  ").plain(&told.remote).plain(": ").plain(verb).plain(name))?;
    }
    let verb = if dry_run { "would put " } else { "put " };
    for name in &told.tombstones {
        ui.print(&Line::new().plain("  ").plain(&told.remote).plain(": ").plain(verb).plain(name))?;
    }
    for OnlyThere { branch, commits, .. } in &told.only_there {
        let unit = if *commits == 1 { "commit" } else { "commits" };
        let text = format!("'{branch}' had {commits} {unit} at '{}' that are on no branch here", told.remote);
        ui.warning(text);
    }
    for (name, reason) in &told.rejected {
        ui.warning(format!("{} refused '{name}': {reason}", told.remote));
    }
    Ok(())
}

/// Ends with a refusal where the remote did not do all.
fn refused(told: Option<&RemoteForgotten>) -> Result<(), Failure> {
    match told.filter(|told| !told.rejected.is_empty()) {
        None => Ok(()),
        Some(told) => {
            let message = format!("'{}' did not forget all of it", told.remote);
            Err(Failure::new(crate::ui::ExitCode::Refused, message).hint("the same command tries again"))
        }
    }
}
