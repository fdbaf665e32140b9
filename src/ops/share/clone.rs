//! `clone`: makes a repository of the contexts of another, and of nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::ShareError;
use super::fetch::{Fetch, Fetched, fetch};
use super::remote::{ChangeRemote, change_remote};
use crate::model::{Branch, HashKind};
use crate::ops::{OpError, Workspace};
use crate::store::{Head, RemoteMode, Repo, StoreError, check_url};

/// What git says when the other repository has another hash function.
const OTHER_HASH: &str = "mismatched algorithms";

/// Asks for the contexts of another repository.
#[derive(Debug, Clone)]
pub struct Clone {
    /// Its address.
    pub url: String,
    /// Where the new repository is to be: a folder that is not there, or empty.
    pub folder: PathBuf,
    /// How it keeps contexts; found out if `None`.
    pub mode: Option<RemoteMode>,
    /// Whether the new repository has no work tree.
    pub bare: bool,
    /// Whether the user may be asked for a password.
    pub may_ask: bool,
}

/// Says what was cloned.
#[derive(Debug, Clone, Serialize)]
pub struct Cloned {
    /// The new repository.
    pub folder: PathBuf,
    /// How the other one keeps contexts.
    pub mode: &'static str,
    /// What came.
    pub fetched: Fetched,
    /// The branch that was made here, on which HEAD is.
    pub branch: Option<String>,
}

/// Makes a repository with the contexts of another one: no code comes.
///
/// # Errors
/// When the folder is taken, or the other repository cannot be reached; the folder is as it was then.
pub fn clone(request: &Clone) -> Result<Cloned, OpError> {
    check_url(&request.url)?;
    let was_there = request.folder.exists();
    let is_free = fs::read_dir(&request.folder).map_or(!was_there, |mut files| files.next().is_none());
    if !is_free {
        return Err(ShareError::FolderTaken { folder: request.folder.clone() }.into());
    }
    let mut cloned = fill(request, None);
    if matches!(&cloned, Err(OpError::Store(StoreError::Unreachable { reason, .. })) if reason.contains(OTHER_HASH)) {
        take_back(&request.folder, was_there);
        cloned = fill(request, Some(HashKind::Sha256));
    }
    if cloned.is_err() {
        take_back(&request.folder, was_there);
    }
    cloned
}

fn fill(request: &Clone, kind: Option<HashKind>) -> Result<Cloned, OpError> {
    Repo::create_empty(&request.folder, request.bare, kind)?;
    let name = "origin".to_owned();
    let mode = request.mode.unwrap_or_default();
    let open = || Workspace::open_at(&request.folder);
    change_remote(&open()?, &ChangeRemote::Add { name: name.clone(), url: absolute(&request.url)?, mode })?;
    let wanted = Fetch { remote: Some(name.clone()), may_ask: request.may_ask, ..Fetch::default() };
    // What was configured is read anew.
    let mut workspace = open()?;
    let mut fetched = fetch(&workspace, &wanted)?;
    let mut found = mode;
    if fetched.refs.is_empty() && request.mode.is_none() {
        change_remote(&workspace, &ChangeRemote::Mode { name: name.clone(), mode: RemoteMode::Branch })?;
        workspace = open()?;
        fetched = fetch(&workspace, &wanted)?;
        found = RemoteMode::Branch;
        if fetched.refs.is_empty() {
            found = RemoteMode::Refs;
            change_remote(&workspace, &ChangeRemote::Mode { name: name.clone(), mode: found })?;
        }
    }
    let branch = check_out(&workspace, &name)?;
    Ok(Cloned {
        folder: request.folder.clone(),
        mode: found.name(),
        fetched,
        branch: branch.map(|branch| branch.to_string()),
    })
}

/// Makes the branch that people look at first: the default one, or the youngest.
fn check_out(workspace: &Workspace, remote: &str) -> Result<Option<Branch>, OpError> {
    let repo = &workspace.repo;
    let mut found = Vec::new();
    for (name, id) in repo.remote_branches()? {
        let Some(branch) = name.strip_prefix(remote).and_then(|rest| rest.strip_prefix('/')) else { continue };
        let Ok(branch) = Branch::parse(branch, Branch::default().agent()) else { continue };
        let seconds = repo.read_commit(&id)?.committer.time.seconds();
        found.push((branch == Branch::default(), seconds, branch, id));
    }
    let Some((_, _, branch, id)) = found.into_iter().max() else { return Ok(None) };
    let who = repo.committer()?;
    repo.move_ref(&repo.branch_ref(&branch), None, id, "trace clone", &who)?;
    repo.set_head(&Head::Branch(branch.clone()), "trace clone", &who)?;
    Ok(Some(branch))
}

/// Returns the address as it is meant from anywhere: a path is counted from here.
fn absolute(url: &str) -> Result<String, OpError> {
    let path = Path::new(url);
    if !path.exists() {
        return Ok(url.to_owned());
    }
    let whole =
        path.canonicalize().map_err(|source| StoreError::Io { action: "find", path: path.to_owned(), source })?;
    Ok(whole.to_string_lossy().into_owned())
}

/// Removes what was made.
fn take_back(folder: &Path, was_there: bool) {
    if !was_there {
        let _ = fs::remove_dir_all(folder);
        return;
    }
    for file in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let _ = fs::remove_dir_all(file.path()).or_else(|_| fs::remove_file(file.path()));
    }
}
