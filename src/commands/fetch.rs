//! `git trace fetch`

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{Fetch, Fetched, FetchedRef, MovedAside, Movement, fetch};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line, OutputError};

/// `<remote>`
pub(super) fn remote_arg() -> Arg {
    Arg::new("remote").value_name("remote").help("The remote; else trace.remote, or the one of the code's branch")
}

pub(super) fn args(command: Command) -> Command {
    command
        .about("Bring what a remote has")
        .long_about(
            "Bring what a remote has: its branches are <remote>/<agent>/<branch> then. All of it is looked at before it is \
             followed; no branch of yours moves, and nothing of your code is asked for or told.",
        )
        .arg(remote_arg())
        .arg(
            Arg::new("branches")
                .value_name("branch")
                .num_args(0..)
                .help("Branches to bring, in which '*' stands for anything; else all of them, and tags"),
        )
        .arg(
            Arg::new("prune")
                .short('p')
                .long("prune")
                .action(ArgAction::SetTrue)
                .conflicts_with("branches")
                .help("Forget branches that the remote has no longer"),
        )
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = Fetch {
        remote: matches.get_one::<String>("remote").cloned(),
        branches: matches.get_many::<String>("branches").into_iter().flatten().cloned().collect(),
        prune: matches.get_flag("prune"),
        may_ask: true,
        time: None,
        dry_run: matches.get_flag("dry-run"),
    };
    let fetched = fetch(session.workspace()?, &request).map_err(failure)?;
    session.pass_on_warnings();
    let ui = &session.ui;
    if ui.wants_json() {
        ui.json(&JsonDocument::new("fetch", 1, &fetched))?;
    } else {
        print(session, &fetched)?;
    }
    refusal(&fetched).map_or(Ok(()), Err)
}

/// Prints what came.
pub(super) fn print(session: &Session, fetched: &Fetched) -> Result<(), OutputError> {
    let ui = &session.ui;
    moved_aside(session, &fetched.moved_aside)?;
    let dry = if fetched.dry_run { "(dry run) from " } else { "from " };
    let from = Line::new().plain(dry).push(Label::Remote, &fetched.remote);
    ui.print(&from.push(Label::Muted, format!(" ({})", fetched.url)))?;
    let shown: Vec<&FetchedRef> =
        fetched.refs.iter().filter(|one| one.kind == "heads" || one.kind == "tags" || one.refused.is_some()).collect();
    for one in &shown {
        let what = match (&one.refused, one.movement) {
            (Some(reason), _) => Line::new().push(Label::Removed, "refused").plain(format!(" ({reason})")),
            (None, Movement::New) => Line::new().push(Label::Added, "new"),
            (None, Movement::Rewritten) => Line::new().plain("rewritten"),
            (None, Movement::Forward) => match one.old {
                Some(old) => Line::new().push(Label::Commit, format!("{}..{}", old.short(10), one.new.short(10))),
                None => Line::new(),
            },
        };
        let name = match one.kind {
            "heads" => Line::new().push(Label::Remote, format!("{}/{}", fetched.remote, one.name)),
            kind => Line::new().plain(format!("{} ", kind.trim_end_matches('s'))).push(Label::Tag, &one.name),
        };
        ui.print(&Line::new().plain("  ").join(name).plain("  ").join(what))?;
    }
    for bad in &fetched.bad {
        let line = Line::new().plain("  ").push(Label::Muted, &bad.name).plain("  ").push(Label::Removed, "refused");
        ui.print(&line.plain(format!(" by git ({})", bad.reason)))?;
    }
    for gone in &fetched.gone {
        let what = if fetched.pruned { "gone there, forgotten here" } else { "gone there (--prune forgets it here)" };
        ui.print(&Line::new().plain("  ").push(Label::Muted, format!("{gone}  {what}")))?;
    }
    if shown.is_empty() && fetched.gone.is_empty() && fetched.bad.is_empty() {
        ui.print(&Line::new().plain("  ").push(Label::Muted, "nothing new"))?;
    }
    Ok(())
}

/// Tells what was moved aside, and how it comes back.
pub(super) fn moved_aside(session: &Session, moved: &[MovedAside]) -> Result<(), OutputError> {
    for one in moved {
        let line = Line::new().push(Label::Branch, &one.branch).plain(" was forgotten by somebody; it is kept as ");
        session.ui.print(&line.push(Label::Muted, &one.aside))?;
        if let Some(undo) = &one.undo {
            session.ui.hint(format!("to take it back: {undo}"));
        }
    }
    Ok(())
}

/// Says that something of what came is not followed.
pub(super) fn refusal(fetched: &Fetched) -> Option<Failure> {
    let count = fetched.refs.iter().filter(|one| one.refused.is_some()).count() + fetched.bad.len();
    let unit = if count == 1 { "ref" } else { "refs" };
    let failure =
        Failure::new(ExitCode::Refused, format!("{count} {unit} of remote '{}' cannot be trusted", fetched.remote));
    (count > 0).then(|| failure.hint("nothing here has followed them; tell who runs that repository"))
}
