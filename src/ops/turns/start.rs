//! Begins a run of turns.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::alive::Alive;
use super::drive::{Driven, Next, values};
use super::means::Means;
use super::session::SessionFinder;
use super::tracker_file::{Found, TrackerFile};
use super::{
    DEFAULT_AGENT, RunEvent, RunLimits, RunOutcome, RunWatch, TurnsError, outcome,
    record::{self, BETWEEN},
};
use crate::drivers::{AgentKind, AgentProgram, Interrupt};
use crate::ops::workflow::{Prepared, prepare};
use crate::ops::{OpError, Workspace};
use crate::run::{Header, Opening, Progress, RunId, Setup, Status, fill};
use crate::workflow::{Definition, Loop};

/// How a run works, for the agent.
const PROTOCOL: &str = include_str!("../../../templates/workflows/protocol.md");
/// What a further turn is told where the workflow does not say.
const CONTINUE: &str = "Go on with the task. The tracker at {trackerPath} says what is done and what comes next.";
/// Beginnings of names that a workflow never sets, not even by the user's leave: what finds or loads programs, and what is
/// git's or ours.
const NEVER_SET: [&str; 18] = [
    "PATH",
    "HOME",
    "SHELL",
    "ENV",
    "IFS",
    "BASH_",
    "ZDOTDIR",
    "LD_",
    "DYLD_",
    "GCONV_PATH",
    "GIT",
    "SSH_",
    "NODE_",
    "PYTHON",
    "PERL",
    "RUBY",
    "JAVA_",
    "XDG_",
];
/// Longest task that the header holds, in bytes; the whole stands in the first prompt.
const TASK_MAX: usize = 16 << 10;

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
    let top = workspace.repo.work_dir().ok_or(TurnsError::NoWorkTree)?.to_owned();
    let words = request.agent.clone().or_else(|| workspace.config("trace.agent"));
    let agent = AgentProgram::parse(words.as_deref().unwrap_or(DEFAULT_AGENT)).map_err(TurnsError::from)?;
    let Prepared { used, definition, folder, plugins } =
        prepare(workspace, &request.reference, &request.from, request.offline)?;
    let run = new_run(workspace, &used.name)?;

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
    };
    let tracker = tracker_of(workspace, request, &looping, &run, &top)?;
    setup.tracker = tracker.as_ref().map(|tracker| tracker.path.clone());
    let (environment, withheld) = environment_of(&definition.env, &request.allow_environment);
    let means = Means { agent: agent.line(), tracker: setup.tracker.clone(), plugins, environment };

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
        task: shortened(&request.input),
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
            context: None,
            cost: None,
            exit: None,
            commit: None,
            prompt: Some(format!("{}{BETWEEN}{prompt}", instructions.trim_end())),
            withheld,
            undo: None,
        });
    }

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
    let unheeded = unheeded(&definition, &agent, &means);
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

/// Makes the id of a new run.
fn new_run(workspace: &Workspace, workflow: &str) -> Result<RunId, OpError> {
    for nth in 0.. {
        let run = RunId::new(workflow, workspace.new_entry_id(None, nth));
        if workspace.repo.find_ref_id(&workspace.run_target(&run).ref_name)?.is_none() {
            return Ok(run);
        }
    }
    unreachable!("there are more ids than runs")
}

/// Returns the tracker of a run; one that the workflow wants has to be its own to write.
fn tracker_of(
    workspace: &Workspace,
    request: &RunWorkflow,
    looping: &Loop,
    run: &RunId,
    top: &Path,
) -> Result<Option<TrackerFile>, OpError> {
    if !looping.enabled {
        return Ok(None);
    }
    let path = request.tracker.as_deref().unwrap_or(&looping.tracker_path);
    let tracker = TrackerFile::new(top, &fill(path, &[("sessionId", run.as_str())]))?;
    let is_ours = || tracker.is_harmless() || Means::know_tracker(workspace, &tracker.path);
    if request.tracker.is_none() && !is_ours() {
        return Err(TurnsError::TrackerNotOurs { path: tracker.path }.into());
    }
    Ok(Some(tracker))
}

/// Parts the variables that a workflow would set into those that it may, and the names of the others.
fn environment_of<'a>(
    wanted: impl IntoIterator<Item = (&'a String, &'a String)>,
    allowed: &[String],
) -> (Vec<(String, String)>, Vec<String>) {
    let (mut set, mut withheld) = (Vec::new(), Vec::new());
    for (name, value) in wanted {
        let plain = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            && !value.contains('\0');
        let never = NEVER_SET.iter().any(|beginning| name.starts_with(beginning));
        match allowed.contains(name) && plain && !never {
            true => set.push((name.clone(), value.clone())),
            false => withheld.push(name.clone()),
        }
    }
    (set, withheld)
}

/// Tells what the workflow asks for and nobody here does.
fn unheeded(definition: &Definition, agent: &AgentProgram, means: &Means) -> Vec<String> {
    let not_done =
        |what: &str, value: &str| format!("the workflow asks for {what} '{value}': that is left to the agent");
    let mut told = Vec::new();
    told.extend(definition.isolation.map(|isolation| not_done("isolation", isolation.name())));
    told.extend(definition.effort.map(|effort| not_done("effort", effort.name())));
    let tokens = definition.looping.max_turn_token_count;
    told.extend(tokens.map(|count| not_done("most tokens of a turn", &count.to_string())));
    if agent.kind() != AgentKind::Claude && !means.plugins.is_empty() {
        let count = means.plugins.len();
        told.push(format!("the workflow has {count} plugins, which only 'claude' is told of"));
    }
    told
}

fn shortened(task: &str) -> String {
    match task.char_indices().map(|(at, _)| at).find(|at| *at > TASK_MAX) {
        Some(end) => format!("{} …", &task[..end]),
        None => task.to_owned(),
    }
}
