//! Why no workflow could be chosen.

use std::fmt;

use super::{EntryError, Named, SourceFault};

/// How many names, versions or marketplaces a message lists.
const LISTED_MAX: usize = 12;

/// Is a marketplace that could not be searched, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The source, as it may be shown.
    pub label: String,
    /// Why.
    pub fault: SourceFault,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            SourceFault::Tags { fault } => write!(f, "{} was searched without its tags: {fault}", self.label),
            fault => write!(f, "{} was not searched: {fault}", self.label),
        }
    }
}

/// Is one of several workflows of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The source, as it may be shown.
    pub label: String,
    /// The version, if one is declared.
    pub version: Option<String>,
    /// The reference that means this one and no other.
    pub reference: String,
}

/// Says which versions a marketplace has instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The source, as it may be shown.
    pub label: String,
    /// The versions, the newest first; none if the entry declares none.
    pub versions: Vec<String>,
}

/// Says where a workflow was looked for in vain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotFound {
    /// The name.
    pub name: String,
    /// The marketplaces that were searched.
    pub searched: Vec<String>,
    /// Those that could not be.
    pub failed: Vec<Failed>,
    /// Those that had it once, and say that it is there no more.
    pub removed: Vec<String>,
    /// Names that may have been meant.
    pub near: Vec<String>,
    /// What the only marketplace that was searched has.
    pub offered: Vec<String>,
}

/// Says why a reference did not lead to one workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolveError {
    /// No marketplace has it.
    NotFound(Box<NotFound>),
    /// Several marketplaces have it, and what they have differs.
    Ambiguous {
        /// The name.
        name: String,
        /// All of them.
        candidates: Vec<Candidate>,
    },
    /// Marketplaces have it, but not in such a version.
    VersionNotFound {
        /// The name.
        name: String,
        /// What was asked for.
        wanted: String,
        /// What there is.
        found: Vec<Found>,
        /// The marketplaces that could not be searched.
        failed: Vec<Failed>,
    },
    /// A marketplace has it, and it cannot be used.
    Entry {
        /// The name.
        name: String,
        /// The source, as it may be shown.
        label: String,
        /// Why.
        error: EntryError,
    },
    /// The marketplace that was named cannot be searched.
    Source(Failed),
}

impl std::error::Error for ResolveError {}

impl ResolveError {
    /// Tells what there is instead, and what can be done about it.
    pub fn hints(&self) -> Vec<String> {
        let refresh = || "fetch what is new: git trace marketplace refresh".to_owned();
        match self {
            ResolveError::NotFound(lost) => {
                let NotFound { failed, removed, near, offered, .. } = &**lost;
                let mut hints = not_searched(failed);
                hints.extend(rows(removed, |label| format!("{label} had it once, and says that it is there no more")));
                match (near.as_slice(), offered.as_slice()) {
                    ([], []) => {
                        hints.push(refresh());
                        hints.push("search another marketplace: git trace marketplace add <source>".to_owned());
                    }
                    ([], offered) => hints.push(format!("it has {}", listed(offered))),
                    (near, _) => hints.push(format!("did you mean {}?", listed(near))),
                }
                hints
            }
            ResolveError::Ambiguous { candidates, .. } => {
                rows(candidates, |Candidate { label, version, reference }| {
                    let version = version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
                    format!("that of {label}{version}: {reference}")
                })
            }
            ResolveError::VersionNotFound { found, failed, .. } => {
                let mut hints = rows(found, |Found { label, versions }| match versions.as_slice() {
                    [] => format!("{label} has it without a version"),
                    versions => format!("{label} has {}", bounded(versions.iter().cloned())),
                });
                hints.extend(not_searched(failed));
                hints.push(refresh());
                hints
            }
            ResolveError::Source(Failed { fault: SourceFault::Offline, .. }) => vec![refresh()],
            ResolveError::Source(_) | ResolveError::Entry { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResolveError::NotFound(lost) => match (lost.name.as_str(), lost.searched.as_slice()) {
                (name, []) if lost.failed.is_empty() => write!(f, "no workflow '{name}': no marketplace is known"),
                (name, []) => write!(f, "no workflow '{name}': no marketplace could be searched"),
                (name, searched) => write!(f, "no workflow '{name}' in {}", listed(searched)),
            },
            ResolveError::Ambiguous { name, candidates } => {
                write!(f, "workflow '{name}' is in {} marketplaces, and differs", candidates.len())
            }
            ResolveError::VersionNotFound { name, wanted, .. } => write!(f, "no version {wanted} of workflow '{name}'"),
            ResolveError::Entry { name, label, error } => {
                write!(f, "cannot use workflow '{name}' of '{label}': {error}")
            }
            ResolveError::Source(Failed { label, fault }) => write!(f, "cannot search '{label}': {fault}"),
        }
    }
}

fn not_searched(failed: &[Failed]) -> Vec<String> {
    rows(failed, Failed::to_string)
}

fn rows<T>(items: &[T], tell: impl Fn(&T) -> String) -> Vec<String> {
    let mut rows: Vec<String> = items.iter().take(LISTED_MAX).map(tell).collect();
    if items.len() > LISTED_MAX {
        rows.push(format!("and {} more", items.len() - LISTED_MAX));
    }
    rows
}

fn listed(names: &[String]) -> String {
    bounded(names.iter().map(|name| format!("'{name}'")))
}

fn bounded(names: impl ExactSizeIterator<Item = String>) -> String {
    let all = names.len();
    let text = names.take(LISTED_MAX).collect::<Vec<_>>().join(", ");
    if all > LISTED_MAX { format!("{text} and {} more", all - LISTED_MAX) } else { text }
}

impl Candidate {
    /// Makes the candidate of a source: the reference that was given, with that source named.
    pub(super) fn new(asked: &Named, source: &super::Source, version: Option<String>) -> Self {
        let reference = Named { source: Some(source.clone()), ..asked.clone() };
        Candidate { label: source.to_string(), version, reference: reference.public() }
    }
}
