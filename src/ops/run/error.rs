//! Why a run could not be begun, recorded or read.

/// Says why something about a run was refused; nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no such run.
    #[error("no run '{name}'")]
    NoSuchRun {
        /// The name as given.
        name: String,
    },
    /// A run's branch does not hold what a run's branch holds.
    #[error("run '{run}' cannot be read: {reason}")]
    Broken {
        /// The run.
        run: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl RunError {
    /// Tells what the user can do about it.
    pub(in crate::ops) fn hints(&self) -> Vec<String> {
        match self {
            RunError::NoSuchRun { .. } => vec!["see which there are: git trace run list".to_owned()],
            RunError::Broken { .. } => vec!["see what is there: git trace verify --all".to_owned()],
        }
    }
}
