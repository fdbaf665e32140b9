//! Places of this machine: who may name one.

use std::path::{Path, PathBuf};

use super::WorkflowError;
use super::find::read_reference;
use super::record::{Installable, find_installation, read_message};
use crate::ops::marketplace::{Reach, Reached, base, configured, parse_written, settle};
use crate::ops::{OpError, Workspace};
use crate::workflow::{Location, Locked, Named, Reference, Source};

/// Tells whether a source names a folder of this machine.
pub(super) fn is_of_this_machine(source: &Source) -> bool {
    place_of(source).is_some()
}

/// Returns the folder that a marketplace of this machine is read from; paths in it are counted from there.
pub(super) fn folder_of(reached: &Reached) -> Option<PathBuf> {
    reached.local.clone().or_else(|| place_of(&reached.source).map(PathBuf::from))
}

fn place_of(source: &Source) -> Option<&str> {
    match &source.location {
        Location::Local(path) => Some(path),
        Location::Url(url) => url.local_path(),
        Location::Hosted { .. } => None,
    }
}

/// Refuses what the lock file says of a folder of this machine, unless the user has a hand in it: the folder is in this work
/// tree, the configuration names it, or the same was installed here from there. Lock files come from others.
pub(super) fn refuse_strange_places(
    workspace: &Workspace,
    reach: &Reach<'_>,
    what: Installable,
    name: &str,
    one: &Locked,
) -> Result<(), OpError> {
    let written = [&one.url, &one.source].map(|text| Some((text, parse_written(text).ok()?)));
    let written = written.into_iter().flatten().filter(|(_, source)| is_of_this_machine(source)).collect();
    refuse(workspace, reach, (what, name, one), written)
}

/// As [`refuse_strange_places`], for who asks again as it was asked once.
pub(super) fn refuse_strange_reference(
    workspace: &Workspace,
    reach: &Reach<'_>,
    name: &str,
    one: &Locked,
) -> Result<(), OpError> {
    refuse_strange_places(workspace, reach, Installable::Workflow, name, one)?;
    if Named::parse(&one.reference).is_ok() {
        return Ok(());
    }
    let folder = match read_reference(&one.reference, &base(workspace))? {
        Reference::Folder(path) => path,
        Reference::File(path) => Path::new(&path).parent().unwrap_or(Path::new("/")).display().to_string(),
        Reference::Named(_) => return Ok(()),
    };
    let written = vec![(&one.reference, Source::new(Location::Local(folder)))];
    refuse(workspace, reach, (Installable::Workflow, name, one), written)
}

fn refuse(
    workspace: &Workspace,
    reach: &Reach<'_>,
    (what, name, one): (Installable, &str, &Locked),
    written: Vec<(&String, Source)>,
) -> Result<(), OpError> {
    if written.is_empty() || is_of_ours(workspace, what, name, one)? {
        return Ok(());
    }
    let base = base(workspace);
    let known = configured(workspace)?.into_iter().filter_map(|known| known.source.ok());
    let known: Vec<String> = known.map(|source| source.repository_identity(&reach.host)).collect();
    for (text, source) in written {
        let source = settle(source, &base);
        if !known.contains(&source.repository_identity(&reach.host)) && !is_within(workspace, &source) {
            let (what, name) = (what.name(), name.to_owned());
            return Err(WorkflowError::StrangePlace { what, name, place: text.clone() }.into());
        }
    }
    Ok(())
}

/// Tells whether it was installed here, by a command that named that place.
fn is_of_ours(workspace: &Workspace, what: Installable, name: &str, one: &Locked) -> Result<bool, OpError> {
    let Some(commit) = find_installation(workspace, what, name, &one.tree)? else { return Ok(false) };
    let raw = workspace.repo.read_raw_commit(&commit)?;
    let read = read_message(name, raw.tree, &raw.message);
    let places = |locked: &Locked| [&locked.url, &locked.source, &locked.reference].map(String::clone);
    Ok(read.is_some_and(|(locked, _)| places(&locked) == places(one)))
}

/// Tells whether a place is really in the work tree, wherever links lead.
fn is_within(workspace: &Workspace, source: &Source) -> bool {
    let top = workspace.repo.work_dir().and_then(|top| top.canonicalize().ok());
    let real = place_of(source).and_then(|place| Path::new(place).canonicalize().ok());
    matches!((top, real), (Some(top), Some(real)) if real.starts_with(&top))
}
