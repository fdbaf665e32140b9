//! Tombstones of branches that were forgotten, and the places to which branches are moved aside because of them.

use super::{Repo, StoreError};
use crate::codec::{CodecError, Tombstone};
use crate::model::{Branch, ObjectId};

impl Repo {
    /// Returns the ref of a tombstone.
    pub fn tombstone_ref(&self, tombstone: &Tombstone) -> String {
        format!("{}/forgotten/{}", self.settings.ref_prefix, tombstone.key())
    }

    /// Lists the refs of all tombstones.
    ///
    /// # Errors
    /// When the refs cannot be read.
    pub fn tombstone_refs(&self) -> Result<Vec<(String, ObjectId)>, StoreError> {
        self.list_refs(&format!("{}/forgotten/", self.settings.ref_prefix))
    }

    /// Reads the tombstone that a ref names. It may have come from anywhere: it is under its own name, and has no files.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn read_tombstone(&self, ref_name: &str, id: &ObjectId) -> Result<Tombstone, StoreError> {
        let (tree, message) = self.read_message(id)?;
        let tombstone = Tombstone::decode(&message)?;
        let malformed = |reason| StoreError::from(CodecError::Tombstone { reason });
        if tree != ObjectId::empty_tree(self.kind) {
            return Err(malformed("it has files"));
        }
        if self.tombstone_ref(&tombstone) != ref_name {
            return Err(malformed("it is not under its own name"));
        }
        Ok(tombstone)
    }

    /// Returns the first free ref for what is moved aside, or the one that holds this commit already.
    ///
    /// # Errors
    /// When a ref cannot be read.
    pub fn aside_ref(&self, branch: &Branch, tip: ObjectId, taken: &[String]) -> Result<(String, bool), StoreError> {
        let base = format!("{}/aside/{branch}", self.settings.ref_prefix);
        let names = std::iter::once(base.clone()).chain((1..).map(|nth: u32| format!("{base}.{nth}")));
        for name in names.filter(|name| !taken.contains(name)) {
            match self.find_ref_id(&name)? {
                Some(id) if id == tip => return Ok((name, true)),
                Some(_) => {}
                None => return Ok((name, false)),
            }
        }
        unreachable!("numbers do not end")
    }

    /// Lists the refs of what was moved aside.
    ///
    /// # Errors
    /// When the refs cannot be read.
    pub fn aside_refs(&self) -> Result<Vec<(String, ObjectId)>, StoreError> {
        self.list_refs(&format!("{}/aside/", self.settings.ref_prefix))
    }

    /// Finds the commits without a parent that a commit descends from; where a shallow clone cut history, it begins.
    ///
    /// # Errors
    /// When a commit cannot be read.
    pub fn roots(&self, tip: ObjectId) -> Result<Vec<ObjectId>, StoreError> {
        super::ancestry::Links::of(self).roots(tip)
    }
}
