//! `cost`: what the calls in a context's history cost, by the usage that providers reported.

use std::collections::{BTreeMap, HashSet};

use super::{OpError, Workspace};
use crate::model::NanoDollars;
use crate::tokens;

/// Adds up what is known, and names what is not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cost {
    /// Sum of the calls that have a price.
    pub known: NanoDollars,
    /// Calls that have a price.
    pub priced: u64,
    /// Calls without a price, by the reason: an unknown model, or usage that was not reported in full.
    pub unpriced: BTreeMap<String, u64>,
}

/// Adds up what the calls in the history of a revision (`None`: HEAD) cost, each at the prices of its time.
///
/// The price table is loaded here and nowhere else (about 30 ms). What has no price is counted, never taken for free.
///
/// # Errors
/// When the revision names nothing, or history cannot be read.
pub fn cost(workspace: &Workspace, revision: Option<&str>) -> Result<Cost, OpError> {
    let tip = workspace.commit(revision)?;
    let mut cost = Cost::default();
    let mut told = HashSet::new();
    for commit in workspace.repo.history(&[tip.id], &[])? {
        let commit = commit?;
        let Some(usage) = &commit.facts.usage else { continue };
        // A message that was captured while it grew reports its call more than once; the newest report is the whole.
        if commit.facts.entries.first().is_some_and(|touch| !told.insert(touch.id)) {
            continue;
        }
        let model = commit.facts.model.as_deref().unwrap_or("unknown");
        match tokens::cost(usage, model, None, commit.author.time.seconds()) {
            Ok(price) => {
                cost.known = NanoDollars(cost.known.0.saturating_add(price.0));
                cost.priced += 1;
            }
            Err(error) => *cost.unpriced.entry(error.to_string()).or_default() += 1,
        }
    }
    Ok(cost)
}
