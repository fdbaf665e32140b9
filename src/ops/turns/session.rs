//! The context of the agent's own session: where it is, or becomes, a branch.

use std::sync::atomic::AtomicBool;

use crate::capture::Agent;
use crate::drivers::AgentKind;
use crate::ops::{AgentFolders, ListSessions, OpError, Watch, Workspace, sessions, watch};

/// Finds the branch of a session.
#[derive(Debug, Clone)]
pub(super) struct SessionFinder {
    /// Where agents keep their records.
    pub(super) folders: AgentFolders,
}

impl SessionFinder {
    /// Returns the branch of a session; `None` if there is none, and no record to make it of.
    ///
    /// What is new in the record is taken in first, as `git trace watch --once` does.
    ///
    /// # Errors
    /// When a record that is there cannot be read.
    pub(super) fn branch_of(
        &self,
        workspace: &Workspace,
        kind: AgentKind,
        session: &str,
    ) -> Result<Option<String>, OpError> {
        let agent = match kind {
            AgentKind::Claude => Agent::Claude,
            AgentKind::Codex => Agent::Codex,
            AgentKind::Other => return Ok(None),
        };
        let wanted = format!("{agent}:{session}");
        let request = Watch { agent: Some(agent), paths: Vec::new(), folders: self.folders.clone(), interval: None };
        let mut branch = None;
        watch(workspace, &request, &AtomicBool::new(false), &mut |(_, imported)| {
            // Records of other sessions are not what this is about.
            if let Some(imported) = imported.ok().filter(|imported| imported.session == wanted) {
                branch = imported.current;
            }
        })?;
        if branch.is_some() {
            return Ok(branch);
        }
        let listed = sessions(workspace, &ListSessions { agent: Some(agent.to_string()), ..ListSessions::default() })?;
        Ok(listed.sessions.into_iter().find(|one| one.session == wanted).map(|one| one.branch.to_string()))
    }
}
