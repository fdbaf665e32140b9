//! A marketplace, as it is searched.

use super::{Files, ManifestError, Source};

/// Reads one marketplace, each part when it is needed.
pub trait Market {
    /// Returns the files at the state that the source names; their root is the marketplace's.
    ///
    /// # Errors
    /// When the marketplace cannot be had.
    fn files(&self) -> Result<&dyn Files, SourceFault>;

    /// Returns the names of the tags, without `refs/tags/`; none where there is no repository.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn tags(&self) -> Result<Vec<String>, SourceFault>;

    /// Returns the files at a tag; their root is the marketplace's.
    ///
    /// # Errors
    /// When the tag cannot be had.
    fn at_tag(&self, tag: &str) -> Result<Box<dyn Files + '_>, SourceFault>;
}

/// Is one of the marketplaces that are searched.
#[derive(Clone)]
pub struct Searched<'a> {
    /// The source as it was written.
    pub source: Source,
    /// The same for every way of writing that source ([`Source::identity`]).
    pub identity: String,
    /// What is there.
    pub market: &'a dyn Market,
}

/// Says why a marketplace could not be searched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceFault {
    /// Its manifest is missing or unusable.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// There is no such repository or folder.
    #[error("there is no such repository or folder")]
    NotFound,
    /// The repository has no such branch, tag or commit.
    #[error("there is no branch, tag or commit '{revision}'")]
    NoRevision {
        /// What was asked for.
        revision: String,
    },
    /// The server cannot be reached.
    #[error("cannot be reached: {reason}")]
    Unreachable {
        /// What git says.
        reason: String,
    },
    /// The server refuses.
    #[error("access was refused: {reason}")]
    Denied {
        /// What git says.
        reason: String,
    },
    /// It was never fetched, and nothing may be fetched now.
    #[error("was not fetched yet, and nothing is fetched now")]
    Offline,
    /// It was searched, but not at all of its tags.
    #[error("not all of its versions are known: {fault}")]
    Tags {
        /// Why not.
        fault: Box<SourceFault>,
    },
    /// There is no git.
    #[error("git is not installed, or is too old")]
    NoGit,
    /// What is here of it is damaged, or anything else.
    #[error("{reason}")]
    Broken {
        /// What is wrong.
        reason: String,
    },
}
