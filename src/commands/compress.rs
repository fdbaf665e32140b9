//! `git trace compress`

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::changed;
use super::commit::{dry_run_arg, read_content};
use super::edit::message_arg;
use super::session::{Session, failure};
use crate::ops::{Compress, CompressMode, PlanLine, Report, compress, compression_plan};
use crate::ui::{Failure, JsonDocument, Label, Line, OutputError};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Put less in the place of entries; history keeps the originals")
        .long_about(
            "Make the context smaller, in one commit. Ranges name entries ('<a>..<b>', both included, by id or \
             position), single entries, or commits ('HEAD~5..HEAD': what they added). Without a range, all is meant but \
             the instructions at the front, the first message of the user, and the newest turns. Pinned entries stay, \
             tool calls keep their results, and the rest of the context is not touched.",
        )
        .arg(Arg::new("range").value_name("range").num_args(0..).help("Entries or commits; all but the newest if not given"))
        .arg(
            Arg::new("mode")
                .long("mode")
                .value_name("mode")
                .value_parser(CompressMode::ALL.map(CompressMode::name))
                .help("How; 'mask' if not given, 'driver' with --driver"),
        )
        .arg(
            Arg::new("target-tokens")
                .long("target-tokens")
                .value_name("number")
                .value_parser(value_parser!(u64))
                .help("The most tokens that the context (with a range: what replaces it) may have then"),
        )
        .arg(
            Arg::new("keep-turns")
                .long("keep-turns")
                .value_name("number")
                .value_parser(value_parser!(u64))
                .help("Newest turns of the model that stay; 10 without a range"),
        )
        .arg(
            Arg::new("must-keep")
                .long("must-keep")
                .value_name("pattern")
                .action(ArgAction::Append)
                .help("Refuse to lose what this finds, a regular expression (also trace.mustKeep)"),
        )
        .arg(
            Arg::new("ignore-pins")
                .long("ignore-pins")
                .action(ArgAction::SetTrue)
                .help("Change pinned entries too (unless trace.pins is 'strict')"),
        )
        .arg(
            Arg::new("plan")
                .long("plan")
                .value_name("file")
                .num_args(0..=1)
                .value_parser(value_parser!(PathBuf))
                .help("Write a plan and do nothing; with a file ('-': standard input), carry that one out"),
        )
        .arg(
            Arg::new("driver")
                .long("driver")
                .value_name("name")
                .help("Who writes the summaries in mode 'driver' (also trace.driver)"),
        )
        .arg(Arg::new("instructions").long("instructions").value_name("text").help("What the driver is told beside"))
        .arg(message_arg())
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let workspace = session.workspace()?;
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let texts = |name: &str| matches.get_many::<String>(name).into_iter().flatten().cloned().collect::<Vec<_>>();
    let mode = match (text("mode"), text("driver")) {
        (Some(mode), _) => mode.parse().map_err(failure)?,
        (None, Some(_)) => CompressMode::Driver,
        (None, None) => CompressMode::default(),
    };
    let given = matches.get_one::<PathBuf>("plan").map(|file| read_content(Some(file))).transpose()?;
    let request = Compress {
        ranges: texts("range"),
        mode,
        target_tokens: matches.get_one::<u64>("target-tokens").copied(),
        keep_turns: matches.get_one::<u64>("keep-turns").copied(),
        ignore_pins: matches.get_flag("ignore-pins"),
        must_keep: texts("must-keep"),
        plan: given.as_deref(),
        instructions: text("instructions"),
        driver_name: text("driver"),
        driver: None,
        message: text("message"),
        dry_run: matches.get_flag("dry-run"),
    };
    if matches.contains_id("plan") && given.is_none() {
        let plan = compression_plan(workspace, &request).map_err(failure)?;
        session.pass_on_warnings();
        return match session.ui.wants_json() {
            true => Ok(session.ui.json(&JsonDocument::new("compression-plan", 1, json!({ "plan": plan })))?),
            false => Ok(session.ui.text(Label::Plain, &plan)?),
        };
    }
    let done = compress(workspace, &request).map_err(failure)?;
    if session.ui.wants_json() {
        session.pass_on_warnings();
        let lines: Vec<Value> = done.plan.iter().map(line_json).collect();
        let body = json!({ "outcome": done.changed, "report": report_json(&done.report), "plan": lines });
        return Ok(session.ui.json(&JsonDocument::new("compress", 1, body))?);
    }
    if request.dry_run {
        done.plan.iter().try_for_each(|line| print_line(session, line))?;
    }
    for line in done.report.lines() {
        session.ui.print(&Line::new().push(Label::Tokens, line))?;
    }
    match &done.changed {
        Some(changed) => changed::print(session, "compress", changed),
        None => Ok(()),
    }
}

fn print_line(session: &Session, line: &PlanLine) -> Result<(), OutputError> {
    let head = Line::new().push(Label::Changed, format!("{:<7}", line.verb)).plain(" ");
    let head =
        head.push(Label::Entry, line.id.as_str()).plain(format!(" {} {} {}", line.role, line.tokens, line.preview));
    session.ui.print(&match session.ui.width() {
        Some(width) => head.truncated(width),
        None => head,
    })
}

fn line_json(line: &PlanLine) -> Value {
    json!({ "id": line.id, "verb": line.verb, "role": line.role, "tokens": line.tokens })
}

fn report_json(report: &Report) -> Value {
    let kinds = report.retention.as_ref().map(|retention| {
        let kinds = retention
            .kinds
            .iter()
            .map(|(kind, kept, total)| ((*kind).to_owned(), json!({ "kept": kept, "total": total })));
        Value::Object(kinds.collect())
    });
    json!({
        "mode": report.mode,
        "level": report.level,
        "before": report.before,
        "after": report.after,
        "estimate": report.is_estimate,
        "masked": report.masked,
        "dropped": report.dropped,
        "summarised": report.summarised,
        "summaries": report.summaries,
        "retention": kinds,
        "drivers": report.drivers,
    })
}
