//! `watch`: imports what agents write down of this repository's sessions, as they write it.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest, Sha256};

use super::import::{Import, Imported, import, records_in, subagent_files};
use super::{OpError, Workspace};
use crate::capture::{Agent, Record};

/// How often it is looked whether to end.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest marker that names a project's folder.
const MARKER_BYTES: u64 = 64 * 1024;

/// Says where agents write.
#[derive(Debug, Clone, Default)]
pub struct AgentFolders {
    /// Claude Code's: `$CLAUDE_CONFIG_DIR`, else `~/.claude`.
    pub claude: Option<PathBuf>,
    /// Codex': `$CODEX_HOME`, else `~/.codex`.
    pub codex: Option<PathBuf>,
    /// Gemini CLI's: `~/.gemini`.
    pub gemini: Option<PathBuf>,
}

/// Asks for records to be followed.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Whose; `None`: all agents'.
    pub agent: Option<Agent>,
    /// The records, or folders of records; none: those of this repository's sessions.
    pub paths: Vec<PathBuf>,
    /// Where agents write.
    pub folders: AgentFolders,
    /// How long to wait between two looks; `None`: look once.
    pub interval: Option<Duration>,
}

/// Tells what became of one record.
pub type Event<'a> = (&'a Path, Result<Imported, OpError>);

/// Imports what is new, again and again until `stop` is set; `each` is told of every record that brought something, or
/// that cannot be read.
///
/// # Errors
/// When a path that was asked for cannot be read.
pub fn watch(
    workspace: &Workspace,
    request: &Watch,
    stop: &AtomicBool,
    each: &mut dyn FnMut(Event<'_>),
) -> Result<(), OpError> {
    let mut follower = Follower { workspace, request, seen: HashMap::new(), own: HashMap::new() };
    loop {
        for (agent, path) in follower.records()? {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            if let Some(outcome) = follower.look(agent, &path) {
                each((&path, outcome));
            }
        }
        let Some(interval) = request.interval else { return Ok(()) };
        let until = Instant::now() + interval;
        while Instant::now() < until {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            std::thread::sleep(PAUSE.min(until.saturating_duration_since(Instant::now())));
        }
    }
}

/// A file's length and the moment of its last change.
type Look = (u64, Option<SystemTime>);

struct Follower<'a> {
    workspace: &'a Workspace,
    request: &'a Watch,
    /// What each record was like when it was imported.
    seen: HashMap<PathBuf, Look>,
    /// Whether a record is of this repository, once that is known.
    own: HashMap<PathBuf, bool>,
}

impl Follower<'_> {
    /// Finds the records that are followed.
    fn records(&mut self) -> Result<Vec<(Option<Agent>, PathBuf)>, OpError> {
        let mut found = Vec::new();
        for path in &self.request.paths {
            for path in records_in(self.request.agent, path)? {
                let subagents = subagent_files(&path).unwrap_or_default();
                found.extend([path].into_iter().chain(subagents).map(|path| (self.request.agent, path)));
            }
        }
        if self.request.paths.is_empty() {
            for agent in [Agent::Claude, Agent::Codex, Agent::Gemini] {
                if self.request.agent.is_none_or(|wanted| wanted == agent) {
                    found.extend(self.sessions(agent).into_iter().map(|path| (Some(agent), path)));
                }
            }
        }
        Ok(found)
    }

    /// Finds an agent's records of this repository's sessions. What cannot be listed has none: it may not be there yet.
    fn sessions(&mut self, agent: Agent) -> Vec<PathBuf> {
        let Some(root) = self.workspace.repo.work_dir().and_then(|dir| dir.canonicalize().ok()) else {
            return Vec::new();
        };
        let folders = &self.request.folders;
        let mut found = match agent {
            Agent::Claude => folders.claude.as_deref().map(|home| claude_sessions(home, &root)).unwrap_or_default(),
            Agent::Codex => folders.codex.as_deref().map(codex_sessions).unwrap_or_default(),
            _ => return folders.gemini.as_deref().map(|home| gemini_sessions(home, &root)).unwrap_or_default(),
        };
        found.retain(|path| match self.own.get(path) {
            Some(own) => *own,
            None => {
                let own = is_within(agent, path, &root);
                // The first line may not be written yet.
                if let Some(own) = own {
                    self.own.insert(path.clone(), own);
                }
                own.unwrap_or(false)
            }
        });
        if agent == Agent::Claude {
            let subagents: Vec<PathBuf> =
                found.iter().flat_map(|path| subagent_files(path).unwrap_or_default()).collect();
            found.extend(subagents);
        }
        found
    }

    /// Imports a record if it changed; `None` if nothing came of it.
    fn look(&mut self, agent: Option<Agent>, path: &Path) -> Option<Result<Imported, OpError>> {
        let now = fs::metadata(path).ok().map(|data: Metadata| (data.len(), data.modified().ok()))?;
        if self.seen.get(path) == Some(&now) {
            return None;
        }
        let request = Import { agent, is_live: true, ..Import::new(path.to_owned()) };
        let outcome = import(self.workspace, &request, &mut |_| {});
        // Who is busy brings it in; if that goes wrong, the next look does.
        if !outcome.as_ref().is_ok_and(|imported| imported.busy) {
            self.seen.insert(path.to_owned(), now);
        }
        match outcome {
            Ok(imported) if imported.commits == 0 => None,
            outcome => Some(outcome),
        }
    }
}

/// Tells whether a session runs in the work tree; `None` if the record does not say yet.
fn is_within(agent: Agent, path: &Path, root: &Path) -> Option<bool> {
    let record = Record::open(Some(agent), path).ok()?;
    let cwd = PathBuf::from(record.facts().cwd.as_deref()?);
    Some(cwd.canonicalize().unwrap_or(cwd).starts_with(root))
}

/// Lists Claude Code's transcripts of sessions in a folder and below: it names folders by their path, where all but
/// letters and digits are `-`.
fn claude_sessions(home: &Path, root: &Path) -> Vec<PathBuf> {
    let plain = |one: char| if one.is_ascii_alphanumeric() { one } else { '-' };
    let name: String = root.to_string_lossy().chars().map(plain).collect();
    let of_root = |folder: &PathBuf| {
        let folder = folder.file_name().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
        folder.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let folders = list(&home.join("projects")).into_iter().filter(of_root);
    let files = folders.flat_map(|folder| list(&folder));
    files.filter(|path| has_ending(path, "jsonl") && !starts_with(path, "agent-")).collect()
}

/// Lists Codex' rollouts: `sessions/<year>/<month>/<day>/rollout-….jsonl`.
fn codex_sessions(home: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(home.join("sessions")).max_depth(5).sort_by_file_name();
    let files = walk.into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    files.map(walkdir::DirEntry::into_path).filter(|path| has_ending(path, "jsonl")).collect()
}

/// Lists Gemini CLI's sessions: `tmp/<project>/chats/session-….json` or `.jsonl`, where the project is the hash of the
/// folder's path, or a name whose `.project_root` holds that path.
fn gemini_sessions(home: &Path, root: &Path) -> Vec<PathBuf> {
    let hash: String =
        Sha256::digest(root.as_os_str().as_encoded_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let is_own = |folder: &PathBuf| {
        let marker = folder.join(".project_root");
        let small = fs::metadata(&marker).is_ok_and(|data| data.is_file() && data.len() <= MARKER_BYTES);
        let marked = small.then(|| fs::read_to_string(&marker).ok()).flatten();
        folder.ends_with(&hash) || marked.is_some_and(|marked| Path::new(marked.trim()) == root)
    };
    let folders = list(&home.join("tmp")).into_iter().filter(is_own);
    let files = folders.flat_map(|folder| {
        let walk = walkdir::WalkDir::new(folder.join("chats")).max_depth(2).sort_by_file_name();
        walk.into_iter().filter_map(Result::ok).map(walkdir::DirEntry::into_path)
    });
    files.filter(|path| path.is_file() && (has_ending(path, "json") || has_ending(path, "jsonl"))).collect()
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    found.sort();
    found
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

fn starts_with(path: &Path, start: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start))
}
