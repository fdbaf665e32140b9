//! The answer of merge, cherry-pick, revert and rebase, and the options that go on with one that stopped.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use serde_json::{Value, json};

use super::changed::warn_of_budget;
use super::commit::{file_arg, read_content};
use super::session::{Session, failure};
use super::view::{entry_line, item_json};
use crate::export::plain_text;
use crate::model::{BodyKind, Item};
use crate::ops::{
    Brought, Budget, Contradiction, OpenConflict, Outcome, Preference, Resolution, Resume, SequenceVerb, Settle,
    conflicts, resume, settle,
};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line, OutputError, figures};

/// The options that stand for what to do with a command that stopped.
const RESUMING: [&str; 8] = ["continue", "skip", "abort", "show", "take-ours", "take-theirs", "take-both", "text"];

/// Adds the options that go on with a command that stopped.
pub(super) fn resuming_args(command: Command) -> Command {
    let flag = |name: &'static str, long: &'static str, help: &'static str| {
        Arg::new(name).long(long).action(ArgAction::SetTrue).help_heading("After it stopped").help(help)
    };
    command
        .arg(flag("continue", "continue", "Go on: all conflicts are settled"))
        .arg(flag("skip", "skip", "Go on without the commit that it stopped at"))
        .arg(flag("abort", "abort", "Give it up; the branch did not move"))
        .arg(flag("show", "show", "Show the conflicts with the words of each side"))
        .arg(flag("take-ours", "ours", "Settle the named conflicts, or all: as on our side"))
        .arg(flag("take-theirs", "theirs", "Settle the named conflicts, or all: as on their side"))
        .arg(flag("take-both", "both", "Settle the named conflicts, or all: the words of both stay"))
        .arg(flag("text", "text", "Settle the named conflict with the words from standard input, or from -F"))
        .arg(
            Arg::new("json-body")
                .long("as-json")
                .action(ArgAction::SetTrue)
                .requires("text")
                .help_heading("After it stopped")
                .help("The words are JSON: a provider's message content"),
        )
        .arg(file_arg().requires("text").help_heading("After it stopped"))
        .group(ArgGroup::new("resuming").args(RESUMING))
}

/// `-X`
pub(super) fn prefer_arg() -> Arg {
    Arg::new("prefer")
        .short('X')
        .long("strategy-option")
        .value_name("option")
        .action(ArgAction::Append)
        .value_parser(|text: &str| {
            let known = ["ours", "theirs", "union", "driver", "interleave"];
            let named = known.contains(&text) || text.starts_with("driver=");
            if named { Ok(text.to_owned()) } else { Err(format!("it is one of {}", known.join(", "))) }
        })
        .help("Settle conflicts by 'ours', 'theirs', 'union' or 'driver[=<name>]'; or 'interleave' by time")
}

/// `--force`
pub(super) fn force_arg() -> Arg {
    Arg::new("force").long("force").action(ArgAction::SetTrue).help("Part tool calls from their results, if need be")
}

/// Reads which side is right from `-X`.
pub(super) fn preference(options: &[String]) -> Option<Preference> {
    options.iter().rev().find_map(|option| match option.as_str() {
        "ours" => Some(Preference::Ours),
        "theirs" => Some(Preference::Theirs),
        "union" => Some(Preference::Union),
        "driver" => Some(Preference::Driver(None)),
        option => option.strip_prefix("driver=").map(|name| Preference::Driver(Some(name.to_owned()))),
    })
}

/// Carries out an option that goes on with a command that stopped; `false` if none was given.
pub(super) fn run_resuming(
    session: &Session,
    matches: &ArgMatches,
    verb: SequenceVerb,
    names: &[String],
) -> Result<bool, Failure> {
    let Some(option) = RESUMING.iter().find(|option| matches.get_flag(option)) else { return Ok(false) };
    let workspace = session.workspace()?;
    let resolution = match *option {
        "continue" => {
            return print(session, &resume(workspace, verb, Resume::Continue).map_err(failure)?).map(|()| true);
        }
        "skip" => return print(session, &resume(workspace, verb, Resume::Skip).map_err(failure)?).map(|()| true),
        "abort" => {
            let given_up = resume(workspace, verb, Resume::Abort).map_err(failure)?;
            return print_abort(session, &given_up).map(|()| true);
        }
        "show" => return show(session, &conflicts(workspace, verb).map_err(failure)?).map(|()| true),
        "take-ours" => Resolution::Ours,
        "take-theirs" => Resolution::Theirs,
        "take-both" => Resolution::Both,
        _ => {
            let kind = if matches.get_flag("json-body") { BodyKind::Json } else { BodyKind::Text };
            Resolution::Words { kind, body: read_content(matches.get_one::<PathBuf>("file"))? }
        }
    };
    let left = settle(workspace, &Settle { verb, entries: names.to_vec(), resolution }).map_err(failure)?;
    print_left(session, &left)?;
    Ok(true)
}

/// Says what was done, and how to take it back; ends with 3 if it stopped.
pub(super) fn print(session: &Session, brought: &Brought) -> Result<(), Failure> {
    session.pass_on_warnings();
    let ui = &session.ui;
    let verb = brought.verb.name();
    if ui.wants_json() {
        ui.json(&JsonDocument::new(verb, 1, json!({ "outcome": brought_json(brought) })))?;
        return stopped(brought);
    }
    let branch = brought.branch.as_deref().unwrap_or("HEAD detached");
    let head = Line::new().plain("[").push(Label::Branch, branch);
    let head = match &brought.to {
        Some(to) => head.plain(" ").push(Label::Commit, to.short(10)).plain("] "),
        None if brought.outcome == Outcome::Stopped => head.plain("] "),
        None => head.plain("] ").push(Label::Muted, "(dry run) "),
    };
    let sizes = format!("{} tokens in {} entries", figures::count(brought.total), figures::count(brought.count));
    let line = match brought.outcome {
        Outcome::UpToDate => head.plain("already up to date"),
        Outcome::FastForward => head.plain(verb).plain(" (fast-forward); ").push(Label::Tokens, sizes),
        Outcome::Done => {
            let commits = match brought.commits.len() {
                1 => "1 commit".to_owned(),
                count => format!("{} commits", figures::count(count as u64)),
            };
            let change = format!("; {} tokens, {sizes}", figures::change(brought.tokens()));
            head.plain(verb).plain(": ").plain(commits).push(Label::Tokens, change)
        }
        Outcome::Paused => {
            head.plain(verb).plain(" pauses; HEAD has what was done so far; ").push(Label::Tokens, sizes)
        }
        Outcome::Stopped => head.plain(verb).plain(" stopped"),
    };
    ui.print(&line)?;
    for (commits, why) in [(&brought.skipped, "it is there already"), (&brought.left_out, "the plan leaves it out")] {
        for commit in commits {
            ui.print(&Line::new().plain("skipped ").push(Label::Commit, commit.short(10)).plain(format!(": {why}")))?;
        }
    }
    print_conflicts(session, brought)?;
    for found in &brought.contradictions {
        ui.warning(contradiction_text(found));
    }
    if let Some(limit) = brought.commits.last().and_then(|commit| commit.budget) {
        warn_of_budget(session, Budget { used: brought.total, limit });
    }
    if brought.outcome == Outcome::Paused {
        ui.hint(format!("change the context as you like, then: git trace {verb} --continue"));
    }
    if let Some((name, id)) = &brought.dropped_branch {
        ui.hint(format!("branch {name} is gone; to have it again: git trace branch {name} {}", id.short(12)));
    }
    if let Some(undo) = &brought.undo {
        ui.hint(format!("to take it back: {undo}"));
    }
    stopped(brought)
}

/// Ends with 3 when a person has to decide.
pub(super) fn stopped(brought: &Brought) -> Result<(), Failure> {
    if brought.outcome != Outcome::Stopped {
        return Ok(());
    }
    let verb = brought.verb.name();
    let count = brought.conflicts.len() + brought.contradictions.len();
    Err(Failure::new(ExitCode::Conflict, format!("{verb}: {count} to settle; nothing has changed"))
        .hint(format!("to look: git trace {verb} --show"))
        .hint(format!("to settle: git trace {verb} --ours|--theirs|--both|--text [<entry>]"))
        .hint(format!("then: git trace {verb} --continue (or --abort)")))
}

/// Lists the conflicts, one a line.
pub(super) fn print_conflicts(session: &Session, brought: &Brought) -> Result<(), OutputError> {
    for conflict in &brought.conflicts {
        let line = Line::new()
            .push(Label::Conflict, "conflict ")
            .push(Label::Entry, conflict.id.as_str())
            .plain(" ")
            .plain(conflict.kind.words());
        session.ui.print(&line)?;
        for (side, item) in [("ours:   ", &conflict.ours), ("theirs: ", &conflict.theirs)] {
            let words = OpenConflict::preview(item.as_ref()).unwrap_or_else(|| "(not there)".to_owned());
            session.ui.print(&Line::new().plain("  ").push(Label::Muted, side).plain(words))?;
        }
    }
    Ok(())
}

fn contradiction_text(found: &Contradiction) -> String {
    let about = found.key.as_ref().map(|key| format!(" of '{key}'")).unwrap_or_default();
    format!(
        "{}{about}: '{}' in {} against '{}' in {}",
        found.kind, found.our_value, found.ours, found.their_value, found.theirs
    )
}

fn show(session: &Session, brought: &Brought) -> Result<(), Failure> {
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("conflicts", 1, json!({ "outcome": brought_json(brought) })))?);
    }
    for conflict in &brought.conflicts {
        let head = Line::new().push(Label::Conflict, "conflict ").push(Label::Entry, conflict.id.as_str());
        ui.print(&head.plain(" ").plain(conflict.kind.words()))?;
        for (side, item) in [("base", &conflict.base), ("ours", &conflict.ours), ("theirs", &conflict.theirs)] {
            let head = Line::new().plain("  ").push(Label::Muted, side).plain(" ");
            let Some(item) = item else {
                ui.print(&head.plain("(not there)"))?;
                continue;
            };
            ui.print(&head.join(entry_line(&item.entry)))?;
            for line in plain_text(&item.entry.kind, &item.body).lines() {
                ui.print(&Line::new().plain("    ").plain(line))?;
            }
        }
    }
    for found in &brought.contradictions {
        ui.print(&Line::new().push(Label::Conflict, "contradiction ").plain(contradiction_text(found)))?;
    }
    if brought.conflicts.is_empty() && brought.contradictions.is_empty() {
        ui.print(&Line::new().plain("all is settled"))?;
        ui.hint(format!("to go on: git trace {} --continue", brought.verb.name()));
    }
    Ok(())
}

fn print_left(session: &Session, left: &Brought) -> Result<(), Failure> {
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("conflicts", 1, json!({ "outcome": brought_json(left) })))?);
    }
    let count = left.conflicts.len() + left.contradictions.len();
    if count == 0 {
        ui.print(&Line::new().plain("all is settled"))?;
        ui.hint(format!("to go on: git trace {} --continue", left.verb.name()));
        return Ok(());
    }
    ui.print(&Line::new().plain(format!("{} left to settle", figures::count(count as u64))))?;
    print_conflicts(session, left)?;
    left.contradictions.iter().for_each(|found| ui.warning(contradiction_text(found)));
    Ok(())
}

fn print_abort(session: &Session, given_up: &Brought) -> Result<(), Failure> {
    let ui = &session.ui;
    if ui.wants_json() {
        let body = json!({ "outcome": { "branch": given_up.branch, "to": given_up.to } });
        return Ok(ui.json(&JsonDocument::new(given_up.verb.name(), 1, body))?);
    }
    let line = Line::new().plain(given_up.verb.name()).plain(" given up; ");
    let branch = given_up.branch.as_deref().unwrap_or("HEAD");
    ui.print(&line.push(Label::Branch, branch).plain(" is as it was"))?;
    Ok(())
}

pub(super) fn brought_json(brought: &Brought) -> Value {
    let item = |item: &Option<Item>| item.as_ref().map(item_json);
    let conflict = |conflict: &OpenConflict| {
        json!({
            "kind": conflict.kind.name(),
            "entry": conflict.id,
            "base": item(&conflict.base),
            "ours": item(&conflict.ours),
            "theirs": item(&conflict.theirs),
        })
    };
    json!({
        "end": brought.outcome,
        "branch": brought.branch,
        "from": brought.from,
        "to": brought.to,
        "commits": brought.commits,
        "skipped": brought.skipped,
        "left_out": brought.left_out,
        "conflicts": brought.conflicts.iter().map(conflict).collect::<Vec<_>>(),
        "contradictions": brought.contradictions,
        "stopped_at": brought.stopped_at,
        "tokens": brought.tokens(),
        "total": brought.total,
        "count": brought.count,
        "dropped_branch": brought.dropped_branch.as_ref().map(|(name, id)| json!({ "name": name, "commit": id })),
        "undo": brought.undo,
    })
}
