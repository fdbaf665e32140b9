//! Tombstones of branches that were forgotten, and the places to which branches are moved aside because of them.

use super::remote::FORGOTTEN;
use super::{Repo, StoreError};
use crate::codec::{CodecError, Tombstone};
use crate::model::{Branch, ObjectId};

impl Repo {
    /// Returns the ref of a tombstone.
    pub fn tombstone_ref(&self, tombstone: &Tombstone) -> String {
        format!("{}/forgotten/{}", self.settings.ref_prefix, tombstone.key())
    }

    /// Lists the refs of what was forgotten here.
    ///
    /// # Errors
    /// When the refs cannot be read.
    pub fn tombstone_refs(&self) -> Result<Vec<(String, ObjectId)>, StoreError> {
        self.list_refs(&format!("{}/forgotten/", self.settings.ref_prefix))
    }

    /// Lists what remotes, and bundles, were seen to have forgotten: their names, the refs, and what they name.
    ///
    /// # Errors
    /// When the refs cannot be read.
    pub fn remote_tombstone_refs(&self) -> Result<Vec<(String, String, ObjectId)>, StoreError> {
        let folder = format!("{}/{}/", self.settings.ref_prefix, FORGOTTEN.remote_folder);
        let found = self.list_refs(&folder)?.into_iter().filter_map(|(name, id)| {
            let remote = name.strip_prefix(&folder)?.split_once('/')?.0.to_owned();
            Some((remote, name, id))
        });
        Ok(found.collect())
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
        if ref_name.rsplit('/').next() != Some(tombstone.key().as_str()) {
            return Err(malformed("it is not under its own name"));
        }
        Ok(tombstone)
    }

    /// Returns the first free ref for what is moved aside, or the one that holds this commit already. The number of a
    /// further copy is behind a `+`, which no branch has in its name.
    ///
    /// # Errors
    /// When a ref cannot be read.
    pub fn aside_ref(&self, branch: &Branch, tip: ObjectId, taken: &[String]) -> Result<(String, bool), StoreError> {
        let base = format!("{}/aside/{branch}", self.settings.ref_prefix);
        let names = std::iter::once(base.clone()).chain((1..).map(|nth: u32| format!("{base}+{nth}")));
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

    /// Lists the copies of a branch that were moved aside.
    ///
    /// # Errors
    /// When the refs cannot be read.
    pub fn asides_of(&self, branch: &Branch) -> Result<Vec<(String, ObjectId)>, StoreError> {
        let base = format!("{}/aside/{branch}", self.settings.ref_prefix);
        let is_of = |name: &str| name.strip_prefix(&base).is_some_and(|rest| rest.is_empty() || rest.starts_with('+'));
        Ok(self.aside_refs()?.into_iter().filter(|(name, _)| is_of(name)).collect())
    }

    /// Finds the commits without a parent that a commit descends from; where a shallow clone cut history, it begins.
    ///
    /// # Errors
    /// When a commit cannot be read.
    pub fn roots(&self, tip: ObjectId) -> Result<Vec<ObjectId>, StoreError> {
        super::ancestry::Links::of(self).roots(tip)
    }
}
