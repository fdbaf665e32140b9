//! A marketplace as the room of workflows searches it: opened when it is first looked at.

use std::cell::OnceCell;

use super::reach::{Holder, Reach, Reached};
use super::tree_files::TreeFiles;
use super::{MarketError, Why};
use crate::workflow::{Files, Market, Source, SourceFault};

/// Is what an attempt to open a marketplace came to.
type Opened = Result<(Reached, TreeFiles<Holder>), Box<(SourceFault, MarketError)>>;

/// Is a marketplace that is opened when somebody needs its files.
pub(in crate::ops) struct LazyMarket<'r, 'w> {
    reach: &'r Reach<'w>,
    source: Source,
    opened: OnceCell<Opened>,
}

impl<'r, 'w> LazyMarket<'r, 'w> {
    /// Names a marketplace; nothing is done yet.
    pub(in crate::ops) fn new(reach: &'r Reach<'w>, source: Source) -> Self {
        LazyMarket { reach, source, opened: OnceCell::new() }
    }

    /// Ends looking at it.
    pub(in crate::ops) fn into_reached(self) -> Option<Result<Reached, MarketError>> {
        self.opened.into_inner().map(|opened| opened.map(|(reached, _)| reached).map_err(|failed| failed.1))
    }

    fn open(&self) -> &Opened {
        self.opened.get_or_init(|| match self.reach.open(&self.source) {
            Ok(reached) => {
                let files = reached.files();
                Ok((reached, files))
            }
            Err(error) => Err(Box::new((fault_of(&error), error))),
        })
    }
}

impl Market for LazyMarket<'_, '_> {
    fn files(&self) -> Result<&dyn Files, SourceFault> {
        self.open().as_ref().map(|(_, files)| files as &dyn Files).map_err(|failed| failed.0.clone())
    }

    fn tags(&self) -> Result<Vec<String>, SourceFault> {
        let (reached, _) = self.open().as_ref().map_err(|failed| failed.0.clone())?;
        self.reach.tags(&self.source, reached).map_err(|error| fault_of(&error))
    }

    fn at_tag(&self, tag: &str) -> Result<Box<dyn Files + '_>, SourceFault> {
        let reached = self.reach.open_tag(&self.source, tag).map_err(|error| fault_of(&error))?;
        Ok(Box::new(reached.files()))
    }
}

/// Says what is wrong with a marketplace in the words of the room of workflows.
pub(in crate::ops) fn fault_of(error: &MarketError) -> SourceFault {
    match error {
        MarketError::NoSuchPath { .. } => SourceFault::NotFound,
        MarketError::NoCommit { asked: Some(revision), .. } => SourceFault::NoRevision { revision: revision.clone() },
        MarketError::Offline { .. } => SourceFault::Offline,
        MarketError::GitMissing { .. } => SourceFault::NoGit,
        MarketError::Unreachable { reason, why, .. } => match why {
            Why::Access => SourceFault::Denied { reason: reason.clone() },
            Why::Unsound => SourceFault::Broken { reason: format!("what came is not sound: {reason}") },
            _ => SourceFault::Unreachable { reason: reason.clone() },
        },
        MarketError::Store { error, .. } => SourceFault::Broken { reason: error.to_string() },
        error => SourceFault::Broken { reason: error.to_string() },
    }
}
