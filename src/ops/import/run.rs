//! One import under way: steps of a record on their way to branches.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::ControlFlow;

use super::super::link::Journal;
use super::super::replay::{FIRST_BRANCH, Replay, subagent_name};
use super::super::withhold::{Withheld, Withhold};
use super::super::{OpError, Workspace};
use super::memory::{Claim, Memory};
use super::origin::{Copied, Origin};
use super::{Imported, ImportedBranch, nothing};
use crate::capture::{Agent, Conversation, Outcome, Receiver, Routed};
use crate::model::{Branch, EntryId, Message, ObjectId, Step, TouchKind};
use crate::store::Batch;

/// One import under way.
pub(super) struct Run<'w, 'p> {
    pub(super) workspace: &'w Workspace,
    pub(super) agent: String,
    pub(super) session: String,
    pub(super) code: Option<ObjectId>,
    /// The branch of the agent that started this one.
    pub(super) parent: Option<String>,
    pub(super) branches: BTreeMap<String, String>,
    pub(super) batch: Batch<'w>,
    pub(super) replays: BTreeMap<Conversation, Replay<'w>>,
    /// The entries that the branches ever had, once somebody asked.
    pub(super) known: Option<BTreeMap<String, HashSet<EntryId>>>,
    /// The entries that came since the last import was remembered: one may have been killed right before that.
    pub(super) since: BTreeMap<String, HashSet<EntryId>>,
    pub(super) withhold: Withhold,
    /// What was left out, for what is still to come.
    pub(super) withheld: Withheld,
    /// Whether the branches may hold what a watermark says is new: then every entry is looked up.
    pub(super) is_mixed: bool,
    /// Entries of the main conversation that were known, where a record by lines is read from its start.
    pub(super) passed: Option<usize>,
    /// The branch of a session that goes on from a copy of another one's messages.
    pub(super) fork: Option<String>,
    pub(super) origin: Origin,
    /// Whether it goes on from a copy of what was forgotten.
    pub(super) copied: Copied,
    /// The first message, if the session is a new one of its own.
    pub(super) first: Option<EntryId>,
    /// The agent whose session this one copies, once that is known: nothing of this run counts then.
    pub(super) home: Option<String>,
    pub(super) failure: Option<OpError>,
    /// The newest entry that was passed over since the reading started over.
    pub(super) last_known: Option<EntryId>,
    pub(super) steps: u64,
    pub(super) progress: &'p mut dyn FnMut(u64),
}

impl Receiver for Run<'_, '_> {
    fn take(&mut self, routed: Routed) -> ControlFlow<()> {
        match self.failure.is_none().then(|| self.place(routed)) {
            Some(Ok(())) if self.home.is_none() => return ControlFlow::Continue(()),
            Some(Ok(())) => {}
            Some(Err(error)) => self.failure = Some(error),
            None => {}
        }
        ControlFlow::Break(())
    }

    fn restart(&mut self) {
        self.branches.clear();
        let is_by_lines = ["claude:", "codex:"].iter().any(|format| self.session.starts_with(format));
        (self.is_mixed, self.passed) = (false, is_by_lines.then_some(0));
        if let Some(branch) = self.fork.clone() {
            self.origin = Origin::Copy { branch, last: None };
        } else if self.workspace.repo.branches_of(&self.agent).is_ok_and(|branches| branches.is_empty()) {
            self.known = Some(BTreeMap::new());
        }
    }

    fn is_known(&mut self, conversation: &Conversation, message: &Message) -> bool {
        // A copy has to be seen to its end, to know where that is.
        let is_known = !matches!(self.origin, Origin::Copy { .. }) && self.knows(conversation, message.id);
        if is_known && !self.withhold.is_nothing() {
            // What it calls may still be answered.
            self.withhold.apply(&mut message.clone(), &mut self.withheld);
        }
        if is_known && *conversation == Conversation::Main {
            self.last_known = Some(message.id);
        }
        if let (true, Conversation::Main, Some(passed)) = (is_known, conversation, &mut self.passed) {
            *passed += 1;
        }
        is_known
    }
}

impl Run<'_, '_> {
    /// Tells whether the branches of a conversation ever had an entry.
    pub(super) fn knows(&mut self, conversation: &Conversation, id: EntryId) -> bool {
        let agent = agent_of(&self.agent, conversation);
        if self.known.is_none() {
            match self.read_known() {
                Ok(known) => self.known = Some(known),
                Err(error) => {
                    // The next step ends the reading.
                    self.failure = Some(error);
                    self.known = Some(BTreeMap::new());
                }
            }
        }
        let known = self.known.as_ref().and_then(|known| known.get(&agent));
        known.is_some_and(|ids| ids.contains(&id))
    }

    /// Collects the ids that the branches of this record ever had.
    fn read_known(&self) -> Result<BTreeMap<String, HashSet<EntryId>>, OpError> {
        let repo = &self.workspace.repo;
        let mut known: BTreeMap<String, HashSet<EntryId>> = BTreeMap::new();
        for (branch, tip) in own_branches(self.workspace, &self.agent)? {
            let ids = known.entry(branch.agent().to_owned()).or_default();
            for commit in repo.history(&[tip], &[])? {
                let added = commit?.facts.entries.into_iter().filter(|touch| touch.kind == TouchKind::Added);
                ids.extend(added.map(|touch| touch.id));
            }
        }
        Ok(known)
    }

    pub(super) fn replay(&mut self, routed: Routed) -> Result<(), OpError> {
        self.steps += 1;
        if self.steps.is_multiple_of(64) {
            (self.progress)(self.steps);
        }
        let Routed { conversation, mut step } = routed;
        if let Step::Append(message) | Step::Extend(message) | Step::Compress { summary: message, .. } = &mut step {
            self.withhold.apply(message, &mut self.withheld);
        }
        if let Step::Append(message) | Step::Compress { summary: message, .. } = &step
            && self.since.get(&agent_of(&self.agent, &conversation)).is_some_and(|ids| ids.contains(&message.id))
        {
            return Ok(());
        }
        if let Step::Append(message) | Step::Compress { summary: message, .. } = &step
            && self.is_mixed
            && self.knows(&conversation, message.id)
        {
            return Ok(());
        }
        if !self.replays.contains_key(&conversation) {
            let agent = agent_of(&self.agent, &conversation);
            let branch = self.branches.get(&agent).cloned().unwrap_or_else(|| FIRST_BRANCH.to_owned());
            let parent = match conversation {
                Conversation::Main => self.parent.clone(),
                Conversation::Subagent(_) => Some(format!("{}/{FIRST_BRANCH}", self.agent)),
            };
            let replay = Replay::new(self.workspace, agent, self.session.clone(), self.code, branch)?;
            let replay = replay.started_by(parent).repeating(!self.since.is_empty() || self.is_mixed);
            self.replays.insert(conversation.clone(), replay);
        }
        self.part(&conversation, &step)?;
        let replay = self.replays.get_mut(&conversation).expect("put in above");
        replay.step(&mut self.batch, step)
    }

    /// Puts messages at the end of the conversation, unless they are there.
    pub(super) fn note(&mut self, notes: &[Message]) -> Result<(), OpError> {
        for note in notes {
            if !self.knows(&Conversation::Main, note.id) {
                self.place(Routed { conversation: Conversation::Main, step: Step::Append(note.clone()) })?;
            }
        }
        Ok(())
    }

    /// Starts a branch where a record that was replaced goes on from an entry that is not its newest one any more.
    fn part(&mut self, conversation: &Conversation, step: &Step) -> Result<(), OpError> {
        if *conversation != Conversation::Main {
            return Ok(());
        }
        let Some(after) = self.last_known.take().filter(|_| matches!(step, Step::Append(_))) else { return Ok(()) };
        let replay = self.replays.get_mut(conversation).expect("put in before");
        let name = Branch::new(&self.agent, &replay.branch)?;
        let Some(tip) = self.workspace.repo.find_ref_id(&self.workspace.repo.branch_ref(&name))? else { return Ok(()) };
        for commit in self.workspace.repo.history(&[tip], &[])? {
            let facts = commit?.facts;
            // What people put on top is not the record's.
            if facts.session.as_deref() != Some(self.session.as_str()) {
                continue;
            }
            match facts.entries.iter().find(|touch| touch.kind == TouchKind::Added) {
                Some(newest) if newest.id == after => return Ok(()),
                Some(_) => break,
                None => {}
            }
        }
        let branch = format!("rewind-{after}");
        replay.step(&mut self.batch, Step::Fork { branch, after: Some(after) })
    }

    pub(super) fn finish(
        self,
        format: Agent,
        outcome: Outcome,
        dry_run: bool,
        claim: &Claim,
    ) -> Result<Imported, OpError> {
        let workspace = self.workspace;
        let repo = &workspace.repo;
        let mut branches = self.branches;
        let (mut commits, mut entries, mut redacted) = (0, 0, BTreeMap::new());
        for (conversation, replay) in &self.replays {
            branches.insert(agent_of(&self.agent, conversation), replay.branch.clone());
            commits += replay.tally.commits;
            entries += replay.tally.entries;
            for (rule, count) in &replay.tally.redacted {
                *redacted.entry(rule.clone()).or_default() += count;
            }
        }
        if !dry_run {
            if let Some(first) = self.first {
                self.workspace.remember_first(first, &self.agent);
            }
            let who = repo.committer()?;
            let message = format!("trace import {format}: {commits} commits");
            self.batch.finish(&message, &who, repo.durability(true))?;
            // A cache of what is stored now: `git trace relink` makes it again.
            let journal = Journal::of(workspace);
            let noted = self.replays.values().try_for_each(|replay| journal.add(&replay.noting.notes));
            if let Err(error) = noted {
                workspace.warn(format!("cannot note what was written to files: {error}"));
            }
        }
        let current = branches.get(&self.agent).map(|branch| format!("{}/{branch}", self.agent));
        let mut tips = Vec::new();
        for agent in agents_of(&self.agent, &branches) {
            let branches = repo.branches_of(agent)?.into_iter();
            tips.extend(branches.map(|(branch, commit)| ImportedBranch { branch: branch.to_string(), commit }));
        }
        if !dry_run {
            // Last of all: what is imported twice is found by its ids, what is never imported is lost.
            // What has not told yet where it belongs is read once more.
            if self.origin.is_settled() {
                let (branches, withheld) = (branches.clone(), self.withheld);
                let home = self.fork.is_some().then(|| self.agent.clone());
                let known = self.known.as_ref().and_then(|known| known.get(&self.agent)).map_or(0, HashSet::len);
                let is_mixed = self.is_mixed || self.passed.is_some_and(|passed| passed < known);
                let tips = tips.iter().map(|tip| tip.commit.to_string()).collect();
                claim.remember(Memory {
                    watermark: outcome.watermark,
                    branches,
                    tips,
                    withheld,
                    home,
                    is_mixed,
                    last_known: self.last_known.map(|id| id.to_string()),
                    ..Memory::default()
                })?;
            }
        }
        Ok(Imported {
            current,
            branches: tips,
            commits,
            entries,
            summary: outcome.claude,
            issues: outcome.issues,
            pending: outcome.pending,
            redacted,
            ..nothing(format, self.session, self.agent, outcome.facts)
        })
    }
}

/// Lists the branches of an agent's record, those of its subagents included.
fn own_branches(workspace: &Workspace, agent: &str) -> Result<Vec<(Branch, ObjectId)>, OpError> {
    let own = |name: &str| name.strip_prefix(agent).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    let branches = workspace.repo.branches()?.into_iter();
    Ok(branches.filter(|(branch, _)| own(branch.agent())).collect())
}

/// Collects the ids of entries that came to the agents' branches since an import was remembered.
pub(super) fn since(
    workspace: &Workspace,
    agent: &str,
    session: &str,
    memory: &Memory,
) -> Result<BTreeMap<String, HashSet<EntryId>>, OpError> {
    let repo = &workspace.repo;
    let mut found: BTreeMap<String, HashSet<EntryId>> = BTreeMap::new();
    let is_here = |tip: &ObjectId| repo.read_commit(tip).is_ok();
    // What was forgotten or made anew in the meantime may be gone.
    let known: Vec<ObjectId> = memory.tips.iter().filter_map(|tip| tip.parse().ok()).filter(is_here).collect();
    if known.is_empty() {
        return Ok(found);
    }
    for agent in agents_of(agent, &memory.branches) {
        let tips = repo.branches_of(agent)?.into_iter().map(|(_, tip)| tip).filter(|tip| !known.contains(tip));
        for commit in tips.map(|tip| repo.history(&[tip], &known)).collect::<Result<Vec<_>, _>>()?.into_iter().flatten()
        {
            let facts = commit?.facts;
            // A fork on a branch of the same agent is another record.
            if facts.session.as_deref() != Some(session) {
                continue;
            }
            let added = facts.entries.into_iter().filter(|touch| touch.kind == TouchKind::Added);
            found.entry(agent.to_owned()).or_default().extend(added.map(|touch| touch.id));
        }
    }
    Ok(found)
}

/// Lists the agents whose branches conversations are on.
fn agents_of<'a>(agent: &'a str, branches: &'a BTreeMap<String, String>) -> BTreeSet<&'a str> {
    branches.keys().map(String::as_str).chain([agent]).collect()
}

/// Names the agent of a conversation: the session's, or one of its own for a subagent.
fn agent_of(agent: &str, conversation: &Conversation) -> String {
    match conversation {
        Conversation::Main => agent.to_owned(),
        Conversation::Subagent(id) => subagent_name(agent, id),
    }
}
