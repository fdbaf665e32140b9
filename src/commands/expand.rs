//! `git trace expand`

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use super::edit::entry_arg;
use super::session::{Session, failure};
use super::view::{entry_line, item_json};
use crate::export::plain_text;
use crate::ops::{Expand, Expanded, expand};
use crate::ui::{Failure, JsonDocument, Label, Line, OutputError};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Show what a summary, or a cleared tool result, stands for")
        .arg(entry_arg())
        .arg(
            Arg::new("depth")
                .long("depth")
                .value_name("number")
                .default_value("1")
                .value_parser(value_parser!(u16).range(1..))
                .help("How many compressions to look through"),
        )
        .arg(
            Arg::new("raw")
                .long("raw")
                .action(ArgAction::SetTrue)
                .help("Write the bodies of the originals as they are, and nothing else"),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = Expand {
        entry: matches.get_one::<String>("entry").cloned().unwrap_or_default(),
        depth: matches.get_one::<u16>("depth").copied().map_or(1, usize::from),
    };
    let found = expand(session.workspace()?, &request).map_err(failure)?;
    let ui = &session.ui;
    if matches.get_flag("raw") {
        let mut out = ui.raw_out();
        return Ok(found.leaves().into_iter().try_for_each(|item| out.put(&item.body))?);
    }
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("expand", 1, expanded_json(&found)))?);
    }
    ui.request_pager();
    Ok(print(session, &found, 0)?)
}

fn expanded_json(expanded: &Expanded) -> Value {
    let originals: Vec<Value> = expanded.originals.iter().map(expanded_json).collect();
    json!({ "entry": item_json(&expanded.item), "commit": expanded.commit, "originals": originals })
}

/// Prints a head line for what is compressed, and originals in full; what is deeper stands further right.
fn print(session: &Session, expanded: &Expanded, depth: usize) -> Result<(), OutputError> {
    let ui = &session.ui;
    let item = &expanded.item;
    let head = Line::new().plain("  ".repeat(depth)).join(entry_line(&item.entry));
    let Some(commit) = &expanded.commit else {
        ui.print(&head)?;
        let mut text = plain_text(&item.entry.kind, &item.body);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        ui.text(Label::Plain, &text)?;
        return ui.print(&Line::new());
    };
    ui.print(&head.plain(" compressed by ").push(Label::Commit, commit.short(10)))?;
    ui.print(&Line::new())?;
    expanded.originals.iter().try_for_each(|original| print(session, original, depth + 1))
}
