//! `step`: records that a step begins, ends or is remarked on.

use std::path::PathBuf;

use super::act::{Act, RunChanged, Written, act, rule};
use super::artifact;
use super::which::WhichRun;
use crate::model::Operation;
use crate::ops::{OpError, Workspace, preview};
use crate::run::{Artifact, Header, Item, RuleError, Run, Status, Step, StepStatus};

/// Asks for something to be recorded of a step.
#[derive(Debug, Clone)]
pub struct StepRequest {
    /// The run.
    pub which: WhichRun,
    /// What happened.
    pub what: StepEvent,
    /// Files that the step made.
    pub artifacts: Vec<PathBuf>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Says what happened to a step.
#[derive(Debug, Clone)]
pub enum StepEvent {
    /// A step begins.
    Start {
        /// What is to be done.
        action: String,
    },
    /// The current step is done.
    Complete {
        /// What was done.
        summary: String,
        /// What was hard.
        challenges: String,
        /// Where the work left the plan.
        design_changes: Vec<String>,
    },
    /// The current step cannot be done.
    Fail {
        /// What was attempted.
        attempted: String,
        /// What was tried against it.
        tried: String,
        /// What was done all the same.
        summary: Option<String>,
        /// What was hard.
        challenges: Option<String>,
    },
    /// There is something to say about the current step, which may have ended.
    Note {
        /// What there is to say.
        text: String,
    },
}

/// Records what happened to a step, in one commit, and brings `trace.md` up to date.
///
/// # Errors
/// When it may not follow what there is; when something is not said that has to be.
pub fn step(workspace: &Workspace, request: &StepRequest) -> Result<RunChanged, OpError> {
    let _turn = (!request.dry_run).then(|| workspace.runs_turn()).transpose()?;
    let run = workspace.find_run(&request.which)?;
    let artifacts = artifact::record(workspace, &request.artifacts)?;
    let now = workspace.now()?.to_string();
    let mut plan = |run: &Run| {
        let (step, subject) = happened(run, &request.what, &now)?;
        let mut step = step;
        for one in &artifacts {
            put(&mut step.artifacts, one);
        }
        step.check().map_err(|error| rule(run, error))?;
        let mut act = Act::new(Operation::Step, subject);
        if step.status == StepStatus::Failed && matches!(request.what, StepEvent::Fail { .. }) && !run.is_of_turns() {
            // Until a person resumes it.
            act.header = Some(Header { status: Status::Failed, ended: Some(now.clone()), ..run.header.clone() });
        }
        match run.current_place().filter(|_| !matches!(request.what, StepEvent::Start { .. })) {
            Some(place) => act.changed.push((place, Item::Step(step))),
            None => act.new.push(Item::Step(step)),
        }
        Ok(Some(act))
    };
    Ok(act(workspace, &run, Written::TakeIn, request.dry_run, &mut plan)?.0)
}

/// Returns the step as it is from now on, and the subject of the commit.
fn happened(run: &Run, what: &StepEvent, now: &str) -> Result<(Step, String), OpError> {
    let refused = |error: RuleError| rule(run, error);
    Ok(match what {
        StepEvent::Start { action } => {
            let step = run.begin(action, now.to_owned()).map_err(refused)?;
            let subject = format!("step {}: {}", step.number, preview(&step.action));
            (step, subject)
        }
        StepEvent::Complete { summary, challenges, design_changes } => {
            let mut step = run.open_step().map_err(refused)?;
            let subject = format!("step {} completed: {}", step.number, preview(summary));
            (step.summary, step.challenges) = (Some(summary.clone()), Some(challenges.clone()));
            step.design_changes = crate::run::design_changes(design_changes);
            (step.status, step.ended) = (StepStatus::Completed, Some(now.to_owned()));
            (step, subject)
        }
        StepEvent::Fail { attempted, tried, summary, challenges } => {
            let mut step = run.open_step().map_err(refused)?;
            let subject = format!("step {} failed: {}", step.number, preview(attempted));
            (step.attempted, step.tried) = (Some(attempted.clone()), Some(tried.clone()));
            step.summary = summary.clone().or(step.summary);
            step.challenges = challenges.clone().or(step.challenges);
            (step.status, step.ended) = (StepStatus::Failed, Some(now.to_owned()));
            (step, subject)
        }
        StepEvent::Note { text } => {
            let mut step = run.current().cloned().ok_or(RuleError::NoStep).map_err(refused)?;
            if text.trim().is_empty() {
                return Err(OpError::EmptyMessage);
            }
            let subject = format!("note on step {}: {}", step.number, preview(text));
            step.notes.push(text.clone());
            (step, subject)
        }
    })
}

/// Puts a file in the place of what was known of it.
fn put(artifacts: &mut Vec<Artifact>, one: &Artifact) {
    match artifacts.iter_mut().find(|known| known.path == one.path) {
        Some(known) => known.clone_from(one),
        None => artifacts.push(one.clone()),
    }
}
