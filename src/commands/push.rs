//! `git trace push`

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::commit::dry_run_arg;
use super::fetch::{moved_aside, remote_arg};
use super::session::{Session, failure};
use crate::ops::{Push, Pushed, PushedRef, push};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line, OutputError, figures};

pub(super) fn args(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    command
        .about("Send contexts to a remote")
        .long_about(
            "Send contexts to one remote, in a push of their own: HEAD's branch, the branches that are named, or all. What \
             would go is searched for secrets once more, and nothing goes if one is found. Branches move forward only. The \
             remote is the one that is named, else trace.remote, else the one of the code's branch.",
        )
        .arg(remote_arg())
        .arg(Arg::new("branches").value_name("branch").num_args(0..).conflicts_with("all").help("Branches to send"))
        .arg(flag("all", "Send all branches and tags"))
        .arg(flag("tags", "Send all tags too"))
        .arg(flag("force-with-lease", "Replace what was rewritten here, if nobody else moved it since the last fetch"))
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = Push {
        remote: matches.get_one::<String>("remote").cloned(),
        branches: matches.get_many::<String>("branches").into_iter().flatten().cloned().collect(),
        all: matches.get_flag("all"),
        tags: matches.get_flag("tags"),
        force_with_lease: matches.get_flag("force-with-lease"),
        time: None,
        may_ask: true,
        dry_run: matches.get_flag("dry-run"),
    };
    let pushed = push(session.workspace()?, &request).map_err(failure)?;
    session.pass_on_warnings();
    let ui = &session.ui;
    if ui.wants_json() {
        ui.json(&JsonDocument::new("push", 1, &pushed))?;
    } else {
        print(session, &pushed)?;
    }
    for large in &pushed.large {
        let size = figures::count(large.bytes);
        ui.warning(format!(
            "'{}' of commit {} has {size} bytes: hosts advise 1 MB",
            large.path,
            large.commit.short(12)
        ));
    }
    refusal(&pushed).map_or(Ok(()), Err)
}

fn print(session: &Session, pushed: &Pushed) -> Result<(), OutputError> {
    let ui = &session.ui;
    moved_aside(session, &pushed.moved_aside)?;
    let to =
        Line::new().plain("to ").push(Label::Remote, &pushed.remote).push(Label::Muted, format!(" ({})", pushed.url));
    ui.print(&to)?;
    for one in &pushed.refs {
        let commits = figures::count(one.commits as u64);
        let unit = if one.commits == 1 { "commit" } else { "commits" };
        let what = match (one.outcome, &one.reason) {
            (_, Some(reason)) => Line::new().push(Label::Removed, "rejected").plain(format!(" ({reason})")),
            ("up-to-date", _) => Line::new().push(Label::Muted, "up to date"),
            ("would-send", _) => Line::new().plain(format!("would send {commits} {unit}")),
            ("forced", _) => Line::new().plain(format!("rewritten, {commits} {unit}")),
            ("new", _) => Line::new().push(Label::Added, "new").plain(format!(", {commits} {unit}")),
            _ => Line::new().plain(format!("{commits} {unit}")),
        };
        let renamed = if one.there.ends_with(&format!("trace/{}/{}", one.kind, one.name))
            && !one.there.starts_with("refs/heads/")
        {
            String::new()
        } else {
            format!(" -> {}", one.there)
        };
        ui.print(&Line::new().plain("  ").join(name(one)).push(Label::Muted, renamed).plain("  ").join(what))?;
    }
    Ok(())
}

fn name(one: &PushedRef) -> Line {
    match one.kind {
        "heads" => Line::new().push(Label::Branch, &one.name),
        "tags" => Line::new().plain("tag ").push(Label::Tag, &one.name),
        _ => Line::new().push(Label::Muted, "index of code and context"),
    }
}

/// Says what to do about what the remote did not take.
fn refusal(pushed: &Pushed) -> Option<Failure> {
    let rejected: Vec<&PushedRef> = pushed.rejected().collect();
    let reasons: String = rejected.iter().filter_map(|one| one.reason.clone()).collect();
    let count = rejected.len();
    let unit = if count == 1 { "ref" } else { "refs" };
    let failure = Failure::new(ExitCode::Refused, format!("remote '{}' did not take {count} {unit}", pushed.remote));
    let hint = if count == 0 {
        return None;
    } else if reasons.contains("stale info") {
        format!("somebody else moved it: git trace fetch {}, and look", pushed.remote)
    } else if rejected.iter().any(|one| one.is_rewritten) {
        format!("it was rewritten here; to rewrite it there: git trace push {} --force-with-lease", pushed.remote)
    } else if ["fetch first", "non-fast-forward"].iter().any(|words| reasons.contains(words)) {
        format!("bring in what others sent: git trace pull {}", pushed.remote)
    } else if ["hook declined", "hidden ref", "prohibited", "not allowed", "funny refname", "denied"]
        .iter()
        .any(|words| reasons.contains(words))
    {
        format!("if it takes only branches: git trace remote mode {} branch", pushed.remote)
    } else {
        "the same command goes on where this one ended".to_owned()
    };
    Some(failure.hint(hint))
}
