//! The tracker as a file of the work tree.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Component, Path, PathBuf};

use super::TurnsError;
use crate::run::{Markers, skeleton};

/// The largest tracker that is read, in bytes: its beginning and its end would not be enough to judge it.
const TRACKER_MAX: u64 = 1 << 20;
/// The folder of what runs keep in the work tree.
const FOLDER: &str = ".gittrace/runs";

/// Is the tracker of one run.
#[derive(Debug, Clone)]
pub(super) struct TrackerFile {
    /// Relative to the top of the work tree, with `/`.
    pub(super) path: String,
    full: PathBuf,
}

/// Says what was found where a tracker is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing: it was made.
    Made,
    /// A tracker of an earlier run, which is gone on with.
    Kept {
        /// What it said.
        before: String,
        /// Whether it said that a run was over, which was taken back.
        reopened: bool,
    },
}

impl TrackerFile {
    /// Names a tracker in a work tree: inside of it, outside of git's own folder, behind no link.
    ///
    /// # Errors
    /// When the path leads elsewhere.
    pub(super) fn new(top: &Path, path: &str) -> Result<Self, TurnsError> {
        let refused = |reason| TurnsError::Tracker { path: path.to_owned(), reason };
        let mut full = top.to_owned();
        let mut parts = Vec::new();
        for component in Path::new(path).components() {
            match component {
                Component::CurDir => {}
                Component::Normal(part) => {
                    let part = part.to_str().ok_or_else(|| refused("its name is no UTF-8"))?;
                    if part.eq_ignore_ascii_case(".git") {
                        return Err(refused("it lies in git's own folder"));
                    }
                    if fs::symlink_metadata(&full).is_ok_and(|data| data.file_type().is_symlink()) && full != top {
                        return Err(refused("a link leads to it"));
                    }
                    full.push(part);
                    parts.push(part);
                }
                _ => return Err(refused("it leaves the work tree")),
            }
        }
        match fs::symlink_metadata(&full) {
            Ok(data) if data.file_type().is_symlink() => Err(refused("it is a link")),
            Ok(data) if !data.is_file() => Err(refused("it is no file")),
            _ if parts.is_empty() => Err(refused("it names no file")),
            _ => Ok(TrackerFile { path: parts.join("/"), full }),
        }
    }

    /// Makes the tracker, unless there is one: that is kept, and opened again if it says that a run was over.
    ///
    /// # Errors
    /// When it can be neither made nor read.
    pub(super) fn begin(&self, session: &str, goal: &str, markers: &Markers) -> Result<Found, TurnsError> {
        let folder = self.full.parent().expect("it is in the work tree");
        fs::create_dir_all(folder).map_err(|source| self.error(source))?;
        self.keep_out_of_git();
        let opened = OpenOptions::new().write(true).create_new(true).open(&self.full);
        match opened {
            Ok(mut file) => {
                let text = skeleton(session, &self.path, goal);
                file.write_all(text.as_bytes()).map_err(|source| self.error(source))?;
                Ok(Found::Made)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let before = self.read()?.unwrap_or_default();
                let reopened = self.reopen(&before, markers)?;
                Ok(Found::Kept { before, reopened })
            }
            Err(error) => Err(self.error(error)),
        }
    }

    /// Takes back that the tracker says that a run is over; tells whether it did.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn reopen(&self, text: &str, markers: &Markers) -> Result<bool, TurnsError> {
        match markers.reopen(text, "this ended an earlier run or turn") {
            Some(opened) => self.write(&opened).map(|()| true),
            None => Ok(false),
        }
    }

    /// Writes the tracker anew: the old or the new text is there, whatever happens.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, text: &str) -> Result<(), TurnsError> {
        let folder = self.full.parent().expect("it is in the work tree");
        let written = fs::create_dir_all(folder).and_then(|()| {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.persist(&self.full).map_err(|error| error.error)
        });
        written.map(drop).map_err(|source| self.error(source))
    }

    /// Reads the tracker; `None` if it is gone, or no file any more.
    ///
    /// # Errors
    /// When it is too large, or cannot be read.
    pub(super) fn read(&self) -> Result<Option<String>, TurnsError> {
        let is_file = fs::symlink_metadata(&self.full).is_ok_and(|data| data.is_file());
        if !is_file {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let opened = fs::File::open(&self.full);
        let read = opened.and_then(|file| file.take(TRACKER_MAX + 1).read_to_end(&mut bytes));
        match read {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error(error)),
            Ok(_) if bytes.len() as u64 > TRACKER_MAX => {
                Err(TurnsError::Tracker { path: self.path.clone(), reason: "it has more than 1 MiB" })
            }
            Ok(_) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        }
    }

    /// Tells git to pass over our own folder, in a file in that folder.
    fn keep_out_of_git(&self) {
        let Some(top) = self.full.ancestors().find(|folder| folder.ends_with(FOLDER)) else { return };
        let ignored = top.join(".gitignore");
        if !ignored.exists() {
            // A tracker that git shows as new is no harm.
            let _ = fs::write(ignored, "# What runs of git trace keep while they work.\n*\n");
        }
    }

    fn error(&self, source: std::io::Error) -> TurnsError {
        TurnsError::TrackerIo { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracker_stays_in_the_work_tree() {
        let dir = tempfile::tempdir().expect("a folder");
        let top = dir.path();
        std::os::unix::fs::symlink("/tmp", top.join("out")).expect("a link");
        fs::create_dir(top.join("folder")).expect("a folder");
        for path in ["../x.md", "/x.md", "a/../../x", ".git/x", "a/.GIT/x", "out/x.md", "out", "folder", "", "."] {
            assert!(TrackerFile::new(top, path).is_err(), "{path}");
        }
        assert_eq!(TrackerFile::new(top, "./a//b.md").expect("inside").path, "a/b.md");
    }

    #[test]
    fn an_earlier_tracker_is_kept_and_opened_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let tracker = TrackerFile::new(dir.path(), ".gittrace/runs/r/tracker.md").expect("inside");
        let markers = Markers::default();
        assert_eq!(tracker.begin("r", "goal", &markers).expect("made"), Found::Made);
        assert!(dir.path().join(".gittrace/runs/.gitignore").exists());
        tracker.write("x\n<!-- WORKFLOW_COMPLETE -->\n").expect("written");
        let found = tracker.begin("r", "goal", &markers).expect("kept");
        assert_eq!(found, Found::Kept { before: "x\n<!-- WORKFLOW_COMPLETE -->\n".to_owned(), reopened: true });
        assert_eq!(markers.read(&tracker.read().expect("read").expect("there")), crate::run::Word::Open);
    }
}
