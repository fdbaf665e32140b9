//! `import`: turns an agent's own record of a session into context branches.

mod entire;
mod memory;
mod name;
mod origin;
mod seen;

pub use entire::{ENTIRE_BRANCH, ImportEntire, import_entire};

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use self::memory::{Claim, Memory, Wanted};
pub(super) use self::memory::{Unread, bytes_read};
use self::name::{agent_name, subagent_of};
use self::origin::{Origin, fork_branch};
use self::seen::Seen;
use super::link::Journal;
use super::replay::{FIRST_BRANCH, Replay, subagent_name};
use super::withhold::{Withheld, Withhold};
use super::{OpError, Workspace};
use crate::capture::claude::{self, Summary};
use crate::capture::{
    Agent, CaptureError, Conversation, Issue, Outcome, Receiver, Record, Routed, SessionFacts, recognise_file,
    sessions_in,
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
    /// Whether the session goes on: until a message tells whether it copies another session, nothing is stored.
    pub is_live: bool,
    /// How long to wait for another process that imports the same session.
    pub wait: Duration,
}

impl Import {
    /// Asks for a record, whosever it is, to be imported under a name of its own, with what a person would wait.
    pub fn new(path: PathBuf) -> Self {
        Import {
            agent: None,
            path,
            name: None,
            dry_run: false,
            code: None,
            is_live: false,
            wait: Duration::from_secs(30),
        }
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
    /// The branch that the session's own conversation is on now.
    pub current: Option<String>,
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
    match seen::unchanged(workspace, request)? {
        Some(imported) => Ok(imported),
        None => import_with(workspace, request, &[], progress),
    }
}

/// Imports a record, and puts `notes` behind it that are not there yet.
fn import_with(
    workspace: &Workspace,
    request: &Import,
    notes: &[Message],
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, OpError> {
    let failed = |source| record_error(&request.path, source);
    let record = Record::open(request.agent, &request.path).map_err(failed)?;
    let format = record.agent();
    let id = record.session_id();
    let session = format!("{format}:{id}");
    let subagent = subagent_of(format, &request.path);
    let own = agent_name(format, &id);
    let name = match (&request.name, &subagent) {
        (Some(name), _) => Branch::new(name, FIRST_BRANCH)?.agent().to_owned(),
        (None, None) => own.clone(),
        // Named after its parent, wherever that is.
        (None, Some(subagent)) => subagent_name(&memory::agent_of_session(workspace, &own, &session), subagent),
    };
    // The file of a subagent names its parent by the session that it shares.
    let is_child = subagent.is_some() && request.name.is_none();
    let parent = is_child.then(|| format!("{}/{FIRST_BRANCH}", memory::agent_of_session(workspace, &own, &session)));
    let key = subagent.map_or_else(|| session.clone(), |subagent| format!("{session}/{subagent}"));
    let (is_chosen, dry_run) = (request.name.is_some(), request.dry_run);
    let wanted = Wanted { name: &name, session: &key, is_chosen, dry_run };
    let Some(claim) = Claim::new(workspace, wanted, request.wait)? else {
        return Ok(Imported { busy: true, ..nothing(format, session, name, record.facts().clone()) });
    };

    workspace.rehearse(dry_run);
    let memory = claim.memory.as_ref();
    let mut home = memory.and_then(|memory| memory.home.clone());
    let mut record = record;
    loop {
        let is_of_its_own = request.name.is_some() || parent.is_some();
        let agent = home.clone().unwrap_or_else(|| claim.agent.clone());
        let has_branches = !workspace.repo.branches_of(&agent)?.is_empty();
        let since = memory.map_or(Ok(BTreeMap::new()), |memory| since(workspace, &agent, &session, memory))?;
        let mut run = Run {
            workspace,
            since,
            session: session.clone(),
            code: request.code,
            parent: parent.clone(),
            branches: memory.map(|memory| memory.branches.clone()).unwrap_or_default(),
            batch: workspace.repo.begin(Size::Many)?,
            replays: BTreeMap::new(),
            known: None,
            withhold: Withhold::of(workspace),
            withheld: memory.map(|memory| memory.withheld.clone()).unwrap_or_default(),
            is_mixed: memory.is_some_and(|memory| memory.is_mixed),
            passed: None,
            fork: home.is_some().then(|| fork_branch(&claim.agent)),
            origin: match &home {
                Some(_) => Origin::Fork { branch: fork_branch(&claim.agent) },
                None if !is_of_its_own && !has_branches => Origin::Undecided(Vec::new()),
                None => Origin::Own,
            },
            agent,
            first: None,
            home: None,
            failure: None,
            last_known: memory.and_then(|memory| memory.last_known.as_deref()?.parse().ok()),
            steps: 0,
            progress: &mut *progress,
        };
        let watermark = memory.filter(|_| has_branches).map(|memory| memory.watermark.clone());
        let stamp = record.stamp();
        let outcome = record.read(watermark.as_deref(), &mut run);
        if let Some(error) = run.failure.take() {
            return Err(error);
        }
        if run.home.is_some() {
            // The first message is another session's: the record is read once more, as a fork of that one.
            home = run.home;
            record = Record::open(Some(format), &request.path).map_err(failed)?;
            continue;
        }
        if !request.is_live {
            run.release()?;
        }
        let outcome = outcome.map_err(failed)?;
        run.note(notes)?;
        let is_settled = !matches!(run.origin, Origin::Copy { .. } | Origin::Undecided(_));
        let imported = run.finish(format, outcome, dry_run, &claim)?;
        if let Some(stamp) = stamp.filter(|_| !dry_run && is_settled) {
            Seen::new(stamp, format, id, &imported).remember(workspace, &request.path);
        }
        return Ok(imported);
    }
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
    // What is not there may be a session behind the name of its file; whoever opens it will say.
    if !path.exists() {
        return Ok(vec![path.to_owned()]);
    }
    let whose = recognise_file(path).map_err(read_error)?;
    if !path.is_dir() || whose.is_some() {
        let agent = agent.or(whose);
        return agent.map_or(Ok(vec![path.to_owned()]), |agent| {
            sessions_in(agent, path).map_err(|source| record_error(path, source))
        });
    }
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
        let entry = entry.map_err(|error| read_error(error.into()))?;
        if entry.file_type().is_file() {
            let whose = recognise_file(entry.path()).map_err(read_error)?;
            if let Some(whose) = whose.filter(|whose| agent.is_none_or(|agent| agent == *whose)) {
                // A file that cannot be read as what it seems to be is told of when it is opened.
                found.extend(sessions_in(whose, entry.path()).unwrap_or_else(|_| vec![entry.path().to_owned()]));
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
        current: None,
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
    /// The branch of the agent that started this one.
    parent: Option<String>,
    branches: BTreeMap<String, String>,
    batch: Batch<'w>,
    replays: BTreeMap<Conversation, Replay<'w>>,
    /// The entries that the branches ever had, once somebody asked.
    known: Option<BTreeMap<String, HashSet<EntryId>>>,
    /// The entries that came since the last import was remembered: one may have been killed right before that.
    since: BTreeMap<String, HashSet<EntryId>>,
    withhold: Withhold,
    /// What was left out, for what is still to come.
    withheld: Withheld,
    /// Whether the branches may hold what a watermark says is new: then every entry is looked up.
    is_mixed: bool,
    /// Entries of the main conversation that were known, where a record by lines is read from its start.
    passed: Option<usize>,
    /// The branch of a session that goes on from a copy of another one's messages.
    fork: Option<String>,
    origin: Origin,
    /// The first message, if the session is a new one of its own.
    first: Option<EntryId>,
    /// The agent whose session this one copies, once that is known: nothing of this run counts then.
    home: Option<String>,
    failure: Option<OpError>,
    /// The newest entry that was passed over since the reading started over.
    last_known: Option<EntryId>,
    steps: u64,
    progress: &'p mut dyn FnMut(u64),
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
    fn knows(&mut self, conversation: &Conversation, id: EntryId) -> bool {
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

    fn replay(&mut self, routed: Routed) -> Result<(), OpError> {
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
    fn note(&mut self, notes: &[Message]) -> Result<(), OpError> {
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

    fn finish(self, format: Agent, outcome: Outcome, dry_run: bool, claim: &Claim) -> Result<Imported, OpError> {
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
            if !matches!(self.origin, Origin::Copy { .. } | Origin::Undecided(_)) {
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
fn since(
    workspace: &Workspace,
    agent: &str,
    session: &str,
    memory: &Memory,
) -> Result<BTreeMap<String, HashSet<EntryId>>, OpError> {
    let repo = &workspace.repo;
    let mut found: BTreeMap<String, HashSet<EntryId>> = BTreeMap::new();
    let known: Vec<ObjectId> = memory.tips.iter().filter_map(|tip| tip.parse().ok()).collect();
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
