//! `git trace step`

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::commit::dry_run_arg;
use super::run::{refused, which, which_args};
use super::run_printed;
use super::session::Session;
use crate::ops::{StepEvent, StepRequest, step};
use crate::ui::Failure;

pub(super) fn args(command: Command) -> Command {
    let text = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("text").allow_hyphen_values(true).help(help)
    };
    let words = |name: &'static str, help: &'static str| {
        Arg::new(name).value_name(name).required(true).num_args(1..).help(help)
    };
    let artifact = || {
        Arg::new("artifact")
            .long("artifact")
            .value_name("file")
            .action(ArgAction::Append)
            .value_parser(value_parser!(PathBuf))
            .help("A file that the step made: it is looked after when the run is taken up again")
    };
    command
        .about("Record that a step of a run begins, ends, or is remarked on")
        .long_about(
            "Record a step of a run. It is begun before its work is; when the work is done it is completed, with a \
             summary, what was hard, and where the work left the plan; when it cannot be done it fails, and only a \
             person lets the run go on.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("start")
                .about("Begin the next step")
                .arg(words("action", "What is to be done"))
                .args(which_args())
                .arg(artifact())
                .arg(dry_run_arg()),
        )
        .subcommand(
            Command::new("complete")
                .about("End the current step: it is done")
                .arg(text("summary", "What was done").required(true))
                .arg(text("challenges", "What was hard").required(true))
                .arg(
                    text("design-change", "Where the work left the plan; 'none' where it did not")
                        .visible_alias("design-changes")
                        .required(true)
                        .action(ArgAction::Append),
                )
                .args(which_args())
                .arg(artifact())
                .arg(dry_run_arg()),
        )
        .subcommand(
            Command::new("fail")
                .about("End the current step: it cannot be done")
                .arg(text("attempted", "What was attempted").required(true))
                .arg(text("tried", "What was tried against it").required(true))
                .arg(text("summary", "What was done all the same"))
                .arg(text("challenges", "What was hard"))
                .args(which_args())
                .arg(artifact())
                .arg(dry_run_arg()),
        )
        .subcommand(
            Command::new("note")
                .about("Remark on the current step")
                .arg(words("text", "What there is to say"))
                .args(which_args())
                .arg(artifact())
                .arg(dry_run_arg()),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let Some((action, inner)) = matches.subcommand() else { return Ok(()) };
    let text = |name: &str| inner.get_one::<String>(name).cloned();
    let all = |name: &str| inner.get_many::<String>(name).into_iter().flatten().cloned().collect::<Vec<_>>();
    let what = match action {
        "start" => StepEvent::Start { action: all("action").join(" ") },
        "complete" => StepEvent::Complete {
            summary: text("summary").unwrap_or_default(),
            challenges: text("challenges").unwrap_or_default(),
            design_changes: all("design-change"),
        },
        "fail" => StepEvent::Fail {
            attempted: text("attempted").unwrap_or_default(),
            tried: text("tried").unwrap_or_default(),
            summary: text("summary"),
            challenges: text("challenges"),
        },
        _ => StepEvent::Note { text: all("text").join(" ") },
    };
    let artifacts = inner.get_many::<PathBuf>("artifact").into_iter().flatten();
    let request = StepRequest {
        which: which(session, inner),
        what,
        artifacts: artifacts.map(|path| session.path(path)).collect(),
        dry_run: inner.get_flag("dry-run"),
    };
    let changed = step(session.workspace()?, &request).map_err(|error| refused(session, error))?;
    run_printed::changed(session, &format!("step-{action}"), &changed, request.dry_run)
}
