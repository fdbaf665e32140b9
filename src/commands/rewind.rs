//! `git trace rewind`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{Rewind, rewind};
use crate::ui::{Failure, JsonDocument, Label, Line, figures};

/// Files that are listed by name.
const LISTED: usize = 20;

pub(super) fn args(command: Command) -> Command {
    command
        .about("Put a context back to a point, and the work tree with it")
        .long_about(
            "Put the current branch back to where an entry came in, or to a commit. With --code, the files of the work \
             tree go back too, to the snapshot that was taken at that point of the session; what they are now is kept \
             first. Ignored files, the index and the branches of the code stay as they are.",
        )
        .arg(Arg::new("point").value_name("entry|commit").required(true).help("Where to"))
        .arg(Arg::new("code").long("code").action(ArgAction::SetTrue).help("Put the work tree back too"))
        .arg(Arg::new("snapshot").long("snapshot").value_name("commit").help("Put the work tree back to this snapshot"))
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = Rewind {
        to: matches.get_one::<String>("point").cloned().unwrap_or_default(),
        code: matches.get_flag("code"),
        snapshot: matches.get_one::<String>("snapshot").cloned(),
        dry_run: matches.get_flag("dry-run"),
    };
    let outcome = rewind(session.workspace()?, &request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        let body = json!({ "outcome": outcome, "dry_run": request.dry_run });
        return Ok(ui.json(&JsonDocument::new("rewind", 1, body))?);
    }
    let context = &outcome.context;
    let verb = if request.dry_run { " would be at " } else { " is now at " };
    ui.print(
        &Line::new()
            .push(Label::Branch, context.branch.as_deref().unwrap_or("HEAD"))
            .plain(verb)
            .push(Label::Commit, context.to.short(10))
            .plain(" ")
            .plain(&context.subject)
            .push(Label::Tokens, format!(" ({} left behind)", figures::count(context.left_behind as u64))),
    )?;
    if let Some(code) = &outcome.code {
        let files = match code.files.len() {
            1 => "1 file".to_owned(),
            files => format!("{} files", figures::count(files as u64)),
        };
        let head = Line::new().plain("work tree").plain(if request.dry_run { " would be" } else { " is now" });
        ui.print(
            &head
                .plain(" as in snapshot ")
                .push(Label::Commit, code.snapshot.short(10))
                .plain(format!(" of {} ({files} changed)", code.taken)),
        )?;
        for (kind, path) in code.files.iter().take(LISTED) {
            ui.print(&Line::new().plain(format!("  {kind} ")).plain(path))?;
        }
        if code.files.len() > LISTED {
            ui.print(
                &Line::new().plain(format!("  … and {} more", figures::count((code.files.len() - LISTED) as u64))),
            )?;
        }
        if code.head_differs {
            ui.warning("the code's HEAD is at another commit than it was then; it is not moved");
        }
    }
    if !request.dry_run {
        ui.hint(format!("to take it back: {}", outcome.undo));
    }
    Ok(())
}
