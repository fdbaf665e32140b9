//! What can go wrong between us and the repository.

use std::io;
use std::path::{Path, PathBuf};

use crate::codec::CodecError;
use crate::model::ObjectId;

/// Says why the store could not do what was asked; nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no repository here.
    #[error("not a git repository (or any of the parent directories): '{}'", path.display())]
    NoRepository {
        /// Where the search began.
        path: PathBuf,
    },
    /// The repository cannot be opened.
    #[error("cannot open repository: {reason}")]
    Open {
        /// What is wrong with it.
        reason: String,
    },
    /// The repository belongs to somebody else, and `safe.directory` does not name it.
    #[error("detected dubious ownership in repository at '{}'", path.display())]
    Untrusted {
        /// The repository.
        path: PathBuf,
    },
    /// The repository uses something that this program does not know, so that writing could damage it.
    #[error("unknown repository {what}: '{value}'")]
    Unsupported {
        /// Which setting.
        what: &'static str,
        /// Its value.
        value: String,
    },
    /// A push is being received: objects written now would be lost, or kept against a refusal.
    #[error("cannot write in a receive quarantine (GIT_QUARANTINE_PATH is set)")]
    Quarantine,
    /// An object is not there.
    #[error("object {id} is missing{}", if promisor.is_some() { " here; its remote has promised it" } else { "" })]
    Missing {
        /// The object.
        id: ObjectId,
        /// The remote that has it, if this is a partial clone.
        promisor: Option<String>,
    },
    /// An object cannot be read, or is of another kind.
    #[error("cannot read object {id}: {reason}")]
    Object {
        /// The object.
        id: ObjectId,
        /// What is wrong.
        reason: String,
    },
    /// An object is larger than the limit for its kind.
    #[error("object {id} has {size} bytes; the limit is {limit}")]
    TooLarge {
        /// The object.
        id: ObjectId,
        /// Its size in bytes, as its header says.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The bytes of an object are not what a context has.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// An object holds what no context has.
    #[error("{id} is not a context: {source}")]
    NotAContext {
        /// The commit or tree.
        id: ObjectId,
        /// What is wrong with it.
        source: CodecError,
    },
    /// A ref cannot be read.
    #[error("cannot read ref '{name}': {reason}")]
    Ref {
        /// The ref.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A ref of that name cannot be, because of another one.
    #[error("cannot create ref '{name}': '{other}' exists")]
    RefConflict {
        /// The wanted ref.
        name: String,
        /// The ref in its way.
        other: String,
    },
    /// Somebody else moved the ref in the meantime.
    #[error("ref '{name}' moved in the meantime")]
    RefMoved {
        /// The ref.
        name: String,
    },
    /// Another process has the lock.
    #[error("another process holds the lock '{}'", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The revision names nothing.
    #[error("unknown revision '{revision}'")]
    UnknownRevision {
        /// The revision as given.
        revision: String,
        /// Names that are close to it.
        near: Vec<String>,
    },
    /// More than one commit has an id that begins so.
    #[error("revision '{revision}' is ambiguous")]
    AmbiguousRevision {
        /// The revision as given.
        revision: String,
        /// The ids of the commits, at most five.
        candidates: Vec<String>,
    },
    /// A worktree is on the branch that was to go or to move.
    #[error("branch '{branch}' is used by the worktree at '{}'", path.display())]
    BranchInUse {
        /// The branch.
        branch: String,
        /// The worktree, or its git directory if it has no work tree.
        path: PathBuf,
    },
    /// No remote has that name.
    #[error("remote '{name}' not found")]
    NoRemote {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// An address could start a program, or be taken for an option.
    #[error("refused address '{url}': {reason}")]
    BadUrl {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What is pushed to a remote would go to several places.
    #[error("remote '{remote}' is pushed to several addresses")]
    ManyPlaces {
        /// The remote.
        remote: String,
    },
    /// A remote has no branch of that name.
    #[error("remote '{remote}' has no branch '{branch}'")]
    NotOnRemote {
        /// The branch.
        branch: String,
        /// The remote.
        remote: String,
    },
    /// A remote could not be reached, or refused to talk.
    #[error("cannot reach remote '{remote}': {reason}")]
    Unreachable {
        /// The remote.
        remote: String,
        /// What git said.
        reason: String,
    },
    /// A remote took too long.
    #[error("git {command}: no end after {seconds} s")]
    Slow {
        /// The subcommand.
        command: String,
        /// How long it was given.
        seconds: u64,
    },
    /// The branch is not there.
    #[error("branch '{branch}' not found")]
    NoBranch {
        /// The branch.
        branch: String,
    },
    /// The repository is bare, or its work tree is elsewhere.
    #[error("no work tree: the repository is bare")]
    NoWorkTree,
    /// A file that no snapshot has stands where one is to be put back.
    #[error("'{path}' is in the way, and nothing has a copy of it")]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// git knows no name or address for the user.
    #[error("no identity: git does not know who you are")]
    NoIdentity,
    /// A configuration value cannot be used.
    #[error("bad config value '{value}' for '{key}'")]
    Config {
        /// The variable.
        key: String,
        /// Its value.
        value: String,
    },
    /// `git` cannot be run, or said no.
    #[error("git {command}: {reason}")]
    Git {
        /// The subcommand.
        command: String,
        /// What it said.
        reason: String,
    },
    /// A file is no bundle, or cannot be read here.
    #[error("cannot read bundle '{}': {reason}", path.display())]
    NotABundle {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A commit cannot be signed.
    #[error("cannot sign the commit: {program}: {reason}")]
    Sign {
        /// The program that signs.
        program: String,
        /// What it said.
        reason: String,
    },
    /// The operating system said no.
    #[error("cannot {action} '{}': {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The pack writer failed.
    #[error(transparent)]
    Pack(#[from] super::pack::PackError),
}

impl StoreError {
    /// Makes a closure that says which action on which file the system refused.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.to_owned();
        move |source| StoreError::Io { action, path, source }
    }

    /// Tells what the user can do about it, as commands where there are any.
    pub fn hint(&self) -> Option<String> {
        match self {
            StoreError::NoRepository { .. } => Some("make one with 'git init'".to_owned()),
            StoreError::Untrusted { path } => {
                Some(format!("to trust it: git config --global --add safe.directory '{}'", path.display()))
            }
            StoreError::Missing { id, promisor: Some(remote) } => Some(format!(
                "to get it: git fetch {remote} {id}; all of them: git fetch --refetch --no-filter {remote} \
                 'refs/trace/heads/*:refs/trace/remotes/{remote}/*'"
            )),
            StoreError::Missing { promisor: None, .. } => Some("look at the damage with 'git fsck'".to_owned()),
            StoreError::UnknownRevision { near, .. } if !near.is_empty() => Some(format!(
                "did you mean {}?",
                near.iter().map(|one| format!("'{one}'")).collect::<Vec<_>>().join(" or ")
            )),
            StoreError::AmbiguousRevision { candidates, .. } => {
                Some(format!("it could be {}", candidates.join(" or ")))
            }
            StoreError::BranchInUse { .. } => {
                Some("move that worktree first: git trace switch <another branch>; see git trace branch".to_owned())
            }
            StoreError::NoRemote { known, .. } if known.is_empty() => {
                Some("make one: git trace remote add <name> <address>".to_owned())
            }
            StoreError::NoRemote { known, .. } => Some(format!("there are {}", known.join(", "))),
            StoreError::ManyPlaces { .. } => {
                Some("make one for contexts alone: git trace remote add <name> <address>".to_owned())
            }
            StoreError::Unreachable { remote, reason } if reason.contains("gave no reason") => Some(format!(
                "to see what the two told each other: GIT_TRACE_PACKET=/tmp/packets git trace fetch {remote}"
            )),
            StoreError::NotOnRemote { remote, .. } => Some(format!("see what it has: git trace ls-remote {remote}")),
            StoreError::Slow { .. } => Some(
                "the same command finishes the work; to wait longer: git config trace.timeout <seconds>".to_owned(),
            ),
            StoreError::Sign { .. } => {
                // `trace.sign=always` goes before `commit.gpgSign`.
                Some("to do it without a signature: git -c trace.sign=never trace <command>".to_owned())
            }
            StoreError::NoBranch { .. } => Some("see which there are: git trace branch -a".to_owned()),
            StoreError::NoIdentity => {
                Some("tell it: git config user.name '<name>' && git config user.email '<address>'".to_owned())
            }
            StoreError::RefConflict { name, other } if name != other => {
                Some("to keep contexts elsewhere: git config trace.refPrefix refs/<other name>".to_owned())
            }
            StoreError::InTheWay { path } => Some(format!("move it away first: mv '{0}' '{0}.kept'", path.display())),
            StoreError::RefMoved { .. } => Some("run the same command again".to_owned()),
            StoreError::Codec(CodecError::NewerFormat { .. })
            | StoreError::NotAContext { source: CodecError::NewerFormat { .. }, .. } => {
                Some("install a newer git-trace: cargo install git-trace".to_owned())
            }
            _ => None,
        }
    }
}
