//! `git trace marketplace`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use super::workflow::{age, offline_arg, texts};
use crate::ops::{
    AddMarketplace, ChangedMarketplace, ListedMarketplace, RefreshMarketplaces, RemoveMarketplace, add_marketplace,
    list_marketplaces, refresh_marketplaces, remove_marketplace,
};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line, OutputError};

pub(super) fn args(command: Command) -> Command {
    let source = || {
        Arg::new("source")
            .value_name("marketplace")
            .required(true)
            .help("<owner/repo>, an address or a path; with #<branch, tag or commit> and :<folder> behind it")
    };
    command
        .about("Say where workflows come from")
        .long_about(
            "List the marketplaces that are known, with what is here of them; or make one known. A marketplace is a git \
             repository or a folder with a manifest: .athena-workflow/marketplace.json or .claude-plugin/marketplace.json. It is \
             never checked out: its files are read from git's objects.",
        )
        .subcommand(
            Command::new("add")
                .about("Make a marketplace known, after having read it")
                .arg(source())
                .arg(
                    Arg::new("global")
                        .long("global")
                        .action(ArgAction::SetTrue)
                        .help("For all repositories of yours, not only this one"),
                )
                .arg(offline_arg())
                .arg(dry_run_arg()),
        )
        .subcommand(Command::new("list").about("List the marketplaces that are known; nothing is fetched"))
        .subcommand(
            Command::new("refresh").about("Fetch what is new").arg(
                Arg::new("sources").value_name("marketplace").num_args(0..).help("Which; else all that are known"),
            ),
        )
        .subcommand(
            Command::new("remove")
                .about("Forget a marketplace; what is installed stays")
                .arg(source())
                .arg(
                    Arg::new("global")
                        .long("global")
                        .action(ArgAction::SetTrue)
                        .help("For all repositories of yours; else for this one, if it is known to it alone"),
                )
                .arg(
                    Arg::new("purge")
                        .long("purge")
                        .action(ArgAction::SetTrue)
                        .help("Delete what was fetched of it too, even if it is not known any more"),
                )
                .arg(dry_run_arg()),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let source = |inner: &ArgMatches| inner.get_one::<String>("source").cloned().unwrap_or_default();
    match matches.subcommand() {
        Some(("add", inner)) => {
            let request = AddMarketplace {
                source: source(inner),
                from: session.folder(),
                for_user: inner.get_flag("global"),
                offline: inner.get_flag("offline"),
                dry_run: inner.get_flag("dry-run"),
            };
            let changed = add_marketplace(session.workspace()?, &request).map_err(failure)?;
            changed_one(session, &changed, "added")
        }
        Some(("remove", inner)) => {
            let request = RemoveMarketplace {
                source: source(inner),
                from: session.folder(),
                for_user: inner.get_flag("global"),
                purge: inner.get_flag("purge"),
                dry_run: inner.get_flag("dry-run"),
            };
            let changed = remove_marketplace(session.workspace()?, &request).map_err(failure)?;
            changed_one(session, &changed, "removed")
        }
        Some(("refresh", inner)) => {
            refresh(session, &RefreshMarketplaces { sources: texts(inner, "sources"), from: session.folder() })
        }
        _ => list(session),
    }
}

fn changed_one(session: &Session, changed: &ChangedMarketplace, done: &str) -> Result<(), Failure> {
    let ui = &session.ui;
    changed.warnings.iter().for_each(|warning| ui.warning(warning));
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("marketplace", 1, json!({ "changed": changed })))?);
    }
    let word = if changed.dry_run { format!("would have {done} ") } else { format!("{done} ") };
    let line = Line::new().plain(word).push(Label::Remote, &changed.source);
    ui.print(&line.push(Label::Muted, offers(changed.workflows, changed.plugins)))?;
    if !changed.dry_run {
        ui.hint(format!("to take it back: {}", changed.undo));
    }
    Ok(())
}

fn list(session: &Session) -> Result<(), Failure> {
    let found = list_marketplaces(session.workspace()?).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("marketplace", 1, json!({ "marketplaces": found })))?);
    }
    for one in &found {
        print_listed(session, one)?;
    }
    if found.is_empty() {
        ui.hint("none is known; add one: git trace marketplace add <owner/repo, address or path>");
    }
    Ok(())
}

fn print_listed(session: &Session, one: &ListedMarketplace) -> Result<(), OutputError> {
    let ui = &session.ui;
    one.warnings.iter().for_each(|warning| ui.warning(format!("'{}': {warning}", one.source)));
    let scope =
        if one.scope == "the repository's" { String::new() } else { format!("  in {} configuration", one.scope) };
    let mut line = Line::new().push(Label::Remote, &one.source).push(Label::Muted, offers(one.workflows, one.plugins));
    if let Some(commit) = one.commit {
        line = line.plain("  ").push(Label::Commit, commit.short(10));
    }
    if let Some(seconds) = one.fetched {
        line = line.push(Label::Time, format!("  fetched {}", age(session, seconds)?));
    }
    ui.print(&line.push(Label::Muted, scope))?;
    if let Some(problem) = &one.problem {
        ui.print(&Line::new().plain("  ").push(Label::Warning, problem))?;
    }
    Ok(())
}

fn refresh(session: &Session, request: &RefreshMarketplaces) -> Result<(), Failure> {
    let found = refresh_marketplaces(session.workspace()?, request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        ui.json(&JsonDocument::new("marketplace-refresh", 1, json!({ "marketplaces": found })))?;
    } else {
        for one in &found {
            let what = match (&one.problem, one.old, one.new) {
                (Some(problem), _, _) => Line::new().push(Label::Error, problem),
                (None, _, _) if one.is_local => Line::new().push(Label::Muted, "on this machine: read as it is"),
                (None, Some(old), Some(new)) if old == new => Line::new().push(Label::Muted, "nothing new"),
                (None, Some(old), Some(new)) => {
                    Line::new().push(Label::Commit, format!("{}..{}", old.short(10), new.short(10)))
                }
                (None, None, new) => {
                    let commit = new.map(|new| format!(" {}", new.short(10))).unwrap_or_default();
                    Line::new().push(Label::Added, "new").push(Label::Commit, commit)
                }
                (None, Some(_), None) => Line::new(),
            };
            ui.print(&Line::new().push(Label::Remote, &one.source).plain("  ").join(what))?;
            if let Some(aside) = &one.made_anew {
                ui.warning(format!("what was here was broken and is made anew; the old: '{}'", aside.display()));
            }
            one.hints.iter().for_each(|hint| ui.hint(hint));
        }
    }
    match found.iter().filter(|one| one.problem.is_some()).count() {
        0 => Ok(()),
        1 => Err(Failure::new(ExitCode::Refused, "a marketplace could not be fetched")),
        more => Err(Failure::new(ExitCode::Refused, format!("{more} marketplaces could not be fetched"))),
    }
}

fn offers(workflows: Option<usize>, plugins: Option<usize>) -> String {
    let several = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    match (workflows, plugins) {
        (None, None) => String::new(),
        (workflows, plugins) => {
            format!("  {}, {}", several(workflows.unwrap_or(0), "workflow"), several(plugins.unwrap_or(0), "plugin"))
        }
    }
}
