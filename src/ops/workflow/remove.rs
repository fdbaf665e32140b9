//! `workflow remove`: a workflow is part of this repository no longer.

use serde::Serialize;

use super::WorkflowError;
use super::lock_file::LockFile;
use super::record::{Installable, find_installation};
use super::unused::{set_aside, unused};
use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};
use crate::workflow::near_names;

/// Asks for workflows to be removed.
#[derive(Debug, Clone, Default)]
pub struct RemoveWorkflows {
    /// Their names.
    pub names: Vec<String>,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// Says what was removed.
#[derive(Debug, Clone, Serialize)]
pub struct RemovedWorkflows {
    /// The workflows.
    pub workflows: Vec<RemovedWorkflow>,
    /// Plugins that no other workflow names.
    pub plugins: Vec<String>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// Says what was removed.
#[derive(Debug, Clone, Serialize)]
pub struct RemovedWorkflow {
    /// Its name.
    pub name: String,
    /// The commit that held it.
    pub was: Option<ObjectId>,
    /// The command that takes it back.
    pub undo: Option<String>,
}

/// Removes workflows, and the plugins that no other one names, from the lock file. What they are stays in the repository:
/// other worktrees and branches may have it locked, and a removal can be taken back.
///
/// # Errors
/// When one is not installed; nothing is removed then.
pub fn remove(workspace: &Workspace, request: &RemoveWorkflows) -> Result<RemovedWorkflows, OpError> {
    let mut file = LockFile::take(workspace, request.dry_run)?;
    let left = unused(workspace, &file.lock)?;
    let mut workflows = Vec::new();
    for name in &request.names {
        let what = Installable::Workflow;
        let was = match file.lock.workflows.remove(name) {
            Some(one) => find_installation(workspace, what, name, &one.tree)?,
            // A ref without a lock entry is what a killed command may leave.
            None => match left.iter().find(|one| one.what == what && one.name == *name) {
                Some(one) => Some(one.tip),
                None => {
                    let near = near_names(name, file.lock.workflows.keys().map(String::as_str));
                    return Err(WorkflowError::NotInstalled { name: name.clone(), near }.into());
                }
            },
        };
        let undo = was.map(|was| format!("git trace workflow install {name} --back {}", was.short(12)));
        workflows.push(RemovedWorkflow { name: name.clone(), was, undo });
    }
    let plugins = file.lock.drop_unused_plugins();
    if !request.dry_run {
        // The lock file first: if this process ends here, the next one does the rest.
        let lock = file.lock.clone();
        let _turn = file.finish()?;
        set_aside(workspace, &lock);
    }
    Ok(RemovedWorkflows { workflows, plugins, dry_run: request.dry_run })
}
