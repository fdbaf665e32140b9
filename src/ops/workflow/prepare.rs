//! What a run needs of a workflow: its definition, and its files in a folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::find::{FoundWorkflow, find, read_reference};
use super::lock_file::{LockFile, read_lock};
use super::plugins::find_plugin;
use super::record::{Installable, LIMITS, file_of, find_installation};
use super::relock::{bring_locked, is_here};
use super::{WorkflowError, builtin};
use crate::model::ObjectId;
use crate::ops::marketplace::{Reach, TreeFiles, base, parse_written, settle};
use crate::ops::{OpError, Workspace};
use crate::run::WorkflowUsed;
use crate::store::{Repo, Unpacked};
use crate::workflow::{
    DOCUMENT_MAX, Definition, EntryError, Files, Lock, Locked, Named, Reference, ResolveError, Version,
};

/// Says where a workflow's files are.
#[derive(Debug, Clone, Serialize)]
pub struct WorkflowFolders {
    /// What it is, as exactly as it is known.
    pub workflow: WorkflowUsed,
    /// Its folder.
    pub folder: PathBuf,
    /// The folders of its plugins.
    pub plugins: Vec<PathBuf>,
}

/// Puts the files of a workflow, and of its plugins, into folders of the git directory. Paths are counted from `from`.
///
/// # Errors
/// When no workflow is meant, or it cannot be used.
pub fn unpack_workflow(
    workspace: &Workspace,
    reference: &str,
    from: &Path,
    offline: bool,
) -> Result<WorkflowFolders, OpError> {
    let Prepared { used, folder, plugins, .. } = prepare(workspace, reference, from, offline)?;
    Ok(WorkflowFolders { workflow: used, folder, plugins })
}

/// Is a workflow that can be run.
#[derive(Debug)]
pub(in crate::ops) struct Prepared {
    /// What it is, as exactly as it is known.
    pub(in crate::ops) used: WorkflowUsed,
    /// What it says of itself.
    pub(in crate::ops) definition: Definition,
    /// Its files: `trace/workflows/<tree>` in the git directory. Runs share it; nobody writes into it.
    pub(in crate::ops) folder: PathBuf,
    /// The folders of its plugins; those that cannot be had are left out, with a warning.
    pub(in crate::ops) plugins: Vec<PathBuf>,
}

/// Finds the workflow that a reference means, and puts its files where programs can read them.
///
/// What is installed comes first, if it is what the reference means: it needs nobody else, and is compared with the lock
/// file. All else is looked for in marketplaces. Paths are counted from `from`.
///
/// # Errors
/// When no workflow is meant, or it cannot be used.
pub(in crate::ops) fn prepare(
    workspace: &Workspace,
    reference: &str,
    from: &Path,
    offline: bool,
) -> Result<Prepared, OpError> {
    let reach = Reach::new(workspace, offline)?;
    let found = match meant(workspace, &reach, reference, from)? {
        Meant::Locked { lock, name } => return prepare_locked(workspace, &reach, lock, &name),
        Meant::BuiltIn => return prepare_builtin(workspace),
        Meant::Found(found) => found,
    };
    let all = folder_of_all(workspace);
    reach.complete(&found.reached, &found.place.folder, LIMITS.entries)?;
    let unpacked = found.reached.repo().unpack(&found.place.tree, &all, &LIMITS)?;
    found.warnings.iter().for_each(|warning| workspace.warn(warning.clone()));
    let used = used_of_found(&found);
    warn_of(workspace, &used.name, &unpacked);
    let mut plugins = Vec::new();
    for named in &found.definition.plugins {
        match find_plugin(&reach, named, &found.reached) {
            Ok(plugin) => {
                let unpacked = plugin.reached.repo().unpack(&plugin.tree, &all, &LIMITS)?;
                warn_of(workspace, &plugin.name, &unpacked);
                plugins.push(unpacked.folder);
            }
            Err(problem) => workspace.warn(format!("plugin '{}' is left out: {problem}", named.public())),
        }
    }
    Ok(Prepared { used, definition: found.definition, folder: unpacked.folder, plugins })
}

/// Is what a reference means.
pub(super) enum Meant {
    /// What is installed under a name.
    Locked { lock: Lock, name: String },
    /// What a marketplace or a folder has.
    Found(Box<FoundWorkflow>),
    /// The one that is built in.
    BuiltIn,
}

/// Finds what a reference means; what is installed comes first.
pub(super) fn meant(workspace: &Workspace, reach: &Reach<'_>, reference: &str, from: &Path) -> Result<Meant, OpError> {
    let asked = read_reference(reference, from)?;
    let lock = read_lock(workspace)?;
    if let Reference::Named(named) = &asked
        && let Some((name, _)) = locked_as(&lock, named, reach, &base(workspace))
    {
        let name = name.to_owned();
        return Ok(Meant::Locked { lock, name });
    }
    match find(workspace, reach, &asked) {
        Err(OpError::Workflow(WorkflowError::Resolve(error)))
            if reference == builtin::NAME && matches!(*error, ResolveError::NotFound(_)) =>
        {
            Ok(Meant::BuiltIn)
        }
        found => Ok(Meant::Found(Box::new(found?))),
    }
}

/// Tells whether a reference means something that is locked: by its name, and by the marketplace and the versions that it may
/// name.
pub(super) fn locked_as<'l>(
    lock: &'l Lock,
    named: &Named,
    reach: &Reach<'_>,
    base: &Path,
) -> Option<(&'l str, &'l Locked)> {
    let (name, one) = lock.workflows.get_key_value(named.name.as_str())?;
    if let Some(source) = &named.source {
        let locked = parse_written(&one.source).ok().map(|source| settle(source, base));
        if locked.is_none_or(|locked| locked.identity(&reach.host) != source.identity(&reach.host)) {
            return None;
        }
    }
    if let Some(wanted) = &named.requirement {
        let version = one.version.as_deref().and_then(|version| Version::parse(version).ok());
        let is_asked = one.range.as_deref() == Some(wanted.as_str());
        if !is_asked && !version.is_some_and(|version| wanted.accepts(&version)) {
            return None;
        }
    }
    Some((name, one))
}

fn prepare_locked(workspace: &Workspace, reach: &Reach<'_>, lock: Lock, name: &str) -> Result<Prepared, OpError> {
    if all_here(workspace, &lock, name)? {
        return prepare_from(workspace, &lock, name);
    }
    if reach.offline {
        return Err(WorkflowError::NotHere { name: name.to_owned() }.into());
    }
    // Somebody else installed it: exactly that is brought here, by one process at a time.
    let file = LockFile::take(workspace, false)?;
    if !file.lock.workflows.contains_key(name) {
        return Err(WorkflowError::NotInstalled { name: name.to_owned(), near: Vec::new() }.into());
    }
    bring_locked(workspace, reach, &file.lock, &BTreeSet::from([name]), false)?;
    prepare_from(workspace, &file.lock, name)
}

/// Tells whether a workflow is here, with all of its plugins.
pub(super) fn all_here(workspace: &Workspace, lock: &Lock, name: &str) -> Result<bool, OpError> {
    let one = &lock.workflows[name];
    let mut all_here = is_here(workspace, Installable::Workflow, name, one)?;
    for key in &one.plugins {
        all_here &= is_here(workspace, Installable::Plugin, key, &lock.plugins[key])?;
    }
    Ok(all_here)
}

fn prepare_from(workspace: &Workspace, lock: &Lock, name: &str) -> Result<Prepared, OpError> {
    let one = &lock.workflows[name];
    let repo = &workspace.repo;
    let all = folder_of_all(workspace);
    let definition = read_installed(repo, name, one)?;
    let unpacked = repo.unpack(&one.tree, &all, &LIMITS)?;
    warn_of(workspace, name, &unpacked);
    let mut folders = Vec::new();
    for key in &one.plugins {
        let unpacked = repo.unpack(&lock.plugins[key].tree, &all, &LIMITS)?;
        warn_of(workspace, key, &unpacked);
        folders.push(unpacked.folder);
    }
    Ok(Prepared { used: used_of(name, one), definition, folder: unpacked.folder, plugins: folders })
}

/// Reads the definition of what is installed.
pub(super) fn read_installed(repo: &Repo, name: &str, one: &Locked) -> Result<Definition, OpError> {
    read_definition(&TreeFiles::new(repo, one.tree), name, one)
}

/// Reads the definition of what is locked from its files, wherever they are.
pub(super) fn read_definition(files: &dyn Files, name: &str, one: &Locked) -> Result<Definition, OpError> {
    let file = file_of(one);
    let source_name = || one.source.clone();
    let bytes = files.read(file, DOCUMENT_MAX).map_err(|error| WorkflowError::Entry {
        name: name.to_owned(),
        source_name: source_name(),
        error: EntryError::Files(error),
    })?;
    let read = Definition::read(&bytes);
    Ok(read.map_err(|error| WorkflowError::Definition { source_name: source_name(), path: file.to_owned(), error })?)
}

fn prepare_builtin(workspace: &Workspace) -> Result<Prepared, OpError> {
    let unpacked = builtin::unpack(workspace, &folder_of_all(workspace))?;
    let used = used_of_builtin(&unpacked.tree);
    warn_of(workspace, builtin::NAME, &unpacked);
    Ok(Prepared { used, definition: builtin::definition(), folder: unpacked.folder, plugins: Vec::new() })
}

/// Says what the lock file says of an installed workflow; `None` if none of that name is installed.
///
/// # Errors
/// When the lock file cannot be read.
pub(in crate::ops) fn used(workspace: &Workspace, name: &str) -> Result<Option<WorkflowUsed>, OpError> {
    Ok(read_lock(workspace)?.workflows.get(name).map(|one| used_of(name, one)))
}

/// Says what is run of what is locked.
pub(super) fn used_of(name: &str, one: &Locked) -> WorkflowUsed {
    WorkflowUsed {
        name: name.to_owned(),
        version: one.version.clone(),
        reference: Some(one.reference.clone()),
        source: Some(one.source.clone()),
        commit: one.commit.map(|commit| commit.to_string()),
        tree: Some(one.tree.to_string()),
    }
}

/// Says what is run of what was found and is not installed.
pub(super) fn used_of_found(found: &FoundWorkflow) -> WorkflowUsed {
    WorkflowUsed {
        name: found.name.clone().unwrap_or_else(|| found.place.file.clone()),
        version: found.version.clone(),
        reference: Some(found.reference.clone()),
        source: Some(found.reached.source.public()),
        commit: found.reached.commit.map(|commit| commit.to_string()),
        tree: Some(found.place.tree.to_string()),
    }
}

/// Says what is run of the one that is built in.
pub(super) fn used_of_builtin(tree: &ObjectId) -> WorkflowUsed {
    WorkflowUsed {
        name: builtin::NAME.to_owned(),
        version: builtin::definition().version.map(|version| version.to_string()),
        reference: Some(builtin::NAME.to_owned()),
        source: Some("git trace".to_owned()),
        commit: None,
        tree: Some(tree.to_string()),
    }
}

/// Returns the folder of all workflows and plugins that were put into folders.
pub(super) fn folder_of_all(workspace: &Workspace) -> PathBuf {
    workspace.trace_dir().join("workflows")
}

fn warn_of(workspace: &Workspace, name: &str, unpacked: &Unpacked) {
    for path in &unpacked.left_out {
        workspace.warn(format!("'{path}' of '{name}' is left out: it is a submodule, or a link that leads elsewhere"));
    }
    if let Some(folder) = &unpacked.set_aside {
        let kept = folder.display();
        workspace.warn(format!(
            "the files of '{name}' had been changed: they are made anew; the changed ones are in '{kept}'"
        ));
    }
}

/// Tells whether an installation is kept by a ref, for those who only look.
pub(super) fn is_kept(workspace: &Workspace, what: Installable, name: &str, one: &Locked) -> Result<bool, OpError> {
    Ok(find_installation(workspace, what, name, &one.tree)?.is_some())
}
