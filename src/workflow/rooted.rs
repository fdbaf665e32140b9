//! A folder of a tree, as if it were all there is.

use super::{Files, FilesError, Node};

/// Shows the files of one folder; nothing outside of it can be named.
pub struct Rooted<'a> {
    files: &'a dyn Files,
    folder: String,
}

impl<'a> Rooted<'a> {
    /// Takes a folder, a path as [`Files`] has them; `""` is the whole.
    pub fn new(files: &'a dyn Files, folder: impl Into<String>) -> Self {
        Rooted { files, folder: folder.into() }
    }

    fn outer(&self, path: &str) -> String {
        match (self.folder.as_str(), path) {
            ("", path) => path.to_owned(),
            (folder, "") => folder.to_owned(),
            (folder, path) => format!("{folder}/{path}"),
        }
    }
}

impl Files for Rooted<'_> {
    fn look(&self, path: &str) -> Result<Option<Node>, FilesError> {
        self.files.look(&self.outer(path))
    }

    fn read(&self, path: &str, max: u64) -> Result<Vec<u8>, FilesError> {
        self.files.read(&self.outer(path), max)
    }

    fn list(&self, folder: &str) -> Result<Vec<(String, Node)>, FilesError> {
        self.files.list(&self.outer(folder))
    }
}

/// Returns the nearest folder, from `folder` upwards, in which there is a manifest of a marketplace.
///
/// # Errors
/// When the files cannot be read.
pub fn marketplace_root(files: &dyn Files, folder: &str) -> Result<Option<String>, FilesError> {
    let mut folder = folder;
    loop {
        let rooted = Rooted::new(files, folder);
        for manifest in super::WORKFLOW_MANIFESTS.iter().chain(&super::PLUGIN_MANIFESTS) {
            if rooted.look(manifest)?.is_some() {
                return Ok(Some(folder.to_owned()));
            }
        }
        match folder.rsplit_once('/') {
            Some((outer, _)) => folder = outer,
            None if folder.is_empty() => return Ok(None),
            None => folder = "",
        }
    }
}
