//! Reads objects, never larger than a limit: a small file cannot become a large allocation.

use gix::objs::Kind;
use gix::prelude::{Find, HeaderExt};

use super::Repo;
use super::error::StoreError;
use super::open::error_chain;
use crate::codec::{Manifest, Meta, decode_message};
use crate::model::{Commit, Entry, ObjectId, Person, Time};

/// The largest body that is read, in bytes; hosts refuse objects beyond 100 MB.
pub const BODY_MAX: u64 = 128 << 20;

/// The largest tree or commit that is read, in bytes; ours have a few kilobytes.
const STRUCTURE_MAX: u64 = 16 << 20;

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
    pub(super) fn parse_commit(&self, id: &ObjectId, bytes: &[u8]) -> Result<Commit, StoreError> {
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
            parents: commit.parents().map(|parent| from_gix(&parent)).collect(),
            author: person(commit.author)?,
            committer: person(commit.committer)?,
            subject,
            body,
            facts,
        })
    }

    pub(super) fn read_tree_bytes(&self, id: &ObjectId) -> Result<Vec<u8>, StoreError> {
        self.read(id, Kind::Tree, STRUCTURE_MAX)
    }

    /// Reads an object of any kind that is not larger than a body may be.
    pub(super) fn read_any(&self, id: &ObjectId) -> Result<(Kind, Vec<u8>), StoreError> {
        let (kind, bytes) = self.find(id)?;
        let (size, limit) = (bytes.len() as u64, if kind == Kind::Blob { BODY_MAX } else { STRUCTURE_MAX });
        if size > limit {
            return Err(StoreError::TooLarge { id: *id, size, limit });
        }
        Ok((kind, bytes))
    }

    fn read(&self, id: &ObjectId, kind: Kind, limit: u64) -> Result<Vec<u8>, StoreError> {
        let (found, bytes) = self.find(id)?;
        let size = bytes.len() as u64;
        if found != kind {
            return Err(StoreError::Object { id: *id, reason: format!("it is a {found}, not a {kind}") });
        }
        if size > limit {
            return Err(StoreError::TooLarge { id: *id, size, limit });
        }
        Ok(bytes)
    }

    /// Reads an object with one look-up: gix refuses what its header says is larger than [`BODY_MAX`] before it makes
    /// room for it, since the repository was opened with that limit.
    fn find(&self, id: &ObjectId) -> Result<(Kind, Vec<u8>), StoreError> {
        if let Some(found) = self.loose.borrow_mut().read(&self.objects_dir, &to_gix(id)) {
            return Ok(found);
        }
        if let Ok(Some(found)) = find_in(&self.git, id) {
            return Ok(found);
        }
        // gix loses sight of packs once many have come and gone while it was open.
        if let Some(fresh) = self.fresh.borrow().as_ref()
            && let Ok(Some(found)) = find_in(fresh, id)
        {
            return Ok(found);
        }
        let Some(fresh) = self.reopen() else {
            return Err(StoreError::Missing { id: *id, promised: self.is_partial_clone() });
        };
        let found = find_in(&fresh, id).map_err(|error| match fresh.objects.header(to_gix(id)) {
            Ok(header) if header.size() > BODY_MAX => {
                StoreError::TooLarge { id: *id, size: header.size(), limit: BODY_MAX }
            }
            _ => self.unreadable(id, &error),
        })?;
        self.fresh.replace(Some(fresh));
        found.ok_or_else(|| StoreError::Missing { id: *id, promised: self.is_partial_clone() })
    }

    /// Opens the repository once more, with the same options.
    pub(super) fn reopen(&self) -> Option<gix::Repository> {
        let mut git = gix::open_opts(self.git.git_dir(), self.git.open_options().clone()).ok()?;
        git.objects.ignore_replacements = true;
        Some(git)
    }

    fn unreadable(&self, id: &ObjectId, error: &(dyn std::error::Error + 'static)) -> StoreError {
        StoreError::Object { id: *id, reason: error_chain(error).join(": ") }
    }

    fn is_partial_clone(&self) -> bool {
        let config = self.git.config_snapshot();
        config.string("extensions.partialClone").is_some()
            || config
                .plumbing()
                .sections_by_name("remote")
                .into_iter()
                .flatten()
                .any(|remote| remote.body().value("promisor").is_some())
    }

    pub(super) fn gix_kind(&self) -> gix::hash::Kind {
        self.git.object_hash()
    }
}

fn find_in(git: &gix::Repository, id: &ObjectId) -> gix::Result<Option<(Kind, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let kind = git.objects.try_find(&to_gix(id), &mut bytes)?.map(|found| found.kind);
    Ok(kind.map(|kind| (kind, bytes)))
}

pub(super) fn to_gix(id: &ObjectId) -> gix::ObjectId {
    gix::ObjectId::from_bytes_or_panic(id.as_bytes())
}

pub(super) fn from_gix(id: &gix::oid) -> ObjectId {
    ObjectId::from_bytes(id.as_bytes()).expect("both have the same two lengths")
}
