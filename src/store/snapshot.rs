//! The work tree at a moment, kept as a git tree: without the user's index, and without touching a file.
//!
//! A snapshot has what `git add --all` would take: files that git tracks and files that it does not, those that are
//! ignored left out. It stands on an index of its own, which begins as a copy of the user's, so that files which git has
//! seen are not read again.

use std::fs;
use std::path::{Path, PathBuf};

use super::git::{self, WorkTree};
use super::{Repo, StoreError};
use crate::codec::encode_message;
use crate::model::{Commit, Facts, ObjectId, Person};

/// Holds the work tree as it is, as a tree and as the index that goes with it; the index goes when this is dropped.
pub struct WorkTreeState {
    /// The tree.
    pub tree: ObjectId,
    /// Files that git does not track and that were left out for their size.
    pub left_out: Vec<PathBuf>,
    index: tempfile::TempPath,
}

/// Names a file in which two trees differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeChange {
    /// `A` for a file that only the second has, `D` for one that only the first has, `M` or `T` for one that differs.
    pub kind: char,
    /// Where it is, from the top of the work tree.
    pub path: String,
}

impl Repo {
    /// Returns the ref that keeps the snapshots of an agent.
    pub fn snapshot_ref(&self, agent: &str) -> String {
        format!("{}/snapshots/{agent}", self.settings.ref_prefix)
    }

    /// Looks at the work tree; files that git does not track and that have more than `limit` bytes are left out.
    ///
    /// # Errors
    /// When there is no work tree, or git cannot read it.
    pub fn work_tree_state(&self, limit: u64) -> Result<WorkTreeState, StoreError> {
        self.check_quarantine()?;
        let top = self.work_dir().ok_or(StoreError::NoWorkTree)?;
        let dir = self.private_dir.join("trace");
        fs::create_dir_all(&dir).map_err(StoreError::io("create", &dir))?;
        let index = tempfile::Builder::new().prefix("snapshot-index.").tempfile_in(&dir);
        let index = index.map_err(StoreError::io("create a file in", &dir))?.into_temp_path();
        let users = self.private_dir.join("index");
        match fs::copy(&users, &index) {
            // git takes an empty file for a broken index, and no file for an empty one.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                fs::remove_file(&index).map_err(StoreError::io("remove", &index))?;
            }
            copied => drop(copied.map_err(StoreError::io("copy", &users))?),
        }
        let run = |command, arguments: &[&str], input: Option<&[u8]>| {
            git::run_in(self, &WorkTree { top, index: &index }, command, arguments, input)
        };
        let others = run("ls-files", &["-z", "--others", "--exclude-standard"], None)?;
        let (added, left_out) = sort_by_size(top, &others, limit);
        run("add", &["--update", "--ignore-errors", "--", "."], None)?;
        if !added.is_empty() {
            run("update-index", &["-z", "--add", "--stdin"], Some(&added))?;
        }
        let tree = run("write-tree", &["--missing-ok"], None)?;
        Ok(WorkTreeState { tree: parse_id(&tree)?, left_out, index })
    }

    /// Keeps a tree as the newest snapshot of an agent.
    ///
    /// # Errors
    /// [`StoreError::RefMoved`] when another process was faster.
    pub fn keep_snapshot(
        &self,
        agent: &str,
        tree: ObjectId,
        subject: &str,
        facts: &Facts,
        who: &Person,
    ) -> Result<ObjectId, StoreError> {
        let name = self.snapshot_ref(agent);
        let last = self.find_ref_id(&name)?;
        let message = encode_message(subject, "", facts);
        let tree = tree.to_string();
        let last_text = last.map(|last| last.to_string());
        let mut arguments = vec!["-F", "-"];
        arguments.extend(last_text.iter().flat_map(|last| ["-p", last.as_str()]));
        arguments.push(&tree);
        let id = git::run_as(&self.private_dir, "commit-tree", &arguments, Some(message.as_bytes()), who)?;
        let id = parse_id(&id)?;
        self.move_ref(&name, last, id, subject, who)?;
        Ok(id)
    }

    /// Lists the snapshots of an agent, newest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn snapshots(&self, agent: &str) -> Result<Vec<Commit>, StoreError> {
        match self.find_ref_id(&self.snapshot_ref(agent))? {
            Some(tip) => self.history(&[tip], &[])?.collect(),
            None => Ok(Vec::new()),
        }
    }

    /// Lists the files in which two trees differ.
    ///
    /// # Errors
    /// When git cannot read them.
    pub fn tree_changes(&self, from: ObjectId, to: ObjectId) -> Result<Vec<TreeChange>, StoreError> {
        let (from, to) = (from.to_string(), to.to_string());
        let arguments = ["-r", "-z", "--name-status", "--no-renames", "--no-ext-diff", from.as_str(), to.as_str()];
        let listed = git::run(self, "diff-tree", &arguments, None)?;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let mut words = listed.split('\0');
        let mut found = Vec::new();
        while let (Some(kind), Some(path)) = (words.next().and_then(|word| word.chars().next()), words.next()) {
            found.push(TreeChange { kind, path: path.to_owned() });
        }
        Ok(found)
    }

    /// Makes the work tree what a tree says. Files that are in neither, ignored ones among them, stay as they are; if one
    /// is in the way, nothing is changed. The user's index is not touched.
    ///
    /// # Errors
    /// When git refuses.
    pub fn restore_work_tree(&self, state: &WorkTreeState, to: ObjectId) -> Result<(), StoreError> {
        let top = self.work_dir().ok_or(StoreError::NoWorkTree)?;
        let (from, to) = (state.tree.to_string(), to.to_string());
        let tree = WorkTree { top, index: &state.index };
        git::run_in(self, &tree, "read-tree", &["-m", "-u", &from, &to], None).map(drop)
    }
}

/// Parts a list of untracked files, each ended by NUL, by their size. Repositories inside the work tree are not ours.
fn sort_by_size(top: &Path, listed: &[u8], limit: u64) -> (Vec<u8>, Vec<PathBuf>) {
    use std::os::unix::ffi::OsStrExt;
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for name in listed.split(|byte| *byte == 0).filter(|name| !name.is_empty() && !name.ends_with(b"/")) {
        let path = Path::new(std::ffi::OsStr::from_bytes(name));
        let Ok(data) = fs::symlink_metadata(top.join(path)) else { continue };
        if data.is_file() && data.len() > limit {
            large.push(path.to_owned());
        } else if data.is_file() || data.is_symlink() {
            small.extend_from_slice(name);
            small.push(0);
        }
    }
    (small, large)
}

fn parse_id(printed: &[u8]) -> Result<ObjectId, StoreError> {
    let text = String::from_utf8_lossy(printed);
    let error = |_| StoreError::Git { command: "write-tree".to_owned(), reason: "it printed no object id".to_owned() };
    text.trim().parse().map_err(error)
}
