//! `git trace doctor`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{Diagnosis, Doctor, Severity, Surroundings, doctor};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line, OutputError};

/// The most sessions that are listed; JSON has them all.
const SESSIONS_SHOWN: usize = 5;

pub(super) fn args(command: Command) -> Command {
    command
        .about("Find what stands in the way of capture, and say what mends it")
        .long_about(
            "Look at what is installed and whether it is still there, at the agents that are used here, at sessions and \
             their transcripts, at the repository, and say for each finding which command mends it. It ends with 1 when \
             something needs mending.",
        )
        .arg(Arg::new("fix").long("fix").action(ArgAction::SetTrue).help("Mend what can be mended without a risk"))
        .arg(dry_run_arg().requires("fix"))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let dry_run = matches.get_flag("dry-run");
    let request = Doctor { fix: matches.get_flag("fix"), dry_run, surroundings: Surroundings::of_process() };
    let diagnosis = doctor(session.workspace()?, &request).map_err(failure)?;
    session.pass_on_warnings();
    let needs = diagnosis.needs_mending();
    if session.ui.wants_json() {
        session.ui.json(&JsonDocument::new("doctor", 1, json!({ "outcome": diagnosis, "sound": !needs })))?;
    } else {
        print(session, &diagnosis, dry_run)?;
    }
    if !needs {
        return Ok(());
    }
    let count = diagnosis.findings.iter().filter(|one| one.severity != Severity::Note).count();
    let unit = if count == 1 { "thing needs" } else { "things need" };
    let failure = Failure::new(ExitCode::Refused, format!("{count} {unit} mending"));
    let fixable = diagnosis.findings.iter().any(|one| one.fixable);
    Err(if fixable { failure.hint("what can be mended without a risk: git trace doctor --fix") } else { failure })
}

fn print(session: &Session, diagnosis: &Diagnosis, dry_run: bool) -> Result<(), OutputError> {
    let ui = &session.ui;
    let list = |names: Vec<&str>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let row = |name: &str, text: String| Line::new().push(Label::Muted, format!("{name:<9}")).plain(text);
    let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "not found".to_owned());
    ui.print(&row("git", version(&diagnosis.git)))?;
    ui.print(&row("program", version(&diagnosis.program)))?;
    ui.print(&row("agents", list(diagnosis.agents.iter().map(String::as_str).collect())))?;
    ui.print(&row("hooks", list(diagnosis.hooks.clone())))?;
    for one in diagnosis.sessions.iter().take(SESSIONS_SHOWN) {
        let last = [one.event.as_deref(), one.at.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let state = one.state.as_deref().map(|state| format!(" ({state})")).unwrap_or_default();
        let branch = one.branch.as_deref().map(|branch| format!(" on {branch}")).unwrap_or_default();
        ui.print(&row("session", format!("{} {}{branch}: {last}{state}", one.agent, one.session)))?;
    }
    if diagnosis.sessions.len() > SESSIONS_SHOWN {
        ui.print(&row("", format!("and {} more", diagnosis.sessions.len() - SESSIONS_SHOWN)))?;
    }
    for fixed in &diagnosis.fixed {
        ui.print(
            &Line::new().push(Label::Good, if dry_run { "would mend" } else { "mended" }).plain(format!(": {fixed}")),
        )?;
    }
    for one in &diagnosis.findings {
        let (label, word) = match one.severity {
            Severity::Error => (Label::Error, "error"),
            Severity::Warning => (Label::Warning, "warning"),
            Severity::Note => (Label::Hint, "note"),
        };
        ui.print(&Line::new().push(label, word).plain(format!(": {}", one.message)))?;
        if let Some(command) = &one.command {
            ui.print(&Line::new().plain(format!("  {command}")))?;
        }
    }
    if diagnosis.findings.is_empty() {
        ui.print(&Line::new().push(Label::Good, "nothing needs mending"))?;
    }
    Ok(())
}
