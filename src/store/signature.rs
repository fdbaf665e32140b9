//! What git thinks of the signatures of commits.

use std::collections::HashMap;

use super::{Repo, StoreError, git};
use crate::model::{HashKind, ObjectId};

/// Says what became of checking a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureState {
    /// It fits the commit, and the key is one that the user knows.
    Good,
    /// It does not fit the commit.
    Bad,
    /// The key was revoked.
    Revoked,
    /// It cannot be told, or the key is nobody's that the user knows.
    Unknown(String),
}

/// Counts the signatures in a commit's headers that are made for this kind of repository.
pub fn signature_headers(commit: &[u8], kind: HashKind) -> usize {
    let wanted: &[u8] = match kind {
        HashKind::Sha1 => b"gpgsig ",
        HashKind::Sha256 => b"gpgsig-sha256 ",
    };
    let headers = commit.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    headers.filter(|line| line.starts_with(wanted)).count()
}

impl Repo {
    /// Asks git about the signatures of these commits, with the keys and programs that the user configured.
    ///
    /// # Errors
    /// When git cannot be asked.
    pub fn signatures(&self, commits: &[ObjectId]) -> Result<Vec<(ObjectId, SignatureState)>, StoreError> {
        if commits.is_empty() {
            return Ok(Vec::new());
        }
        let ids: String = commits.iter().map(|id| format!("{id}\n")).collect();
        let arguments = ["--no-walk=unsorted", "--stdin", "--no-show-signature", "--format=%H %G? %GK"];
        let printed = git::run_with_keys(self, "log", &arguments, Some(ids.as_bytes()))?;
        let printed = String::from_utf8_lossy(&printed);
        let mut answers: HashMap<ObjectId, SignatureState> = HashMap::new();
        for line in printed.lines() {
            let mut words = line.split(' ');
            let Some(id) = words.next().and_then(|id| id.parse().ok()) else { continue };
            let state = match (words.next(), words.next().filter(|key| !key.is_empty())) {
                (Some("G"), _) => SignatureState::Good,
                (Some("B"), _) => SignatureState::Bad,
                (Some("R"), _) => SignatureState::Revoked,
                (Some("U"), Some(key)) => SignatureState::Unknown(format!("nobody that is known has the key {key}")),
                (Some("X"), _) => SignatureState::Unknown("it has expired".to_owned()),
                (Some("Y"), _) => SignatureState::Unknown("its key has expired".to_owned()),
                (Some("E"), Some(key)) => SignatureState::Unknown(format!("the key {key} is not here")),
                _ => SignatureState::Unknown("git cannot check it here".to_owned()),
            };
            answers.insert(id, state);
        }
        let silent = || SignatureState::Unknown("git says nothing of it".to_owned());
        Ok(commits.iter().map(|id| (*id, answers.remove(id).unwrap_or_else(silent))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_headers_are_signatures() {
        let signed = b"tree x\ngpgsig -----BEGIN\n more\n -----END\n\ngpgsig no header\n";
        assert_eq!(signature_headers(signed, HashKind::Sha1), 1);
        assert_eq!(signature_headers(signed, HashKind::Sha256), 0);
        assert_eq!(signature_headers(b"tree x\ngpgsig a\ngpgsig b\ngpgsig-sha256 c\n\nx", HashKind::Sha1), 2);
        assert_eq!(signature_headers(b"", HashKind::Sha1), 0);
    }
}
