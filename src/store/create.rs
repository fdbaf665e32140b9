//! Makes a repository, for demonstrations and tests.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use super::open::error_chain;
use super::{Repo, StoreError, git};
use crate::model::HashKind;

impl Repo {
    /// Makes an empty repository with a work tree in this folder, and tells it who its user is.
    ///
    /// # Errors
    /// When the folder is not empty or cannot be written.
    pub fn create(folder: &Path, name: &str, email: &str) -> Result<(), StoreError> {
        let made = gix::init(folder).map_err(|error| StoreError::Open { reason: error_chain(&error).join(": ") })?;
        let config = made.git_dir().join("config");
        let quoted = |text: &str| text.replace(['"', '\\', '\n'], "");
        let section = format!("[user]\n\tname = \"{}\"\n\temail = \"{}\"\n", quoted(name), quoted(email));
        let written =
            OpenOptions::new().append(true).open(&config).and_then(|mut file| file.write_all(section.as_bytes()));
        written.map_err(StoreError::io("write", &config))
    }

    /// Makes an empty repository as `git init` does, with the user's own defaults: templates, ref storage, hash function.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn create_empty(folder: &Path, is_bare: bool, kind: Option<HashKind>) -> Result<(), StoreError> {
        let path = folder.to_string_lossy();
        let mut arguments = vec!["--quiet"];
        if is_bare {
            arguments.push("--bare");
        }
        match kind {
            Some(HashKind::Sha1) => arguments.push("--object-format=sha1"),
            Some(HashKind::Sha256) => arguments.push("--object-format=sha256"),
            None => {}
        }
        arguments.extend(["--", &path]);
        git::init(&arguments)
    }
}
