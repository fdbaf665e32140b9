//! How finished files come to light: first whole, then synced, then named.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::SystemTime,
};

use gix::ObjectId;
use tempfile::NamedTempFile;

use super::PackError;

/// How much a power cut may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The files and their names have reached the disk before the call returns.
    Durable,
    /// Nothing is flushed; for what can be done again from its source.
    Lazy,
}

/// A pack that git can read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finished {
    /// The pack file.
    pub pack: PathBuf,
    /// Its index.
    pub idx: PathBuf,
    /// How many objects it holds.
    pub objects: usize,
    /// The length of the pack file in bytes, its index not counted.
    pub bytes: u64,
    /// The file that keeps `git repack` from dropping the pack, if it was asked for and was not there before.
    pub keep: Option<PathBuf>,
}

/// What a `.keep` file of ours says, so that one that a killed process left behind can be told from the user's.
pub const KEEP_NOTE: &str = "git-trace\n";

/// Creates a temporary file in `dir`, which is made if it is missing.
///
/// The file is read-only for everyone, as finished packs are; the handle can be written nevertheless.
pub(super) fn create_temporary(dir: &Path, prefix: &str) -> Result<NamedTempFile, PackError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).rand_bytes(8);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o444));
    let created = match builder.tempfile_in(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(dir).map_err(PackError::io("create", dir))?;
            // Git makes this directory with the repository, so that this is too rare to ask how durable it is to be.
            if let Some(parent) = dir.parent() {
                sync_dir(parent)?;
            }
            builder.tempfile_in(dir)
        }
        created => created,
    };
    created.map_err(PackError::io("create a temporary file in", dir))
}

/// Creates the `.keep` file of a pack, unless somebody keeps it already.
pub(super) fn create_keep(dir: &Path, trailer: &ObjectId) -> Result<Option<PathBuf>, PackError> {
    let path = dir.join(format!("pack-{trailer}.keep"));
    match File::create_new(&path) {
        Ok(mut file) => match file.write_all(KEEP_NOTE.as_bytes()) {
            Ok(()) => Ok(Some(path)),
            Err(error) => {
                let _ = fs::remove_file(&path);
                Err(PackError::io("write", &path)(error))
            }
        },
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(PackError::io("create", &path)(error)),
    }
}

/// Gives a complete pack of `bytes` bytes and its index their names; the pack first, since git looks for the index.
///
/// A pack of the same name has the same content: it is kept, its time refreshed so that `git gc` does not take its
/// unreachable objects for old ones.
pub(super) fn publish(
    pack: NamedTempFile,
    bytes: u64,
    index: &[u8],
    trailer: &ObjectId,
    objects: usize,
    durability: Durability,
) -> Result<Finished, PackError> {
    let dir = pack.path().parent().map(Path::to_owned).unwrap_or_default();
    let name = |extension: &str| dir.join(format!("pack-{trailer}.{extension}"));
    let finished = Finished { pack: name("pack"), idx: name("idx"), objects, bytes, keep: None };

    if has_length(&finished.pack, bytes) && has_length(&finished.idx, index.len() as u64) {
        keep(&finished, durability)?;
    } else {
        let mut idx = create_temporary(&dir, "tmp_idx_")?;
        idx.write_all(index).map_err(PackError::io("write", idx.path()))?;
        if durability == Durability::Durable {
            sync_both(&pack, &idx)?;
        }
        persist(pack, &finished.pack)?;
        persist(idx, &finished.idx)?;
    }
    if durability == Durability::Durable {
        sync_dir(&dir)?;
    }
    Ok(finished)
}

/// Whether a file is there in full: one cut short by an earlier power cut is to be replaced.
fn has_length(path: &Path, len: u64) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() == len)
}

fn keep(finished: &Finished, durability: Durability) -> Result<(), PackError> {
    for path in [&finished.pack, &finished.idx] {
        let file = File::open(path).map_err(PackError::io("open", path))?;
        file.set_modified(SystemTime::now()).map_err(PackError::io("refresh", path))?;
        if durability == Durability::Durable {
            file.sync_all().map_err(PackError::io("sync", path))?;
        }
    }
    Ok(())
}

/// Syncs both files at the same time, which lets the file system write its journal once for the two.
fn sync_both(pack: &NamedTempFile, idx: &NamedTempFile) -> Result<(), PackError> {
    let sync = |file: &NamedTempFile| file.as_file().sync_all().map_err(PackError::io("sync", file.path()));
    thread::scope(|scope| {
        let other = thread::Builder::new().spawn_scoped(scope, || sync(idx));
        sync(pack)?;
        match other.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(synced)) => synced,
            // No thread to be had, or it died: then one after the other.
            _ => sync(idx),
        }
    })
}

fn persist(file: NamedTempFile, path: &Path) -> Result<(), PackError> {
    file.persist(path).map(drop).map_err(|error| PackError::io("rename", path)(error.error))
}

/// Makes names in a directory durable; only Unix has a call for it.
fn sync_dir(dir: &Path) -> Result<(), PackError> {
    #[cfg(unix)]
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(PackError::io("sync", dir))?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}
