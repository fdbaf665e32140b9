//! `workflow remove`: a workflow is part of this repository no longer.

use serde::Serialize;

use super::WorkflowError;
use super::lock_file::LockFile;
use super::record::Installable;
use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};
use crate::store::RefMove;
use crate::workflow::{Name, near_names};

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

/// Removes workflows, and the plugins that no other one names. What they are stays in the repository as long as git keeps what
/// nothing names.
///
/// # Errors
/// When one is not installed; nothing is removed then.
pub fn remove(workspace: &Workspace, request: &RemoveWorkflows) -> Result<RemovedWorkflows, OpError> {
    let repo = &workspace.repo;
    let mut file = LockFile::take(workspace, request.dry_run)?;
    let mut moves = Vec::new();
    let mut workflows = Vec::new();
    for name in &request.names {
        // A ref without a lock entry is what a killed command may leave.
        let is_name = name.parse::<Name>().is_ok();
        let ref_name = Installable::Workflow.ref_name(workspace, name);
        let was = if is_name { repo.find_ref_id(&ref_name)? } else { None };
        if file.lock.workflows.remove(name).is_none() && was.is_none() {
            let near = near_names(name, file.lock.workflows.keys().map(String::as_str));
            return Err(WorkflowError::NotInstalled { name: name.clone(), near }.into());
        }
        moves.extend(was.map(|was| RefMove::deletion(ref_name, was)));
        let undo = was.map(|was| format!("git trace workflow install {name} --back {was}"));
        workflows.push(RemovedWorkflow { name: name.clone(), was, undo });
    }
    let plugins = file.lock.drop_unused_plugins();
    for key in &plugins {
        let ref_name = Installable::Plugin.ref_name(workspace, key);
        moves.extend(repo.find_ref_id(&ref_name)?.map(|was| RefMove::deletion(ref_name, was)));
    }
    if !request.dry_run {
        // The lock file first: it never names what is gone.
        file.finish()?;
        if !moves.is_empty() {
            repo.move_refs(&moves, &[], "trace workflow remove", true, &repo.committer()?)?;
        }
    }
    Ok(RemovedWorkflows { workflows, plugins, dry_run: request.dry_run })
}
