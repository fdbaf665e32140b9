//! Why an operation was not carried out.

use super::finding::Finding;
use super::installation::InstallError;
use super::marketplace::MarketError;
use super::run::RunError;
use super::share::ShareError;
use super::turns::TurnsError;
use super::workflow::WorkflowError;
use crate::codec::CodecError;
use crate::drivers::DriverError;
use crate::model::{BranchError, PositionError};
use crate::redact::ConfigError;
use crate::store::StoreError;

mod hints;

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
    /// No entry of the context holds some words.
    #[error("no entry holds '{words}'")]
    NoSuchWords {
        /// The words.
        words: String,
    },
    /// A commit is not in a branch's history.
    #[error("commit '{commit}' is not in the history of '{branch}'")]
    NotInHistory {
        /// The commit.
        commit: String,
        /// The branch.
        branch: String,
    },
    /// Sessions could not be caught up with.
    #[error("capture stays paused: {sessions} records of sessions cannot be read now")]
    StillPaused {
        /// Number of records.
        sessions: usize,
    },
    /// A name is no agent's.
    #[error(transparent)]
    UnknownAgent(#[from] crate::capture::UnknownAgent),
    /// The files of the work tree were not kept at that point.
    #[error("no snapshot of the work tree at or before commit '{commit}'")]
    NoSnapshot {
        /// The commit.
        commit: String,
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
    /// The branch has commits that neither HEAD nor its upstream has.
    #[error("branch '{branch}' is not merged: {commits} {} would be on no branch", if *commits == 1 { "commit" } else { "commits" })]
    NotMerged {
        /// The branch.
        branch: String,
        /// Its commits that would be left.
        commits: usize,
        /// All branches that were to go and are not merged.
        all: Vec<String>,
    },
    /// A branch was wanted, and this is another revision.
    #[error("a branch is expected, got commit '{revision}'")]
    NotABranch {
        /// The revision as given.
        revision: String,
        /// The commit that it names.
        commit: String,
    },
    /// HEAD is on no branch.
    #[error("HEAD is detached: no branch is named")]
    Detached,
    /// The two have no common ancestor.
    #[error("'{left}' and '{right}' have no commit in common")]
    NoMergeBase {
        /// One of them.
        left: String,
        /// The other one.
        right: String,
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
    /// Two sides disagree, and somebody has to say what is right.
    #[error("{verb}: {count} conflicts")]
    Conflicts {
        /// The command that stopped.
        verb: &'static str,
        /// How many there are.
        count: usize,
    },
    /// No model could have seen the entries in this order.
    #[error("not a possible order: {reason}")]
    InvalidOrder {
        /// What is wrong with it.
        reason: String,
    },
    /// The order is possible, and odd.
    #[error("an odd order: {}", reasons.join("; "))]
    OddOrder {
        /// What is odd.
        reasons: Vec<String>,
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
    /// A command stopped in some worktree, and needs what is to go.
    #[error("a {verb} is not finished in '{}'", path.display())]
    OngoingIn {
        /// The command that waits.
        verb: &'static str,
        /// The worktree.
        path: std::path::PathBuf,
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
    /// No driver is named.
    #[error("no driver is named")]
    NoDriver,
    /// No driver has that name.
    #[error("unknown driver '{name}'")]
    UnknownDriver {
        /// The name.
        name: String,
    },
    /// A driver's answer cannot be used.
    #[error("the answer of driver '{driver}' cannot be used: {reason}")]
    Answer {
        /// The driver.
        driver: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Neither a file of the code nor a commit of it has that name.
    #[error("'{name}' is neither a file nor a commit of the code")]
    UnknownCode {
        /// The name as given.
        name: String,
    },
    /// Something in the request contradicts itself or means nothing.
    #[error("{reason}")]
    Request {
        /// What.
        reason: String,
    },
    /// A plan cannot be read.
    #[error("malformed plan{}: {reason}", if *line == 0 { String::new() } else { format!(", line {line}") })]
    Plan {
        /// The line, from 1; 0 for the plan as a whole.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Pins are to be ignored where nobody may.
    #[error("pins cannot be ignored: 'trace.pins' is 'strict'")]
    PinsStrict,
    /// The context cannot be made as small as was asked for.
    #[error("{target} tokens cannot be reached with '{mode}', only {reachable}")]
    Target {
        /// How it was tried.
        mode: String,
        /// What was asked for.
        target: u64,
        /// The fewest tokens.
        reachable: u64,
    },
    /// The result would break a rule that every change has to keep.
    #[error("the result would not be sound: {}", Finding::summary(findings))]
    Unsound {
        /// Which rules, at least one.
        findings: Vec<Finding>,
    },
    /// Others change the same entries faster than we do.
    #[error("the context changed meanwhile")]
    Busy,
    /// The entry stands for nothing else.
    #[error("entry '{id}' is not compressed")]
    NotCompressed {
        /// The entry.
        id: String,
    },
    /// What was compressed is not in this history.
    #[error("the originals of '{id}' are not in this history: {reason}")]
    NoOriginals {
        /// The entry.
        id: String,
        /// What is missing.
        reason: String,
    },
    /// Originals cannot be put back.
    #[error("cannot restore '{id}': {reason}")]
    Restore {
        /// The entry in whose place they belong.
        id: String,
        /// What is in the way.
        reason: String,
    },
    /// Contexts could not be sent or fetched.
    #[error(transparent)]
    Share(#[from] ShareError),
    /// A marketplace could not be read, or its configuration not changed.
    #[error(transparent)]
    Market(#[from] MarketError),
    /// A workflow could not be found, installed or prepared.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
    /// A run could not be begun, recorded or read.
    #[error(transparent)]
    Run(#[from] RunError),
    /// An agent could not be set to work on a run.
    #[error(transparent)]
    Turns(#[from] TurnsError),
    /// A remote has commits of a branch that were never seen here.
    #[error("'{remote}' has commits of '{branch}' that are not here")]
    UnseenCommits {
        /// The branch.
        branch: String,
        /// The remote.
        remote: String,
    },
    /// Nothing of that name was forgotten.
    #[error("'{name}' was not forgotten")]
    NotForgotten {
        /// The name as given.
        name: String,
    },
    /// Hooks cannot be installed, or taken away.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// A file could not be read.
    #[error("cannot read '{path}': {source}")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is no record of an agent's session, or not that agent's.
    #[error("cannot import '{path}'")]
    Record {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: crate::capture::CaptureError,
    },
}

impl OpError {
    /// Says that a variable of git's configuration cannot be used.
    pub(super) fn config(key: &str, value: &str) -> Self {
        StoreError::Config { key: key.to_owned(), value: value.to_owned() }.into()
    }
}

impl From<CodecError> for OpError {
    fn from(error: CodecError) -> Self {
        OpError::Store(error.into())
    }
}
