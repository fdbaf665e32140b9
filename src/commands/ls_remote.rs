//! `git trace ls-remote`

use clap::{Arg, ArgMatches, Command};

use super::session::{Session, failure};
use crate::ops::{LsRemote, ls_remote};
use crate::ui::{Failure, JsonDocument, Label, Line};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Tell what a remote has")
        .long_about("Tell which branches, tags, indexes and tombstones a remote has, without keeping anything of it.")
        .arg(Arg::new("remote").value_name("remote").help("The remote, or an address"))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = LsRemote { remote: matches.get_one::<String>("remote").cloned(), may_ask: true };
    let found = ls_remote(session.workspace()?, &request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("ls-remote", 1, &found))?);
    }
    ui.request_pager();
    for one in &found.refs {
        let label = if one.kind == "heads" { Label::Remote } else { Label::Tag };
        let kind = if one.kind == "heads" { String::new() } else { format!("{} ", one.kind) };
        let line = Line::new().push(Label::Commit, one.id.short(10)).plain(" ").push(Label::Muted, kind);
        let line = line.push(label, &one.name);
        ui.print(&if one.is_known { line } else { line.push(Label::Added, "  not fetched") })?;
    }
    Ok(())
}
