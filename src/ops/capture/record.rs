//! What is remembered of a session between two events, in a file of its own: finding it never looks at other sessions.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::capture::{Agent, Event, EventKind};
use crate::model::{ObjectId, Time};
use crate::ops::{OpError, Workspace};
use crate::store::{StoreError, wait_for_lock};

/// The largest record that is read, in bytes.
const RECORD_MAX: u64 = 4 << 20;
/// Longest readable part of a file name, in characters.
const NAME_MAX: usize = 80;
/// What the name of a note ends with that tells of a missed event.
const MISSED: &str = "missed";

/// Holds what is remembered of a session. Losing it costs a list its rows; the contexts are in the branches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The version of this format: 1.
    pub version: u32,
    /// The agent's name.
    pub agent: String,
    /// The session's own id.
    pub session: String,
    /// The branch that its context goes to.
    #[serde(default)]
    pub branch: Option<String>,
    /// Its transcript.
    #[serde(default)]
    pub transcript: Option<PathBuf>,
    /// Where the agent works.
    #[serde(default)]
    pub cwd: Option<PathBuf>,
    /// When the first event came.
    pub started: String,
    /// The newest event.
    pub last_event: LastEvent,
    /// What the session does.
    pub state: SessionState,
    /// The model that spoke last.
    #[serde(default)]
    pub model: Option<String>,
    /// The commit of the code that the work tree was at.
    #[serde(default)]
    pub code: Option<String>,
    /// How long the last snapshot of the work tree took, in milliseconds.
    #[serde(default)]
    pub snapshot_ms: u64,
    /// Its subagents, by id.
    #[serde(default)]
    pub subagents: BTreeMap<String, SubagentRecord>,
    /// What a newer version remembers.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// Names the newest event of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastEvent {
    /// As the agent calls it.
    pub name: String,
    /// When it came.
    pub at: String,
}

/// Says what a session does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// It works.
    Active,
    /// It waits for its user.
    Idle,
    /// It ended.
    Ended,
}

impl SessionState {
    /// Returns the name as it stands in a record and in lists.
    pub const fn name(self) -> &'static str {
        match self {
            SessionState::Active => "active",
            SessionState::Idle => "idle",
            SessionState::Ended => "ended",
        }
    }
}

/// Holds what is remembered of a subagent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SubagentRecord {
    /// Its transcript.
    #[serde(default)]
    pub transcript: Option<PathBuf>,
    /// Bytes of it that were seen.
    #[serde(default)]
    pub bytes: u64,
}

/// Holds the lock of a session's record: no other process handles an event of this session meanwhile.
#[derive(Debug)]
pub(super) struct Turn {
    path: PathBuf,
    _lock: File,
}

impl SessionRecord {
    /// Starts to remember a session.
    fn new(agent: Agent, event: &Event, now: Time) -> Self {
        SessionRecord {
            version: 1,
            agent: agent.name().to_owned(),
            session: event.session.clone(),
            branch: None,
            transcript: None,
            cwd: None,
            started: now.to_string(),
            last_event: LastEvent { name: event.name.clone(), at: now.to_string() },
            state: SessionState::Active,
            model: None,
            code: None,
            snapshot_ms: 0,
            subagents: BTreeMap::new(),
            other: serde_json::Map::new(),
        }
    }

    /// Returns the session's name, `<agent>:<id>`, as the commits of its context have it.
    pub fn name(&self) -> String {
        format!("{}:{}", self.agent, self.session)
    }

    /// Returns the commit of the code that the work tree was at.
    pub fn code_commit(&self) -> Option<ObjectId> {
        self.code.as_deref()?.parse().ok()
    }
}

impl Workspace {
    /// Returns the folder of the records.
    pub(super) fn sessions_dir(&self) -> PathBuf {
        self.repo.trace_dir().join("sessions")
    }

    /// Waits for the turn to handle an event of a session; `None` if others are at it for longer than `wait`. Then it is
    /// noted for them that there was an event.
    pub(super) fn session_turn(&self, agent: Agent, event: &Event, wait: Duration) -> Result<Option<Turn>, OpError> {
        let dir = self.sessions_dir();
        let path = dir.join(format!("{}.json", file_name(agent, &event.session)));
        let lock_path = path.with_extension("lock");
        let io = |action, path: &Path, source| OpError::from(StoreError::Io { action, path: path.to_owned(), source });
        fs::create_dir_all(&dir).map_err(|source| io("create", &dir, source))?;
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = opened.map_err(|source| io("open", &lock_path, source))?;
        let has = |until| wait_for_lock(&lock, until).map_err(|source| io("lock", &lock_path, source));
        if !has(Instant::now() + wait)? {
            let missed = path.with_extension(MISSED);
            fs::write(&missed, &event.name).map_err(|source| io("write", &missed, source))?;
            // Noted first, and tried once more: the holder may have looked just before.
            if !has(Instant::now())? {
                return Ok(None);
            }
        }
        Ok(Some(Turn { path, _lock: lock }))
    }

    /// Reads the records of all sessions that can be read.
    pub(super) fn session_records(&self) -> Vec<SessionRecord> {
        let files = fs::read_dir(self.sessions_dir()).into_iter().flatten().filter_map(Result::ok);
        let paths = files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|end| end == "json"));
        paths.filter_map(|path| read(&path)).collect()
    }
}

/// Lists the files that remember a session, `<agent>:<id>`; whoever handles an event of it now keeps its lock.
pub(in crate::ops) fn session_files(workspace: &Workspace, session: &str) -> Vec<PathBuf> {
    let Some((agent, id)) = session.split_once(':') else { return Vec::new() };
    let Ok(agent) = agent.parse::<Agent>() else { return Vec::new() };
    let name = file_name(agent, id);
    let paths = ["json", MISSED, "lock"].map(|ending| workspace.sessions_dir().join(format!("{name}.{ending}")));
    paths.into_iter().filter(|path| path.exists()).collect()
}

impl Turn {
    /// Reads the record, or begins one.
    pub(super) fn record(&self, agent: Agent, event: &Event, now: Time) -> SessionRecord {
        // A file that makes no sense is as good as none.
        let found = read(&self.path).filter(|record| record.session == event.session);
        found.unwrap_or_else(|| SessionRecord::new(agent, event, now))
    }

    /// Takes the note of an event for which somebody had no time to wait.
    pub(super) fn take_missed(&self) -> Option<EventKind> {
        let path = self.path.with_extension(MISSED);
        let name = fs::read_to_string(&path).ok()?;
        fs::remove_file(&path).ok()?;
        Some(EventKind::of(&name))
    }

    /// Writes the record, whole or not at all.
    pub(super) fn write(&self, record: &SessionRecord) -> Result<(), OpError> {
        let io = |source| OpError::from(StoreError::Io { action: "write", path: self.path.clone(), source });
        let dir = self.path.parent().expect("it is in the folder of records");
        let mut file = tempfile::NamedTempFile::new_in(dir).map_err(io)?;
        serde_json::to_writer(&mut file, record).map_err(|error| io(error.into()))?;
        file.write_all(b"\n").map_err(io)?;
        file.persist(&self.path).map(drop).map_err(|error| io(error.error))
    }
}

fn read(path: &Path) -> Option<SessionRecord> {
    let small = fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() <= RECORD_MAX);
    let record: SessionRecord = small.then(|| serde_json::from_slice(&fs::read(path).ok()?).ok())??;
    (record.version == 1).then_some(record)
}

/// Makes a file name of a session: readable, and another one for each session.
fn file_name(agent: Agent, session: &str) -> String {
    let is_plain = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-' || one == '_';
    if session.len() <= NAME_MAX && session.chars().all(is_plain) {
        return format!("{agent}-{session}");
    }
    let plain: String = session.chars().filter(|one| is_plain(*one)).take(NAME_MAX / 2).collect();
    // A dot stands in no plain name.
    format!("{agent}-{plain}.{}", &blake3::hash(session.as_bytes()).to_hex()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_session_has_a_file_of_its_own() {
        let name = |session: &str| file_name(Agent::Claude, session);
        assert_eq!(name("1a2b-3c"), "claude-1a2b-3c");
        let names = ["A", "a", "../a", "a/../a", "", &"x".repeat(100), &"x".repeat(101), "a.b"].map(name);
        let distinct: std::collections::HashSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert!(names.iter().all(|name| !name.contains('/') && !name.contains("..") && name.len() < 120));
    }
}
