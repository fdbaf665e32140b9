//! `git trace show`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::log;
use super::session::{Session, failure};
use super::view::{change_word, commit_json, entry_line, item_json};
use crate::export::plain_text;
use crate::model::Item;
use crate::ops::{Shown, show};
use crate::ui::{Failure, JsonDocument, Label, Line, OutputError};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Show a commit with the entries it touched, or one entry")
        .arg(
            Arg::new("name")
                .value_name("revision or entry")
                .help("A revision, an entry, or <revision>:<entry>; HEAD if not given"),
        )
        .arg(
            Arg::new("raw")
                .long("raw")
                .action(ArgAction::SetTrue)
                .help("Write the body of an entry as it is, and nothing else"),
        )
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let shown = show(session.workspace()?, matches.get_one::<String>("name").map(String::as_str)).map_err(failure)?;
    let ui = &session.ui;
    if matches.get_flag("raw") {
        let bodies: Vec<&[u8]> = match &shown {
            Shown::Entry { item, .. } => vec![&item.body],
            Shown::Commit { entries, .. } => {
                entries.iter().filter_map(|(_, item)| Some(item.as_ref()?.body.as_slice())).collect()
            }
        };
        let mut out = ui.raw_out();
        return Ok(bodies.into_iter().try_for_each(|body| out.put(body))?);
    }
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("show", 1, shown_json(&shown)))?);
    }
    ui.request_pager();
    match &shown {
        Shown::Entry { item, meta } => {
            print_item(session, item)?;
            if let Some(meta) = meta {
                ui.print(&Line::new())?;
                ui.print(&Line::new().push(Label::Muted, String::from_utf8_lossy(&meta.encode()).trim_end()))?;
            }
        }
        Shown::Commit { commit, entries } => {
            log::print(session, commit)?;
            for (touch, item) in entries {
                ui.print(&Line::new())?;
                match item {
                    Some(item) => {
                        ui.print(&Line::new().push(Label::Meta, change_word(touch.kind)))?;
                        print_item(session, item)?;
                    }
                    None => {
                        ui.print(&Line::new().push(Label::Entry, touch.id.as_str()).plain(" is no longer there"))?
                    }
                }
            }
        }
    }
    Ok(())
}

fn print_item(session: &Session, item: &Item) -> Result<(), OutputError> {
    session.ui.print(&entry_line(&item.entry))?;
    let mut text = plain_text(&item.entry.kind, &item.body);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    session.ui.text(Label::Plain, &text)
}

fn shown_json(shown: &Shown) -> serde_json::Value {
    match shown {
        Shown::Entry { item, meta } => json!({ "entry": item_json(item), "meta": meta }),
        Shown::Commit { commit, entries } => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(touch, item)| {
                    let entry = item.as_ref().map(item_json);
                    json!({ "change": change_word(touch.kind), "id": touch.id, "entry": entry })
                })
                .collect();
            json!({ "commit": commit_json(commit), "entries": entries })
        }
    }
}
