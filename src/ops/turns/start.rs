//! Begins a run of turns.

use std::path::PathBuf;
use std::time::Instant;

use super::alive::Alive;
use super::drive::{Driven, Next};
use super::means::Means;
use super::plan::{Brought, Plan};
use super::session::SessionFinder;
use super::tracker_file::{Found, TrackerFile};
use super::{RunEvent, RunLimits, RunOutcome, RunWatch, outcome, record};
use crate::drivers::Interrupt;
use crate::ops::workflow::{Prepared, Rehearsed, prepare, rehearse};
use crate::ops::{OpError, Workspace};
use crate::run::{Opening, Progress};

/// Asks for a workflow to be run by an agent.
#[derive(Debug, Clone)]
pub struct RunWorkflow {
    /// The workflow, by any reference.
    pub reference: String,
    /// The folder from which paths are counted.
    pub from: PathBuf,
    /// What is to be achieved.
    pub input: String,
    /// The agent's command line; `trace.agent`, or else `claude -p`, if `None`.
    pub agent: Option<String>,
    /// The model, instead of the workflow's.
    pub model: Option<String>,
    /// Most turns, instead of the workflow's.
    pub max_iterations: Option<u32>,
    /// The tracker's path in the work tree, instead of the workflow's.
    pub tracker: Option<String>,
    /// The variables of the agent's environment that the workflow may set.
    pub allow_environment: Vec<String>,
    /// Whether nothing is fetched.
    pub offline: bool,
    /// The user's limits.
    pub limits: RunLimits,
    /// Whether nothing is to be written, and no agent started.
    pub dry_run: bool,
}

/// Runs a workflow: sets an agent to work, turn after turn, and records each turn as a commit of the run's own branch.
///
/// However it ends is an outcome: done, blocked, exhausted, failed, suspended or cancelled.
///
/// # Errors
/// When the workflow cannot be found, the agent cannot be started, or nothing can be recorded.
pub fn run_workflow(
    workspace: &Workspace,
    request: &RunWorkflow,
    watch: &mut RunWatch<'_>,
) -> Result<RunOutcome, OpError> {
    let (reference, from, offline) = (&request.reference, &request.from, request.offline);
    if request.dry_run {
        let Rehearsed { used, definition, instructions, plugins } = rehearse(workspace, reference, from, offline)?;
        let brought = Brought { used, definition: &definition, instructions: &instructions, plugins };
        return Ok(Plan::new(workspace, request, brought)?.outcome());
    }
    let Prepared { used, definition, folder, plugins } = prepare(workspace, reference, from, offline)?;
    let path = &definition.workflow_file;
    let read = std::fs::read_to_string(folder.join(path));
    let instructions = read.map_err(|source| OpError::Read { path: path.clone(), source })?;
    let brought = Brought { used, definition: &definition, instructions: &instructions, plugins: plugins.len() };
    begin(workspace, request, Plan::new(workspace, request, brought)?, plugins, watch)
}

/// Begins the run, and drives it to its end.
fn begin(
    workspace: &Workspace,
    request: &RunWorkflow,
    plan: Plan,
    plugins: Vec<PathBuf>,
    watch: &mut RunWatch<'_>,
) -> Result<RunOutcome, OpError> {
    let Plan { header, setup, agent, tracker, environment, withheld, unheeded, instructions, prompt, top } = plan;
    let run = header.run.clone();
    let means = Means { agent: agent.line(), tracker: setup.tracker.clone(), plugins, environment };
    // From here on Ctrl-C ends the run, and is recorded.
    let interrupt = Interrupt::listen();
    let _alive = Alive::claim(workspace, &run, setup.tracker.as_deref())?;
    means.keep(workspace, &run)?;
    let markers = setup.limits().markers;
    let found = tracker.as_ref().map(|tracker| tracker.begin(run.as_str(), &request.input, &markers)).transpose()?;
    let earlier = match &found {
        Some(Found::Kept { before, reopened }) => {
            let odd =
                if *reopened { "it said that a run was over, which was taken back" } else { "it is gone on with" };
            let path = setup.tracker.clone().unwrap_or_default();
            watch(RunEvent::Warning { text: format!("there was a tracker at '{path}': {odd}") });
            Some(before.as_str())
        }
        _ => None,
    };
    let now = tracker.as_ref().map(TrackerFile::read).transpose()?.flatten();
    record::start(workspace, &header, &instructions, earlier, now.as_deref())?;
    watch(RunEvent::Started {
        run,
        workflow: header.workflow.name.clone(),
        repeats: setup.repeats,
        tracker: setup.tracker.clone(),
        resumed: false,
    });
    let kept_back = withheld.iter().map(|name| {
        format!("the workflow would set '{name}' for the agent: it was not set (to let it: --allow-env {name})")
    });
    kept_back.chain(unheeded).for_each(|text| watch(RunEvent::Warning { text }));
    let driven = Driven {
        workspace,
        header,
        setup,
        means,
        agent,
        folder: top,
        tracker,
        instructions,
        sessions: SessionFinder { folders: request.limits.folders.clone() },
        deadline: request.limits.time.and_then(|time| Instant::now().checked_add(time)),
        turn_time: request.limits.turn_time,
        interrupt,
    };
    let progress = Progress { iteration: 1, ..Progress::default() };
    let next = Next { turns: 0, progress, opening: Opening::First, prompt, session: None };
    let ended = driven.drive(next, watch)?;
    Ok(RunOutcome { withheld, ..outcome(workspace, ended)? })
}
