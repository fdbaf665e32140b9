//! `run status`: how a run stands, and what comes next. Nothing is written.

use serde::Serialize;

use super::page::{self, FileState};
use super::which::WhichRun;
use super::{RunError, artifact};
use crate::ops::{OpError, Workspace};
use crate::run::{Recovery, Resume, Run, Setup, Status, Step, StepStatus, WorkflowUsed};

/// Says how a run stands.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// The run.
    pub run: String,
    /// What is run.
    pub workflow: WorkflowUsed,
    /// What is to be achieved.
    pub task: String,
    /// How it stands.
    pub status: Status,
    /// Why, where that needs words.
    pub reason: Option<String>,
    /// When it began.
    pub started: String,
    /// When it ended.
    pub ended: Option<String>,
    /// Its `trace.md`, from the top of the work tree.
    pub file: Option<String>,
    /// How that file stands, where it was looked at.
    pub file_state: Option<FileState>,
    /// Why the file cannot be taken in.
    pub file_fault: Option<String>,
    /// Its steps.
    pub steps: Vec<ReportedStep>,
    /// How often it was taken up again.
    pub resumed: usize,
    /// The last time that it was.
    pub last_resume: Option<Resume>,
    /// Entries that are no part of the trace, such as turns.
    pub others: usize,
    /// Whether turns of an agent drive it.
    pub of_turns: bool,
    /// Why it cannot be said how they do.
    pub turns_fault: Option<String>,
    /// What comes next.
    pub next: Next,
    /// Files that steps made and that are gone.
    pub missing: Vec<String>,
    /// Files that steps made and that are different.
    pub changed: Vec<String>,
}

/// Is a step, and whether it was left without an end.
#[derive(Debug, Clone, Serialize)]
pub struct ReportedStep {
    /// The step.
    #[serde(flatten)]
    pub step: Step,
    /// Whether it was begun and never ended, and others came after it.
    pub interrupted: bool,
}

/// Says what comes next in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Next {
    /// Nothing: all is done.
    Nothing,
    /// A step begins.
    Begin {
        /// Its number.
        step: u32,
    },
    /// A step ends.
    End {
        /// Its number.
        step: u32,
    },
    /// A person decides.
    Person,
}

/// Says how a run stands.
///
/// # Errors
/// When the run cannot be found, or its branch cannot be read.
pub fn run_status(workspace: &Workspace, which: &WhichRun) -> Result<RunReport, OpError> {
    let id = workspace.find_run(which)?;
    let state = workspace.read_run(&id)?.ok_or_else(|| RunError::NoSuchRun { name: id.to_string() })?;
    let run = workspace.run_of(&state)?;
    let now = workspace.now()?.to_string();
    let place = workspace.place_of(&run.header)?;
    let looked = place.as_ref().map(|place| match page::look(workspace, place, &run, &now) {
        Ok(found) => Ok((found.state, None)),
        Err(OpError::Run(error)) => Ok((FileState::Refused, Some(error.to_string()))),
        Err(error) => Err(error),
    });
    report(workspace, &run, looked.transpose()?)
}

/// Says how a run stands; its file was looked at, or just written.
pub(super) fn report(
    workspace: &Workspace,
    run: &Run,
    file: Option<(FileState, Option<String>)>,
) -> Result<RunReport, OpError> {
    let header = &run.header;
    let artifact::Checked { missing, changed } = artifact::check(workspace, run);
    let next = match run.recovery() {
        Recovery::Done => Next::Nothing,
        Recovery::Next => Next::Begin { step: run.next_number() },
        Recovery::Ask(step) => Next::End { step: step.number },
        Recovery::Stopped(_) => Next::Person,
    };
    let (file_state, file_fault) = file.map_or((None, None), |(state, fault)| (Some(state), fault));
    Ok(RunReport {
        run: header.run.to_string(),
        workflow: header.workflow.clone(),
        task: header.task.clone(),
        status: header.status,
        reason: header.reason.clone(),
        started: header.started.clone(),
        ended: header.ended.clone(),
        file: workspace.place_of(header)?.map(|place| place.shown),
        file_state,
        file_fault,
        steps: run
            .steps()
            .map(|step| ReportedStep { step: step.clone(), interrupted: run.is_interrupted(step) })
            .collect(),
        resumed: run.resumes().count(),
        last_resume: run.resumes().next_back().cloned(),
        others: run.others,
        of_turns: run.is_of_turns(),
        turns_fault: Setup::of(header).err().map(|error| format!("its turns cannot be read: {error}")),
        next,
        missing,
        changed,
    })
}

impl RunReport {
    /// Counts the steps that stand so.
    pub fn count(&self, status: StepStatus) -> usize {
        self.steps.iter().filter(|step| step.step.status == status && !step.interrupted).count()
    }
}
