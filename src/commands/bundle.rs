//! `git trace bundle`

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{
    Bundle, BundleImported, CreateBundle, ImportBundle, create_bundle, import_bundle, list_bundle, verify_bundle,
};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line, figures};

pub(super) fn args(command: Command) -> Command {
    let file =
        || Arg::new("file").value_name("file").required(true).value_parser(value_parser!(PathBuf)).help("The bundle");
    command
        .about("Write contexts to a file, or bring those of a file here")
        .long_about(
            "Carry contexts where there is no network: git's own bundles, with branches, tags, the index of links and what \
             was forgotten; never work trees. What is written is searched for secrets first. What is imported is looked at \
             first, and goes to branches of a remote of its own, from which it is merged.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("create")
                .about("Write branches to a file")
                .arg(file())
                .arg(Arg::new("branch-name").value_name("branch").num_args(0..).help("The branches; all, with tags, if none is named"))
                .arg(Arg::new("all").long("all").action(ArgAction::SetTrue).conflicts_with("branch-name").help("All branches and tags (default)"))
                .arg(Arg::new("since").long("since").value_name("revision").help("Leave out what this revision can reach: the other side has it"))
                .arg(dry_run_arg()),
        )
        .subcommand(
            Command::new("import")
                .about("Bring the branches of a file here")
                .arg(file())
                .arg(Arg::new("name").long("name").value_name("name").help("Keep them as branches of this remote; 'bundle' if not given"))
                .arg(dry_run_arg()),
        )
        .subcommand(Command::new("verify").about("Tell whether a file can be imported here").arg(file()))
        .subcommand(Command::new("list").about("List the refs in a file").arg(file()))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let Some((verb, inner)) = matches.subcommand() else {
        return Err(Failure::new(ExitCode::Usage, "nothing is asked for").hint("see git trace bundle -h"));
    };
    let workspace = session.workspace()?;
    let file = inner.get_one::<PathBuf>("file").cloned().unwrap_or_default();
    match verb {
        "create" => {
            let request = CreateBundle {
                file,
                branches: inner.get_many::<String>("branch-name").into_iter().flatten().cloned().collect(),
                since: inner.get_one::<String>("since").cloned(),
                dry_run: inner.get_flag("dry-run"),
            };
            let made = create_bundle(workspace, &request).map_err(failure)?;
            print(session, verb, &made, request.dry_run)
        }
        "import" => import(session, inner, file),
        "verify" => print(session, verb, &verify_bundle(workspace, &file).map_err(failure)?, false),
        _ => print(session, verb, &list_bundle(workspace, &file).map_err(failure)?, false),
    }
}

fn print(session: &Session, verb: &str, bundle: &Bundle, dry_run: bool) -> Result<(), Failure> {
    let ui = &session.ui;
    session.pass_on_warnings();
    if ui.wants_json() {
        let body = json!({ "bundle": bundle, "dry_run": dry_run });
        return Ok(ui.json(&JsonDocument::new("bundle", 1, body))?);
    }
    for (name, id) in &bundle.refs {
        ui.print(&Line::new().push(Label::Commit, id.short(10)).plain(" ").plain(name))?;
    }
    let told = match (verb, dry_run) {
        ("create", true) => format!("would write {} commits", figures::count(bundle.commits.unwrap_or(0))),
        ("create", false) => {
            let commits = figures::count(bundle.commits.unwrap_or(0));
            format!("wrote {commits} commits to {}, {}", bundle.file, figures::bytes(bundle.bytes))
        }
        ("verify", _) => format!("{} can be imported here", bundle.file),
        _ => return Ok(()),
    };
    ui.print(&Line::new().plain(told))?;
    if verb == "create" && !dry_run {
        ui.hint(format!("there: git trace bundle import {}", bundle.file));
    }
    Ok(())
}

fn import(session: &Session, matches: &ArgMatches, file: PathBuf) -> Result<(), Failure> {
    let name = matches.get_one::<String>("name").cloned();
    let request = ImportBundle { file, name, dry_run: matches.get_flag("dry-run") };
    let BundleImported { fetched, next } = import_bundle(session.workspace()?, &request).map_err(failure)?;
    let ui = &session.ui;
    session.pass_on_warnings();
    let refused = fetched.refs.iter().filter(|row| row.refused.is_some()).count();
    if ui.wants_json() {
        let body = json!({ "fetched": fetched, "next": next, "dry_run": request.dry_run });
        ui.json(&JsonDocument::new("bundle", 1, body))?;
    } else {
        for row in &fetched.refs {
            let line = Line::new().push(Label::Commit, row.new.short(10)).plain(" ").plain(row.kind).plain("/");
            ui.print(&line.push(Label::Branch, &row.name))?;
            if let Some(reason) = &row.refused {
                ui.warning(format!("'{}' is refused: {reason}", row.name));
            }
        }
        for moved in &fetched.moved_aside {
            ui.warning(format!("'{}' was forgotten elsewhere, and is at '{}' now", moved.branch, moved.aside));
            if let Some(undo) = &moved.undo {
                ui.hint(format!("to bring it back: {undo}"));
            }
        }
        for command in &next {
            ui.hint(format!("to bring it in: {command}"));
        }
    }
    match refused {
        0 => Ok(()),
        count => Err(Failure::new(ExitCode::Refused, format!("{count} refs of the bundle are not sound"))),
    }
}
