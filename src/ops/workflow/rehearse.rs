//! What a run would have of a workflow, without writing anything into this repository.

use std::io::{Error, ErrorKind};
use std::path::Path;

use super::installing::Installing;
use super::plugins::find_plugin;
use super::prepare::{Meant, all_here, meant, used_of, used_of_builtin, used_of_found};
use super::record::{Installable, LIMITS};
use super::relock::bring;
use super::{WorkflowError, builtin};
use crate::model::ObjectId;
use crate::ops::marketplace::{Reach, TreeFiles};
use crate::ops::{OpError, Workspace};
use crate::run::WorkflowUsed;
use crate::store::Repo;
use crate::workflow::{Definition, EntryError, Files, Lock};

/// Is what a run would have.
#[derive(Debug)]
pub(in crate::ops) struct Rehearsed {
    /// What it is, as exactly as it is known.
    pub(in crate::ops) used: WorkflowUsed,
    /// What it says of itself.
    pub(in crate::ops) definition: Definition,
    /// What its file of instructions says.
    pub(in crate::ops) instructions: String,
    /// How many of its plugins can be had.
    pub(in crate::ops) plugins: usize,
}

/// Finds the workflow that a reference means, as [`super::prepare`] does, and reads what a run begins with. Marketplaces may
/// be fetched into their mirrors; this repository stays as it is: no object, no ref, no folder.
///
/// # Errors
/// When no workflow is meant, or it cannot be used.
pub(in crate::ops) fn rehearse(
    workspace: &Workspace,
    reference: &str,
    from: &Path,
    offline: bool,
) -> Result<Rehearsed, OpError> {
    let reach = Reach::new(workspace, offline)?;
    match meant(workspace, &reach, reference, from)? {
        Meant::Locked { lock, name } => rehearse_locked(workspace, &reach, &lock, &name),
        Meant::BuiltIn => {
            let definition = builtin::definition();
            let instructions = text(&definition.workflow_file, builtin::instructions().to_vec())?;
            let used = used_of_builtin(&builtin::tree(workspace)?);
            Ok(Rehearsed { used, definition, instructions, plugins: 0 })
        }
        Meant::Found(found) => {
            found.warnings.iter().for_each(|warning| workspace.warn(warning.clone()));
            reach.complete(&found.reached, &found.place.folder, LIMITS.entries)?;
            let files = TreeFiles::new(found.reached.repo(), found.place.tree);
            let source_name = found.reached.source.to_string();
            let instructions = instructions(&files, &found.definition, &source_name)?;
            let mut plugins = 0;
            for named in &found.definition.plugins {
                match find_plugin(&reach, named, &found.reached) {
                    Ok(_) => plugins += 1,
                    Err(problem) => workspace.warn(format!("plugin '{}' is left out: {problem}", named.public())),
                }
            }
            Ok(Rehearsed { used: used_of_found(&found), definition: found.definition, instructions, plugins })
        }
    }
}

fn rehearse_locked(workspace: &Workspace, reach: &Reach<'_>, lock: &Lock, name: &str) -> Result<Rehearsed, OpError> {
    let one = &lock.workflows[name];
    let read = |repo: &Repo, tree: ObjectId| {
        let files = TreeFiles::new(repo, tree);
        let definition = super::prepare::read_definition(&files, name, one)?;
        let instructions = instructions(&files, &definition, &one.source)?;
        Ok(Rehearsed { used: used_of(name, one), definition, instructions, plugins: one.plugins.len() })
    };
    if all_here(workspace, lock, name)? {
        return read(&workspace.repo, one.tree);
    }
    if reach.offline {
        return Err(WorkflowError::NotHere { name: name.to_owned() }.into());
    }
    // It is looked at where it came from, and compared.
    let mut nothing = Installing::new(workspace, true)?;
    let (reached, tree) = bring(workspace, reach, &mut nothing, Installable::Workflow, name, one)?;
    for key in &one.plugins {
        bring(workspace, reach, &mut nothing, Installable::Plugin, key, &lock.plugins[key])?;
    }
    read(reached.repo(), tree)
}

/// Reads a workflow's instructions.
fn instructions(files: &TreeFiles<&Repo>, definition: &Definition, source_name: &str) -> Result<String, OpError> {
    let path = &definition.workflow_file;
    let bytes = files.read(path, LIMITS.bytes).map_err(|error| WorkflowError::Entry {
        name: path.clone(),
        source_name: source_name.to_owned(),
        error: EntryError::Files(error),
    })?;
    text(path, bytes)
}

fn text(path: &str, bytes: Vec<u8>) -> Result<String, OpError> {
    let read = String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::InvalidData, "it is not UTF-8"));
    read.map_err(|source| OpError::Read { path: path.to_owned(), source })
}
