//! `git trace diff`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use super::session::{Session, failure};
use super::view::{entry_json, entry_line, item_json};
use crate::export::plain_text;
use crate::model::Item;
use crate::ops::{Difference, EntryChange, diff};
use crate::ui::{Failure, JsonDocument, Label, Line, OutputError, figures};

/// Longest body, in bytes, whose lines are compared one by one.
const COMPARED_MAX: usize = 1 << 20;

pub(super) fn args(command: Command) -> Command {
    command
        .about("Show what differs between two contexts, entry by entry")
        .arg(
            Arg::new("from")
                .value_name("from")
                .default_value("HEAD~1")
                .help("The older revision, or <from>..<to>, or <one>...<other> (from where they parted)"),
        )
        .arg(Arg::new("to").value_name("to").help("The newer revision; HEAD if not given"))
        .arg(Arg::new("stat").long("stat").action(ArgAction::SetTrue).help("Name the entries only"))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let from = matches.get_one::<String>("from").map(String::as_str).unwrap_or("HEAD~1");
    let to = matches.get_one::<String>("to").map(String::as_str);
    let found = diff(session.workspace()?, from, to).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("diff", 1, difference_json(&found)))?);
    }
    ui.request_pager();
    let (mut added, mut removed, mut changed) = (0, 0, 0);
    for change in &found.changes {
        match change {
            EntryChange::Added(_) => added += 1,
            EntryChange::Removed(_) => removed += 1,
            EntryChange::Changed { .. } => changed += 1,
        }
        print_change(session, change, matches.get_flag("stat"))?;
    }
    let sizes =
        format!("{added} added, {removed} removed, {changed} changed; {} tokens", figures::change(found.tokens()));
    Ok(ui.print(&Line::new().push(Label::Tokens, sizes))?)
}

fn print_change(session: &Session, change: &EntryChange, stat: bool) -> Result<(), OutputError> {
    let ui = &session.ui;
    let (sign, label, item) = match change {
        EntryChange::Added(item) => ("+ ", Label::Added, item),
        EntryChange::Removed(item) => ("- ", Label::Removed, item),
        EntryChange::Changed { new, .. } => ("~ ", Label::Changed, new.as_ref()),
    };
    ui.print(&Line::new().push(label, sign).join(entry_line(&item.entry)))?;
    if stat {
        return Ok(());
    }
    match change {
        EntryChange::Added(_) | EntryChange::Removed(_) => print_lines(session, sign, label, &text_of(item))?,
        EntryChange::Changed { old, new } => {
            if old.entry.flags != new.entry.flags {
                let word = if new.entry.flags.pin { "pinned" } else { "unpinned" };
                ui.print(&Line::new().plain("  ").push(Label::Pin, word))?;
            }
            if old.entry.position != new.entry.position {
                ui.print(&Line::new().plain(format!("  moved from {}", old.entry.position)))?;
            }
            if old.entry.body != new.entry.body {
                print_difference(session, &text_of(old), &text_of(new))?;
            }
        }
    }
    ui.print(&Line::new())
}

fn text_of(item: &Item) -> String {
    plain_text(&item.entry.kind, &item.body)
}

fn print_lines(session: &Session, sign: &str, label: Label, text: &str) -> Result<(), OutputError> {
    text.lines().try_for_each(|line| session.ui.print(&Line::new().push(label, sign).push(label, line)))
}

fn print_difference(session: &Session, old: &str, new: &str) -> Result<(), OutputError> {
    if old.len().max(new.len()) > COMPARED_MAX {
        print_lines(session, "- ", Label::Removed, old)?;
        return print_lines(session, "+ ", Label::Added, new);
    }
    let difference = TextDiff::from_lines(old, new);
    for group in difference.grouped_ops(3) {
        for change in group.iter().flat_map(|operation| difference.iter_changes(operation)) {
            let (sign, label) = match change.tag() {
                ChangeTag::Equal => ("  ", Label::Plain),
                ChangeTag::Delete => ("- ", Label::Removed),
                ChangeTag::Insert => ("+ ", Label::Added),
            };
            session.ui.print(&Line::new().push(label, sign).push(label, change.value().trim_end_matches('\n')))?;
        }
    }
    Ok(())
}

fn difference_json(found: &Difference) -> Value {
    let changes: Vec<Value> = found
        .changes
        .iter()
        .map(|change| match change {
            EntryChange::Added(item) => json!({ "change": "added", "new": item_json(item) }),
            EntryChange::Removed(item) => json!({ "change": "removed", "old": item_json(item) }),
            EntryChange::Changed { old, new } if old.entry.body == new.entry.body => {
                json!({ "change": "changed", "old": entry_json(&old.entry), "new": entry_json(&new.entry) })
            }
            EntryChange::Changed { old, new } => {
                json!({ "change": "changed", "old": item_json(old), "new": item_json(new) })
            }
        })
        .collect();
    json!({ "from": found.from.id, "to": found.to.id, "tokens": found.tokens(), "changes": changes })
}
