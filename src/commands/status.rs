//! `git trace status`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::changed::warn_of_budget;
use super::session::{Session, failure};
use super::view::{usage_json, usage_line};
use crate::ops::{Cost, Status, cost, status};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line, figures};

/// Cells of the bar that shows how full a context is.
const BAR_CELLS: usize = 20;

pub(super) fn args(command: Command) -> Command {
    command
        .about("Say where HEAD is and how full the context is")
        .arg(
            Arg::new("cost")
                .long("cost")
                .action(ArgAction::SetTrue)
                .help("Add up what the calls in this history cost, by the usage that was reported"),
        )
        .arg(
            Arg::new("check")
                .long("check")
                .action(ArgAction::SetTrue)
                .help("End with 4 when the context is over its budget"),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let workspace = session.workspace()?;
    let found = status(workspace).map_err(failure)?;
    let spent = match matches.get_flag("cost") && found.tip.is_some() {
        true => Some(cost(workspace, None).map_err(failure)?),
        false => None,
    };
    if session.ui.wants_json() {
        print_json(session, &found, spent.as_ref())?;
    } else {
        print(session, &found)?;
        print_cost(session, spent.as_ref())?;
    }
    match found.budget {
        Some(budget) if matches.get_flag("check") && budget.is_over() => {
            Err(Failure::new(ExitCode::Budget, String::new()))
        }
        _ => Ok(()),
    }
}

fn print(session: &Session, status: &Status) -> Result<(), Failure> {
    let ui = &session.ui;
    let head = Line::new().plain("On context branch ");
    ui.print(&match &status.branch {
        Some(branch) => head.push(Label::Branch, branch),
        None => Line::new().push(Label::Head, "HEAD detached"),
    })?;
    if let Some(stopped) = &status.stopped {
        let (verb, open) = (stopped.verb, figures::count(stopped.open as u64));
        ui.print(&Line::new().push(Label::Conflict, format!("{verb} stopped: {open} to settle")))?;
        match stopped.open {
            0 => ui.hint(format!("to go on: git trace {verb} --continue")),
            _ => ui.hint(format!("to look: git trace {verb} --show")),
        }
    }
    let Some(tip) = &status.tip else {
        ui.print(&Line::new().plain("No commits yet"))?;
        return Ok(());
    };
    let subject = Line::new().push(Label::Commit, tip.id.short(10)).plain(" ").plain(&tip.subject);
    ui.print(&subject)?;
    let model = status.model.as_deref().map(|model| format!(" for {model}")).unwrap_or_default();
    let sizes = format!(
        "{} tokens{model} ({}) in {} entries",
        status.tokens,
        status.tokens.method,
        figures::count(status.count)
    );
    ui.print(&Line::new().push(Label::Tokens, sizes))?;
    if let Some(usage) = &status.reported {
        ui.print(&Line::new().plain("last reported: ").join(usage_line(usage)))?;
    }
    if let Some(budget) = status.budget {
        ui.print(&Line::new().plain("budget: ").join(figures::bar(budget.used, budget.limit, "tokens", BAR_CELLS)))?;
        warn_of_budget(session, budget);
    }
    Ok(())
}

fn print_cost(session: &Session, cost: Option<&Cost>) -> Result<(), Failure> {
    let Some(cost) = cost else { return Ok(()) };
    let calls = format!(" for {} calls", figures::count(cost.priced));
    session.ui.print(&Line::new().plain("cost: ").push(Label::Cost, cost.known.to_string()).plain(calls))?;
    for (reason, calls) in &cost.unpriced {
        session.ui.warning(format!("{} calls are not in the cost: {reason}", figures::count(*calls)));
    }
    Ok(())
}

fn print_json(session: &Session, status: &Status, cost: Option<&Cost>) -> Result<(), Failure> {
    let (low, high) = status.tokens.range();
    let body = json!({
        "branch": status.branch,
        "commit": status.tip.as_ref().map(|tip| tip.id),
        "subject": status.tip.as_ref().map(|tip| &tip.subject),
        "tokens": {
            "value": status.tokens.value(),
            "base": status.tokens.base,
            "method": status.tokens.method.to_string(),
            "exact": status.tokens.method.is_exact(),
            "low": low,
            "high": high,
        },
        "count": status.count,
        "model": status.model,
        "reported": status.reported.as_ref().map(usage_json),
        "budget": status.budget,
        "stopped": status.stopped,
        "cost": cost.map(|cost| json!({ "nano_usd": cost.known.0, "priced": cost.priced, "unpriced": cost.unpriced })),
    });
    Ok(session.ui.json(&JsonDocument::new("status", 1, body))?)
}
