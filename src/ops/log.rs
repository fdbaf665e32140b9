//! `log`: the history of a context.

use super::{OpError, Span, Workspace};
use crate::model::Commit;
use crate::store::{StoreError, Walk};

/// Asks for history.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Revisions and ranges (`A..B`, `A...B`, `^A`); HEAD if there is none.
    pub revisions: Vec<String>,
    /// Whether all branches are wanted.
    pub all: bool,
    /// Whether only the first parent of a merge is followed.
    pub first_parent: bool,
    /// Whether only merges are wanted, or none; all commits if `None`.
    pub merges: Option<bool>,
}

/// Walks over history in git's order, newest first.
///
/// # Errors
/// When a revision names nothing.
pub fn log<'w>(
    workspace: &'w Workspace,
    request: &Log,
) -> Result<impl Iterator<Item = Result<Commit, StoreError>> + 'w, OpError> {
    let repo = &workspace.repo;
    let mut span = match request.all {
        true => Span { tips: repo.branches()?.into_iter().map(|(_, id)| id).collect(), hidden: Vec::new() },
        false => Span::default(),
    };
    if !request.all || !request.revisions.is_empty() || span.tips.is_empty() {
        let named = Span::of(workspace, &request.revisions)?;
        span.tips.extend(named.tips);
        span.hidden.extend(named.hidden);
    }
    let merges = request.merges;
    let history = repo.walk(Walk { tips: &span.tips, hidden: &span.hidden, first_parent: request.first_parent })?;
    let wanted = move |commit: &Result<Commit, StoreError>| match (merges, commit) {
        (Some(merges), Ok(commit)) => (commit.parents.len() > 1) == merges,
        _ => true,
    };
    Ok(history.filter(wanted))
}
