//! Trees that other programs made: their files are listed and read, never written.

use gix::objs::TreeRefIter;

use super::{Repo, StoreError};
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

impl Repo {
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
                let id = super::object::from_gix(entry.oid);
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
