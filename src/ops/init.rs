//! `init`: makes an empty context on the user's branch.

use std::path::Path;

use serde::Serialize;

use super::{OpError, Workspace};
use crate::codec::Manifest;
use crate::model::{ObjectId, Operation};
use crate::store::{CommitRequest, Head, Repo, Size, Start};
use crate::tokens::Encoding;

/// Asks for a context to begin with.
#[derive(Debug, Clone, Default)]
pub struct Init {
    /// The most tokens that it should have.
    pub budget: Option<u64>,
    /// The encoding in which its tokens are counted.
    pub encoding: Option<Encoding>,
}

/// Says what `init` found and made.
#[derive(Debug, Clone, Serialize)]
pub struct Initialized {
    /// The branch.
    pub branch: String,
    /// Its ref.
    pub ref_name: String,
    /// Its newest commit.
    pub commit: ObjectId,
    /// Whether it was made now; else it was there.
    pub created: bool,
    /// The repository's git directory.
    pub git_dir: String,
    /// Refs of other tools under our prefix.
    pub foreign_refs: Vec<String>,
}

/// Makes an empty git repository in a folder, with this user.
///
/// # Errors
/// When the folder is not empty or cannot be written.
pub fn create_repository(folder: &Path, name: &str, email: &str) -> Result<(), OpError> {
    Ok(Repo::create(folder, name, email)?)
}

/// Makes an empty context on the current branch, unless there is one.
///
/// # Errors
/// When HEAD is detached and has no branch to make, or the repository cannot be written.
pub fn init(workspace: &Workspace, request: &Init) -> Result<Initialized, OpError> {
    let repo = &workspace.repo;
    let target = workspace.target()?;
    let outcome = |commit, created| {
        Ok(Initialized {
            branch: target.display_name(),
            ref_name: target.ref_name.clone(),
            commit,
            created,
            git_dir: repo.git_dir().display().to_string(),
            foreign_refs: repo.foreign_refs()?,
        })
    };
    if let Some(commit) = repo.find_ref_id(&target.ref_name)? {
        return outcome(commit, false);
    }
    let redactor = workspace.redactor()?;
    let committer = repo.committer()?;
    let mut batch = repo.begin(Size::Few)?;
    let encoding = request.encoding.unwrap_or(Encoding::O200kBase);
    let manifest = Manifest::new(encoding.name(), request.budget);
    let mut context = batch.start(&target.ref_name, Start::Empty(&manifest))?;
    let commit = context.commit(CommitRequest {
        operation: Operation::Init,
        subject: redactor.line("init: an empty context"),
        body: redactor.line(""),
        entries: Vec::new(),
        author: repo.author()?,
        committer: committer.clone(),
        agent: None,
        code: repo.code_commit(),
        model: None,
        usage: None,
        cost: None,
        session: None,
        other: Vec::new(),
        merged: Vec::new(),
    })?;
    batch.finish("trace init", &committer, repo.durability(false))?;
    if let (Some(branch), Ok(Head::Branch(head))) = (&target.branch, repo.head())
        && *branch == head
        && repo.find_ref(crate::store::HEAD)?.is_none()
    {
        repo.set_head(&Head::Branch(head), "trace init", &committer)?;
    }
    outcome(commit, true)
}
