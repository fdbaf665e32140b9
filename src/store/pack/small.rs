//! A handful of objects, stored durably with as few flushes as possible.

use std::path::Path;

use gix::{hash, objs::Kind};

use super::{Durability, Finished, Options, PackError, PackWriter};

/// Shorter objects are stored: they fill one block of the disk either way, and setting up deflate costs more than it saves.
const STORED_BELOW: usize = 4096;

/// Writes `objects` as one pack: two files, two flushes at the same time and one of their directory.
///
/// Three loose objects need six, one after the other. Git reads every pack's index, though, and tidies up by itself from 50 packs on
/// (`gc.autoPackLimit`), so small packs have to be consolidated earlier.
///
/// # Errors
/// As [`PackWriter::write`] and [`PackWriter::finish`].
pub fn write_small_pack(
    objects_dir: &Path,
    hash: hash::Kind,
    objects: &[(Kind, &[u8])],
    durability: Durability,
) -> Result<Option<Finished>, PackError> {
    let options = Options { level: 1, max_delta_depth: 0, stored_below: STORED_BELOW };
    let mut pack = PackWriter::create(objects_dir, hash, options);
    for (kind, bytes) in objects {
        pack.write(*kind, bytes)?;
    }
    pack.finish(durability)
}
