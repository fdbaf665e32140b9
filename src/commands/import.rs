//! `git trace import`

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{Import, Imported, import_claude, subagent_files};
use crate::ui::{Failure, JsonDocument, Label, Line, figures};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Turn an agent's own transcript into context branches")
        .long_about(
            "Turn an agent's own transcript into context branches, one commit a message. Importing a transcript again \
             adds what is new in it. Rewinds become branches, compactions become compression commits, and subagents \
             agents of their own.",
        )
        .arg(
            Arg::new("agent")
                .value_name("format")
                .required(true)
                .value_parser(["claude"])
                .help("Whose transcript it is"),
        )
        .arg(
            Arg::new("file")
                .value_name("file")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(PathBuf))
                .help("The transcripts, JSONL files"),
        )
        .arg(Arg::new("as").long("as").value_name("agent").help("Name the agent so, instead of after its session"))
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
    let mut paths: Vec<PathBuf> = Vec::new();
    for path in matches.get_many::<PathBuf>("file").into_iter().flatten() {
        paths.push(path.clone());
        if !matches.get_flag("no-subagents") {
            paths.extend(subagent_files(path).map_err(failure)?);
        }
    }
    paths.dedup();
    for path in &paths {
        let request = Import {
            path: path.clone(),
            agent: matches.get_one::<String>("as").cloned(),
            dry_run: matches.get_flag("dry-run"),
        };
        let mut meter = ui.progress("importing", None);
        let outcome = import_claude(workspace, &request, &mut |steps| meter.set(steps)).map_err(failure)?;
        drop(meter);
        print(session, &path.display().to_string(), &outcome)?;
    }
    session.pass_on_warnings();
    Ok(())
}

fn print(session: &Session, path: &str, outcome: &Imported) -> Result<(), Failure> {
    let ui = &session.ui;
    for issue in &outcome.issues {
        ui.warning(format!("{path}:{}: {}; the line is passed over", issue.line, issue.kind));
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
        let issues: Vec<_> = outcome
            .issues
            .iter()
            .map(|issue| json!({ "line": issue.line, "offset": issue.offset, "reason": issue.kind.to_string() }))
            .collect();
        let body = json!({
            "agent": outcome.agent,
            "branches": outcome.branches,
            "commits": outcome.commits,
            "entries": outcome.entries,
            "summary": outcome.summary,
            "issues": issues,
            "pending": outcome.pending,
            "redacted": outcome.redacted,
        });
        return Ok(ui.json_line(&JsonDocument::new("import", 1, body))?);
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
    if outcome.summary.placeholders > 0 {
        ui.warning(format!(
            "{} messages report a streaming placeholder as their output; their counts are ours",
            outcome.summary.placeholders
        ));
    }
    Ok(())
}
