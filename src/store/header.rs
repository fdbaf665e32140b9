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
