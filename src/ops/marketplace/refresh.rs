//! `marketplace refresh`: what is new in marketplaces.

use std::path::PathBuf;

use serde::Serialize;

use super::configured::{configured, masked, parse, settle};
use super::reach::Reach;
use super::{MarketError, Why};
use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};
use crate::workflow::Source;

/// Asks for marketplaces to be fetched.
#[derive(Debug, Clone, Default)]
pub struct RefreshMarketplaces {
    /// Which; all that are known if there are none.
    pub sources: Vec<String>,
    /// Where paths are counted from.
    pub from: PathBuf,
}

/// Says what became of a marketplace.
#[derive(Debug, Clone, Serialize)]
pub struct RefreshedMarketplace {
    /// The marketplace, without passwords.
    pub source: String,
    /// The commit that was here of it.
    pub old: Option<ObjectId>,
    /// The commit that is here of it now.
    pub new: Option<ObjectId>,
    /// Whether it lies on this machine, so that nothing had to be fetched.
    pub is_local: bool,
    /// Where what was here of it is now, if it was broken and made anew.
    pub made_anew: Option<PathBuf>,
    /// Why it could not be fetched; what was here stays.
    pub problem: Option<String>,
    /// What is the matter, where it could not be reached.
    pub why: Option<Why>,
    /// What can be done about it.
    pub hints: Vec<String>,
}

/// Fetches marketplaces; one that cannot be reached hinders no other.
///
/// # Errors
/// When no marketplace is known, or the configuration cannot be read.
pub fn refresh_marketplaces(
    workspace: &Workspace,
    request: &RefreshMarketplaces,
) -> Result<Vec<RefreshedMarketplace>, OpError> {
    let reach = Reach::new(workspace, false)?;
    let wanted: Vec<(String, Result<Source, MarketError>)> = match request.sources.as_slice() {
        [] => configured(workspace)?.into_iter().map(|known| (known.text, known.source)).collect(),
        sources => {
            let read = |text: &String| parse(text, &request.from).map(|source| settle(source, &request.from));
            sources.iter().map(|text| (text.clone(), read(text))).collect()
        }
    };
    if wanted.is_empty() {
        return Err(MarketError::NoneKnown.into());
    }
    Ok(wanted.into_iter().map(|(text, source)| refresh(&reach, &text, source)).collect())
}

fn refresh(reach: &Reach<'_>, text: &str, source: Result<Source, MarketError>) -> RefreshedMarketplace {
    let shown = source.as_ref().map_or_else(|_| masked(text), ToString::to_string);
    let mut told = RefreshedMarketplace {
        source: shown,
        old: None,
        new: None,
        is_local: false,
        made_anew: None,
        problem: None,
        why: None,
        hints: Vec::new(),
    };
    match source.and_then(|source| reach.refresh(&source)) {
        Ok((reached, Some(done))) => {
            (told.old, told.new, told.made_anew) = (done.old, Some(done.commit), done.made_anew);
            told.new = reached.commit.or(told.new);
        }
        Ok((reached, None)) => (told.new, told.is_local) = (reached.commit, true),
        Err(error) => {
            if let MarketError::Unreachable { why, .. } = &error {
                told.why = Some(*why);
            }
            (told.problem, told.hints) = (Some(error.to_string()), error.hints());
        }
    }
    told
}
