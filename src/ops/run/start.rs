//! `run start`: begins a run, or says how one that was left goes on.

use std::path::PathBuf;

use serde::Serialize;

use super::act::{Act, Plan, RunChanged, Written, act, begin};
use super::status::RunReport;
use super::which::{Seen, SeenRuns};
use super::{RunError, TASK_MAX, artifact, page, status, trailers};
use crate::model::Operation;
use crate::ops::workflow::used;
use crate::ops::{OpError, Workspace};
use crate::run::trace_md::{Page, render};
use crate::run::{Decision, Header, Item, Recovery, Resume, Run, Status, WorkflowUsed};

/// Asks for a run to begin, or to go on.
#[derive(Debug, Clone)]
pub struct StartRun {
    /// What is run.
    pub workflow: WorkflowUsed,
    /// What is to be achieved; a run that goes on knows it.
    pub task: Option<String>,
    /// The folder of its `trace.md`.
    pub dir: PathBuf,
    /// Whether another run begins although the folder has one.
    pub new: bool,
    /// What becomes of a step that was interrupted.
    pub answer: Option<Answer>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Says what becomes of a step that was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It begins anew.
    Rerun,
    /// It stays open, while somebody looks at what it left behind.
    Investigate,
}

/// Says how a run began, or goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Began {
    /// It is new.
    New,
    /// All of it was done before; nothing goes on.
    Done,
    /// It goes on with the next step.
    Continue,
    /// It goes on with the interrupted step, begun anew.
    Rerun,
    /// The interrupted step is looked into.
    Investigate,
}

/// Says what became of the request.
#[derive(Debug, Clone, Serialize)]
pub struct StartedRun {
    /// How it began.
    pub began: Began,
    /// What was recorded.
    pub change: RunChanged,
    /// How the run stands now.
    pub report: RunReport,
    /// Where the `trace.md` of the run is that made room for this one.
    pub kept: Option<String>,
}

/// Begins a run in a folder, or goes on with the one that it has.
///
/// # Errors
/// When a step was interrupted and nobody says what becomes of it; when the run has failed; when the folder has a run
/// of another workflow, or somebody else's `trace.md`.
pub fn start_run(workspace: &Workspace, request: &StartRun) -> Result<StartedRun, OpError> {
    let _turn = (!request.dry_run).then(|| workspace.runs_turn()).transpose()?;
    let folder = workspace.folder_of(&request.dir)?;
    let SeenRuns { seen, .. } = workspace.seen_runs()?;
    let known = match &folder {
        Some(folder) => workspace.run_in(&seen, folder)?,
        // Without a folder it is known by what it does.
        None => seen.iter().find(|one| {
            let is_meant = one.is_open() && one.told.folder.is_none() && one.told.workflow == request.workflow.name;
            is_meant && one.is_here && is_by_hand(workspace, one)
        }),
    };
    match known {
        Some(known) if !request.new => go_on(workspace, request, folder.as_deref(), known),
        _ => begin_new(workspace, request, folder, known.filter(|one| one.told.folder.is_some())),
    }
}

fn go_on(workspace: &Workspace, request: &StartRun, folder: Option<&str>, known: &Seen) -> Result<StartedRun, OpError> {
    let now = workspace.now()?.to_string();
    let shown = || folder.unwrap_or("this repository").to_owned();
    let task = match &request.task {
        // As it is stored.
        Some(task) => {
            Some(String::from_utf8_lossy(workspace.redactor()?.text(task.as_bytes()).as_inner()).into_owned())
        }
        None => None,
    };
    let mut began = Began::Done;
    let mut plan = |run: &Run| {
        let header = &run.header;
        let name = header.run.to_string();
        if header.workflow.name != request.workflow.name {
            let workflow = header.workflow.name.clone();
            return Err(RunError::OtherWorkflow { folder: shown(), run: name, workflow }.into());
        }
        if task.as_ref().is_some_and(|task| task.trim() != header.task.trim()) {
            let task = crate::ops::preview(&header.task);
            return Err(RunError::OtherTask { folder: shown(), run: name, task }.into());
        }
        let (how, decision) = match (run.recovery(), request.answer) {
            (Recovery::Done, _) => {
                began = Began::Done;
                return Ok(None);
            }
            (Recovery::Stopped(step), _) => {
                let what = step.map(|step| format!("step {}, {}", step.number, step.action));
                let what = what.or_else(|| header.reason.clone());
                return Err(RunError::Stopped { run: name, status: header.status.to_string(), what }.into());
            }
            (Recovery::Ask(step), None) => {
                let action = step.action.clone();
                return Err(RunError::Interrupted { run: name, step: step.number, action }.into());
            }
            (Recovery::Ask(_), Some(Answer::Rerun)) => (Began::Rerun, Decision::Rerun),
            (Recovery::Ask(_), Some(Answer::Investigate)) => (Began::Investigate, Decision::Investigate),
            (Recovery::Next, _) => (Began::Continue, Decision::Continue),
        };
        began = how;
        let current = run.current();
        let mut resume = Resume::new(now.clone(), current.map_or(0, |step| step.number), decision);
        let artifact::Checked { missing, changed } = artifact::check(workspace, run);
        (resume.missing, resume.changed) = (missing, changed);
        let step = resume.step;
        let subject = match how {
            Began::Rerun => format!("resumed: step {step} was interrupted, and is done again"),
            Began::Investigate => format!("resumed: step {step} was interrupted, and is looked into"),
            _ => format!("resumed: step {} comes next", run.next_number()),
        };
        let mut act = Act::new(Operation::Run, subject);
        act.new.push(Item::Resume(resume));
        if let (Began::Rerun, Some(step)) = (how, current) {
            let again = run.begin_behind(&step.action, now.clone());
            act.new.push(Item::Step(again.map_err(|error| super::act::rule(run, error))?));
        }
        Ok(Some(act))
    };
    let plan: &mut Plan<'_> = &mut plan;
    let (change, run) = act(workspace, &known.run, Written::TakeIn, request.dry_run, plan)?;
    let report = status::report(workspace, &run, None)?;
    Ok(StartedRun { began, change, report, kept: None })
}

fn begin_new(
    workspace: &Workspace,
    request: &StartRun,
    folder: Option<String>,
    earlier: Option<&Seen>,
) -> Result<StartedRun, OpError> {
    let task = request.task.as_deref().map(str::trim).filter(|task| !task.is_empty()).ok_or(RunError::NoTask)?;
    if task.len() > TASK_MAX {
        return Err(RunError::TooLarge { what: "the task", max: TASK_MAX }.into());
    }
    let workflow = known_as(workspace, &request.workflow);
    let mut header = Header {
        version: 1,
        run: workspace.new_run_id(&workflow.name)?,
        workflow,
        task: task.to_owned(),
        started: workspace.now()?.to_string(),
        ended: None,
        status: Status::InProgress,
        reason: None,
        folder: folder.clone(),
        other: serde_json::Map::new(),
    };
    if folder.is_some() {
        trailers::set_worktree(&mut header, workspace.repo.worktree_name());
    }
    let (kept, back) = match earlier {
        Some(earlier) => make_room(workspace, earlier, request.dry_run)?,
        None => (None, None),
    };
    let mut bytes = None;
    if let (Some(folder), Some(place)) = (&folder, workspace.place_of(&header)?) {
        bytes = page::read(&place)?;
        // That of an earlier run would have made room.
        let bytes = bytes.as_ref().filter(|_| !(request.dry_run && kept.is_some()));
        if let Some(reason) = bytes.map(|bytes| page::why_kept(workspace, folder, bytes)).transpose()?.flatten() {
            return Err(RunError::InTheWay { file: place.shown, reason }.into());
        }
    }
    let (mut change, run) = begin(workspace, header, bytes, request.dry_run)?;
    if let (Some(back), Some(earlier)) = (back, earlier) {
        // The earlier one gets its file back, and not the words of this one.
        let file = format!("git trace run sync --discard --run {}", earlier.run);
        change.undo = Some(format!("git trace branch -D {} && {back} && {file}", run.header.run.branch()));
    }
    let report = status::report(workspace, &run, None)?;
    Ok(StartedRun { began: Began::New, change, report, kept })
}

/// Tells whether nobody but who takes it up goes on with a run: turns of an agent are gone on with by themselves.
fn is_by_hand(workspace: &Workspace, one: &Seen) -> bool {
    let state = workspace.read_run(&one.run).ok().flatten();
    state.is_some_and(|state| !Run::new(state.header).is_of_turns())
}

/// Says what is run as exactly as it is known: where nobody says, an installed workflow of that name is meant.
fn known_as(workspace: &Workspace, given: &WorkflowUsed) -> WorkflowUsed {
    if given.version.is_some() || given.source.is_some() {
        return given.clone();
    }
    let installed = used(workspace, &given.name).unwrap_or_else(|error| {
        // A run is recorded all the same.
        workspace.warn(format!("what is installed is not known: {error}"));
        None
    });
    installed.unwrap_or_else(|| given.clone())
}

/// Keeps the `trace.md` of a run beside the one of the run that takes its place: the copy is there before the earlier
/// run says so, and that is said before the new one begins. Returns where it is kept, and the command that takes that
/// back.
fn make_room(
    workspace: &Workspace,
    earlier: &Seen,
    dry_run: bool,
) -> Result<(Option<String>, Option<String>), OpError> {
    let mut kept = None;
    let mut set_aside = |run: &Run| {
        let mut header = run.header.clone();
        trailers::set_aside(&mut header);
        if let Some(place) = workspace.place_of(&header)? {
            if !dry_run {
                page::keep_beside(&place, &render(&Page::of(run)))?;
            }
            kept = Some(place.shown);
        }
        let subject = "makes room in its folder for another run";
        Ok(Some(Act { header: Some(header), ..Act::new(Operation::Run, subject) }))
    };
    let (changed, _) = act(workspace, &earlier.run, Written::TakeIn, dry_run, &mut set_aside)?;
    Ok((kept, changed.undo))
}
