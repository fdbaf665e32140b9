//! `pause` and `unpause`: while capture is paused, entries are recorded without their words.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
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

    /// Reads what is new of sessions, by the rules that hold now; says how many were read, and how many could not be.
    fn catch_up(&self, wanted: &dyn Fn(&SessionRecord, &Path) -> bool) -> (usize, usize) {
        let (mut read, mut missed) = (0, 0);
        for record in self.session_records() {
            let agent = record.agent.parse().ok();
            let subagents = record.subagents.values().filter_map(|subagent| subagent.transcript.clone());
            for path in record.transcript.clone().into_iter().chain(subagents) {
                if !wanted(&record, &path) {
                    continue;
                }
                let request = Import { agent, path, name: None, dry_run: false, code: None, is_live: true, wait: WAIT };
                match import(self, &request, &mut |_| {}) {
                    Ok(imported) if !imported.busy => read += 1,
                    _ => missed += 1,
                }
            }
        }
        (read, missed)
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
        let is_open = |record: &SessionRecord, path: &Path| record.state != SessionState::Ended && path.is_file();
        (caught_up, _) = workspace.catch_up(&is_open);
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
/// When a session's record cannot be read now, so that capture stays paused; when that cannot be written down.
pub fn unpause(workspace: &Workspace, dry_run: bool) -> Result<Paused, OpError> {
    let changed = workspace.is_paused();
    let mut caught_up = 0;
    if changed && !dry_run {
        let path = workspace.pause_path();
        let time = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
        let since = time(&path);
        // What was written since has to be read while its words still stay out.
        let (read, missed) = workspace.catch_up(&|_, path| path.is_file() && time(path) >= since);
        if missed > 0 {
            return Err(OpError::StillPaused { sessions: missed });
        }
        caught_up = read;
        match fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(StoreError::Io { action: "remove", path, source }.into());
            }
            _ => {}
        }
    }
    Ok(Paused { paused: false, changed, caught_up })
}
