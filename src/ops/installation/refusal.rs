//! Why hooks were not installed, or not taken away.

use crate::install::{FileError, JsoncError};

/// Says why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A repository without a work tree has no agents in it, and nobody commits there.
    #[error("this repository is bare: there is no work tree to enable")]
    Bare,
    /// A file of the user's cannot be changed.
    #[error(transparent)]
    File(#[from] FileError),
    /// An agent's settings cannot be changed.
    #[error("cannot change '{path}': {source}")]
    Settings {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: JsoncError,
    },
    /// A file is shared with others, and only this user's were to be changed.
    #[error("'{path}' is tracked by git: others would get it too")]
    Tracked {
        /// The file.
        path: String,
        /// The agent.
        agent: &'static str,
    },
    /// A file of that name is there, and is not ours.
    #[error("'{path}' exists and is not git trace's")]
    NotOurs {
        /// The file.
        path: String,
    },
    /// An agent has no hooks that could be installed.
    #[error("hooks of '{agent}' cannot be installed")]
    NoHooks {
        /// The agent.
        agent: &'static str,
    },
    /// A path cannot be remembered.
    #[error("a path that is not UTF-8 cannot be remembered")]
    NotText,
}

impl InstallError {
    /// Tells what the user can do about it.
    pub(in crate::ops) fn hint(&self) -> Option<String> {
        match self {
            InstallError::Bare => Some("go to a work tree, or make one: git worktree add <path>".to_owned()),
            InstallError::Settings { .. } => Some("mend the file, and run the same command again".to_owned()),
            InstallError::Tracked { agent, .. } => {
                Some(format!("if they should: git trace enable --agent {agent} --shared (or disable)"))
            }
            InstallError::NoHooks { agent } => Some(format!("follow its record instead: git trace watch {agent}")),
            _ => None,
        }
    }
}
