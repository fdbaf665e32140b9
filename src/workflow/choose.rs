//! Which workflow a reference means.

use std::collections::HashSet;

use super::older::at_tags;
use super::resolve_error::{Candidate, Failed, Found, NotFound, ResolveError};
use super::{
    Catalog, EntryError, Files, Named, Place, Requirement, Searched, SourceFault, Version, WorkflowEntry, near_names,
};

/// Most names that a message says a marketplace has.
const OFFERED_MAX: usize = 100;

/// Says what is done where several marketplaces have what is asked for, and what they have differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precedence {
    /// Nothing: the person has to say which is meant.
    #[default]
    Ask,
    /// The first of them is taken, in the order of the search.
    First,
}

/// Is the workflow that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Which of the marketplaces that were searched has it.
    pub market: usize,
    /// The tag at which it was found; without one, it is at the state that the source names.
    pub tag: Option<String>,
    /// What the manifest says of it.
    pub entry: WorkflowEntry,
    /// Its version: what the entry says, else what the tag says.
    pub version: Option<Version>,
    /// Where it lies.
    pub place: Place,
    /// The manifest's path.
    pub manifest: String,
    /// Further marketplaces that have the same.
    pub mirrors: Vec<usize>,
    /// Marketplaces that could not be searched.
    pub failed: Vec<Failed>,
    /// Marketplaces that have something of the name that cannot be used, and why.
    pub broken: Vec<(usize, EntryError)>,
}

/// Finds the workflow that is meant in marketplaces. The first of two that are the same is searched. Where the
/// reference names a source, `searched` is that one alone.
///
/// # Errors
/// When none or more than one is meant, or the only one cannot be used.
pub fn choose(asked: &Named, searched: &[Searched<'_>], prefer: Precedence) -> Result<Choice, ResolveError> {
    let mut search =
        Search { asked, searched, found: Vec::new(), failed: Vec::new(), missed: Vec::new(), names: Vec::new() };
    let mut known: HashSet<&str> = HashSet::new();
    let mut removed = Vec::new();
    let mut broken: Vec<(usize, EntryError)> = Vec::new();
    for (at, one) in searched.iter().enumerate() {
        if !known.insert(&one.identity) {
            continue;
        }
        let label = one.source.to_string();
        match search.look(at) {
            Ok(Looked::Found(found)) => match found.locate(one) {
                Ok(offer) => search.found.push(offer),
                Err(NotUsable::Entry(error)) => broken.push((at, error)),
                Err(NotUsable::Source(fault)) => search.failed.push(Failed { label, fault }),
            },
            Ok(Looked::Missed(versions)) => search.missed.push(Found { label, versions }),
            Ok(Looked::Removed) => removed.push(label),
            Ok(Looked::Twice(pointers)) => broken.push((at, EntryError::Twice { pointers })),
            Ok(Looked::Nothing) => {}
            Err(fault) => search.failed.push(Failed { label, fault }),
        }
    }
    search.conclude(prefer, broken, removed)
}

/// Holds what a search has come to.
struct Search<'a> {
    asked: &'a Named,
    searched: &'a [Searched<'a>],
    found: Vec<Choice>,
    failed: Vec<Failed>,
    missed: Vec<Found>,
    /// The names in the marketplaces, for messages.
    names: Vec<Vec<String>>,
}

/// Says what one marketplace has of what is asked for.
enum Looked {
    Found(Box<Offer>),
    Missed(Vec<String>),
    Twice(Vec<String>),
    Removed,
    Nothing,
}

/// Is a workflow whose place was not looked at yet.
pub(super) struct Offer {
    pub(super) market: usize,
    pub(super) tag: Option<String>,
    pub(super) entry: WorkflowEntry,
    pub(super) version: Option<Version>,
    pub(super) manifest: String,
}

enum NotUsable {
    Entry(EntryError),
    Source(SourceFault),
}

impl Search<'_> {
    fn look(&mut self, market: usize) -> Result<Looked, SourceFault> {
        let one = &self.searched[market];
        let catalog = Catalog::read(one.market.files()?)?;
        let name = &self.asked.name;
        let entries: Vec<&WorkflowEntry> = catalog.named(name).collect();
        let offer = |entry: &WorkflowEntry| {
            let (entry, manifest) = (entry.clone(), catalog.manifest.clone());
            Box::new(Offer { market, tag: None, version: entry.version.clone(), entry, manifest })
        };
        let Some(requirement) = &self.asked.requirement else {
            return Ok(match newest(&entries, None) {
                Newest::One(entry) => Looked::Found(offer(entry)),
                Newest::Twice(pointers) => Looked::Twice(pointers),
                Newest::None if catalog.about.renamed(name) == Some(None) => Looked::Removed,
                Newest::None => {
                    self.names.push(catalog.workflows.iter().map(|entry| entry.name.to_string()).collect());
                    Looked::Nothing
                }
            });
        };
        let here = match newest(&entries, Some(requirement)) {
            Newest::One(entry) => Some(offer(entry)),
            Newest::Twice(pointers) => return Ok(Looked::Twice(pointers)),
            Newest::None => None,
        };
        let done = here.is_some() && requirement.is_exact();
        let mut versions = declared(&entries);
        // Who names a state of the marketplace does not ask for another.
        let older = if done || one.source.revision.is_some() {
            None
        } else {
            let known = here.as_deref().and_then(|offer| offer.version.as_ref());
            let tagged = at_tags(one, name, requirement, known, &mut versions);
            // What the tags would have told is missed; what is at hand is not.
            self.failed.extend(tagged.fault.map(|fault| {
                let fault = SourceFault::Tags { fault: Box::new(fault) };
                Failed { label: one.source.to_string(), fault }
            }));
            tagged.best
        };
        Ok(match (older, here) {
            (Some(tagged), _) => Looked::Found(Box::new(Offer { market, ..tagged })),
            (None, Some(here)) => Looked::Found(here),
            (None, None) if entries.is_empty() && versions.is_empty() => {
                self.names.push(catalog.workflows.iter().map(|entry| entry.name.to_string()).collect());
                if catalog.about.renamed(name) == Some(None) { Looked::Removed } else { Looked::Nothing }
            }
            (None, None) => Looked::Missed(in_order(versions)),
        })
    }

    fn conclude(
        mut self,
        prefer: Precedence,
        broken: Vec<(usize, EntryError)>,
        removed: Vec<String>,
    ) -> Result<Choice, ResolveError> {
        let name = self.asked.name.to_string();
        let label = |market: usize| self.searched[market].source.to_string();
        if !self.found.is_empty() {
            let mut choice = self.found.remove(0);
            let is_same =
                |other: &Choice| (other.place.tree, &other.place.file) == (choice.place.tree, &choice.place.file);
            let (mirrors, others): (Vec<Choice>, Vec<Choice>) = self.found.drain(..).partition(is_same);
            if !others.is_empty() && prefer == Precedence::Ask {
                let mut all: Vec<&Choice> = std::iter::once(&choice).chain(&mirrors).chain(&others).collect();
                all.sort_by_key(|choice| choice.market);
                let candidate = |choice: &&Choice| {
                    let version = choice.version.as_ref().map(Version::to_string);
                    Candidate::new(self.asked, &self.searched[choice.market].source, version)
                };
                return Err(ResolveError::Ambiguous { name, candidates: all.iter().map(candidate).collect() });
            }
            choice.mirrors = mirrors.into_iter().map(|mirror| mirror.market).collect();
            return Ok(Choice { failed: self.failed, broken, ..choice });
        }
        if let Some((market, error)) = broken.into_iter().next() {
            return Err(ResolveError::Entry { name, label: label(market), error });
        }
        if !self.missed.is_empty() {
            let wanted = self.asked.requirement.as_ref().map(Requirement::to_string).unwrap_or_default();
            return Err(ResolveError::VersionNotFound { name, wanted, found: self.missed, failed: self.failed });
        }
        if self.asked.source.is_some() && !self.failed.is_empty() {
            return Err(ResolveError::Source(self.failed.swap_remove(0)));
        }
        let failed_labels: HashSet<&String> = self.failed.iter().map(|failed| &failed.label).collect();
        let labels = (0..self.searched.len()).map(label).filter(|label| !failed_labels.contains(label));
        let mut seen = HashSet::new();
        let searched: Vec<String> = labels.filter(|label| seen.insert(label.clone())).collect();
        let near = near_names(&name, self.names.iter().flatten().map(String::as_str));
        let offered = match self.names.as_slice() {
            [names] if searched.len() == 1 => names.iter().take(OFFERED_MAX).cloned().collect(),
            _ => Vec::new(),
        };
        let failed = self.failed;
        Err(ResolveError::NotFound(Box::new(NotFound { name, searched, failed, removed, near, offered })))
    }
}

impl Offer {
    /// Looks where it lies.
    fn locate(self, one: &Searched<'_>) -> Result<Choice, NotUsable> {
        let place = |files: &dyn Files| self.entry.locate(files).map_err(NotUsable::Entry);
        let place = match &self.tag {
            Some(tag) => place(&*one.market.at_tag(tag).map_err(NotUsable::Source)?)?,
            None => place(one.market.files().map_err(NotUsable::Source)?)?,
        };
        let Offer { market, tag, entry, version, manifest } = self;
        let (mirrors, failed, broken) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Choice { market, tag, entry, version, place, manifest, mirrors, failed, broken })
    }
}

/// Says which of a marketplace's entries of one name is meant.
enum Newest<'a> {
    One(&'a WorkflowEntry),
    Twice(Vec<String>),
    None,
}

/// Returns the newest of the entries of one name that will do; entries of several versions are versions of one thing.
fn newest<'a>(entries: &[&'a WorkflowEntry], requirement: Option<&Requirement>) -> Newest<'a> {
    let fits = |entry: &&&WorkflowEntry| match (requirement, &entry.version) {
        (None, _) => true,
        (Some(requirement), Some(version)) => requirement.accepts(version),
        // A workflow without versions is at its newest.
        (Some(requirement), None) => requirement.is_latest(),
    };
    let fitting: Vec<&WorkflowEntry> = entries.iter().filter(fits).copied().collect();
    let age = |entry: &WorkflowEntry| entry.version.clone().map(|version| (!version.is_pre_release(), version));
    let older = |one: &WorkflowEntry, other: &WorkflowEntry| match (age(one), age(other)) {
        (Some((release, one)), Some((other_release, other))) => release.cmp(&other_release).then(one.by_age(&other)),
        (one, other) => one.is_some().cmp(&other.is_some()),
    };
    let Some(best) = fitting.iter().copied().reduce(|best, next| if older(best, next).is_lt() { next } else { best })
    else {
        return Newest::None;
    };
    let rivals = fitting.iter().filter(|entry| older(best, entry).is_eq() && entry.path != best.path);
    let pointers: Vec<String> = rivals.map(|entry| entry.pointer.clone()).collect();
    if pointers.is_empty() {
        return Newest::One(best);
    }
    Newest::Twice(std::iter::once(best.pointer.clone()).chain(pointers).collect())
}

fn declared(entries: &[&WorkflowEntry]) -> Vec<Version> {
    entries.iter().filter_map(|entry| entry.version.clone()).collect()
}

/// Returns versions, the newest first, each once.
fn in_order(mut versions: Vec<Version>) -> Vec<String> {
    versions.sort_by(|one, other| other.by_age(one));
    let mut seen = HashSet::new();
    versions.iter().map(Version::to_string).filter(|version| seen.insert(version.clone())).collect()
}
