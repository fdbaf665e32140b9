//! Mends what can be mended without a risk.

use super::{Remedy, Surroundings};
use crate::capture::Agent;
use crate::install::{Change, Record, apply};
use crate::ops::enable::{Enable, WhichAgents, enable_in_turn};
use crate::ops::installation::{InstallError, Scene};
use crate::ops::{OpError, Workspace};

/// Carries one remedy out, in the turn to install.
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
            enable_in_turn(workspace, &again(WhichAgents::Named(vec![agent]), *shared, false)).map(drop)
        }
        Remedy::GitHooks { shared } => enable_in_turn(workspace, &again(WhichAgents::Seen, *shared, true)).map(drop),
        Remedy::Forget => {
            let mut scene = Scene::open(workspace)?;
            let Record { agents, .. } = &mut scene.record;
            agents.retain(|file| file.work_tree.exists());
            let changes: Vec<Change> = scene.plan_record()?;
            scene.apply(&changes, false)
        }
        Remedy::Locks => Ok(workspace.repo.remove_stale_locks().map(drop)?),
        Remedy::SetAside(path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let names = (1..).map(|at| if at == 1 { format!("{name}.broken") } else { format!("{name}.broken-{at}") });
            let mut free = names.map(|name| path.with_file_name(name)).filter(|to| to.symlink_metadata().is_err());
            let to = free.next().expect("there are more names than files");
            let rename = [Change::Rename { from: path.clone(), to }];
            Ok(apply(&rename).map(drop).map_err(InstallError::File)?)
        }
    }
}
