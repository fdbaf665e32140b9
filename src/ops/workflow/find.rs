//! From a reference to one workflow, with its definition.

use std::path::Path;

use super::WorkflowError;
use crate::ops::marketplace::{Configured, LazyMarket, Reach, Reached, configured, expand, look_from, masked, settle};
use crate::ops::{OpError, Workspace};
use crate::workflow::{
    Choice, DOCUMENT_MAX, Definition, Failed, Fault, Files, Location, Market, Named, Place, Precedence, Reference,
    Requirement, ResolveError, Searched, Source, SourceFault, choose, locate,
};

/// Is the workflow that a reference means.
pub(in crate::ops) struct FoundWorkflow {
    /// The reference, without passwords.
    pub(in crate::ops) reference: String,
    /// Its name in the marketplace, or what it calls itself.
    pub(in crate::ops) name: Option<String>,
    /// Which versions were asked for.
    pub(in crate::ops) range: Option<Requirement>,
    /// The marketplace at the state in which it was found.
    pub(in crate::ops) reached: Reached,
    /// The tag at which it was found, if it is not what the marketplace names now.
    pub(in crate::ops) tag: Option<String>,
    /// Where it lies in the marketplace.
    pub(in crate::ops) place: Place,
    /// Its version.
    pub(in crate::ops) version: Option<String>,
    /// What it says of itself.
    pub(in crate::ops) definition: Definition,
    /// The manifest in which it was found.
    pub(in crate::ops) manifest: Option<String>,
    /// Further marketplaces that have the same.
    pub(in crate::ops) mirrors: Vec<String>,
    /// What is odd, and hinders nothing.
    pub(in crate::ops) warnings: Vec<String>,
}

impl FoundWorkflow {
    /// Returns the path of its folder from the root of the commit.
    pub(in crate::ops) fn path(&self) -> String {
        joined(&self.reached.source.folder, &self.place.folder)
    }
}

/// Joins two paths within a repository.
pub(super) fn joined(folder: &str, path: &str) -> String {
    [folder, path].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

/// Reads a reference; paths are counted from `from`.
pub(in crate::ops) fn read_reference(text: &str, from: &Path) -> Result<Reference, WorkflowError> {
    let look = look_from(from);
    let reference = Reference::parse(text, &look)?;
    Ok(match reference {
        Reference::Named(named) => {
            let source = named.source.map(|source| settle(source, from));
            Reference::Named(Box::new(Named { source, ..*named }))
        }
        Reference::File(path) => Reference::File(expand(&path, from).display().to_string()),
        Reference::Folder(path) => Reference::Folder(expand(&path, from).display().to_string()),
    })
}

/// Finds the workflow that a reference means, and reads its definition.
pub(in crate::ops) fn find(
    workspace: &Workspace,
    reach: &Reach<'_>,
    reference: &Reference,
) -> Result<FoundWorkflow, OpError> {
    match reference {
        Reference::Named(named) => find_named(workspace, reach, named),
        Reference::File(path) => {
            let path = Path::new(path);
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            find_path(reach, path.parent().unwrap_or(path), &file, reference)
        }
        Reference::Folder(path) => find_path(reach, Path::new(path), "", reference),
    }
}

fn find_named(workspace: &Workspace, reach: &Reach<'_>, named: &Named) -> Result<FoundWorkflow, OpError> {
    let (sources, mut unread) = match &named.source {
        Some(source) => (vec![source.clone()], Vec::new()),
        None => known(workspace)?,
    };
    let markets: Vec<LazyMarket<'_, '_>> =
        sources.iter().map(|source| LazyMarket::new(reach, source.clone())).collect();
    let searched: Vec<Searched<'_>> = sources
        .iter()
        .zip(&markets)
        .map(|(source, market)| {
            let identity = source.identity(&reach.host);
            Searched { source: source.clone(), identity, market: market as &dyn Market }
        })
        .collect();
    let prefer = match workspace.config("trace.marketplacePrecedence").as_deref() {
        Some("first") => Precedence::First,
        _ => Precedence::Ask,
    };
    let choice = choose(named, &searched, prefer).map_err(|error| with_unread(error, &mut unread))?;
    drop(searched);
    let label = |at: &usize| sources[*at].to_string();
    let mirrors: Vec<String> = choice.mirrors.iter().map(label).collect();
    let mut warnings: Vec<String> = choice
        .failed
        .iter()
        .chain(&unread)
        .map(|failed| format!("'{}' was not searched: {}", failed.label, failed.fault))
        .collect();
    warnings.extend(
        choice.broken.iter().map(|(at, error)| format!("'{}' of '{}' was passed over: {error}", named.name, label(at))),
    );
    let Choice { market, tag, entry, version, place, manifest, .. } = choice;
    let source = &sources[market];
    let reached = match &tag {
        Some(tag) => reach.open_tag(source, tag)?,
        None => markets.into_iter().nth(market).and_then(LazyMarket::into_reached).expect("it was searched")?,
    };
    let (definition, faults) = read_definition(reach, &reached, &place)?;
    warnings.extend(faults);
    warnings.extend(not_committed(&reached, &place));
    Ok(FoundWorkflow {
        reference: named.public(),
        name: Some(entry.name.to_string()),
        range: named.requirement.clone(),
        version: version.map(|version| version.to_string()),
        reached,
        tag,
        place,
        definition,
        manifest: Some(manifest),
        mirrors,
        warnings,
    })
}

/// Reads a workflow that lies in a folder of this machine, as it is.
fn find_path(reach: &Reach<'_>, folder: &Path, file: &str, reference: &Reference) -> Result<FoundWorkflow, OpError> {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    if !file.is_empty() && is_all_of_somebodys(&real) {
        let (path, folder) = (folder.join(file).display().to_string(), real.display().to_string());
        return Err(WorkflowError::WholeFolder { path, folder }.into());
    }
    let source = Source::new(Location::Local(real.display().to_string()));
    let reached = reach.open_folder(&source, &real)?;
    let entry = |error| WorkflowError::Entry { name: reference.to_string(), source_name: source.to_string(), error };
    let place = locate(&reached.files(), file).map_err(entry)?;
    let (definition, warnings) = read_definition(reach, &reached, &place)?;
    Ok(FoundWorkflow {
        reference: reference.to_string(),
        name: definition.name.as_ref().map(ToString::to_string),
        range: None,
        version: definition.version.as_ref().map(ToString::to_string),
        reached,
        tag: None,
        place,
        definition,
        manifest: None,
        mirrors: Vec::new(),
        warnings,
    })
}

/// Tells whether a folder is the top of a work tree, or holds the user's home: who names a file there does not mean that
/// all beside it, passwords and more, is a workflow.
fn is_all_of_somebodys(folder: &Path) -> bool {
    let home = std::env::var_os("HOME").and_then(|home| Path::new(&home).canonicalize().ok());
    folder.join(".git").exists() || folder.parent().is_none() || home.is_some_and(|home| home.starts_with(folder))
}

/// Reads a definition, and makes sure that its instructions are there.
fn read_definition(reach: &Reach<'_>, reached: &Reached, place: &Place) -> Result<(Definition, Vec<String>), OpError> {
    reach.need(reached, &[place.blob])?;
    let files = reached.files();
    let source_name = reached.source.to_string();
    let entry = |error| WorkflowError::Entry { name: place.path(), source_name: source_name.clone(), error };
    let bytes = files.read(&place.path(), DOCUMENT_MAX).map_err(|error| entry(error.into()))?;
    let read = Definition::read(&bytes);
    let definition = read.map_err(|error| WorkflowError::Definition {
        source_name: source_name.clone(),
        path: place.path(),
        error,
    })?;
    definition.instructions(&files, place).map_err(entry)?;
    let warnings = definition.warnings.iter().map(|fault: &Fault| format!("'{}': {fault}", place.path())).collect();
    Ok((definition, warnings))
}

/// Lists the marketplaces of the configuration; those that cannot be read hide no other.
pub(super) fn known(workspace: &Workspace) -> Result<(Vec<Source>, Vec<Failed>), OpError> {
    let (mut sources, mut unread) = (Vec::new(), Vec::new());
    for Configured { text, source, .. } in configured(workspace)? {
        match source {
            Ok(source) => sources.push(source),
            Err(error) => {
                unread.push(Failed { label: masked(&text), fault: SourceFault::Broken { reason: error.to_string() } });
            }
        }
    }
    Ok((sources, unread))
}

/// Adds the marketplaces that could not even be named to an error that lists those which were not searched.
fn with_unread(error: ResolveError, unread: &mut Vec<Failed>) -> WorkflowError {
    let error = match error {
        ResolveError::VersionNotFound { name, wanted, found, mut failed } => {
            failed.append(unread);
            ResolveError::VersionNotFound { name, wanted, found, failed }
        }
        ResolveError::NotFound(mut not_found) => {
            not_found.failed.append(unread);
            ResolveError::NotFound(not_found)
        }
        other => other,
    };
    error.into()
}

/// Tells whether the files in the work tree are others than those that are committed, and used.
fn not_committed(reached: &Reached, place: &Place) -> Option<String> {
    let folder = reached.local.as_ref()?.join(&place.folder);
    reached.commit?;
    let is_same = reached.repo().is_same_folder(&place.tree, &folder, &super::record::LIMITS).unwrap_or(true);
    let shown = folder.display();
    (!is_same).then(|| format!("'{shown}' has changes that are not committed; what is committed is used"))
}
