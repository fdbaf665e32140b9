//! `disable`: takes out what `enable` put in, and nothing else.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::enable::{Installed, InstalledAgent, WhichAgents};
use super::installation::{HookPlace, Scene, Turn, hook_place, plan_hooks_away, plan_remove};
use super::{OpError, Workspace};
use crate::install::{AgentHooks, Change};

/// Asks for hooks to be taken away.
#[derive(Debug, Clone)]
pub struct Disable {
    /// Which agents; all that are installed if none is named.
    pub agents: WhichAgents,
    /// Whether files that are shared with others may be changed.
    pub shared: bool,
    /// Whether git's hooks are to go.
    pub git_hooks: bool,
    /// Whether agents' hooks are to go.
    pub agent_hooks: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Takes hooks of agents and of git away. A file to which nobody else wrote is as it was before, byte for byte.
///
/// git's hooks stay when only some agents were named.
///
/// # Errors
/// When a file cannot be changed; nothing is changed then.
pub fn disable(workspace: &Workspace, request: &Disable) -> Result<Installed, OpError> {
    let _turn = if request.dry_run { None } else { Some(Turn::take(workspace)?) };
    let mut scene = Scene::open(workspace)?;
    let mut done = Installed::default();
    let mut changes: Vec<Change> = Vec::new();
    let named = match &request.agents {
        WhichAgents::Named(named) => Some(named),
        WhichAgents::Seen | WhichAgents::All => None,
    };
    let wanted = |one: &&AgentHooks| named.is_none_or(|named| named.contains(&one.agent));
    for hooks in AgentHooks::all().iter().filter(wanted).filter(|_| request.agent_hooks) {
        let files: &[bool] = if hooks.local == hooks.shared { &[false] } else { &[false, true] };
        for shared in files {
            let entry = |path: String, state, reason| InstalledAgent {
                agent: hooks.agent.name(),
                path,
                state,
                reason,
                advice: None,
            };
            match plan_remove(&mut scene, hooks, *shared, request.shared) {
                Ok(None) => {}
                Ok(Some(plan)) => {
                    changes.extend(plan.changes);
                    done.agents.push(entry(plan.shown, plan.state, None));
                }
                Err(error @ OpError::Install(_)) if named.is_none() => {
                    done.agents.push(entry(hooks.file(*shared).to_owned(), "refused", Some(error.to_string())));
                }
                Err(error) => return Err(error),
            }
        }
    }
    if request.git_hooks && named.is_none() {
        changes.extend(git_hooks(&mut scene, request.shared, &mut done)?);
    }
    done.changed = !changes.is_empty();
    changes.extend(scene.plan_record()?);
    scene.apply(&changes, request.dry_run)?;
    Ok(done)
}

/// Plans git's hooks away, where they were installed and where they would be now.
fn git_hooks(scene: &mut Scene<'_>, may_share: bool, done: &mut Installed) -> Result<Vec<Change>, OpError> {
    let known = scene.record.hooks.clone();
    // Other worktrees still work with the same hooks.
    let own = scene.work_tree.clone();
    let elsewhere = scene.record.agents.iter().find(|file| file.work_tree != own && file.path.exists());
    if let Some(file) = elsewhere.filter(|_| known.is_some()) {
        done.hooks_left = Some(format!("the worktree at '{}' uses them", file.work_tree.display()));
        return Ok(Vec::new());
    }
    let mut folders: Vec<(PathBuf, bool)> = Vec::new();
    folders.extend(known.as_ref().map(|known| (known.folder.clone(), known.shared)));
    if let HookPlace::Folder { folder, shared } = hook_place(scene) {
        folders.push((folder, shared));
    }
    // Where they were before another folder was named, if nobody remembers.
    folders.extend(real_folder(&scene.workspace.repo.common_dir().join("hooks")).map(|folder| (folder, false)));
    let mut seen = HashSet::new();
    folders.retain(|(folder, _)| folder.is_dir() && seen.insert(folder.clone()));
    let mut changes = Vec::new();
    for (folder, shared) in folders {
        let known = known.as_ref().filter(|known| known.folder == folder);
        let plan = plan_hooks_away(&folder, known)?;
        if plan.changes.is_empty() && plan.states.is_empty() {
            continue;
        }
        done.hooks_folder = Some(scene.shown(&folder));
        if shared && !may_share {
            done.hooks_left = Some(format!("'{}' is shared with others", scene.shown(&folder)));
            return Ok(changes);
        }
        done.hooks.extend(plan.states);
        changes.extend(plan.changes);
        if known.is_some_and(|known| known.made) {
            changes.push(Change::RemoveFolder(folder));
        }
    }
    scene.record.hooks = None;
    Ok(changes)
}

/// Returns git's own folder of hooks, unless it is a link to elsewhere.
fn real_folder(folder: &Path) -> Option<PathBuf> {
    folder.canonicalize().ok().filter(|_| !folder.is_symlink())
}
