//! What is known of sessions: their last event, and whether their transcript can still be read.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Remedy;
use super::finding::Findings;
use crate::ops::import::{Unread, bytes_read};
use crate::ops::{SessionRecord, SessionState, Workspace};

/// The most sessions that are looked at, the newest ones.
const SESSIONS_MAX: usize = 1000;
/// The largest record that is read, in bytes: more than sessions write.
const RECORD_MAX: u64 = 16 << 20;
/// The version of a session's record.
const VERSION: u32 = 1;

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
        if let Err(unread) = bytes_read(&path) {
            tell_of_file("watermarks", path, unread, "the next import reads everything again", findings);
        }
    }
    let mut sessions = Vec::new();
    for path in newest(&workspace.repo.trace_dir().join("sessions"), "json") {
        match read(&path) {
            Ok(record) => sessions.push(session(&record, &watermarks, findings)),
            Err(unread) => tell_of_file("sessions", path, unread, "the session's next event makes it anew", findings),
        }
    }
    sessions
}

/// Tells of a file that cannot be read. One of a newer version is sound, and stays.
fn tell_of_file(check: &'static str, path: PathBuf, unread: Unread, without: &str, findings: &mut Findings) {
    let shown = path.display();
    match unread {
        Unread::Newer => {
            let message = format!("'{shown}' was written by a newer git trace");
            findings.note(check, message, Some("cargo install git-trace".to_owned()));
        }
        Unread::Broken => {
            let message = format!("'{shown}' cannot be read: set aside, {without}");
            findings.fixable(check, message, "git trace doctor --fix".to_owned(), Remedy::SetAside(path));
        }
    }
}

fn session(record: &SessionRecord, watermarks: &Path, findings: &mut Findings) -> SessionHealth {
    let mut health = SessionHealth {
        agent: record.agent.clone(),
        session: record.session.clone(),
        branch: record.branch.clone(),
        event: Some(record.last_event.name.clone()),
        at: Some(record.last_event.at.clone()),
        state: Some(record.state.name().to_owned()),
        behind: None,
    };
    let Some(transcript) = &record.transcript else { return health };
    let name = format!("{} {}", health.agent, health.session);
    let ended = record.state == SessionState::Ended;
    match fs::metadata(transcript) {
        Err(_) if ended => {}
        Err(_) => {
            let message = format!("the transcript of {name} is gone: '{}'", transcript.display());
            findings.note("sessions", message, None);
        }
        Ok(found) => {
            let agent = health.branch.as_deref().and_then(|branch| branch.split('/').next()).map(str::to_owned);
            let read = agent.and_then(|agent| bytes_read(&watermarks.join(format!("{agent}.json"))).ok()).flatten();
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

/// Reads a record as the next event would.
fn read(path: &Path) -> Result<SessionRecord, Unread> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let small = fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() <= RECORD_MAX);
    let bytes = small.then(|| fs::read(path).ok()).flatten().ok_or(Unread::Broken)?;
    if serde_json::from_slice::<Version>(&bytes).is_ok_and(|found| found.version > VERSION) {
        return Err(Unread::Newer);
    }
    serde_json::from_slice(&bytes).map_err(|_| Unread::Broken)
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
