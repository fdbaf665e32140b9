//! What the commands for runs say.

use serde_json::json;

use super::session::{Session, failure};
use crate::model::Time;
use crate::ops::{Began, Drift, FileState, ListedRun, Next, ReportedStep, RunChanged, RunReport, StartedRun};
use crate::run::StepStatus;
use crate::ui::{Align, Failure, JsonDocument, Label, Line, display_width, figures};

/// Steps that are listed before the last one.
const LISTED: usize = 20;

/// Says what was recorded, and how to take it back.
pub(super) fn changed(session: &Session, name: &str, changed: &RunChanged, dry_run: bool) -> Result<(), Failure> {
    session.pass_on_warnings();
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new(name, 1, json!({ "outcome": changed, "dry_run": dry_run })))?);
    }
    recorded(session, changed, dry_run)
}

fn recorded(session: &Session, changed: &RunChanged, dry_run: bool) -> Result<(), Failure> {
    let ui = &session.ui;
    let mut line = Line::new().plain("[").push(Label::Branch, format!("run/{}", changed.run));
    line = match &changed.commit {
        Some(commit) => line.plain(" ").push(Label::Commit, commit.short(10)).plain("] "),
        None if dry_run => line.plain("] ").push(Label::Muted, "(dry run) "),
        None => line.plain("] "),
    };
    let subject = if changed.subject.is_empty() { "nothing to record" } else { &changed.subject };
    ui.print(&line.plain(subject))?;
    if !changed.edits.is_empty() {
        let would = if dry_run { "would be taken in" } else { "was taken in" };
        let file = changed.file.as_deref().unwrap_or("trace.md");
        ui.print(&Line::new().plain(format!("{would} from {file}: {}", changed.edits.join(", "))))?;
    }
    if !changed.redacted.is_empty() {
        let mut rules = changed.redacted.clone();
        rules.sort();
        rules.dedup();
        ui.warning(format!("secrets were replaced before storing: {} ({})", changed.redacted.len(), rules.join(", ")));
    }
    if let Some(undo) = &changed.undo {
        ui.hint(format!("to take it back: {undo}"));
    }
    Ok(())
}

/// Says how a run began, or goes on.
pub(super) fn started(session: &Session, started: &StartedRun, dry_run: bool) -> Result<(), Failure> {
    let ui = &session.ui;
    let report = &started.report;
    if started.began == Began::Done {
        let line = Line::new().push(Label::Branch, format!("run/{}", report.run)).plain(" is completed: ");
        ui.print(&line.plain(done(report)))?;
        ui.hint(format!("to begin another one: git trace run start {} --task <text> --new", report.workflow.name));
        return Ok(());
    }
    recorded(session, &started.change, dry_run)?;
    if let Some(kept) = &started.kept {
        let would = if dry_run { "would be kept" } else { "is kept" };
        ui.print(&Line::new().plain(format!("the trace of the earlier run {would} as {kept}")))?;
    }
    if started.began != Began::New {
        for step in report.steps.iter().rev().take(3).rev() {
            ui.print(&step_line(session, step))?;
        }
        artifacts(session, report);
    }
    next(session, report);
    Ok(())
}

/// Says how a run stands.
pub(super) fn status(session: &Session, report: &RunReport) -> Result<(), Failure> {
    session.pass_on_warnings();
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("run-status", 1, json!({ "run": report })))?);
    }
    ui.request_pager();
    let line = Line::new().push(Label::Branch, format!("run/{}", report.run)).plain(" is ");
    let line = line.plain(report.status.name()).plain(match &report.reason {
        Some(reason) => format!(": {reason}"),
        None => String::new(),
    });
    ui.print(&line)?;
    let version = report.workflow.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    ui.print(&Line::new().plain(format!("workflow {}{version}, begun {}", report.workflow.name, report.started)))?;
    ui.print(&Line::new().plain(format!("task: {}", report.task.trim().replace('\n', " "))))?;
    if let Some(file) = &report.file {
        let state = report.file_state.map(file_words).unwrap_or_default();
        ui.print(&Line::new().plain(format!("{file}{state}")))?;
    }
    if let Some(fault) = &report.file_fault {
        ui.warning(fault);
    }
    if let Some(fault) = &report.turns_fault {
        ui.warning(fault);
    }
    ui.print(&Line::new().plain(done(report)))?;
    let hidden = report.steps.len().saturating_sub(LISTED);
    if hidden > 0 {
        ui.print(&Line::new().push(Label::Muted, format!("  … {} earlier steps", figures::count(hidden as u64))))?;
    }
    for step in &report.steps[hidden..] {
        ui.print(&step_line(session, step))?;
    }
    artifacts(session, report);
    next(session, report);
    Ok(())
}

fn file_words(state: FileState) -> &'static str {
    match state {
        FileState::Current => "",
        FileState::Missing => " is not there: the next command makes it anew",
        FileState::Outdated => " is out of date: the next command makes it anew",
        FileState::Damaged => " is damaged: the next command makes it anew",
        FileState::Edited => " was written in: the next command takes that in",
        FileState::Refused => " cannot be taken in",
    }
}

/// Counts the steps.
fn done(report: &RunReport) -> String {
    let interrupted = report.steps.iter().filter(|step| step.interrupted).count();
    let counts = [
        (report.count(StepStatus::Completed), "completed"),
        (report.count(StepStatus::InProgress), "in progress"),
        (report.count(StepStatus::Failed), "failed"),
        (interrupted, "interrupted"),
    ];
    let mut counts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    match report.resumed {
        0 => {}
        1 => counts.push("taken up again once".to_owned()),
        times => counts.push(format!("taken up again {times} times")),
    }
    let steps = if report.steps.len() == 1 { "1 step".to_owned() } else { format!("{} steps", report.steps.len()) };
    match counts.is_empty() {
        true => steps,
        false => format!("{steps}: {}", counts.join(", ")),
    }
}

fn step_line(session: &Session, reported: &ReportedStep) -> Line {
    let step = &reported.step;
    let status = if reported.interrupted { "interrupted" } else { step.status.name() };
    let said = match step.status {
        StepStatus::Completed => step.summary.as_deref(),
        StepStatus::Failed => step.attempted.as_deref(),
        StepStatus::InProgress => None,
    };
    let said = said.map(|said| format!(" – {}", said.split_whitespace().collect::<Vec<_>>().join(" ")));
    let line = Line::new()
        .cell(Label::Plain, format!("  {}", step.number), 6, Align::Left)
        .cell(Label::Muted, status, 11, Align::Left)
        .plain("  ")
        .plain(&step.action)
        .push(Label::Muted, said.unwrap_or_default());
    match session.ui.width() {
        Some(width) => line.truncated(width),
        None => line,
    }
}

fn artifacts(session: &Session, report: &RunReport) {
    for (paths, what) in [(&report.missing, "is gone"), (&report.changed, "has changed since")] {
        paths.iter().for_each(|path| session.ui.warning(format!("'{path}', which a step made, {what}")));
    }
}

fn next(session: &Session, report: &RunReport) {
    let ui = &session.ui;
    match &report.next {
        Next::Nothing => {}
        Next::Begin { step } => ui.hint(format!("step {step} comes next: git trace step start <action>")),
        Next::End { step } => {
            ui.hint(format!("step {step} is to be ended: git trace step complete …, or git trace step fail …"));
        }
        Next::Person if report.of_turns => {
            ui.hint(format!("an agent goes on with it: git trace workflow run --resume {}", report.run));
        }
        Next::Person => {
            ui.hint(format!("only a person lets it go on: git trace run resume --run {} -m <decision>", report.run));
        }
    }
}

/// Lists runs.
pub(super) fn list(session: &Session, found: &[ListedRun]) -> Result<(), Failure> {
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("run-list", 1, json!({ "runs": found })))?);
    }
    if found.is_empty() {
        ui.hint("there is none; begin one: git trace run start <workflow> --task <text>");
        return Ok(());
    }
    ui.request_pager();
    let now = session.workspace()?.now().map_err(failure)?;
    let rows: Vec<[(Label, String); 5]> = found
        .iter()
        .map(|one| {
            let time = one.time.as_deref().and_then(|time| time.parse::<Time>().ok());
            let last = one.fault.as_ref().map_or_else(|| one.last.clone(), |fault| format!("cannot be read: {fault}"));
            [
                (Label::Branch, format!("run/{}", one.run)),
                (Label::Plain, one.status.clone().unwrap_or_default()),
                (Label::Plain, one.folder.clone().unwrap_or_default()),
                (Label::Time, time.map(|time| figures::relative(time, now)).unwrap_or_default()),
                (Label::Plain, last),
            ]
        })
        .collect();
    let widths: Vec<usize> =
        (0..5).map(|at| rows.iter().map(|row| display_width(&row[at].1)).max().unwrap_or(0)).collect();
    for row in rows {
        let mut line = Line::new();
        for ((label, text), width) in row.into_iter().zip(&widths).filter(|(_, width)| **width > 0) {
            line = line.cell(label, &text, *width, Align::Left).plain("  ");
        }
        ui.print(&match ui.width() {
            Some(width) => line.truncated(width),
            None => line,
        })?;
    }
    Ok(())
}

/// Lists design changes.
pub(super) fn drift(session: &Session, drift: &Drift) -> Result<(), Failure> {
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("run-drift", 1, json!(drift)))?);
    }
    ui.request_pager();
    for one in &drift.changes {
        let line = Line::new().push(Label::Branch, format!("run/{}", one.run)).plain(format!(" step {}", one.step));
        ui.print(&line.push(Label::Muted, format!("  {}", one.action)).push(Label::Time, format!("  {}", one.at)))?;
        for line in one.change.lines() {
            ui.print(&Line::new().plain("    ").plain(line))?;
        }
    }
    for (run, fault) in &drift.unread {
        ui.warning(format!("run '{run}' cannot be read: {fault}"));
    }
    if drift.changes.is_empty() {
        ui.hint(format!("no design change was recorded in {} runs", drift.runs));
    }
    Ok(())
}
