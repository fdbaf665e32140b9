//! `workflow resolve`, `workflow show`: what a reference means.

use std::path::PathBuf;

use serde::Serialize;

use super::find::{FoundWorkflow, find, read_reference};
use super::lock_file::read_lock;
use super::prepare::{locked_as, read_installed};
use super::{WorkflowError, builtin};
use crate::model::ObjectId;
use crate::ops::marketplace::{Reach, base};
use crate::ops::{OpError, Workspace};
use crate::workflow::{Definition, Reference, ResolveError};

/// Asks what a reference means.
#[derive(Debug, Clone, Default)]
pub struct ResolveWorkflow {
    /// The reference.
    pub reference: String,
    /// Where paths in it are counted from.
    pub from: PathBuf,
    /// Whether nothing is fetched.
    pub offline: bool,
    /// Whether what is installed is passed over.
    pub in_marketplaces: bool,
}

/// Says which workflow is meant.
#[derive(Debug, Clone, Serialize)]
pub struct ResolvedWorkflow {
    /// `installed`, `marketplace`, `file` or `built-in`.
    pub kind: &'static str,
    /// Its name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The reference, without passwords.
    pub reference: String,
    /// The marketplace, or the folder.
    pub source: Option<String>,
    /// Where its repository is.
    pub url: Option<String>,
    /// The commit that it is read at.
    pub commit: Option<ObjectId>,
    /// The tag that names that commit, if it is an older version.
    pub tag: Option<String>,
    /// The manifest that names it.
    pub manifest: Option<String>,
    /// The path of its file in that commit.
    pub path: String,
    /// The tree of its folder.
    pub tree: Option<ObjectId>,
    /// When the marketplace was fetched, in seconds since 1970.
    pub fetched: Option<i64>,
    /// Further marketplaces that have the same.
    pub mirrors: Vec<String>,
    /// What is odd, and hinders nothing.
    pub warnings: Vec<String>,
}

/// Finds the workflow that a reference means.
///
/// # Errors
/// When none or more than one is meant, or it cannot be used.
pub fn resolve(workspace: &Workspace, request: &ResolveWorkflow) -> Result<ResolvedWorkflow, OpError> {
    show(workspace, request).map(|shown| shown.workflow)
}

/// Says all about a workflow.
#[derive(Debug)]
pub struct ShownWorkflow {
    /// Which it is.
    pub workflow: ResolvedWorkflow,
    /// What it says of itself.
    pub definition: Definition,
}

/// Finds the workflow that a reference means, and reads what it says of itself. What is installed comes first.
///
/// # Errors
/// As [`resolve`].
pub fn show(workspace: &Workspace, request: &ResolveWorkflow) -> Result<ShownWorkflow, OpError> {
    let asked = read_reference(&request.reference, &request.from)?;
    let reach = Reach::new(workspace, request.offline)?;
    let lock = if request.in_marketplaces { Default::default() } else { read_lock(workspace)? };
    if let Reference::Named(named) = &asked
        && let Some((name, one)) = locked_as(&lock, named, &reach, &base(workspace))
        && workspace.repo.has_object(&one.tree)
    {
        let definition = read_installed(&workspace.repo, name, one)?;
        let workflow = ResolvedWorkflow {
            kind: "installed",
            name: Some(name.to_owned()),
            version: one.version.clone(),
            reference: one.reference.clone(),
            source: Some(one.source.clone()),
            url: Some(one.url.clone()),
            commit: one.commit,
            tag: None,
            manifest: None,
            path: super::find::joined(&one.path, super::record::file_of(one)),
            tree: Some(one.tree),
            fetched: None,
            mirrors: Vec::new(),
            warnings: Vec::new(),
        };
        return Ok(ShownWorkflow { workflow, definition });
    }
    match find(workspace, &reach, &asked) {
        Err(OpError::Workflow(WorkflowError::Resolve(error)))
            if request.reference == builtin::NAME && matches!(*error, ResolveError::NotFound(_)) =>
        {
            Ok(ShownWorkflow { workflow: built_in(), definition: builtin::definition() })
        }
        found => found.map(shown),
    }
}

fn shown(found: FoundWorkflow) -> ShownWorkflow {
    let kind = if found.manifest.is_some() { "marketplace" } else { "file" };
    let path = super::find::joined(&found.reached.source.folder, &found.place.path());
    let workflow = ResolvedWorkflow {
        kind,
        name: found.name,
        version: found.version,
        reference: found.reference,
        source: Some(found.reached.source.public()),
        url: Some(found.reached.url),
        commit: found.reached.commit,
        tag: found.tag,
        manifest: found.manifest,
        path,
        tree: Some(found.place.tree),
        fetched: found.reached.fetched,
        mirrors: found.mirrors,
        warnings: found.warnings,
    };
    ShownWorkflow { workflow, definition: found.definition }
}

fn built_in() -> ResolvedWorkflow {
    ResolvedWorkflow {
        kind: "built-in",
        name: Some(builtin::NAME.to_owned()),
        version: builtin::definition().version.map(|version| version.to_string()),
        reference: builtin::NAME.to_owned(),
        source: None,
        url: None,
        commit: None,
        tag: None,
        manifest: None,
        path: crate::workflow::DEFINITION.to_owned(),
        tree: None,
        fetched: None,
        mirrors: Vec::new(),
        warnings: Vec::new(),
    }
}
