//! `git trace run`

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;
use std::path::PathBuf;

use super::commit::dry_run_arg;
use super::run_printed;
use super::session::{Session, failure};
use crate::ops::{
    Answer, DriftRequest, FinishRun, ListRuns, OpError, ResumeRun, StartRun, SyncRun, WhichRun, Workspace, finish_run,
    list_runs, resume_run, run_drift, run_status, start_run, sync_run,
};
use crate::run::WorkflowUsed;
use crate::ui::{Failure, JsonDocument};

pub(super) fn args(command: Command) -> Command {
    let workflow = || Arg::new("workflow").value_name("workflow");
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    command
        .about("Record the run of a workflow as a trace, step by step")
        .long_about(
            "Record the run of a workflow: each step is a commit before its work begins, and one more when it \
             ends. The run is shown in the file trace.md of its folder. What is written there by hand is taken \
             in by the next command; a file that was deleted or damaged is made anew from the commits. Without \
             --run, the run is the one that an agent is driven in (GITTRACE_RUN), that of the folder, of one \
             around it, or the only one that is open. A run that came from elsewhere has to be named.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("start")
                .about("Begin a run, or go on with the one that the folder has")
                .long_about(
                    "Begin a run in a folder, or go on with the one that the folder has. A step that was interrupted \
                     is never passed over: say whether it is done again, or looked into first.",
                )
                .arg(workflow().required(true).help("The name of the workflow"))
                .arg(
                    Arg::new("task")
                        .long("task")
                        .value_name("text")
                        .allow_hyphen_values(true)
                        .help("What is to be achieved"),
                )
                .arg(dir_arg().help("The folder of its trace.md (default: this one)"))
                .arg(flag("new", "Begin another run in the folder; the trace.md there is kept as trace.<run>.md"))
                .arg(flag("rerun", "Do the step again that was interrupted").conflicts_with("investigate"))
                .arg(flag("investigate", "Look first into what the interrupted step left behind"))
                .arg(Arg::new("version").long("workflow-version").value_name("version").help("Its version"))
                .arg(Arg::new("source").long("workflow-source").value_name("source").help("Where it came from"))
                .arg(dry_run_arg()),
        )
        .subcommand(
            Command::new("finish")
                .about("End a run: its last step is completed")
                .args(which_args())
                .arg(
                    Arg::new("failed")
                        .long("failed")
                        .value_name("reason")
                        .allow_hyphen_values(true)
                        .help("Give it up instead, and say why"),
                )
                .arg(dry_run_arg()),
        )
        .subcommand(Command::new("status").about("Say how a run stands, and what comes next").args(which_args()))
        .subcommand(
            Command::new("resume")
                .about("Let a run go on in which something failed; for people")
                .args(which_args())
                .arg(
                    Arg::new("note")
                        .short('m')
                        .long("note")
                        .value_name("text")
                        .allow_hyphen_values(true)
                        .help("What is decided"),
                )
                .arg(dry_run_arg()),
        )
        .subcommand(
            Command::new("sync")
                .about("Take in what was written in trace.md, and write it anew")
                .args(which_args())
                .arg(flag("discard", "Give up what was written there"))
                .arg(dry_run_arg()),
        )
        .subcommand(
            Command::new("drift")
                .about("List the design changes of all runs: where work left its plan")
                .arg(workflow().long("workflow").help("Only those of this workflow"))
                .arg(Arg::new("run").long("run").value_name("run").help("Only those of this run"))
                .arg(Arg::new("grep").long("grep").value_name("text").help("Only those that hold this text"))
                .arg(Arg::new("since").long("since").value_name("date").help("Only those since then")),
        )
        .subcommand(
            Command::new("list")
                .about("List the runs, newest first")
                .arg(flag("open", "Only those that are not completed"))
                .arg(workflow().long("workflow").help("Only those of this workflow")),
        )
}

fn dir_arg() -> Arg {
    Arg::new("dir").long("dir").value_name("folder").value_parser(value_parser!(PathBuf))
}

/// `--run` and `--dir`
pub(super) fn which_args() -> [Arg; 2] {
    [
        Arg::new("run").long("run").value_name("run").help("The run, or the beginning of its id"),
        dir_arg().help("The folder whose run is meant (default: this one)"),
    ]
}

/// Reads `--run` and `--dir`, and where neither is given the run that drives this process.
pub(super) fn which(session: &Session, matches: &ArgMatches) -> WhichRun {
    let is_driven = matches.get_one::<PathBuf>("dir").is_none();
    let within = is_driven.then(|| std::env::var("GITTRACE_RUN").ok()).flatten();
    WhichRun { run: matches.get_one::<String>("run").cloned(), within, dir: dir(session, matches) }
}

/// Ends a command that was refused, and tells what it has done nevertheless.
pub(super) fn refused(session: &Session, error: OpError) -> Failure {
    let warnings = session.workspace().map(Workspace::take_warnings).unwrap_or_default();
    warnings.iter().for_each(|warning| session.ui.warning(warning));
    match warnings.is_empty() {
        true => failure(error),
        false => failure(error).details(json!({ "warnings": warnings })),
    }
}

fn dir(session: &Session, matches: &ArgMatches) -> PathBuf {
    let dir = matches.get_one::<PathBuf>("dir").cloned();
    session.path(&dir.unwrap_or_else(|| PathBuf::from(".")))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let Some((action, inner)) = matches.subcommand() else { return Ok(()) };
    let workspace = session.workspace()?;
    let text = |name: &str| inner.get_one::<String>(name).cloned();
    let ui = &session.ui;
    let refused = |error| refused(session, error);
    match action {
        "start" => {
            let name = text("workflow").unwrap_or_default();
            let workflow =
                WorkflowUsed { name, version: text("version"), source: text("source"), ..Default::default() };
            let answer = match (inner.get_flag("rerun"), inner.get_flag("investigate")) {
                (true, _) => Some(Answer::Rerun),
                (_, true) => Some(Answer::Investigate),
                _ => None,
            };
            let request = StartRun {
                workflow,
                task: text("task"),
                dir: dir(session, inner),
                new: inner.get_flag("new"),
                answer,
                dry_run: inner.get_flag("dry-run"),
            };
            let started = start_run(workspace, &request).map_err(refused)?;
            session.pass_on_warnings();
            if ui.wants_json() {
                let body = json!({ "outcome": started, "dry_run": request.dry_run });
                return Ok(ui.json(&JsonDocument::new("run-start", 1, body))?);
            }
            run_printed::started(session, &started, request.dry_run)
        }
        "finish" => {
            let (which, failed) = (which(session, inner), text("failed"));
            let request = FinishRun { which, failed, dry_run: inner.get_flag("dry-run") };
            let changed = finish_run(workspace, &request).map_err(refused)?;
            run_printed::changed(session, "run-finish", &changed, request.dry_run)
        }
        "resume" => {
            let (which, note) = (which(session, inner), text("note"));
            let request = ResumeRun { which, note, dry_run: inner.get_flag("dry-run") };
            let changed = resume_run(workspace, &request).map_err(refused)?;
            run_printed::changed(session, "run-resume", &changed, request.dry_run)
        }
        "sync" => {
            let which = which(session, inner);
            let request = SyncRun { which, discard: inner.get_flag("discard"), dry_run: inner.get_flag("dry-run") };
            let changed = sync_run(workspace, &request).map_err(refused)?;
            run_printed::changed(session, "run-sync", &changed, request.dry_run)
        }
        "drift" => {
            let request =
                DriftRequest { workflow: text("workflow"), run: text("run"), text: text("grep"), since: text("since") };
            run_printed::drift(session, &run_drift(workspace, &request).map_err(refused)?)
        }
        "list" => {
            let request = ListRuns { open: inner.get_flag("open"), workflow: text("workflow") };
            run_printed::list(session, &list_runs(workspace, &request).map_err(refused)?)
        }
        _ => {
            let report = run_status(workspace, &which(session, inner)).map_err(refused)?;
            run_printed::status(session, &report)
        }
    }
}
