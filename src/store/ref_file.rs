//! Refs as files: git's own lock files, and the reflog.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::loose::sync_dir;
use super::pack::Durability;
use super::refs::RefValue;
use super::{Repo, StoreError};
use crate::codec::one_line;
use crate::model::{ObjectId, Person};

/// Age from which on a lock file is taken for left behind. No git trace holds one now, since we hold the queue's lock;
/// git holds one for less than a millisecond.
const STALE: Duration = Duration::from_secs(2);

/// Holds git's lock on a ref; dropping it gives it back.
#[derive(Debug)]
pub(super) struct RefLock {
    file: File,
    path: PathBuf,
    target: PathBuf,
    /// The git directory that the ref belongs to.
    base: PathBuf,
    done: bool,
}

/// Takes git's lock on a ref, waiting for git, and moving a dead process's lock aside.
pub(super) fn lock(repo: &Repo, name: &str) -> Result<RefLock, StoreError> {
    let target = repo.ref_path(name);
    let (base, own_name) = repo.ref_place(name);
    let path = base.join(format!("{own_name}.lock"));
    let deadline = Instant::now() + STALE * 5;
    let mut folders = 0;
    let mut seen: Option<(Instant, SystemTime)> = None;
    loop {
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok(RefLock { file, path, target, base, done: false }),
            Err(error) if error.kind() == io::ErrorKind::NotFound && folders < 100 => {
                folders += 1;
                let folder = path.parent().unwrap_or(Path::new("."));
                match fs::create_dir_all(folder) {
                    // git removes empty folders as it packs refs: one above may just have gone.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    made => made.map_err(|source| in_the_way(repo, name, folder, source))?,
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && Instant::now() < deadline => {
                if is_stale(&path, &mut seen) {
                    set_aside(repo, &path)?;
                } else {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(StoreError::Locked { path }),
            Err(error) => return Err(in_the_way(repo, name, &path, error)),
        }
    }
}

/// Names the ref that stands where a folder has to be, if that is what went wrong.
fn in_the_way(repo: &Repo, name: &str, path: &Path, source: io::Error) -> StoreError {
    let above = name.match_indices('/').map(|(end, _)| &name[..end]).find(|above| repo.ref_path(above).is_file());
    match above {
        Some(other) => StoreError::RefConflict { name: name.to_owned(), other: other.to_owned() },
        None => StoreError::io("lock", path)(source),
    }
}

/// Tells whether a lock file is old by the clock, or has been the same for as long while we looked: the clock may have been
/// set back since.
fn is_stale(path: &Path, seen: &mut Option<(Instant, SystemTime)>) -> bool {
    let Ok(time) = fs::metadata(path).and_then(|data| data.modified()) else { return false };
    let (since, _) = *seen.insert(seen.filter(|(_, known)| *known == time).unwrap_or((Instant::now(), time)));
    since.elapsed() > STALE || SystemTime::now().duration_since(time).is_ok_and(|age| age > STALE)
}

/// Moves a lock file out of the way, and keeps it, should somebody want to know what happened.
fn set_aside(repo: &Repo, path: &Path) -> Result<(), StoreError> {
    let folder = repo.trace_dir().join("stale-locks");
    fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let aside = folder.join(format!("{name}.{:08x}", fastrand::u32(..)));
    match fs::rename(path, &aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("move", path)(error)),
        _ => Ok(()),
    }
}

impl RefLock {
    /// Writes the new value into the lock file.
    pub(super) fn write(&self, value: &RefValue, durability: Durability) -> Result<(), StoreError> {
        let text = match value {
            RefValue::Id(id) => format!("{id}\n"),
            RefValue::Symbolic(target) => format!("ref: {target}\n"),
        };
        let written = (&self.file).write_all(text.as_bytes()).and_then(|()| match durability {
            Durability::Durable => self.file.sync_all(),
            Durability::Lazy => Ok(()),
        });
        written.map_err(StoreError::io("write", &self.path))
    }

    /// Makes the new value the ref's.
    pub(super) fn commit(mut self, durability: Durability) -> Result<(), StoreError> {
        // git removes an empty folder where a ref is to be; the folder may be a leftover of a deleted branch.
        let renamed = fs::rename(&self.path, &self.target).or_else(|error| match error.kind() {
            io::ErrorKind::IsADirectory => {
                fs::remove_dir(&self.target).and_then(|()| fs::rename(&self.path, &self.target))
            }
            _ => Err(error),
        });
        renamed.map_err(StoreError::io("write", &self.target))?;
        self.done = true;
        match (durability, self.target.parent()) {
            (Durability::Durable, Some(folder)) => sync_dirs(folder, &self.base),
            _ => Ok(()),
        }
    }
}

/// Syncs a ref's folder, and those above it, up to the git directory, while they are new.
fn sync_dirs(folder: &Path, base: &Path) -> Result<(), StoreError> {
    sync_dir(folder)?;
    let fresh = |path: &Path| {
        let born = fs::metadata(path).and_then(|data| data.created());
        born.is_ok_and(|born| born.elapsed().is_ok_and(|age| age < Duration::from_secs(60)))
    };
    let mut folder = folder;
    while let Some(above) = folder.parent().filter(|_| folder != base && fresh(folder)) {
        sync_dir(above)?;
        folder = above;
    }
    Ok(())
}

impl Drop for RefLock {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Returns the file with a ref's log.
pub(super) fn log_path(repo: &Repo, name: &str) -> PathBuf {
    let (base, name) = repo.ref_place(name);
    base.join("logs").join(name)
}

/// Adds a line to a ref's log with one write, so that no reader and no crash sees half of it; neither does a full disk leave
/// half of it.
pub(super) fn append_reflog(
    repo: &Repo,
    name: &str,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    who: &Person,
    message: &str,
) -> Result<(), StoreError> {
    let path = log_path(repo, name);
    let none = "0".repeat(repo.hash_kind().id_len() * 2);
    let hex = |id: Option<ObjectId>| id.map_or_else(|| none.clone(), |id| id.to_string());
    let line = format!("{} {} {}\t{}\n", hex(old), hex(new), signature(who), one_line(message, 200));
    let open = || OpenOptions::new().append(true).create(true).open(&path);
    let file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
            open()
        }
        opened => opened,
    };
    let written = file.and_then(|mut file| {
        let length = file.metadata()?.len();
        file.write_all(line.as_bytes()).inspect_err(|_| {
            let _ = file.set_len(length);
        })
    });
    written.map_err(StoreError::io("write", &path))
}

/// Syncs a ref's log and its folders, where that is wanted.
pub(super) fn sync_log(path: &Path, durability: Durability) -> Result<(), StoreError> {
    if durability == Durability::Lazy {
        return Ok(());
    }
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(StoreError::io("sync", path))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Writes a person as git does: `A U Thor <author@example.com> 1700000000 +0100`.
pub(super) fn signature(who: &Person) -> String {
    let minutes = who.time.offset_minutes;
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, minutes) = (minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60);
    let clean = |text: &str| text.replace(['<', '>', '\n', '\0'], "");
    format!("{} <{}> {} {sign}{hours:02}{minutes:02}", clean(&who.name), clean(&who.email), who.time.seconds())
}
