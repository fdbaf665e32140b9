//! `workflow install`: a workflow becomes part of this repository, exactly as it is now.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use super::WorkflowError;
use super::find::{FoundWorkflow, find, read_reference};
use super::installing::Installing;
use super::lock_file::LockFile;
use super::record::file_of;
use super::relock::install_locked;
use super::unused::set_aside;
use crate::ops::marketplace::{Reach, base, parse_written, settle};
use crate::ops::{OpError, Workspace};
use crate::workflow::{Locked, Name, Named, Source};

/// Asks for workflows to be installed.
#[derive(Debug, Clone, Default)]
pub struct InstallWorkflows {
    /// References; without any, all that the lock file names, exactly as it names them.
    pub references: Vec<String>,
    /// Where paths in them are counted from.
    pub from: PathBuf,
    /// The name under which the only one is installed.
    pub name: Option<String>,
    /// Whether another workflow of the same name is replaced.
    pub force: bool,
    /// Whether a plugin that cannot be had is an error.
    pub strict: bool,
    /// Whether nothing is fetched.
    pub offline: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// Says what was installed.
#[derive(Debug, Clone, Serialize)]
pub struct Installation {
    /// The workflows.
    pub workflows: Vec<InstalledWorkflow>,
    /// The lock file.
    pub lock_file: PathBuf,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// Says what became of one workflow.
#[derive(Debug, Clone, Serialize)]
pub struct InstalledWorkflow {
    /// Its name here.
    pub name: String,
    /// What it is, as the lock file has it.
    #[serde(flatten)]
    pub locked: Locked,
    /// The version that was installed before.
    pub was: Option<String>,
    /// Whether it is what was installed before.
    pub unchanged: bool,
    /// What became of its plugins.
    pub plugins_found: Vec<InstalledPlugin>,
    /// What is odd, and hinders nothing.
    pub warnings: Vec<String>,
    /// The command that takes it back.
    pub undo: String,
}

/// Says what became of a plugin of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstalledPlugin {
    /// How the workflow names it.
    pub reference: String,
    /// The name under which it is kept.
    pub key: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// Why it cannot be had.
    pub problem: Option<String>,
}

/// Installs workflows with their plugins: their trees become objects of this repository, refs keep them, and the lock file
/// says what they are.
///
/// # Errors
/// When one cannot be found, is not sound, or has the name of another one; nothing is installed then.
pub fn install(workspace: &Workspace, request: &InstallWorkflows) -> Result<Installation, OpError> {
    let reach = Reach::new(workspace, request.offline)?;
    let mut file = LockFile::take(workspace, request.dry_run)?;
    if request.references.is_empty() {
        let workflows = install_locked(workspace, &reach, &file.lock, request.dry_run)?;
        return Ok(Installation { workflows, lock_file: super::lock_path(workspace), dry_run: request.dry_run });
    }
    let mut installing = Installing::new(workspace, request.dry_run)?;
    // All that can be missing is looked for first.
    let mut gathered = Vec::new();
    for text in &request.references {
        let reference = read_reference(text, &request.from)?;
        let found = find(workspace, &reach, &reference)?;
        let name = request.name.clone().or_else(|| found.name.clone());
        let name = name.ok_or_else(|| WorkflowError::NoName { path: text.clone() })?;
        let _: Name = name.parse().map_err(|_| OpError::Request { reason: format!("not a name: '{name}'") })?;
        gathered.push((text, installing.gather(&reach, None, name, found, request.strict)?));
    }
    let mut open: BTreeSet<String> = gathered.iter().map(|(_, one)| one.name.clone()).collect();
    let mut workflows = Vec::new();
    for (text, one) in gathered {
        if let Some(other) = file.lock.workflows.get(&one.name)
            && !request.force
            && !is_same(workspace, &reach, &installing, other, &one.found)
        {
            let (name, source_name) = (one.name, one.found.reached.source.to_string());
            let (other, reference) = (other.source.clone(), text.clone());
            return Err(WorkflowError::Taken { name, other, source_name, reference }.into());
        }
        open.remove(&one.name);
        workflows.push(installing.take(&mut file.lock, one, &open)?);
    }
    finish(workspace, installing, file, "install", request.dry_run)?;
    Ok(Installation { workflows, lock_file: super::lock_path(workspace), dry_run: request.dry_run })
}

/// Stores what was taken: objects and refs, then the lock file, which has to be one that can be read; then what is needed no
/// longer is set aside.
pub(super) fn finish(
    workspace: &Workspace,
    installing: Installing<'_>,
    mut file: LockFile,
    verb: &str,
    dry_run: bool,
) -> Result<(), OpError> {
    file.lock.drop_unused_plugins();
    file.check()?;
    installing.finish(verb)?;
    if !dry_run {
        let lock = file.lock.clone();
        let _turn = file.finish()?;
        set_aside(workspace, &lock);
    }
    Ok(())
}

/// Tells whether what was found is the very workflow that is locked, in another version perhaps: of the same repository,
/// however it is reached, and there under the same name or at the same place.
fn is_same(
    workspace: &Workspace,
    reach: &Reach<'_>,
    installing: &Installing<'_>,
    locked: &Locked,
    found: &FoundWorkflow,
) -> bool {
    let base = base(workspace);
    let identity = |source: &Source| source.repository_identity(&reach.host);
    let is_same_repository = locked.url == installing.url_of(&found.reached)
        || parse_written(&locked.url).is_ok_and(|url| identity(&settle(url, &base)) == identity(&found.reached.source));
    let is_same_place = locked.path == found.path() && file_of(locked) == found.place.file;
    let name = Named::parse(&locked.reference).ok().map(|named| named.name.to_string());
    is_same_repository && (is_same_place || found.manifest.is_some() && name.is_some() && name == found.name)
}
