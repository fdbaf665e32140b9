//! `git trace branch`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::branches;
use super::commit::dry_run_arg;
use super::session::{Session, failure};
use crate::ops::{BranchChange, BranchOrder, ChangedBranch, ListBranches, Scope, branch};
use crate::ui::{ExitCode, Failure, JsonDocument, Label, Line};

/// Options that ask for a list.
const LISTING: [&str; 9] = ["list", "all", "remotes", "agent", "merged", "no-merged", "contains", "sort", "reverse"];

pub(super) fn args(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let revision = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("revision").num_args(0..=1).default_missing_value("HEAD").help(help)
    };
    let doing = ["delete", "delete-force", "move", "move-force", "force", "show-current"];
    let command = command
        .about("List, make, rename or delete branches")
        .long_about(
            "Without arguments, list the branches. With a name, make a branch there; HEAD stays where it is. A branch is one \
             small file, however long the context: no object is copied.",
        )
        .arg(
            Arg::new("name")
                .value_name("name")
                .num_args(0..)
                .help("<new> [<start>]; with -d: the branches; with -m: [<old>] <new>; with --list: shell patterns"),
        )
        .arg(flag("delete", "Delete branches whose commits HEAD or their upstream has").short('d'))
        .arg(flag("delete-force", "Delete branches in any case").long("delete-force").short('D'))
        .arg(flag("move", "Rename a branch, HEAD's if only the new name is given; its reflog goes along").short('m'))
        .arg(flag("move-force", "As -m, and replace a branch of the new name").short('M'))
        .arg(flag("force", "Move the branch if it exists").short('f'))
        .arg(flag("show-current", "Name HEAD's branch; nothing if it is detached"))
        .arg(flag("list", "List branches, all or those that match the patterns").short('l'))
        .arg(flag("all", "List branches of remotes too").short('a'))
        .arg(flag("remotes", "List branches of remotes only").short('r').conflicts_with("all"))
        .arg(Arg::new("agent").long("agent").value_name("agent").help("List this agent's branches only"))
        .arg(revision("merged", "List branches that this revision, or HEAD, can reach"))
        .arg(revision("no-merged", "List branches that it cannot").conflicts_with("merged"))
        .arg(revision("contains", "List branches that can reach this revision, or HEAD"))
        .arg(
            Arg::new("sort")
                .long("sort")
                .value_name("order")
                .value_parser(["name", "age", "tokens"])
                .help("Order of the list: by name, the newest first, or the largest first"),
        )
        .arg(flag("reverse", "Turn the order of the list round"))
        .arg(dry_run_arg());
    doing.into_iter().enumerate().fold(command, |command, (at, name)| {
        let others = doing.iter().enumerate().filter(move |(other, _)| *other > at).map(|(_, name)| *name);
        let others: Vec<&str> = others.chain(LISTING).collect();
        command.mut_arg(name, |arg| arg.conflicts_with_all(others))
    })
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let names: Vec<String> = matches.get_many::<String>("name").into_iter().flatten().cloned().collect();
    if matches.get_flag("show-current") {
        return branches::print_current(session);
    }
    let set = |name: &str| matches.get_flag(name);
    let given = |name: &&str| matches.value_source(name) == Some(clap::parser::ValueSource::CommandLine);
    let usage = |words: &str| Failure::new(ExitCode::Usage, words.to_owned()).hint("see git trace branch -h");
    let change = if set("delete") || set("delete-force") {
        if names.is_empty() {
            return Err(usage("no branch is named"));
        }
        BranchChange::Delete { names, force: set("delete-force") }
    } else if set("move") || set("move-force") {
        let (from, to) = match names.as_slice() {
            [to] => (None, to.clone()),
            [from, to] => (Some(from.clone()), to.clone()),
            _ => return Err(usage("-m takes one or two names")),
        };
        BranchChange::Rename { from, to, force: set("move-force") }
    } else if LISTING.iter().any(given) || (names.is_empty() && !set("force")) {
        return branches::print(session, &listing(matches, names));
    } else {
        let (name, start) = match names.as_slice() {
            [name] => (name.clone(), None),
            [name, start] => (name.clone(), Some(start.clone())),
            _ => return Err(usage("a new branch takes a name, and where it starts")),
        };
        BranchChange::Create { name, start, force: set("force") }
    };
    let dry_run = set("dry-run");
    let changed = branch(session.workspace()?, &change, dry_run).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        let body = json!({ "branches": changed, "dry_run": dry_run });
        return Ok(ui.json(&JsonDocument::new("branch", 1, body))?);
    }
    for one in &changed {
        ui.print(&told(&change, one, dry_run))?;
        for command in one.undo.iter().filter(|_| !dry_run) {
            ui.hint(format!("to take it back: {command}"));
        }
    }
    Ok(())
}

fn listing(matches: &ArgMatches, patterns: Vec<String>) -> ListBranches {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let merged = text("merged").map(|revision| (revision, true));
    ListBranches {
        patterns,
        agent: text("agent"),
        scope: match (matches.get_flag("all"), matches.get_flag("remotes")) {
            (true, _) => Scope::All,
            (_, true) => Scope::Remote,
            _ => Scope::Own,
        },
        merged: merged.or(text("no-merged").map(|revision| (revision, false))),
        contains: text("contains"),
        sort: match text("sort").as_deref() {
            Some("age") => BranchOrder::Age,
            Some("tokens") => BranchOrder::Tokens,
            _ => BranchOrder::Name,
        },
        reverse: matches.get_flag("reverse"),
    }
}

fn told(change: &BranchChange, one: &ChangedBranch, dry_run: bool) -> Line {
    let verb = |done: &'static str, would: &'static str| if dry_run { would } else { done };
    let named = |verb: &str, name: &str| Line::new().plain(verb).push(Label::Branch, name);
    let at = |line: Line, word: &str| match one.commit.or(one.was) {
        Some(commit) => line.plain(word).push(Label::Commit, commit.short(10)),
        None => line,
    };
    match change {
        BranchChange::Delete { .. } => {
            let line = at(named(verb("Deleted branch ", "Would delete branch "), &one.name), " was ");
            match one.unmerged {
                0 => line,
                1 => line.plain(" (1 commit was not merged)"),
                more => line.plain(format!(" ({more} commits were not merged)")),
            }
        }
        BranchChange::Rename { .. } => {
            let from = one.renamed_from.as_deref().unwrap_or_default();
            let line = named(verb("Renamed branch ", "Would rename branch "), from).plain(" to ");
            let line = line.push(Label::Branch, &one.name);
            match one.was {
                Some(was) => line.plain(", replacing ").push(Label::Commit, was.short(10)),
                None => line,
            }
        }
        BranchChange::Create { .. } => match one.was {
            Some(was) => at(named(verb("Moved branch ", "Would move branch "), &one.name), " to ")
                .plain(" from ")
                .push(Label::Commit, was.short(10)),
            None => at(named(verb("Made branch ", "Would make branch "), &one.name), " at "),
        },
    }
}
