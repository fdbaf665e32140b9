//! A tree of a repository, seen as the room of workflows sees files.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::model::ObjectId;
use crate::store::{ForeignKind, ForeignRow, Repo, StoreError};
use crate::workflow::{Files, FilesError, Node};

/// Most folders whose rows are remembered.
const REMEMBERED_MAX: usize = 20_000;
/// How deep folders are looked into.
const DEPTH_MAX: usize = 64;

/// Holds the rows of a folder, by name.
type Rows = HashMap<String, (ForeignKind, ObjectId)>;

/// Reads the files of a tree: nothing is checked out, and no link followed.
pub(in crate::ops) struct TreeFiles<R> {
    /// What holds the repository.
    held: R,
    root: ObjectId,
    /// Rows of folders that were looked into, by name.
    known: RefCell<HashMap<ObjectId, Rc<Rows>>>,
}

impl<R: Borrow<Repo>> TreeFiles<R> {
    /// Looks at a tree; a missing one is told when it is looked into.
    pub(in crate::ops) fn new(held: R, root: ObjectId) -> Self {
        TreeFiles { held, root, known: RefCell::default() }
    }

    /// Lists all blobs below a folder, each once; none where there is no such folder. After `max` rows it ends.
    pub(in crate::ops) fn blobs_below(&self, folder: &str, max: usize) -> Result<Vec<ObjectId>, StoreError> {
        let mut found = Vec::new();
        self.new_blobs_below(folder, max, &mut HashSet::new(), &mut found)?;
        Ok(found)
    }

    /// Lists the blobs below a folder that were not seen before; a folder that was is not looked into again, wherever it
    /// lies: a few trees can name each other so that they stand for more files than anybody can count. Returns how many
    /// rows were read.
    pub(super) fn new_blobs_below(
        &self,
        folder: &str,
        max: usize,
        seen: &mut HashSet<ObjectId>,
        found: &mut Vec<ObjectId>,
    ) -> Result<usize, StoreError> {
        let Ok(Some(Node::Folder { id })) = self.look(folder) else { return Ok(0) };
        let (mut read, mut open) = (0, Vec::new());
        if seen.insert(id) {
            open.push((id, 0));
        }
        while let Some((tree, depth)) = open.pop() {
            for ForeignRow { kind, id, .. } in self.held.borrow().foreign_rows(&tree)? {
                read += 1;
                match kind {
                    ForeignKind::Folder if depth < DEPTH_MAX && seen.insert(id) => open.push((id, depth + 1)),
                    ForeignKind::File { .. } | ForeignKind::Link if seen.insert(id) => found.push(id),
                    _ => {}
                }
            }
            if read > max {
                break;
            }
        }
        Ok(read)
    }

    fn rows(&self, tree: &ObjectId, path: &str) -> Result<Rc<Rows>, FilesError> {
        if let Some(rows) = self.known.borrow().get(tree) {
            return Ok(Rc::clone(rows));
        }
        let rows = self.held.borrow().foreign_rows(tree).map_err(|error| unreadable(path, &error))?;
        // What has no name in JSON is asked for by nobody.
        let named = rows.into_iter().filter_map(|row| Some((String::from_utf8(row.name).ok()?, (row.kind, row.id))));
        let rows = Rc::new(named.collect::<Rows>());
        let mut known = self.known.borrow_mut();
        if known.len() < REMEMBERED_MAX {
            known.insert(*tree, Rc::clone(&rows));
        }
        Ok(rows)
    }
}

impl<R: Borrow<Repo>> Files for TreeFiles<R> {
    fn look(&self, path: &str) -> Result<Option<Node>, FilesError> {
        let mut node = Node::Folder { id: self.root };
        let mut at = 0;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let Node::Folder { id } = node else { return Ok(None) };
            let Some(&(kind, id)) = self.rows(&id, path)?.get(part) else { return Ok(None) };
            at += part.len() + usize::from(at > 0);
            node = node_of(kind, id, &path[..at]);
            if matches!(node, Node::Link { .. } | Node::Submodule { .. }) {
                return Ok(Some(node));
            }
        }
        Ok(Some(node))
    }

    fn read(&self, path: &str, max: u64) -> Result<Vec<u8>, FilesError> {
        let no_file = || FilesError::Unreadable { path: path.to_owned(), reason: "it is no file".to_owned() };
        let Some(Node::File { id, .. }) = self.look(path)? else { return Err(no_file()) };
        self.held.borrow().read_blob_within(&id, max).map_err(|error| match error {
            StoreError::TooLarge { size, .. } => FilesError::TooLarge { path: path.to_owned(), size, max },
            error => unreadable(path, &error),
        })
    }

    fn list(&self, folder: &str) -> Result<Vec<(String, Node)>, FilesError> {
        let no_folder = || FilesError::Unreadable { path: folder.to_owned(), reason: "it is no folder".to_owned() };
        let Some(Node::Folder { id }) = self.look(folder)? else { return Err(no_folder()) };
        let rows = self.rows(&id, folder)?;
        let below = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let node =
            |(name, &(kind, id)): (&String, &(ForeignKind, ObjectId))| (name.clone(), node_of(kind, id, &below(name)));
        let mut found: Vec<(String, Node)> = rows.iter().map(node).collect();
        found.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(found)
    }
}

fn node_of(kind: ForeignKind, id: ObjectId, at: &str) -> Node {
    match kind {
        ForeignKind::File { executable } => Node::File { id, executable },
        ForeignKind::Folder => Node::Folder { id },
        ForeignKind::Link => Node::Link { at: at.to_owned() },
        ForeignKind::Submodule => Node::Submodule { at: at.to_owned() },
    }
}

fn unreadable(path: &str, error: &StoreError) -> FilesError {
    FilesError::Unreadable { path: path.to_owned(), reason: error.to_string() }
}
