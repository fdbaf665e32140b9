//! Group commit: writers that wait leave their request in a file, and whoever has the lock carries out all of them with
//! one sync.
//!
//! A waiting process holds a kernel lock on its request, so that a dead one's is known for what it is. What is in the
//! files went through redaction before. They need no sync: who dies without an answer was told nothing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::batch::{Batch, Size};
use super::{Repo, StoreError};

/// The largest request that is carried out for somebody else, in bytes.
const REQUEST_MAX: u64 = 1 << 20;

/// Most requests that are carried out at once.
pub const REQUESTS_MAX: usize = 64;

/// Holds our own request while we wait; dropping it takes it back.
#[derive(Debug)]
pub struct Ticket {
    path: PathBuf,
    _file: File,
}

/// Holds the request of another process that waits.
#[derive(Debug)]
pub struct Pending {
    path: PathBuf,
    /// What it asks for.
    pub request: Vec<u8>,
}

impl Repo {
    /// Begins a change if nobody else is writing; `None` if somebody is.
    ///
    /// # Errors
    /// When the lock cannot be had for another reason.
    pub fn try_begin(&self, size: Size) -> Result<Option<Batch<'_>>, StoreError> {
        Ok(self.try_lock()?.map(|guard| self.batch(size, Some(guard))))
    }

    /// Leaves a request for whoever has the lock.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn enqueue(&self, request: &[u8]) -> Result<Ticket, StoreError> {
        let folder = self.queue_dir();
        fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        // Requests are carried out in the order of their names.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let name = format!("{:020}-{:08x}", now.as_nanos(), fastrand::u32(..));
        let (temporary, path) = (folder.join(format!("{name}.new")), folder.join(format!("{name}.request")));
        let written = OpenOptions::new().write(true).create_new(true).open(&temporary).and_then(|mut file| {
            file.lock()?;
            file.write_all(request)?;
            fs::rename(&temporary, &path)?;
            Ok(file)
        });
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        Ok(Ticket { _file: written.map_err(StoreError::io("write", &path))?, path })
    }

    fn queue_dir(&self) -> PathBuf {
        self.trace_dir().join("queue")
    }
}

impl Batch<'_> {
    /// Returns the requests of processes that wait, oldest first, our own excluded; those of the dead are removed.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub fn pending(&self, own: Option<&Ticket>) -> Result<Vec<Pending>, StoreError> {
        let folder = self.repo().queue_dir();
        let listing = match fs::read_dir(&folder) {
            Ok(listing) => listing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::io("read", &folder)(error)),
        };
        let mut paths: Vec<PathBuf> = listing.filter_map(|file| Some(file.ok()?.path())).collect();
        let ends = |path: &Path, ending: &str| path.extension().is_some_and(|own| own == ending);
        // An answer that nobody waits for any more.
        let orphan = |path: &&PathBuf| ends(path, "answer") && !path.with_extension("request").exists();
        paths.iter().filter(orphan).for_each(|path| drop(fs::remove_file(path)));
        paths.retain(|path| ends(path, "request"));
        paths.sort();
        let others = paths.into_iter().filter(|path| own.is_none_or(|own| own.path != *path));
        Ok(others.take(REQUESTS_MAX).filter_map(|path| read_pending(&path)).collect())
    }
}

/// Reads a request if the process that left it still waits.
fn read_pending(path: &Path) -> Option<Pending> {
    if answer_path(path).exists() {
        return None;
    }
    let mut file = File::open(path).ok()?;
    if !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        let _ = fs::remove_file(path);
        return None;
    }
    let mut request = Vec::new();
    (&mut file).take(REQUEST_MAX + 1).read_to_end(&mut request).ok()?;
    (request.len() as u64 <= REQUEST_MAX).then(|| Pending { path: path.to_owned(), request })
}

fn answer_path(request: &Path) -> PathBuf {
    request.with_extension("answer")
}

impl Ticket {
    /// Takes the request back, so that the next writer does not carry it out once more; we hold the lock.
    pub fn withdraw(&self) {
        let _ = fs::remove_file(&self.path);
    }

    /// Returns what the process that had the lock before us answered, if it carried our request out.
    pub fn answer(&self) -> Option<Vec<u8>> {
        fs::read(answer_path(&self.path)).ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(answer_path(&self.path));
    }
}

impl Pending {
    /// Tells the process that waits that its request was carried out.
    ///
    /// # Errors
    /// When it cannot be written; the process finds its commit by itself then.
    pub fn answer(self, answer: &[u8]) -> Result<(), StoreError> {
        let temporary = self.path.with_extension("new");
        let path = answer_path(&self.path);
        let written = fs::write(&temporary, answer).and_then(|()| fs::rename(&temporary, &path));
        written.map_err(StoreError::io("write", &path))
    }
}
