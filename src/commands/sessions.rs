//! `git trace sessions`

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::session::{Session, failure};
use crate::model::{ObjectId, Time};
use crate::ops::{ListSessions, ListedSession, sessions};
use crate::ui::{Align, Failure, JsonDocument, Label, Line, display_width, figures};

/// Sessions that are listed unless more are asked for.
const LISTED: usize = 20;

pub(super) fn args(command: Command) -> Command {
    command
        .about("List the sessions of agents whose contexts are here")
        .arg(Arg::new("agent").value_name("agent").help("Only sessions of this agent"))
        .arg(Arg::new("open").long("open").action(ArgAction::SetTrue).help("Only sessions that did not end"))
        .arg(Arg::new("cost").long("cost").action(ArgAction::SetTrue).help("Add up what each of them cost"))
        .arg(
            Arg::new("max-count")
                .short('n')
                .long("max-count")
                .value_name("number")
                .value_parser(value_parser!(usize))
                .conflicts_with("all")
                .help("Most sessions to list (default: 20)"),
        )
        .arg(Arg::new("all").short('a').long("all").action(ArgAction::SetTrue).help("List all of them"))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let most = matches.get_one::<usize>("max-count").copied().unwrap_or(LISTED);
    let request = ListSessions {
        agent: matches.get_one::<String>("agent").cloned(),
        open: matches.get_flag("open"),
        most: (!matches.get_flag("all")).then_some(most),
        cost: matches.get_flag("cost"),
    };
    let workspace = session.workspace()?;
    let found = sessions(workspace, &request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        let rows: Vec<Value> = found.sessions.iter().map(row_json).collect();
        return Ok(ui.json(&JsonDocument::new("sessions", 1, json!({ "sessions": rows, "more": found.more })))?);
    }
    ui.request_pager();
    let now = workspace.now().map_err(failure)?;
    let rows: Vec<[(Label, Align, String); 7]> = found.sessions.iter().map(|one| cells(one, now)).collect();
    let widths: Vec<usize> =
        (0..7).map(|at| rows.iter().map(|row| display_width(&row[at].2)).max().unwrap_or(0)).collect();
    for row in rows {
        let mut line = Line::new();
        for ((label, align, text), width) in row.into_iter().zip(&widths).filter(|(_, width)| **width > 0) {
            line = line.cell(label, &text, *width, align).plain("  ");
        }
        ui.print(&match ui.width() {
            Some(width) => line.truncated(width),
            None => line,
        })?;
    }
    if found.more > 0 {
        ui.hint(format!("{} more: git trace sessions --all", figures::count(found.more as u64)));
    }
    Ok(())
}

fn cells(one: &ListedSession, now: Time) -> [(Label, Align, String); 7] {
    let children = match one.subagents {
        0 => String::new(),
        1 => "1 subagent".to_owned(),
        more => format!("{more} subagents"),
    };
    let commits = match one.code_commits.len() {
        0 => String::new(),
        1 => "1 code commit".to_owned(),
        more => format!("{more} code commits"),
    };
    [
        (Label::Branch, Align::Left, one.branch.to_string()),
        (Label::Plain, Align::Left, state(one).to_owned()),
        (Label::Tokens, Align::Right, format!("{} tokens", figures::count(one.tip.facts.total))),
        (Label::Cost, Align::Right, one.cost.as_ref().map(|cost| cost.known.to_string()).unwrap_or_default()),
        (Label::Time, Align::Left, figures::relative(one.newest, now)),
        (Label::Actor, Align::Left, children),
        (Label::Commit, Align::Left, commits),
    ]
}

fn state(one: &ListedSession) -> &'static str {
    match one.state {
        Some(state) => state.name(),
        None => "imported",
    }
}

fn row_json(one: &ListedSession) -> Value {
    json!({
        "session": one.session,
        "branch": one.branch.to_string(),
        "commit": one.tip.id,
        "state": state(one),
        "last_event": one.last_event,
        "model": one.model,
        "tokens": one.tip.facts.total,
        "count": one.tip.facts.count,
        "branches": one.branches,
        "subagents": one.subagents,
        "time": one.newest.to_string(),
        "cost": one.cost.as_ref().map(|cost| json!({ "nano_usd": cost.known.0, "priced": cost.priced, "unpriced": cost.unpriced })),
        "code_commits": one.code_commits.iter().map(ObjectId::to_string).collect::<Vec<_>>(),
    })
}
