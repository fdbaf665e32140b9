//! What was fetched is checked before a local branch moves: names, shapes, sizes, numbers. Hostile history is told from what
//! a context can be, in memory and time that grow with what is new, whatever it says of itself.
//!
//! Whether commits did what they say is another question: `verify` answers it.

mod context;
mod index;

use std::fmt;

use super::{OpError, Workspace};
use crate::codec::{CodecError, RowKind, strict_rows};
use crate::model::{HashKind, ObjectId};
use crate::store::{ObjectKind, Repo, StoreError};

/// Most commits that are taken in at once.
const COMMITS_MAX: usize = 1_000_000;

/// The largest commit, in bytes: a change of 100,000 entries names each of them.
const COMMIT_MAX: u64 = 16 << 20;

/// The largest tree, in bytes; ours have a few kilobytes.
const TREE_MAX: u64 = 1 << 20;

/// What may be read of trees, in bytes: this much at any rate, and this much more for each commit.
const WORK: (u64, u64) = (1 << 30, 64 << 10);

/// What a row costs beside its tree: the header of what it names is looked at.
const ROW_WORK: u64 = 256;

/// Says what is wrong with fetched history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsound {
    /// The object that breaks a rule, or is missing.
    pub object: ObjectId,
    /// Where it was found: the commit, and the path in its tree.
    pub path: Option<String>,
    /// The rule.
    pub reason: String,
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "object {}", self.object.short(12))?;
        if let Some(path) = &self.path {
            write!(f, " ({path})")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Checks all commits of contexts that `tip` reaches and `known` do not: nothing that they brought has to be trusted then
/// beyond what every reader checks. `None` if nothing is wrong.
///
/// What is new in a context is compared with its first parent, so that one new entry costs a handful of objects. That two
/// entries far apart have one id is left to `verify`.
///
/// # Errors
/// When the repository itself cannot be read.
pub fn validate(workspace: &Workspace, tip: ObjectId, known: &[ObjectId]) -> Result<Option<Unsound>, OpError> {
    validate_all(workspace, &[tip], known)
}

/// As [`validate`], for all that several tips reach, in one walk.
///
/// # Errors
/// When the repository itself cannot be read.
pub fn validate_all(workspace: &Workspace, tips: &[ObjectId], known: &[ObjectId]) -> Result<Option<Unsound>, OpError> {
    let repo = &workspace.repo;
    Fault::settle(new_commits(repo, tips, known).and_then(|commits| {
        let mut checks = context::Checks::new(repo, Work::of(repo, commits.len()));
        commits.iter().try_for_each(|commit| checks.commit(*commit))
    }))
}

/// Checks what an index of links (`refs/trace/meta/<writer>`) brought, as [`validate`] does.
///
/// # Errors
/// When the repository itself cannot be read.
pub fn validate_meta(workspace: &Workspace, tip: ObjectId, known: &[ObjectId]) -> Result<Option<Unsound>, OpError> {
    let repo = &workspace.repo;
    Fault::settle(new_commits(repo, &[tip], known).and_then(|commits| {
        let mut work = Work::of(repo, commits.len());
        commits.iter().try_for_each(|commit| index::commit(repo, &mut work, *commit))
    }))
}

/// Lists the commits that are to be checked.
fn new_commits(repo: &Repo, tips: &[ObjectId], known: &[ObjectId]) -> Result<Vec<ObjectId>, Fault> {
    let Some(first) = tips.first() else { return Ok(Vec::new()) };
    tips.iter().try_for_each(|tip| commit_header(repo, tip))?;
    // What is not here makes nothing known.
    let known: Vec<ObjectId> = known.iter().copied().filter(|id| repo.header(id).is_ok()).collect();
    let found = repo.new_commits(tips, &known, COMMITS_MAX)?;
    found.ok_or_else(|| Fault::new(*first, format!("more than {COMMITS_MAX} new commits")))
}

/// Refuses what is no commit, or is too large for one, by its header.
fn commit_header(repo: &Repo, id: &ObjectId) -> Result<(), Fault> {
    match repo.header(id)? {
        (ObjectKind::Commit, size) if size <= COMMIT_MAX => Ok(()),
        (ObjectKind::Commit, size) => Err(too_large(id, size, COMMIT_MAX)),
        (kind, _) => Err(Fault::new(*id, format!("a {kind} where a commit is expected"))),
    }
}

fn too_large(id: &ObjectId, size: u64, limit: u64) -> Fault {
    Fault::new(*id, format!("it has {size} bytes; the limit is {limit}"))
}

/// Why a check ended.
enum Fault {
    /// What was fetched is wrong.
    Unsound(Box<Unsound>),
    /// It cannot be told.
    Op(OpError),
}

impl Fault {
    fn new(object: ObjectId, reason: impl Into<String>) -> Self {
        Fault::Unsound(Box::new(Unsound { object, path: None, reason: reason.into() }))
    }

    fn codec(object: ObjectId, error: &CodecError) -> Self {
        Fault::new(object, error.to_string())
    }

    /// Says where it was found.
    fn below(mut self, place: &str) -> Self {
        if let Fault::Unsound(unsound) = &mut self {
            unsound.path = Some(match unsound.path.take() {
                Some(path) => format!("{place}/{path}"),
                None => place.to_owned(),
            });
        }
        self
    }

    fn settle(outcome: Result<(), Fault>) -> Result<Option<Unsound>, OpError> {
        match outcome {
            Ok(()) => Ok(None),
            Err(Fault::Unsound(unsound)) => Ok(Some(*unsound)),
            Err(Fault::Op(error)) => Err(error),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing { id, promisor: None } => Fault::new(id, "it is missing"),
            StoreError::Missing { id, promisor: Some(remote) } => {
                Fault::new(id, format!("it is missing here; '{remote}' has promised it"))
            }
            StoreError::Object { id, reason } => Fault::new(id, reason),
            StoreError::TooLarge { id, size, limit } => too_large(&id, size, limit),
            StoreError::NotAContext { id, source } => Fault::codec(id, &source),
            other => Fault::Op(other.into()),
        }
    }
}

/// What may still be read.
struct Work {
    left: u64,
    hash: HashKind,
}

impl Work {
    fn of(repo: &Repo, commits: usize) -> Self {
        Work { left: WORK.0 + WORK.1 * commits as u64, hash: repo.hash_kind() }
    }

    /// Reads a tree that is small enough.
    fn tree(&mut self, repo: &Repo, id: &ObjectId) -> Result<Vec<u8>, Fault> {
        match repo.header(id)? {
            (ObjectKind::Tree, size) if size <= TREE_MAX => self.take(id, size + ROW_WORK)?,
            (ObjectKind::Tree, size) => return Err(too_large(id, size, TREE_MAX)),
            (kind, _) => return Err(Fault::new(*id, format!("a {kind} where a folder is expected"))),
        }
        Ok(repo.read_tree_bytes(id)?)
    }

    /// Refuses what is no blob of at most this size. What a partial clone has left out is as good as there.
    fn blob(&mut self, repo: &Repo, id: &ObjectId, limit: u64) -> Result<bool, Fault> {
        self.take(id, ROW_WORK)?;
        match repo.header(id) {
            Ok((ObjectKind::Blob, size)) if size <= limit => Ok(true),
            Ok((ObjectKind::Blob, size)) => Err(too_large(id, size, limit)),
            Ok((kind, _)) => Err(Fault::new(*id, format!("a {kind} where a file is expected"))),
            Err(StoreError::Missing { promisor: Some(_), .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Checks a folder of a kind that this version does not know: files and folders, few and not deep.
    fn plain_tree(&mut self, repo: &Repo, id: &ObjectId, depth: u32) -> Result<(), Fault> {
        if depth == 0 {
            return Err(Fault::new(*id, "folders are nested too deep"));
        }
        let bytes = self.tree(repo, id)?;
        for row in strict_rows(&bytes, self.hash).map_err(|error| Fault::codec(*id, &error))? {
            let name = row.name.escape_ascii().to_string();
            let is_git = row.name.len() >= 4 && row.name[..4].eq_ignore_ascii_case(b".git");
            let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"._~-".contains(byte);
            if is_git || !row.name.iter().all(inner) || row.name.len() > 255 {
                return Err(Fault::new(*id, format!("no name of a context: '{name}'")));
            }
            let checked = match row.kind {
                RowKind::Blob => self.blob(repo, &row.id, crate::store::BODY_MAX).map(|_| ()),
                RowKind::Tree => self.plain_tree(repo, &row.id, depth - 1),
            };
            checked.map_err(|fault| fault.below(&name))?;
        }
        Ok(())
    }

    fn take(&mut self, id: &ObjectId, amount: u64) -> Result<(), Fault> {
        match self.left.checked_sub(amount) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Fault::new(*id, "more is new than so many commits could bring")),
        }
    }
}
