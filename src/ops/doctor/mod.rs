//! `doctor`: what stands in the way of capture, each with the command that mends it.

mod finding;
mod fix;
mod installed;
mod repository;
mod sessions;
mod tools;

use std::path::PathBuf;

use serde::Serialize;

pub use finding::{Finding, Severity};
pub use sessions::SessionHealth;

use super::installation::{InstallError, Scene, Surroundings, Turn};
use super::{OpError, Workspace};
use finding::Findings;

/// Asks how things are.
#[derive(Debug, Clone, Default)]
pub struct Doctor {
    /// Whether what can be mended without a risk is to be mended.
    pub fix: bool,
    /// Whether it is only to be said what would be mended.
    pub dry_run: bool,
    /// Where the user's own things are.
    pub surroundings: Surroundings,
}

/// Says how things are.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// What was mended now, or would be.
    pub fixed: Vec<String>,
    /// Agents whose hooks are in place.
    pub agents: Vec<String>,
    /// git's hooks that are in place.
    pub hooks: Vec<&'static str>,
    /// Sessions that reported an event, the last one first.
    pub sessions: Vec<SessionHealth>,
    /// The version of git.
    pub git: Option<String>,
    /// The version of the `git trace` that hooks would run.
    pub program: Option<String>,
}

impl Diagnosis {
    /// Tells whether something needs mending.
    pub fn needs_mending(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity != Severity::Note)
    }
}

/// Looks at what is installed, at the sessions, and at the repository; mends what can be mended if asked to.
///
/// # Errors
/// When the repository cannot be read, or mending fails.
pub fn doctor(workspace: &Workspace, request: &Doctor) -> Result<Diagnosis, OpError> {
    let writes = request.fix && !request.dry_run;
    let _turn = if writes { Some(Turn::take(workspace)?) } else { None };
    let (mut before, remedies) = look(workspace, &request.surroundings)?;
    if !writes {
        let fixable = before.findings.iter().filter(|finding| request.fix && finding.fixable);
        before.fixed = fixable.map(|finding| finding.message.clone()).collect();
        return Ok(before);
    }
    for remedy in &remedies {
        fix::carry_out(workspace, remedy, &request.surroundings)?;
    }
    let (mut after, _) = look(workspace, &request.surroundings)?;
    let still = |finding: &&Finding| !after.findings.contains(finding);
    after.fixed = before.findings.iter().filter(still).map(|finding| finding.message.clone()).collect();
    Ok(after)
}

/// Says what mends something, where that is without a risk.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Remedy {
    /// Install an agent's hooks again.
    Agent { agent: String, shared: bool },
    /// Install git's hooks again.
    GitHooks { shared: bool },
    /// Forget what was installed in work trees that are gone.
    Forget,
    /// Remove locks that were left behind.
    Locks,
    /// Give a file that cannot be read another name.
    SetAside(PathBuf),
}

fn look(workspace: &Workspace, surroundings: &Surroundings) -> Result<(Diagnosis, Vec<Remedy>), OpError> {
    let mut findings = Findings::default();
    let mut diagnosis = Diagnosis {
        findings: Vec::new(),
        fixed: Vec::new(),
        agents: Vec::new(),
        hooks: Vec::new(),
        sessions: Vec::new(),
        git: None,
        program: None,
    };
    tools::look(workspace, surroundings, &mut diagnosis, &mut findings);
    match Scene::open(workspace) {
        Ok(scene) => installed::look(&scene, surroundings, &mut diagnosis, &mut findings)?,
        Err(OpError::Install(InstallError::Bare)) => {
            findings.note("hooks", "this repository is bare: no agent works in it", None)
        }
        Err(error) => return Err(error),
    }
    diagnosis.sessions = sessions::look(workspace, &mut findings);
    repository::look(workspace, &mut findings);
    let (found, remedies) = findings.finish();
    diagnosis.findings = found;
    Ok((diagnosis, remedies))
}
