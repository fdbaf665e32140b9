//! `enable`: from now on, what agents do here is captured.

use serde::Serialize;

use super::installation::{
    HookPlace, HookState, InstallError, Scene, Surroundings, Turn, hook_place, plan_add, plan_hooks, plan_hooks_away,
};
use super::{OpError, Workspace};
use crate::capture::Agent;
use crate::install::{AgentHooks, Change, HookFolder};

/// Asks for hooks to be installed.
#[derive(Debug, Clone)]
pub struct Enable {
    /// Which agents; those that are seen if none is named.
    pub agents: WhichAgents,
    /// Whether the files that are shared with others are to be changed.
    pub shared: bool,
    /// Whether git's hooks are wanted.
    pub git_hooks: bool,
    /// Whether agents' hooks are wanted.
    pub agent_hooks: bool,
    /// Where the user's own things are.
    pub surroundings: Surroundings,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Says which agents are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum WhichAgents {
    /// Those that are seen here; Claude Code if none is.
    #[default]
    Seen,
    /// Every one whose hooks can be installed.
    All,
    /// These.
    Named(Vec<Agent>),
}

impl WhichAgents {
    /// Reads names of agents, or `all`; no name is those that are seen.
    ///
    /// # Errors
    /// The first name that is no agent's.
    pub fn parse(names: &[&str]) -> Result<Self, String> {
        if names.contains(&"all") {
            return Ok(WhichAgents::All);
        }
        let mut agents: Vec<Agent> = Vec::new();
        for name in names {
            let agent = name.parse().map_err(|_| (*name).to_owned())?;
            if !agents.contains(&agent) {
                agents.push(agent);
            }
        }
        Ok(if agents.is_empty() { WhichAgents::Seen } else { WhichAgents::Named(agents) })
    }

    /// Returns the names of the agents whose hooks can be installed.
    pub fn names() -> Vec<&'static str> {
        AgentHooks::all().iter().map(|one| one.agent.name()).collect()
    }
}

/// Says what was installed, or taken away.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Installed {
    /// Agents' files.
    pub agents: Vec<InstalledAgent>,
    /// git's hooks.
    pub hooks: Vec<HookState>,
    /// The folder of git's hooks.
    pub hooks_folder: Option<String>,
    /// Why git's hooks were left alone.
    pub hooks_left: Option<String>,
    /// What a user can put into hooks that were left alone.
    pub hooks_line: Option<String>,
    /// Files that are now kept out of `git status`.
    pub excluded: Vec<String>,
    /// Whether anything changed, or would change.
    pub changed: bool,
}

/// Says what became of one agent's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstalledAgent {
    /// The agent.
    pub agent: &'static str,
    /// Its file, below the work tree.
    pub path: String,
    /// One word for it: `made`, `added`, `unchanged`, `removed`, `restored`, `cleaned`, `gone`, `refused`.
    pub state: &'static str,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the user has to do besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<&'static str>,
}

/// Installs hooks of agents and of git. What is there already stays; doing it twice changes nothing.
///
/// # Errors
/// When a file of an agent that was named cannot be changed, or the repository has no work tree. Nothing is changed then.
pub fn enable(workspace: &Workspace, request: &Enable) -> Result<Installed, OpError> {
    let _turn = if request.dry_run { None } else { Some(Turn::take(workspace)?) };
    enable_in_turn(workspace, request)
}

/// The same for a caller that has the turn.
pub(super) fn enable_in_turn(workspace: &Workspace, request: &Enable) -> Result<Installed, OpError> {
    let mut scene = Scene::open(workspace)?;
    let mut done = Installed::default();
    let mut changes: Vec<Change> = Vec::new();
    if request.agent_hooks {
        for hooks in agents(&scene, request)? {
            let named = matches!(request.agents, WhichAgents::Named(_));
            match plan_add(&mut scene, hooks, request.shared) {
                Ok(plan) => {
                    changes.extend(plan.changes);
                    done.agents.push(InstalledAgent {
                        agent: hooks.agent.name(),
                        path: plan.shown,
                        state: plan.state,
                        reason: None,
                        advice: hooks.advice.filter(|_| plan.state != "unchanged"),
                    });
                }
                Err(error) if named => return Err(error),
                Err(error) => done.agents.push(InstalledAgent {
                    agent: hooks.agent.name(),
                    path: hooks.file(request.shared).to_owned(),
                    state: "refused",
                    reason: Some(error.to_string()),
                    advice: None,
                }),
            }
        }
    }
    if request.git_hooks {
        changes.extend(git_hooks(&mut scene, request.shared, &mut done)?);
    }
    done.excluded = scene.record.excluded().into_iter().map(|line| line.trim_start_matches('/').to_owned()).collect();
    done.changed = !changes.is_empty();
    changes.extend(scene.plan_record()?);
    scene.apply(&changes, request.dry_run)?;
    Ok(done)
}

fn agents(scene: &Scene<'_>, request: &Enable) -> Result<Vec<&'static AgentHooks>, OpError> {
    match &request.agents {
        WhichAgents::All => Ok(AgentHooks::all().iter().collect()),
        WhichAgents::Named(named) => {
            let of = |agent: &Agent| AgentHooks::of(*agent).ok_or(InstallError::NoHooks { agent: agent.name() });
            Ok(named.iter().map(of).collect::<Result<_, _>>()?)
        }
        WhichAgents::Seen => {
            let seen = request.surroundings.agents(&scene.work_tree);
            Ok(if seen.is_empty() { AgentHooks::of(Agent::Claude).into_iter().collect() } else { seen })
        }
    }
}

/// Plans git's hooks, and remembers them.
fn git_hooks(scene: &mut Scene<'_>, may_share: bool, done: &mut Installed) -> Result<Vec<Change>, OpError> {
    let (folder, shared) = match hook_place(scene) {
        HookPlace::Folder { folder, shared } => (folder, shared),
        HookPlace::Nowhere { reason } => {
            done.hooks_left = Some(reason);
            return Ok(Vec::new());
        }
    };
    done.hooks_folder = Some(scene.shown(&folder));
    if shared && !may_share {
        done.hooks_left = Some(format!("'{}' is shared with others", scene.shown(&folder)));
        done.hooks_line = Some("git-trace hook git post-commit \"$@\" >/dev/null 2>&1 || :".to_owned());
        return Ok(Vec::new());
    }
    let (known, elsewhere) = match scene.record.hooks.clone() {
        Some(known) if known.folder == folder => (Some(known), None),
        other => (None, other),
    };
    let mut changes = Vec::new();
    if let Some(old) = elsewhere.filter(|old| old.folder.is_dir() && (may_share || !old.shared)) {
        // git does not look there any more.
        changes.extend(plan_hooks_away(&old.folder, Some(&old))?.changes);
        if old.made {
            changes.push(Change::RemoveFolder(old.folder));
        }
    }
    let with_messages = scene.workspace.flag("trace.trailer") == Some(true);
    let plan = plan_hooks(&folder, known.as_ref(), with_messages)?;
    let names = plan.states.iter().filter(|one| one.state != "refused").map(|one| one.name.to_owned()).collect();
    let made = known.map_or(!folder.exists(), |known| known.made);
    scene.record.hooks = Some(HookFolder { folder, made, shared, names, made_names: plan.made_names });
    done.hooks = plan.states;
    changes.extend(plan.changes);
    Ok(changes)
}
