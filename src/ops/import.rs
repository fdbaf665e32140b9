//! `import`: turns an agent's own record of a session into context branches.

mod entire;
mod memory;
mod name;
mod parent;
mod seen;

pub use entire::{ENTIRE_BRANCH, ImportEntire, import_entire};

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use self::memory::{Claim, Wanted};
use self::name::{agent_name, subagent_of};
use self::parent::Parent;
use self::seen::Seen;
use super::replay::{FIRST_BRANCH, Replay, subagent_name};
use super::{OpError, Workspace};
use crate::capture::claude::{self, Summary};
use crate::capture::{
    Agent, CaptureError, Conversation, Issue, Outcome, Receiver, Record, Routed, SessionFacts, recognise_file,
};
use crate::model::{Branch, EntryId, Message, ObjectId, Step, TouchKind};
use crate::store::{Batch, Size};

/// Asks for a record of an agent's session to be imported.
#[derive(Debug, Clone)]
pub struct Import {
    /// Whose record it is; `None`: the record itself tells.
    pub agent: Option<Agent>,
    /// The record: a file, for some agents a folder.
    pub path: PathBuf,
    /// Name of the agent whose branches it becomes; made from the session's id where there is none.
    pub name: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
    /// The commit of the code that the work tree is at, for the new commits.
    pub code: Option<ObjectId>,
    /// How long to wait for another process that imports the same session.
    pub wait: Duration,
}

impl Import {
    /// Asks for a record, whosever it is, to be imported under a name of its own, with what a person would wait.
    pub fn new(path: PathBuf) -> Self {
        Import { agent: None, path, name: None, dry_run: false, code: None, wait: Duration::from_secs(30) }
    }
}

/// Says what an import found and stored.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Whose record it is.
    pub format: Agent,
    /// The session, `<agent>:<id>`.
    pub session: String,
    /// The agent whose branches it became.
    pub agent: String,
    /// Whether another process imports the session, so that nothing was done here.
    pub busy: bool,
    /// The branches of this record, with their newest commits.
    pub branches: Vec<ImportedBranch>,
    /// Commits that were made now.
    pub commits: u64,
    /// Entries that were stored now.
    pub entries: u64,
    /// What the record says of its session.
    pub facts: SessionFacts,
    /// What the whole record holds, in numbers, where it is a transcript of Claude Code.
    pub summary: Option<Summary>,
    /// Parts that could not be read.
    pub issues: Vec<Issue>,
    /// Bytes at the end that are left for the next import.
    pub pending: u64,
    /// Secrets that were replaced, by rule.
    pub redacted: BTreeMap<String, u64>,
}

/// Names a branch that holds an imported conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportedBranch {
    /// The branch, `<agent>/<name>`.
    pub branch: String,
    /// Its newest commit.
    pub commit: ObjectId,
}

/// Imports a record of an agent's session, or what is new in it since the last time.
///
/// Importing twice changes nothing; the same record gives the same commits everywhere, given the same user. Of several
/// processes that import one session at once, each event is stored by one. `progress` is told the number of steps.
///
/// # Errors
/// When the record cannot be read or the repository cannot be written. Parts that cannot be read are no error.
pub fn import(workspace: &Workspace, request: &Import, progress: &mut dyn FnMut(u64)) -> Result<Imported, OpError> {
    if let Some(imported) = seen::unchanged(workspace, request)? {
        return Ok(imported);
    }
    import_with(workspace, request, Vec::new(), progress)
}

/// Imports a record, and puts `notes` behind it that are not there yet.
fn import_with(
    workspace: &Workspace,
    request: &Import,
    notes: Vec<Message>,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, OpError> {
    let failed = |source| record_error(&request.path, source);
    let record = Record::open(request.agent, &request.path).map_err(failed)?;
    let format = record.agent();
    let id = record.session_id();
    let session = format!("{format}:{id}");
    let subagent = subagent_of(format, &request.path);
    let name = match &request.name {
        Some(name) => Branch::new(name, FIRST_BRANCH)?.agent().to_owned(),
        None => agent_name(format, &id, subagent.as_deref()),
    };
    let key = subagent.map_or_else(|| session.clone(), |subagent| format!("{session}/{subagent}"));
    let (is_chosen, dry_run) = (request.name.is_some(), request.dry_run);
    let wanted = Wanted { name: &name, session: &key, is_chosen, dry_run };
    let Some(claim) = Claim::new(workspace, wanted, request.wait)? else {
        return Ok(Imported { busy: true, ..nothing(format, session, name, record.facts().clone()) });
    };

    workspace.rehearse(dry_run);
    let memory = claim.memory.as_ref();
    let mut run = Run {
        workspace,
        agent: claim.agent.clone(),
        session,
        code: request.code,
        branches: memory.map(|memory| memory.branches.clone()).unwrap_or_default(),
        batch: workspace.repo.begin(Size::Many)?,
        replays: BTreeMap::new(),
        known: None,
        parent: None,
        failure: None,
        steps: 0,
        progress,
    };
    if let Some(parent) = record.facts().parent.as_ref().filter(|_| !run.has_branches()) {
        run.parent = Parent::find(workspace, format, parent)?;
    }
    let watermark = memory.filter(|_| run.has_branches()).map(|memory| memory.watermark.clone());
    let stamp = record.stamp();
    let outcome = record.read(watermark.as_deref(), &mut run);
    if outcome.is_ok() {
        run.note(notes);
    }
    if let Some(error) = run.failure.take() {
        return Err(error);
    }
    let imported = run.finish(format, outcome.map_err(failed)?, dry_run, &claim)?;
    if let Some(stamp) = stamp.filter(|_| !dry_run) {
        Seen::new(stamp, format, id, imported.agent.clone()).remember(workspace, &request.path);
    }
    Ok(imported)
}

/// Finds the files of the subagents of a session of Claude Code.
///
/// # Errors
/// When the folder cannot be listed.
pub fn subagent_files(session: &Path) -> Result<Vec<PathBuf>, OpError> {
    let read_error = |source| OpError::Read { path: session.display().to_string(), source };
    claude::subagent_files(session).map_err(read_error)
}

/// Finds the records that a path means: itself, or, if it is a folder, all of that agent's in it, sorted by path.
///
/// # Errors
/// When the folder cannot be listed.
pub fn records_in(agent: Option<Agent>, path: &Path) -> Result<Vec<PathBuf>, OpError> {
    let read_error = |source| OpError::Read { path: path.display().to_string(), source };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
        let entry = entry.map_err(|error| read_error(error.into()))?;
        if entry.file_type().is_file() {
            let whose = recognise_file(entry.path()).map_err(read_error)?;
            if whose.is_some_and(|whose| agent.is_none_or(|agent| agent == whose)) {
                found.push(entry.into_path());
            }
        }
    }
    Ok(found)
}

fn record_error(path: &Path, source: CaptureError) -> OpError {
    let path = path.display().to_string();
    match source {
        CaptureError::Read { source } => OpError::Read { path, source },
        source => OpError::Record { path, source },
    }
}

fn nothing(format: Agent, session: String, agent: String, facts: SessionFacts) -> Imported {
    Imported {
        format,
        session,
        agent,
        busy: false,
        branches: Vec::new(),
        commits: 0,
        entries: 0,
        facts,
        summary: None,
        issues: Vec::new(),
        pending: 0,
        redacted: BTreeMap::new(),
    }
}

/// One import under way.
struct Run<'w, 'p> {
    workspace: &'w Workspace,
    agent: String,
    session: String,
    code: Option<ObjectId>,
    branches: BTreeMap<String, String>,
    batch: Batch<'w>,
    replays: BTreeMap<Conversation, Replay<'w>>,
    /// The entries that the branches ever had, once somebody asked.
    known: Option<BTreeMap<String, HashSet<EntryId>>>,
    /// The session that this one was forked from, until it goes its own way.
    parent: Option<Parent>,
    failure: Option<OpError>,
    steps: u64,
    progress: &'p mut dyn FnMut(u64),
}

impl Receiver for Run<'_, '_> {
    fn take(&mut self, routed: Routed) -> ControlFlow<()> {
        match self.failure.is_none().then(|| self.replay(routed)) {
            Some(Ok(())) => return ControlFlow::Continue(()),
            Some(Err(error)) => self.failure = Some(error),
            None => {}
        }
        ControlFlow::Break(())
    }

    fn restart(&mut self) {
        self.branches.clear();
        if !self.has_branches() {
            self.known = Some(BTreeMap::new());
        }
    }

    fn is_known(&mut self, conversation: &Conversation, id: EntryId) -> bool {
        if let Some(parent) = self.parent.as_mut().filter(|_| *conversation == Conversation::Main) {
            return parent.has(id);
        }
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
}

impl Run<'_, '_> {
    /// Tells whether an earlier import left branches.
    fn has_branches(&self) -> bool {
        let branches = self.workspace.repo.branches().unwrap_or_default();
        branches.iter().any(|(branch, _)| branch.agent() == self.agent)
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

    fn replay(&mut self, routed: Routed) -> Result<(), OpError> {
        self.steps += 1;
        if self.steps.is_multiple_of(64) {
            (self.progress)(self.steps);
        }
        let Routed { conversation, step } = routed;
        if !self.replays.contains_key(&conversation) {
            let agent = agent_of(&self.agent, &conversation);
            let branch = self.branches.get(&agent).cloned().unwrap_or_else(|| FIRST_BRANCH.to_owned());
            let mut replay = Replay::new(self.workspace, agent, self.session.clone(), self.code, branch)?;
            if let Some(parent) = self.parent.take_if(|_| conversation == Conversation::Main) {
                replay.start_behind(&mut self.batch, &parent.agent, parent.last)?;
            }
            self.replays.insert(conversation.clone(), replay);
        }
        let replay = self.replays.get_mut(&conversation).expect("put in above");
        replay.step(&mut self.batch, step)
    }

    /// Puts messages at the end of the conversation, unless they are there.
    fn note(&mut self, notes: Vec<Message>) {
        for note in notes {
            if !self.is_known(&Conversation::Main, note.id) {
                let _ = self.take(Routed { conversation: Conversation::Main, step: Step::Append(note) });
            }
        }
    }

    fn finish(self, format: Agent, outcome: Outcome, dry_run: bool, claim: &Claim) -> Result<Imported, OpError> {
        let repo = &self.workspace.repo;
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
            let who = repo.committer()?;
            let message = format!("trace import {format}: {commits} commits");
            self.batch.finish(&message, &who, repo.durability(true))?;
            // Last of all: what is imported twice is found by its ids, what is never imported is lost.
            claim.remember(outcome.watermark, branches)?;
        }
        Ok(Imported {
            branches: named(own_branches(self.workspace, &self.agent)?),
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

fn named(tips: Vec<(Branch, ObjectId)>) -> Vec<ImportedBranch> {
    tips.into_iter().map(|(branch, commit)| ImportedBranch { branch: branch.to_string(), commit }).collect()
}

/// Lists the branches of an agent's record, those of its subagents included.
fn own_branches(workspace: &Workspace, agent: &str) -> Result<Vec<(Branch, ObjectId)>, OpError> {
    let own = |name: &str| name.strip_prefix(agent).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    let branches = workspace.repo.branches()?.into_iter();
    Ok(branches.filter(|(branch, _)| own(branch.agent())).collect())
}

/// Names the agent of a conversation: the session's, or one of its own for a subagent.
fn agent_of(agent: &str, conversation: &Conversation) -> String {
    match conversation {
        Conversation::Main => agent.to_owned(),
        Conversation::Subagent(id) => subagent_name(agent, id),
    }
}
