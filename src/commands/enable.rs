//! `git trace enable` and `git trace disable`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{Disable, Enable, Installed, Surroundings, WhichAgents, disable, enable};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line};

pub(super) fn args(command: Command) -> Command {
    options(command.about("Capture what agents do here, from now on"), "those that are used here").long_about(
        "Capture what agents do in this repository, from now on: hooks are put into the agents' own settings and into \
         git's hooks. What is there already stays, and runs as before. Without --agent it is done for the agents that \
         are used here. The settings are this user's alone (for example .claude/settings.local.json) and are kept out \
         of 'git status', unless --shared is given. 'git trace disable' takes everything out again.",
    )
}

pub(super) fn disable_args(command: Command) -> Command {
    options(command.about("Take out what 'enable' put in"), "all of them").long_about(
        "Take out what 'git trace enable' put into the agents' settings and git's hooks, and nothing else. A file to \
         which nobody else wrote is as it was before, byte for byte. What was captured stays. With --agent git's hooks \
         stay too.",
    )
}

fn options(command: Command, by_default: &str) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    command
        .arg(
            Arg::new("agent")
                .long("agent")
                .value_name("agent")
                .action(ArgAction::Append)
                .value_delimiter(',')
                .help(format!("This agent (more than once for several), or 'all'; {by_default} if not given")),
        )
        .arg(flag("shared", "Change the files that others get too"))
        .arg(flag("no-git-hooks", "Leave git's hooks alone"))
        .arg(flag("no-agent-hooks", "Leave the agents' settings alone").conflicts_with("agent"))
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = Enable {
        agents: which(matches)?,
        shared: matches.get_flag("shared"),
        git_hooks: !matches.get_flag("no-git-hooks"),
        agent_hooks: !matches.get_flag("no-agent-hooks"),
        surroundings: Surroundings::of_process(),
        dry_run: matches.get_flag("dry-run"),
    };
    let done = enable(session.workspace()?, &request).map_err(failure)?;
    print(session, "enable", &done, request.dry_run)
}

pub(super) fn run_disable(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = Disable {
        agents: which(matches)?,
        shared: matches.get_flag("shared"),
        git_hooks: !matches.get_flag("no-git-hooks"),
        agent_hooks: !matches.get_flag("no-agent-hooks"),
        dry_run: matches.get_flag("dry-run"),
    };
    let done = disable(session.workspace()?, &request).map_err(failure)?;
    print(session, "disable", &done, request.dry_run)
}

fn which(matches: &ArgMatches) -> Result<WhichAgents, Failure> {
    let names: Vec<&str> = matches.get_many::<String>("agent").into_iter().flatten().map(String::as_str).collect();
    WhichAgents::parse(&names).map_err(|unknown| {
        let all = format!("there are {}, and 'all'", WhichAgents::names().join(", "));
        Failure::new(ExitCode::Usage, format!("unknown agent '{unknown}'")).hint(all)
    })
}

fn print(session: &Session, verb: &str, done: &Installed, dry_run: bool) -> Result<(), Failure> {
    session.pass_on_warnings();
    let ui = &session.ui;
    let refused =
        done.agents.iter().any(|one| one.state == "refused") || done.hooks.iter().any(|one| one.state == "refused");
    if ui.wants_json() {
        ui.json(&JsonDocument::new(verb, 1, json!({ "outcome": done, "dry_run": dry_run })))?;
    } else {
        lines(session, verb, done, dry_run)?;
    }
    if refused {
        return Err(Failure::new(ExitCode::Refused, "some files were left as they are")
            .hint("to see how things are: git trace doctor"));
    }
    Ok(())
}

fn lines(session: &Session, verb: &str, done: &Installed, dry_run: bool) -> Result<(), Failure> {
    let ui = &session.ui;
    if !done.changed && done.agents.is_empty() && done.hooks_left.is_none() {
        let word = if verb == "enable" { "everything is installed already" } else { "nothing is installed here" };
        ui.print(&Line::new().plain(word))?;
        return Ok(());
    }
    for one in &done.agents {
        let line = Line::new().push(Label::Actor, one.agent).plain(": ").plain(state(one.state, dry_run));
        ui.print(&line.plain(format!(" '{}'", one.path)))?;
        if let Some(reason) = &one.reason {
            ui.warning(reason);
        }
    }
    let told: Vec<&str> = done.hooks.iter().filter(|one| one.state != "refused").map(|one| one.name).collect();
    if let (false, Some(folder)) = (told.is_empty(), &done.hooks_folder) {
        let mut states: Vec<&str> = done.hooks.iter().map(|one| one.state).filter(|one| *one != "refused").collect();
        states.sort_unstable();
        states.dedup();
        let states: Vec<String> = states.into_iter().map(|one| state(one, dry_run)).collect();
        let line = Line::new().push(Label::Actor, "git").plain(format!(": {} ", states.join(", ")));
        ui.print(&line.plain(format!("{} in '{folder}'", told.join(", "))))?;
    }
    for one in done.hooks.iter().filter(|one| one.reason.is_some()) {
        ui.warning(format!("{}: {}", one.name, one.reason.as_deref().unwrap_or_default()));
    }
    if let Some(reason) = &done.hooks_left {
        ui.print(&Line::new().push(Label::Actor, "git").plain(format!(": hooks are left as they are: {reason}")))?;
        if let (Some(line), Some(folder)) = (&done.hooks_line, &done.hooks_folder) {
            ui.hint(format!("to change them for everybody: git trace {verb} --shared"));
            ui.hint(format!("or add to '{folder}/post-commit' (and so for the others): {line}"));
        }
    }
    for advice in done.agents.iter().filter_map(|one| one.advice) {
        ui.hint(advice);
    }
    if verb == "enable" && done.changed && !dry_run {
        ui.hint("to take it out again: git trace disable");
    }
    if verb == "disable" && done.changed && !dry_run {
        ui.hint("to put it in again: git trace enable");
    }
    Ok(())
}

/// Says in words what becomes of a file.
fn state(state: &str, dry_run: bool) -> String {
    let (done, would) = match state {
        "made" => ("made", "would make"),
        "added" => ("added to", "would add to"),
        "chained" => ("chained", "would chain"),
        "updated" => ("updated", "would update"),
        "unchanged" => ("is in", "is in"),
        "removed" => ("removed", "would remove"),
        "restored" => ("restored", "would restore"),
        "cleaned" => ("taken out of", "would be taken out of"),
        "gone" => ("was gone from", "is gone from"),
        "refused" => ("not changed:", "would not change"),
        other => return other.to_owned(),
    };
    if dry_run { would } else { done }.to_owned()
}
