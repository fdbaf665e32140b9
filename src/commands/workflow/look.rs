//! `git trace workflow search|show|resolve|list|verify|path`

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::{names_arg, offline_arg, reference_arg, texts};
use crate::commands::session::{Session, failure};
use crate::model::Time;
use crate::ops::{
    ListedWorkflow, ResolveWorkflow, ResolvedWorkflow, SearchWorkflows, list_workflows, resolve_workflow,
    search_workflows, show_workflow, unpack_workflow, verify_workflows,
};
use crate::ui::{Align, Failure, JsonDocument, Label, Line, OutputError, display_width, figures};

pub(super) fn search_args(command: Command) -> Command {
    command
        .about("Look for workflows in the marketplaces that are known")
        .arg(Arg::new("words").value_name("word").num_args(0..).help("Words of the name or the description"))
        .arg(offline_arg())
}

pub(super) fn search(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let request = SearchWorkflows { words: texts(matches, "words"), offline: matches.get_flag("offline") };
    let workspace = session.workspace()?;
    let found = search_workflows(workspace, &request).map_err(failure)?;
    let ui = &session.ui;
    found.warnings.iter().for_each(|warning| ui.warning(warning));
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("workflow-search", 1, &found))?);
    }
    ui.request_pager();
    let rows = found.workflows.iter().map(|one| {
        let description = match &one.problem {
            Some(problem) => (Label::Warning, format!("cannot be used: {problem}")),
            None => (Label::Muted, one.description.clone().unwrap_or_default()),
        };
        vec![
            (Label::Branch, one.name.clone()),
            (Label::Tag, one.version.clone().unwrap_or_default()),
            (Label::Remote, one.source.clone()),
            description,
        ]
    });
    table(session, rows.collect())?;
    if found.workflows.is_empty() {
        ui.hint("nothing of the kind; what is new comes with: git trace marketplace refresh");
    } else if let Some(age) = oldest(session, found.workflows.iter().filter_map(|one| one.fetched))? {
        ui.hint(format!("as fetched {age}; to fetch what is new: git trace marketplace refresh"));
    }
    Ok(())
}

pub(super) fn show_args(command: Command) -> Command {
    command
        .about("Show what a workflow is, and what it says of itself")
        .arg(reference_arg())
        .arg(offline_arg())
        .arg(marketplaces_arg())
}

pub(super) fn show(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let workspace = session.workspace()?;
    let shown = show_workflow(workspace, &request(session, matches)).map_err(failure)?;
    let ui = &session.ui;
    shown.workflow.warnings.iter().for_each(|warning| ui.warning(warning));
    let definition = &shown.definition;
    let plugins: Vec<String> = definition.plugins.iter().map(|plugin| plugin.public()).collect();
    if ui.wants_json() {
        let says = json!({
            "description": definition.description,
            "plugins": plugins,
            "prompt_template": definition.prompt_template,
            "workflow_file": definition.workflow_file,
            "example_prompts": definition.example_prompts,
            "loop": {
                "enabled": definition.looping.enabled,
                "max_iterations": definition.looping.max_iterations,
                "completion_marker": definition.looping.completion_marker,
                "blocked_marker": definition.looping.blocked_marker,
                "tracker_path": definition.looping.tracker_path,
            },
            "isolation": definition.isolation.map(|isolation| isolation.name()),
            "model": definition.model,
            "effort": definition.effort.map(|effort| effort.name()),
            "env": definition.env,
        });
        let body = json!({ "workflow": shown.workflow, "definition": says });
        return Ok(ui.json(&JsonDocument::new("workflow-show", 1, body))?);
    }
    print_resolved(session, &shown.workflow)?;
    let row = |name: &str, text: &str| ui.print(&Line::new().push(Label::Heading, format!("{name:<13}")).plain(text));
    definition.description.iter().try_for_each(|text| row("description", text))?;
    row("prompt", &definition.prompt_template)?;
    row("instructions", &definition.workflow_file)?;
    match definition.looping.enabled {
        true => row("loop", &format!("at most {} turns", definition.looping.max_iterations))?,
        false => row("loop", "one turn")?,
    }
    definition.isolation.iter().try_for_each(|isolation| row("isolation", isolation.name()))?;
    definition.model.iter().try_for_each(|model| row("model", model))?;
    definition.effort.iter().try_for_each(|effort| row("effort", effort.name()))?;
    definition.env.iter().try_for_each(|(name, value)| row("env", &format!("{name}={value}")))?;
    plugins.iter().try_for_each(|plugin| row("plugin", plugin))?;
    definition.example_prompts.iter().try_for_each(|prompt| row("example", prompt))?;
    Ok(())
}

pub(super) fn resolve_args(command: Command) -> Command {
    command
        .about("Say which workflow a name means: marketplace, commit, tree")
        .arg(reference_arg())
        .arg(offline_arg())
        .arg(marketplaces_arg())
}

pub(super) fn resolve(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let found = resolve_workflow(session.workspace()?, &request(session, matches)).map_err(failure)?;
    let ui = &session.ui;
    found.warnings.iter().for_each(|warning| ui.warning(warning));
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("workflow-resolve", 1, &found))?);
    }
    Ok(print_resolved(session, &found)?)
}

pub(super) fn path_args(command: Command) -> Command {
    command
        .about("Put a workflow's files into a folder of the git directory, and say where")
        .long_about(
            "Put a workflow's files into a folder of the git directory, and say where; then its plugins' folders, one a line. \
             What is installed comes first. The folders are shared, and checked each time: write nothing into them.",
        )
        .arg(reference_arg())
        .arg(offline_arg())
}

pub(super) fn path(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let ResolveWorkflow { reference, from, offline, .. } = request(session, matches);
    let unpacked = unpack_workflow(session.workspace()?, &reference, &from, offline).map_err(failure)?;
    session.pass_on_warnings();
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("workflow-path", 1, &unpacked))?);
    }
    for folder in std::iter::once(&unpacked.folder).chain(&unpacked.plugins) {
        ui.print(&Line::new().plain(folder.display().to_string()))?;
    }
    Ok(())
}

pub(super) fn list_args(command: Command) -> Command {
    command.about("List the workflows that are installed")
}

pub(super) fn list(session: &Session, _: &ArgMatches) -> Result<(), Failure> {
    let found = list_workflows(session.workspace()?).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        return Ok(ui.json(&JsonDocument::new("workflow-list", 1, &found))?);
    }
    let row = |one: &ListedWorkflow| {
        let version = one.locked.version.clone().unwrap_or_else(|| one.locked.tree.short(10));
        let range = one.locked.range.as_ref().map(|range| format!("({range})")).unwrap_or_default();
        let state = match one.is_here {
            true => (Label::Muted, one.description.clone().unwrap_or_default()),
            false => (Label::Warning, "not here yet: git trace workflow install".to_owned()),
        };
        vec![
            (Label::Branch, one.name.clone()),
            (Label::Tag, version),
            (Label::Muted, range),
            (Label::Remote, one.locked.source.clone()),
            state,
        ]
    };
    table(session, found.workflows.iter().map(row).collect())?;
    if !found.plugins.is_empty() {
        ui.print(&Line::new().push(Label::Heading, "plugins"))?;
        table(session, found.plugins.iter().map(row).collect())?;
    }
    if found.workflows.is_empty() {
        ui.hint("none is installed; to look for some: git trace workflow search");
    }
    Ok(())
}

pub(super) fn verify_args(command: Command) -> Command {
    command
        .about("Check that what is installed is what the lock file says")
        .arg(names_arg("Workflows to check; else all of them"))
}

pub(super) fn verify(session: &Session, matches: &ArgMatches) -> Result<(), Failure> {
    let found = verify_workflows(session.workspace()?, &texts(matches, "names")).map_err(failure)?;
    let ui = &session.ui;
    if ui.wants_json() {
        ui.json(&JsonDocument::new("workflow-verify", 1, &found))?;
        return found.problem().map_or(Ok(()), |problem| Err(failure(problem)));
    }
    for one in &found.checked {
        let name = Line::new().plain(format!("{} ", one.what.name())).push(Label::Branch, &one.name).plain("  ");
        let state = match one.findings.is_empty() {
            true => Line::new().push(Label::Good, "sound"),
            false => Line::new().push(Label::Error, one.findings.join("; ")),
        };
        ui.print(&name.join(state))?;
        for note in &one.notes {
            ui.print(&Line::new().plain("  ").push(Label::Muted, note))?;
        }
    }
    for name in &found.not_locked {
        ui.warning(format!("'{name}' is in no lock file here"));
    }
    found.problem().map_or(Ok(()), |problem| Err(failure(problem)))
}

/// `--marketplaces`
fn marketplaces_arg() -> Arg {
    Arg::new("marketplaces")
        .long("marketplaces")
        .action(ArgAction::SetTrue)
        .help("Pass over what is installed: say what an install would take")
}

fn request(session: &Session, matches: &ArgMatches) -> ResolveWorkflow {
    ResolveWorkflow {
        reference: matches.get_one::<String>("reference").cloned().unwrap_or_default(),
        from: session.folder(),
        offline: matches.get_flag("offline"),
        in_marketplaces: matches.try_get_one::<bool>("marketplaces").ok().flatten().copied().unwrap_or(false),
    }
}

/// Prints which workflow is meant.
fn print_resolved(session: &Session, found: &ResolvedWorkflow) -> Result<(), OutputError> {
    let ui = &session.ui;
    let name = found.name.clone().unwrap_or_else(|| found.path.clone());
    let version = found.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let head = Line::new().push(Label::Branch, name).push(Label::Tag, version);
    ui.print(&head.push(Label::Muted, format!(" ({})", found.kind)))?;
    let row = |name: &str, label: Label, text: &str| {
        ui.print(&Line::new().push(Label::Heading, format!("{name:<13}")).push(label, text))
    };
    found.source.iter().try_for_each(|source| row("source", Label::Remote, source))?;
    match (&found.url, &found.source) {
        (Some(url), Some(source)) if url != source => row("address", Label::Plain, url)?,
        _ => {}
    }
    found.tag.iter().try_for_each(|tag| row("tag", Label::Tag, tag))?;
    found.commit.iter().try_for_each(|commit| row("commit", Label::Commit, &commit.to_string()))?;
    row("file", Label::Plain, &found.path)?;
    found.tree.iter().try_for_each(|tree| row("tree", Label::Commit, &tree.to_string()))?;
    found.mirrors.iter().try_for_each(|mirror| row("also in", Label::Remote, mirror))?;
    if let Some(age) = found.fetched.map(|seconds| age(session, seconds)).transpose()? {
        row("fetched", Label::Time, &age)?;
    }
    Ok(())
}

/// Says how long ago something was fetched.
pub(in crate::commands) fn age(session: &Session, seconds: i64) -> Result<String, OutputError> {
    let now = session.workspace().ok().and_then(|workspace| workspace.now().ok());
    Ok(now.map(|now| figures::relative(Time::from_seconds(seconds), now)).unwrap_or_default())
}

fn oldest(session: &Session, times: impl Iterator<Item = i64>) -> Result<Option<String>, OutputError> {
    times.min().map(|seconds| age(session, seconds)).transpose()
}

/// Prints rows with their columns below each other; the last column is not filled up.
pub(in crate::commands) fn table(session: &Session, rows: Vec<Vec<(Label, String)>>) -> Result<(), OutputError> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| rows.iter().filter_map(|row| Some(display_width(&row.get(at)?.1))).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &rows {
        let mut line = Line::new();
        let filled = row.iter().rposition(|(_, text)| !text.is_empty()).unwrap_or(0);
        for (at, (label, text)) in row.iter().enumerate().take(filled + 1) {
            line = match at == filled {
                true => line.push(*label, text),
                false if widths[at] == 0 => line,
                false => line.cell(*label, text, widths[at], Align::Left).plain("  "),
            };
        }
        session.ui.print(&match session.ui.width() {
            Some(width) => line.truncated(width),
            None => line,
        })?;
    }
    Ok(())
}
