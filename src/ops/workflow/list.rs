//! `workflow list`: what is installed.

use serde::Serialize;

use super::lock_file::{lock_path, read_lock};
use super::prepare::{is_kept, read_installed};
use super::record::Installable;
use crate::ops::{OpError, Workspace};
use crate::workflow::Locked;

/// Says what is installed.
#[derive(Debug, Clone, Serialize)]
pub struct WorkflowList {
    /// The workflows, by name.
    pub workflows: Vec<ListedWorkflow>,
    /// The plugins of workflows, by the name under which each is kept.
    pub plugins: Vec<ListedWorkflow>,
    /// The lock file.
    pub lock_file: std::path::PathBuf,
}

/// Describes a workflow or a plugin that is installed.
#[derive(Debug, Clone, Serialize)]
pub struct ListedWorkflow {
    /// Its name.
    pub name: String,
    /// What it is for, in its own words.
    pub description: Option<String>,
    /// What it is, as the lock file has it.
    #[serde(flatten)]
    pub locked: Locked,
    /// Whether its files are here; otherwise only the lock file names it.
    pub is_here: bool,
}

/// Lists what is installed.
///
/// # Errors
/// When the lock file cannot be read.
pub fn list(workspace: &Workspace) -> Result<WorkflowList, OpError> {
    let lock = read_lock(workspace)?;
    let listed = |what: Installable, name: &String, one: &Locked| {
        let is_here = is_kept(workspace, what, name, one)?;
        let definition = (is_here && what == Installable::Workflow).then(|| read_installed(&workspace.repo, name, one));
        let description = definition.and_then(Result::ok).and_then(|definition| definition.description);
        Ok::<_, OpError>(ListedWorkflow { name: name.clone(), description, locked: one.clone(), is_here })
    };
    let workflows = lock.workflows.iter().map(|(name, one)| listed(Installable::Workflow, name, one));
    let plugins = lock.plugins.iter().map(|(name, one)| listed(Installable::Plugin, name, one));
    Ok(WorkflowList {
        workflows: workflows.collect::<Result<_, _>>()?,
        plugins: plugins.collect::<Result<_, _>>()?,
        lock_file: lock_path(workspace),
    })
}
