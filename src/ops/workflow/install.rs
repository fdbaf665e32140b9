//! `workflow install`: a workflow becomes part of this repository, exactly as it is now.

use std::path::PathBuf;

use serde::Serialize;

use super::WorkflowError;
use super::find::{FoundWorkflow, find, read_reference};
use super::lock_file::LockFile;
use super::plugins::{FoundPlugin, find_plugin};
use super::record::{Installable, LIMITS, find_installation, message, read_message};
use super::relock::install_locked;
use crate::model::ObjectId;
use crate::ops::marketplace::{Reach, base};
use crate::ops::{OpError, Workspace};
use crate::store::{Intake, RefAdvance};
use crate::workflow::{DEFINITION, Lock, Locked, Name};

/// Asks for workflows to be installed.
#[derive(Debug, Clone, Default)]
pub struct InstallWorkflows {
    /// References; without any, all that the lock file names, exactly as it names them.
    pub references: Vec<String>,
    /// Where paths in them are counted from.
    pub from: PathBuf,
    /// The name under which the only one is installed.
    pub name: Option<String>,
    /// Whether a workflow of the same name from another marketplace is replaced.
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
    let mut workflows = Vec::new();
    for text in &request.references {
        let reference = read_reference(text, &request.from)?;
        let found = find(workspace, &reach, &reference)?;
        let name = request.name.clone().or_else(|| found.name.clone());
        let name = name.ok_or_else(|| WorkflowError::NoName { path: text.clone() })?;
        let _: Name = name.parse().map_err(|_| OpError::Request { reason: format!("not a name: '{name}'") })?;
        if let Some(other) = file.lock.workflows.get(&name)
            && !request.force
            && other.url != installing.url_of(&found.reached)
        {
            let source_name = found.reached.source.to_string();
            let (other, reference) = (other.source.clone(), text.clone());
            return Err(WorkflowError::Taken { name, other, source_name, reference }.into());
        }
        workflows.push(installing.take(&reach, &mut file.lock, name, found, request.strict)?);
    }
    installing.finish("install")?;
    if !request.dry_run {
        file.lock.drop_unused_plugins();
        file.finish()?;
    }
    Ok(Installation { workflows, lock_file: super::lock_path(workspace), dry_run: request.dry_run })
}

/// Gathers what is installed; all of it comes at once.
pub(super) struct Installing<'w> {
    workspace: &'w Workspace,
    intake: Intake<'w>,
    moves: Vec<RefAdvance>,
}

impl<'w> Installing<'w> {
    pub(super) fn new(workspace: &'w Workspace, dry_run: bool) -> Result<Self, OpError> {
        Ok(Installing { workspace, intake: workspace.repo.intake(dry_run)?, moves: Vec::new() })
    }

    /// Takes in a workflow that was found, with its plugins, and puts it into the lock.
    pub(super) fn take(
        &mut self,
        reach: &Reach<'_>,
        lock: &mut Lock,
        name: String,
        found: FoundWorkflow,
        strict: bool,
    ) -> Result<InstalledWorkflow, OpError> {
        let before = lock.workflows.get(&name).cloned();
        let mut warnings = found.warnings.clone();
        let (mut plugins_found, mut plugins) = (Vec::new(), Vec::new());
        for named in &found.definition.plugins {
            let reference = named.public();
            match find_plugin(reach, named, &found.reached) {
                Ok(plugin) => {
                    let (key, commit) = self.take_plugin(lock, &plugin)?;
                    let (key_, version) = (Some(key.clone()), plugin.version);
                    plugins_found.push(InstalledPlugin { reference, key: key_, version, problem: None });
                    plugins.push((key, commit));
                }
                Err(problem) => {
                    warnings.push(format!("plugin '{reference}' is left out: {problem}"));
                    plugins_found.push(InstalledPlugin { reference, key: None, version: None, problem: Some(problem) });
                }
            }
        }
        let reasons: Vec<String> = plugins_found.iter().filter_map(|plugin| plugin.problem.clone()).collect();
        if strict && !reasons.is_empty() {
            return Err(WorkflowError::Plugins { name, reasons }.into());
        }
        reach.complete(&found.reached, &found.place.folder, LIMITS.entries)?;
        let tree = self.intake.put_tree(found.reached.repo(), &found.place.tree, &LIMITS)?;
        let file = (found.place.file != DEFINITION).then(|| found.place.file.clone());
        let mut locked = Locked {
            reference: self.relative(&found.reference),
            source: self.source_of(&found.reached),
            url: self.url_of(&found.reached),
            commit: found.reached.commit,
            path: found.path(),
            file,
            tree,
            version: found.version.clone(),
            range: found.range.as_ref().map(ToString::to_string),
            plugins: plugins.iter().map(|(key, _)| key.clone()).collect(),
        };
        locked.plugins.sort();
        locked.plugins.dedup();
        let old = self.workspace.repo.find_ref_id(&Installable::Workflow.ref_name(self.workspace, &name))?;
        self.keep(Installable::Workflow, &name, &locked, &plugins)?;
        let undo = match (&before, old) {
            (Some(_), Some(old)) => format!("git trace workflow install {name} --back {}", old.short(12)),
            _ => format!("git trace workflow remove {name}"),
        };
        lock.workflows.insert(name.clone(), locked.clone());
        let was = before.as_ref().and_then(|before| before.version.clone());
        Ok(InstalledWorkflow {
            unchanged: before.as_ref() == Some(&locked),
            name,
            locked,
            was,
            plugins_found,
            warnings,
            undo,
        })
    }

    /// Takes in a plugin; where another one has its name, it gets a part of its tree's id behind it.
    fn take_plugin(&mut self, lock: &mut Lock, plugin: &FoundPlugin) -> Result<(String, ObjectId), OpError> {
        let tree = self.intake.put_tree(plugin.reached.repo(), &plugin.tree, &LIMITS)?;
        let locked = Locked {
            reference: plugin.reference.clone(),
            source: self.source_of(&plugin.reached),
            url: self.url_of(&plugin.reached),
            commit: plugin.reached.commit,
            path: plugin.path(),
            file: None,
            tree,
            version: plugin.version.clone(),
            range: plugin.range.clone(),
            plugins: Vec::new(),
        };
        let is_taken =
            lock.plugins.get(&plugin.name).is_some_and(|other| other.url != locked.url || other.path != locked.path);
        let key = if is_taken { format!("{}-{}", plugin.name, tree.short(8)) } else { plugin.name.clone() };
        let commit = self.keep(Installable::Plugin, &key, &locked, &[])?;
        lock.plugins.insert(key.clone(), locked);
        Ok((key, commit))
    }

    /// Makes the commit of an installation, unless it is what its ref names already.
    pub(super) fn keep(
        &mut self,
        what: Installable,
        name: &str,
        locked: &Locked,
        plugins: &[(String, ObjectId)],
    ) -> Result<ObjectId, OpError> {
        let repo = &self.workspace.repo;
        let ref_name = what.ref_name(self.workspace, name);
        let text = message(what, name, locked, plugins);
        if let Some(made) = self.moves.iter().position(|made| made.name == ref_name) {
            // Two workflows of one command name the same plugin.
            let old = self.moves.remove(made);
            let commit = self.commit(locked, old.old, &text)?;
            self.moves.push(RefAdvance { name: ref_name, old: old.old, new: commit });
            return Ok(commit);
        }
        let old = repo.find_ref_id(&ref_name)?;
        if let Some(old) = old {
            let raw = repo.read_raw_commit(&old)?;
            if raw.tree == locked.tree && raw.message == text.as_bytes() {
                return Ok(old);
            }
        }
        let commit = self.commit(locked, old, &text)?;
        self.moves.push(RefAdvance { name: ref_name, old, new: commit });
        Ok(commit)
    }

    /// Moves a ref back to an earlier installation.
    pub(super) fn move_back(&mut self, ref_name: String, old: Option<ObjectId>, commit: ObjectId) {
        if old != Some(commit) {
            self.moves.push(RefAdvance { name: ref_name, old, new: commit });
        }
    }

    /// Takes in a tree.
    pub(super) fn put_tree(&mut self, from: &crate::store::Repo, tree: &ObjectId) -> Result<ObjectId, OpError> {
        Ok(self.intake.put_tree(from, tree, &LIMITS)?)
    }

    fn commit(&mut self, locked: &Locked, old: Option<ObjectId>, text: &str) -> Result<ObjectId, OpError> {
        let repo = &self.workspace.repo;
        let parents: Vec<ObjectId> = old.into_iter().collect();
        Ok(self.intake.put_commit(&locked.tree, &parents, text, &repo.author()?, &repo.committer()?)?)
    }

    /// Stores all of it.
    pub(super) fn finish(self, verb: &str) -> Result<(), OpError> {
        if self.moves.is_empty() {
            return Ok(());
        }
        let who = self.workspace.repo.committer()?;
        Ok(self.intake.finish(&self.moves, &format!("trace workflow {verb}"), &who)?)
    }

    /// Returns the address of a marketplace as the lock file has it: a path in this work tree is counted from its top.
    pub(super) fn url_of(&self, reached: &crate::ops::marketplace::Reached) -> String {
        self.relative(&reached.url)
    }

    fn source_of(&self, reached: &crate::ops::marketplace::Reached) -> String {
        self.relative(&reached.source.public())
    }

    fn relative(&self, text: &str) -> String {
        let top = base(self.workspace).canonicalize().unwrap_or_else(|_| base(self.workspace));
        match (self.workspace.repo.work_dir(), std::path::Path::new(text).strip_prefix(&top)) {
            (Some(_), Ok(below)) if text.starts_with('/') => format!("./{}", below.display()),
            _ => text.to_owned(),
        }
    }
}

/// Asks for an earlier installation to come back.
#[derive(Debug, Clone)]
pub struct InstallBack {
    /// The workflow.
    pub name: String,
    /// The commit of the installation.
    pub commit: String,
    /// Whether nothing is written.
    pub dry_run: bool,
}

/// Puts an earlier installation of a workflow back: its ref moves there, and the lock file says so.
///
/// # Errors
/// When the commit is none, or is not here any more.
pub fn install_back(workspace: &Workspace, request: &InstallBack) -> Result<Installation, OpError> {
    let InstallBack { name, commit, dry_run } = request;
    let not_an_install = || OpError::from(WorkflowError::NotAnInstall { commit: commit.clone(), name: name.clone() });
    let _: Name = name.parse().map_err(|_| not_an_install())?;
    let repo = &workspace.repo;
    let mut file = LockFile::take(workspace, *dry_run)?;
    let id = repo.find_code_commit(commit)?.ok_or_else(not_an_install)?;
    let raw = repo.read_raw_commit(&id)?;
    let (locked, plugins) = read_message(name, raw.tree, &raw.message).ok_or_else(not_an_install)?;
    let mut installing = Installing::new(workspace, *dry_run)?;
    let ref_name = Installable::Workflow.ref_name(workspace, name);
    let old = repo.find_ref_id(&ref_name)?;
    installing.move_back(ref_name, old, id);
    let mut warnings = Vec::new();
    for (key, commit) in plugins {
        let read = repo.has_object(&commit).then(|| repo.read_raw_commit(&commit)).transpose()?;
        let Some((plugin, _)) = read.and_then(|raw| read_message(&key, raw.tree, &raw.message)) else {
            warnings
                .push(format!("plugin '{key}' is not here any more: git trace workflow install {}", locked.reference));
            continue;
        };
        if find_installation(workspace, Installable::Plugin, &key, &plugin.tree)?.is_none() {
            let ref_name = Installable::Plugin.ref_name(workspace, &key);
            let old = repo.find_ref_id(&ref_name)?;
            installing.move_back(ref_name, old, commit);
        }
        file.lock.plugins.insert(key, plugin);
    }
    let mut locked = locked;
    locked.plugins.retain(|key| file.lock.plugins.contains_key(key));
    let before = file.lock.workflows.insert(name.clone(), locked.clone());
    installing.finish("install --back")?;
    let undo = match old {
        Some(old) if before.is_some() => format!("git trace workflow install {name} --back {}", old.short(12)),
        _ => format!("git trace workflow remove {name}"),
    };
    let unchanged = before.as_ref() == Some(&locked);
    let was = before.and_then(|before| before.version);
    let one =
        InstalledWorkflow { name: name.clone(), locked, was, unchanged, plugins_found: Vec::new(), warnings, undo };
    if !dry_run {
        file.lock.drop_unused_plugins();
        file.finish()?;
    }
    Ok(Installation { workflows: vec![one], lock_file: super::lock_path(workspace), dry_run: *dry_run })
}
