//! `run drift`: where work has left its plan, over all runs.

use serde::Serialize;

use super::which::SeenRuns;
use crate::model::Time;
use crate::ops::{OpError, Workspace};
use crate::store::parse_date;

/// Asks for design changes.
#[derive(Debug, Clone, Default)]
pub struct DriftRequest {
    /// Only those of this workflow.
    pub workflow: Option<String>,
    /// Only those of this run.
    pub run: Option<String>,
    /// Only those that hold this text, in any case, in themselves or in what their step was to do.
    pub text: Option<String>,
    /// Only those of steps that ended, or began, since this date.
    pub since: Option<String>,
}

/// Is one design change.
#[derive(Debug, Clone, Serialize)]
pub struct DesignChange {
    /// The run.
    pub run: String,
    /// Its workflow.
    pub workflow: String,
    /// The version of the workflow.
    pub version: Option<String>,
    /// The step.
    pub step: u32,
    /// What the step was to do.
    pub action: String,
    /// Where it left the plan.
    pub change: String,
    /// When the step ended, or began.
    pub at: String,
}

/// Holds the design changes that were found.
#[derive(Debug, Clone, Serialize)]
pub struct Drift {
    /// The changes: newest runs first, and within a run in the order of its steps.
    pub changes: Vec<DesignChange>,
    /// Runs that were looked through.
    pub runs: usize,
    /// Runs that cannot be read, with the reason.
    pub unread: Vec<(String, String)>,
}

/// Lists design changes of all runs.
///
/// # Errors
/// When the date cannot be read, or the refs cannot.
pub fn run_drift(workspace: &Workspace, request: &DriftRequest) -> Result<Drift, OpError> {
    let since = match &request.since {
        Some(text) => {
            let reason = || OpError::Request { reason: format!("not a date: '{text}'") };
            Some(parse_date(text, workspace.now()?).ok_or_else(reason)?)
        }
        None => None,
    };
    let text = request.text.as_ref().map(|text| text.to_lowercase());
    let holds = |words: &str| text.as_ref().is_none_or(|text| words.to_lowercase().contains(text));
    let SeenRuns { seen, broken } = workspace.seen_runs()?;
    let mut drift = Drift { changes: Vec::new(), runs: 0, unread: Vec::new() };
    drift.unread.extend(broken.into_iter().map(|(run, fault)| (run.to_string(), fault)));
    for one in seen {
        let named = request.run.as_ref().is_none_or(|run| one.run.as_str() == run.trim_start_matches("run/"));
        if !named || request.workflow.as_ref().is_some_and(|workflow| *workflow != one.told.workflow) {
            continue;
        }
        let state = workspace.read_run(&one.run);
        let run = match state.and_then(|state| state.map(|state| workspace.run_of(&state)).transpose()) {
            Ok(Some(run)) => run,
            Ok(None) => continue,
            Err(error) => {
                drift.unread.push((one.run.to_string(), error.to_string()));
                continue;
            }
        };
        drift.runs += 1;
        for step in run.steps() {
            let at = step.ended.as_ref().unwrap_or(&step.started);
            // A time that cannot be read hides nothing.
            let is_late = |since: Time| at.parse::<Time>().map_or(true, |at| at.millis >= since.millis);
            if since.is_some_and(|since| !is_late(since)) {
                continue;
            }
            let changes = step.design_changes.iter().flatten();
            let found = changes.filter(|change| holds(change) || text.is_some() && holds(&step.action));
            drift.changes.extend(found.map(|change| DesignChange {
                run: run.header.run.to_string(),
                workflow: run.header.workflow.name.clone(),
                version: run.header.workflow.version.clone(),
                step: step.number,
                action: step.action.clone(),
                change: change.clone(),
                at: at.clone(),
            }));
        }
    }
    Ok(drift)
}
