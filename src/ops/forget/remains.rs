//! What is remembered of branches outside of them: links, and files under the git directory.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::choose::Choice;
use crate::model::{EntryId, TouchKind};
use crate::ops::capture::session_files;
use crate::ops::import::{files_of_agent, forget_firsts};
use crate::ops::link::{Links, forget_writes, own_links};
use crate::ops::{OpError, Workspace};
use crate::store::StoreError;

/// All that is remembered of some branches.
#[derive(Debug, Default)]
pub(super) struct Remains {
    /// Files that go.
    files: Vec<PathBuf>,
    /// The index without them, if it has any of them.
    links: Option<Links>,
    branches: BTreeSet<String>,
    /// Agents of which all goes.
    agents: BTreeSet<String>,
    /// The entries of sessions that are to stay away.
    entries: BTreeSet<EntryId>,
    /// Their tombstones.
    keys: Vec<String>,
}

impl Remains {
    /// Finds what is remembered of these branches; of sessions and agents only where all of them goes.
    pub(super) fn of(workspace: &Workspace, choice: &Choice) -> Result<Self, OpError> {
        let branches: BTreeSet<String> = choice.chosen.iter().map(|one| one.branch.to_string()).collect();
        let (agents, sessions) = (choice.agents(), choice.sessions());
        let mut files: Vec<PathBuf> = sessions.iter().flat_map(|session| session_files(workspace, session)).collect();
        files.extend(agents.iter().flat_map(|agent| files_of_agent(workspace, agent)));
        let links = own_links(workspace, &|branch| branches.contains(branch))?;
        let mut remains = Remains { files, links, branches, ..Remains::default() };
        remains.agents = agents.into_iter().map(str::to_owned).collect();
        for one in choice.chosen.iter().filter(|one| !one.tombstone.sessions.is_empty()) {
            remains.keys.push(one.tombstone.key());
            let Some(tip) = one.tip else { continue };
            for commit in workspace.repo.history(&[tip], &[])? {
                let added = commit?.facts.entries.into_iter().filter(|touch| touch.kind == TouchKind::Added);
                remains.entries.extend(added.map(|touch| touch.id));
            }
        }
        Ok(remains)
    }

    /// Names the files, below the folder of our own.
    pub(super) fn names(&self, workspace: &Workspace) -> Vec<String> {
        let folder = workspace.trace_dir();
        let name = |path: &PathBuf| path.strip_prefix(&folder).unwrap_or(path).display().to_string();
        self.files.iter().map(name).collect()
    }

    /// Returns how many links go.
    pub(super) fn links(&self) -> u64 {
        self.links.as_ref().map_or(0, |links| links.gone)
    }

    /// Lets go of it.
    pub(super) fn remove(self, workspace: &Workspace) -> Result<(), OpError> {
        if let Some(links) = self.links {
            links.store(workspace)?;
        }
        forget_writes(workspace, &|branch| self.branches.contains(branch))?;
        for agent in &self.agents {
            forget_firsts(workspace, agent, &self.keys, &self.entries).map_err(|source| StoreError::Io {
                action: "write",
                path: workspace.trace_dir(),
                source,
            })?;
        }
        self.files.iter().try_for_each(|path| remove(path))
    }
}

fn remove(path: &Path) -> Result<(), OpError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::Io { action: "remove", path: path.to_owned(), source: error }.into())
        }
        _ => Ok(()),
    }
}
