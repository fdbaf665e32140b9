//! `pause` and `unpause`: while capture is paused, entries are recorded without their words.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::record::{SessionRecord, SessionState};
use crate::ops::{Import, OpError, Workspace, import};
use crate::store::StoreError;

/// How long is waited for another process that imports a session.
const WAIT: Duration = Duration::from_secs(5);

/// Says whether capture is paused, and what was caught up with before that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paused {
    /// Whether it is paused now.
    pub paused: bool,
    /// Whether that changed now.
    pub changed: bool,
    /// Sessions under way whose newest lines were read first.
    pub caught_up: usize,
}

impl Workspace {
    fn pause_path(&self) -> PathBuf {
        self.repo.trace_dir().join("paused")
    }

    /// Tells whether capture is paused.
    pub(in crate::ops) fn is_paused(&self) -> bool {
        self.pause_path().exists()
    }

    /// Reads what is new of all sessions under way, by the rules that hold now.
    fn catch_up(&self) -> usize {
        let open = |record: &SessionRecord| record.state != SessionState::Ended;
        let records = self.session_records().into_iter().filter(open);
        let requests = records.flat_map(|record| {
            let agent = record.agent.parse().ok();
            let subagents = record.subagents.into_values().filter_map(|subagent| subagent.transcript);
            let paths: Vec<PathBuf> = record.transcript.into_iter().chain(subagents).collect();
            let ask =
                move |path| Import { agent, path, name: None, dry_run: false, code: None, is_live: true, wait: WAIT };
            paths.into_iter().map(ask)
        });
        // What cannot be read now is read by the next event, with other rules: nobody can do more about it here.
        requests.filter(|request| import(self, request, &mut |_| {}).is_ok()).count()
    }
}

/// Pauses capture: what sessions say from now on is recorded without its words, until [`unpause`].
///
/// # Errors
/// When that cannot be written down.
pub fn pause(workspace: &Workspace, dry_run: bool) -> Result<Paused, OpError> {
    let changed = !workspace.is_paused();
    let mut caught_up = 0;
    if changed && !dry_run {
        caught_up = workspace.catch_up();
        let (dir, path) = (workspace.repo.trace_dir(), workspace.pause_path());
        let now = workspace.now()?;
        let written = fs::create_dir_all(&dir).and_then(|()| fs::write(&path, format!("{now}\n")));
        written.map_err(|source| StoreError::Io { action: "write", path, source })?;
    }
    Ok(Paused { paused: true, changed, caught_up })
}

/// Goes on capturing. What was said meanwhile stays without its words.
///
/// # Errors
/// When that cannot be written down.
pub fn unpause(workspace: &Workspace, dry_run: bool) -> Result<Paused, OpError> {
    let changed = workspace.is_paused();
    let mut caught_up = 0;
    if changed && !dry_run {
        caught_up = workspace.catch_up();
        let path = workspace.pause_path();
        match fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(StoreError::Io { action: "remove", path, source }.into());
            }
            _ => {}
        }
    }
    Ok(Paused { paused: false, changed, caught_up })
}
