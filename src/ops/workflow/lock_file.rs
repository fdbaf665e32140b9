//! Where the lock file is, and how it is changed: one process at a time, whole or not at all.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::WorkflowError;
use crate::ops::{OpError, Workspace};
use crate::store::{StoreError, take_lock};
use crate::workflow::{Lock, LockError};

/// The folder in the work tree.
const FOLDER: &str = ".gittrace";
/// The file in it.
const FILE: &str = "workflows.lock";
/// How long to wait for another process that installs something.
const TURN: Duration = Duration::from_secs(120);

/// Is the lock file while this process may change it.
pub(super) struct LockFile {
    path: PathBuf,
    /// What it held.
    before: Lock,
    /// What it is to hold.
    pub(super) lock: Lock,
    /// Keeps others waiting; a rehearsal keeps nobody.
    turn: Option<File>,
}

/// Returns where the lock file is: in the work tree, or in our own folder where there is none.
pub(super) fn lock_path(workspace: &Workspace) -> PathBuf {
    match workspace.repo.work_dir() {
        Some(top) => worktree_lock_path(top),
        None => workspace.trace_dir().join(FILE),
    }
}

/// Returns where the lock file of a worktree is.
pub(super) fn worktree_lock_path(top: &Path) -> PathBuf {
    top.join(FOLDER).join(FILE)
}

/// Reads what is locked; nothing is, where there is no lock file.
pub(super) fn read_lock(workspace: &Workspace) -> Result<Lock, OpError> {
    read_lock_at(&lock_path(workspace))
}

/// As [`read_lock`], of a lock file anywhere.
pub(super) fn read_lock_at(path: &Path) -> Result<Lock, OpError> {
    check_place(path)?;
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Lock::default()),
        opened => opened.map_err(io("read", path))?,
    };
    let mut bytes = Vec::new();
    file.take(Lock::MAX + 1).read_to_end(&mut bytes).map_err(io("read", path))?;
    Ok(Lock::read(&bytes).map_err(|error| WorkflowError::LockFile { path: path.to_owned(), error })?)
}

impl LockFile {
    /// Takes the turn to change it.
    pub(super) fn take(workspace: &Workspace, dry_run: bool) -> Result<Self, OpError> {
        let turn = if dry_run { None } else { Some(turn(workspace)?) };
        let lock = read_lock(workspace)?;
        Ok(LockFile { path: lock_path(workspace), before: lock.clone(), lock, turn })
    }

    /// Makes sure that what it is to hold can be read back.
    pub(super) fn check(&self) -> Result<(), OpError> {
        let error = match Lock::read(self.lock.write().as_bytes()) {
            Ok(read) if read == self.lock => return Ok(()),
            Ok(_) => LockError::Malformed { reason: "it would not be read as it is written".to_owned() },
            Err(error) => error,
        };
        Err(WorkflowError::CannotLock { error }.into())
    }

    /// Writes it, if anything changed. Others wait until what is returned is dropped.
    pub(super) fn finish(self) -> Result<Option<File>, OpError> {
        if self.lock == self.before {
            return Ok(self.turn);
        }
        self.check()?;
        let folder = self.path.parent().expect("it is in a folder");
        fs::create_dir_all(folder).map_err(io("create", folder))?;
        check_place(&self.path)?;
        let mut file =
            tempfile::Builder::new().prefix(".workflows.").tempfile_in(folder).map_err(io("write", folder))?;
        let written = file.write_all(self.lock.write().as_bytes()).and_then(|()| {
            use std::os::unix::fs::PermissionsExt;
            file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
            file.as_file().sync_all()
        });
        written.map_err(io("write", &self.path))?;
        file.persist(&self.path).map_err(|error| io("write", &self.path)(error.error))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("write", folder))?;
        Ok(self.turn)
    }
}

/// Refuses a folder or a file that leads elsewhere: a repository that was cloned may bring such a link.
fn check_place(path: &Path) -> Result<(), OpError> {
    let folder = path.parent().unwrap_or(path);
    if fs::symlink_metadata(folder).is_ok_and(|data| !data.is_dir()) {
        return Err(WorkflowError::LockPlace { path: folder.to_owned(), what: "folder" }.into());
    }
    if fs::symlink_metadata(path).is_ok_and(|data| !data.is_file()) {
        return Err(WorkflowError::LockPlace { path: path.to_owned(), what: "file" }.into());
    }
    Ok(())
}

fn turn(workspace: &Workspace) -> Result<File, OpError> {
    workspace.repo.check_quarantine()?;
    Ok(take_lock(&workspace.trace_dir().join("workflows.turn"), Instant::now() + TURN)?)
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> OpError {
    let path = path.to_owned();
    move |source| StoreError::Io { action, path, source }.into()
}
