//! `log`: the history of a context.

use super::{OpError, Workspace};
use crate::model::ObjectId;
use crate::store::History;

/// Asks for history.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Revisions and ranges (`A..B`, `A...B`, `^A`); HEAD if there is none.
    pub revisions: Vec<String>,
    /// Whether all branches are wanted.
    pub all: bool,
}

/// Walks over history, newest first.
///
/// # Errors
/// When a revision names nothing.
pub fn log<'w>(workspace: &'w Workspace, request: &Log) -> Result<History<'w>, OpError> {
    let repo = &workspace.repo;
    let mut tips: Vec<ObjectId> = Vec::new();
    let mut hidden = Vec::new();
    if request.all {
        tips.extend(repo.branches()?.into_iter().map(|(_, id)| id));
    }
    let end = |name: &str| workspace.resolve(if name.is_empty() { "HEAD" } else { name });
    for revision in &request.revisions {
        if let Some((left, right)) = revision.split_once("...") {
            let (left, right) = (end(left)?, end(right)?);
            hidden.extend(repo.merge_bases(left, right)?);
            tips.extend([left, right]);
        } else if let Some((left, right)) = revision.split_once("..") {
            hidden.push(end(left)?);
            tips.push(end(right)?);
        } else if let Some(name) = revision.strip_prefix('^') {
            hidden.push(end(name)?);
        } else {
            tips.push(end(revision)?);
        }
    }
    if tips.is_empty() {
        tips.push(end("HEAD")?);
    }
    Ok(repo.history(&tips, &hidden)?)
}
