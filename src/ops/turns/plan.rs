//! How a run of turns would begin.

use std::path::{Path, PathBuf};

use super::drive::values;
use super::means::Means;
use super::record::BETWEEN;
use super::tracker_file::TrackerFile;
use super::{DEFAULT_AGENT, RunOutcome, RunWorkflow, TurnsError};
use crate::drivers::{AgentKind, AgentProgram};
use crate::ops::{OpError, Workspace};
use crate::run::{Header, RunId, Setup, Status, WorkflowUsed, fill};
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

/// Is a run as it would begin; nothing of it is written.
pub(super) struct Plan {
    pub(super) header: Header,
    pub(super) setup: Setup,
    pub(super) agent: AgentProgram,
    pub(super) tracker: Option<TrackerFile>,
    /// Variables that the user lets the workflow set.
    pub(super) environment: Vec<(String, String)>,
    /// Variables that it would set besides.
    pub(super) withheld: Vec<String>,
    /// What else it asks for in vain.
    pub(super) unheeded: Vec<String>,
    /// What the agent is told before all else.
    pub(super) instructions: String,
    /// What it is told first.
    pub(super) prompt: String,
    /// The top of the work tree.
    pub(super) top: PathBuf,
}

/// Is what a workflow brings to a run.
pub(super) struct Brought<'a> {
    pub(super) used: WorkflowUsed,
    pub(super) definition: &'a Definition,
    /// What its file of instructions says.
    pub(super) instructions: &'a str,
    /// How many plugins it has.
    pub(super) plugins: usize,
}

impl Plan {
    /// Plans a run.
    ///
    /// # Errors
    /// When there is no work tree, the agent's command line is none, or the tracker may not be where it is wanted.
    pub(super) fn new(workspace: &Workspace, request: &RunWorkflow, brought: Brought<'_>) -> Result<Self, OpError> {
        let Brought { used, definition, instructions, plugins } = brought;
        let top = workspace.repo.work_dir().ok_or(TurnsError::NoWorkTree)?.to_owned();
        let words = request.agent.clone().or_else(|| workspace.config("trace.agent"));
        let agent = AgentProgram::parse(words.as_deref().unwrap_or(DEFAULT_AGENT)).map_err(TurnsError::from)?;
        let run = workspace.new_run_id(&used.name)?;
        let looping = &definition.looping;
        let tracker = tracker_of(workspace, request, looping, &run, &top)?;
        let granted = request.max_iterations.unwrap_or(looping.max_iterations).max(1);
        let configured = || workspace.config("trace.model").or_else(|| definition.model.clone());
        let setup = Setup {
            agent: agent.line(),
            repeats: looping.enabled,
            max_iterations: granted,
            granted,
            completion_marker: looping.completion_marker.clone(),
            blocked_marker: looping.blocked_marker.clone(),
            nudge_cap: looping.nudge_cap,
            retry_cap: looping.retry_cap,
            backoff_ms: looping.retry_backoff_ms,
            tracker: tracker.as_ref().map(|tracker| tracker.path.clone()),
            continue_prompt: looping.continue_prompt.clone().unwrap_or_else(|| CONTINUE.to_owned()),
            model: request.model.clone().or_else(configured),
        };
        let protocol = if setup.repeats { PROTOCOL } else { "" };
        let gap = if setup.repeats { "\n" } else { "" };
        let mut known = values(&run, &setup, tracker.as_ref());
        let instructions = fill(&format!("{protocol}{gap}{instructions}"), &known);
        known.push(("input", &request.input));
        let prompt = fill(&definition.prompt_template, &known);
        let (environment, withheld) = environment_of(&definition.env, &request.allow_environment);
        let unheeded = unheeded(definition, &agent, plugins);
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
        Ok(Plan { header, setup, agent, tracker, environment, withheld, unheeded, instructions, prompt, top })
    }

    /// Says what would be run.
    pub(super) fn outcome(self) -> RunOutcome {
        RunOutcome {
            run: self.header.run,
            workflow: self.header.workflow,
            status: Status::InProgress,
            reason: None,
            turns: 0,
            iterations: 0,
            tracker: self.setup.tracker,
            agent: self.setup.agent,
            answer: None,
            session: None,
            usage: None,
            context: None,
            cost: None,
            exit: None,
            commit: None,
            prompt: Some(format!("{}{BETWEEN}{}", self.instructions.trim_end(), self.prompt)),
            withheld: self.withheld,
            undo: None,
        }
    }
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
fn unheeded(definition: &Definition, agent: &AgentProgram, plugins: usize) -> Vec<String> {
    let not_done =
        |what: &str, value: &str| format!("the workflow asks for {what} '{value}': that is left to the agent");
    let mut told = Vec::new();
    told.extend(definition.isolation.map(|isolation| not_done("isolation", isolation.name())));
    told.extend(definition.effort.map(|effort| not_done("effort", effort.name())));
    let tokens = definition.looping.max_turn_token_count;
    told.extend(tokens.map(|count| not_done("most tokens of a turn", &count.to_string())));
    if agent.kind() != AgentKind::Claude && plugins > 0 {
        told.push(format!("the workflow has {plugins} plugins, which only 'claude' is told of"));
    }
    told
}

fn shortened(task: &str) -> String {
    match task.char_indices().map(|(at, _)| at).find(|at| *at > TASK_MAX) {
        Some(end) => format!("{} …", &task[..end]),
        None => task.to_owned(),
    }
}
