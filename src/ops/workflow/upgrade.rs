//! `workflow upgrade`: the newest that the range of each workflow allows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::WorkflowError;
use super::find::{find, read_reference};
use super::fresh::Fresh;
use super::install::{InstalledWorkflow, finish};
use super::installing::Installing;
use super::lock_file::{LockFile, lock_path};
use super::places::refuse_strange_reference;
use crate::ops::marketplace::{Reach, base, parse_written, settle};
use crate::ops::{OpError, Workspace};
use crate::workflow::{Locked, Named, Reference, Requirement, near_names};

/// Asks for workflows to be brought up to date.
#[derive(Debug, Clone, Default)]
pub struct UpgradeWorkflows {
    /// Their names; all that are installed if there are none.
    pub names: Vec<String>,
    /// Whether a plugin that cannot be had is an error.
    pub strict: bool,
    /// Whether nothing is fetched: what was fetched before is all there is.
    pub offline: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// Says what was brought up to date.
#[derive(Debug, Serialize)]
pub struct UpgradedWorkflows {
    /// The workflows, those that stay as they are included.
    pub workflows: Vec<InstalledWorkflow>,
    /// Workflows that stay as they are because something is wrong: name and reason.
    pub failed: Vec<FailedUpgrade>,
    /// The lock file.
    pub lock_file: PathBuf,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// Says why a workflow was not brought up to date.
#[derive(Debug, Serialize)]
pub struct FailedUpgrade {
    /// The workflow.
    pub name: String,
    /// Why.
    pub reason: String,
    /// What can be done about it.
    pub hints: Vec<String>,
}

/// Brings workflows up to date, each within the range that it was asked for with; marketplaces are fetched once each. What
/// cannot be had stays as it is, and hinders no other.
///
/// # Errors
/// When a name is none of an installed workflow, or nothing can be written.
pub fn upgrade(workspace: &Workspace, request: &UpgradeWorkflows) -> Result<UpgradedWorkflows, OpError> {
    let reach = Reach::new(workspace, request.offline)?;
    let mut file = LockFile::take(workspace, request.dry_run)?;
    let names = match request.names.as_slice() {
        [] => file.lock.workflows.keys().cloned().collect(),
        names => names.to_vec(),
    };
    for name in &names {
        if !file.lock.workflows.contains_key(name) {
            let near = near_names(name, file.lock.workflows.keys().map(String::as_str));
            return Err(WorkflowError::NotInstalled { name: name.clone(), near }.into());
        }
    }
    let mut installing = Installing::new(workspace, request.dry_run)?;
    let (mut gathered, mut failed) = (Vec::new(), Vec::new());
    let mut fresh = Fresh::default();
    for name in names {
        let locked = &file.lock.workflows[&name];
        let one = refuse_strange_reference(workspace, &reach, &name, locked)
            .and_then(|()| newest(workspace, &reach, locked, &mut fresh))
            .and_then(|found| installing.gather(&reach, Some(&mut fresh), name.clone(), found, request.strict));
        match one {
            Ok(one) => gathered.push(one),
            Err(error) => failed.push(FailedUpgrade { name, reason: error.to_string(), hints: error.hints() }),
        }
    }
    // What could be missing is here by now: nothing of a workflow that stays as it is has been touched.
    let mut open: BTreeSet<String> = gathered.iter().map(|one| one.name.clone()).collect();
    let mut workflows = Vec::new();
    for one in gathered {
        open.remove(&one.name);
        workflows.push(installing.take(&mut file.lock, one, &open)?);
    }
    finish(workspace, installing, file, "upgrade", request.dry_run)?;
    Ok(UpgradedWorkflows { workflows, failed, lock_file: lock_path(workspace), dry_run: request.dry_run })
}

/// Finds the newest of what was asked for, in the marketplace that it came from.
fn newest(
    workspace: &Workspace,
    reach: &Reach<'_>,
    one: &Locked,
    fresh: &mut Fresh,
) -> Result<super::find::FoundWorkflow, OpError> {
    let base = base(workspace);
    // A reference that has become a path by accident is still the name that it was.
    let asked = Named::parse(&one.reference)
        .map(|named| Reference::Named(Box::new(named)))
        .or_else(|_| read_reference(&one.reference, &base))?;
    let Reference::Named(named) = asked else { return find(workspace, reach, &asked) };
    let source = settle(parse_written(&one.source)?, Path::new(&base));
    fresh.refresh(reach, &source)?;
    let range = one.range.as_deref().map(str::parse::<Requirement>).transpose();
    let requirement = range.map_err(|error| OpError::Request { reason: error.to_string() })?;
    let again = Box::new(Named { requirement, source: Some(source), ..*named });
    let mut found = find(workspace, reach, &Reference::Named(again))?;
    // What was asked for stays what it was.
    found.reference.clone_from(&one.reference);
    Ok(found)
}
