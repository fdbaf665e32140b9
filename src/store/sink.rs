//! New objects on their way to disk: a few loose ones, or a pack.

use gix::objs::Kind;

use super::object::{from_gix, to_gix};
use super::pack::{Base, Durability, Options, PackWriter, write_small_pack};
use super::{Repo, StoreError, loose};
use crate::codec::TreeStore;
use crate::model::ObjectId;

/// Gathers the objects of a change. Nothing can be seen by others before [`Sink::flush`].
pub(super) enum Sink {
    /// Few objects, held in memory.
    Few(Vec<(ObjectId, Kind, Vec<u8>)>),
    /// Any number of objects, streamed into a pack.
    Many(Box<PackWriter>),
}

/// Says what a flush left on disk, for housekeeping.
#[derive(Debug, Default)]
pub(super) struct Flushed {
    /// Loose objects, in the order in which they were made.
    pub(super) loose: Vec<ObjectId>,
    /// The file name of a pack, without its ending.
    pub(super) pack: Option<String>,
}

impl Sink {
    pub(super) fn many(repo: &Repo) -> Self {
        Sink::Many(Box::new(PackWriter::create(&repo.objects_dir, repo.gix_kind(), Options::default())))
    }

    /// Takes an object in and returns its id; `base` is an object nearly the same.
    pub(super) fn put(
        &mut self,
        repo: &Repo,
        kind: Kind,
        bytes: &[u8],
        base: Option<(&ObjectId, &[u8])>,
    ) -> Result<ObjectId, StoreError> {
        match self {
            Sink::Few(objects) => {
                let id = gix::objs::compute_hash(repo.gix_kind(), kind, bytes);
                let id = from_gix(
                    &id.map_err(|_| StoreError::Open { reason: "the content is a known SHA-1 attack".to_owned() })?,
                );
                if !objects.iter().any(|(known, ..)| *known == id) {
                    objects.push((id, kind, bytes.to_vec()));
                }
                Ok(id)
            }
            Sink::Many(pack) => {
                let base = base.map(|(id, bytes)| Base { id: to_gix(id), bytes });
                let id = match base {
                    Some(base) => pack.write_with_base(kind, bytes, base)?,
                    None => pack.write(kind, bytes)?,
                };
                Ok(from_gix(&id))
            }
        }
    }

    /// Reads an object that was put in and is not on disk yet.
    pub(super) fn get(&mut self, id: &ObjectId) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Sink::Few(objects) => Ok(objects.iter().find(|(known, ..)| known == id).map(|(_, _, bytes)| bytes.clone())),
            Sink::Many(pack) => Ok(pack.get(&to_gix(id))?.map(|(_, bytes)| bytes)),
        }
    }

    /// Brings the objects to disk, where git sees them.
    pub(super) fn flush(self, repo: &Repo, durability: Durability) -> Result<Flushed, StoreError> {
        let finished = match self {
            Sink::Few(objects) if durability == Durability::Lazy => {
                for (id, kind, bytes) in &objects {
                    loose::write(&repo.objects_dir, &to_gix(id), *kind, bytes, durability)?;
                }
                let loose = objects.into_iter().map(|(id, ..)| id).collect();
                return Ok(Flushed { loose, pack: None });
            }
            Sink::Few(objects) => {
                let objects: Vec<(Kind, &[u8])> =
                    objects.iter().map(|(_, kind, bytes)| (*kind, bytes.as_slice())).collect();
                write_small_pack(&repo.objects_dir, repo.gix_kind(), &objects, durability)?
            }
            Sink::Many(pack) => pack.finish(durability)?,
        };
        let pack = finished.and_then(|finished| Some(finished.pack.file_stem()?.to_str()?.to_owned()));
        Ok(Flushed { loose: Vec::new(), pack })
    }
}

/// The trees of a change: new ones in the sink, old ones in the repository.
pub(super) struct Trees<'a> {
    pub(super) repo: &'a Repo,
    pub(super) sink: &'a mut Sink,
}

impl TreeStore for Trees<'_> {
    type Error = StoreError;

    fn read_tree(&mut self, id: &ObjectId) -> Result<Vec<u8>, StoreError> {
        match self.sink.get(id)? {
            Some(bytes) => Ok(bytes),
            None => self.repo.read_tree_bytes(id),
        }
    }

    fn write_tree(&mut self, bytes: &[u8], base: Option<(&ObjectId, &[u8])>) -> Result<ObjectId, StoreError> {
        self.sink.put(self.repo, Kind::Tree, bytes, base)
    }
}

/// The trees of a repository that is only read.
pub(super) struct Committed<'a>(pub(super) &'a Repo);

impl TreeStore for Committed<'_> {
    type Error = StoreError;

    fn read_tree(&mut self, id: &ObjectId) -> Result<Vec<u8>, StoreError> {
        self.0.read_tree_bytes(id)
    }

    fn write_tree(&mut self, _: &[u8], _: Option<(&ObjectId, &[u8])>) -> Result<ObjectId, StoreError> {
        Err(StoreError::Open { reason: "the context was opened for reading".to_owned() })
    }
}
