//! `import`: turns an agent's own record of a session into context branches.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::link::Journal;
use super::replay::{FIRST_BRANCH, Replay};
use super::{OpError, Workspace};
use crate::capture::claude::{self, ClaudeError, Issue, Outcome, Summary, Watermark};
use crate::capture::{Conversation, Routed};
use crate::model::{Branch, EntryId, ObjectId, TouchKind};
use crate::store::{Batch, Size, StoreError};

/// Bytes at the start of a transcript in which its session id is looked for.
const HEAD_BYTES: u64 = 1 << 20;

/// Asks for a transcript of Claude Code to be imported.
#[derive(Debug, Clone)]
pub struct Import {
    /// The transcript, a JSONL file.
    pub path: PathBuf,
    /// Name of the agent whose branches it becomes; made from the session id where there is none.
    pub agent: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Says what an import found and stored.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The agent.
    pub agent: String,
    /// The branches of this record, with their newest commits.
    pub branches: Vec<ImportedBranch>,
    /// Commits that were made now.
    pub commits: u64,
    /// Entries that were stored now.
    pub entries: u64,
    /// What the whole record holds, in numbers.
    pub summary: Summary,
    /// Lines that could not be read.
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

/// What is remembered of an import, under the git directory. Losing it costs time, nothing else.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    version: u32,
    /// The importer's own watermark.
    watermark: String,
    /// The branch that each conversation's next step goes to.
    branches: BTreeMap<String, String>,
}

/// Imports a transcript of Claude Code, or what is new in it since the last time.
///
/// Importing twice changes nothing; the same transcript gives the same commits everywhere, given the same user.
/// `progress` is told the number of bytes read.
///
/// # Errors
/// When the file cannot be read or the repository cannot be written. Lines that cannot be read are no error.
pub fn import_claude(
    workspace: &Workspace,
    request: &Import,
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, OpError> {
    let read_error = |source| OpError::Read { path: request.path.display().to_string(), source };
    let mut input = BufReader::with_capacity(1 << 18, File::open(&request.path).map_err(read_error)?);
    let session = session_id(&mut input, &request.path).map_err(read_error)?;
    let agent = match &request.agent {
        Some(agent) => Branch::new(agent, FIRST_BRANCH)?.agent().to_owned(),
        None => agent_name(&session, &request.path),
    };
    let memory_path = workspace.repo.trace_dir().join("watermarks").join(format!("{agent}.json"));
    let memory = read_memory(&memory_path);

    workspace.rehearse(request.dry_run);
    let mut run = Run {
        workspace,
        agent: agent.clone(),
        session: format!("claude:{session}"),
        branches: memory.as_ref().map(|(memory, _)| memory.branches.clone()).unwrap_or_default(),
        batch: workspace.repo.begin(Size::Many)?,
        replays: BTreeMap::new(),
        failure: None,
        steps: 0,
        progress,
    };
    let watermark = memory.and_then(|(_, watermark)| watermark);
    let outcome = run.read(&mut input, watermark.as_ref());
    if let Some(error) = run.failure.take() {
        return Err(error);
    }
    let outcome = outcome.map_err(|error| match error {
        ClaudeError::Read { source } => read_error(source),
        other => read_error(std::io::Error::other(other.to_string())),
    })?;
    run.finish(outcome, request.dry_run, &memory_path)
}

/// Finds the files of the subagents of a session.
///
/// # Errors
/// When the folder cannot be listed.
pub fn subagent_files(session: &Path) -> Result<Vec<PathBuf>, OpError> {
    let read_error = |source| OpError::Read { path: session.display().to_string(), source };
    claude::subagent_files(session).map_err(read_error)
}

/// One import under way.
struct Run<'w, 'p> {
    workspace: &'w Workspace,
    agent: String,
    session: String,
    branches: BTreeMap<String, String>,
    batch: Batch<'w>,
    replays: BTreeMap<Conversation, Replay<'w>>,
    failure: Option<OpError>,
    steps: u64,
    progress: &'p mut dyn FnMut(u64),
}

impl Run<'_, '_> {
    /// Reads on from the watermark if there is one and it fits, else everything, leaving out what is known.
    fn read<R: Read + Seek>(&mut self, input: &mut R, watermark: Option<&Watermark>) -> Result<Outcome, ClaudeError> {
        if let Some(watermark) = watermark.filter(|_| self.has_branches()) {
            match claude::resume(&mut *input, watermark, &mut |routed| self.take(routed)) {
                Err(ClaudeError::Rewritten) => {}
                outcome => return outcome,
            }
        }
        self.branches.clear();
        if !self.has_branches() {
            return claude::read(input, &mut |routed| self.take(routed));
        }
        let known = match self.read_known() {
            Ok(known) => known,
            Err(error) => {
                self.failure = Some(error);
                return Err(ClaudeError::Stopped);
            }
        };
        let agent = self.agent.clone();
        let mut is_known = |conversation: &Conversation, id: EntryId| {
            known.get(&agent_of(&agent, conversation)).is_some_and(|ids| ids.contains(&id))
        };
        claude::read_unknown(input, &mut is_known, &mut |routed| self.take(routed))
    }

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

    fn take(&mut self, routed: Routed) -> ControlFlow<()> {
        match self.replay(routed) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
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
            let replay = Replay::new(self.workspace, agent, self.session.clone(), branch)?;
            self.replays.insert(conversation.clone(), replay);
        }
        let replay = self.replays.get_mut(&conversation).expect("put in above");
        replay.step(&mut self.batch, step)
    }

    fn finish(self, outcome: Outcome, dry_run: bool, memory_path: &Path) -> Result<Imported, OpError> {
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
            let message = format!("trace import claude: {commits} commits");
            self.batch.finish(&message, &who, repo.durability(true))?;
            // A cache of what is stored now: `git trace relink` makes it again.
            let journal = Journal::of(self.workspace);
            let noted = self.replays.values().try_for_each(|replay| journal.add(&replay.noting.notes));
            if let Err(error) = noted {
                self.workspace.warn(format!("cannot note what was written to files: {error}"));
            }
            // Last of all: what is imported twice is found by its ids, what is never imported is lost.
            let memory = Memory { version: 1, watermark: outcome.watermark.to_json(), branches };
            write_memory(memory_path, &memory)?;
        }
        let tips = own_branches(self.workspace, &self.agent)?;
        let Outcome { summary, issues, pending, .. } = outcome;
        Ok(Imported {
            agent: self.agent.clone(),
            branches: tips
                .into_iter()
                .map(|(branch, commit)| ImportedBranch { branch: branch.to_string(), commit })
                .collect(),
            commits,
            entries,
            summary,
            issues,
            pending,
            redacted,
        })
    }
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
        Conversation::Subagent(id) => part(&format!("{agent}-{}", id.strip_prefix("agent-").unwrap_or(id))),
    }
}

/// Names the agent of a transcript: `claude-` and the first part of the session's id; a subagent's own file adds the
/// subagent's id.
fn agent_name(session: &str, path: &Path) -> String {
    let head = session.split('-').next().unwrap_or(session);
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    match stem.strip_prefix("agent-") {
        Some(id) => part(&format!("claude-{head}-{id}")),
        None => part(&format!("claude-{head}")),
    }
}

/// Makes a text a part of a branch name.
fn part(text: &str) -> String {
    let safe = |one: char| {
        if one.is_ascii_alphanumeric() || one == '-' || one == '_' { one.to_ascii_lowercase() } else { '-' }
    };
    let text: String = text.chars().map(safe).take(60).collect();
    text.trim_matches('-').to_owned()
}

/// Finds the id of the session: in the first lines, else it is the file's name.
fn session_id<R: Read + Seek>(input: &mut R, path: &Path) -> std::io::Result<String> {
    let mut head = Vec::new();
    input.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    input.rewind()?;
    let key = b"\"sessionId\":\"";
    let found = memchr::memmem::find(&head, key).and_then(|at| {
        let rest = &head[at + key.len()..];
        let end = rest.iter().take(200).position(|byte| *byte == b'"')?;
        String::from_utf8(rest[..end].to_vec()).ok()
    });
    let stem = || path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(found.filter(|id| !id.is_empty()).unwrap_or_else(stem))
}

fn read_memory(path: &Path) -> Option<(Memory, Option<Watermark>)> {
    let memory: Memory = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let watermark = Watermark::from_json(&memory.watermark).ok().filter(|_| memory.version == 1);
    Some((memory, watermark))
}

fn write_memory(path: &Path, memory: &Memory) -> Result<(), OpError> {
    let text = serde_json::to_vec(memory).expect("text and maps are JSON");
    let folder = path.parent().unwrap_or(Path::new("."));
    let temporary = path.with_extension(format!("{:08x}", fastrand::u32(..)));
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&temporary, text))
        .and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|source| StoreError::Io { action: "write", path: path.to_owned(), source }.into())
}
