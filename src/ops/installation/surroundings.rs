//! What tells which agents a user has.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::install::AgentHooks;

/// Says where the user's own things are.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The user's home.
    pub home: Option<PathBuf>,
    /// The search path for programs.
    pub path: Option<OsString>,
}

impl Surroundings {
    /// Reads the process's own surroundings.
    pub fn of_process() -> Self {
        Surroundings { home: std::env::var_os("HOME").map(PathBuf::from), path: std::env::var_os("PATH") }
    }

    /// Finds a program on the search path.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let folders = self.path.iter().flat_map(std::env::split_paths).filter(|folder| folder.is_absolute());
        folders
            .map(|folder| folder.join(name))
            .find(|path| path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0))
    }

    /// Lists the agents that are used here: their folder is in the work tree or in the home, or their program is found.
    pub(in crate::ops) fn agents(&self, work_tree: &Path) -> Vec<&'static AgentHooks> {
        let seen = |one: &&AgentHooks| {
            one.project_signs.iter().any(|sign| work_tree.join(sign).exists())
                || self.home.iter().any(|home| one.home_signs.iter().any(|sign| home.join(sign).exists()))
                || self.program(one.program).is_some()
        };
        AgentHooks::all().iter().filter(seen).collect()
    }
}
