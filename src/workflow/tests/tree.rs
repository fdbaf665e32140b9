//! Files in memory.

use std::collections::BTreeMap;

use super::{Files, FilesError, Node, ObjectId};

/// Holds files, links and submodules by their paths.
#[derive(Debug, Clone, Default)]
pub struct Tree(BTreeMap<String, Thing>);

#[derive(Debug, Clone)]
enum Thing {
    File(Vec<u8>),
    Link,
    Submodule,
}

impl Tree {
    /// Adds a file.
    pub fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.to_owned(), Thing::File(content.into()));
        self
    }

    /// Adds a symbolic link.
    pub fn with_link(mut self, path: &str) -> Self {
        self.0.insert(path.to_owned(), Thing::Link);
        self
    }

    /// Adds a submodule.
    pub fn with_submodule(mut self, path: &str) -> Self {
        self.0.insert(path.to_owned(), Thing::Submodule);
        self
    }

    fn in_folder<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a Thing)> {
        let from = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let range = self.0.range(from.clone()..);
        range.map_while(move |(path, thing)| Some((path.strip_prefix(&from)?, thing)))
    }

    fn folder_id(&self, folder: &str) -> Option<ObjectId> {
        let mut hash = blake3::Hasher::new();
        let mut any = folder.is_empty();
        for (path, thing) in self.in_folder(folder) {
            any = true;
            hash.update(path.as_bytes()).update(&[0]);
            match thing {
                Thing::File(content) => hash.update(blake3::hash(content).as_bytes()),
                Thing::Link => hash.update(b"link"),
                Thing::Submodule => hash.update(b"submodule"),
            };
        }
        let id = hash.finalize();
        any.then(|| ObjectId::from_bytes(&id.as_bytes()[..20]).expect("20 bytes"))
    }
}

impl Files for Tree {
    fn look(&self, path: &str) -> Result<Option<Node>, FilesError> {
        let outer = path.match_indices('/').map(|(at, _)| &path[..at]).chain([path]);
        for part in outer {
            match self.0.get(part) {
                Some(Thing::Link) => return Ok(Some(Node::Link { at: part.to_owned() })),
                Some(Thing::Submodule) => return Ok(Some(Node::Submodule { at: part.to_owned() })),
                Some(Thing::File(content)) if part == path => {
                    let id = ObjectId::from_bytes(&blake3::hash(content).as_bytes()[..20]).expect("20 bytes");
                    return Ok(Some(Node::File { id, executable: false }));
                }
                Some(Thing::File(_)) => return Ok(None),
                None => {}
            }
        }
        Ok(self.folder_id(path).map(|id| Node::Folder { id }))
    }

    fn read(&self, path: &str, max: u64) -> Result<Vec<u8>, FilesError> {
        match self.0.get(path) {
            Some(Thing::File(content)) if content.len() as u64 > max => {
                Err(FilesError::TooLarge { path: path.to_owned(), size: content.len() as u64, max })
            }
            Some(Thing::File(content)) => Ok(content.clone()),
            _ => Err(FilesError::Unreadable { path: path.to_owned(), reason: "it is no file".to_owned() }),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<(String, Node)>, FilesError> {
        let mut names: Vec<&str> = self.in_folder(folder).filter_map(|(path, _)| path.split('/').next()).collect();
        names.dedup();
        let outer = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let node = |name: &str| Ok((name.to_owned(), self.look(&format!("{outer}{name}"))?.expect("it is there")));
        names.into_iter().map(node).collect()
    }
}
