//! `git trace why`

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use super::session::{Session, failure};
use crate::model::Time;
use crate::ops::{Cause, CodeBrief, Explained, Link, Said, Why, WhyLines, why};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line, OutputError, figures};

/// Longest part of a prompt or of a reasoning that is shown, in characters.
const SHOWN_MAX: usize = 400;

pub(super) fn args(command: Command) -> Command {
    command
        .about("Show why a line of code is there: the prompt, the reasoning, the tool call")
        .long_about(
            "Show why a line of code is there: the prompt, the reasoning and the tool call that wrote it. A line is \
             traced by its text: what no recorded tool call wrote has no trace, and is never guessed.",
        )
        .arg(
            Arg::new("target")
                .value_name("file[:line[,end]] or commit")
                .required(true)
                .help("Lines of a file, or a commit of the code"),
        )
        .arg(Arg::new("rev").long("rev").value_name("commit").help("Take the file of this commit, not the work tree's"))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let folder = matches.get_one::<PathBuf>("directory").cloned().unwrap_or_else(|| PathBuf::from("."));
    let target = matches.get_one::<String>("target").cloned().unwrap_or_default();
    let request = Why { target: target.clone(), folder, revision: matches.get_one::<String>("rev").cloned() };
    let explained = why(session.workspace()?, &request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        ui.json(&JsonDocument::new("why", 1, explained_json(&explained)))?;
    } else {
        ui.request_pager();
        print(session, &explained)?;
    }
    if explained.is_known() {
        return Ok(());
    }
    let what = match (&explained, target.contains(':')) {
        (Explained::Commit { .. }, _) => "commit",
        (_, true) => "line",
        _ => "file",
    };
    Err(Failure::new(ExitCode::Refused, format!("no trace for this {what}")))
}

fn print(session: &Session, explained: &Explained) -> Result<(), OutputError> {
    let ui = &session.ui;
    match explained {
        Explained::Lines { path, lines } => {
            // One line without a trace is said at the end.
            let alone = lines.len() == 1;
            for (nth, lines) in lines.iter().enumerate() {
                let place = Line::new().push(Label::Position, format!("{path}:{}", range(lines.first, lines.last)));
                match &lines.cause {
                    Some(cause) => {
                        if nth > 0 {
                            ui.print(&Line::new())?;
                        }
                        ui.print(&place)?;
                        print_commit(session, lines.commit.as_ref())?;
                        print_cause(session, cause)?;
                    }
                    None if alone => {}
                    None => ui.print(&place.plain("  ").push(Label::Muted, "no trace"))?,
                }
            }
        }
        Explained::Commit { commit, causes } => {
            if !causes.is_empty() {
                print_commit(session, Some(commit))?;
            }
            for (link, cause) in causes {
                ui.print(&Line::new())?;
                ui.print(&Line::new().push(Label::Position, places(link)))?;
                print_cause(session, cause)?;
            }
        }
    }
    Ok(())
}

fn print_commit(session: &Session, commit: Option<&CodeBrief>) -> Result<(), OutputError> {
    let line = Line::new().plain("  commit   ");
    let line = match commit {
        Some(commit) => line
            .push(Label::Commit, commit.id.short(10))
            .plain(" ")
            .plain(&commit.subject)
            .plain(" (")
            .push(Label::Actor, &commit.author)
            .plain(", ")
            .push(Label::Time, figures::iso(Time::from_seconds(commit.seconds)))
            .plain(")"),
        None => line.push(Label::Muted, "not committed yet"),
    };
    session.ui.print(&line)
}

fn print_cause(session: &Session, cause: &Cause) -> Result<(), OutputError> {
    let ui = &session.ui;
    let mut line = Line::new().plain("  session  ").push(Label::Branch, &cause.branch);
    if let Some(model) = &cause.model {
        line = line.plain(", ").push(Label::Model, model);
    }
    if let Some(time) = cause.time {
        line = line.plain(", ").push(Label::Time, figures::iso(time));
    }
    ui.print(&line)?;
    for (name, said) in [("prompt ", &cause.prompt), ("because", &cause.reasoning)] {
        if let Some(Said { entry, text }) = said {
            let line = Line::new().plain(format!("  {name}  ")).push(Label::Entry, entry.as_str()).plain(" ");
            ui.print(&line.plain(shortened(text)))?;
        }
    }
    let tool = cause.tool.as_ref().map_or("(the context is not here)", |tool| tool.name.as_str());
    ui.print(
        &Line::new()
            .plain("  call     ")
            .push(Label::Entry, cause.entry.as_str())
            .plain(" ")
            .push(Label::Tool, tool)
            .plain(format!(" {} ", cause.call))
            .plain("in ")
            .push(Label::Commit, cause.trace.short(10)),
    )
}

/// Returns the beginning of a text on one line.
fn shortened(text: &str) -> String {
    let mut words = String::new();
    for word in text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.chars().count() > SHOWN_MAX {
            let cut: String = words.chars().take(SHOWN_MAX - 1).collect();
            return cut + "…";
        }
    }
    words
}

fn range(first: u32, last: u32) -> String {
    if first == last { first.to_string() } else { format!("{first},{last}") }
}

fn places(link: &Link) -> String {
    let lines: Vec<String> = link.lines.iter().map(|(first, last)| range(*first, *last)).collect();
    match lines.is_empty() {
        true => format!("{} (lines taken out)", link.path),
        false => format!("{}:{}", link.path, lines.join(" ")),
    }
}

fn explained_json(explained: &Explained) -> Value {
    match explained {
        Explained::Lines { path, lines } => {
            let lines: Vec<Value> = lines
                .iter()
                .map(|WhyLines { first, last, commit, cause }| {
                    let (commit, cause) = (commit.as_ref().map(commit_json), cause.as_ref().map(cause_json));
                    json!({ "first": first, "last": last, "commit": commit, "cause": cause })
                })
                .collect();
            json!({ "path": path, "lines": lines })
        }
        Explained::Commit { commit, causes } => {
            let causes = causes.iter().map(|(link, cause)| {
                let mut value = cause_json(cause);
                value["path"] = json!(link.path);
                value["lines"] = json!(link.lines);
                value
            });
            json!({ "commit": commit_json(commit), "causes": causes.collect::<Vec<_>>() })
        }
    }
}

fn commit_json(commit: &CodeBrief) -> Value {
    let time = Time::from_seconds(commit.seconds).to_string();
    json!({ "id": commit.id, "author": commit.author, "time": time, "subject": commit.subject })
}

fn cause_json(cause: &Cause) -> Value {
    let said = |said: &Option<Said>| said.as_ref().map(|said| json!({ "entry": said.entry, "text": said.text }));
    json!({
        "branch": cause.branch,
        "session": cause.session,
        "agent": cause.agent,
        "model": cause.model,
        "time": cause.time.map(|time| time.to_string()),
        "trace_commit": cause.trace,
        "entry": cause.entry,
        "call": cause.call,
        "tool": cause.tool.as_ref().map(|tool| tool.name.as_str()),
        "input": cause.tool.as_ref().map(|tool| tool.input.as_str()),
        "prompt": said(&cause.prompt),
        "reasoning": said(&cause.reasoning),
    })
}
