//! Why an operation was not carried out.

use crate::codec::CodecError;
use crate::drivers::DriverError;
use crate::model::{BranchError, PositionError};
use crate::redact::ConfigError;
use crate::store::StoreError;

/// Says why an operation was refused; the repository is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpError {
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name cannot be a branch's or a tag's.
    #[error(transparent)]
    Branch(#[from] BranchError),
    /// All positions are used up.
    #[error(transparent)]
    Position(#[from] PositionError),
    /// The repository's own redaction rules cannot be used.
    #[error("cannot use '.gitleaks.toml': {0}")]
    RedactionRules(#[from] ConfigError),
    /// There is nothing to store.
    #[error("the message is empty")]
    EmptyMessage,
    /// The messages are not of a form that we know.
    #[error("malformed message{}: {reason}", at.map(|at| format!(" {at}")).unwrap_or_default())]
    Message {
        /// Which one of the list, from 1.
        at: Option<usize>,
        /// What is wrong with it.
        reason: String,
    },
    /// A branch has no commit yet.
    #[error("branch '{branch}' has no commits yet")]
    NoCommits {
        /// The branch.
        branch: String,
    },
    /// No entry of the context has that name.
    #[error("unknown entry '{name}'")]
    UnknownEntry {
        /// The name as given.
        name: String,
        /// Entries that come close, with the beginning of what they say.
        near: Vec<String>,
    },
    /// More than one entry has an id that begins so.
    #[error("entry '{name}' is ambiguous")]
    AmbiguousEntry {
        /// The name as given.
        name: String,
        /// The ids that begin so.
        candidates: Vec<String>,
    },
    /// The entry is pinned, so that its words stay.
    #[error("entry '{id}' is pinned")]
    Pinned {
        /// The entry.
        id: String,
    },
    /// The operation would change nothing.
    #[error("nothing to do: {reason}")]
    Nothing {
        /// Why.
        reason: String,
    },
    /// A ref of that name exists.
    #[error("{what} '{name}' already exists")]
    Exists {
        /// `branch` or `tag`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// No tag has that name.
    #[error("tag '{name}' not found")]
    NoTag {
        /// The name.
        name: String,
    },
    /// The operation would separate a tool call from its result.
    #[error("'{id}' holds a tool call or result whose other half would stay: '{other}'")]
    ToolPair {
        /// The entry that was to change.
        id: String,
        /// The entry with the other half.
        other: String,
    },
    /// A tool call would stand without its result, or the reverse.
    #[error("'{id}' would hold a tool {half} without its other half")]
    HalfPair {
        /// The entry.
        id: String,
        /// Which half is there: `call` or `result`.
        half: &'static str,
    },
    /// A plan cannot be carried out.
    #[error("line {line} of the plan: {reason}")]
    Plan {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A plan leaves out commits, and `rebase.missingCommitsCheck` forbids that.
    #[error("the plan has no line for {}", commits.join(", "))]
    MissingCommits {
        /// The commits.
        commits: Vec<String>,
    },
    /// A branch follows no other one.
    #[error("branch '{branch}' has no upstream")]
    NoUpstream {
        /// The branch.
        branch: String,
    },
    /// A command wants a branch where something else is named.
    #[error("'{name}' is not a branch")]
    NotABranch {
        /// The name as given.
        name: String,
    },
    /// A branch cannot be put on top of itself and be deleted.
    #[error("'{branch}' cannot be dropped into itself")]
    SameBranch {
        /// The branch.
        branch: String,
    },
    /// A plan pauses, and this worktree's HEAD is not where it could.
    #[error("a plan with 'edit' works on HEAD's own branch only")]
    PauseElsewhere,
    /// HEAD is not where a rebase paused.
    #[error("HEAD is on '{head}', not where the rebase paused")]
    HeadElsewhere {
        /// Where it is.
        head: String,
        /// Where it was.
        paused: String,
    },
    /// A driver gave no answer.
    #[error(transparent)]
    Driver(#[from] DriverError),
    /// A driver answered with nothing.
    #[error("the driver '{driver}' answered with nothing")]
    EmptyAnswer {
        /// The driver.
        driver: String,
    },
    /// Two sides disagree, and somebody has to say what is right.
    #[error("{verb}: {count} conflicts")]
    Conflicts {
        /// The command that stopped.
        verb: &'static str,
        /// How many there are.
        count: usize,
    },
    /// The two sides do not disagree about an entry.
    #[error("entry '{name}' is not in conflict")]
    NotInConflict {
        /// The name as given.
        name: String,
    },
    /// A command stopped earlier and waits.
    #[error("a {verb} is not finished")]
    Ongoing {
        /// The command that waits.
        verb: &'static str,
    },
    /// No command waits to be continued.
    #[error("no {verb} is waiting")]
    NothingStopped {
        /// The command that was to go on.
        verb: &'static str,
    },
    /// The file that remembers a stopped command cannot be used.
    #[error("cannot read '{file}': {reason}")]
    BrokenState {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A branch got other commits while it was worked on.
    #[error("branch '{branch}' has moved")]
    BranchMoved {
        /// The branch.
        branch: String,
    },
    /// A branch cannot be moved forward only.
    #[error("cannot fast-forward '{branch}' to '{revision}'")]
    NotForward {
        /// The branch.
        branch: String,
        /// Where it was to go.
        revision: String,
    },
    /// Two contexts began apart.
    #[error("the two contexts have no common beginning")]
    Unrelated,
    /// A history has more common ancestors than can be.
    #[error("the histories have too many common ancestors")]
    TooManyAncestors,
    /// A merge commit did something different for each of its parents.
    #[error("commit {commit} is a merge")]
    IsMerge {
        /// The commit.
        commit: String,
    },
    /// A commit has no such parent.
    #[error("commit {commit} has no parent {number}")]
    NoParent {
        /// The commit.
        commit: String,
        /// The parent that was asked for, from 1.
        number: usize,
    },
    /// A file could not be read.
    #[error("cannot read '{path}': {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl OpError {
    /// Tells whether it is about the repository as a whole: there is none, or none that may be used.
    pub fn is_no_repository(&self) -> bool {
        use StoreError::{NoRepository, Open, Unsupported, Untrusted};
        matches!(self, OpError::Store(NoRepository { .. } | Untrusted { .. } | Open { .. } | Unsupported { .. }))
    }

    /// Tells what the user can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            OpError::Store(error) => error.hint().into_iter().collect(),
            OpError::UnknownEntry { near, .. } => near.iter().map(|entry| format!("did you mean {entry}?")).collect(),
            OpError::AmbiguousEntry { candidates, .. } => vec![format!("it could be {}", candidates.join(", "))],
            OpError::Pinned { id } => vec![format!("to let it go first: git trace unpin {id}")],
            OpError::NoCommits { .. } => {
                vec!["store something first: git trace commit --role user -F <file>".to_owned()]
            }
            OpError::ToolPair { other, id } => {
                vec![format!("take both: git trace drop {id} {other} (--force goes on anyway)")]
            }
            OpError::Ongoing { verb } => vec![
                format!("to go on: git trace {verb} --continue"),
                format!("to give it up: git trace {verb} --abort"),
            ],
            OpError::HalfPair { .. } => {
                vec!["take the commit with the other half too, or go on anyway with --force".to_owned()]
            }
            OpError::MissingCommits { .. } => vec!["write 'drop' in front of what is to go".to_owned()],
            OpError::NoUpstream { .. } => vec!["name one: git trace rebase <upstream>".to_owned()],
            OpError::PauseElsewhere => vec!["go there first: git trace checkout <branch>".to_owned()],
            OpError::HeadElsewhere { paused, .. } => vec![
                format!("to go back there: git trace checkout {paused}"),
                "to give it up: git trace rebase --abort".to_owned(),
            ],
            OpError::BranchMoved { .. } => vec!["to see what is there now: git trace log".to_owned()],
            OpError::BrokenState { .. } => {
                vec!["to forget what stopped (no branch has moved): git trace rebase --abort".to_owned()]
            }
            OpError::IsMerge { .. } => vec!["say which parent it is compared with: -m 1".to_owned()],
            OpError::Unrelated => vec!["to merge them anyway: --allow-unrelated-histories".to_owned()],
            OpError::NotForward { revision, .. } => vec![format!("to merge: git trace merge {revision}")],
            _ => Vec::new(),
        }
    }

    /// Tells whether a person has to decide something before it can go on.
    pub fn needs_decision(&self) -> bool {
        matches!(self, OpError::Conflicts { .. })
    }
}

impl From<CodecError> for OpError {
    fn from(error: CodecError) -> Self {
        OpError::Store(error.into())
    }
}
