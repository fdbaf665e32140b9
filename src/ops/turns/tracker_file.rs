//! The tracker as a file of the work tree.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};

use super::TurnsError;
use crate::run::{Markers, skeleton};

/// How much of a tracker is read, in bytes: of a larger one the beginning and the end, each half of it.
const TRACKER_MAX: u64 = 1 << 20;
/// The largest tracker that is opened again, in bytes.
const REOPENED_MAX: u64 = 64 << 20;
/// Folders whose names begin with a dot and that trackers may be in.
const OWN_FOLDERS: [&str; 2] = [".gittrace", ".athena"];
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
    /// Tells whether a workflow may have its tracker there without being asked: a text that is new, and no setting of
    /// any program.
    pub(super) fn is_harmless(&self) -> bool {
        let hidden = |part: &str| part.starts_with('.') && !OWN_FOLDERS.contains(&part);
        let is_text =
            [".md", ".markdown", ".txt"].iter().any(|ending| self.path.to_ascii_lowercase().ends_with(ending));
        is_text && !self.path.split('/').any(hidden) && fs::symlink_metadata(&self.full).is_err()
    }

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
                let reopened = self.reopen(markers)?;
                Ok(Found::Kept { before, reopened })
            }
            Err(error) => Err(self.error(error)),
        }
    }

    /// Takes back that the tracker says that a run is over; tells whether it did.
    ///
    /// # Errors
    /// When it is too large, or cannot be read or written.
    pub(super) fn reopen(&self, markers: &Markers) -> Result<bool, TurnsError> {
        let mut text = Vec::new();
        let opened = fs::File::open(&self.full);
        let read = opened.and_then(|file| file.take(REOPENED_MAX + 1).read_to_end(&mut text));
        match read {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(self.error(error)),
            Ok(_) if text.len() as u64 > REOPENED_MAX => {
                return Err(TurnsError::Tracker { path: self.path.clone(), reason: "it has more than 64 MiB" });
            }
            Ok(_) => {}
        }
        match markers.reopen(&text, "this ended an earlier run or turn") {
            Some(opened) => self.write(&opened).map(|()| true),
            None => Ok(false),
        }
    }

    /// Writes the tracker anew: the old or the new text is there, whatever happens.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, text: &[u8]) -> Result<(), TurnsError> {
        let folder = self.full.parent().expect("it is in the work tree");
        let written = fs::create_dir_all(folder).and_then(|()| {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text)?;
            file.persist(&self.full).map_err(|error| error.error)
        });
        written.map(drop).map_err(|source| self.error(source))
    }

    /// Reads the tracker; `None` if it is gone, or no file any more. The middle of a very large one is left out.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(&self) -> Result<Option<String>, TurnsError> {
        let is_file = fs::symlink_metadata(&self.full).is_ok_and(|data| data.is_file());
        if !is_file {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let read = fs::File::open(&self.full).and_then(|mut file| {
            let length = file.metadata()?.len();
            if length <= TRACKER_MAX {
                return file.take(TRACKER_MAX).read_to_end(&mut bytes);
            }
            (&file).take(TRACKER_MAX / 2).read_to_end(&mut bytes)?;
            bytes.extend_from_slice(b"\n[\xe2\x80\xa6]\n");
            file.seek(SeekFrom::Start(length - TRACKER_MAX / 2))?;
            file.take(TRACKER_MAX / 2).read_to_end(&mut bytes)
        });
        match read {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error(error)),
            Ok(_) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        }
    }

    /// Tells git to pass over our own folder, in a file in that folder.
    fn keep_out_of_git(&self) {
        let Some(top) = self.full.ancestors().find(|folder| folder.ends_with(FOLDER)) else { return };
        // Never through a link that lies there. A tracker that git shows as new is no harm.
        let made = OpenOptions::new().write(true).create_new(true).open(top.join(".gitignore"));
        let _ = made.and_then(|mut file| file.write_all(b"# What runs of git trace keep while they work.\n*\n"));
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
        fs::write(top.join("notes.md"), "mine").expect("a file");
        let harmless = |path: &str| TrackerFile::new(top, path).expect("inside").is_harmless();
        assert!(harmless(".gittrace/runs/x/tracker.md") && harmless("docs/run.md"));
        assert!(!harmless("notes.md") && !harmless(".claude/x.md") && !harmless("main.c") && !harmless(".env"));
    }

    #[test]
    fn an_earlier_tracker_is_kept_and_opened_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let tracker = TrackerFile::new(dir.path(), ".gittrace/runs/r/tracker.md").expect("inside");
        let markers = Markers::default();
        assert_eq!(tracker.begin("r", "goal", &markers).expect("made"), Found::Made);
        assert!(dir.path().join(".gittrace/runs/.gitignore").exists());
        tracker.write(b"x\n<!-- WORKFLOW_COMPLETE -->\n").expect("written");
        let found = tracker.begin("r", "goal", &markers).expect("kept");
        assert_eq!(found, Found::Kept { before: "x\n<!-- WORKFLOW_COMPLETE -->\n".to_owned(), reopened: true });
        let large = [b"head\n".as_slice(), &vec![b'x'; 3 << 20], b"\n<!-- WORKFLOW_COMPLETE -->\n"].concat();
        tracker.write(&large).expect("written");
        let read = tracker.read().expect("read").expect("there");
        assert!(read.len() < 2 << 20 && markers.read(&read) == crate::run::Word::Completed);
        assert!(tracker.reopen(&markers).expect("opened again"));
        assert_eq!(markers.read(&tracker.read().expect("read").expect("there")), crate::run::Word::Open);
    }
}
