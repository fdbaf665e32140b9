//! What kind an object is and how large, without its content.

use gix::objs::Kind;

use super::object::{Objects, to_gix, unreadable};
use super::{Repo, StoreError};
use crate::model::ObjectId;

/// Names the kinds of git's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A commit.
    Commit,
    /// A folder.
    Tree,
    /// The bytes of a file.
    Blob,
    /// An annotated tag.
    Tag,
}

impl ObjectKind {
    /// Returns git's own word for it.
    pub const fn name(self) -> &'static str {
        match self {
            ObjectKind::Commit => "commit",
            ObjectKind::Tree => "tree",
            ObjectKind::Blob => "blob",
            ObjectKind::Tag => "tag",
        }
    }
}

impl std::fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl From<Kind> for ObjectKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Commit => ObjectKind::Commit,
            Kind::Tree => ObjectKind::Tree,
            Kind::Blob => ObjectKind::Blob,
            Kind::Tag => ObjectKind::Tag,
        }
    }
}

impl Repo {
    /// Reads an object of this kind and computes its id anew, so that no bit of it can be another one.
    ///
    /// # Errors
    /// When it is missing, damaged, too large, of another kind, or has another id than its bytes.
    pub fn read_proven(&self, id: &ObjectId, kind: ObjectKind) -> Result<Vec<u8>, StoreError> {
        let (found, bytes) = self.read_any(id)?;
        let broken = |reason: String| Err(StoreError::Object { id: *id, reason });
        if ObjectKind::from(found) != kind {
            return broken(format!("it is a {found}, not a {kind}"));
        }
        match gix::objs::compute_hash(self.gix_kind(), found, &bytes) {
            Ok(computed) if computed == to_gix(id) => Ok(bytes),
            Ok(computed) => broken(format!("its bytes have the id {computed}")),
            Err(error) => broken(error.to_string()),
        }
    }

    /// Tells whether a shallow clone left the parents of a commit out.
    pub fn is_cut(&self, id: &ObjectId) -> bool {
        self.shallow.contains(id)
    }

    /// Reads the kind of an object, and its size in bytes, from its header: nothing of it is inflated beyond that.
    ///
    /// # Errors
    /// When it is missing, or its header cannot be read.
    pub fn header(&self, id: &ObjectId) -> Result<(ObjectKind, u64), StoreError> {
        self.look(&mut |objects: &dyn Objects| match objects.try_header(&to_gix(id)) {
            Ok(Some(header)) => Ok((header.kind().into(), header.size())),
            Ok(None) => Err(self.missing(id)),
            Err(error) => Err(unreadable(id, &error)),
        })
    }
}
