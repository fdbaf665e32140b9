//! The files that steps made: what they were, and what has become of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::RunError;
use crate::ops::{OpError, Workspace};
use crate::run::{Artifact, Item, Run};

/// The largest file that is recorded, in bytes.
const FILE_MAX: u64 = 1 << 30;

/// Says what has become of the files that steps made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Checked {
    pub(super) missing: Vec<String>,
    pub(super) changed: Vec<String>,
}

/// Records files as they are.
///
/// # Errors
/// When one is not there, is no plain file, or is outside of the work tree.
pub(super) fn record(workspace: &Workspace, paths: &[PathBuf]) -> Result<Vec<Artifact>, OpError> {
    let record = |path: &PathBuf| {
        let refused = |reason: &str| {
            OpError::from(RunError::Artifact { path: path.display().to_string(), reason: reason.to_owned() })
        };
        let top = workspace.repo.work_dir().ok_or_else(|| refused("the repository has no work tree"))?;
        let found = fs::canonicalize(path).map_err(|_| refused("it is not there"))?;
        let data = fs::metadata(&found).map_err(|_| refused("it is not there"))?;
        if !data.is_file() {
            return Err(refused("it is no plain file"));
        }
        if data.len() > FILE_MAX {
            return Err(refused("it has more than 1 GiB"));
        }
        let top = fs::canonicalize(top).map_err(|_| refused("the work tree cannot be found"))?;
        let below = found.strip_prefix(&top).map_err(|_| refused("it is outside of the work tree"))?;
        let name = below.to_str().ok_or_else(|| refused("its name is no text"))?.to_owned();
        let (blob, size) = workspace.repo.file_id(&found)?;
        Ok(Artifact { path: name, blob: Some(blob.to_string()), size: Some(size) })
    };
    paths.iter().map(record).collect()
}

/// Looks up what somebody has named in `trace.md` by its path alone.
pub(super) fn settle(workspace: &Workspace, item: &mut Item) {
    let Item::Step(step) = item else { return };
    let Some(top) = workspace.repo.work_dir() else { return };
    for artifact in step.artifacts.iter_mut().filter(|artifact| artifact.recorded().is_none()) {
        if let Some(path) = inside(top, &artifact.path)
            && let Ok(mut known) = record(workspace, &[path])
        {
            *artifact = known.remove(0);
        }
    }
}

/// Compares the files that steps made with what they were; the last word on each of them counts.
pub(super) fn check(workspace: &Workspace, run: &Run) -> Checked {
    let mut checked = Checked::default();
    let Some(top) = workspace.repo.work_dir() else { return checked };
    let mut known: BTreeMap<&str, &Artifact> = BTreeMap::new();
    for artifact in run.steps().flat_map(|step| &step.artifacts) {
        known.insert(&artifact.path, artifact);
    }
    for (path, artifact) in known {
        let file = inside(top, path).filter(|file| fs::metadata(file).is_ok_and(|data| data.is_file()));
        let Some(file) = file else {
            checked.missing.push(path.to_owned());
            continue;
        };
        let Some((blob, size)) = artifact.recorded() else { continue };
        let is_same = fs::metadata(&file).is_ok_and(|data| data.len() == size)
            && workspace.repo.file_id(&file).is_ok_and(|(id, _)| id.to_string() == blob);
        if !is_same {
            checked.changed.push(path.to_owned());
        }
    }
    checked
}

/// Returns where a stored path is, unless it leads out of the work tree.
fn inside(top: &Path, path: &str) -> Option<PathBuf> {
    let top = fs::canonicalize(top).ok()?;
    let found = fs::canonicalize(top.join(path)).ok()?;
    found.starts_with(&top).then_some(found)
}
