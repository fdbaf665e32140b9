//! Whether what was installed is still there, and what could be installed.

use std::fs;

use super::finding::Findings;
use super::{Diagnosis, Remedy, Surroundings};
use crate::install::{AgentFile, AgentHooks, CHAINED_ENDING, Document, Form, GitHook, HookFolder, entries};
use crate::ops::OpError;
use crate::ops::installation::{HookPlace, Scene, hook_place, installed_names};

/// Looks at agents' files and git's hooks.
pub(super) fn look(
    scene: &Scene<'_>,
    surroundings: &Surroundings,
    diagnosis: &mut Diagnosis,
    findings: &mut Findings,
) -> Result<(), OpError> {
    for file in &scene.record.agents {
        if !file.work_tree.exists() {
            let place = file.work_tree.display();
            let message = format!("the worktree at '{place}' is gone, and its hooks are remembered");
            findings.fixable("record", message, "git trace doctor --fix".to_owned(), Remedy::Forget);
        } else if file.work_tree == scene.work_tree {
            lost(scene, file, findings);
        }
    }
    for hooks in AgentHooks::all() {
        if [hooks.local, hooks.shared].iter().any(|below| is_whole(scene, hooks, below)) {
            diagnosis.agents.push(hooks.agent.name().to_owned());
        }
    }
    switched_off(scene, &diagnosis.agents, findings);
    let recorded = |name: &str| scene.record.agents.iter().any(|file| file.agent == name);
    for hooks in surroundings.agents(&scene.work_tree) {
        let name = hooks.agent.name();
        if !diagnosis.agents.iter().any(|agent| agent == name) && !recorded(name) {
            let command = format!("git trace enable --agent {name}");
            findings.note("agents", format!("{name} is used here, and not captured"), Some(command));
        }
    }
    git_hooks(scene, diagnosis, findings)
}

/// Settings that keep an agent from running any hooks: the agent, the file below the work tree, the keys, the value.
const SWITCHES: [(&str, &str, &[&str], bool); 3] = [
    ("claude", ".claude/settings.local.json", &["disableAllHooks"], true),
    ("claude", ".claude/settings.json", &["disableAllHooks"], true),
    ("gemini", ".gemini/settings.json", &["hooksConfig", "enabled"], false),
];

/// Tells of agents whose hooks are in place and switched off.
fn switched_off(scene: &Scene<'_>, agents: &[String], findings: &mut Findings) {
    for (agent, below, keys, off) in SWITCHES {
        let bytes = fs::read(scene.work_tree.join(below)).unwrap_or_default();
        let value = Document::parse(&bytes).and_then(|document| document.get(keys)).ok().flatten();
        if value.and_then(|value| value.as_bool()) == Some(off) && agents.iter().any(|one| one == agent) {
            let message = format!("'{below}' switches all hooks of {agent} off");
            findings.warning("agents", message, Some(format!("take '{}' out of it", keys.join("."))));
        }
    }
}

/// Tells of a file that lost our entries.
fn lost(scene: &Scene<'_>, file: &AgentFile, findings: &mut Findings) {
    let Some(hooks) = AgentHooks::all().iter().find(|one| one.agent.name() == file.agent) else { return };
    let shown = scene.shown(&file.path);
    let shared = if file.shared { " --shared" } else { "" };
    let command = format!("git trace enable --agent {}{shared}", file.agent);
    let remedy = Remedy::Agent { agent: file.agent.clone(), shared: file.shared };
    match read(hooks, &file.path) {
        Health::Whole => {}
        Health::Gone => findings.fixable("agents", format!("'{shown}' is gone"), command, remedy),
        Health::Partial => {
            let message = format!("'{shown}' has lost entries of git trace's");
            findings.fixable("agents", message, command, remedy);
        }
        Health::Unreadable(reason) => {
            findings.warning(
                "agents",
                format!("cannot read '{shown}': {reason}"),
                Some(format!("mend it, then: {command}")),
            );
        }
    }
}

enum Health {
    Whole,
    Partial,
    Gone,
    Unreadable(String),
}

fn read(hooks: &AgentHooks, path: &std::path::Path) -> Health {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Health::Gone,
        Err(error) => return Health::Unreadable(error.to_string()),
    };
    match &hooks.form {
        Form::Whole(text) if bytes == text.as_bytes() => Health::Whole,
        Form::Whole(_) => Health::Partial,
        Form::Entries(form) => {
            let presence = Document::parse(&bytes).and_then(|now| entries::presence(&now, hooks.agent, form));
            match presence {
                Ok(entries::Presence::Whole) => Health::Whole,
                Ok(_) => Health::Partial,
                Err(error) => Health::Unreadable(error.to_string()),
            }
        }
    }
}

fn is_whole(scene: &Scene<'_>, hooks: &AgentHooks, below: &str) -> bool {
    matches!(read(hooks, &scene.work_tree.join(below)), Health::Whole)
}

fn git_hooks(scene: &Scene<'_>, diagnosis: &mut Diagnosis, findings: &mut Findings) -> Result<(), OpError> {
    let known = scene.record.hooks.as_ref();
    let again = || "git trace enable --no-agent-hooks".to_owned();
    let folder = match hook_place(scene) {
        HookPlace::Folder { folder, .. } => folder,
        HookPlace::Nowhere { reason } => {
            let message = format!("git's hooks cannot be installed: {reason}; agents' hooks and 'why' do without them");
            match known {
                None => findings.note("hooks", message, None),
                Some(known) => {
                    let place = known.folder.display();
                    findings.warning("hooks", format!("git does not look into '{place}' any more: {reason}"), None);
                }
            }
            return Ok(());
        }
    };
    diagnosis.hooks = installed_names(&folder)?;
    let missing: Vec<&str> =
        GitHook::ALL.iter().map(|hook| hook.name).filter(|name| !diagnosis.hooks.contains(name)).collect();
    match known {
        None if diagnosis.hooks.is_empty() && !diagnosis.agents.is_empty() => {
            let message =
                "git's hooks are not installed: commits are linked to sessions only when 'why' looks for them";
            findings.note("hooks", message, Some(again()));
        }
        None if diagnosis.agents.is_empty() && diagnosis.hooks.is_empty() => {
            findings.note("hooks", "nothing is installed here", Some("git trace enable".to_owned()));
        }
        None => {}
        Some(HookFolder { folder: old, shared, .. }) if *old != folder => {
            let (old, new) = (old.display(), scene.shown(&folder));
            let message = format!("git looks for hooks in '{new}' now, and they were installed in '{old}'");
            findings.fixable("hooks", message, again(), Remedy::GitHooks { shared: *shared });
        }
        Some(HookFolder { names, shared, .. }) => {
            let lost: Vec<&str> =
                missing.iter().copied().filter(|name| names.iter().any(|known| known == name)).collect();
            if !lost.is_empty() {
                let (hooks, have) = if lost.len() == 1 { ("hook", "has") } else { ("hooks", "have") };
                let message = format!(
                    "{hooks} {} {have} lost the lines of git trace's: another tool wrote anew",
                    lost.join(", ")
                );
                findings.fixable("hooks", message, again(), Remedy::GitHooks { shared: *shared });
            }
            for name in &missing {
                let beside = folder.join(format!("{name}{CHAINED_ENDING}"));
                if beside.exists() {
                    let message = format!("'{}' does not run: another hook took its place", scene.shown(&beside));
                    findings.warning("hooks", message, Some(format!("join the two by hand: '{name}' is run")));
                }
            }
        }
    }
    Ok(())
}
