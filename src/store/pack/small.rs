//! A handful of objects, stored durably with as few flushes as possible.

use std::io::ErrorKind::NotFound;
use std::path::Path;

use gix::{hash, objs::Kind};

use super::{Durability, Finished, Options, PackError, PackWriter};

/// Shorter objects are stored: they fill one block of the disk either way, and setting up deflate costs more than it saves.
const STORED_BELOW: usize = 4096;

/// How often a pack is written whose temporary files somebody removes meanwhile.
const ATTEMPTS: usize = 10;

/// Writes `objects` as one pack: two files, two flushes at the same time and one of their directory.
///
/// Three loose objects need six, one after the other. Git reads every pack's index, though, and tidies up by itself from 50 packs on
/// (`gc.autoPackLimit`), so small packs have to be consolidated earlier. The pack is kept: see [`Finished::keep`].
///
/// # Errors
/// As [`PackWriter::write`] and [`PackWriter::finish`].
pub fn write_small_pack(
    objects_dir: &Path,
    hash: hash::Kind,
    objects: &[(Kind, &[u8])],
    durability: Durability,
) -> Result<Option<Finished>, PackError> {
    let options = Options { level: 1, max_delta_depth: 0, stored_below: STORED_BELOW, keep: true };
    let mut attempt = 0;
    loop {
        let mut pack = PackWriter::create(objects_dir, hash, options);
        for (kind, bytes) in objects {
            pack.write(*kind, bytes)?;
        }
        attempt += 1;
        match pack.finish(durability) {
            // A `git gc --prune=now` removes temporary files of any age.
            Err(PackError::Io { source, .. }) if source.kind() == NotFound && attempt < ATTEMPTS => {}
            finished => return finished,
        }
    }
}
