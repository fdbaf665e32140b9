//! Carries out a sequence: all of it, or nothing.

use std::collections::{HashMap, HashSet};

use super::pairs;
use super::side::SideFacts;
use super::state::{Action, Sequence, Step};
use super::weave::Woven;
use crate::codec::one_line;
use crate::merge::{Conflict, Finding};
use crate::model::{Commit, ObjectId};
use crate::ops::change::{ATTEMPTS, Actor, Changed};
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
    /// The commit behind which it pauses, for the user to change the context.
    pub(in crate::ops) paused: Option<ObjectId>,
    /// Contradictions in meaning that did not stop it.
    pub(in crate::ops) findings: Vec<Finding>,
    /// Where it stopped. Nothing has changed then.
    pub(in crate::ops) stopped: Option<Stop>,
    /// Whether the ref names something else at the end.
    pub(in crate::ops) moved: bool,
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
    /// The bodies of the entries in conflict: some were only being stored.
    pub(in crate::ops) bodies: HashMap<ObjectId, Vec<u8>>,
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
        let mut done = sequence.steps.len();
        for (nth, step) in sequence.steps.iter().enumerate() {
            let before = open(&mut batch, sequence)?;
            if let Some(stop) = running.step(&mut batch, nth, step, &mut ran)? {
                ran.stopped = Some(stop);
                break;
            }
            // Nothing to pause for where there was nothing to do.
            if step.pauses && !dry_run && open(&mut batch, sequence)? != before {
                ran.paused = Some(step.commit);
                done = nth + 1;
                break;
            }
        }
        ran.tip = open(&mut batch, sequence)?;
        ran.moved = ran.tip != Some(sequence.start);
        if ran.stopped.is_none() && ran.paused.is_none() && !sequence.options.force {
            pairs::check(self, &mut batch, sequence, &running.tools)?;
        }
        if dry_run {
            for made in &mut ran.made {
                (made.commit, made.undo) = (None, None);
            }
            ran.tip = None;
        } else if ran.stopped.is_none() {
            let subject = running.reflog.unwrap_or_else(|| format!("{} steps", sequence.steps.len()));
            let line = format!("trace {}: {}", sequence.verb.name(), one_line(&subject, 200));
            self.land(batch, sequence, &ran, done, &line, &actor.committer)?;
        }
        Ok(ran)
    }
}

/// Holds what is known while a sequence is carried out.
pub(super) struct Running<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) sequence: &'a Sequence,
    actor: &'a Actor,
    pub(super) our_facts: SideFacts,
    /// For each commit that was done again: the new one.
    pub(super) again: HashMap<ObjectId, ObjectId>,
    /// The parents of the new commits, which nobody else can read yet.
    parents: HashMap<ObjectId, Vec<ObjectId>>,
    /// Tool calls that some step brought, took away or answered.
    tools: pairs::Touched,
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
        Ok(Running {
            workspace,
            sequence,
            actor,
            our_facts,
            again: HashMap::new(),
            parents: HashMap::new(),
            tools: pairs::Touched::default(),
            reflog: None,
        })
    }

    /// Carries out one step; returns where it stopped, if it did.
    fn step(&mut self, batch: &mut Batch<'_>, nth: usize, step: &Step, ran: &mut Ran) -> Result<Option<Stop>, OpError> {
        let commit = self.workspace.repo.read_commit(&step.commit)?;
        if self.sequence.options.keep_merges && step.action == Action::Pick {
            self.return_to_parent(batch, &commit)?;
        }
        let tip = open(batch, self.sequence)?;
        if self.is_there_already(step, &commit, tip) {
            batch.restart(&self.sequence.ref_name, commit.id)?;
            self.again.insert(commit.id, commit.id);
            self.parents.insert(commit.id, commit.parents);
            return Ok(None);
        }
        let merged = self.merged(&commit, tip);
        let mut woven = Woven::default();
        let target = self.sequence.target()?;
        let outcome = self.workspace.make(batch, &target, self.actor, &mut |editing| {
            woven = Woven::default();
            self.weave(editing, step, &commit, tip, &merged, &mut woven)
        });
        match outcome {
            Ok(made) => {
                self.reflog = Some(made.changed.subject.clone());
                if let Some(new) = made.changed.commit {
                    let source = (step.action != Action::Compress).then_some(&commit.id);
                    self.again.extend(source.into_iter().chain(&step.folded).map(|old| (*old, new)));
                    self.parents.insert(new, tip.into_iter().chain(merged).collect());
                }
                self.tools.take_in(nth, std::mem::take(&mut woven.tools));
                ran.findings.append(&mut woven.findings);
                ran.made.push(made.changed);
                Ok(None)
            }
            Err(OpError::Nothing { .. }) => {
                if step.action != Action::Compress {
                    self.again.extend(tip.map(|tip| (commit.id, tip)));
                    ran.skipped.push(commit.id);
                }
                Ok(None)
            }
            Err(OpError::Conflicts { .. }) => {
                let Woven { conflicts, findings, at, .. } = woven;
                let findings = if self.sequence.options.strict { findings } else { Vec::new() };
                let bodies = self.bodies(batch, &conflicts)?;
                Ok(Some(Stop { step: nth, commit: at.unwrap_or(commit.id), conflicts, bodies, findings }))
            }
            Err(error) => Err(error),
        }
    }

    /// Reads what the sides of conflicts say.
    fn bodies(&self, batch: &mut Batch<'_>, conflicts: &[Conflict]) -> Result<HashMap<ObjectId, Vec<u8>>, OpError> {
        let Some(mut context) = batch.context(&self.sequence.ref_name)? else { return Ok(HashMap::new()) };
        let mut bodies = HashMap::new();
        for entry in conflicts.iter().flat_map(|conflict| [&conflict.base, &conflict.ours, &conflict.theirs]).flatten()
        {
            // Ancestors that disagree have no words.
            if entry.body != ObjectId::null(entry.body.kind()) && !bodies.contains_key(&entry.body) {
                bodies.insert(entry.body, context.read_body(&entry.body)?);
            }
        }
        Ok(bodies)
    }

    /// A commit that stands where it is to be need not be made again.
    fn is_there_already(&self, step: &Step, commit: &Commit, tip: Option<ObjectId>) -> bool {
        let plain = step.action == Action::Pick && step.message.is_none() && step.folded.is_empty();
        let [first, others @ ..] = commit.parents.as_slice() else { return false };
        let stay = others.iter().all(|other| self.again.get(other).is_none_or(|again| again == other));
        let whole = others.is_empty() || (self.sequence.options.keep_merges && stay);
        plain && self.sequence.onto.is_some() && Some(*first) == tip && whole
    }

    /// Returns what a commit merged, as it is here: without what the new history has anyway.
    fn merged(&self, commit: &Commit, tip: Option<ObjectId>) -> Vec<ObjectId> {
        if !self.sequence.options.keep_merges {
            return Vec::new();
        }
        let onto = self.sequence.onto.unwrap_or(self.sequence.start);
        let is_upstream = |other: &ObjectId| {
            let bases = self.workspace.repo.merge_bases(onto, *other);
            bases.is_ok_and(|bases| bases == [*other])
        };
        let others = commit.parents.iter().skip(1);
        let mut merged: Vec<ObjectId> = Vec::new();
        for other in others {
            let known = self.again.get(other).copied();
            let there = match known {
                Some(again) => self.has(tip, again),
                None => is_upstream(other),
            };
            let parent = known.unwrap_or(*other);
            if !there && !merged.contains(&parent) {
                merged.push(parent);
            }
        }
        merged
    }

    /// Tells whether a new commit is, or comes after, another one.
    fn has(&self, tip: Option<ObjectId>, wanted: ObjectId) -> bool {
        let mut seen = HashSet::new();
        let mut stack: Vec<ObjectId> = tip.into_iter().collect();
        while let Some(id) = stack.pop() {
            if id == wanted {
                return true;
            }
            if seen.insert(id) {
                stack.extend(self.parents.get(&id).into_iter().flatten());
            }
        }
        false
    }

    /// Goes on from what became of a commit's parent, where merge commits are kept.
    fn return_to_parent(&self, batch: &mut Batch<'_>, commit: &Commit) -> Result<(), OpError> {
        let onto = self.sequence.onto.unwrap_or(self.sequence.start);
        let mut first = commit.parents.first().copied();
        // What was left out stands for what came before it.
        while let Some(parent) = first.filter(|parent| self.sequence.left_out.contains(parent)) {
            first = self.workspace.repo.read_commit(&parent)?.parents.first().copied();
        }
        let parent = first.and_then(|parent| self.again.get(&parent)).copied().unwrap_or(onto);
        if open(batch, self.sequence)? != Some(parent) {
            batch.restart(&self.sequence.ref_name, parent)?;
        }
        Ok(())
    }
}

fn open(batch: &mut Batch<'_>, sequence: &Sequence) -> Result<Option<ObjectId>, OpError> {
    Ok(batch.context(&sequence.ref_name)?.and_then(|context| context.tip()))
}
