//! `context`: the entries of a commit with their bodies, as the model would see them.

use super::{OpError, Workspace};
use crate::model::{Commit, Item};

/// Holds a context in full.
#[derive(Debug, Clone)]
pub struct Materialized {
    /// The commit.
    pub commit: Commit,
    /// Its entries, in order.
    pub items: Vec<Item>,
}

/// Materializes the context of a revision (`None`: of HEAD). The same commit always gives the same bytes.
///
/// # Errors
/// When the revision names nothing, or an object cannot be read.
pub fn context(workspace: &Workspace, revision: Option<&str>) -> Result<Materialized, OpError> {
    let commit = workspace.commit(revision)?;
    let entries = workspace.repo.read_entries(&commit)?;
    let read = |entry: crate::model::Entry| {
        let body = workspace.repo.read_blob(&entry.body)?;
        Ok::<_, OpError>(Item { entry, body })
    };
    let items = entries.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(Materialized { commit, items })
}
