//! `git trace pull`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use super::brought;
use super::commit::dry_run_arg;
use super::fetch::{self, refusal, remote_arg};
use super::session::{Session, failure};
use crate::ops::{Pull, PullHow, PulledBranch, PulledHow, pull};
use crate::ui::{Failure, JsonDocument, Label, Line, OutputError};

pub(super) fn args(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    command
        .about("Bring what a remote has, and follow it")
        .long_about(
            "Fetch, and let the current branch follow the remote's branch of the same name: it moves forward, or both are \
             merged where both went on. That merge is the same on every machine that makes it. trace.pull says 'merge' \
             (the default), 'rebase' or 'ff-only'.",
        )
        .arg(remote_arg())
        .arg(flag("all", "Let all branches follow that the remote has too"))
        .arg(flag("rebase", "Put our commits on top of theirs"))
        .arg(flag("merge", "Merge, whatever trace.pull says").conflicts_with("rebase"))
        .arg(flag("ff-only", "Only move forward").conflicts_with_all(["rebase", "merge"]))
        .arg(flag("allow-unrelated-histories", "Merge contexts that have no common beginning"))
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let how = [("rebase", PullHow::Rebase), ("merge", PullHow::Merge), ("ff-only", PullHow::FastForwardOnly)];
    let request = Pull {
        remote: matches.get_one::<String>("remote").cloned(),
        all: matches.get_flag("all"),
        how: how.into_iter().find(|(name, _)| matches.get_flag(name)).map(|(_, how)| how),
        unrelated: matches.get_flag("allow-unrelated-histories"),
        may_ask: true,
        dry_run: matches.get_flag("dry-run"),
    };
    let pulled = pull(session.workspace()?, &request).map_err(failure)?;
    session.pass_on_warnings();
    let ui = &session.ui;
    let stopped = pulled.branches.iter().find(|branch| branch.how == PulledHow::Stopped);
    if ui.wants_json() {
        let branches: Vec<Value> = pulled.branches.iter().map(branch_json).collect();
        let body = json!({ "dry_run": request.dry_run, "fetched": pulled.fetched, "branches": branches });
        ui.json(&JsonDocument::new("pull", 1, body))?;
    } else {
        fetch::print(session, &pulled.fetched)?;
        for branch in &pulled.branches {
            print(session, branch, request.dry_run)?;
        }
    }
    if let Some(brought) = stopped.and_then(|branch| branch.brought.as_ref()) {
        if !ui.wants_json() {
            brought::print_conflicts(session, brought)?;
        }
        return brought::stopped(brought);
    }
    let failed = pulled.branches.iter().filter(|branch| branch.how == PulledHow::Failed).count();
    if failed > 0 {
        let unit = if failed == 1 { "branch" } else { "branches" };
        return Err(Failure::refused(format!("{failed} {unit} could not follow")));
    }
    let apart: Vec<&PulledBranch> = pulled.branches.iter().filter(|branch| branch.how == PulledHow::Apart).collect();
    if let Some(first) = apart.first() {
        let names: Vec<&str> = apart.iter().map(|branch| branch.branch.as_str()).collect();
        let failure = Failure::refused(format!("both sides went on: {}", names.join(", ")));
        let remote = &pulled.fetched.remote;
        return Err(failure.hint(format!("to merge: git trace --branch {} pull {remote} --merge", first.branch)));
    }
    refusal(&pulled.fetched).map_or(Ok(()), Err)
}

fn print(session: &Session, branch: &PulledBranch, dry_run: bool) -> Result<(), OutputError> {
    let short = |id: Option<crate::model::ObjectId>| id.map(|id| id.short(10)).unwrap_or_default();
    let what = match branch.how {
        PulledHow::NotThere => "the remote has no such branch",
        PulledHow::UpToDate => "up to date",
        PulledHow::Ahead => "has all that the remote has, and more: git trace push",
        PulledHow::New => "new",
        PulledHow::FastForward => "moved forward",
        PulledHow::Adopted => "took the same merge that somebody else made",
        PulledHow::Merged => "merged",
        PulledHow::Rebased => "put on top of the remote's",
        PulledHow::Apart => "both sides went on; it stays as it is",
        PulledHow::Stopped => "both sides disagree",
        PulledHow::Replaced => "was rewritten there; what is there now was taken",
        PulledHow::Failed => branch.reason.as_deref().unwrap_or("it could not follow"),
    };
    let dry = if dry_run { Line::new().push(Label::Muted, "(dry run) ") } else { Line::new() };
    let line = Line::new().push(Label::Branch, &branch.branch).plain("  ").join(dry).plain(what);
    let line = match (branch.from == branch.to, branch.to) {
        (false, Some(_)) => line.plain(" ").push(Label::Commit, short(branch.to)),
        _ => line,
    };
    session.ui.print(&line)?;
    if let Some(undo) = &branch.undo
        && branch.how != PulledHow::Stopped
    {
        session.ui.hint(format!("to take it back: {undo}"));
    }
    Ok(())
}

fn branch_json(branch: &PulledBranch) -> Value {
    json!({
        "branch": branch.branch,
        "from": branch.from,
        "to": branch.to,
        "how": branch.how,
        "undo": branch.undo,
        "reason": branch.reason,
        "brought": branch.brought.as_ref().map(brought::brought_json),
    })
}
