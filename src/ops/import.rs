//! `import`: turns an agent's own record of a session into context branches.

mod entire;
mod memory;
mod name;
mod origin;
mod run;
mod seen;

pub use entire::{ENTIRE_BRANCH, ImportEntire, import_entire};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use self::memory::{Claim, Wanted};
pub(super) use self::memory::{Unread, bytes_read, files_of_agent};
use self::name::{agent_name, subagent_of};
use self::origin::{Copied, Origin, fork_branch};
pub(super) use self::origin::{forget_firsts, lift_firsts};
use self::run::{Run, since};
use self::seen::Seen;
use super::forget::forgotten_session;
use super::replay::{FIRST_BRANCH, subagent_name};
use super::withhold::Withhold;
use super::{OpError, Workspace};
use crate::capture::claude::{self, Summary};
use crate::capture::{Agent, CaptureError, Issue, Record, SessionFacts, recognise_file, sessions_in};
use crate::model::{Branch, Message, ObjectId};
use crate::store::Size;

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
    /// The branch with which the session was forgotten, so that nothing was done.
    pub forgotten: Option<Branch>,
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
    if let Some(branch) = forgotten_session(workspace, &session)? {
        let found = nothing(format, session, branch.agent().to_owned(), record.facts().clone());
        return Ok(Imported { forgotten: Some(branch), ..found });
    }
    let subagent = subagent_of(format, &request.path);
    let own = agent_name(format, &id);
    let (name, parent) = match (&request.name, &subagent) {
        (Some(name), _) => (Branch::new(name, FIRST_BRANCH)?.agent().to_owned(), None),
        (None, None) => (own, None),
        // Named after its parent, wherever that is: they share the session.
        (None, Some(subagent)) => {
            let parent = memory::agent_of_session(workspace, &own, &session);
            (subagent_name(&parent, subagent), Some(format!("{parent}/{FIRST_BRANCH}")))
        }
    };
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
            copied: Copied::default(),
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
        let is_settled = run.origin.is_settled();
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
        forgotten: None,
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
