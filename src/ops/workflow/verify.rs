//! `workflow verify`: whether what is installed is what the lock file says.

use std::collections::BTreeSet;

use serde::Serialize;

use super::WorkflowError;
use super::lock_file::read_lock;
use super::prepare::{folder_of_all, read_installed};
use super::record::{Installable, LIMITS, find_installation};
use super::unused::unused;
use crate::ops::{OpError, Workspace};
use crate::workflow::{Locked, near_names};

/// Says what was found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VerifiedWorkflows {
    /// What was looked at.
    pub checked: Vec<VerifiedWorkflow>,
    /// Refs of workflows and plugins that no lock file of any worktree names.
    pub not_locked: Vec<String>,
}

/// Says what was found about a workflow or a plugin.
#[derive(Debug, Clone, Serialize)]
pub struct VerifiedWorkflow {
    /// Whether it is a workflow or a plugin.
    pub what: Installable,
    /// Its name.
    pub name: String,
    /// What is wrong; nothing, if it is sound.
    pub findings: Vec<String>,
    /// The command that makes it sound again.
    pub mend: Option<String>,
    /// What is odd, and harmless.
    pub notes: Vec<String>,
}

impl VerifiedWorkflows {
    /// Says that something is not sound, if it is so.
    pub fn problem(&self) -> Option<OpError> {
        let unsound = self.checked.iter().filter(|one| !one.findings.is_empty());
        let mut mends: Vec<String> = unsound.clone().filter_map(|one| one.mend.clone()).collect();
        mends.sort();
        mends.dedup();
        let count = unsound.count();
        (count > 0).then(|| WorkflowError::Unsound { count, mends }.into())
    }
}

/// Compares the lock file with the refs, their trees with their ids, and copies in folders with their trees.
///
/// # Errors
/// When the lock file cannot be read, or a name is none of an installed workflow.
pub fn verify(workspace: &Workspace, names: &[String]) -> Result<VerifiedWorkflows, OpError> {
    let lock = read_lock(workspace)?;
    if let Some(name) = names.iter().find(|name| !lock.workflows.contains_key(*name)) {
        let near = near_names(name, lock.workflows.keys().map(String::as_str));
        return Err(WorkflowError::NotInstalled { name: name.clone(), near }.into());
    }
    let mut found = VerifiedWorkflows::default();
    let is_wanted = |name: &String| names.is_empty() || names.contains(name);
    let mut plugins = BTreeSet::new();
    for (name, one) in lock.workflows.iter().filter(|(name, _)| is_wanted(name)) {
        plugins.extend(one.plugins.iter().map(|key| (key, name)));
        found.checked.push(check(workspace, Installable::Workflow, name, one, name)?);
    }
    for (key, one) in &lock.plugins {
        if let Some((_, workflow)) = plugins.iter().find(|(plugin, _)| *plugin == key) {
            found.checked.push(check(workspace, Installable::Plugin, key, one, workflow)?);
        }
    }
    if names.is_empty() {
        found.not_locked = unused(workspace, &lock)?.into_iter().map(|one| one.ref_name).collect();
    }
    Ok(found)
}

fn check(
    workspace: &Workspace,
    what: Installable,
    name: &str,
    one: &Locked,
    workflow: &str,
) -> Result<VerifiedWorkflow, OpError> {
    let repo = &workspace.repo;
    let mut mend = "git trace workflow install".to_owned();
    let (mut findings, mut notes) = (Vec::new(), Vec::new());
    let ref_name = what.ref_name(workspace, name);
    match (repo.find_ref_id(&ref_name)?, find_installation(workspace, what, name, &one.tree)?) {
        (None, _) => findings.push(format!("it is not here: there is no '{ref_name}'")),
        (Some(_), None) => findings.push(format!("'{ref_name}' never had the locked tree {}", one.tree.short(12))),
        (Some(tip), Some(commit)) if tip != commit => {
            let odd = "another worktree or branch has another one installed, or has removed it";
            notes.push(format!("'{ref_name}' is newer than the lock file: {odd}"));
        }
        _ => {}
    }
    if findings.is_empty() {
        if let Err(error) = repo.prove_tree(&one.tree, &LIMITS) {
            findings.push(error.to_string());
        } else if what == Installable::Workflow
            && let Err(error) = read_installed(repo, name, one)
        {
            findings.push(error.to_string());
        }
        if findings.is_empty() && repo.is_unpacked(&one.tree, &folder_of_all(workspace), &LIMITS)? == Some(false) {
            mend = format!("git trace workflow path {workflow}");
            findings.push(format!(
                "its copy '{}' was changed",
                folder_of_all(workspace).join(one.tree.to_string()).display()
            ));
        }
    }
    let mend = (!findings.is_empty()).then_some(mend);
    Ok(VerifiedWorkflow { what, name: name.to_owned(), findings, mend, notes })
}
