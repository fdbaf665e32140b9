//! `git trace remote`

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use super::session::{Session, failure};
use crate::ops::{ChangeRemote, RemoteMode, change_remote, remotes};
use crate::ui::{Failure, JsonDocument, Label, Line};

pub(super) fn args(command: Command) -> Command {
    let name = || Arg::new("name").value_name("name").required(true).help("The remote");
    let mode = || {
        Arg::new("mode")
            .value_name("mode")
            .value_parser(["refs", "branch"])
            .help("'refs': refs/trace/…; 'branch': refs/heads/git-trace/…, for hosts that take only branches")
    };
    command
        .about("See and set where contexts go to")
        .long_about(
            "List the remotes, with how each keeps contexts; or set one up. Contexts may go to a repository of their own, \
             apart from the code: git trace remote add, git trace remote default.",
        )
        .subcommand(
            Command::new("add")
                .about("Make a remote for contexts alone, which 'git fetch --all' passes by")
                .arg(name())
                .arg(Arg::new("url").value_name("address").required(true).help("Where it is"))
                .arg(mode().long("mode").default_value("refs")),
        )
        .subcommand(Command::new("mode").about("Say how a remote keeps contexts").arg(name()).arg(mode().required(true)))
        .subcommand(Command::new("default").about("Say which remote is meant where none is named").arg(name()))
        .subcommand(
            Command::new("remove").about("Forget a remote, and what it is known to have; nothing changes there").arg(name()),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let Some((action, inner)) = matches.subcommand() else { return list(session) };
    let text = |name: &str| inner.get_one::<String>(name).cloned().unwrap_or_default();
    let mode = || RemoteMode::from_name(&text("mode")).unwrap_or_default();
    let name = text("name");
    let request = match action {
        "add" => ChangeRemote::Add { name, url: text("url"), mode: mode() },
        "mode" => ChangeRemote::Mode { name, mode: mode() },
        "default" => ChangeRemote::Default { name },
        _ => ChangeRemote::Remove { name },
    };
    let changed = change_remote(session.workspace()?, &request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("remote", 1, json!({ "changed": changed })))?);
    }
    let done = match action {
        "add" => "added",
        "remove" => "removed",
        _ => "changed",
    };
    ui.print(&Line::new().plain(format!("{done} ")).push(Label::Remote, &changed.name))?;
    ui.hint(format!("to take it back: {}", changed.undo));
    Ok(())
}

fn list(session: &Session) -> Result<(), Failure> {
    let found = remotes(session.workspace()?).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("remote", 1, json!({ "remotes": found })))?);
    }
    for remote in &found {
        let mark = if remote.is_default { "* " } else { "  " };
        let line = Line::new().plain(mark).push(Label::Remote, &remote.name).plain(format!("  {}", remote.url));
        let line = match &remote.push_url {
            Some(url) => line.plain(format!(" (push: {url})")),
            None => line,
        };
        let unit = if remote.branches == 1 { "branch" } else { "branches" };
        ui.print(&line.push(Label::Muted, format!("  mode {}, {} {unit} known", remote.mode, remote.branches)))?;
    }
    if found.is_empty() {
        ui.hint("there is none; make one: git trace remote add <name> <address>");
    }
    Ok(())
}
