//! Trees that other programs made: their files are listed and read, never written.

use std::collections::HashSet;

use gix::objs::{Kind, TreeRefIter};

use super::object::from_gix;
use super::{ObjectKind, Repo, StoreError};
use crate::model::ObjectId;

/// Trees in trees are walked so deep.
const DEPTH: usize = 16;

/// Names a file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// Its path from the root, with `/` between its parts.
    pub path: String,
    /// The blob that holds it.
    pub blob: ObjectId,
}

/// Tags that name tags are followed so far.
const TAGS_MAX: usize = 5;

/// Says how much of a tree is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeLimits {
    /// Most files, folders and links.
    pub entries: usize,
    /// Most bytes of all files together.
    pub bytes: u64,
    /// How deep folders may be nested.
    pub depth: usize,
}

/// Says what a row of a tree names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignKind {
    /// A file.
    File {
        /// Whether it may be executed.
        executable: bool,
    },
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// Holds a row of a tree, whose name is one that a file may have on any system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignRow {
    /// The name; it need not be UTF-8.
    pub name: Vec<u8>,
    /// What it names.
    pub kind: ForeignKind,
    /// The object.
    pub id: ObjectId,
}

impl Repo {
    /// Reads the rows of a tree that anybody may have made, in their order.
    ///
    /// # Errors
    /// When it cannot be read, has a name that no file may have (`..`, `.git` and what some systems take for it), or the
    /// same name twice.
    pub fn foreign_rows(&self, tree: &ObjectId) -> Result<Vec<ForeignRow>, StoreError> {
        let bytes = self.read_tree_bytes(tree)?;
        let broken = |reason: String| StoreError::Object { id: *tree, reason };
        let mut found = Vec::new();
        for entry in TreeRefIter::from_bytes(&bytes, self.gix_kind()) {
            let entry = entry.map_err(|_| broken("a malformed tree".to_owned()))?;
            let kind = match entry.mode.kind() {
                gix::objs::tree::EntryKind::Tree => ForeignKind::Folder,
                gix::objs::tree::EntryKind::Blob => ForeignKind::File { executable: false },
                gix::objs::tree::EntryKind::BlobExecutable => ForeignKind::File { executable: true },
                gix::objs::tree::EntryKind::Link => ForeignKind::Link,
                gix::objs::tree::EntryKind::Commit => ForeignKind::Submodule,
            };
            if !is_safe_name(entry.filename, kind) {
                let name = String::from_utf8_lossy(entry.filename).escape_debug().to_string();
                return Err(broken(format!("it has a name that no file may have: '{name}'")));
            }
            found.push(ForeignRow { name: entry.filename.to_vec(), kind, id: from_gix(entry.oid) });
        }
        let mut names: HashSet<&[u8]> = HashSet::with_capacity(found.len());
        match found.iter().find(|row| !names.insert(&row.name)) {
            Some(twice) => {
                let name = String::from_utf8_lossy(&twice.name).escape_debug().to_string();
                Err(broken(format!("it has the name '{name}' twice")))
            }
            None => Ok(found),
        }
    }

    /// Reads a blob of at most `max` bytes; a larger one is not inflated.
    ///
    /// # Errors
    /// When it is missing, damaged, too large, or no blob.
    pub fn read_blob_within(&self, id: &ObjectId, max: u64) -> Result<Vec<u8>, StoreError> {
        let (kind, size) = self.header(id)?;
        match kind {
            ObjectKind::Blob if size > max => Err(StoreError::TooLarge { id: *id, size, limit: max }),
            ObjectKind::Blob => self.read_blob(id),
            _ => Err(StoreError::Object { id: *id, reason: format!("it is a {kind}, not a blob") }),
        }
    }

    /// Tells whether an object is here, without asking anybody for it.
    pub fn has_object(&self, id: &ObjectId) -> bool {
        self.header(id).is_ok()
    }

    /// Finds the commit that an object is or, if it is a tag, names; `None` where it leads to something else.
    ///
    /// # Errors
    /// When an object cannot be read.
    pub fn peel_to_commit(&self, id: &ObjectId) -> Result<Option<ObjectId>, StoreError> {
        let mut id = *id;
        for _ in 0..=TAGS_MAX {
            let (kind, bytes) = match self.header(&id)?.0 {
                ObjectKind::Commit => return Ok(Some(id)),
                ObjectKind::Tag => self.read_any(&id)?,
                _ => return Ok(None),
            };
            let broken = || StoreError::Object { id, reason: "a malformed tag".to_owned() };
            if kind != Kind::Tag {
                return Err(broken());
            }
            let tag = gix::objs::TagRef::from_bytes(&bytes, self.gix_kind()).map_err(|_| broken())?;
            id = from_gix(&tag.target());
        }
        Ok(None)
    }

    /// Returns the tree of a commit that anybody may have made.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn tree_of_commit(&self, commit: &ObjectId) -> Result<ObjectId, StoreError> {
        self.read_root(commit)
    }

    /// Tells whether a tree is here with all that is in it.
    pub fn has_whole_tree(&self, tree: &ObjectId, limits: &TreeLimits) -> bool {
        let mut open = vec![(*tree, 0)];
        let mut entries = 0;
        while let Some((tree, depth)) = open.pop() {
            let Ok(rows) = self.foreign_rows(&tree) else { return false };
            entries += rows.len();
            if entries > limits.entries || depth > limits.depth {
                return false;
            }
            for row in rows {
                match row.kind {
                    ForeignKind::Folder => open.push((row.id, depth + 1)),
                    ForeignKind::Submodule => {}
                    _ if !self.has_object(&row.id) => return false,
                    _ => {}
                }
            }
        }
        true
    }

    /// Reads all of a tree, and computes the id of each object anew.
    ///
    /// # Errors
    /// When one is missing, damaged, or not what its id says; when there is more than the limits allow.
    pub fn prove_tree(&self, tree: &ObjectId, limits: &TreeLimits) -> Result<(), StoreError> {
        let mut open = vec![(*tree, 0)];
        let mut seen = HashSet::new();
        while let Some((tree, depth)) = open.pop() {
            self.read_proven(&tree, ObjectKind::Tree)?;
            for row in self.foreign_rows(&tree)? {
                if !seen.insert(row.id) {
                    continue;
                }
                if seen.len() > limits.entries || depth > limits.depth {
                    return Err(StoreError::Object {
                        id: tree,
                        reason: "it is larger than is looked through".to_owned(),
                    });
                }
                match row.kind {
                    ForeignKind::Folder => open.push((row.id, depth + 1)),
                    ForeignKind::Submodule => {}
                    _ => drop(self.read_proven(&row.id, ObjectKind::Blob)?),
                }
            }
        }
        Ok(())
    }

    /// Computes the id that a blob with these bytes has here.
    ///
    /// # Errors
    /// When the bytes are part of a known attack on SHA-1.
    pub fn blob_id(&self, bytes: &[u8]) -> Result<ObjectId, StoreError> {
        object_id(self.gix_kind(), Kind::Blob, bytes)
    }

    /// Lists the files of the tree of the commit that a ref names, sorted by path; `None` if there is no such ref.
    ///
    /// Names that are no UTF-8, links and submodules are left out.
    ///
    /// # Errors
    /// When an object cannot be read, or there are more than `max` files.
    pub fn list_files(&self, ref_name: &str, max: usize) -> Result<Option<Vec<TreeFile>>, StoreError> {
        let Some(commit) = self.find_ref_id(ref_name)? else { return Ok(None) };
        let root = self.read_root(&commit)?;
        let mut found = Vec::new();
        let mut open = vec![(String::new(), root, 0)];
        while let Some((folder, tree, depth)) = open.pop() {
            let bytes = self.read_tree_bytes(&tree)?;
            for entry in TreeRefIter::from_bytes(&bytes, self.gix_kind()) {
                let broken = || StoreError::Object { id: tree, reason: "a malformed tree".to_owned() };
                let entry = entry.map_err(|_| broken())?;
                let Ok(name) = std::str::from_utf8(entry.filename) else { continue };
                let path = format!("{folder}{name}");
                let id = from_gix(entry.oid);
                if entry.mode.is_tree() && depth < DEPTH {
                    open.push((path + "/", id, depth + 1));
                } else if entry.mode.is_blob() {
                    found.push(TreeFile { path, blob: id });
                }
                if found.len() + open.len() > max {
                    return Err(StoreError::Object { id: commit, reason: format!("it has more than {max} files") });
                }
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Some(found))
    }
}

/// Computes the id of an object.
pub(super) fn object_id(hash: gix::hash::Kind, kind: Kind, bytes: &[u8]) -> Result<ObjectId, StoreError> {
    let id = gix::objs::compute_hash(hash, kind, bytes);
    id.map(|id| from_gix(&id))
        .map_err(|_| StoreError::Open { reason: "the content is a known SHA-1 attack".to_owned() })
}

/// Tells whether a file may be called so: neither `..`, nor `.git` or what macOS and Windows take for it.
pub(super) fn is_safe_name(name: &[u8], kind: ForeignKind) -> bool {
    use gix::validate::path::component;
    let mode = (kind == ForeignKind::Link).then_some(component::Mode::Symlink);
    // Names of devices are refused only where they are: `aux.md` is a fine name elsewhere.
    let options = component::Options { protect_windows: cfg!(windows), protect_hfs: true, protect_ntfs: true };
    !name.contains(&0) && gix::validate::path::component(name.into(), mode, options).is_ok()
}
