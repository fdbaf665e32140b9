//! Why a workflow could not be found, installed or prepared.

use std::path::PathBuf;

use crate::model::ObjectId;
use crate::workflow::{DefinitionError, EntryError, LockError, ReferenceError, ResolveError};

/// Says why a workflow could not be found, installed or prepared; nothing was installed then.
#[derive(Debug, thiserror::Error)]
pub enum WorkflowError {
    /// What was asked for is no reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// No workflow, or more than one, is meant.
    #[error(transparent)]
    Resolve(Box<ResolveError>),
    /// A workflow's definition cannot be used.
    #[error("'{path}' of '{source_name}': {error}")]
    Definition {
        /// Where it comes from.
        source_name: String,
        /// The definition's file.
        path: String,
        /// What is wrong.
        error: DefinitionError,
    },
    /// A workflow's files cannot be used.
    #[error("'{name}' of '{source_name}' cannot be used: {error}")]
    Entry {
        /// The workflow, or its file.
        name: String,
        /// Where it comes from.
        source_name: String,
        /// What is wrong.
        error: EntryError,
    },
    /// A workflow has no name by which it could be installed.
    #[error("'{path}' has no name")]
    NoName {
        /// Its file.
        path: String,
    },
    /// No workflow of that name is installed.
    #[error("workflow '{name}' is not installed")]
    NotInstalled {
        /// The name.
        name: String,
        /// Names that are like it.
        near: Vec<String>,
    },
    /// The lock file names it, and its files are not here.
    #[error("the files of workflow '{name}' are not here")]
    NotHere {
        /// The name.
        name: String,
    },
    /// Another workflow has the name.
    #[error("workflow '{name}' is installed from '{other}', not from '{source_name}'")]
    Taken {
        /// The name.
        name: String,
        /// Where the one that is installed comes from.
        other: String,
        /// Where the new one comes from.
        source_name: String,
        /// The reference as given.
        reference: String,
    },
    /// The lock file cannot be read.
    #[error("cannot read '{}': {error}", path.display())]
    LockFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: LockError,
    },
    /// What is to be installed cannot stand in the lock file.
    #[error("it cannot be written into the lock file: {error}")]
    CannotLock {
        /// Why.
        error: LockError,
    },
    /// An object of what is installed is damaged, and stands in the way of the sound one.
    #[error("'{name}' is damaged: {reason}")]
    Damaged {
        /// The workflow or plugin.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A marketplace could not be fetched.
    #[error("{reason}")]
    NotFetched {
        /// Why.
        reason: String,
        /// What can be done about it.
        hints: Vec<String>,
    },
    /// The lock file is not where it could be written.
    #[error("'{}' is no plain {what}", path.display())]
    LockPlace {
        /// The file or folder.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
    },
    /// What a marketplace has at the locked commit is not what was locked.
    #[error("'{name}' is not what was locked: its tree is {found}, not {wanted}")]
    TreeDiffers {
        /// The workflow or plugin, in words.
        name: String,
        /// The workflow, if it is one.
        workflow: Option<String>,
        /// The tree in the lock file.
        wanted: ObjectId,
        /// The tree that is there.
        found: ObjectId,
    },
    /// The lock file names a folder of this machine, and nobody here does.
    #[error(
        "the lock file says that {what} '{name}' is from '{place}', a place of this machine that nobody here has named"
    )]
    StrangePlace {
        /// Whether it is a workflow or a plugin.
        what: &'static str,
        /// The workflow or plugin.
        name: String,
        /// The place.
        place: String,
    },
    /// A file is named that lies among all that somebody has.
    #[error("'{path}' lies at the top of '{folder}', which would be all of the workflow")]
    WholeFolder {
        /// The file.
        path: String,
        /// The folder.
        folder: String,
    },
    /// Plugins cannot be had, and all of them are wanted.
    #[error("{} of '{name}' cannot be installed: {}", if reasons.len() == 1 { "a plugin" } else { "plugins" }, reasons.join("; "))]
    Plugins {
        /// The workflow.
        name: String,
        /// Why, one for each plugin.
        reasons: Vec<String>,
    },
    /// A commit is no installation of that workflow.
    #[error("'{commit}' is no earlier installation of '{name}'")]
    NotAnInstall {
        /// The commit as given.
        commit: String,
        /// The workflow.
        name: String,
    },
    /// What is installed is not sound.
    #[error("{count} of what is installed {} not sound", if *count == 1 { "is" } else { "are" })]
    Unsound {
        /// How many.
        count: usize,
        /// The commands that mend it.
        mends: Vec<String>,
    },
}

impl From<ResolveError> for WorkflowError {
    fn from(error: ResolveError) -> Self {
        WorkflowError::Resolve(Box::new(error))
    }
}

impl WorkflowError {
    /// Tells what the user can do about it.
    pub(in crate::ops) fn hints(&self) -> Vec<String> {
        let search = || "see what there is: git trace workflow search".to_owned();
        match self {
            WorkflowError::Resolve(error) => error.hints(),
            WorkflowError::Reference(ReferenceError::OnlySource { text }) => {
                vec![format!("to know it as a marketplace: git trace marketplace add {text}"), search()]
            }
            WorkflowError::Reference(_) => {
                vec!["name one so: deploy, deploy@^1.2, deploy@owner/repo, ./folder".to_owned(), search()]
            }
            WorkflowError::NoName { .. } => vec!["give it one: --as <name>".to_owned()],
            WorkflowError::NotInstalled { near, .. } if !near.is_empty() => {
                vec![format!(
                    "did you mean {}?",
                    near.iter().map(|one| format!("'{one}'")).collect::<Vec<_>>().join(" or ")
                )]
            }
            WorkflowError::NotHere { .. } => vec!["to fetch what is locked: git trace workflow install".to_owned()],
            WorkflowError::NotInstalled { name, .. } => vec![format!("install it: git trace workflow install {name}")],
            WorkflowError::Taken { name, reference, .. } => vec![
                format!("to have both: git trace workflow install --as <other name> {reference}"),
                format!("to replace it: git trace workflow install --force {reference}"),
                format!("to see where it is from: git trace workflow show {name}"),
            ],
            WorkflowError::LockFile { error: LockError::Conflict { .. }, .. } => {
                vec!["settle it as any text, then: git trace workflow install".to_owned()]
            }
            WorkflowError::LockFile { error: LockError::Newer { .. }, .. } => {
                vec!["install a newer git-trace: cargo install git-trace".to_owned()]
            }
            WorkflowError::LockFile { path, .. } => {
                vec![format!("take it from an earlier commit: git checkout HEAD -- '{}'", path.display())]
            }
            WorkflowError::TreeDiffers { workflow, .. } => {
                let name = workflow.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
                vec![
                    "somebody changed it since it was locked; look at it before you trust it".to_owned(),
                    format!("to take what is there now: git trace workflow upgrade{name}"),
                ]
            }
            WorkflowError::Damaged { .. } => {
                vec!["see which file it is, and remove it: git fsck; then: git trace workflow install".to_owned()]
            }
            WorkflowError::NotFetched { hints, .. } => hints.clone(),
            WorkflowError::Unsound { mends, .. } => {
                mends.iter().map(|mend| format!("to make it so again: {mend}")).collect()
            }
            WorkflowError::StrangePlace { place, .. } => {
                vec![format!("if you trust what lies there: git trace marketplace add {}", quoted(place))]
            }
            WorkflowError::WholeFolder { folder, .. } => vec![
                "put it into a folder of its own, with the files that it needs".to_owned(),
                format!("if all that lies there is the workflow: git trace workflow install {}", quoted(folder)),
            ],
            WorkflowError::Plugins { .. } => vec!["to do without them: leave out --strict".to_owned()],
            WorkflowError::NotAnInstall { name, .. } => {
                vec![format!("see which there are: git log --oneline refs/trace/workflows/{name}")]
            }
            _ => Vec::new(),
        }
    }
}

fn quoted(text: &str) -> String {
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), |quoted| quoted.into_owned())
}
