//! Where commits and entries point to: other branches, commits of the code.

use std::collections::HashSet;

use super::Note;
use super::commit::Report;
use super::objects::{Objects, Trouble};
use crate::model::{Branch, Commit};
use crate::ops::{Finding, OpError, Workspace};
use crate::store::ObjectKind;

/// Holds the names of all branches, wherever they are from.
pub(super) struct Pointers {
    branches: HashSet<String>,
    agents: HashSet<String>,
}

impl Pointers {
    pub(super) fn of(workspace: &Workspace) -> Result<Self, OpError> {
        let prefix = format!("{}/", workspace.settings().ref_prefix);
        let mut branches = HashSet::new();
        for (name, _) in workspace.repo.list_refs(&prefix)? {
            let parts: Vec<&str> = name[prefix.len()..].split('/').collect();
            if let ["heads" | "aside", agent, branch] | ["remotes", _, agent, branch] = parts[..] {
                // Of what was moved aside more than once, the later copies have a number.
                let branch = branch.split_once('+').map_or(branch, |(branch, _)| branch);
                branches.insert(format!("{agent}/{branch}"));
            }
        }
        let agents = branches.iter().filter_map(|name| Some(name.split_once('/')?.0.to_owned())).collect();
        Ok(Pointers { branches, agents })
    }

    pub(super) fn check_commit(
        &mut self,
        objects: &mut Objects<'_>,
        commit: &Commit,
        report: &mut Report,
    ) -> Result<(), Trouble> {
        if let Some(parent) = commit.facts.trailer("Trace-Parent") {
            self.check_branch("Trace-Parent", parent, report);
        }
        if let Some(code) = &commit.facts.code {
            match objects.kind(code)? {
                Some(ObjectKind::Commit) => {}
                Some(kind) => {
                    let reason = format!("{} is a {kind}, not a commit", code.short(12));
                    report.findings.push(Finding::Claim { what: "Trace-Code", reason });
                }
                None => report.notes.push(Note::CodeNotHere { commit: *code }),
            }
        }
        Ok(())
    }

    /// Looks whether a branch, or an agent, is here.
    pub(super) fn check_branch(&self, what: &'static str, name: &str, report: &mut Report) {
        match Branch::parse(name, "main") {
            Err(error) => report.findings.push(Finding::Claim { what, reason: error.to_string() }),
            Ok(branch) => {
                let is_here = match name.contains('/') {
                    true => self.branches.contains(&branch.to_string()),
                    false => self.agents.contains(name),
                };
                if !is_here {
                    report.notes.push(Note::BranchNotHere { branch: name.to_owned() });
                }
            }
        }
    }
}
