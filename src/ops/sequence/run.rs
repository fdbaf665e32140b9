//! Carries out a sequence: all of it, or nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::ancestor::Ancestor;
use super::side::SideFacts;
use super::state::{Action, Sequence, Step};
use super::weave::{Weaving, Woven};
use crate::codec::one_line;
use crate::merge::{Conflict, Finding};
use crate::model::{Commit, Entry, EntryId, ObjectId, Operation, Position, Touch, TouchKind};
use crate::ops::change::{ATTEMPTS, Actor, Changed, Editing, Record};
use crate::ops::{OpError, Workspace};
use crate::store::{Batch, Size, StoreError};

/// From this many steps on, objects go to a pack while they are made.
const MANY: usize = 256;

/// Holds what came of a sequence.
#[derive(Debug, Default)]
pub(in crate::ops) struct Ran {
    /// The commits that were made, in order; without their ids on a dry run.
    pub(in crate::ops) made: Vec<Changed>,
    /// Commits that had nothing to do here.
    pub(in crate::ops) skipped: Vec<ObjectId>,
    /// Contradictions in meaning that did not stop it.
    pub(in crate::ops) findings: Vec<Finding>,
    /// Where it stopped. Nothing has changed then.
    pub(in crate::ops) stopped: Option<Stop>,
    /// What the ref names at the end.
    pub(in crate::ops) tip: Option<ObjectId>,
}

/// Says where a sequence stopped, and why.
#[derive(Debug, Clone)]
pub(in crate::ops) struct Stop {
    /// Which step, from 0.
    pub(in crate::ops) step: usize,
    /// The commit that could not be brought in.
    pub(in crate::ops) commit: ObjectId,
    pub(in crate::ops) conflicts: Vec<Conflict>,
    /// Contradictions in meaning, if those are to stop it.
    pub(in crate::ops) findings: Vec<Finding>,
}

impl Workspace {
    /// Carries out a sequence from its start. The ref moves at the end, if at all.
    pub(in crate::ops) fn run(&self, sequence: &Sequence, dry_run: bool) -> Result<Ran, OpError> {
        let mut attempt = 1;
        loop {
            match self.try_run(sequence, dry_run) {
                // Objects of a moved ref were not lost; it is only carried out again.
                Err(OpError::Store(StoreError::RefMoved { .. })) if attempt < ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    fn try_run(&self, sequence: &Sequence, dry_run: bool) -> Result<Ran, OpError> {
        self.rehearse(dry_run);
        self.redactor()?;
        let target = sequence.target()?;
        let actor = self.actor(&target)?;
        let size = if sequence.steps.len() > MANY { Size::Many } else { Size::Few };
        let mut batch = if dry_run { self.repo.rehearse() } else { self.repo.begin(size)? };
        let now = self.repo.find_ref_id(&sequence.ref_name)?;
        if now != Some(sequence.start) {
            return Err(OpError::BranchMoved { branch: target.display_name() });
        }
        if let Some(onto) = sequence.onto {
            batch.restart(&sequence.ref_name, onto)?;
        }
        let mut running = Running::new(self, sequence, &actor)?;
        let mut ran = Ran::default();
        for (nth, step) in sequence.steps.iter().enumerate() {
            if let Some(stop) = running.step(&mut batch, nth, step, &mut ran)? {
                ran.stopped = Some(stop);
                break;
            }
        }
        ran.tip = batch.context(&sequence.ref_name)?.and_then(|context| context.tip());
        if dry_run {
            for made in &mut ran.made {
                (made.commit, made.undo) = (None, None);
            }
            ran.tip = None;
        } else if ran.stopped.is_none() {
            let subject = running.reflog.unwrap_or_else(|| format!("{} steps", sequence.steps.len()));
            let line = format!("trace {}: {}", sequence.verb.name(), one_line(&subject, 200));
            batch.finish(&line, &actor.committer, self.repo.durability(false))?;
        }
        Ok(ran)
    }
}

/// Holds what is known while a sequence is carried out.
struct Running<'a> {
    workspace: &'a Workspace,
    sequence: &'a Sequence,
    actor: &'a Actor,
    our_facts: SideFacts,
    /// For each commit that was done again: the new one.
    again: HashMap<ObjectId, ObjectId>,
    reflog: Option<String>,
}

impl<'a> Running<'a> {
    fn new(workspace: &'a Workspace, sequence: &'a Sequence, actor: &'a Actor) -> Result<Self, OpError> {
        let mut our_facts = SideFacts::default();
        if let Some(first) = sequence.steps.first() {
            let ours = sequence.onto.unwrap_or(sequence.start);
            let bases = workspace.repo.merge_bases(ours, first.commit)?;
            for commit in workspace.repo.history(&[ours], &bases)? {
                our_facts.note(&commit?);
            }
        }
        Ok(Running { workspace, sequence, actor, our_facts, again: HashMap::new(), reflog: None })
    }

    /// Carries out one step; returns where it stopped, if it did.
    fn step(&mut self, batch: &mut Batch<'_>, nth: usize, step: &Step, ran: &mut Ran) -> Result<Option<Stop>, OpError> {
        let commit = self.workspace.repo.read_commit(&step.commit)?;
        if self.sequence.options.keep_merges {
            self.return_to_parent(batch, &commit)?;
        }
        let tip = open(batch, self.sequence)?;
        if self.is_there_already(step, &commit, tip) {
            batch.restart(&self.sequence.ref_name, commit.id)?;
            self.again.insert(commit.id, commit.id);
            ran.skipped.push(commit.id);
            return Ok(None);
        }
        let mut woven = Woven::default();
        let target = self.sequence.target()?;
        let outcome = self.workspace.make(batch, &target, self.actor, &mut |editing| {
            woven = Woven::default();
            self.weave(editing, nth, step, &commit, tip, &mut woven)
        });
        match outcome {
            Ok(made) => {
                self.reflog = Some(made.changed.subject.clone());
                self.again.extend(made.changed.commit.map(|new| (commit.id, new)));
                ran.findings.append(&mut woven.findings);
                ran.made.push(made.changed);
                Ok(None)
            }
            Err(OpError::Nothing { .. }) => {
                self.again.extend(tip.map(|tip| (commit.id, tip)));
                ran.skipped.push(commit.id);
                Ok(None)
            }
            Err(OpError::Conflicts { .. }) => {
                let Woven { conflicts, findings, .. } = woven;
                Ok(Some(Stop { step: nth, commit: commit.id, conflicts, findings }))
            }
            Err(error) => Err(error),
        }
    }

    /// A commit that stands where it is to be need not be made again.
    fn is_there_already(&self, step: &Step, commit: &Commit, tip: Option<ObjectId>) -> bool {
        let plain = step.action == Action::Pick && step.message.is_none() && step.folded.is_empty();
        plain && self.sequence.onto.is_some() && commit.parents.first().copied() == tip && commit.parents.len() == 1
    }

    /// Goes on from what became of a commit's parent, where merge commits are kept.
    fn return_to_parent(&self, batch: &mut Batch<'_>, commit: &Commit) -> Result<(), OpError> {
        let onto = self.sequence.onto.unwrap_or(self.sequence.start);
        let parent = commit.parents.first().and_then(|parent| self.again.get(parent)).copied().unwrap_or(onto);
        if open(batch, self.sequence)? != Some(parent) {
            batch.restart(&self.sequence.ref_name, parent)?;
        }
        Ok(())
    }

    /// Brings in what a step stands for, and says what to record.
    fn weave(
        &self,
        editing: &mut Editing<'_>,
        nth: usize,
        step: &Step,
        commit: &Commit,
        tip: Option<ObjectId>,
        woven: &mut Woven,
    ) -> Result<Record, OpError> {
        let words = self.words(editing, nth)?;
        let mut touches: Vec<Touch> = Vec::new();
        let folded: Vec<Commit> =
            step.folded.iter().map(|id| self.workspace.repo.read_commit(id)).collect::<Result<_, _>>()?;
        for commit in std::iter::once(commit).chain(&folded) {
            let (ancestor, theirs) = self.sides(step, commit, tip)?;
            let mut their_facts = SideFacts::default();
            match step.action {
                Action::Merge | Action::Squash => {
                    let bases: Vec<ObjectId> = ancestor.commits().iter().map(|commit| commit.id).collect();
                    for commit in self.workspace.repo.history(&[theirs.id], &bases)? {
                        their_facts.note(&commit?);
                    }
                }
                Action::Pick => their_facts.note(commit),
                Action::Revert => {}
            }
            let weaving = Weaving {
                ancestor: &ancestor,
                theirs: &theirs,
                our_facts: &self.our_facts,
                their_facts: &their_facts,
                options: &self.sequence.options,
                choices: self.sequence.choices_at(nth, &words),
                semantic: matches!(step.action, Action::Merge | Action::Squash),
            };
            let mut found = weaving.carry_out(editing)?;
            let stops = !found.conflicts.is_empty() || (self.sequence.options.strict && !found.findings.is_empty());
            touches = joined(touches, std::mem::take(&mut found.touches));
            woven.conflicts = found.conflicts;
            woven.findings.append(&mut found.findings);
            if stops {
                return Err(OpError::Conflicts { verb: self.sequence.verb.name(), count: woven.conflicts.len() });
            }
        }
        if touches.is_empty() && step.action != Action::Merge {
            return Err(OpError::Nothing { reason: "it is there already".to_owned() });
        }
        let mut record = self.record(step, commit, &folded, touches)?;
        super::credit(&mut record, std::mem::take(&mut editing.answers));
        Ok(record)
    }

    /// Stores the words that the user gave for conflicts of a step.
    fn words(&self, editing: &mut Editing<'_>, nth: usize) -> Result<HashMap<EntryId, Entry>, OpError> {
        let mut words = HashMap::new();
        for (id, settled) in self.sequence.choices.get(&nth).unwrap_or(&BTreeMap::new()) {
            if let Some((role, kind, bytes)) = settled.words() {
                let (body, tokens) = editing.put(&role, &kind, bytes)?;
                let entry = Entry {
                    position: Position::new(0)?,
                    role,
                    tokens,
                    id: *id,
                    flags: Default::default(),
                    kind,
                    body,
                    meta: None,
                };
                words.insert(*id, entry);
            }
        }
        Ok(words)
    }

    /// Finds what a step compares: the common beginning, and the side that is brought in.
    fn sides(&self, step: &Step, commit: &Commit, tip: Option<ObjectId>) -> Result<(Ancestor, Commit), OpError> {
        let repo = &self.workspace.repo;
        match step.action {
            Action::Merge | Action::Squash => {
                let ours = repo.read_commit(&tip.unwrap_or(self.sequence.start))?;
                let ancestor = Ancestor::of(self.workspace, &ours, commit)?;
                if matches!(ancestor, Ancestor::Nothing) && !self.sequence.options.unrelated {
                    return Err(OpError::Unrelated);
                }
                Ok((ancestor, commit.clone()))
            }
            Action::Pick | Action::Revert => {
                let parent = match (step.mainline, commit.parents.as_slice()) {
                    (None, []) => None,
                    (None, [parent]) => Some(parent),
                    // A merge is done again as what it changed on its first parent.
                    (None, [parent, ..]) if self.sequence.options.keep_merges => Some(parent),
                    (None, _) => return Err(OpError::IsMerge { commit: commit.id.short(10) }),
                    (Some(number), parents) => Some(
                        number
                            .checked_sub(1)
                            .and_then(|at| parents.get(at))
                            .ok_or(OpError::NoParent { commit: commit.id.short(10), number })?,
                    ),
                };
                let parent = parent.map(|parent| repo.read_commit(parent)).transpose()?;
                match (step.action, parent) {
                    (Action::Revert, Some(parent)) => Ok((Ancestor::Commit(Box::new(commit.clone())), parent)),
                    (Action::Revert, None) => {
                        Err(OpError::Nothing { reason: "the first commit cannot be taken back".to_owned() })
                    }
                    (_, Some(parent)) => Ok((Ancestor::Commit(Box::new(parent)), commit.clone())),
                    (_, None) => Ok((Ancestor::Nothing, commit.clone())),
                }
            }
        }
    }

    fn record(&self, step: &Step, commit: &Commit, folded: &[Commit], touches: Vec<Touch>) -> Result<Record, OpError> {
        let facts = &commit.facts;
        let (operation, subject, body) = match step.action {
            Action::Merge | Action::Squash => {
                let into = self.sequence.branch.as_deref().unwrap_or("HEAD");
                let subject = format!("merge {} into {into}", commit.id.short(10));
                (Operation::Merge, subject, String::new())
            }
            Action::Revert => {
                let body = format!("This takes back commit {}.", commit.id);
                (Operation::Revert, format!("revert: {}", commit.subject), body)
            }
            Action::Pick => {
                let mut body = commit.body.clone();
                if self.sequence.options.note_source {
                    body = format!("{body}\n\n(cherry picked from commit {})", commit.id).trim().to_owned();
                }
                for folded in folded {
                    body = format!("{body}\n\n{}\n\n{}", folded.subject, folded.body).trim().to_owned();
                }
                (facts.operation.clone(), commit.subject.clone(), body)
            }
        };
        let mut record = Record::new(operation, subject, touches);
        record.body = body;
        if let Some(message) = &step.message {
            let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
            (record.subject, record.body) = (subject.to_owned(), body.trim().to_owned());
        }
        match step.action {
            Action::Merge => record.merged = vec![commit.id],
            Action::Pick => {
                // Facts about entries (when, from where) stay with them.
                let known: HashMap<EntryId, &Touch> = folded
                    .iter()
                    .chain([commit])
                    .flat_map(|commit| &commit.facts.entries)
                    .map(|touch| (touch.id, touch))
                    .collect();
                for touch in &mut record.entries {
                    if let Some(known) = known.get(&touch.id).filter(|known| known.kind == touch.kind) {
                        touch.fields.clone_from(&known.fields);
                    }
                }
                record.model.clone_from(&facts.model);
                record.usage = facts.usage;
                record.cost = facts.cost;
                record.other.clone_from(&facts.other);
                if self.sequence.options.keep_merges {
                    let others = commit.parents.iter().skip(1);
                    record.merged = others.map(|parent| self.again.get(parent).copied().unwrap_or(*parent)).collect();
                }
                record.again = Some(Box::new(commit.clone()));
            }
            Action::Squash | Action::Revert => {}
        }
        Ok(record)
    }
}

fn open(batch: &mut Batch<'_>, sequence: &Sequence) -> Result<Option<ObjectId>, OpError> {
    Ok(batch.context(&sequence.ref_name)?.and_then(|context| context.tip()))
}

/// Puts what two changes touched into one list: what came and went again is not in it.
fn joined(first: Vec<Touch>, second: Vec<Touch>) -> Vec<Touch> {
    let mut touches = first;
    let mut vanished = HashSet::new();
    for touch in second {
        match touches.iter_mut().find(|known| known.id == touch.id) {
            None => touches.push(touch),
            Some(known) => match (known.kind, touch.kind) {
                (TouchKind::Added, TouchKind::Removed) => drop(vanished.insert(touch.id)),
                (TouchKind::Added, _) => {}
                (TouchKind::Removed, TouchKind::Added) => known.kind = TouchKind::Changed,
                (_, kind) => known.kind = kind,
            },
        }
    }
    touches.retain(|touch| !vanished.contains(&touch.id));
    touches
}
