//! `bundle`: contexts in a file, for where there is no network.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::forget::obey_tombstones;
use super::link::written_ref;
use super::scan::scan_commits;
use super::share::{Fetch, Fetched, FetchedRef, ShareError, receive};
use super::{OpError, Workspace};
use crate::model::{Branch, ObjectId};
use crate::store::{StoreError, Wanted};

/// The name under which a bundle's branches are kept, where none is given.
pub const BUNDLE_NAME: &str = "bundle";

/// Asks for branches to be written to a file.
#[derive(Debug, Clone, Default)]
pub struct CreateBundle {
    /// The file; one that is there is replaced.
    pub file: PathBuf,
    /// The branches; all, with tags, the own index and what was forgotten, if there are none.
    pub branches: Vec<String>,
    /// What the other side has: a revision whose history is left out.
    pub since: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Asks for the branches in a file.
#[derive(Debug, Clone, Default)]
pub struct ImportBundle {
    /// The file.
    pub file: PathBuf,
    /// The name under which they are kept, as if it were a remote's; [`BUNDLE_NAME`] if `None`.
    pub name: Option<String>,
    /// Whether nothing is to be kept.
    pub dry_run: bool,
}

/// Says what is in a bundle.
#[derive(Debug, Clone, Serialize)]
pub struct Bundle {
    /// The file.
    pub file: String,
    /// The refs, and what they name.
    pub refs: Vec<(String, ObjectId)>,
    /// Commits in it, of one that is made.
    pub commits: Option<u64>,
    /// Its size in bytes; 0 on a dry run.
    pub bytes: u64,
}

/// Says what came out of a bundle.
#[derive(Debug, Clone, Serialize)]
pub struct BundleImported {
    /// What came, as if from a remote.
    pub fetched: Fetched,
    /// The commands that bring it into branches of this repository.
    pub next: Vec<String>,
}

/// Writes branches to a file, after what is new in them was searched for secrets once more.
///
/// Snapshots of work trees and copies that were moved aside are never in it.
///
/// # Errors
/// When a secret is found, a branch is not there, there is nothing to write, or the file cannot be written.
pub fn create_bundle(workspace: &Workspace, request: &CreateBundle) -> Result<Bundle, OpError> {
    let repo = &workspace.repo;
    let refs = chosen(workspace, &request.branches)?;
    let known: Vec<ObjectId> =
        request.since.as_deref().map(|since| workspace.resolve(since)).transpose()?.into_iter().collect();
    let tips: Vec<ObjectId> = refs.iter().map(|(_, id)| *id).collect();
    let commits = repo.count(&tips, &known)? as u64;
    // git leaves out refs that bring nothing.
    let mut new = Vec::new();
    for (name, id) in refs {
        if repo.count(&[id], &known)? > 0 {
            new.push((name, id));
        }
    }
    if new.is_empty() {
        return Err(OpError::Nothing { reason: "there is nothing that the other side has not".to_owned() });
    }
    let leaks = scan_commits(workspace, &tips, &known)?;
    if !leaks.is_empty() {
        return Err(ShareError::Leaks { leaks }.into());
    }
    let mut bytes = 0;
    if !request.dry_run {
        repo.create_bundle(&request.file, &new, &known)?;
        bytes = std::fs::metadata(&request.file).map_or(0, |data| data.len());
    }
    Ok(Bundle { file: request.file.display().to_string(), refs: new, commits: Some(commits), bytes })
}

/// Lists what is in a bundle.
///
/// # Errors
/// When it is none.
pub fn list_bundle(workspace: &Workspace, file: &Path) -> Result<Bundle, OpError> {
    let refs = workspace.repo.bundle_heads(file)?;
    let bytes = std::fs::metadata(file).map_or(0, |data| data.len());
    Ok(Bundle { file: file.display().to_string(), refs, commits: None, bytes })
}

/// Checks that a bundle can be imported here: that it is whole is found out by doing so.
///
/// # Errors
/// When it is none, or what it builds on is not here.
pub fn verify_bundle(workspace: &Workspace, file: &Path) -> Result<Bundle, OpError> {
    let bundle = list_bundle(workspace, file)?;
    workspace.repo.verify_bundle(file)?;
    Ok(bundle)
}

/// Brings the branches of a bundle here, as if it were a remote; what is not sound is refused, ref by ref.
///
/// # Errors
/// When it is no bundle, is cut off, or builds on what is not here; nothing has moved then.
pub fn import_bundle(workspace: &Workspace, request: &ImportBundle) -> Result<BundleImported, OpError> {
    verify_bundle(workspace, &request.file)?;
    let name = request.name.as_deref().unwrap_or(BUNDLE_NAME);
    let remote = workspace.repo.bundle_remote(name, &request.file)?;
    let wanted = Fetch { dry_run: request.dry_run, ..Fetch::default() };
    let mut fetched = receive(workspace, &remote, &Wanted::All, &wanted, true)?;
    if !request.dry_run {
        fetched.moved_aside = obey_tombstones(workspace)?;
    }
    let mut next = Vec::new();
    let sound = |row: &&FetchedRef| row.kind == "heads" && row.refused.is_none() && !request.dry_run;
    for FetchedRef { name: branch, new, .. } in fetched.refs.iter().filter(sound) {
        let own = workspace.repo.find_ref_id(&workspace.repo.branch_ref(&Branch::parse(branch, "")?))?;
        match own {
            None => next.push(format!("git trace branch {branch} {name}/{branch}")),
            Some(own) if own != *new => next.push(format!("git trace --branch {branch} merge {name}/{branch}")),
            Some(_) => {}
        }
    }
    Ok(BundleImported { fetched, next })
}

/// Finds the refs that are wanted: those that travel, and no others.
fn chosen(workspace: &Workspace, names: &[String]) -> Result<Vec<(String, ObjectId)>, OpError> {
    let repo = &workspace.repo;
    let mut refs = Vec::new();
    if !names.is_empty() {
        let agent = workspace.head()?.agent();
        for name in names {
            let branch = Branch::parse(name, &agent)?;
            let ref_name = repo.branch_ref(&branch);
            let tip = repo.find_ref_id(&ref_name)?;
            refs.push((ref_name, tip.ok_or_else(|| StoreError::NoBranch { branch: branch.to_string() })?));
        }
        refs.sort();
        refs.dedup();
        return Ok(refs);
    }
    refs.extend(repo.branches()?.into_iter().map(|(branch, tip)| (repo.branch_ref(&branch), tip)));
    refs.extend(repo.tags()?.into_iter().map(|(tag, id)| (repo.tag_ref(&tag), id)));
    refs.extend(repo.tombstone_refs()?);
    if let Some(name) = written_ref(workspace) {
        refs.extend(repo.find_ref_id(&name)?.map(|id| (name, id)));
    }
    Ok(refs)
}
