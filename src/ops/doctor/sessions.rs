//! What is known of sessions: their last event, and whether their transcript can still be read.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::Remedy;
use super::finding::Findings;
use crate::ops::Workspace;

/// The most sessions that are looked at, the newest ones.
const SESSIONS_MAX: usize = 1000;
/// The largest record that is read, in bytes.
const RECORD_MAX: u64 = 1 << 20;

/// Says how a session is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionHealth {
    /// Its agent's name.
    pub agent: String,
    /// Its own id.
    pub session: String,
    /// The branch that it goes to.
    pub branch: Option<String>,
    /// The last event's name.
    pub event: Option<String>,
    /// When that was, as it is recorded.
    pub at: Option<String>,
    /// Whether it is going on, as it is recorded.
    pub state: Option<String>,
    /// Bytes of the transcript that are on no branch yet.
    pub behind: Option<u64>,
}

/// Looks at all sessions, and at what is remembered of their transcripts.
pub(super) fn look(workspace: &Workspace, findings: &mut Findings) -> Vec<SessionHealth> {
    let watermarks = workspace.repo.trace_dir().join("watermarks");
    for path in newest(&watermarks, "json") {
        if object(&path).is_none() {
            let message = format!("'{}' cannot be read: the next import reads everything again", path.display());
            findings.fixable("watermarks", message, "git trace doctor --fix".to_owned(), Remedy::Remove(path));
        }
    }
    let mut sessions = Vec::new();
    for path in newest(&workspace.repo.trace_dir().join("sessions"), "json") {
        let Some(record) = object(&path) else {
            let message = format!("'{}' cannot be read: the session's next event makes it anew", path.display());
            findings.fixable("sessions", message, "git trace doctor --fix".to_owned(), Remedy::Remove(path));
            continue;
        };
        sessions.push(session(&record, &watermarks, findings));
    }
    sessions
}

fn session(record: &Value, watermarks: &Path, findings: &mut Findings) -> SessionHealth {
    let text = |key: &str| record.get(key).and_then(Value::as_str).map(str::to_owned);
    let event = record.get("last_event");
    let of_event = |key: &str| match event.and_then(|event| event.get(key)) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let mut health = SessionHealth {
        agent: text("agent").unwrap_or_else(|| "?".to_owned()),
        session: text("session").unwrap_or_else(|| "?".to_owned()),
        branch: text("branch"),
        event: of_event("name"),
        at: of_event("at"),
        state: text("state"),
        behind: None,
    };
    let Some(transcript) = text("transcript").map(PathBuf::from) else { return health };
    let name = format!("{} {}", health.agent, health.session);
    let ended = matches!(health.state.as_deref(), Some("ended" | "done" | "closed"));
    match fs::metadata(&transcript) {
        Err(_) if ended => {}
        Err(_) => {
            let message = format!("the transcript of {name} is gone: '{}'", transcript.display());
            findings.note("sessions", message, None);
        }
        Ok(found) => {
            let agent = health.branch.as_deref().and_then(|branch| branch.split('/').next()).map(str::to_owned);
            let read = agent.and_then(|agent| bytes_read(&watermarks.join(format!("{agent}.json"))));
            health.behind = read.map(|read| found.len().saturating_sub(read)).filter(|behind| *behind > 0);
            // While a session goes on, its next event catches up.
            if let (Some(behind), true) = (health.behind, ended) {
                let quoted = shlex::try_quote(&transcript.to_string_lossy()).map(|text| text.into_owned());
                let command = quoted.map(|path| format!("git trace import {} {path}", health.agent)).ok();
                findings.warning("sessions", format!("{behind} bytes of {name} are on no branch"), command);
            }
        }
    }
    health
}

/// Reads how many bytes of a transcript were taken in, from what an importer remembers.
fn bytes_read(path: &Path) -> Option<u64> {
    let memory = object(path)?;
    let own = memory.get("watermark").and_then(Value::as_str).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let watermark = own.or_else(|| memory.get("watermark").cloned()).unwrap_or(memory);
    ["length", "offset", "bytes", "size"].iter().find_map(|key| watermark.get(key)?.as_u64())
}

fn object(path: &Path) -> Option<Value> {
    let small = fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() <= RECORD_MAX);
    let bytes = small.then(|| fs::read(path).ok()).flatten()?;
    serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object)
}

/// Lists the newest files of a kind in a folder.
fn newest(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|file| file.path());
    let kind = files.filter(|path| path.extension().is_some_and(|own| own == ending));
    let changed = |path: &PathBuf| path.metadata().and_then(|data| data.modified()).ok();
    let mut dated: Vec<_> = kind.map(|path| (std::cmp::Reverse(changed(&path)), path)).collect();
    dated.sort();
    dated.into_iter().take(SESSIONS_MAX).map(|(_, path)| path).collect()
}
