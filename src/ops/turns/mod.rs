//! A workflow run in turns: an agent is set to work again and again, each time without memory, until its tracker says
//! that all is done.

mod alive;
mod drive;
mod error;
mod event;
mod means;
mod plan;
mod record;
mod resume;
mod session;
mod start;
mod tracker_file;

use std::time::Duration;

pub use error::TurnsError;
pub use event::RunEvent;
pub use resume::{ResumeTurns, resume_turns};
pub use start::{RunWorkflow, run_workflow};

use self::drive::Driving;
use super::run::RunError;
use super::{AgentFolders, OpError, Workspace};
use crate::model::{NanoDollars, ObjectId, Usage};
use crate::run::{RunId, Status, WorkflowUsed};

/// The agent that works where nobody says which.
const DEFAULT_AGENT: &str = "claude -p";

/// Is told what happens in a run while it happens.
pub type RunWatch<'a> = dyn FnMut(RunEvent) + 'a;

/// Holds the limits of a run that are its user's.
#[derive(Debug, Clone)]
pub struct RunLimits {
    /// How long all of it may take; no limit if `None`.
    pub time: Option<Duration>,
    /// How long one turn may take.
    pub turn_time: Duration,
    /// Where agents keep the records of their sessions.
    pub folders: AgentFolders,
}

impl RunLimits {
    /// How long one turn may take, if nothing else is said.
    pub const TURN_TIME: Duration = Duration::from_secs(2 * 60 * 60);
}

/// Says how a run of turns ended, or how it would begin.
#[derive(Debug, Clone)]
pub struct RunOutcome {
    /// The run; on a dry run one that will not be.
    pub run: RunId,
    /// What was run.
    pub workflow: WorkflowUsed,
    /// How it stands.
    pub status: Status,
    /// Why, where that needs words.
    pub reason: Option<String>,
    /// Processes of the agent, retries included, since the run began.
    pub turns: u32,
    /// Turns that count, since the run began.
    pub iterations: u32,
    /// The tracker, relative to the top of the work tree.
    pub tracker: Option<String>,
    /// The agent's command line.
    pub agent: String,
    /// The agent's last words.
    pub answer: Option<String>,
    /// The agent's own session, `<agent>:<id>`.
    pub session: Option<String>,
    /// What the turns used, as far as it is known.
    pub usage: Option<Usage>,
    /// Tokens of the agent's context at its last call.
    pub context: Option<u64>,
    /// What the turns cost, as far as it is known.
    pub cost: Option<NanoDollars>,
    /// The number that the agent's last process ended with.
    pub exit: Option<i32>,
    /// The newest commit of the run's branch; `None` on a dry run.
    pub commit: Option<ObjectId>,
    /// What the agent would be told first, on a dry run.
    pub prompt: Option<String>,
    /// What the workflow would have of the environment, and does not get.
    pub withheld: Vec<String>,
    /// The command that takes the record of the run back; what the agent did to the work tree is git's to take back.
    pub undo: Option<String>,
}

/// Says what became of a run that was driven.
fn outcome(workspace: &Workspace, driving: Driving) -> Result<RunOutcome, OpError> {
    let Driving { header, turns, iterations, last } = driving;
    let state = workspace.read_run(&header.run)?.ok_or_else(|| no_such_run(&header.run))?;
    let recorded = record::read(workspace, &state)?;
    let (usage, cost) = record::totals(workspace, &header.run)?;
    let setup = resume::setup_of(&header)?;
    let undo = Some(format!("git trace branch -D {}", header.run.branch()));
    Ok(RunOutcome {
        run: header.run,
        workflow: header.workflow,
        status: header.status,
        reason: header.reason,
        turns,
        iterations,
        tracker: setup.tracker,
        agent: setup.agent,
        answer: recorded.answer,
        session: recorded.last.and_then(|turn| turn.session),
        usage,
        context: last.as_ref().and_then(|end| end.context),
        cost,
        exit: last.and_then(|end| end.exit),
        commit: Some(state.tip),
        prompt: None,
        withheld: Vec::new(),
        undo,
    })
}

fn no_such_run(run: &RunId) -> OpError {
    RunError::NoSuchRun { name: run.to_string() }.into()
}
