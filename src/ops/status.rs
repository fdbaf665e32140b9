//! `status`: where HEAD is, and what the context costs. Reads commits, no entries.

use serde::Serialize;

use super::{OpError, Workspace};
use crate::model::{Commit, Usage};
use crate::tokens::{Count, Encoding, Method, method_for};

/// Commits that are looked at for the model that spoke last.
const LOOK_BACK: usize = 64;

/// Says where HEAD is and how full the context is.
#[derive(Debug, Clone)]
pub struct Status {
    /// The branch, unless HEAD is detached.
    pub branch: Option<String>,
    /// The newest commit; `None` if the branch has none yet.
    pub tip: Option<Commit>,
    /// Tokens of what the model would see.
    pub tokens: Count,
    /// Entries of the context.
    pub count: u64,
    /// The model that spoke last, if it is among the newest commits.
    pub model: Option<String>,
    /// What its provider last reported: counted by others, never mixed with ours.
    pub reported: Option<Usage>,
    /// How the context stands against its budget.
    pub budget: Option<Budget>,
}

/// Compares a context's tokens with their limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Tokens used.
    pub used: u64,
    /// Tokens that there should be at most.
    pub limit: u64,
}

impl Budget {
    /// Share of the limit from which on the user is warned, in percent.
    pub const WARN_PERCENT: u64 = 80;

    /// Tells whether the context is larger than it should be.
    pub fn is_over(self) -> bool {
        self.used > self.limit
    }

    /// Tells whether it is close to the limit, or over it.
    pub fn is_near(self) -> bool {
        u128::from(self.used) * 100 >= u128::from(self.limit) * u128::from(Self::WARN_PERCENT)
    }
}

/// Tells where HEAD is and how full the context is.
///
/// # Errors
/// When the repository cannot be read.
pub fn status(workspace: &Workspace) -> Result<Status, OpError> {
    let repo = &workspace.repo;
    let target = workspace.target()?;
    let branch = target.branch.as_ref().map(ToString::to_string);
    let Some(tip) = repo.find_ref_id(&target.ref_name)? else {
        let limit = workspace.budget(&target, None)?;
        let budget = limit.map(|limit| Budget { used: 0, limit });
        let tokens = Count { base: 0, method: Method::Exact { encoding: Encoding::O200kBase } };
        return Ok(Status { branch, tip: None, tokens, count: 0, model: None, reported: None, budget });
    };
    let tip = repo.read_commit(&tip)?;
    let manifest = repo.read_context_manifest(&tip)?;
    let mut model = None;
    let mut reported = None;
    for commit in repo.history(&[tip.id], &[])?.take(LOOK_BACK) {
        let facts = commit?.facts;
        reported = reported.or(facts.usage);
        model = facts.model;
        if model.is_some() {
            break;
        }
    }
    let exact = Method::Exact { encoding: Workspace::encoding(&manifest) };
    let tokens = Count { base: tip.facts.total, method: model.as_deref().map_or(exact, method_for) };
    let limit = workspace.budget(&target, Some(&manifest))?;
    let budget = limit.map(|limit| Budget { used: tokens.value(), limit });
    Ok(Status { branch, count: tip.facts.count, tip: Some(tip), tokens, model, reported, budget })
}
