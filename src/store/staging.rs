//! Where refs lie that came from a remote, until they were looked at: `incoming/<random>/…` below our prefix.

use std::fs;
use std::io;

use super::refs::{Backend, Expected, RefEdit};
use super::{Repo, StoreError};
use crate::model::{ObjectId, Person};

/// A folder of refs that nobody else knows; it goes when it is dropped.
pub(super) struct Staging<'r> {
    repo: &'r Repo,
    who: Person,
    folder: String,
}

impl<'r> Staging<'r> {
    /// Takes a new folder, and clears those that killed fetches left, with the locks in them. Nobody else may fetch now.
    ///
    /// A git whose git trace was killed may still be at work in its own folder: it ends with an error then, or leaves
    /// something for the next one.
    pub(super) fn new(repo: &'r Repo, who: &Person) -> Result<Self, StoreError> {
        let all = format!("{}/incoming/", repo.settings.ref_prefix);
        let staging = Staging { repo, who: who.clone(), folder: format!("{all}{:08x}/", fastrand::u32(..)) };
        staging.clear(&all)?;
        Ok(staging)
    }

    /// Returns its name, with `/` at the end.
    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    /// Deletes all refs in a folder. They are files that nobody else names, so that no lock of git's is needed, which a kill
    /// could leave behind; what `git pack-refs` has packed in the meantime is left to git.
    fn clear(&self, folder: &str) -> Result<(), StoreError> {
        if self.repo.refs == Backend::Files {
            let path = self.repo.common_dir.join(folder.trim_end_matches('/'));
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        let left = self.repo.list_refs(folder)?;
        if left.is_empty() { Ok(()) } else { self.repo.delete_refs(&left, "trace fetch", &self.who) }
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        // What stays is cleared by the next fetch.
        let _ = self.clear(&self.folder);
    }
}

impl Repo {
    /// Deletes refs that hold these objects, with their logs.
    pub(super) fn delete_refs(
        &self,
        refs: &[(String, ObjectId)],
        message: &str,
        who: &Person,
    ) -> Result<(), StoreError> {
        let edit = |(name, id): &(String, ObjectId)| RefEdit {
            name: name.clone(),
            expected: Expected::Id(*id),
            new: None,
            message: message.to_owned(),
        };
        let edits: Vec<RefEdit> = refs.iter().map(edit).collect();
        if edits.is_empty() {
            return Ok(());
        }
        let guard = self.lock()?;
        self.edit_refs(&guard, &edits, who, self.durability(true))
    }
}
