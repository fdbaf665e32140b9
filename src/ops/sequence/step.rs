//! One step of a sequence: what it compares, and what it brings into the context.

use std::collections::HashMap;

use super::ancestor::Ancestor;
use super::compress_group::compress_group;
use super::decisions::Decisions;
use super::record::record;
use super::run::Running;
use super::side::SideFacts;
use super::state::{Action, Step};
use super::weave::{Weaving, Woven};
use crate::model::{Commit, Entry, EntryId, NanoDollars, ObjectId, Position, Touch, TouchKind};
use crate::ops::OpError;
use crate::ops::change::{Editing, Record};
use crate::ops::credits::Credits;
use crate::ops::touches::joined;

impl Running<'_> {
    /// Brings in what a step stands for, and says what to record.
    pub(super) fn weave(
        &self,
        editing: &mut Editing<'_>,
        step: &Step,
        commit: &Commit,
        tip: Option<ObjectId>,
        merged: &[ObjectId],
        woven: &mut Woven,
    ) -> Result<Record, OpError> {
        if step.action == Action::Compress {
            return self.compress(editing, step);
        }
        let no_decisions = Decisions::default();
        let mut credits = Credits::default();
        let mut touches: Vec<Touch> = Vec::new();
        let folded: Vec<Commit> =
            step.folded.iter().map(|id| self.workspace.repo.read_commit(id)).collect::<Result<_, _>>()?;
        for commit in std::iter::once(commit).chain(&folded) {
            let decisions = self.sequence.decisions.get(&commit.id).unwrap_or(&no_decisions);
            let words = self.words(editing, decisions)?;
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
                Action::Revert | Action::Compress => {}
            }
            let weaving = Weaving {
                ancestor: &ancestor,
                theirs: &theirs,
                our_facts: &self.our_facts,
                their_facts: &their_facts,
                options: &self.sequence.options,
                decisions,
                words: &words,
                is_merge: matches!(step.action, Action::Merge | Action::Squash),
                is_past: step.action == Action::Revert,
            };
            let mut found = weaving.carry_out(editing)?;
            let stops = !found.conflicts.is_empty() || (self.sequence.options.strict && !found.findings.is_empty());
            touches = joined(touches, std::mem::take(&mut found.touches));
            woven.tools.extend(std::mem::take(&mut found.tools));
            woven.conflicts = found.conflicts;
            woven.at = Some(commit.id);
            credits.join(&decisions.credits);
            woven.findings.append(&mut found.findings);
            if stops {
                return Err(OpError::Conflicts { verb: self.sequence.verb.name(), count: woven.conflicts.len() });
            }
        }
        if touches.is_empty() && step.action != Action::Merge && merged.is_empty() {
            return Err(OpError::Nothing { reason: "it is there already".to_owned() });
        }
        let mut record = record(self.sequence, step, commit, &folded, touches);
        record.merged.extend(merged);
        record.other.extend(credits.trailers());
        record.cost = credits.cost.map(NanoDollars).or(record.cost);
        Ok(record)
    }

    /// Puts something shorter in the place of what the folded commits brought in.
    fn compress(&self, editing: &mut Editing<'_>, step: &Step) -> Result<Record, OpError> {
        let mut ids = Vec::new();
        for commit in &step.folded {
            let commit = self.workspace.repo.read_commit(commit)?;
            let added = commit.facts.entries.iter().filter(|touch| touch.kind == TouchKind::Added);
            ids.extend(added.map(|touch| touch.id));
        }
        compress_group(editing, &ids)
    }

    /// Stores the words that the user gave for conflicts of a commit.
    fn words(&self, editing: &mut Editing<'_>, decisions: &Decisions) -> Result<HashMap<EntryId, Entry>, OpError> {
        let mut words = HashMap::new();
        let chosen = decisions.choices.iter().map(|(id, known)| (id, &known.settled));
        for (id, settled) in chosen.chain(&decisions.verdicts) {
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
            Action::Pick | Action::Revert | Action::Compress => {
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
}
