//! Which files of a marketplace are needed to work with it when nobody can be reached.

use std::collections::HashSet;

use super::local::MANIFESTS;
use super::tree_files::TreeFiles;
use crate::model::ObjectId;
use crate::store::{Repo, StoreError};
use crate::workflow::{Catalog, Files, Node};

/// Most files of all workflows of a marketplace that are fetched ahead.
const AHEAD_MAX: usize = 50_000;
/// Most files of one workflow that are fetched ahead.
const ONE_MAX: usize = 5_000;

/// Names the manifests, and once they are here the files of all workflows that they name. Plugins wait until somebody installs
/// them: they may be many, and large.
pub(super) fn needed_blobs(repo: &Repo, tree: &ObjectId, folder: &str) -> Result<Vec<ObjectId>, StoreError> {
    let whole = TreeFiles::new(repo, *tree);
    let Ok(Some(Node::Folder { id })) = whole.look(folder) else { return Ok(Vec::new()) };
    let files = TreeFiles::new(repo, id);
    let manifests = manifests_of(&files);
    if !manifests.iter().all(|id| repo.has_object(id)) {
        return Ok(manifests);
    }
    let Ok(catalog) = Catalog::read(&files) else { return Ok(Vec::new()) };
    let (mut needed, mut seen, mut read) = (Vec::new(), HashSet::new(), 0);
    for entry in &catalog.workflows {
        let Ok(place) = entry.locate(&files) else { continue };
        // A workflow in the root of its marketplace is as large as all of it.
        if place.folder.is_empty() {
            needed.push(place.blob);
        } else {
            read += files.new_blobs_below(&place.folder, ONE_MAX, &mut seen, &mut needed)?;
        }
        if read + needed.len() > AHEAD_MAX {
            break;
        }
    }
    Ok(needed)
}

/// Tells whether the manifests of a marketplace are here.
pub(super) fn has_manifests(repo: &Repo, root: &ObjectId) -> bool {
    manifests_of(&TreeFiles::new(repo, *root)).iter().all(|id| repo.has_object(id))
}

/// Names the manifests that a marketplace has; what is odd about one is said when it is read.
fn manifests_of(files: &TreeFiles<&Repo>) -> Vec<ObjectId> {
    let blob = |manifest: &&str| match files.look(manifest) {
        Ok(Some(Node::File { id, .. })) => Some(id),
        _ => None,
    };
    MANIFESTS.iter().filter_map(blob).collect()
}
