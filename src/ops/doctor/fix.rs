//! Mends what can be mended without a risk.

use super::{Remedy, Surroundings};
use crate::capture::Agent;
use crate::install::{Change, Record};
use crate::ops::enable::{Enable, WhichAgents, enable};
use crate::ops::installation::Scene;
use crate::ops::{OpError, Workspace};
use crate::store::StoreError;

/// Carries one remedy out.
pub(super) fn carry_out(workspace: &Workspace, remedy: &Remedy, surroundings: &Surroundings) -> Result<(), OpError> {
    let again = |agents, shared, git_hooks| Enable {
        agents,
        shared,
        git_hooks,
        agent_hooks: !git_hooks,
        surroundings: surroundings.clone(),
        dry_run: false,
    };
    match remedy {
        Remedy::Agent { agent, shared } => {
            let agent: Agent =
                agent.parse().map_err(|_| OpError::Request { reason: format!("unknown agent '{agent}'") })?;
            enable(workspace, &again(WhichAgents::Named(vec![agent]), *shared, false)).map(drop)
        }
        Remedy::GitHooks { shared } => enable(workspace, &again(WhichAgents::Seen, *shared, true)).map(drop),
        Remedy::Forget => {
            let mut scene = Scene::open(workspace)?;
            let Record { agents, .. } = &mut scene.record;
            agents.retain(|file| file.work_tree.exists());
            let changes: Vec<Change> = scene.plan_record()?;
            scene.apply(&changes, false)
        }
        Remedy::Locks => Ok(workspace.repo.remove_stale_locks().map(drop)?),
        Remedy::Remove(path) => {
            let io = |source| StoreError::Io { action: "remove", path: path.clone(), source };
            Ok(std::fs::remove_file(path).map_err(io)?)
        }
    }
}
