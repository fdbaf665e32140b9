//! Why contexts were not sent, or not fetched.

use std::path::PathBuf;

use crate::model::ObjectId;
use crate::ops::Leak;

/// Most leaks that are listed.
const LEAKS_SHOWN: usize = 20;

/// Says why contexts were not sent, or not fetched.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// Several remotes are there, and none is meant more than another.
    #[error("which remote? there are {}", names.join(", "))]
    WhichRemote {
        /// Their names.
        names: Vec<String>,
    },
    /// HEAD is on no branch, and none was named.
    #[error("HEAD is on no branch, and none was named")]
    NoBranch,
    /// A remote cannot be called so.
    #[error("not a remote's name: '{name}'")]
    RemoteName {
        /// The name as given.
        name: String,
    },
    /// A remote of that name is there.
    #[error("remote '{name}' already exists")]
    RemoteExists {
        /// Its name.
        name: String,
    },
    /// The remote is one of the user's code.
    #[error("remote '{name}' is one that git fetches code from")]
    RemoteOfGit {
        /// Its name.
        name: String,
    },
    /// The folder for a new repository is taken.
    #[error("'{}' already exists and is not an empty folder", folder.display())]
    FolderTaken {
        /// The folder.
        folder: PathBuf,
    },
    /// A fetch brought a part; it is kept.
    #[error("a part of remote '{remote}' could not be fetched: {reason}")]
    PartlyFetched {
        /// The remote.
        remote: String,
        /// What git said.
        reason: String,
    },
    /// Somebody has forgotten the branch.
    #[error("branch '{branch}' was forgotten, and is not sent again")]
    Forgotten {
        /// The branch.
        branch: String,
        /// The ref that keeps it here.
        aside: String,
    },
    /// Secrets are in what was about to leave the machine.
    #[error("{} in what would be sent", secrets(leaks))]
    Leaks {
        /// Where.
        leaks: Vec<Leak>,
    },
    /// An object is larger than hosts take.
    #[error("'{path}' of commit {} has {bytes} bytes, and hosts refuse more than {limit}", commit.short(12))]
    TooLarge {
        /// The first commit that has it.
        commit: ObjectId,
        /// Its path in that commit's tree.
        path: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
}

impl ShareError {
    /// Tells what the user can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            ShareError::WhichRemote { names } => {
                let first = names.first().map(String::as_str).unwrap_or("<name>");
                vec![format!("name it, or choose one for good: git trace remote default {first}")]
            }
            ShareError::NoBranch => vec![
                "name one: git trace push <remote> <branch>".to_owned(),
                "or go to one: git trace switch <branch>".to_owned(),
            ],
            ShareError::RemoteName { .. } => vec!["letters, digits and '.', '_', '-' make a name".to_owned()],
            ShareError::RemoteExists { name } => {
                vec![format!("to see it: git trace remote; to forget it: git trace remote remove {name}")]
            }
            ShareError::RemoteOfGit { name } => vec![format!("to forget it as a whole: git remote remove {name}")],
            ShareError::FolderTaken { .. } => {
                vec!["name another folder: git trace clone <address> <folder>".to_owned()]
            }
            ShareError::PartlyFetched { .. } => vec!["what came is kept; the same command goes on".to_owned()],
            ShareError::Forgotten { branch, aside } => vec![
                format!("your copy is kept: git trace log {aside}"),
                format!("to let it come back, for everybody: git trace forget --lift {branch} --remote"),
            ],
            ShareError::Leaks { leaks } => leak_hints(leaks),
            ShareError::TooLarge { .. } => {
                vec!["to leave it out: git trace redact <entry>, or git trace rebase -i".to_owned()]
            }
        }
    }
}

fn secrets(leaks: &[Leak]) -> String {
    if leaks.len() == 1 { "a secret".to_owned() } else { format!("{} secrets", leaks.len()) }
}

fn leak_hints(leaks: &[Leak]) -> Vec<String> {
    let tell = |leak: &Leak| {
        let place = leak.entry.map_or_else(|| leak.path.clone(), |entry| format!("entry {entry}"));
        let place = if place.is_empty() { "its message or its author".to_owned() } else { place };
        if leak.commit.as_bytes().iter().all(|byte| *byte == 0) {
            return format!("{} in {place}: {}", leak.rule, leak.preview);
        }
        format!("{} in {place} of commit {}: {}", leak.rule, leak.commit.short(12), leak.preview)
    };
    let mut hints: Vec<String> = leaks.iter().take(LEAKS_SHOWN).map(tell).collect();
    if leaks.len() > LEAKS_SHOWN {
        hints.push(format!("and {} more", leaks.len() - LEAKS_SHOWN));
    }
    hints.push("to take them out of history: git trace redact --scan".to_owned());
    hints.push("if they are none: put an allow list into .gitleaks.toml".to_owned());
    hints
}
