//! Begins a run of turns.

use std::path::PathBuf;
use std::time::Instant;

use super::alive::Alive;
use super::drive::{Driven, Next, values};
use super::session::SessionFinder;
use super::tracker_file::{Found, TrackerFile};
use super::{
    RunEvent, RunLimits, RunOutcome, RunWatch, TurnsError, outcome,
    record::{self, BETWEEN},
};
use crate::drivers::{AgentProgram, Interrupt};
use crate::ops::workflow::{Prepared, prepare};
use crate::ops::{OpError, Workspace};
use crate::run::{Header, Opening, Progress, RunId, Setup, Status, fill};
use crate::workflow::Loop;

/// How a run works, for the agent.
const PROTOCOL: &str = include_str!("../../../templates/workflows/protocol.md");
/// What a further turn is told where the workflow does not say.
const CONTINUE: &str = "Go on with the task. The tracker at {trackerPath} says what is done and what comes next.";
/// Beginnings of names that a workflow never sets: what finds or loads programs, and what names servers, keys and us.
const NEVER_SET: [&str; 16] = [
    "PATH", "HOME", "SHELL", "ENV", "BASH_", "LD_", "DYLD_", "GIT", "SSH_", "NODE_", "PYTHON", "PERL", "RUBY", "JAVA_",
    "XDG_", "TMP",
];

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
    /// Whether the workflow may set variables of the agent's environment.
    pub allow_environment: bool,
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
    let top = workspace.repo.work_dir().ok_or(TurnsError::NoWorkTree)?.to_owned();
    let words = request.agent.clone().or_else(|| workspace.config("trace.agent"));
    let agent = AgentProgram::parse(words.as_deref().unwrap_or("claude -p")).map_err(TurnsError::from)?;
    let Prepared { used, definition, folder, plugins } =
        prepare(workspace, &request.reference, &request.from, request.offline)?;
    let run = workspace.new_run_id(&used.name)?;

    let looping = definition.looping.clone();
    let granted = request.max_iterations.unwrap_or(looping.max_iterations).max(1);
    let mut setup = Setup {
        agent: agent.line(),
        repeats: looping.enabled,
        max_iterations: granted,
        granted,
        completion_marker: looping.completion_marker.clone(),
        blocked_marker: looping.blocked_marker.clone(),
        nudge_cap: looping.nudge_cap,
        retry_cap: looping.retry_cap,
        backoff_ms: looping.retry_backoff_ms,
        tracker: None,
        continue_prompt: looping.continue_prompt.clone().unwrap_or_else(|| CONTINUE.to_owned()),
        model: request.model.clone().or_else(|| workspace.config("trace.model")).or_else(|| definition.model.clone()),
        plugins: plugins.iter().map(|folder| folder.display().to_string()).collect(),
        environment: Vec::new(),
    };
    let tracker = tracker_of(request, &looping, &run, &top)?;
    setup.tracker = tracker.as_ref().map(|tracker| tracker.path.clone());
    let (environment, withheld) = environment_of(&definition.env, request.allow_environment);
    setup.environment = environment;

    let mut instructions = String::new();
    if setup.repeats {
        instructions += PROTOCOL;
        instructions.push('\n');
    }
    let own = folder.join(&definition.workflow_file);
    instructions += &std::fs::read_to_string(&own)
        .map_err(|source| OpError::Read { path: definition.workflow_file.clone(), source })?;
    let known = values(&run, &setup, tracker.as_ref());
    let instructions = fill(&instructions, &known);
    let mut with_input = known.clone();
    with_input.push(("input", &request.input));
    let prompt = fill(&definition.prompt_template, &with_input);

    let mut header = Header {
        version: 1,
        run: run.clone(),
        workflow: used,
        task: request.input.clone(),
        started: workspace.now()?.to_string(),
        ended: None,
        status: Status::InProgress,
        reason: None,
        folder: None,
        other: Default::default(),
    };
    setup.put(&mut header);
    if request.dry_run {
        return Ok(RunOutcome {
            run,
            workflow: header.workflow,
            status: Status::InProgress,
            reason: None,
            turns: 0,
            iterations: 0,
            tracker: setup.tracker,
            agent: setup.agent,
            answer: None,
            session: None,
            usage: None,
            cost: None,
            exit: None,
            commit: None,
            prompt: Some(format!("{}{BETWEEN}{prompt}", instructions.trim_end())),
            withheld,
        });
    }

    // From here on Ctrl-C ends the run, and is recorded.
    let interrupt = Interrupt::listen();
    let _alive = Alive::claim(workspace, &run)?;
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
    for name in &withheld {
        let text = format!("the workflow would set '{name}' for the agent: it was not set (--allow-env lets it)");
        watch(RunEvent::Warning { text });
    }
    let driven = Driven {
        workspace,
        header,
        setup,
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

fn tracker_of(
    request: &RunWorkflow,
    looping: &Loop,
    run: &RunId,
    top: &std::path::Path,
) -> Result<Option<TrackerFile>, OpError> {
    if !looping.enabled {
        return Ok(None);
    }
    let path = request.tracker.as_deref().unwrap_or(&looping.tracker_path);
    Ok(Some(TrackerFile::new(top, &fill(path, &[("sessionId", run.as_str())]))?))
}

/// Parts the variables that a workflow would set into those that it may, and the names of the others.
fn environment_of<'a>(
    wanted: impl IntoIterator<Item = (&'a String, &'a String)>,
    allowed: bool,
) -> (Vec<(String, String)>, Vec<String>) {
    let (mut set, mut withheld) = (Vec::new(), Vec::new());
    for (name, value) in wanted {
        let plain = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            && !value.contains('\0');
        let never = NEVER_SET.iter().any(|beginning| name.starts_with(beginning));
        match allowed && plain && !never {
            true => set.push((name.clone(), value.clone())),
            false => withheld.push(name.clone()),
        }
    }
    (set, withheld)
}
