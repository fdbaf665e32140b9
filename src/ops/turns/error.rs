//! Why an agent could not be set to work.

/// Says why a run of turns could not be begun or gone on with.
#[derive(Debug, thiserror::Error)]
pub enum TurnsError {
    /// A workflow wants its tracker where it may not be.
    #[error("cannot use '{path}' as the tracker: {reason}")]
    Tracker {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The tracker cannot be read or written.
    #[error("cannot read or write the tracker '{path}': {source}")]
    TrackerIo {
        /// The path.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no work tree for the agent to work in.
    #[error("an agent needs a work tree, and this repository has none")]
    NoWorkTree,
    /// Another process drives the run.
    #[error("run '{run}' is under way in another process")]
    UnderWay {
        /// The run.
        run: String,
    },
    /// A workflow wants a file as its tracker that is not its own to write.
    #[error(
        "the workflow wants '{path}' as its tracker, which is no new text file, and none that a run here has written"
    )]
    TrackerNotOurs {
        /// The path.
        path: String,
    },
    /// Another run has its tracker there.
    #[error("another run that is under way has its tracker at '{path}'")]
    TrackerInUse {
        /// The path.
        path: String,
    },
    /// The run is over.
    #[error("run '{run}' is completed")]
    Completed {
        /// The run.
        run: String,
    },
    /// The run has no turns: it is recorded step by step.
    #[error("run '{run}' is not one of turns")]
    NotOfTurns {
        /// The run.
        run: String,
    },
    /// The agent cannot be set to work.
    #[error(transparent)]
    Agent(#[from] crate::drivers::DriverError),
}

impl TurnsError {
    /// Tells what the user can do about it.
    pub(in crate::ops) fn hints(&self) -> Vec<String> {
        match self {
            TurnsError::UnderWay { run } => vec![
                format!("see how far it is: git trace run status --run {run}"),
                "if that process was killed, its agent may still be at work: end it, or wait for it".to_owned(),
            ],
            TurnsError::Completed { run } => vec![format!("see what it did: git trace log run/{run}")],
            TurnsError::NotOfTurns { run } => vec![format!("go on with it: git trace run resume --run {run}")],
            TurnsError::Tracker { .. } | TurnsError::TrackerInUse { .. } => {
                vec!["name another one: --tracker <path>".to_owned()]
            }
            TurnsError::TrackerNotOurs { path } => vec![format!("if that is what you want: --tracker '{path}'")],
            _ => Vec::new(),
        }
    }
}
