//! What two sides of a merge began with.

use crate::merge::merge_ancestors;
use crate::model::{Commit, Entry};
use crate::ops::{OpError, Workspace};

use super::bodies::Bodies;

/// Most common ancestors that are merged into one; a history with more of them is made up.
const ANCESTORS_MAX: usize = 64;

/// Holds the common beginning of two contexts.
pub(super) enum Ancestor {
    /// They have nothing in common.
    Nothing,
    /// A commit that both have.
    Commit(Box<Commit>),
    /// Several commits that both have and none of which has another: merged, as git's recursive strategy does.
    Merged { base: Box<Ancestor>, one: Box<Ancestor>, other: Box<Ancestor> },
}

impl Ancestor {
    /// Finds the common beginning of two commits over the whole history.
    pub(super) fn of(workspace: &Workspace, ours: &Commit, theirs: &Commit) -> Result<Self, OpError> {
        let mut budget = ANCESTORS_MAX;
        find(workspace, ours, theirs, &mut budget)
    }

    /// Lists the commits whose contexts are needed, in the order in which [`Ancestor::entries`] takes them.
    pub(super) fn commits(&self) -> Vec<&Commit> {
        match self {
            Ancestor::Nothing => Vec::new(),
            Ancestor::Commit(commit) => vec![commit],
            Ancestor::Merged { base, one, other } => {
                [base, one, other].iter().flat_map(|ancestor| ancestor.commits()).collect()
            }
        }
    }

    /// Puts the common beginning together from the entries of its commits.
    pub(super) fn entries(&self, windows: &mut impl Iterator<Item = Vec<Entry>>, bodies: &Bodies<'_>) -> Vec<Entry> {
        match self {
            Ancestor::Nothing => Vec::new(),
            Ancestor::Commit(_) => windows.next().unwrap_or_default(),
            Ancestor::Merged { base, one, other } => {
                let [base, one, other] = [base, one, other].map(|ancestor| ancestor.entries(windows, bodies));
                merge_ancestors(&base, &one, &other, &|entry| bodies.tools(entry))
            }
        }
    }
}

fn find(workspace: &Workspace, ours: &Commit, theirs: &Commit, budget: &mut usize) -> Result<Ancestor, OpError> {
    let bases = workspace.repo.merge_bases(ours.id, theirs.id)?;
    let mut found: Option<(Ancestor, Commit)> = None;
    for id in bases {
        *budget = budget.checked_sub(1).ok_or(OpError::TooManyAncestors)?;
        let commit = workspace.repo.read_commit(&id)?;
        let this = Ancestor::Commit(Box::new(commit.clone()));
        found = Some(match found {
            None => (this, commit),
            Some((before, last)) => {
                let base = Box::new(find(workspace, &last, &commit, budget)?);
                (Ancestor::Merged { base, one: Box::new(before), other: Box::new(this) }, commit)
            }
        });
    }
    Ok(found.map_or(Ancestor::Nothing, |(ancestor, _)| ancestor))
}
