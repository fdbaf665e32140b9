//! `run list`: which runs there are; one commit is read of each.

use serde::Serialize;

use super::which::SeenRuns;
use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};

/// Asks for a list of runs.
#[derive(Debug, Clone, Default)]
pub struct ListRuns {
    /// Only runs that are not completed.
    pub open: bool,
    /// Only runs of this workflow.
    pub workflow: Option<String>,
}

/// Is one run of a list.
#[derive(Debug, Clone, Serialize)]
pub struct ListedRun {
    /// The run.
    pub run: String,
    /// The newest commit of its branch.
    pub commit: Option<ObjectId>,
    /// The workflow.
    pub workflow: Option<String>,
    /// How it stands; `unknown` if a newer version says it.
    pub status: Option<String>,
    /// The folder of its `trace.md`.
    pub folder: Option<String>,
    /// The linked worktree of that folder.
    pub worktree: Option<String>,
    /// What happened last.
    pub last: String,
    /// The last step that was spoken of, and how it stood then.
    pub step: Option<String>,
    /// When something happened last.
    pub time: Option<String>,
    /// Why it cannot be read.
    pub fault: Option<String>,
}

/// Lists the runs, the newest first.
///
/// # Errors
/// When the refs cannot be read.
pub fn list_runs(workspace: &Workspace, request: &ListRuns) -> Result<Vec<ListedRun>, OpError> {
    let SeenRuns { seen, broken } = workspace.seen_runs()?;
    let wanted = seen.into_iter().filter(|one| {
        (!request.open || one.is_open())
            && request.workflow.as_ref().is_none_or(|workflow| *workflow == one.told.workflow)
    });
    let mut listed: Vec<ListedRun> = wanted
        .map(|one| ListedRun {
            run: one.run.to_string(),
            commit: Some(one.tip),
            status: Some(one.told.status.map_or("unknown", |status| status.name()).to_owned()),
            step: one.step().map(str::to_owned),
            workflow: Some(one.told.workflow),
            folder: one.told.folder,
            worktree: one.told.worktree,
            last: one.commit.subject,
            time: Some(one.commit.committer.time.to_string()),
            fault: None,
        })
        .collect();
    if request.workflow.is_none() {
        listed.extend(broken.into_iter().map(|(run, fault)| ListedRun {
            run: run.to_string(),
            commit: None,
            workflow: None,
            status: None,
            folder: None,
            worktree: None,
            last: String::new(),
            step: None,
            time: None,
            fault: Some(fault),
        }));
    }
    Ok(listed)
}
