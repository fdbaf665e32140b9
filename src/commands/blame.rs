//! `git trace blame`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use super::session::{Session, failure};
use super::view::commit_json;
use crate::export::plain_text;
use crate::ops::{Blame, Blamed, Happening, blame};
use crate::ui::{Failure, JsonDocument, Label, Line, figures};

pub(super) fn args(command: Command) -> Command {
    command
        .about("Tell where a piece of a context comes from")
        .long_about(
            "Tell where an entry comes from, or each entry that holds some words: which commits brought and changed it, \
             whose words they are, and what a summary or a subagent's answer was made of.",
        )
        .arg(Arg::new("what").value_name("entry|text").required(true).help("An entry, or words that entries hold"))
        .arg(Arg::new("text").long("text").action(ArgAction::SetTrue).help("It is words, even if an entry has that name"))
        .arg(Arg::new("rev").long("rev").value_name("revision").help("Look in the context of this revision"))
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = Blame {
        what: matches.get_one::<String>("what").cloned().unwrap_or_default(),
        is_text: matches.get_flag("text"),
        revision: matches.get_one::<String>("rev").cloned(),
    };
    let found = blame(session.workspace()?, &request).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        let rows: Vec<Value> = found.iter().map(blamed_json).collect();
        return Ok(ui.json(&JsonDocument::new("blame", 1, json!({ "entries": rows })))?);
    }
    ui.request_pager();
    found.iter().try_for_each(|one| print(session, one, 0))
}

fn print(session: &Session, one: &Blamed, depth: usize) -> Result<(), Failure> {
    let ui = &session.ui;
    let indent = "  ".repeat(depth);
    let entry = &one.item.entry;
    let line = Line::new().plain(&indent).push(Label::Entry, entry.id.as_str()).plain(" ");
    let line = line.push(Label::of_role(&entry.role), entry.role.name()).plain(": ").plain(one.preview());
    ui.print(&line)?;
    for happening in &one.history {
        ui.print(&happening_line(happening, &indent))?;
    }
    if let Some(child) = &one.subagent {
        ui.print(&Line::new().plain(&indent).plain("  answer of ").push(Label::Branch, child.to_string()))?;
    }
    one.made_of.iter().try_for_each(|inner| print(session, inner, depth + 2))
}

fn happening_line(happening: &Happening, indent: &str) -> Line {
    let commit = &happening.commit;
    let facts = &commit.facts;
    let who = facts.agent.as_deref().unwrap_or(&commit.author.name);
    let line = Line::new().plain(indent).plain("  ").push(Label::Commit, commit.id.short(10)).plain(" ");
    let line = line.plain(facts.operation.name()).plain(" ").push(Label::Time, figures::iso(commit.author.time));
    let line = line.plain(" ").push(Label::Actor, who);
    let line = match &facts.session {
        Some(session) => line.plain(" ").push(Label::Muted, session),
        None => line,
    };
    match happening.brought_words {
        true => line.plain(" (brought these words)"),
        false => line,
    }
}

fn blamed_json(one: &Blamed) -> Value {
    let history = one.history.iter().map(|happening| {
        json!({
            "commit": commit_json(&happening.commit),
            "touch": format!("{:?}", happening.touch.kind).to_lowercase(),
            "source": happening.touch.field("source"),
            "brought_words": happening.brought_words,
        })
    });
    json!({
        "entry": one.item.entry.id.as_str(),
        "role": one.item.entry.role.name(),
        "text": plain_text(&one.item.entry.kind, &one.item.body),
        "history": history.collect::<Vec<_>>(),
        "subagent": one.subagent.as_ref().map(ToString::to_string),
        "made_of": one.made_of.iter().map(blamed_json).collect::<Vec<_>>(),
    })
}
