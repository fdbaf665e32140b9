//! New objects on their way to disk: a few loose ones, or a pack.

use std::fs;
use std::path::PathBuf;

use gix::objs::Kind;

use super::lock::Guard;
use super::object::{from_gix, to_gix};
use super::pack::{Base, Durability, Finished, Options, PackWriter, write_small_pack};
use super::{Repo, StoreError, loose};
use crate::codec::TreeStore;
use crate::model::ObjectId;

/// Most objects that a change leaves loose; more of them are written faster as a pack.
const LOOSE_MAX: usize = 64;

/// Gathers the objects of a change. Nothing can be seen by others before [`Sink::flush`].
pub(super) enum Sink {
    /// Few objects, held in memory.
    Few(Vec<Object>),
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
    kept: Option<Kept>,
    /// What was written loose, as long as git could still take it for rubbish.
    unsure: Vec<Object>,
}

/// An object in memory.
type Object = (ObjectId, Kind, Vec<u8>);

impl Sink {
    pub(super) fn many(repo: &Repo) -> Self {
        let options = Options { keep: true, ..Options::default() };
        Sink::Many(Box::new(PackWriter::create(&repo.objects_dir, repo.gix_kind(), options)))
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
    ///
    /// No ref names them yet. git spares loose objects for two weeks then, but `git repack -ad` and `git gc --prune=now` drop
    /// what no ref names from packs, and the latter loose objects too: so a pack is kept until [`Flushed::release`], and
    /// beside a running `git gc` nothing is written loose.
    pub(super) fn flush(self, repo: &Repo, _guard: &Guard, durability: Durability) -> Result<Flushed, StoreError> {
        let finished = match self {
            Sink::Few(objects)
                if durability == Durability::Lazy && objects.len() <= LOOSE_MAX && !is_git_gc_running(repo) =>
            {
                let mut loose = Vec::with_capacity(objects.len());
                for (id, kind, bytes) in &objects {
                    if loose::write(&repo.objects_dir, &to_gix(id), *kind, bytes, durability)? {
                        loose.push(*id);
                    }
                }
                return Ok(Flushed { loose, unsure: objects, ..Flushed::default() });
            }
            Sink::Few(objects) => {
                let finished = pack_of(repo, &objects, durability)?;
                for (id, ..) in &objects {
                    loose::remove_empty(&repo.objects_dir, &to_gix(id));
                }
                finished
            }
            // One sync for the whole of it: a power cut may undo an import, which can be done again, but must not leave a ref
            // that names objects in an empty pack, on which nothing could be built again.
            Sink::Many(pack) => pack.finish(Durability::Durable)?,
        };
        let Some(finished) = finished else { return Ok(Flushed::default()) };
        let pack = name_of(&finished);
        Ok(Flushed { pack, kept: finished.keep.map(Kept), ..Flushed::default() })
    }
}

/// Tells whether `git gc` is at work here.
fn is_git_gc_running(repo: &Repo) -> bool {
    repo.common_dir.join("gc.pid").exists()
}

fn pack_of(repo: &Repo, objects: &[Object], durability: Durability) -> Result<Option<Finished>, StoreError> {
    let raw: Vec<(Kind, &[u8])> = objects.iter().map(|(_, kind, bytes)| (*kind, bytes.as_slice())).collect();
    Ok(write_small_pack(&repo.objects_dir, repo.gix_kind(), &raw, durability)?)
}

fn name_of(pack: &Finished) -> Option<String> {
    pack.pack.file_stem().and_then(|name| name.to_str()).map(str::to_owned)
}

impl Flushed {
    /// Leaves the objects to git: refs name them now.
    ///
    /// A `git gc` that began after they were written loose took them for rubbish: it moves those into a pack, whence a
    /// `git repack -ad` that looked at the refs before they moved drops them. So they are written once more, into a pack
    /// that is younger than any look at the refs before they moved.
    pub(super) fn release(&mut self, repo: &Repo) {
        self.kept = None;
        let unsure = std::mem::take(&mut self.unsure);
        let path = |id: &ObjectId| loose::path(&repo.objects_dir, &to_gix(id));
        if is_git_gc_running(repo) || self.loose.iter().any(|id| !path(id).exists()) {
            // The change is done: that this precaution was not possible is no error of it.
            let pack = pack_of(repo, &unsure, Durability::Lazy).ok().flatten();
            self.pack = pack.as_ref().and_then(name_of);
            drop(pack.and_then(|pack| pack.keep).map(Kept));
        }
    }
}

/// Holds git's hands off a pack until it is dropped.
#[derive(Debug)]
struct Kept(PathBuf);

impl Drop for Kept {
    fn drop(&mut self) {
        // What stays behind is removed with the next merging of packs.
        let _ = fs::remove_file(&self.0);
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
