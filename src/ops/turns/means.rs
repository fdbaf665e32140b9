//! What a run starts, and with what: kept in this clone alone. A run's branch may be anybody's, and starts nothing.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ops::{OpError, Workspace};
use crate::run::RunId;
use crate::store::StoreError;

/// The largest of these files that is read, in bytes.
const MEANS_MAX: u64 = 1 << 20;

/// Holds what belongs to a run, and does not travel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Means {
    /// The agent's command line.
    pub(super) agent: String,
    /// The tracker, relative to the top of the work tree.
    #[serde(default)]
    pub(super) tracker: Option<String>,
    /// Folders of plugins.
    #[serde(default)]
    pub(super) plugins: Vec<PathBuf>,
    /// Variables of the environment that the user lets the workflow set.
    #[serde(default)]
    pub(super) environment: Vec<(String, String)>,
}

impl Means {
    /// Reads what belongs to a run; `None` if it was not begun in this clone.
    pub(super) fn read(workspace: &Workspace, run: &RunId) -> Option<Self> {
        read(&folder(workspace).join(file_name(run)))
    }

    /// Keeps it, whole or not at all, for nobody else to read.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn keep(&self, workspace: &Workspace, run: &RunId) -> Result<(), OpError> {
        let folder = folder(workspace);
        let path = folder.join(file_name(run));
        let bytes = serde_json::to_vec(self).map_err(std::io::Error::other);
        let written = bytes.and_then(|bytes| {
            fs::create_dir_all(&folder)?;
            // Made for its owner alone.
            let mut file = tempfile::NamedTempFile::new_in(&folder)?;
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)
        });
        written.map(drop).map_err(|source| StoreError::Io { action: "write", path, source }.into())
    }

    /// Tells whether a run of this clone had its tracker there.
    pub(super) fn know_tracker(workspace: &Workspace, tracker: &str) -> bool {
        let files = match fs::read_dir(folder(workspace)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return false,
            files => files.into_iter().flatten().filter_map(Result::ok),
        };
        let kept =
            |path: PathBuf| path.extension().is_some_and(|ending| ending == "json").then(|| read(&path)).flatten();
        files.filter_map(|file| kept(file.path())).any(|means| means.tracker.as_deref() == Some(tracker))
    }
}

fn read(path: &std::path::Path) -> Option<Means> {
    let is_small = fs::symlink_metadata(path).is_ok_and(|data| data.is_file() && data.len() <= MEANS_MAX);
    let bytes = is_small.then(|| fs::read(path).ok()).flatten()?;
    serde_json::from_slice(&bytes).ok()
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.trace_dir().join("runs")
}

fn file_name(run: &RunId) -> String {
    format!("{run}.json")
}
