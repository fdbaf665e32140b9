//! `git trace redact`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{AUTHOR, Redact, RedactOutcome, redact};
use crate::ui::{Failure, JsonDocument, Label, Line, figures};

/// Places and refs that are named one by one.
const NAMED_MAX: usize = 20;

pub(super) fn args(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    command
        .about("Take something that slipped in out of all history")
        .long_about(
            "Make the history of all branches and tags anew without some words, wherever they stand: in bodies, messages, \
             metadata. A marker takes their place. Entries keep their ids and places, and tool calls stay whole; commits \
             from the first one on that held them have other ids, and all refs move together. With --branch, only that \
             branch is made anew. An entry that goes as a whole takes the summaries made of it along.",
        )
        .after_help(
            "Words are found as they are, and as they stand in JSON. These stay and are not told of: words in another case, \
             in base64 or another encoding, cut in two by a part of a message, and in what a provider encrypted. These stay \
             and are told of: names and addresses of authors, work trees of agents, refs of others.",
        )
        .arg(
            Arg::new("what")
                .value_name("words|entry")
                .num_args(0..)
                .required_unless_present("scan")
                .help("Words as they are, or the whole id of an entry, which goes as a whole"),
        )
        .arg(flag("regex", "Take the words for regular expressions").short('E'))
        .arg(flag("scan", "Take out what today's rules find: it was stored before, or with redaction off"))
        .arg(flag("all", "Make all branches and tags anew (default)"))
        .arg(flag("purge", "Drop the old objects at once, and the lines of logs that name them"))
        .arg(dry_run_arg())
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = Redact {
        what: matches.get_many::<String>("what").into_iter().flatten().cloned().collect(),
        regex: matches.get_flag("regex"),
        scan: matches.get_flag("scan"),
        branch: matches.get_one::<String>("branch").cloned().filter(|_| !matches.get_flag("all")),
        purge: matches.get_flag("purge"),
        dry_run: matches.get_flag("dry-run"),
    };
    let ui = &session.ui;
    let mut meter = ui.progress("commits", None);
    let told = redact(session.workspace()?, &request, &mut |done| meter.set(done)).map_err(failure)?;
    drop(meter);
    session.pass_on_warnings();
    if ui.wants_json() {
        let body = json!({ "redacted": told, "dry_run": request.dry_run });
        return Ok(ui.json(&JsonDocument::new("redact", 1, body))?);
    }
    print(session, &request, &told)
}

fn print(session: &Session, request: &Redact, told: &RedactOutcome) -> Result<(), Failure> {
    let ui = &session.ui;
    for one in &told.refs {
        let line = Line::new().push(Label::Branch, &one.name).plain(" ").push(Label::Commit, one.old.short(10));
        let arrow = if request.dry_run { " would become another commit" } else { " → " };
        let line = line.plain(arrow);
        ui.print(&if request.dry_run { line } else { line.push(Label::Commit, one.new.short(10)) })?;
    }
    let found: Vec<String> = told.found.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
    let text = match (told.commits.is_empty(), told.logged) {
        (true, 0) => "nothing was found".to_owned(),
        (true, 1) => "only logs hold it, in 1 commit".to_owned(),
        (true, count) => format!("only logs hold it, in {} commits", figures::count(count)),
        (false, _) => format!(
            "{} {} and {} ({})",
            if request.dry_run { "would change" } else { "changed" },
            number(told.bodies, "file", "files"),
            number(told.commits.len() as u64, "commit", "commits"),
            found.join(", ")
        ),
    };
    ui.print(&Line::new().plain(text))?;
    for left in told.left.iter().take(NAMED_MAX) {
        let commit = left.commit.short(10);
        ui.warning(match left.path.as_str() {
            AUTHOR => format!("it stays in the name or address of who made {commit}"),
            "" => format!("it stays in the message of {commit}, where it is part of the structure"),
            path => format!("it stays in {path} of {commit}, where it is part of the structure"),
        });
    }
    if !told.summaries.is_empty() {
        let verb = if request.dry_run { "would go" } else { "went" };
        let count = told.summaries.len() as u64;
        let unit = if count == 1 { "summary" } else { "summaries" };
        ui.warning(format!("{} {unit} of it {verb} too", figures::count(count)));
    }
    if told.unsigned > 0 {
        ui.warning(format!("{} signatures held no longer, and are left out", figures::count(told.unsigned)));
    }
    for name in told.held_by.iter().take(NAMED_MAX) {
        ui.warning(format!("'{name}' still holds it"));
    }
    for name in told.not_read.iter().take(NAMED_MAX) {
        ui.warning(format!("'{name}' is too large to be looked through, and may hold it"));
    }
    if let Some(purged) = &told.purged {
        ui.print(&Line::new().plain(format!("dropped {} objects", figures::count(purged.dropped))))?;
        if purged.held > 0 {
            let text =
                format!("{} of the old commits stay: something else still holds them", figures::count(purged.held));
            ui.warning(text);
        }
        if purged.left > 0 {
            ui.warning(format!("{} objects are in packs of git's own", figures::count(purged.left)));
            ui.hint("to drop those too: git gc --prune=now");
        }
    }
    if request.dry_run || told.refs.is_empty() {
        return Ok(());
    }
    ui.hint("to publish it: git trace push --force-with-lease; what others have keeps the old words");
    if told.purged.is_none() {
        ui.hint("the old objects stay until git drops them; the same command with --purge drops them now");
        for command in &told.undo {
            ui.hint(format!("to take it back: {command}"));
        }
    }
    Ok(())
}

fn number(count: u64, one: &str, several: &str) -> String {
    format!("{} {}", figures::count(count), if count == 1 { one } else { several })
}
