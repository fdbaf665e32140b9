//! Why a run could not be begun, recorded or read.

use crate::run::trace_md::PageError;
use crate::run::{RuleError, RunReadError};

/// Says why something about a run was refused; nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no such run.
    #[error("no run '{name}'")]
    NoSuchRun {
        /// The name as given.
        name: String,
    },
    /// No run is named, and none is meant.
    #[error("no run has its trace in '{folder}', and none is open")]
    NoRun {
        /// The folder that was looked in.
        folder: String,
    },
    /// No run is named, and more than one may be meant.
    #[error("more than one run is open: {}", runs.join(", "))]
    WhichRun {
        /// Those that may be meant.
        runs: Vec<String>,
    },
    /// No run is named, and those that may be meant were begun elsewhere.
    #[error("no open run was begun here; from elsewhere: {}", runs.join(", "))]
    Elsewhere {
        /// Those that came from elsewhere.
        runs: Vec<String>,
    },
    /// A run is driven by turns of an agent, which alone end it and go on with it.
    #[error("run '{run}' is one of turns, and {status}")]
    OfTurns {
        /// The run.
        run: String,
        /// How it stands.
        status: String,
    },
    /// What is to be recorded is larger than what would be read again.
    #[error("{what} has more than {max} bytes")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// A run's branch does not hold what a run's branch holds.
    #[error("run '{run}' cannot be read: {reason}")]
    Broken {
        /// The run.
        run: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What is asked for may not follow what there is.
    #[error("{rule}")]
    Rule {
        /// The run.
        run: String,
        /// Why not.
        rule: RuleError,
    },
    /// A new run needs a task.
    #[error("a new run needs a task")]
    NoTask,
    /// A folder has a run of another workflow.
    #[error("'{folder}' has run '{run}' of workflow '{workflow}'")]
    OtherWorkflow {
        /// The folder.
        folder: String,
        /// Its run.
        run: String,
        /// The workflow of that run.
        workflow: String,
    },
    /// A folder has a run with another task.
    #[error("run '{run}' in '{folder}' has another task: {task}")]
    OtherTask {
        /// The folder.
        folder: String,
        /// Its run.
        run: String,
        /// The task of that run.
        task: String,
    },
    /// A step was interrupted, and somebody has to say what becomes of it.
    #[error("run '{run}' was left within step {step}: {action}")]
    Interrupted {
        /// The run.
        run: String,
        /// The step.
        step: u32,
        /// What it was to do.
        action: String,
    },
    /// A run was stopped, and only a person lets it go on.
    #[error("run '{run}' is {status}{}", what.as_ref().map(|what| format!(": {what}")).unwrap_or_default())]
    Stopped {
        /// The run.
        run: String,
        /// How it stands.
        status: String,
        /// The step that failed, or the reason.
        what: Option<String>,
    },
    /// `trace.md` was changed by hand, and the change cannot be taken in.
    #[error("'{file}', {error}")]
    Page {
        /// The run.
        run: String,
        /// The file.
        file: String,
        /// Where, and what is wrong with it.
        error: PageError,
    },
    /// A file stands where `trace.md` belongs, and git trace did not write it.
    #[error("'{file}' is in the way: {reason}")]
    InTheWay {
        /// The file.
        file: String,
        /// What it is.
        reason: String,
    },
    /// A folder cannot have a `trace.md`.
    #[error("'{folder}' cannot have a trace: {reason}")]
    Folder {
        /// The folder.
        folder: String,
        /// Why not.
        reason: String,
    },
    /// A file cannot be an artifact.
    #[error("'{path}' cannot be an artifact: {reason}")]
    Artifact {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
    /// Another process records something for too long.
    #[error("another process works on the runs of this repository")]
    Locked,
}

impl RunError {
    pub(super) fn broken(run: impl ToString, reason: impl ToString) -> Self {
        RunError::Broken { run: run.to_string(), reason: reason.to_string() }
    }

    pub(super) fn unreadable(run: impl ToString, error: &RunReadError) -> Self {
        RunError::broken(run, error)
    }

    /// Tells whether nothing was refused, and a person has to decide.
    pub(in crate::ops) const fn needs_decision(&self) -> bool {
        matches!(self, RunError::Interrupted { .. } | RunError::Stopped { .. } | RunError::OtherTask { .. })
    }

    /// Tells what the user can do about it.
    pub(in crate::ops) fn hints(&self) -> Vec<String> {
        let one = |text: &str| vec![text.to_owned()];
        match self {
            RunError::NoSuchRun { .. } => one("see which there are: git trace run list"),
            RunError::NoRun { .. } => one("begin one: git trace run start <workflow> --task <text>"),
            RunError::WhichRun { .. } => one("name it: --run <id>; see which there are: git trace run list --open"),
            RunError::Elsewhere { runs } => vec![
                format!("to go on with it here: --run {}", runs.first().map_or("<id>", String::as_str)),
                "to begin one: git trace run start <workflow> --task <text>".to_owned(),
            ],
            RunError::OfTurns { run, .. } => {
                vec![format!("an agent goes on with it: git trace workflow run --resume {run}")]
            }
            RunError::TooLarge { .. } => one("put it into a file of the work tree, and name that"),
            RunError::Broken { .. } => one("see what is there: git trace verify --all"),
            RunError::Rule { run, rule } => rule_hints(run, rule),
            RunError::NoTask => one("say what is to be achieved: --task <text>"),
            RunError::OtherWorkflow { .. } => {
                one("begin another run beside it: --new; or in a folder of its own: --dir <folder>")
            }
            RunError::OtherTask { .. } => vec![
                "to go on with it: leave out --task".to_owned(),
                "to begin another run: --new, or --dir <folder>".to_owned(),
            ],
            RunError::Interrupted { .. } => vec![
                "to do the step again: git trace run start … --rerun".to_owned(),
                "to see first what it left behind: git trace run start … --investigate".to_owned(),
            ],
            RunError::Stopped { run, .. } => vec![
                format!("see what happened: git trace run status --run {run}"),
                format!("only a person lets it go on: git trace run resume --run {run} -m <decision>"),
            ],
            RunError::Page { run, .. } => vec![
                "put the line right, and try again".to_owned(),
                format!("to give up what was written there: git trace run sync --discard --run {run}"),
            ],
            RunError::InTheWay { .. } => one("move it away, or take another folder: --dir <folder>"),
            RunError::Artifact { .. } => one("an artifact is a file in the work tree"),
            RunError::Locked => one("try again in a moment"),
            RunError::Folder { .. } => one("take another folder: git trace run start … --dir <folder>"),
        }
    }
}

fn rule_hints(run: &str, rule: &RuleError) -> Vec<String> {
    match rule {
        RuleError::StepOpen { .. } => vec![
            "when it is done: git trace step complete --summary … --challenges … --design-change …".to_owned(),
            "when it cannot be done: git trace step fail --attempted … --tried …".to_owned(),
        ],
        RuleError::StepFailed { .. } => {
            vec![format!("a person lets it go on: git trace run resume --run {run} -m <decision>")]
        }
        RuleError::NoStep | RuleError::StepEnded { .. } => vec!["begin one: git trace step start <action>".to_owned()],
        RuleError::NotOpen { status: crate::run::Status::Completed } => {
            vec!["begin another one: git trace run start <workflow> --task <text> --new".to_owned()]
        }
        RuleError::NotOpen { .. } => vec![format!("to let it go on: git trace run resume --run {run} -m <decision>")],
        _ => vec![format!("see how it stands: git trace run status --run {run}")],
    }
}
