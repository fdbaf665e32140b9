//! Refs: read, listed, and moved by compare-and-swap, on both of git's ref storages.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::lock::Guard;
use super::object::from_gix;
use super::pack::Durability;
use super::{Repo, StoreError, ref_file, reftable};
use crate::model::{ObjectId, Person};

/// Says how the repository stores its refs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backend {
    /// A file each, and `packed-refs`.
    Files,
    /// Tables, which gix cannot read: git itself is asked.
    Reftable,
}

/// Holds what a ref says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefValue {
    /// It names an object.
    Id(ObjectId),
    /// It names another ref.
    Symbolic(String),
}

/// Says what a ref has to hold for a change to go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// The ref must not exist.
    Absent,
    /// The ref must hold this object.
    Id(ObjectId),
    /// Whatever it holds.
    Any,
}

/// Describes one ref that is to change.
#[derive(Debug, Clone)]
pub(super) struct RefEdit {
    pub(super) name: String,
    pub(super) expected: Expected,
    /// `None` deletes the ref.
    pub(super) new: Option<RefValue>,
    /// Line for the reflog.
    pub(super) message: String,
}

impl Repo {
    /// Reads a ref without following it.
    ///
    /// # Errors
    /// When it exists but cannot be read.
    pub fn find_ref(&self, name: &str) -> Result<Option<RefValue>, StoreError> {
        if self.refs == Backend::Reftable {
            return reftable::find(self, name);
        }
        // A ref may be packed, and its file removed, between the two looks: hence a third one.
        if let Some(found) = self.read_loose_ref(name)? {
            return Ok(Some(found));
        }
        if let Some(id) = self.read_packed_ref(name)? {
            return Ok(Some(RefValue::Id(id)));
        }
        self.read_loose_ref(name)
    }

    /// Reads the object that a ref names, following symbolic refs.
    ///
    /// # Errors
    /// When a ref on the way cannot be read, or they lead in a circle.
    pub fn find_ref_id(&self, name: &str) -> Result<Option<ObjectId>, StoreError> {
        let mut name = name.to_owned();
        for _ in 0..5 {
            match self.find_ref(&name)? {
                None => return Ok(None),
                Some(RefValue::Id(id)) => return Ok(Some(id)),
                Some(RefValue::Symbolic(target)) => name = target,
            }
        }
        Err(StoreError::Ref { name, reason: "too many symbolic refs".to_owned() })
    }

    /// Lists the refs below a prefix that ends in `/`, by name, with the objects that they name.
    ///
    /// # Errors
    /// When the refs cannot be read.
    pub fn list_refs(&self, prefix: &str) -> Result<Vec<(String, ObjectId)>, StoreError> {
        if self.refs == Backend::Reftable {
            return reftable::list(self, prefix);
        }
        let mut found = BTreeMap::new();
        let root = self.common_dir.join(prefix.trim_end_matches('/'));
        for file in walkdir::WalkDir::new(&root).into_iter().filter_map(Result::ok) {
            let Ok(below) = file.path().strip_prefix(&self.common_dir) else { continue };
            let Some(name) = below.to_str().filter(|name| !name.ends_with(".lock")) else { continue };
            if file.file_type().is_file()
                && let Some(id) = self.find_ref_id(name)?
            {
                found.insert(name.to_owned(), id);
            }
        }
        // After the files: `git pack-refs` packs a ref before it removes its file.
        let packed = self.git.refs.cached_packed_buffer().map_err(|error| ref_error(prefix, &error))?;
        if let Some(packed) = packed {
            let rows = packed.iter_prefixed(prefix.into()).map_err(|error| ref_error(prefix, &error))?;
            for row in rows.filter_map(Result::ok) {
                found.entry(row.name.as_bstr().to_string()).or_insert_with(|| from_gix(&row.target()));
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Changes refs, all or none, if each holds what is expected; each change has its line in the reflog.
    ///
    /// The guard makes sure that no other git trace is at it; git itself is kept out by its own `.lock` files.
    pub(super) fn edit_refs(
        &self,
        _guard: &Guard,
        edits: &[RefEdit],
        who: &Person,
        durability: Durability,
    ) -> Result<(), StoreError> {
        if self.refs == Backend::Reftable || edits.iter().any(|edit| edit.new.is_none()) {
            return reftable::edit(self, edits, who);
        }
        let mut locked = Vec::with_capacity(edits.len());
        for edit in edits {
            let lock = ref_file::lock(self, &edit.name)?;
            let now = self.find_ref(&edit.name)?;
            let holds = match (edit.expected, &now) {
                (Expected::Any, _) | (Expected::Absent, None) => true,
                (Expected::Id(id), Some(RefValue::Id(found))) => id == *found,
                _ => false,
            };
            if !holds {
                return Err(StoreError::RefMoved { name: edit.name.clone() });
            }
            if now.is_none() {
                self.check_conflicts(&edit.name)?;
            }
            locked.push((lock, now));
        }
        // All that a full disk can hinder comes before the first ref moves.
        for (edit, (lock, now)) in edits.iter().zip(&locked) {
            let Some(new) = &edit.new else { continue };
            lock.write(new, durability)?;
            let old = match now {
                Some(RefValue::Id(id)) => Some(*id),
                Some(RefValue::Symbolic(target)) => self.find_ref_id(target)?,
                None => None,
            };
            let new = match new {
                RefValue::Id(id) => Some(*id),
                RefValue::Symbolic(target) => match edits.iter().find(|edit| edit.name == *target) {
                    Some(RefEdit { new: Some(RefValue::Id(id)), .. }) => Some(*id),
                    _ => self.find_ref_id(target)?,
                },
            };
            ref_file::append_reflog(self, &edit.name, old, new, who, &edit.message)?;
        }
        locked.into_iter().try_for_each(|(lock, _)| lock.commit(durability))
    }

    /// Returns the file that a loose ref has.
    pub(super) fn ref_path(&self, name: &str) -> PathBuf {
        let (base, name) = self.ref_place(name);
        base.join(name)
    }

    /// Returns the folder that a ref, and its log, belong to, and its name there: the worktree's own folder or the shared
    /// one, or another worktree's for git's `worktrees/<id>/<ref>` and `main-worktree/<ref>`.
    pub(super) fn ref_place<'n>(&self, name: &'n str) -> (PathBuf, &'n str) {
        if let Some(name) = name.strip_prefix("main-worktree/") {
            return (self.common_dir.clone(), name);
        }
        if let Some((id, name)) = name.strip_prefix("worktrees/").and_then(|rest| rest.split_once('/')) {
            return (self.common_dir.join("worktrees").join(id), name);
        }
        let private = name.starts_with("refs/worktree/") || !name.starts_with("refs/");
        (if private { self.private_dir.clone() } else { self.common_dir.clone() }, name)
    }

    fn read_loose_ref(&self, name: &str) -> Result<Option<RefValue>, StoreError> {
        let path = self.ref_path(name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(StoreError::io("read", &path)(error)),
        };
        let broken = |reason: &str| StoreError::Ref { name: name.to_owned(), reason: reason.to_owned() };
        let text = std::str::from_utf8(&bytes).map_err(|_| broken("it is not text"))?.trim_end();
        match text.strip_prefix("ref: ") {
            Some(target) if gix::validate::reference::name(target.trim().into()).is_ok() => {
                Ok(Some(RefValue::Symbolic(target.trim().to_owned())))
            }
            Some(_) => Err(broken("it names a malformed ref")),
            None => text.parse().map(|id| Some(RefValue::Id(id))).map_err(|_| broken("it holds no object id")),
        }
    }

    fn read_packed_ref(&self, name: &str) -> Result<Option<ObjectId>, StoreError> {
        let packed = self.git.refs.cached_packed_buffer().map_err(|error| ref_error(name, &error))?;
        let Some(packed) = packed else { return Ok(None) };
        let full: &gix::refs::FullNameRef = name
            .try_into()
            .map_err(|_| StoreError::Ref { name: name.to_owned(), reason: "a malformed name".to_owned() })?;
        let row = packed.try_find(full).map_err(|error| ref_error(name, &error))?;
        Ok(row.map(|row| from_gix(&row.target())))
    }

    /// Refuses a new ref that would need a folder where another ref is, or the reverse: gix would create both.
    pub(super) fn check_conflicts(&self, name: &str) -> Result<(), StoreError> {
        let conflict = |other: &str| StoreError::RefConflict { name: name.to_owned(), other: other.to_owned() };
        for (end, _) in name.match_indices('/') {
            let above = &name[..end];
            if above.matches('/').count() >= 1 && self.find_ref(above)?.is_some() {
                return Err(conflict(above));
            }
        }
        match self.list_refs(&format!("{name}/"))?.first() {
            Some((below, _)) => Err(conflict(below)),
            None => Ok(()),
        }
    }
}

fn ref_error(name: &str, error: &(dyn std::error::Error + 'static)) -> StoreError {
    StoreError::Ref { name: name.to_owned(), reason: super::open::error_chain(error).join(": ") }
}
