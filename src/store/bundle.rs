//! Bundles: refs and their history in one file, for where there is no network.

use std::path::Path;

use super::{Repo, StoreError, git};
use crate::model::ObjectId;

/// The first bytes of every bundle.
const SIGNATURE: &[u8] = b"# v";

impl Repo {
    /// Writes refs and all that they reach, but for what `known` reaches, to a file; it appears whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written, a ref moved meanwhile, or there is nothing to write.
    pub fn create_bundle(
        &self,
        file: &Path,
        refs: &[(String, ObjectId)],
        known: &[ObjectId],
    ) -> Result<(), StoreError> {
        let path = text_of(file)?;
        let mut revisions: String = refs.iter().map(|(name, _)| format!("{name}\n")).collect();
        known.iter().for_each(|id| revisions += &format!("^{id}\n"));
        git::run(self, "bundle", &["create", "--quiet", &path, "--stdin"], Some(revisions.as_bytes()))?;
        // Exactly what was looked at is in it.
        let written = self.bundle_heads(file)?;
        if let Some((name, _)) = refs.iter().find(|one| !written.contains(one)) {
            let _ = std::fs::remove_file(file);
            return Err(StoreError::RefMoved { name: name.clone() });
        }
        Ok(())
    }

    /// Lists the refs of a bundle, by their names in it.
    ///
    /// # Errors
    /// When it is no bundle.
    pub fn bundle_heads(&self, file: &Path) -> Result<Vec<(String, ObjectId)>, StoreError> {
        let path = text_of(file)?;
        let mut start = [0; 3];
        let read = std::fs::File::open(file).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut start));
        match read {
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                return Err(StoreError::io("read", file)(error));
            }
            Ok(()) if start == SIGNATURE => {}
            _ => return Err(StoreError::NotABundle { path: file.to_owned(), reason: "it begins as none".to_owned() }),
        }
        let answer = git::run(self, "bundle", &["list-heads", &path], None);
        let answer = answer.map_err(|error| not_a_bundle(file, error))?;
        let text = String::from_utf8_lossy(&answer);
        let row = |line: &str| {
            let (id, name) = line.split_once(' ')?;
            Some((name.to_owned(), id.parse().ok()?))
        };
        Ok(text.lines().filter_map(row).collect())
    }

    /// Checks that a bundle can be read here: that what it builds on is here.
    ///
    /// # Errors
    /// When something is missing.
    pub fn verify_bundle(&self, file: &Path) -> Result<(), StoreError> {
        let path = text_of(file)?;
        match git::run(self, "bundle", &["verify", &path], None) {
            Ok(_) => Ok(()),
            Err(StoreError::Git { reason, .. }) if reason.contains("prerequisite") => Err(StoreError::NotABundle {
                path: file.to_owned(),
                reason: "it builds on commits that are not here".to_owned(),
            }),
            Err(error) => Err(not_a_bundle(file, error)),
        }
    }
}

fn not_a_bundle(file: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Git { reason, .. } => StoreError::NotABundle { path: file.to_owned(), reason },
        error => error,
    }
}

/// Returns a path as git takes it: whole, so that it is no option, and UTF-8.
fn text_of(file: &Path) -> Result<String, StoreError> {
    let path = std::path::absolute(file).map_err(StoreError::io("find", file))?;
    let reason = || format!("'{}' is not UTF-8", file.display());
    path.to_str().map(str::to_owned).ok_or_else(|| StoreError::Git { command: "bundle".to_owned(), reason: reason() })
}
