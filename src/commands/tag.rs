//! `git trace tag`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::session::{Session, failure};
use crate::ops::{Tag, tag};
use crate::ui::{Failure, JsonDocument, Label, Line};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Name a commit; list or delete the names")
        .arg(
            Arg::new("name")
                .value_name("tag")
                .help("Name of the tag, <name> or <agent>/<name>; all tags are listed if not given"),
        )
        .arg(Arg::new("revision").value_name("revision").help("The commit; HEAD if not given"))
        .arg(
            Arg::new("delete")
                .short('d')
                .long("delete")
                .action(ArgAction::SetTrue)
                .requires("name")
                .help("Delete the tag"),
        )
        .arg(Arg::new("force").short('f').long("force").action(ArgAction::SetTrue).help("Move a tag that exists"))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let (request, verb) = match text("name") {
        None => (Tag::List, ""),
        Some(name) if matches.get_flag("delete") => (Tag::Delete { name }, "Deleted tag "),
        Some(name) => (Tag::Create { name, revision: text("revision"), force: matches.get_flag("force") }, "Tagged "),
    };
    let found = tag(session.workspace()?, &request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("tag", 1, json!({ "tags": found })))?);
    }
    for one in &found {
        let line =
            Line::new().plain(verb).push(Label::Tag, &one.name).plain(" ").push(Label::Commit, one.commit.short(10));
        ui.print(&line)?;
        if let Some(was) = one.was {
            ui.hint(format!("to take it back: git trace tag -f {} {was}", one.name));
        }
    }
    Ok(())
}
