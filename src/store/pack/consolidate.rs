//! Packs objects that come with the id of their predecessor, not with its bytes.

use std::{collections::VecDeque, path::Path};

use gix::{ObjectId, hash, objs::Kind};

use super::{Base, Durability, Finished, Options, PackError, PackWriter};

/// A base is nearly always one of the last few objects, so that they are kept at hand.
const RECENT: usize = 8;
/// Longer objects are read back instead, so that the memory stays bounded.
const RECENT_LEN: usize = 256 * 1024;

/// One object to be packed.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its kind.
    pub kind: Kind,
    /// Its content.
    pub bytes: Vec<u8>,
    /// An object that comes before it and is much like it: a tree's predecessor. Ignored if it is not in the pack.
    pub base: Option<ObjectId>,
}

/// Packs everything that `sources` yields, in that order, and returns nothing if that is nothing.
///
/// The caller walks: commits newest last, each with its trees and blobs, and the predecessor of each tree as its base.
///
/// # Errors
/// The first error of `sources`, or as [`PackWriter::write`] and [`PackWriter::finish`]; then nothing is visible.
pub fn pack_objects<E: From<PackError>>(
    objects_dir: &Path,
    hash: hash::Kind,
    options: Options,
    durability: Durability,
    sources: impl IntoIterator<Item = Result<Source, E>>,
) -> Result<Option<Finished>, E> {
    let mut pack = PackWriter::create(objects_dir, hash, options);
    let mut recent: VecDeque<(ObjectId, Vec<u8>)> = VecDeque::with_capacity(RECENT);
    for source in sources {
        let Source { kind, bytes, base } = source?;
        let id = match base.filter(|base| pack.contains(base)) {
            None => pack.write(kind, &bytes)?,
            Some(id) => match recent.iter().find(|(recent, _)| *recent == id) {
                Some((_, base)) => pack.write_with_base(kind, &bytes, Base { id, bytes: base })?,
                None => {
                    let (_, base) = pack.get(&id)?.ok_or(PackError::ReadBack { id })?;
                    pack.write_with_base(kind, &bytes, Base { id, bytes: &base })?
                }
            },
        };
        if kind != Kind::Blob && bytes.len() <= RECENT_LEN {
            recent.truncate(RECENT - 1);
            recent.push_front((id, bytes));
        }
    }
    Ok(pack.finish(durability)?)
}
