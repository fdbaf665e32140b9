//! What a merge, cherry-pick, revert or rebase is to do, and what was settled so far.
//!
//! A sequence is not carried out in parts: nothing of it can be seen before all of it is done. When it stops, what is
//! remembered is what was asked and which choices were made; to go on, it is carried out again from its start with one
//! choice more. So a crash at any point leaves either the old branch and this file, or the new branch.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decisions::Decisions;
use crate::model::{Branch, ObjectId};
use crate::ops::{OpError, Target, Workspace};
use crate::store::{HEAD, Head};

/// Name of the file that remembers a stopped sequence.
const STATE_FILE: &str = "sequence.json";

/// Version of the file.
const STATE_VERSION: u32 = 1;

/// Names the command that a sequence carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SequenceVerb {
    /// `git trace merge`
    Merge,
    /// `git trace cherry-pick`
    CherryPick,
    /// `git trace revert`
    Revert,
    /// `git trace rebase`
    Rebase,
}

impl SequenceVerb {
    /// Returns the name of the command.
    pub const fn name(self) -> &'static str {
        match self {
            SequenceVerb::Merge => "merge",
            SequenceVerb::CherryPick => "cherry-pick",
            SequenceVerb::Revert => "revert",
            SequenceVerb::Rebase => "rebase",
        }
    }

    /// Returns the ref that keeps what the stopped command needs.
    pub(super) const fn head_ref(self) -> &'static str {
        match self {
            SequenceVerb::Merge => "refs/worktree/trace/MERGE_HEAD",
            SequenceVerb::CherryPick => "refs/worktree/trace/CHERRY_PICK_HEAD",
            SequenceVerb::Revert => "refs/worktree/trace/REVERT_HEAD",
            SequenceVerb::Rebase => "refs/worktree/trace/REBASE_HEAD",
        }
    }
}

/// Says what one step of a sequence does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::ops) enum Action {
    /// Brings in what a branch did, with the branch as a second parent.
    Merge,
    /// Brings in what a branch did, as one commit of our own.
    Squash,
    /// Does again what a commit did.
    Pick,
    /// Takes back what a commit did.
    Revert,
    /// Puts something shorter in the place of what the folded commits brought in.
    Compress,
}

/// One step of a sequence: at most one new commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ops) struct Step {
    pub(in crate::ops) action: Action,
    pub(in crate::ops) commit: ObjectId,
    /// Commits that are made part of this one, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::ops) folded: Vec<ObjectId>,
    /// Which parent a merge commit is compared with, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::ops) mainline: Option<usize>,
    /// The commit message; made from the commit's where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::ops) message: Option<String>,
    /// Whether the user wants to change the context once this is done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::ops) pauses: bool,
}

impl Step {
    pub(in crate::ops) fn new(action: Action, commit: ObjectId) -> Self {
        Step { action, commit, folded: Vec::new(), mainline: None, message: None, pauses: false }
    }
}

/// Says where a worktree is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::ops) enum Place {
    /// On a branch.
    Branch(String),
    /// At a commit.
    Commit(ObjectId),
}

impl Place {
    pub(in crate::ops) fn of(head: &Head) -> Self {
        match head {
            Head::Branch(branch) => Place::Branch(branch.to_string()),
            Head::Detached(id) => Place::Commit(*id),
        }
    }

    pub(in crate::ops) fn head(&self) -> Result<Head, OpError> {
        Ok(match self {
            Place::Branch(name) => Head::Branch(Branch::parse(name, Branch::default().agent())?),
            Place::Commit(id) => Head::Detached(*id),
        })
    }
}

/// Says what is about to be seen by others, so that after a crash it is known whether it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ops) struct Landing {
    /// Where HEAD was before.
    pub(in crate::ops) head: Place,
    /// The new commit.
    pub(in crate::ops) tip: ObjectId,
    /// How many steps are done with it.
    pub(in crate::ops) done: usize,
    /// Whether it pauses there: the branch does not move yet.
    pub(in crate::ops) pauses: bool,
}

/// Says which side is right where the two disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preference {
    /// Ours.
    Ours,
    /// Theirs.
    Theirs,
    /// Both sides' words stay, ours first.
    Union,
    /// A driver writes one text of both; `None` is the configured one.
    Driver(Option<String>),
}

/// Says how all steps of a sequence are carried out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::ops) struct Options {
    /// Which side is right where the two disagree; without it the sequence stops there.
    pub(in crate::ops) prefer: Option<Preference>,
    /// Whether one side is taken whole, whatever the other did.
    pub(in crate::ops) whole: Option<WholeSide>,
    /// Whether what both added at one place goes by time.
    pub(in crate::ops) by_time: bool,
    /// Whether contradictions in meaning stop the sequence.
    pub(in crate::ops) strict: bool,
    /// Whether the message says where a commit was picked from.
    pub(in crate::ops) note_source: bool,
    /// Whether merge commits are made again as merge commits.
    pub(in crate::ops) keep_merges: bool,
    /// Whether contexts without a common beginning may be merged.
    pub(in crate::ops) unrelated: bool,
    /// Whether tool calls may be parted from their results.
    pub(in crate::ops) force: bool,
}

/// Names the side that is taken whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WholeSide {
    /// The context stays as it is on our side.
    Ours,
    /// The context becomes what it is on their side.
    Theirs,
}

/// Holds a whole sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ops) struct Sequence {
    version: u32,
    pub(in crate::ops) verb: SequenceVerb,
    /// The ref that moves at the end.
    pub(in crate::ops) ref_name: String,
    /// Its branch, unless HEAD was detached.
    pub(in crate::ops) branch: Option<String>,
    /// What the ref named when the sequence was asked for.
    pub(in crate::ops) start: ObjectId,
    /// Where the steps begin, if not at `start`.
    pub(in crate::ops) onto: Option<ObjectId>,
    pub(in crate::ops) steps: Vec<Step>,
    pub(in crate::ops) options: Options,
    /// What was settled, by the commit that is brought in.
    #[serde(default)]
    pub(in crate::ops) decisions: BTreeMap<ObjectId, Decisions>,
    /// Commits that were left out when it stopped at them.
    #[serde(default)]
    pub(in crate::ops) left_out: Vec<ObjectId>,
    /// What was left to settle when it stopped.
    #[serde(default)]
    pub(in crate::ops) open: usize,
    /// A branch to delete when all is done, and what it names.
    #[serde(default)]
    pub(in crate::ops) drop_branch: Option<(String, ObjectId)>,
    /// Where HEAD is to be at the end, if not where it was.
    #[serde(default)]
    pub(in crate::ops) ends_on: Option<Place>,
    /// Where HEAD was when it first paused: HEAD has the commits made since, and the branch does not have them yet.
    #[serde(default)]
    pub(in crate::ops) left: Option<Place>,
    #[serde(default)]
    pub(in crate::ops) landing: Option<Landing>,
    /// The step that it stopped at, from 0.
    #[serde(default)]
    pub(in crate::ops) at: usize,
}

impl Sequence {
    pub(in crate::ops) fn new(verb: SequenceVerb, target: &Target, start: ObjectId, steps: Vec<Step>) -> Self {
        Sequence {
            version: STATE_VERSION,
            verb,
            ref_name: target.ref_name.clone(),
            branch: target.branch.as_ref().map(ToString::to_string),
            start,
            onto: None,
            steps,
            options: Options::default(),
            decisions: BTreeMap::new(),
            left_out: Vec::new(),
            open: 0,
            drop_branch: None,
            ends_on: None,
            left: None,
            landing: None,
            at: 0,
        }
    }

    /// Returns the ref that moves at the end.
    pub(in crate::ops) fn target(&self) -> Result<Target, OpError> {
        let branch = self.branch.as_deref().map(|name| Branch::parse(name, Branch::default().agent())).transpose()?;
        Ok(Target { ref_name: self.ref_name.clone(), branch })
    }
}

impl Workspace {
    /// Returns the command that stopped in this worktree and waits to be continued.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn ongoing(&self) -> Result<Option<SequenceVerb>, OpError> {
        Ok(self.stopped()?.map(|sequence| sequence.verb))
    }

    pub(in crate::ops) fn stopped(&self) -> Result<Option<Sequence>, OpError> {
        let broken = |reason: String| OpError::BrokenState { file: STATE_FILE, reason };
        let bytes = self.repo.read_state(STATE_FILE).map_err(|error| broken(error.to_string()))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let sequence: Sequence = serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
        if sequence.version != STATE_VERSION {
            return Err(broken(format!("version {} is not known", sequence.version)));
        }
        let target = sequence.target().map_err(|error| broken(error.to_string()))?;
        let ours = target.branch.as_ref().map_or_else(|| HEAD.to_owned(), |branch| self.repo.branch_ref(branch));
        if ours != sequence.ref_name {
            return Err(broken(format!("'{}' is no ref of a context", sequence.ref_name)));
        }
        Ok(Some(sequence))
    }

    pub(super) fn is_remembered(&self) -> Result<bool, OpError> {
        Ok(self.repo.read_state(STATE_FILE)?.is_some())
    }

    /// Refuses to begin a sequence while another one waits.
    pub(in crate::ops) fn check_nothing_stopped(&self) -> Result<(), OpError> {
        match self.ongoing()? {
            Some(verb) => Err(OpError::Ongoing { verb: verb.name() }),
            None => Ok(()),
        }
    }

    /// Remembers a sequence that stopped. What it needs is kept from `git gc` by a ref.
    pub(in crate::ops) fn remember(&self, sequence: &Sequence) -> Result<(), OpError> {
        let needed = match sequence.verb {
            SequenceVerb::Rebase => sequence.onto,
            _ => sequence.steps.last().map(|step| step.commit),
        };
        if let Some(needed) = needed {
            self.repo.overwrite_ref(sequence.verb.head_ref(), needed, "trace: stopped", &self.repo.committer()?)?;
        }
        self.note(sequence)
    }

    /// Writes down where a sequence is; needs no lock.
    pub(super) fn note(&self, sequence: &Sequence) -> Result<(), OpError> {
        let bytes = serde_json::to_vec_pretty(sequence).expect("maps with text keys are JSON");
        Ok(self.repo.write_state(STATE_FILE, &bytes)?)
    }

    /// Forgets whatever is remembered, be it readable or not; HEAD and the branches stay.
    pub(in crate::ops) fn forget_all(&self) -> Result<(), OpError> {
        for verb in [SequenceVerb::Merge, SequenceVerb::CherryPick, SequenceVerb::Revert, SequenceVerb::Rebase] {
            self.forget(verb)?;
        }
        Ok(())
    }

    /// Forgets a sequence that ended.
    pub(in crate::ops) fn forget(&self, verb: SequenceVerb) -> Result<(), OpError> {
        self.repo.remove_state(STATE_FILE)?;
        if let Some(kept) = self.repo.find_ref_id(verb.head_ref())? {
            self.repo.delete_ref(verb.head_ref(), kept, &self.repo.committer()?)?;
        }
        Ok(())
    }
}
