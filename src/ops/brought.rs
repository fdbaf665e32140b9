//! What a merge, cherry-pick, revert or rebase came to.

use std::collections::HashMap;

use serde::Serialize;

use super::change::Changed;
use super::sequence::{Ran, Sequence, SequenceVerb, Stop};
use super::{OpError, Target, Workspace, preview};
use crate::export::plain_text;
use crate::merge::{Conflict, ConflictKind, Finding, FindingKind};
use crate::model::{Entry, EntryId, Item, ObjectId};
use crate::store::Head;

/// Says how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// There was nothing to do.
    UpToDate,
    /// The branch only moved forward.
    FastForward,
    /// All steps were carried out.
    Done,
    /// It waits for the user to change the context at a commit; the branch did not move yet.
    Paused,
    /// The sides disagree: nothing has changed, and the command waits to be continued.
    Stopped,
}

/// Says what a merge, cherry-pick, revert or rebase did to a branch, or would do.
#[derive(Debug, Clone)]
pub struct Brought {
    /// The command.
    pub verb: SequenceVerb,
    /// How it ended.
    pub outcome: Outcome,
    /// The branch, unless HEAD is detached.
    pub branch: Option<String>,
    /// What it named before.
    pub from: ObjectId,
    /// What it names now; `None` on a dry run.
    pub to: Option<ObjectId>,
    /// The commits that were made.
    pub commits: Vec<Changed>,
    /// Commits that had nothing to do here: what they did is there already.
    pub skipped: Vec<ObjectId>,
    /// Commits that the plan leaves out.
    pub left_out: Vec<ObjectId>,
    /// Contradictions in meaning, none of which stopped it, or all of which did.
    pub contradictions: Vec<Contradiction>,
    /// What the sides disagree about.
    pub conflicts: Vec<OpenConflict>,
    /// The commit that could not be brought in, or behind which it pauses.
    pub stopped_at: Option<ObjectId>,
    /// Tokens of the context now.
    pub total: u64,
    /// Entries of the context now.
    pub count: u64,
    /// The branch that was deleted, and what it named.
    pub dropped_branch: Option<(String, ObjectId)>,
    /// The command that takes it back.
    pub undo: Option<String>,
}

/// Holds a conflict with the words of each side.
#[derive(Debug, Clone)]
pub struct OpenConflict {
    /// In what way the sides disagree.
    pub kind: ConflictKind,
    /// The entry.
    pub id: EntryId,
    /// As both sides began with it.
    pub base: Option<Item>,
    /// As our side has it.
    pub ours: Option<Item>,
    /// As their side has it.
    pub theirs: Option<Item>,
}

/// Holds two entries that contradict each other in meaning.
#[derive(Debug, Clone, Serialize)]
pub struct Contradiction {
    /// `decision`, `setting`, `sentence` or `near-duplicate`.
    pub kind: &'static str,
    /// The decision or setting that it is about.
    pub key: Option<String>,
    /// The entry on our side.
    pub ours: EntryId,
    /// The entry on their side.
    pub theirs: EntryId,
    /// What ours says.
    pub our_value: String,
    /// What theirs says.
    pub their_value: String,
}

impl Brought {
    /// Says that a branch is at this commit, and nothing was done.
    pub(super) fn unmoved(
        workspace: &Workspace,
        verb: SequenceVerb,
        target: &Target,
        at: ObjectId,
    ) -> Result<Self, OpError> {
        let commit = workspace.repo.read_commit(&at)?;
        Ok(Brought {
            verb,
            outcome: Outcome::UpToDate,
            branch: target.branch.as_ref().map(ToString::to_string),
            from: at,
            to: Some(at),
            commits: Vec::new(),
            skipped: Vec::new(),
            left_out: Vec::new(),
            contradictions: Vec::new(),
            conflicts: Vec::new(),
            stopped_at: None,
            total: commit.facts.total,
            count: commit.facts.count,
            dropped_branch: None,
            undo: None,
        })
    }

    pub(super) fn of(workspace: &Workspace, sequence: &Sequence, ran: Ran, dry_run: bool) -> Result<Self, OpError> {
        let unmoved = Brought::unmoved(workspace, sequence.verb, &sequence.target()?, sequence.start)?;
        let told = |findings: Vec<Finding>| findings.into_iter().map(Contradiction::of).collect();
        if let Some(Stop { commit, conflicts, bodies, findings, .. }) = ran.stopped {
            let conflicts = conflicts.into_iter().map(|conflict| OpenConflict::of(&bodies, conflict)).collect();
            return Ok(Brought {
                outcome: Outcome::Stopped,
                contradictions: told(findings),
                conflicts,
                stopped_at: Some(commit),
                skipped: ran.skipped,
                ..unmoved
            });
        }
        let moved = ran.moved;
        let (total, count) = match (ran.made.last(), ran.tip) {
            (Some(last), _) => (last.total, last.count),
            (None, Some(tip)) => {
                let tip = workspace.repo.read_commit(&tip)?;
                (tip.facts.total, tip.facts.count)
            }
            (None, None) => (unmoved.total, unmoved.count),
        };
        let outcome = match (ran.made.is_empty(), moved) {
            _ if ran.paused.is_some() => Outcome::Paused,
            (true, false) => Outcome::UpToDate,
            (true, true) if sequence.verb == SequenceVerb::Rebase => Outcome::FastForward,
            _ => Outcome::Done,
        };
        let undo = match outcome {
            Outcome::Paused => Some(format!("git trace {} --abort", sequence.verb.name())),
            _ if moved && !dry_run => Some(undo(workspace, sequence)?),
            _ => None,
        };
        let dropped_branch = sequence.drop_branch.clone().filter(|_| outcome != Outcome::Paused && !dry_run);
        Ok(Brought {
            outcome,
            to: ran.tip,
            commits: ran.made,
            skipped: ran.skipped,
            contradictions: told(ran.findings),
            stopped_at: ran.paused,
            total,
            count,
            dropped_branch,
            undo,
            ..unmoved
        })
    }

    /// Returns the change in size, in tokens.
    pub fn tokens(&self) -> i64 {
        self.commits.iter().map(|commit| commit.tokens).sum()
    }
}

/// Returns the command that moves the branch back, from where HEAD is now.
fn undo(workspace: &Workspace, sequence: &Sequence) -> Result<String, OpError> {
    let branch = match (workspace.repo.head()?, &sequence.branch) {
        (Head::Branch(head), Some(branch)) if head.to_string() == *branch => String::new(),
        (_, Some(branch)) => format!("--branch {branch} "),
        (_, None) => String::new(),
    };
    Ok(format!("git trace {branch}reset --hard {}", sequence.start.short(12)))
}

impl OpenConflict {
    fn of(bodies: &HashMap<ObjectId, Vec<u8>>, conflict: Conflict) -> Self {
        let item =
            |entry: Option<Entry>| entry.and_then(|entry| Some(Item { body: bodies.get(&entry.body)?.clone(), entry }));
        let Conflict { kind, id, base, ours, theirs } = conflict;
        OpenConflict { kind, id, base: item(base), ours: item(ours), theirs: item(theirs) }
    }

    /// Returns the beginning of what one side says, on one line; `None` if the entry is not there.
    pub fn preview(item: Option<&Item>) -> Option<String> {
        item.map(|item| preview(&plain_text(&item.entry.kind, &item.body)))
    }
}

impl Contradiction {
    fn of(finding: Finding) -> Self {
        let kind = finding.kind.name();
        let key = match finding.kind {
            FindingKind::Decision { key } | FindingKind::Setting { key } => Some(key),
            FindingKind::Sentence | FindingKind::NearDuplicate => None,
        };
        let Finding { ours, theirs, our_value, their_value, .. } = finding;
        Contradiction { kind, key, ours, theirs, our_value, their_value }
    }
}
