//! What is installed, on its way: trees, commits and refs, which come all at once.

use std::collections::BTreeSet;
use std::path::Path;

use super::WorkflowError;
use super::find::FoundWorkflow;
use super::fresh::Fresh;
use super::install::{InstalledPlugin, InstalledWorkflow};
use super::plugins::{FoundPlugin, find_plugin};
use super::record::{Installable, LIMITS, find_installation, message, removal_message};
use crate::model::ObjectId;
use crate::ops::marketplace::{Reach, Reached, base};
use crate::ops::{OpError, Workspace};
use crate::store::{Intake, RefAdvance, Repo};
use crate::workflow::{DEFINITION, Lock, Locked};

/// Gathers what is installed; all of it comes at once.
pub(super) struct Installing<'w> {
    workspace: &'w Workspace,
    intake: Intake<'w>,
    made: Vec<Made>,
    /// Whether objects were taken in that were not here, or not whole.
    is_lacking: bool,
}

/// Is a ref that moves, with what its new commit holds.
struct Made {
    advance: RefAdvance,
    tree: ObjectId,
    text: String,
}

/// Is a workflow with its plugins, all that can be had of it, before anything of it is named.
pub(super) struct Gathered {
    /// Its name here.
    pub(super) name: String,
    /// Where it was found.
    pub(super) found: FoundWorkflow,
    tree: ObjectId,
    plugins: Vec<GatheredPlugin>,
    warnings: Vec<String>,
}

/// Says how a plugin is named, and what it is, or why it cannot be had.
type GatheredPlugin = (String, Result<(FoundPlugin, ObjectId), String>);

impl<'w> Installing<'w> {
    pub(super) fn new(workspace: &'w Workspace, dry_run: bool) -> Result<Self, OpError> {
        Ok(Installing { workspace, intake: workspace.repo.intake(dry_run)?, made: Vec::new(), is_lacking: false })
    }

    /// Finds all plugins of a workflow, and takes in the files of all of them. With `fresh`, plugins are fetched as they are
    /// now.
    pub(super) fn gather(
        &mut self,
        reach: &Reach<'_>,
        mut fresh: Option<&mut Fresh>,
        name: String,
        found: FoundWorkflow,
        strict: bool,
    ) -> Result<Gathered, OpError> {
        let mut warnings = found.warnings.clone();
        let mut plugins = Vec::new();
        for named in &found.definition.plugins {
            let reference = named.public();
            if let Some(fresh) = &mut fresh
                && let Err(reason) = fresh.refresh_plugin(reach, named, &found.reached)
            {
                warnings.push(format!("plugin '{reference}' is taken as it was fetched before: {reason}"));
            }
            let plugin = match find_plugin(reach, named, &found.reached) {
                Ok(plugin) => {
                    let tree = self.put_tree(plugin.reached.repo(), &plugin.tree)?;
                    Ok((plugin, tree))
                }
                Err(problem) => {
                    warnings.push(format!("plugin '{reference}' is left out: {problem}"));
                    Err(problem)
                }
            };
            plugins.push((reference, plugin));
        }
        let problem = |(_, plugin): &GatheredPlugin| plugin.as_ref().err().cloned();
        let reasons: Vec<String> = plugins.iter().filter_map(problem).collect();
        if strict && !reasons.is_empty() {
            return Err(WorkflowError::Plugins { name, reasons }.into());
        }
        reach.complete(&found.reached, &found.place.folder, LIMITS.entries)?;
        let tree = self.put_tree(found.reached.repo(), &found.place.tree)?;
        Ok(Gathered { name, found, tree, plugins, warnings })
    }

    /// Puts a workflow with its plugins into the lock; the pins of the workflows that are still `open` do not count, since
    /// they are about to be made anew.
    pub(super) fn take(
        &mut self,
        lock: &mut Lock,
        gathered: Gathered,
        open: &BTreeSet<String>,
    ) -> Result<InstalledWorkflow, OpError> {
        let Gathered { name, found, tree, plugins, warnings } = gathered;
        let before = lock.workflows.get(&name).cloned();
        let (mut plugins_found, mut kept) = (Vec::new(), Vec::new());
        for (reference, plugin) in plugins {
            plugins_found.push(match plugin {
                Ok((plugin, tree)) => {
                    let locked = self.locked_plugin(&plugin, tree);
                    let (key, commit) = self.keep_plugin(lock, &name, &plugin.name, locked, open)?;
                    kept.push((key.clone(), commit));
                    InstalledPlugin { reference, key: Some(key), version: plugin.version, problem: None }
                }
                Err(problem) => InstalledPlugin { reference, key: None, version: None, problem: Some(problem) },
            });
        }
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
            plugins: kept.iter().map(|(key, _)| key.clone()).collect(),
        };
        locked.plugins.sort();
        locked.plugins.dedup();
        let old = match &before {
            Some(before) => find_installation(self.workspace, Installable::Workflow, &name, &before.tree)?,
            None => None,
        };
        self.keep(Installable::Workflow, &name, &locked, &kept)?;
        let undo = match old {
            Some(old) => format!("git trace workflow install {name} --back {}", old.short(12)),
            None => format!("git trace workflow remove {name}"),
        };
        lock.workflows.insert(name.clone(), locked.clone());
        let was = before.as_ref().and_then(|before| before.version.clone());
        let unchanged = before.as_ref() == Some(&locked);
        Ok(InstalledWorkflow { unchanged, name, locked, was, plugins_found, warnings, undo })
    }

    /// Puts a plugin of a workflow into the lock: under its name, or, where another workflow has something else there, with
    /// a part of its tree's id behind it. What others have stays what it is.
    pub(super) fn keep_plugin(
        &mut self,
        lock: &mut Lock,
        workflow: &str,
        name: &str,
        locked: Locked,
        open: &BTreeSet<String>,
    ) -> Result<(String, ObjectId), OpError> {
        let counts = |other: &str| other != workflow && !open.contains(other);
        let key = lock.plugin_key(name, &locked.tree, &counts);
        let shared = lock.plugins.get(&key).filter(|_| lock.is_plugin_used(&key, &counts)).cloned();
        let locked = shared.unwrap_or(locked);
        let commit = self.keep(Installable::Plugin, &key, &locked, &[])?;
        lock.plugins.insert(key.clone(), locked);
        Ok((key, commit))
    }

    fn locked_plugin(&self, plugin: &FoundPlugin, tree: ObjectId) -> Locked {
        Locked {
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
        }
    }

    /// Makes the commit of an installation, on top of all earlier ones, unless it is what its ref names already.
    pub(super) fn keep(
        &mut self,
        what: Installable,
        name: &str,
        locked: &Locked,
        plugins: &[(String, ObjectId)],
    ) -> Result<ObjectId, OpError> {
        let ref_name = what.ref_name(self.workspace, name);
        self.advance(ref_name, locked.tree, message(what, name, locked, plugins))
    }

    /// Says on top of a ref that nobody needs what it keeps; it goes on keeping it.
    pub(super) fn keep_aside(&mut self, what: Installable, name: &str) -> Result<ObjectId, OpError> {
        let tree = self.intake.put_empty_tree()?;
        self.advance(what.ref_name(self.workspace, name), tree, removal_message(what, name))
    }

    fn advance(&mut self, name: String, tree: ObjectId, text: String) -> Result<ObjectId, OpError> {
        // Two workflows of one command may name the same plugin.
        if let Some(at) = self.made.iter().position(|made| made.advance.name == name) {
            let RefAdvance { old, new, .. } = self.made[at].advance.clone();
            if self.made[at].tree == tree && self.made[at].text == text {
                return Ok(new);
            }
            let commit = self.commit(&tree, Some(new), &text)?;
            self.made[at] = Made { advance: RefAdvance { name, old, new: commit }, tree, text };
            return Ok(commit);
        }
        let repo = &self.workspace.repo;
        let old = repo.find_ref_id(&name)?;
        if let Some(old) = old {
            let raw = repo.read_raw_commit(&old)?;
            if raw.tree == tree && raw.message == text.as_bytes() {
                return Ok(old);
            }
        }
        let commit = self.commit(&tree, old, &text)?;
        self.made.push(Made { advance: RefAdvance { name, old, new: commit }, tree, text });
        Ok(commit)
    }

    /// Takes in a tree.
    pub(super) fn put_tree(&mut self, from: &Repo, tree: &ObjectId) -> Result<ObjectId, OpError> {
        let id = self.intake.put_tree(from, tree, &LIMITS)?;
        self.is_lacking |= self.workspace.repo.prove_tree(&id, &LIMITS).is_err();
        Ok(id)
    }

    fn commit(&mut self, tree: &ObjectId, parent: Option<ObjectId>, text: &str) -> Result<ObjectId, OpError> {
        let repo = &self.workspace.repo;
        let parents: Vec<ObjectId> = parent.into_iter().collect();
        Ok(self.intake.put_commit(tree, &parents, text, &repo.author()?, &repo.committer()?)?)
    }

    /// Stores all of it.
    pub(super) fn finish(self, verb: &str) -> Result<(), OpError> {
        if self.made.is_empty() && !self.is_lacking {
            return Ok(());
        }
        let who = self.workspace.repo.committer()?;
        let moves: Vec<RefAdvance> = self.made.into_iter().map(|made| made.advance).collect();
        Ok(self.intake.finish(&moves, &format!("trace workflow {verb}"), &who)?)
    }

    /// Returns the address of a marketplace as the lock file has it: a path in this work tree is counted from its top.
    pub(super) fn url_of(&self, reached: &Reached) -> String {
        self.relative(&reached.url)
    }

    fn source_of(&self, reached: &Reached) -> String {
        self.relative(&reached.source.public())
    }

    fn relative(&self, text: &str) -> String {
        let top = base(self.workspace).canonicalize().unwrap_or_else(|_| base(self.workspace));
        match (self.workspace.repo.work_dir(), Path::new(text).strip_prefix(&top)) {
            (Some(_), Ok(below)) if text.starts_with('/') => format!("./{}", below.display()),
            _ => text.to_owned(),
        }
    }
}
