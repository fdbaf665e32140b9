//! `git trace log`

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::session::{Session, failure};
use super::view::{change_word, commit_json, usage_line};
use crate::model::{Commit, Time};
use crate::ops::{Log, OpError, log};
use crate::ui::{Failure, JsonDocument, Label, Line, figures};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Show the history of the context")
        .arg(
            Arg::new("revision")
                .value_name("revision")
                .num_args(0..)
                .help("Revisions and ranges: HEAD~3, main, A..B, A...B, ^A, A^!"),
        )
        .arg(Arg::new("oneline").long("oneline").action(ArgAction::SetTrue).help("One line a commit"))
        .arg(
            Arg::new("max-count")
                .short('n')
                .long("max-count")
                .value_name("number")
                .value_parser(value_parser!(usize))
                .help("Show at most this many commits (also -<number>, as in 'log -20')"),
        )
        .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).help("Show the history of all branches"))
        .arg(
            Arg::new("first-parent")
                .long("first-parent")
                .action(ArgAction::SetTrue)
                .help("Follow only the first parent of a merge"),
        )
        .arg(Arg::new("merges").long("merges").action(ArgAction::SetTrue).help("Show merges only"))
        .arg(
            Arg::new("no-merges")
                .long("no-merges")
                .action(ArgAction::SetTrue)
                .conflicts_with("merges")
                .help("Show no merges"),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let workspace = session.workspace()?;
    let request = Log {
        revisions: matches.get_many::<String>("revision").into_iter().flatten().cloned().collect(),
        all: matches.get_flag("all"),
        first_parent: matches.get_flag("first-parent"),
        merges: match (matches.get_flag("merges"), matches.get_flag("no-merges")) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        },
    };
    let ui = &session.ui;
    ui.request_pager();
    let limit = matches.get_one::<usize>("max-count").copied().unwrap_or(usize::MAX);
    let oneline = matches.get_flag("oneline");
    for (nth, commit) in log(workspace, &request).map_err(failure)?.take(limit).enumerate() {
        let commit = commit.map_err(|error| failure(OpError::from(error)))?;
        if ui.wants_json() {
            ui.json_line(&JsonDocument::new("log", 1, commit_json(&commit)))?;
        } else if oneline {
            print_line(session, &commit)?;
        } else {
            if nth > 0 {
                ui.print(&Line::new())?;
            }
            print(session, &commit)?;
        }
    }
    Ok(())
}

/// Prints a commit on one line.
fn print_line(session: &Session, commit: &Commit) -> Result<(), Failure> {
    let line = Line::new().push(Label::Commit, commit.id.short(10)).plain(" ").plain(&commit.subject).plain(" ").push(
        Label::Tokens,
        format!("({}, {})", figures::change(commit.facts.tokens), figures::count(commit.facts.total)),
    );
    let line = match session.ui.width() {
        Some(width) => line.truncated(width),
        None => line,
    };
    Ok(session.ui.print(&line)?)
}

/// Prints a commit in full, without bodies.
pub(super) fn print(session: &Session, commit: &Commit) -> Result<(), Failure> {
    let ui = &session.ui;
    let facts = &commit.facts;
    ui.print(&Line::new().push(Label::Commit, format!("commit {}", commit.id)))?;
    if commit.parents.len() > 1 {
        let parents: Vec<String> = commit.parents.iter().map(|parent| parent.short(10)).collect();
        ui.print(&Line::new().plain("Merge:  ").push(Label::Commit, parents.join(" ")))?;
    }
    let author = format!("{} <{}>", commit.author.name, commit.author.email);
    ui.print(&Line::new().plain("Author: ").push(Label::Actor, author))?;
    ui.print(&Line::new().plain("Date:   ").push(Label::Time, date(commit.author.time)))?;
    let sizes = format!(
        "{}, {} in {} entries",
        figures::change(facts.tokens),
        figures::count(facts.total),
        figures::count(facts.count)
    );
    ui.print(&Line::new().plain("Tokens: ").push(Label::Tokens, sizes))?;
    if let Some(model) = &facts.model {
        ui.print(&Line::new().plain("Model:  ").push(Label::Model, model))?;
    }
    if let Some(usage) = &facts.usage {
        ui.print(&Line::new().plain("Usage:  ").join(usage_line(usage)))?;
    }
    if let Some(code) = &facts.code {
        ui.print(&Line::new().plain("Code:   ").push(Label::Commit, code.short(10)))?;
    }
    for touch in facts.entries.iter().take(20) {
        ui.print(
            &Line::new()
                .plain("Entry:  ")
                .push(Label::Entry, touch.id.as_str())
                .plain(" ")
                .plain(change_word(touch.kind)),
        )?;
    }
    if facts.entries.len() > 20 {
        ui.print(&Line::new().plain(format!("        (+{} more)", facts.entries.len() - 20)))?;
    }
    ui.print(&Line::new())?;
    ui.print(&Line::new().plain("    ").plain(&commit.subject))?;
    if !commit.body.is_empty() {
        ui.print(&Line::new())?;
        for line in commit.body.lines() {
            ui.print(&Line::new().plain("    ").plain(line))?;
        }
    }
    Ok(())
}

fn date(time: Time) -> String {
    figures::iso(time)
}
