//! `git trace import`

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{
    Agent, Import, ImportEntire, Imported, SessionFacts, import, import_entire, records_in, subagent_files,
};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line, figures};

pub(super) fn args(command: Command) -> Command {
    let names: Vec<&str> = Agent::ALL.iter().map(|agent| agent.name()).collect();
    command
        .about("Turn an agent's own record into context branches")
        .long_about(
            "Turn an agent's own record of a session into context branches, one commit a message. Importing a record \
             again adds what is new in it. Rewinds become branches, compactions become compression commits, and \
             subagents agents of their own.",
        )
        .override_usage("git trace import [<agent>] <path>...")
        .after_help(format!(
            "Agents and formats: {}. Without one, the record tells whose it is. \
             'git trace import entire [<branch>]' imports the checkpoints of Entire.",
            names.join(", ")
        ))
        .arg(
            Arg::new("path")
                .value_name("path")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(PathBuf))
                .help("The agent, then the records; a folder means all records in it"),
        )
        .arg(Arg::new("as").long("as").value_name("name").help("Name the agent so, instead of after its session"))
        .arg(
            Arg::new("no-subagents")
                .long("no-subagents")
                .action(ArgAction::SetTrue)
                .help("Leave the files of subagents alone"),
        )
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let workspace = session.workspace()?;
    let ui = &session.ui;
    let words: Vec<&PathBuf> = matches.get_many::<PathBuf>("path").into_iter().flatten().collect();
    if words.first().is_some_and(|word| word.as_os_str() == "entire" && !word.exists()) {
        return run_entire(session, matches, &words[1..]);
    }
    let (agent, given) = agent_and_paths(&words)?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for path in given {
        for path in records_in(agent, path).map_err(failure)? {
            let subagents = if matches.get_flag("no-subagents") { Vec::new() } else { subagents(agent, &path)? };
            paths.push(path);
            paths.extend(subagents);
        }
    }
    let mut seen = std::collections::HashSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    for path in &paths {
        let request = Import {
            agent,
            name: matches.get_one::<String>("as").cloned(),
            dry_run: matches.get_flag("dry-run"),
            ..Import::new(path.clone())
        };
        let mut meter = ui.progress("importing", None);
        let outcome = import(workspace, &request, &mut |steps| meter.set(steps)).map_err(failure)?;
        drop(meter);
        print(session, &path.display().to_string(), &outcome)?;
    }
    session.pass_on_warnings();
    Ok(())
}

/// Imports Entire's checkpoints.
fn run_entire(session: &Session, matches: &ArgMatches, words: &[&PathBuf]) -> Result<(), Failure> {
    let branch = match words {
        [] => None,
        [branch] => Some(branch.to_string_lossy().into_owned()),
        _ => return Err(usage("name one branch of checkpoints")),
    };
    let request = ImportEntire { branch, dry_run: matches.get_flag("dry-run") };
    let mut printed = Ok(());
    import_entire(session.workspace()?, &request, &mut |path, outcome| {
        let result = match outcome {
            Ok(outcome) => print(session, path, &outcome),
            Err(error) => {
                session.ui.warning(format!("{path}: {}", failure(error).message));
                Ok(())
            }
        };
        if printed.is_ok() {
            printed = result;
        }
    })
    .map_err(failure)?;
    session.pass_on_warnings();
    printed
}

/// Takes the first word for an agent's name, unless a file has that name and no other follows.
pub(super) fn agent_and_paths<'w>(words: &[&'w PathBuf]) -> Result<(Option<Agent>, Vec<&'w PathBuf>), Failure> {
    let [first, rest @ ..] = words else { return Ok((None, Vec::new())) };
    let agent = first.to_str().and_then(|name| name.parse::<Agent>().ok());
    match agent {
        Some(agent) if !rest.is_empty() => Ok((Some(agent), rest.to_vec())),
        Some(agent) if !first.exists() => {
            Err(usage("name the records").hint(format!("for example: git trace import {agent} <path>")))
        }
        None if !rest.is_empty()
            && !first.exists()
            && first.components().count() == 1
            && first.extension().is_none() =>
        {
            let names: Vec<&str> = Agent::ALL.iter().map(|agent| agent.name()).collect();
            let message = format!("unknown agent '{}'", first.display());
            Err(usage(&message).hint(format!("it is one of {}", names.join(", "))))
        }
        _ => Ok((None, words.to_vec())),
    }
}

fn usage(message: &str) -> Failure {
    Failure::new(ExitCode::Usage, message).hint("for more information, try '-h'")
}

/// Finds the files of the subagents of a session of Claude Code.
fn subagents(agent: Option<Agent>, path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if agent.is_some_and(|agent| agent != Agent::Claude) {
        return Ok(Vec::new());
    }
    subagent_files(path).map_err(failure)
}

fn print(session: &Session, path: &str, outcome: &Imported) -> Result<(), Failure> {
    let ui = &session.ui;
    for issue in &outcome.issues {
        ui.warning(format!("{path}:{}: {}; the line is passed over", issue.line, issue.reason));
    }
    if outcome.busy {
        ui.warning(format!("{path}: another process imports this session; nothing was done"));
    }
    if let Some(branch) = &outcome.forgotten {
        ui.warning(format!("{path}: the session was forgotten with '{branch}'; nothing was done"));
        ui.hint(format!("to let it come back: git trace forget --lift {branch}"));
    }
    if outcome.pending > 0 {
        ui.warning(format!(
            "{path}: the last {} are not finished and wait for the next import",
            figures::bytes(outcome.pending)
        ));
    }
    if !outcome.redacted.is_empty() {
        let rules: Vec<String> = outcome.redacted.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
        ui.warning(format!("secrets were replaced before storing: {}", rules.join(", ")));
    }
    if ui.wants_json() {
        return Ok(ui.json_line(&JsonDocument::new("import", 1, document(path, outcome)))?);
    }
    let what = format!("{} new commits, {} entries", figures::count(outcome.commits), figures::count(outcome.entries));
    ui.print(&Line::new().plain(path).plain(": ").plain(what))?;
    for branch in &outcome.branches {
        ui.print(
            &Line::new()
                .plain("  ")
                .push(Label::Branch, &branch.branch)
                .plain(" ")
                .push(Label::Commit, branch.commit.short(10)),
        )?;
    }
    let placeholders = outcome.summary.as_ref().map_or(0, |summary| summary.placeholders);
    if placeholders > 0 {
        ui.warning(format!(
            "{placeholders} messages report a streaming placeholder as their output; their counts are ours"
        ));
    }
    Ok(())
}

/// Returns the body of `git-trace/import/1`.
pub(super) fn document(path: &str, outcome: &Imported) -> Value {
    let issues: Vec<_> = outcome
        .issues
        .iter()
        .map(|issue| json!({ "line": issue.line, "offset": issue.offset, "reason": issue.reason }))
        .collect();
    json!({
        "agent": outcome.agent,
        "branches": outcome.branches,
        "commits": outcome.commits,
        "entries": outcome.entries,
        "summary": outcome.summary,
        "issues": issues,
        "pending": outcome.pending,
        "redacted": outcome.redacted,
        "record": outcome.format.name(),
        "session": outcome.session,
        "path": path,
        "busy": outcome.busy,
        "forgotten": outcome.forgotten.as_ref().map(ToString::to_string),
        "facts": facts(&outcome.facts),
    })
}

fn facts(facts: &SessionFacts) -> Value {
    json!({
        "id": facts.id,
        "title": facts.title,
        "cwd": facts.cwd,
        "model": facts.model,
        "started": facts.started.map(|time| time.to_string()),
        "parent": facts.parent,
        "prompts": facts.prompts,
        "replies": facts.replies,
        "tool_calls": facts.tool_calls,
        "tool_results": facts.tool_results,
        "broken": facts.broken,
    })
}
