//! Reads objects, never larger than a limit: a small file cannot become a large allocation.

use gix::objs::Kind;
use gix::prelude::{Find, Header};

use super::Repo;
use super::ancestry::Link;
use super::error::StoreError;
use super::open::error_chain;
use crate::codec::{Manifest, Meta, decode_message};
use crate::model::{Commit, Entry, ObjectId, Person, Time};

/// The largest body that is read, in bytes; hosts refuse objects beyond 100 MB.
pub const BODY_MAX: u64 = 128 << 20;

/// The largest tree or commit that is read, in bytes; ours have a few kilobytes.
const STRUCTURE_MAX: u64 = 16 << 20;

/// How often the packs are listed anew before an object is missing. Each time, somebody else would have to have finished a
/// `git gc` between our listing and our opening of a file.
const RELISTINGS: usize = 4;

/// Where objects are found.
pub(super) trait Objects: Find + Header {}

impl<T: Find + Header> Objects for T {}

/// Says how large an object of a kind may be, or that there must be none of that kind.
type LimitOf<'a> = &'a dyn Fn(Kind) -> Result<u64, StoreError>;

impl Repo {
    /// Reads the body of an entry.
    ///
    /// # Errors
    /// When it is missing, too large, damaged, or no blob.
    pub fn read_blob(&self, id: &ObjectId) -> Result<Vec<u8>, StoreError> {
        self.read(id, Kind::Blob, BODY_MAX)
    }

    /// Reads a metadata file.
    ///
    /// # Errors
    /// As [`Repo::read_blob`], and when it is no metadata.
    pub fn read_meta(&self, entry: &Entry) -> Result<Option<Meta>, StoreError> {
        let Some(id) = &entry.meta else { return Ok(None) };
        let bytes = self.read(id, Kind::Blob, STRUCTURE_MAX)?;
        Ok(Some(Meta::decode(&bytes)?))
    }

    /// Reads the manifest of a context.
    ///
    /// # Errors
    /// As [`Repo::read_blob`]; a newer format is refused by its version.
    pub fn read_manifest(&self, id: &ObjectId) -> Result<Manifest, StoreError> {
        Ok(Manifest::decode(&self.read(id, Kind::Blob, STRUCTURE_MAX)?)?)
    }

    /// Reads a commit of a context.
    ///
    /// # Errors
    /// When it cannot be read, or git trace did not make it.
    pub fn read_commit(&self, id: &ObjectId) -> Result<Commit, StoreError> {
        self.parse_commit(id, &self.read(id, Kind::Commit, STRUCTURE_MAX)?)
    }

    /// Reads a commit from its bytes.
    ///
    /// # Errors
    /// When git trace did not make it.
    pub fn parse_commit(&self, id: &ObjectId, bytes: &[u8]) -> Result<Commit, StoreError> {
        let broken = |reason: &str| StoreError::Object { id: *id, reason: reason.to_owned() };
        let commit =
            gix::objs::CommitRef::from_bytes(bytes, self.gix_kind()).map_err(|_| broken("a malformed commit"))?;
        let (subject, body, facts) =
            decode_message(commit.message).map_err(|source| StoreError::NotAContext { id: *id, source })?;
        let person = |raw: &gix::bstr::BStr| {
            let who = gix::actor::SignatureRef::from_bytes(raw).map_err(|_| broken("a malformed author"))?;
            let time = who.time().map_err(|_| broken("a malformed time"))?;
            let offset_minutes = i16::try_from(time.offset / 60).unwrap_or(0);
            let time = Time { millis: time.seconds.saturating_mul(1000), offset_minutes };
            Ok::<_, StoreError>(Person { name: who.name.to_string(), email: who.email.to_string(), time })
        };
        Ok(Commit {
            id: *id,
            tree: from_gix(&commit.tree()),
            // As in git, history ends where a shallow clone cut it.
            parents: match self.shallow.contains(id) {
                true => Vec::new(),
                false => commit.parents().map(|parent| from_gix(&parent)).collect(),
            },
            author: person(commit.author)?,
            committer: person(commit.committer)?,
            subject,
            body,
            facts,
        })
    }

    /// Reads what a walk has to know of a commit, be it of a context or not.
    pub(super) fn read_link(&self, id: &ObjectId) -> Result<Link, StoreError> {
        let bytes = self.read(id, Kind::Commit, STRUCTURE_MAX)?;
        let broken = || StoreError::Object { id: *id, reason: "a malformed commit".to_owned() };
        let commit = gix::objs::CommitRef::from_bytes(&bytes, self.gix_kind()).map_err(|_| broken())?;
        let who = gix::actor::SignatureRef::from_bytes(commit.committer).map_err(|_| broken())?;
        let seconds = who.time().map_err(|_| broken())?.seconds;
        let parents =
            if self.shallow.contains(id) { Vec::new() } else { commit.parents().map(|id| from_gix(&id)).collect() };
        Ok(Link { parents, seconds, generation: None })
    }

    /// Reads which tree a commit has, be it of a context or not.
    pub(super) fn read_root(&self, id: &ObjectId) -> Result<ObjectId, StoreError> {
        let bytes = self.read(id, Kind::Commit, STRUCTURE_MAX)?;
        let broken = |_| StoreError::Object { id: *id, reason: "a malformed commit".to_owned() };
        let commit = gix::objs::CommitRef::from_bytes(&bytes, self.gix_kind()).map_err(broken)?;
        Ok(from_gix(&commit.tree()))
    }

    /// Reads which tree a commit has, and all words in it that somebody chose: message and headers, without ids and
    /// signatures.
    pub(super) fn read_words(&self, id: &ObjectId) -> Result<(ObjectId, Vec<u8>), StoreError> {
        let bytes = self.read(id, Kind::Commit, STRUCTURE_MAX)?;
        let broken = |_| StoreError::Object { id: *id, reason: "a malformed commit".to_owned() };
        let commit = gix::objs::CommitRef::from_bytes(&bytes, self.gix_kind()).map_err(broken)?;
        let mut words = commit.message.to_vec();
        for person in [commit.author, commit.committer] {
            words.push(b'\n');
            words.extend_from_slice(person);
        }
        for (name, value) in commit.extra_headers.iter().filter(|(name, _)| !name.starts_with(b"gpgsig")) {
            words.push(b'\n');
            words.extend_from_slice(name);
            words.push(b' ');
            words.extend_from_slice(value);
        }
        Ok((from_gix(&commit.tree()), words))
    }

    /// Reads which tree a commit has, and its message, be it of a context or not.
    pub(super) fn read_message(&self, id: &ObjectId) -> Result<(ObjectId, Vec<u8>), StoreError> {
        let bytes = self.read(id, Kind::Commit, STRUCTURE_MAX)?;
        let broken = |_| StoreError::Object { id: *id, reason: "a malformed commit".to_owned() };
        let commit = gix::objs::CommitRef::from_bytes(&bytes, self.gix_kind()).map_err(broken)?;
        Ok((from_gix(&commit.tree()), commit.message.to_vec()))
    }

    /// Reads the bytes of a tree.
    ///
    /// # Errors
    /// When it is missing, too large, damaged, or no tree.
    pub fn read_tree_bytes(&self, id: &ObjectId) -> Result<Vec<u8>, StoreError> {
        self.read(id, Kind::Tree, STRUCTURE_MAX)
    }

    /// Reads an object of any kind that is not larger than a body may be.
    pub(super) fn read_any(&self, id: &ObjectId) -> Result<(Kind, Vec<u8>), StoreError> {
        self.find(id, &|kind| if kind == Kind::Blob { Ok(BODY_MAX) } else { Ok(STRUCTURE_MAX) })
    }

    fn read(&self, id: &ObjectId, kind: Kind, limit: u64) -> Result<Vec<u8>, StoreError> {
        let limit_of = |found| match found == kind {
            true => Ok(limit),
            false => Err(StoreError::Object { id: *id, reason: format!("it is a {found}, not a {kind}") }),
        };
        self.find(id, &limit_of).map(|(_, bytes)| bytes)
    }

    /// Finds an object. `git gc`, or another git trace's housekeeping, may have moved it to a new pack and removed the old
    /// one since we listed the packs, or while we did; so what is not found is looked for in a new list.
    fn find(&self, id: &ObjectId, limit_of: LimitOf<'_>) -> Result<(Kind, Vec<u8>), StoreError> {
        if let Some((kind, bytes)) = self.loose.borrow_mut().read(&self.objects_dir, &to_gix(id)) {
            check_limit(id, kind, &bytes, limit_of)?;
            return Ok((kind, bytes));
        }
        self.look(&mut |objects| self.find_in(objects, id, limit_of))
    }

    /// Looks for an object in the list of packs, and in a new list if it is not in the first.
    pub(super) fn look<T>(&self, look: &mut dyn FnMut(&dyn Objects) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut outcome = look(&self.git.objects);
        for attempt in 0..RELISTINGS {
            let again = match &outcome {
                // What a partial clone has not is not there, most of the time.
                Err(StoreError::Missing { promisor, .. }) => promisor.is_none() || attempt == 0,
                Err(StoreError::Object { .. }) => true,
                _ => false,
            };
            if !again {
                break;
            }
            let mut relisted = self.relisted.borrow_mut();
            if attempt > 0 || relisted.is_none() {
                let options = gix::odb::store::init::Options {
                    alloc_limit_bytes: usize::try_from(BODY_MAX).ok(),
                    ..Default::default()
                };
                let opened = gix::odb::at_opts(&self.objects_dir, self.gix_kind(), None, options);
                *relisted = Some(opened.map_err(StoreError::io("list", &self.objects_dir))?);
            }
            if let Some(objects) = relisted.as_ref() {
                outcome = look(objects);
            }
        }
        outcome
    }

    fn find_in(
        &self,
        objects: &dyn Objects,
        id: &ObjectId,
        limit_of: LimitOf<'_>,
    ) -> Result<(Kind, Vec<u8>), StoreError> {
        let mut bytes = Vec::new();
        // gix refuses what the header says is larger than the limit, before it makes room for it.
        let kind = match objects.try_find(&to_gix(id), &mut bytes) {
            Ok(Some(found)) => found.kind,
            Ok(None) => return Err(self.missing(id)),
            Err(error) => {
                return Err(match objects.try_header(&to_gix(id)) {
                    Ok(Some(header)) if header.size() > BODY_MAX => {
                        StoreError::TooLarge { id: *id, size: header.size(), limit: BODY_MAX }
                    }
                    _ => unreadable(id, &error),
                });
            }
        };
        check_limit(id, kind, &bytes, limit_of)?;
        Ok((kind, bytes))
    }

    pub(super) fn missing(&self, id: &ObjectId) -> StoreError {
        StoreError::Missing { id: *id, promisor: self.promisor() }
    }

    /// Returns the remote that has promised what is missing, if this is a partial clone.
    fn promisor(&self) -> Option<String> {
        let config = self.git.config_snapshot();
        let named = config.string("extensions.partialClone").map(|name| name.to_string());
        let remotes = config.plumbing().sections_by_name("remote").into_iter().flatten();
        named.or_else(|| {
            let mut promises = remotes.filter(|remote| remote.body().value("promisor").is_some());
            promises.find_map(|remote| Some(remote.header().subsection_name()?.to_string()))
        })
    }

    pub(super) fn gix_kind(&self) -> gix::hash::Kind {
        self.git.object_hash()
    }
}

/// Refuses an object of another kind than wanted, or one that is too large for its kind.
fn check_limit(id: &ObjectId, kind: Kind, bytes: &[u8], limit_of: LimitOf<'_>) -> Result<(), StoreError> {
    let (size, limit) = (bytes.len() as u64, limit_of(kind)?);
    if size > limit { Err(StoreError::TooLarge { id: *id, size, limit }) } else { Ok(()) }
}

pub(super) fn unreadable(id: &ObjectId, error: &(dyn std::error::Error + 'static)) -> StoreError {
    StoreError::Object { id: *id, reason: error_chain(error).join(": ") }
}

pub(super) fn to_gix(id: &ObjectId) -> gix::ObjectId {
    gix::ObjectId::from_bytes_or_panic(id.as_bytes())
}

pub(super) fn from_gix(id: &gix::oid) -> ObjectId {
    ObjectId::from_bytes(id.as_bytes()).expect("both have the same two lengths")
}
