//! `git trace workflow install|upgrade|remove`

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{names_arg, offline_arg, texts};
use crate::commands::commit::dry_run_arg;
use crate::commands::session::{Session, failure};
use crate::ops::{
    InstallBack, InstallWorkflows, Installation, InstalledWorkflow, RemoveWorkflows, UpgradeWorkflows,
    install_workflow_back, install_workflows, remove_workflows, upgrade_workflows,
};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line, OutputError};

pub(super) fn install_args(command: Command) -> Command {
    command
        .about("Install workflows, or all that the lock file names")
        .long_about(
            "Install workflows with their plugins: all of their files become part of this repository, under refs/trace/workflows, \
             and the lock file says which they are. Without a name, all that the lock file names is installed, exactly as it \
             names it.",
        )
        .arg(
            Arg::new("references")
                .value_name("workflow")
                .num_args(0..)
                .help("A name, with version and marketplace; or a path"),
        )
        .arg(Arg::new("as").long("as").value_name("name").help("Install the only one under this name"))
        .arg(
            Arg::new("force")
                .short('f')
                .long("force")
                .action(ArgAction::SetTrue)
                .help("Replace another one of the same name"),
        )
        .arg(
            Arg::new("back")
                .long("back")
                .value_name("commit")
                .conflicts_with_all(["as", "force", "strict", "offline"])
                .help("Install what an earlier commit of refs/trace/workflows/<name> holds"),
        )
        .arg(strict_arg())
        .arg(offline_arg())
        .arg(dry_run_arg())
}

pub(super) fn install(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let workspace = session.workspace()?;
    let references = texts(matches, "references");
    let dry_run = matches.get_flag("dry-run");
    let name = matches.get_one::<String>("as").cloned();
    let back = matches.get_one::<String>("back").cloned();
    if (name.is_some() || back.is_some()) && references.len() != 1 {
        return Err(Failure::new(ExitCode::Usage, "'--as' and '--back' are about one workflow"));
    }
    let done = match back {
        Some(commit) => {
            let request = InstallBack { name: references[0].clone(), commit, dry_run };
            install_workflow_back(workspace, &request)
        }
        None => {
            let request = InstallWorkflows {
                references,
                from: session.folder(),
                name,
                force: matches.get_flag("force"),
                strict: matches.get_flag("strict"),
                offline: matches.get_flag("offline"),
                dry_run,
            };
            install_workflows(workspace, &request)
        }
    };
    let done = done.map_err(failure)?;
    session.pass_on_warnings();
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("workflow-install", 1, &done))?);
    }
    print(session, &done)?;
    if done.workflows.is_empty() {
        ui.hint("the lock file names none; name one: git trace workflow install <workflow>");
    }
    Ok(())
}

pub(super) fn upgrade_args(command: Command) -> Command {
    command
        .about("Bring installed workflows up to date, each within its range")
        .long_about(
            "Bring installed workflows up to date, each within its range, with their plugins. One of which something cannot be \
             had stays as it is. A rehearsal (-n) fetches too: what is looked for later is looked for in the newer marketplaces.",
        )
        .arg(names_arg("Workflows; else all of them"))
        .arg(strict_arg())
        .arg(offline_arg())
        .arg(dry_run_arg())
}

pub(super) fn upgrade(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = UpgradeWorkflows {
        names: texts(matches, "names"),
        strict: matches.get_flag("strict"),
        offline: matches.get_flag("offline"),
        dry_run: matches.get_flag("dry-run"),
    };
    let done = upgrade_workflows(session.workspace()?, &request).map_err(failure)?;
    session.pass_on_warnings();
    let ui = &session.ui;
    if ui.wants_json() {
        ui.json(&JsonDocument::new("workflow-upgrade", 1, &done))?;
    } else {
        for one in &done.workflows {
            print_one(session, one, done.dry_run)?;
        }
        for one in &done.failed {
            let line = Line::new().push(Label::Branch, &one.name).plain("  ").push(Label::Error, "stays as it is");
            ui.print(&line.plain(format!(": {}", one.reason)))?;
            one.hints.iter().for_each(|hint| ui.hint(hint));
        }
    }
    match done.failed.len() {
        0 => Ok(()),
        1 => Err(Failure::new(ExitCode::Refused, "a workflow could not be brought up to date")),
        more => Err(Failure::new(ExitCode::Refused, format!("{more} workflows could not be brought up to date"))),
    }
}

pub(super) fn remove_args(command: Command) -> Command {
    command
        .about("Remove installed workflows, and the plugins that no other one needs")
        .long_about(
            "Remove installed workflows, and the plugins that no other one needs, from the lock file. Their files stay in the \
             history of refs/trace/workflows/<name>: other worktrees and branches may need them, and so does the way back.",
        )
        .arg(names_arg("The workflows").required(true).num_args(1..))
        .arg(dry_run_arg())
}

pub(super) fn remove(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = RemoveWorkflows { names: texts(matches, "names"), dry_run: matches.get_flag("dry-run") };
    let done = remove_workflows(session.workspace()?, &request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("workflow-remove", 1, &done))?);
    }
    let word = if done.dry_run { "would remove " } else { "removed " };
    for one in &done.workflows {
        ui.print(&Line::new().plain(word).push(Label::Branch, &one.name))?;
    }
    for plugin in &done.plugins {
        ui.print(&Line::new().plain(word).plain("plugin ").push(Label::Branch, plugin))?;
    }
    if !done.dry_run {
        let undo = done.workflows.iter().filter_map(|one| one.undo.as_ref());
        undo.for_each(|undo| ui.hint(format!("to take it back: {undo}")));
    }
    Ok(())
}

fn strict_arg() -> Arg {
    Arg::new("strict")
        .long("strict")
        .action(ArgAction::SetTrue)
        .help("Refuse a workflow of which a plugin cannot be had; else it is installed without")
}

fn print(session: &Session, done: &Installation) -> Result<(), OutputError> {
    done.workflows.iter().try_for_each(|one| print_one(session, one, done.dry_run))
}

fn print_one(session: &Session, one: &InstalledWorkflow, dry_run: bool) -> Result<(), OutputError> {
    let ui = &session.ui;
    one.warnings.iter().for_each(|warning| ui.warning(warning));
    let what = match (one.unchanged, dry_run) {
        (true, _) => "unchanged",
        (false, true) => "would install",
        (false, false) => "installed",
    };
    let version = one.locked.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let was = one.was.as_ref().filter(|was| Some(*was) != one.locked.version.as_ref());
    let was = was.map(|was| format!(" (was {was})")).unwrap_or_default();
    let line = Line::new().plain(format!("{what} ")).push(Label::Branch, &one.name).push(Label::Tag, version);
    let from = line.plain(was).plain(" from ").push(Label::Remote, &one.locked.source);
    let at = one.locked.commit.map(|commit| commit.short(10)).unwrap_or_else(|| one.locked.tree.short(10));
    ui.print(&from.plain(" at ").push(Label::Commit, at))?;
    for plugin in one.plugins_found.iter().filter(|plugin| plugin.problem.is_none()) {
        let version = plugin.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        let key = plugin.key.clone().unwrap_or_default();
        ui.print(&Line::new().plain("  plugin ").push(Label::Branch, key).push(Label::Tag, version))?;
    }
    if !one.unchanged && !dry_run {
        ui.hint(format!("to take it back: {}", one.undo));
    }
    Ok(())
}
