//! What the lock file names, brought here exactly as it names it.

use std::collections::BTreeSet;

use super::WorkflowError;
use super::install::InstalledWorkflow;
use super::installing::Installing;
use super::places::refuse_strange_places;
use super::record::{Installable, LIMITS, find_installation, is_aside};
use crate::model::ObjectId;
use crate::ops::marketplace::{Reach, Reached, base, configured, parse_written, settle};
use crate::ops::{OpError, Workspace};
use crate::workflow::{Files, Lock, Locked, Node, Source};

/// Installs all that is locked and not here yet.
pub(super) fn install_locked(
    workspace: &Workspace,
    reach: &Reach<'_>,
    lock: &Lock,
    dry_run: bool,
) -> Result<Vec<InstalledWorkflow>, OpError> {
    let names: BTreeSet<&str> = lock.workflows.keys().map(String::as_str).collect();
    bring_locked(workspace, reach, lock, &names, dry_run)
}

/// Installs these of what is locked, with their plugins; each tree has to be the one that was locked.
pub(super) fn bring_locked(
    workspace: &Workspace,
    reach: &Reach<'_>,
    lock: &Lock,
    names: &BTreeSet<&str>,
    dry_run: bool,
) -> Result<Vec<InstalledWorkflow>, OpError> {
    let mut installing = Installing::new(workspace, dry_run)?;
    let mut done = Vec::new();
    let mut plugins: BTreeSet<&String> = BTreeSet::new();
    for (name, one) in lock.workflows.iter().filter(|(name, _)| names.contains(name.as_str())) {
        plugins.extend(&one.plugins);
        let is_here = is_sound(workspace, Installable::Workflow, name, one)?;
        let tip = workspace.repo.find_ref_id(&Installable::Workflow.ref_name(workspace, name))?;
        // What was removed, and has come back into the lock file, is installed again.
        let unchanged = is_here && !tip.map(|tip| is_aside(&workspace.repo, &tip)).transpose()?.unwrap_or(false);
        let mut kept = Vec::new();
        if !unchanged {
            if !is_here {
                bring(workspace, reach, &mut installing, Installable::Workflow, name, one)?;
            }
            for key in &one.plugins {
                let plugin = &lock.plugins[key];
                let commit = match find_installation(workspace, Installable::Plugin, key, &plugin.tree)? {
                    Some(commit) if is_sound(workspace, Installable::Plugin, key, plugin)? => commit,
                    _ => {
                        bring(workspace, reach, &mut installing, Installable::Plugin, key, plugin)?;
                        installing.keep(Installable::Plugin, key, plugin, &[])?
                    }
                };
                kept.push((key.clone(), commit));
            }
            installing.keep(Installable::Workflow, name, one, &kept)?;
        }
        let warnings = Vec::new();
        let (name, locked) = (name.clone(), one.clone());
        let undo = format!("git trace workflow remove {name}");
        done.push(InstalledWorkflow { name, locked, was: None, unchanged, plugins_found: Vec::new(), warnings, undo });
    }
    // A plugin may be gone where its workflow is still here.
    for key in plugins {
        let plugin = &lock.plugins[key];
        if !is_sound(workspace, Installable::Plugin, key, plugin)? {
            bring(workspace, reach, &mut installing, Installable::Plugin, key, plugin)?;
            installing.keep(Installable::Plugin, key, plugin, &[])?;
        }
    }
    installing.finish("install")?;
    if !dry_run {
        for one in done.iter().filter(|one| !one.unchanged) {
            prove(workspace, &one.name, &one.locked)?;
            one.locked.plugins.iter().try_for_each(|key| prove(workspace, key, &lock.plugins[key]))?;
        }
    }
    Ok(done)
}

/// Tells whether what is locked is here, with all of its files.
pub(super) fn is_here(workspace: &Workspace, what: Installable, name: &str, one: &Locked) -> Result<bool, OpError> {
    let kept = find_installation(workspace, what, name, &one.tree)?.is_some();
    Ok(kept && workspace.repo.has_whole_tree(&one.tree, &LIMITS))
}

/// As [`is_here`], and every object is what its id says.
fn is_sound(workspace: &Workspace, what: Installable, name: &str, one: &Locked) -> Result<bool, OpError> {
    let kept = find_installation(workspace, what, name, &one.tree)?.is_some();
    Ok(kept && workspace.repo.prove_tree(&one.tree, &LIMITS).is_ok())
}

/// Makes sure that what was brought can be read: a damaged object may lie in front of the one that came.
fn prove(workspace: &Workspace, name: &str, one: &Locked) -> Result<(), OpError> {
    let proven = workspace.repo.prove_tree(&one.tree, &LIMITS);
    proven.map_err(|error| WorkflowError::Damaged { name: name.to_owned(), reason: error.to_string() }.into())
}

/// Takes in the tree of what is locked from where it came; returns where that is, and the tree's id there.
pub(super) fn bring(
    workspace: &Workspace,
    reach: &Reach<'_>,
    installing: &mut Installing<'_>,
    what: Installable,
    name: &str,
    one: &Locked,
) -> Result<(Reached, ObjectId), OpError> {
    refuse_strange_places(workspace, reach, what, name, one)?;
    let reached = open_locked(workspace, reach, one)?;
    let missing = || WorkflowError::Entry {
        name: name.to_owned(),
        source_name: one.source.clone(),
        error: crate::workflow::EntryError::Missing { path: one.path.clone() },
    };
    let found = reached.files().look(&one.path).map_err(|_| missing())?;
    let Some(Node::Folder { id }) = found else { return Err(missing().into()) };
    reach.complete(&reached, &one.path, LIMITS.entries)?;
    let tree: ObjectId = installing.put_tree(reached.repo(), &id)?;
    if tree != one.tree {
        let workflow = (what == Installable::Workflow).then(|| name.to_owned());
        let name = format!("{} {name}", what.name());
        return Err(WorkflowError::TreeDiffers { name, workflow, wanted: one.tree, found: tree }.into());
    }
    Ok((reached, id))
}

/// Opens the repository that something locked came from, at its commit. One that the configuration knows under another
/// address, with a password for example, is asked there.
fn open_locked(workspace: &Workspace, reach: &Reach<'_>, one: &Locked) -> Result<Reached, OpError> {
    let base = base(workspace);
    let locked = settle(parse_written(&one.url)?, &base);
    let identity = locked.repository_identity(&reach.host);
    let known = configured(workspace)?.into_iter().filter_map(|known| known.source.ok());
    let known = known.map(|source| Source { revision: None, folder: String::new(), ..source });
    let same = known.into_iter().find(|source| source.repository_identity(&reach.host) == identity);
    let source = same.unwrap_or(locked);
    Ok(match one.commit {
        Some(commit) => reach.open_commit(&source, commit)?,
        None => reach.open(&source)?,
    })
}
