//! `git trace rebase`

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;

use super::brought::{self, force_arg, prefer_arg, preference, resuming_args, run_resuming};
use super::commit::{dry_run_arg, read_content};
use super::session::{Session, failure};
use crate::ops::{PLAN_MAX, Rebase, RebasePlan, SequenceVerb, rebase, rebase_plan};
use crate::ui::{Editor, ExitCode, Failure, JsonDocument, Label};

/// The name of the file that the user edits: editors know it from git.
const PLAN_FILE: &str = "git-rebase-todo";

pub(super) fn args(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let command = command
        .about("Do the commits of a branch again on top of another one")
        .long_about(
            "Do the commits of a branch again on top of another one. Entries keep their ids, pins and facts, commits their \
             authors; tags go on naming the old commits. What is there already is skipped. Either all of it is done, or \
             the branch stays as it is.",
        )
        .arg(
            Arg::new("revision")
                .value_name("revision")
                .num_args(0..)
                .help("<upstream> [<branch>]: what to leave out, and the branch; after it stopped, the entries to settle"),
        )
        .arg(Arg::new("onto").long("onto").value_name("revision").help("Where to put the commits; <upstream> if not given"))
        .arg(flag("rebase-merges", "Make merge commits again; else only what they brought in is"))
        .arg(
            flag("drop-branch", "Put the commits on the branch <upstream>, and delete their own branch")
                .conflicts_with("onto"),
        )
        .arg(
            Arg::new("interactive")
                .short('i')
                .long("interactive")
                .action(ArgAction::SetTrue)
                .conflicts_with("rebase-merges")
                .help("Edit the plan first"),
        )
        .arg(
            Arg::new("plan")
                .long("plan")
                .value_name("file")
                .value_parser(value_parser!(PathBuf))
                .conflicts_with_all(["rebase-merges", "interactive"])
                .help("Carry out the plan in this file ('-': standard input)"),
        )
        .arg(flag("print-plan", "Print the plan, to be changed and given to --plan").conflicts_with("plan"))
        .arg(prefer_arg())
        .arg(force_arg())
        .arg(dry_run_arg());
    resuming_args(command)
}

pub(super) fn run(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let names: Vec<String> = matches.get_many::<String>("revision").into_iter().flatten().cloned().collect();
    if run_resuming(session, matches, SequenceVerb::Rebase, &names)? {
        return Ok(());
    }
    let [upstream, branch] = match names.as_slice() {
        [] => [None, None],
        [upstream] => [Some(upstream.clone()), None],
        [upstream, branch] => [Some(upstream.clone()), Some(branch.clone())],
        _ => return Err(Failure::new(ExitCode::Usage, "name one upstream and at most one branch")),
    };
    let options: Vec<String> = matches.get_many::<String>("prefer").into_iter().flatten().cloned().collect();
    let mut request = Rebase {
        upstream,
        onto: matches.get_one::<String>("onto").cloned(),
        branch,
        keep_merges: matches.get_flag("rebase-merges"),
        prefer: preference(&options),
        drop_branch: matches.get_flag("drop-branch"),
        plan: None,
        force: matches.get_flag("force"),
        dry_run: matches.get_flag("dry-run"),
    };
    let workspace = session.workspace()?;
    let interactive = matches.get_flag("interactive");
    if matches.get_flag("print-plan") || (interactive && request.dry_run) {
        return print_plan(session, &rebase_plan(workspace, &request).map_err(failure)?);
    }
    if let Some(file) = matches.get_one::<PathBuf>("plan") {
        let text = String::from_utf8(read_content(Some(file))?);
        let text = text.ok().filter(|text| text.len() <= PLAN_MAX);
        let refused = || Failure::new(ExitCode::Refused, "the plan is no text, or too large");
        request.plan = Some(text.ok_or_else(refused)?);
    } else if interactive {
        let plan = rebase_plan(workspace, &request).map_err(failure)?;
        if !plan.commits.is_empty() {
            request.plan = Some(edited(session, &plan)?);
        }
    }
    let outcome = rebase(workspace, &request).map_err(failure)?;
    brought::print(session, &outcome)
}

/// Lets the user change the plan in an editor.
fn edited(session: &Session, plan: &RebasePlan) -> Result<String, Failure> {
    let environment = &session.ui.settings().environment;
    let workspace = session.workspace()?;
    let watched = environment.stdout_is_terminal && environment.stderr_is_terminal;
    let editor = Editor::for_plans(environment, |key| workspace.config(key));
    // A program that is named for plans may do without a terminal, as scripts do.
    let editor = editor.filter(|editor| watched || editor.is_for_plans).ok_or_else(|| {
        Failure::new(ExitCode::Refused, "there is no terminal to edit the plan in")
            .hint("to see it: git trace rebase --print-plan <upstream>")
            .hint("to carry it out: git trace rebase --plan <file> <upstream>")
    })?;
    editor.edit(PLAN_FILE, &plan.text).map_err(|error| Failure::of_error(ExitCode::Refused, &error))
}

fn print_plan(session: &Session, plan: &RebasePlan) -> Result<(), Failure> {
    let ui = &session.ui;
    if ui.wants_json() {
        let body = json!({ "plan": plan.text, "commits": plan.commits });
        return Ok(ui.json(&JsonDocument::new("rebase-plan", 1, body))?);
    }
    Ok(ui.text(Label::Plain, &plan.text)?)
}
