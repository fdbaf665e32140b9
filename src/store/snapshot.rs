//! The work tree at a moment, kept as a git tree: without the user's index, and without touching a file.
//!
//! A snapshot has what `git add --all` would take: files that git tracks and files that it does not, those that are
//! ignored left out. It stands on an index of its own, which begins as a copy of the user's, so that files which git has
//! seen are not read again.

use std::collections::HashSet;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::{TempDir, TempPath};

use super::git::{self, WorkTree};
use super::{Repo, StoreError};
use crate::codec::encode_message;
use crate::model::{Commit, Facts, ObjectId, Person};

/// What the names of our indexes begin with.
const INDEX_PREFIX: &str = "snapshot-index.";
/// An index that is older than this was left behind by a process that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(600);

/// Says which files a snapshot takes that git does not track.
pub struct Untracked<'a> {
    /// Most bytes of one of them.
    pub file_max: u64,
    /// Most bytes of all together; what is beyond is left out.
    pub total_max: u64,
    /// Tells whether one may be taken: by its path from the top, and its content.
    pub may_take: &'a dyn Fn(&str, &[u8]) -> bool,
}

/// Holds the work tree as it is, as a tree and as the index that goes with it; the index goes when this is dropped.
pub struct WorkTreeState {
    /// The tree.
    pub tree: ObjectId,
    /// Files that git does not track and that were left out.
    pub left_out: Vec<PathBuf>,
    index: TempPath,
    /// Where its new objects are, if it is only looked at.
    scratch: Option<TempDir>,
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

    /// Names this worktree among those of the repository; `None` for the main one.
    pub fn worktree_name(&self) -> Option<String> {
        let is_linked = self.private_dir.join("commondir").is_file();
        is_linked.then(|| self.private_dir.file_name().unwrap_or_default().to_string_lossy().into_owned())
    }

    /// Looks at the work tree. With `rehearse`, no object is written to the repository.
    ///
    /// # Errors
    /// When there is no work tree, or git cannot read it.
    pub fn work_tree_state(&self, untracked: &Untracked<'_>, rehearse: bool) -> Result<WorkTreeState, StoreError> {
        self.check_quarantine()?;
        let top = self.work_dir().ok_or(StoreError::NoWorkTree)?;
        let dir = self.private_dir.join("trace");
        fs::create_dir_all(&dir).map_err(StoreError::io("create", &dir))?;
        sweep(&dir);
        let index = tempfile::Builder::new().prefix(INDEX_PREFIX).tempfile_in(&dir);
        let index = index.map_err(StoreError::io("create a file in", &dir))?.into_temp_path();
        copy_index(&self.private_dir.join("index"), &index)?;
        let scratch = match rehearse {
            true => Some(tempfile::tempdir_in(&dir).map_err(StoreError::io("create a folder in", &dir))?),
            false => None,
        };
        let tree = WorkTree { top, index: &index, scratch: scratch.as_ref().map(TempDir::path) };
        let run =
            |command, arguments: &[&str], input: Option<&[u8]>| git::run_in(self, &tree, command, arguments, input);
        let others = run("ls-files", &["-z", "--others", "--exclude-standard"], None)?;
        let (added, left_out) = choose(top, &others, untracked);
        // A file that cannot be read, or whose filter is missing, stays as git saw it last.
        let _ = run("add", &["--sparse", "--update", "--ignore-errors", "--", "."], None);
        if !added.is_empty() {
            // Some may be gone by now.
            run("update-index", &["-z", "--add", "--remove", "--stdin"], Some(&added))?;
        }
        let id = parse_id(&run("write-tree", &["--missing-ok"], None)?)?;
        Ok(WorkTreeState { tree: id, left_out, index, scratch })
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

    /// Lists the files in which the work tree and a tree differ; submodules are left out, since they are not put back.
    ///
    /// # Errors
    /// When git cannot read them.
    pub fn tree_changes(&self, state: &WorkTreeState, to: ObjectId) -> Result<Vec<TreeChange>, StoreError> {
        let (from, to) = (state.tree.to_string(), to.to_string());
        let options = ["-r", "-z", "--name-status", "--no-renames", "--no-ext-diff", "--ignore-submodules=all"];
        let arguments: Vec<&str> = options.into_iter().chain([from.as_str(), to.as_str()]).collect();
        let top = self.work_dir().ok_or(StoreError::NoWorkTree)?;
        let tree = WorkTree { top, index: &state.index, scratch: state.scratch.as_ref().map(TempDir::path) };
        let listed = git::run_in(self, &tree, "diff-tree", &arguments, None)?;
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
    /// [`StoreError::InTheWay`], or when git refuses.
    pub fn restore_work_tree(&self, state: &WorkTreeState, to: ObjectId) -> Result<(), StoreError> {
        let top = self.work_dir().ok_or(StoreError::NoWorkTree)?;
        // git itself would overwrite what is ignored.
        if let Some(path) = in_the_way(top, &self.tree_changes(state, to)?) {
            return Err(StoreError::InTheWay { path });
        }
        let (from, to) = (state.tree.to_string(), to.to_string());
        let tree = WorkTree { top, index: &state.index, scratch: None };
        git::run_in(self, &tree, "read-tree", &["-m", "-u", &from, &to], None).map(drop)
    }
}

/// Finds something that stands where a file is to be put, and that the work tree's snapshot has not.
fn in_the_way(top: &Path, changes: &[TreeChange]) -> Option<PathBuf> {
    let going: HashSet<PathBuf> =
        changes.iter().filter(|change| change.kind == 'D').map(|change| top.join(&change.path)).collect();
    let is_known = |path: &Path| going.contains(path);
    for change in changes.iter().filter(|change| change.kind == 'A') {
        let place = top.join(&change.path);
        let parents = place.ancestors().skip(1).take_while(|parent| *parent != top);
        for parent in parents {
            // A file, or a link that would be followed, in the place of a folder.
            let is_other = fs::symlink_metadata(parent).is_ok_and(|data| !data.is_dir());
            if is_other && !is_known(parent) {
                return Some(parent.to_owned());
            }
        }
        match fs::symlink_metadata(&place) {
            Ok(data) if data.is_dir() => {
                let inside = walkdir::WalkDir::new(&place).into_iter().filter_map(Result::ok);
                let mut files = inside.filter(|entry| !entry.file_type().is_dir());
                if let Some(other) = files.find(|entry| !is_known(entry.path())) {
                    return Some(other.into_path());
                }
            }
            Ok(_) if !is_known(&place) => return Some(place),
            _ => {}
        }
    }
    None
}

/// Copies the user's index, with its time: git looks again at files that were written in the same moment.
fn copy_index(users: &Path, own: &Path) -> Result<(), StoreError> {
    match fs::copy(users, own) {
        // git takes an empty file for a broken index, and no file for an empty one.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            fs::remove_file(own).map_err(StoreError::io("remove", own))
        }
        Err(error) => Err(StoreError::io("copy", users)(error)),
        Ok(_) => {
            let time = fs::metadata(users).and_then(|data| data.modified());
            let set = time.and_then(|time| File::options().write(true).open(own)?.set_modified(time));
            set.map_err(StoreError::io("write", own))
        }
    }
}

/// Removes what killed processes left behind.
fn sweep(dir: &Path) {
    for file in fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok) {
        let is_ours = file.file_name().as_bytes().starts_with(INDEX_PREFIX.as_bytes());
        let age = file.metadata().and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
        if is_ours && age.is_some_and(|age| age > LEFT_BEHIND) {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// Chooses among untracked files, each of whose names is ended by NUL. Repositories inside the work tree are not ours.
fn choose(top: &Path, listed: &[u8], untracked: &Untracked<'_>) -> (Vec<u8>, Vec<PathBuf>) {
    let (mut taken, mut left_out) = (Vec::new(), Vec::new());
    let mut room = untracked.total_max;
    for name in listed.split(|byte| *byte == 0).filter(|name| !name.is_empty() && !name.ends_with(b"/")) {
        let path = Path::new(std::ffi::OsStr::from_bytes(name));
        let Ok(data) = fs::symlink_metadata(top.join(path)) else { continue };
        let fits = data.is_symlink() || (data.is_file() && data.len() <= untracked.file_max.min(room));
        let content = if data.is_file() && fits { fs::read(top.join(path)).ok() } else { fits.then(Vec::new) };
        match content {
            Some(content) if (untracked.may_take)(&path.to_string_lossy(), &content) => {
                room = room.saturating_sub(data.len());
                taken.extend_from_slice(name);
                taken.push(0);
            }
            _ => left_out.push(path.to_owned()),
        }
    }
    (taken, left_out)
}

fn parse_id(printed: &[u8]) -> Result<ObjectId, StoreError> {
    let text = String::from_utf8_lossy(printed);
    let error = |_| StoreError::Git { command: "write-tree".to_owned(), reason: "it printed no object id".to_owned() };
    text.trim().parse().map_err(error)
}
