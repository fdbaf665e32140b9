//! `expand`: what a summary or a stub stands for.

use super::compress::Compression;
use super::find::{find_entry, say};
use super::{OpError, Workspace};
use crate::model::{Commit, Entry, Item, ObjectId};

/// The deepest that is looked.
const DEPTH_MAX: usize = 64;

/// Asks for originals.
#[derive(Debug, Clone)]
pub struct Expand {
    /// The entry: id, beginning of an id, or position; `<revision>:<entry>` as it was then.
    pub entry: String,
    /// How many compressions to look through; at least 1.
    pub depth: usize,
}

/// Holds an entry, and what it stands for.
#[derive(Debug, Clone)]
pub struct Expanded {
    /// The entry.
    pub item: Item,
    /// The commit that compressed what it stands for; `None` for an original, and below the depth that was asked for.
    pub commit: Option<ObjectId>,
    /// What it stands for, in order.
    pub originals: Vec<Expanded>,
}

impl Expanded {
    /// Returns the originals that nothing more is known of, in order.
    pub fn leaves(&self) -> Vec<&Item> {
        match self.commit {
            None => vec![&self.item],
            Some(_) => self.originals.iter().flat_map(Expanded::leaves).collect(),
        }
    }
}

/// Shows what was compressed, byte for byte, as history keeps it.
///
/// # Errors
/// When there is no such entry, it is not compressed, or its originals are not in this history.
pub fn expand(workspace: &Workspace, request: &Expand) -> Result<Expanded, OpError> {
    let (revision, name) = request.entry.split_once(':').unwrap_or(("", &request.entry));
    let commit = workspace.commit(Some(revision).filter(|revision| !revision.is_empty()))?;
    let entry = find(workspace, &commit, name)?;
    let found = Compression::find(workspace, commit.id, &entry)?;
    look(workspace, entry, Some(found), request.depth.clamp(1, DEPTH_MAX))
}

fn find(workspace: &Workspace, commit: &Commit, name: &str) -> Result<Entry, OpError> {
    let repo = &workspace.repo;
    if let Some(entry) = name.parse().ok().map(|id| repo.find_entry(commit, id)).transpose()?.flatten() {
        return Ok(entry);
    }
    Ok(find_entry(&repo.read_entries(commit)?, name, &|entry| say(workspace, entry))?.clone())
}

/// Reads an entry and what it stands for, `depth` compressions deep.
fn look(
    workspace: &Workspace,
    entry: Entry,
    compression: Option<Compression>,
    depth: usize,
) -> Result<Expanded, OpError> {
    let body = workspace.repo.read_blob(&entry.body)?;
    let mut expanded = Expanded { item: Item { entry, body }, commit: None, originals: Vec::new() };
    let Some(compression) = compression else { return Ok(expanded) };
    expanded.commit = Some(compression.commit.id);
    for original in compression.originals {
        let is_compressed =
            || Ok::<_, OpError>(workspace.repo.read_meta(&original)?.is_some_and(|meta| meta.replaces.is_some()));
        let deeper = if depth > 1 && is_compressed()? {
            Some(Compression::find(workspace, compression.parent.id, &original)?)
        } else {
            None
        };
        expanded.originals.push(look(workspace, original, deeper, depth - 1)?);
    }
    Ok(expanded)
}
