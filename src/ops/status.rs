//! `status`: where HEAD is, and what the context costs. Reads commits, no entries.

use serde::Serialize;

use super::{OpError, Workspace};
use crate::model::{Commit, Usage};
use crate::tokens::{self, Count, Encoding, Method, method_for};

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
    /// The command that stopped here and waits to be continued.
    pub stopped: Option<Stopped>,
}

/// Names a command that stopped, and counts what is left to settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// `merge`, `cherry-pick`, `revert` or `rebase`.
    pub verb: &'static str,
    /// Conflicts and contradictions that are not settled yet.
    pub open: usize,
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

/// Fits the factor of an estimate to what the provider itself reported in this context.
///
/// Instructions and tools that are not part of the context add a constant to each report: what is compared is by how
/// much ours and theirs grew from one call to the next.
fn calibrated(basis: Encoding, newest: &[Commit]) -> Option<Method> {
    let seen = |commit: &Commit| {
        let reported = commit.facts.usage?.context()?;
        // What the model saw is the context before its own words.
        Some((commit.facts.total.checked_add_signed(-commit.facts.tokens)?, reported))
    };
    let calls: Vec<(u64, u64)> = newest.iter().filter_map(seen).collect();
    let grown = calls.windows(2).filter_map(|pair| {
        let [(ours, theirs), (ours_before, theirs_before)] = pair else { return None };
        Some((ours.checked_sub(*ours_before)?, theirs.checked_sub(*theirs_before)?))
    });
    tokens::calibrate(basis, grown.filter(|(ours, theirs)| *ours > 0 && *theirs > 0))
}

/// Tells where HEAD is and how full the context is.
///
/// # Errors
/// When the repository cannot be read.
pub fn status(workspace: &Workspace) -> Result<Status, OpError> {
    let repo = &workspace.repo;
    let target = workspace.target()?;
    let branch = target.branch.as_ref().map(ToString::to_string);
    let stopped = stopped(workspace)?;
    let Some(tip) = repo.find_ref_id(&target.ref_name)? else {
        let limit = workspace.budget(&target, None)?;
        let budget = limit.map(|limit| Budget { used: 0, limit });
        let tokens = Count { base: 0, method: Method::Exact { encoding: Encoding::O200kBase } };
        return Ok(Status { branch, tip: None, tokens, count: 0, model: None, reported: None, budget, stopped });
    };
    let tip = repo.read_commit(&tip)?;
    let manifest = repo.read_context_manifest(&tip)?;
    let newest: Vec<Commit> = repo.history(&[tip.id], &[])?.take(LOOK_BACK).collect::<Result<_, _>>()?;
    let model = newest.iter().find_map(|commit| commit.facts.model.clone());
    let reported = newest.iter().find_map(|commit| commit.facts.usage);
    let exact = Method::Exact { encoding: Workspace::encoding(&manifest) };
    let method = match model.as_deref().map_or(exact, method_for) {
        Method::Estimated { basis, .. } => {
            calibrated(basis, &newest).unwrap_or(model.as_deref().map_or(exact, method_for))
        }
        method => method,
    };
    let tokens = Count { base: tip.facts.total, method };
    let limit = workspace.budget(&target, Some(&manifest))?;
    let budget = limit.map(|limit| Budget { used: tokens.value(), limit });
    Ok(Status { branch, count: tip.facts.count, tip: Some(tip), tokens, model, reported, budget, stopped })
}

fn stopped(workspace: &Workspace) -> Result<Option<Stopped>, OpError> {
    match workspace.stopped() {
        Ok(sequence) => Ok(sequence.map(|sequence| Stopped { verb: sequence.verb.name(), open: sequence.open })),
        // Where HEAD is can be said all the same.
        Err(broken @ OpError::BrokenState { .. }) => {
            workspace.warn(broken.to_string());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
