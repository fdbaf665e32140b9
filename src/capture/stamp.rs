//! What tells that a file is still the one that was read.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

/// Bytes at both ends of what was read that must be the same.
const HEAD: u64 = 16 * 1024;
const TAIL: u64 = 64 * 1024;

/// Describes a file as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// Its length; 0 for a folder.
    pub bytes: u64,
    /// When it was written, in nanoseconds since the epoch: text, as JSON's numbers are too small.
    pub written: String,
    /// A hash of both its ends; empty for a folder.
    pub fingerprint: String,
}

impl Stamp {
    /// Describes a file. A database's journal beside it belongs to it.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let data = fs::metadata(path)?;
        if !data.is_file() {
            return Ok(Stamp::default());
        }
        let written = |data: &fs::Metadata| {
            let since = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            since.map_or(0, |since| since.as_nanos())
        };
        let mut journal = path.as_os_str().to_owned();
        journal.push("-wal");
        let journal = fs::metadata(&journal).ok().map(|data| format!(" {} {}", data.len(), written(&data)));
        let bytes = data.len();
        Ok(Stamp {
            bytes,
            written: format!("{}{}", written(&data), journal.unwrap_or_default()),
            fingerprint: fingerprint(&mut File::open(path)?, bytes)?,
        })
    }

    /// Writes it as text; `None` for a folder.
    pub(super) fn to_text(&self) -> Option<String> {
        let is_file = !self.fingerprint.is_empty();
        is_file.then(|| format!("{} {} {}", self.bytes, self.written, self.fingerprint))
    }

    /// Tells whether a file is as it was. A folder's files may have changed without it.
    pub(super) fn is_same(&self, now: &Stamp) -> bool {
        self == now && !self.fingerprint.is_empty()
    }
}

/// Describes a file as it is now, in O(1) of its size: a record whose description is the same has nothing new. `None`
/// for a folder.
///
/// # Errors
/// When it cannot be read.
pub fn stamp(path: &Path) -> io::Result<Option<String>> {
    Ok(Stamp::of(path)?.to_text())
}

/// Returns how many bytes of a record were read, as a reader's watermark says; `None` if it says nothing of it.
pub fn bytes_read(watermark: &str) -> Option<u64> {
    /// What the watermarks of all readers have in common.
    #[derive(Deserialize)]
    struct Read {
        bytes: Option<u64>,
        stamp: Option<Stamp>,
    }
    let read: Read = serde_json::from_str(watermark).ok()?;
    read.bytes.or(read.stamp.map(|stamp| stamp.bytes))
}

/// Hashes the length and both ends of the first `bytes` bytes.
pub(super) fn fingerprint(input: &mut (impl Read + Seek), bytes: u64) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes.to_le_bytes());
    for (start, length) in [(0, HEAD.min(bytes)), (bytes.saturating_sub(TAIL), TAIL.min(bytes))] {
        input.seek(SeekFrom::Start(start))?;
        let mut part = Vec::new();
        input.by_ref().take(length).read_to_end(&mut part)?;
        hasher.update(&part);
    }
    Ok(hasher.finalize().to_hex()[..32].to_owned())
}
