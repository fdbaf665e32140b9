//! `git trace verify`

use clap::{Arg, ArgMatches, Command};
use serde_json::{Value, json};

use super::session::{Session, failure};
use crate::ops::{Verified, verify};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line, OutputError};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Check from the objects alone that commits did what they say")
        .long_about(
            "Check from the objects alone that commits did what they say and nothing more: that pins stayed, tool calls \
             kept their results, the rest was not touched, and every number is what counting gives. There are rules \
             for 'compress' and 'restore'.",
        )
        .arg(
            Arg::new("revision")
                .value_name("revision")
                .num_args(0..)
                .help("Commits, and ranges (A..B) of them; HEAD if not given"),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let revisions: Vec<String> = matches.get_many::<String>("revision").into_iter().flatten().cloned().collect();
    let verified = verify(session.workspace()?, &revisions).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        let commits: Vec<Value> = verified.iter().map(verified_json).collect();
        ui.json(&JsonDocument::new("verify", 1, json!({ "commits": commits })))?;
    } else {
        verified.iter().try_for_each(|verified| print(session, verified))?;
    }
    let wrong = verified.iter().filter(|verified| !verified.findings.is_empty()).count();
    let unit = if wrong == 1 { "commit is" } else { "commits are" };
    match wrong {
        0 => Ok(()),
        _ => Err(Failure::new(ExitCode::Refused, format!("{wrong} {unit} not what they say"))
            .hint("to look at one: git trace show <commit>")),
    }
}

fn print(session: &Session, verified: &Verified) -> Result<(), OutputError> {
    let head = Line::new().push(Label::Commit, verified.commit.id.short(10)).plain(" ");
    let verdict = match (verified.checked, verified.findings.is_empty()) {
        (false, _) => Line::new().push(Label::Muted, format!("no rules for '{}'", verified.commit.facts.operation)),
        (true, true) => Line::new().push(Label::Added, "sound"),
        (true, false) => Line::new().push(Label::Removed, "not sound"),
    };
    session.ui.print(&head.join(verdict).plain(format!(" {}", verified.commit.subject)))?;
    for finding in &verified.findings {
        session.ui.print(&Line::new().plain("  ").push(Label::Removed, finding.to_string()))?;
    }
    Ok(())
}

fn verified_json(verified: &Verified) -> Value {
    let findings = verified
        .findings
        .iter()
        .map(|finding| json!({ "rule": finding.rule(), "entry": finding.entry(), "message": finding.to_string() }));
    json!({
        "commit": verified.commit.id,
        "operation": verified.commit.facts.operation.name(),
        "checked": verified.checked,
        "sound": verified.findings.is_empty(),
        "findings": findings.collect::<Vec<_>>(),
    })
}
