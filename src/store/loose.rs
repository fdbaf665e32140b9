//! Writes loose objects, as git does but never losing one.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gix::objs::Kind;
use gix::zlib::{Compression, stream::deflate};

use super::StoreError;
use super::pack::Durability;

/// Up to this size deflate saves no disk block, so that bytes are stored as they are: that is 0.1 ms faster.
const STORED_MAX: usize = 3500;

/// Writes an object under its id unless it is there; then its time is refreshed, so that no `git gc` takes it away
/// from under the commit that is about to name it. An empty file, which a power cut may have left, is written anew.
///
/// In the durable mode the bytes are on disk before the name is, and the name when this returns. Returns whether the
/// object was written: one that was there may be the user's.
pub(super) fn write(
    objects_dir: &Path,
    id: &gix::oid,
    kind: Kind,
    bytes: &[u8],
    durability: Durability,
) -> Result<bool, StoreError> {
    let path = path(objects_dir, id);
    let folder = path.parent().expect("it is in a folder").to_owned();
    if freshen(&path, durability)? {
        return Ok(false);
    }
    let raw = encode(kind, bytes);
    let mut attempt = 0;
    loop {
        attempt += 1;
        let temporary = write_temporary(&folder, &raw, durability)?;
        match fs::rename(&temporary, &path) {
            Ok(()) => break,
            // A `git prune --expire=now` removes temporary files of any age.
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < 10 => {}
            Err(error) => {
                let _ = fs::remove_file(&temporary);
                return Err(StoreError::io("write", &path)(error));
            }
        }
    }
    if durability == Durability::Durable {
        sync_dir(&folder)?;
    }
    Ok(true)
}

/// Returns the file in which a loose object is.
pub(super) fn path(objects_dir: &Path, id: &gix::oid) -> PathBuf {
    let hex = id.to_hex().to_string();
    objects_dir.join(&hex[..2]).join(&hex[2..])
}

/// Removes an empty file, which a power cut may have left where an object should be. To be called when the object is in a
/// pack: git takes it from there, but `git fsck` complains about the file.
pub(super) fn remove_empty(objects_dir: &Path, id: &gix::oid) {
    let path = path(objects_dir, id);
    if fs::metadata(&path).is_ok_and(|data| data.is_file() && data.len() == 0) {
        let _ = fs::remove_file(&path);
    }
}

/// Makes what happened to the names in a folder survive a power cut.
pub(super) fn sync_dir(folder: &Path) -> Result<(), StoreError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(StoreError::io("sync", folder))
}

/// Refreshes the time of an object that exists; `false` if it does not, or is empty.
fn freshen(path: &Path, durability: Durability) -> Result<bool, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(StoreError::io("read", path)(error)),
    };
    if file.metadata().map_err(StoreError::io("read", path))?.len() == 0 {
        return Ok(false);
    }
    let refreshed = file.set_times(FileTimes::new().set_modified(SystemTime::now()));
    // Not our file, in a shared repository: writing it again gives it a new time.
    if refreshed.is_err() {
        return Ok(false);
    }
    if durability == Durability::Durable {
        file.sync_all().map_err(StoreError::io("sync", path))?;
        path.parent().map_or(Ok(()), sync_dir)?;
    }
    Ok(true)
}

/// Writes a file under one of git's own temporary names, which `git gc` removes if we die.
fn write_temporary(folder: &Path, raw: &[u8], durability: Durability) -> Result<PathBuf, StoreError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let path = folder.join(format!("tmp_obj_{:06x}", fastrand::u32(..1 << 24)));
        match OpenOptions::new().write(true).create_new(true).mode(0o444).open(&path) {
            Ok(mut file) => {
                let written = file.write_all(raw).and_then(|()| match durability {
                    Durability::Durable => file.sync_all(),
                    Durability::Lazy => Ok(()),
                });
                if written.is_err() {
                    let _ = fs::remove_file(&path);
                }
                return written.map(|()| path.clone()).map_err(StoreError::io("write", &path));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => {}
            // The folder is not there yet, or a `git gc` has just removed it because it was empty.
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < 10 => match fs::create_dir(folder) {
                Ok(()) if durability == Durability::Durable => folder.parent().map_or(Ok(()), sync_dir)?,
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::io("create", folder)(error)),
            },
            Err(error) => return Err(StoreError::io("create", &path)(error)),
        }
    }
}

/// Returns the bytes of the file: header and body as a zlib stream.
fn encode(kind: Kind, bytes: &[u8]) -> Vec<u8> {
    let header = gix::objs::encode::loose_header(kind, bytes.len() as u64);
    if header.len() + bytes.len() > STORED_MAX {
        let mut out = deflate::Write::new(Vec::with_capacity(bytes.len() / 2), Compression::BEST_SPEED);
        let written = out.write_all(&header).and_then(|()| out.write_all(bytes)).and_then(|()| out.flush());
        written.expect("a vector takes every write");
        return out.into_inner();
    }
    let content = [header.as_slice(), bytes].concat();
    // RFC 1950 and 1951: a zlib header, one final stored block, the checksum.
    let length = u16::try_from(content.len()).expect("shorter than one block");
    let mut out = Vec::with_capacity(content.len() + 11);
    out.extend_from_slice(&[0x78, 0x01, 0x01]);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&(!length).to_le_bytes());
    out.extend_from_slice(&content);
    out.extend_from_slice(&adler2::adler32_slice(&content).to_be_bytes());
    out
}
