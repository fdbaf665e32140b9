//! `run finish`: ends a run. `run resume`: a person lets one go on. `run sync`: takes in what was written in
//! `trace.md`.

use super::act::{Act, RunChanged, Written, act, rule};
use super::which::WhichRun;
use super::{RunError, artifact};
use crate::model::Operation;
use crate::ops::{OpError, Workspace, preview};
use crate::run::{Decision, Header, Item, Resume, Run};

/// Asks for a run to end.
#[derive(Debug, Clone)]
pub struct FinishRun {
    /// The run.
    pub which: WhichRun,
    /// Why it is given up; it is completed if `None`.
    pub failed: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Ends a run: all is done, or it is given up.
///
/// # Errors
/// When it has ended; when it is to be completed and its last step is not.
pub fn finish_run(workspace: &Workspace, request: &FinishRun) -> Result<RunChanged, OpError> {
    let now = workspace.now()?.to_string();
    changed(workspace, &request.which, request.dry_run, &mut |run| {
        by_hand(run)?;
        let header: Result<Header, _> = match &request.failed {
            Some(reason) => run.failed(Some(reason.clone()), now.clone()),
            None => run.completed(now.clone()),
        };
        let header = header.map_err(|error| rule(run, error))?;
        let subject = match &request.failed {
            Some(reason) => format!("given up: {}", preview(reason)),
            None => "completed".to_owned(),
        };
        Ok(Some(Act { header: Some(header), ..Act::new(Operation::Run, subject) }))
    })
}

/// Asks for a run to go on that was stopped.
#[derive(Debug, Clone)]
pub struct ResumeRun {
    /// The run.
    pub which: WhichRun,
    /// What the person says to it.
    pub note: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Lets a run go on in which something failed: only a person should ask for it.
///
/// # Errors
/// When nothing has failed.
pub fn resume_run(workspace: &Workspace, request: &ResumeRun) -> Result<RunChanged, OpError> {
    let now = workspace.now()?.to_string();
    changed(workspace, &request.which, request.dry_run, &mut |run| {
        by_hand(run)?;
        let header = run.resumed().map_err(|error| rule(run, error))?;
        let last = run.current().map_or(0, |step| step.number);
        let mut resume = Resume::new(now.clone(), last, Decision::Human);
        resume.note.clone_from(&request.note);
        let artifact::Checked { missing, changed } = artifact::check(workspace, run);
        (resume.missing, resume.changed) = (missing, changed);
        let subject = match &request.note {
            Some(note) => format!("resumed by a person: {}", preview(note)),
            None => "resumed by a person".to_owned(),
        };
        let mut act = Act { header: Some(header), ..Act::new(Operation::Run, subject) };
        act.new.push(Item::Resume(resume));
        Ok(Some(act))
    })
}

/// Asks for `trace.md` and the commits to say the same.
#[derive(Debug, Clone)]
pub struct SyncRun {
    /// The run.
    pub which: WhichRun,
    /// Whether what was written in the file is given up.
    pub discard: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Takes in what somebody has written in `trace.md`, and writes it anew.
///
/// # Errors
/// When what was written cannot be taken in.
pub fn sync_run(workspace: &Workspace, request: &SyncRun) -> Result<RunChanged, OpError> {
    let _turn = (!request.dry_run).then(|| workspace.runs_turn()).transpose()?;
    let run = workspace.find_run(&request.which)?;
    if !request.dry_run {
        // Whoever has its file brought here works on it here.
        workspace.note_run_here(&run)?;
    }
    let written = if request.discard { Written::Discard } else { Written::TakeIn };
    Ok(act(workspace, &run, written, request.dry_run, &mut |_| Ok(None))?.0)
}

/// Checks that no turns drive the run: they would not hear of it.
fn by_hand(run: &Run) -> Result<(), OpError> {
    let header = &run.header;
    match run.is_of_turns() {
        true => Err(RunError::OfTurns { run: header.run.to_string(), status: header.status.to_string() }.into()),
        false => Ok(()),
    }
}

fn changed(
    workspace: &Workspace,
    which: &WhichRun,
    dry_run: bool,
    plan: &mut dyn FnMut(&Run) -> Result<Option<Act>, OpError>,
) -> Result<RunChanged, OpError> {
    let _turn = (!dry_run).then(|| workspace.runs_turn()).transpose()?;
    let run = workspace.find_run(which)?;
    Ok(act(workspace, &run, Written::TakeIn, dry_run, plan)?.0)
}
