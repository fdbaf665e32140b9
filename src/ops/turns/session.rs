//! The context of the agent's own session: where it is, or becomes, a branch.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::capture::Agent;
use crate::drivers::AgentKind;
use crate::ops::{AgentFolders, Import, ListSessions, OpError, Workspace, import, sessions};

/// Folders below that of an agent which are looked into for a record.
const DEPTH: usize = 5;
/// Most files that are looked at for it, by their names.
const FILES_MAX: usize = 200_000;

/// Finds the branch of a session.
#[derive(Debug, Clone)]
pub(super) struct SessionFinder {
    /// Where agents keep their records.
    pub(super) folders: AgentFolders,
}

impl SessionFinder {
    /// Returns the branch of a session; `None` if there is none, and no record to make it of.
    ///
    /// What is new in the record of exactly this session is taken in first, as `git trace import` does.
    ///
    /// # Errors
    /// When a record that is there cannot be read.
    pub(super) fn branch_of(
        &self,
        workspace: &Workspace,
        kind: AgentKind,
        session: &str,
    ) -> Result<Option<String>, OpError> {
        let (agent, folder) = match kind {
            AgentKind::Claude => (Agent::Claude, self.folders.claude.as_ref().map(|folder| folder.join("projects"))),
            AgentKind::Codex => (Agent::Codex, self.folders.codex.as_ref().map(|folder| folder.join("sessions"))),
            AgentKind::Other => return Ok(None),
        };
        if let Some(record) = folder.and_then(|folder| record_of(&folder, session)) {
            let request = Import { agent: Some(agent), ..Import::new(record) };
            let imported = import(workspace, &request, &mut |_| {})?;
            if let Some(branch) = imported.current.or_else(|| Some(imported.branches.first()?.branch.clone())) {
                return Ok(Some(branch));
            }
        }
        let wanted = format!("{agent}:{session}");
        let listed = sessions(workspace, &ListSessions { agent: Some(agent.to_string()), ..ListSessions::default() })?;
        Ok(listed.sessions.into_iter().find(|one| one.session == wanted).map(|one| one.branch.to_string()))
    }
}

/// Finds the record of a session by its name: `<id>.jsonl`, or `<words>-<id>.jsonl`.
fn record_of(folder: &Path, session: &str) -> Option<PathBuf> {
    let names = WalkDir::new(folder).max_depth(DEPTH).into_iter().filter_map(Result::ok).take(FILES_MAX);
    let is_it = |name: &str| {
        let before = name.strip_suffix(".jsonl").and_then(|name| name.strip_suffix(session));
        before.is_some_and(|before| before.is_empty() || before.ends_with('-'))
    };
    let found =
        names.filter(|file| file.file_type().is_file()).find(|file| file.file_name().to_str().is_some_and(is_it));
    found.map(walkdir::DirEntry::into_path)
}
