//! `hook`: what an agent's hook sets off. Work is proportional to what is new in this session, and never waits for it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::record::{SessionRecord, SessionState, Turn};
use super::subagents;
use crate::capture::{Agent, Event, EventKind};
use crate::model::{Branch, ObjectId};
use crate::ops::forget::forgotten_session;
use crate::ops::{Import, Imported, Moment, OpError, Workspace, import, link_arrived, take_snapshot};

/// How long is waited for another process that handles an event of the same session: a later event catches up.
const WAIT: Duration = Duration::from_millis(300);
/// At the end of a session no later event comes; Claude Code kills what takes longer than 1.5 seconds.
const LAST_WAIT: Duration = Duration::from_millis(600);
/// What is left of that time for the records of subagents.
const LAST_WORK: Duration = Duration::from_millis(900);
/// A snapshot that took longer than this is taken no more after each tool call, but once a prompt.
const SNAPSHOT_QUICK: u64 = 60;
/// One that took longer than this is not taken while anybody waits.
const SNAPSHOT_SLOW: u64 = 1000;

/// Tools that only look, by the names that agents give them: no file is another after them.
const LOOKING: [&str; 16] = [
    "Read",
    "Grep",
    "Glob",
    "LS",
    "NotebookRead",
    "WebFetch",
    "WebSearch",
    "TodoWrite",
    "TodoRead",
    "ToolSearch",
    "read_file",
    "read_many_files",
    "list_directory",
    "glob",
    "search_file_content",
    "google_web_search",
];

/// Is what an agent's hook was told.
#[derive(Debug, Clone)]
pub struct Hook {
    /// The agent.
    pub agent: Agent,
    /// The event, where what it was told does not name it.
    pub event: Option<String>,
    /// What came on its standard input.
    pub payload: Vec<u8>,
    /// The folder of the project, where the agent tells it apart from where it works.
    pub project: Option<PathBuf>,
}

/// Says what a hook did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Hooked {
    /// Why nothing was done.
    pub unheard: Option<Unheard>,
    /// The branch of the session.
    pub branch: Option<String>,
    /// Commits that were made.
    pub commits: u64,
    /// Whether a snapshot of the work tree was kept.
    pub snapshot: bool,
}

/// Says why a hook did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unheard {
    /// It names no session.
    NoSession,
    /// Nobody asked for capture in this repository.
    NotEnabled,
    /// The session was forgotten, here or by somebody else.
    Forgotten,
    /// Another process handles an event of this session; a later event catches up.
    Busy,
}

/// Takes in what an agent's hook tells: the new lines of the session's record, and the work tree when a person spoke,
/// a tool ran, or the agent came to an end.
///
/// `dir` is where the hook runs, for payloads that name no folder.
///
/// # Errors
/// When there is no repository, or it cannot be written. The caller tells nobody: it is a hook.
pub fn hook(dir: &Path, request: &Hook) -> Result<Hooked, OpError> {
    let begun = Instant::now();
    let Some(event) = Event::read(&request.payload, request.event.as_deref()) else {
        return Ok(Hooked::unheard(Unheard::NoSession));
    };
    let place = request.project.clone().or_else(|| event.cwd.clone()).filter(|path| path.is_dir());
    let workspace = Workspace::discover(place.as_deref().unwrap_or(dir), None, None)?;
    if !workspace.is_capturing() {
        return Ok(Hooked::unheard(Unheard::NotEnabled));
    }
    if forgotten_session(&workspace, &format!("{}:{}", request.agent, event.session))?.is_some() {
        // A line when it begins and whenever a person speaks; it does not name what was forgotten.
        if matches!(event.kind, EventKind::SessionStart | EventKind::Prompt) {
            let what = "the session was forgotten, and is not captured (git for-each-ref refs/trace/forgotten)";
            super::note_failure(&workspace.trace_dir(), &event.name, what);
        }
        return Ok(Hooked::unheard(Unheard::Forgotten));
    }
    let is_last = event.kind == EventKind::SessionEnd;
    let wait = if is_last { LAST_WAIT } else { WAIT };
    let Some(turn) = workspace.session_turn(request.agent, &event, wait)? else {
        return Ok(Hooked::unheard(Unheard::Busy));
    };
    let now = workspace.now()?;
    let mut record = turn.record(request.agent, &event, now);
    record.take(&event, now.to_string());
    let (agent, code, hooked) = (request.agent, workspace.repo.code_commit(), Hooked::default());
    let mut scene = Scene { workspace: &workspace, agent, code, turn, record, hooked };
    // What fails is remembered as seen all the same: the record says when the last event came.
    let imported = scene.import_session(wait);
    let subagents = scene.import_subagents(&event, begun, wait);
    let linked = scene.link_code();
    // Whoever is killed from here on has been heard.
    scene.turn.write(&scene.record)?;
    let kept = scene.keep_work_tree(&event);
    let missed = scene.hear_missed(wait);
    scene.turn.write(&scene.record)?;
    imported.and(subagents).and(kept).and(linked).and(missed)?;
    Ok(scene.hooked)
}

impl Hooked {
    fn unheard(why: Unheard) -> Self {
        Hooked { unheard: Some(why), ..Hooked::default() }
    }
}

impl Workspace {
    /// Tells whether sessions are captured here: `trace.capture` says so, or, where it is not set, `git trace enable`.
    fn is_capturing(&self) -> bool {
        self.flag("trace.capture").unwrap_or_else(|| self.trace_dir().join("installed.json").exists())
    }
}

impl SessionRecord {
    /// Takes in what an event tells of the session.
    fn take(&mut self, event: &Event, now: String) {
        self.last_event.name.clone_from(&event.name);
        self.last_event.at = now;
        self.transcript = event.transcript.clone().or(self.transcript.take());
        self.cwd = event.cwd.clone().or(self.cwd.take());
        self.model = event.model.clone().or(self.model.take());
        self.state = match event.kind {
            EventKind::SessionEnd => SessionState::Ended,
            EventKind::Stop => SessionState::Idle,
            // An old event that comes late wakes nobody.
            EventKind::SubagentStop | EventKind::Other => self.state,
            _ => SessionState::Active,
        };
    }
}

/// One event under way.
struct Scene<'w> {
    workspace: &'w Workspace,
    agent: Agent,
    /// The commit of the code that the work tree is at.
    code: Option<ObjectId>,
    turn: Turn,
    record: SessionRecord,
    hooked: Hooked,
}

impl Scene<'_> {
    /// Reads what is new in the session's own record.
    fn import_session(&mut self, wait: Duration) -> Result<(), OpError> {
        // A pipe, or a device, would keep us waiting.
        let is_record = |path: &PathBuf| path.is_file() || path.is_dir();
        let Some(path) = self.record.transcript.clone().filter(is_record) else { return Ok(()) };
        let imported = self.import(path, wait)?;
        self.record.branch = imported.current.or(self.record.branch.take());
        self.hooked.branch.clone_from(&self.record.branch);
        Ok(())
    }

    /// Reads what is new in the records of its subagents.
    fn import_subagents(&mut self, event: &Event, begun: Instant, wait: Duration) -> Result<(), OpError> {
        let is_last = event.kind == EventKind::SessionEnd;
        let look = is_last || event.kind == EventKind::Stop;
        for (id, path, bytes) in subagents::grown(&mut self.record, event, look) {
            if is_last && begun.elapsed() > LAST_WORK {
                break;
            }
            if !self.import(path, wait)?.busy {
                self.record.subagents.entry(id).or_default().bytes = bytes;
            }
        }
        Ok(())
    }

    /// Hears the events for which others had no time to wait.
    fn hear_missed(&mut self, wait: Duration) -> Result<(), OpError> {
        while let Some(missed) = self.turn.take_missed() {
            self.record.state = if missed == EventKind::SessionEnd { SessionState::Ended } else { self.record.state };
            self.import_session(wait)?;
        }
        Ok(())
    }

    /// Imports a record.
    fn import(&mut self, path: PathBuf, wait: Duration) -> Result<Imported, OpError> {
        let (agent, code) = (Some(self.agent), self.code);
        let request = Import { agent, path, name: None, dry_run: false, code, is_live: true, wait };
        let imported = import(self.workspace, &request, &mut |_| {})?;
        self.hooked.commits += imported.commits;
        Ok(imported)
    }

    /// Links the commits of the code that came since the last event: git's own hooks may not be installed, or ran before
    /// the record told what was written.
    fn link_code(&mut self) -> Result<(), OpError> {
        let Some(now) = self.code else { return Ok(()) };
        let before = self.record.code.replace(now.to_string());
        match before.filter(|before| *before != now.to_string()) {
            Some(_) => link_arrived(self.workspace, now).map(drop),
            None => Ok(()),
        }
    }

    /// Keeps the work tree, where it may be another one than at the last event.
    fn keep_work_tree(&mut self, event: &Event) -> Result<(), OpError> {
        let Some(branch) = &self.record.branch else { return Ok(()) };
        let branch = Branch::parse(branch, Branch::default().agent())?;
        let looks = event.tool.as_deref().is_some_and(|tool| LOOKING.contains(&tool));
        let limit = match event.kind {
            EventKind::AfterTool if !looks => SNAPSHOT_QUICK,
            EventKind::Prompt | EventKind::Stop => SNAPSHOT_SLOW,
            _ => return Ok(()),
        };
        let repo = &self.workspace.repo;
        let wanted = self.workspace.flag("trace.snapshots") != Some(false);
        if event.kind == EventKind::Prompt {
            // What was slow once may be quick again.
            self.record.snapshot_ms /= 2;
        }
        // While capture is paused, files are not kept either.
        if !wanted || self.workspace.is_paused() || self.record.snapshot_ms > limit || repo.work_dir().is_none() {
            return Ok(());
        }
        let begun = Instant::now();
        let moment = Moment {
            agent: branch.agent().to_owned(),
            commit: repo.find_ref_id(&repo.branch_ref(&branch))?,
            session: Some(self.record.name()),
            call: event.call.clone().filter(|_| event.kind == EventKind::AfterTool),
            reason: match &event.tool {
                Some(tool) => format!("{} {tool}", event.name),
                None => event.name.clone(),
            },
        };
        self.hooked.snapshot = take_snapshot(self.workspace, &moment)?.is_new;
        self.record.snapshot_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(())
    }
}
