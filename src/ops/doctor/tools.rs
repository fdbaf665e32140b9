//! The programs that capture needs: git, and git trace itself.

use super::finding::Findings;
use super::{Diagnosis, Surroundings};
use crate::ops::Workspace;

/// Looks for git, and for the program that hooks run.
pub(super) fn look(
    workspace: &Workspace,
    surroundings: &Surroundings,
    diagnosis: &mut Diagnosis,
    findings: &mut Findings,
) {
    match workspace.repo.git_version() {
        Ok(version) => diagnosis.git = Some(version),
        Err(error) => return findings.error("git", error.to_string(), "put git on the search path (PATH)"),
    }
    if surroundings.program("git-trace").is_none() {
        let command = "cargo install git-trace, and put ~/.cargo/bin on the search path (PATH)";
        return findings.error("program", "'git-trace' is not on the search path: no hook does anything", command);
    }
    diagnosis.program = workspace.repo.installed_version();
    let own = env!("CARGO_PKG_VERSION");
    match diagnosis.program.as_deref() {
        Some(version) if version == own => {}
        Some(version) => findings.warning(
            "program",
            format!("hooks run git-trace {version}, and this is {own}"),
            Some("cargo install git-trace".to_owned()),
        ),
        None => findings.error("program", "the 'git-trace' on the search path does not run", "cargo install git-trace"),
    }
}
