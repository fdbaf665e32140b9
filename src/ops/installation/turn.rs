//! The turn to install: from looking at what is there until it is changed, no other git trace does the same.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::ops::{OpError, Workspace};
use crate::store::{StoreError, wait_for_lock};

/// The name of the lock, in our folder.
const LOCK: &str = "install.lock";
/// How long others are waited for.
const WAIT: Duration = Duration::from_secs(30);

/// Proves that no other git trace installs or takes away meanwhile. The kernel's lock dies with its holder, and the file
/// goes with it: `disable` leaves nothing.
#[derive(Debug)]
pub(in crate::ops) struct Turn {
    path: PathBuf,
    _file: File,
}

impl Turn {
    /// Waits for the turn.
    pub(in crate::ops) fn take(workspace: &Workspace) -> Result<Self, OpError> {
        workspace.repo.check_quarantine()?;
        let folder = workspace.repo.trace_dir();
        let path = folder.join(LOCK);
        let io = |action| {
            let path = path.clone();
            move |source| OpError::from(StoreError::Io { action, path, source })
        };
        let until = Instant::now() + WAIT;
        loop {
            let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
            let file = match opened {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && Instant::now() < until => {
                    // The one before us may take the empty folder away once more.
                    fs::create_dir_all(&folder).map_err(io("create"))?;
                    continue;
                }
                opened => opened.map_err(io("open"))?,
            };
            if !wait_for_lock(&file, until).map_err(io("lock"))? {
                return Err(StoreError::Locked { path }.into());
            }
            // Else, whoever had it before us removed the file that we opened.
            if is_at(&file, &path) {
                return Ok(Turn { path, _file: file });
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Best effort: a file that stays blocks nobody. The folder stays when something is in it.
        let _ = fs::remove_file(&self.path);
        let _ = self.path.parent().map(fs::remove_dir);
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let same = |one: &fs::Metadata, other: &fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    matches!((&file.metadata(), &fs::metadata(path)), (Ok(one), Ok(other)) if same(one, other))
}
