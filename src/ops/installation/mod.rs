//! What `enable`, `disable` and `doctor` have in common: the record of what is installed, and where things belong.

mod agent_file;
mod chain;
mod hook_folder;
mod hook_state;
mod refusal;
mod surroundings;
mod turn;

use std::fs;
use std::path::{Path, PathBuf};

pub(super) use agent_file::{plan_add, plan_remove};
pub(super) use hook_folder::{HookPlace, hook_place};
pub use hook_state::HookState;
pub(super) use hook_state::{installed_names, plan_hooks, plan_hooks_away};
pub use refusal::InstallError;
pub use surroundings::Surroundings;
pub(super) use turn::Turn;

use super::{OpError, Workspace};
use crate::install::{self, Change, FileEdit, Record, exclude};

/// The name of the record, in our folder.
const RECORD: &str = "installed.json";

/// Holds what an installation works with.
pub(super) struct Scene<'w> {
    pub(super) workspace: &'w Workspace,
    /// The top of the work tree, as it really is.
    pub(super) work_tree: PathBuf,
    pub(super) record: Record,
    /// What the record's file holds.
    record_bytes: Option<Vec<u8>>,
}

impl<'w> Scene<'w> {
    /// Reads what is installed.
    pub(super) fn open(workspace: &'w Workspace) -> Result<Self, OpError> {
        let work_tree = workspace.repo.work_dir().ok_or(InstallError::Bare)?;
        let read = |source| OpError::Read { path: work_tree.display().to_string(), source };
        let work_tree = work_tree.canonicalize().map_err(read)?;
        let record_bytes = fs::read(record_path(workspace)).ok();
        let record = record_bytes.as_deref().map(Record::parse);
        if matches!(record, Some(None)) {
            workspace.warn(format!("'{}' cannot be read: it is made anew", record_path(workspace).display()));
        }
        Ok(Scene { workspace, work_tree, record: record.flatten().unwrap_or_default(), record_bytes })
    }

    /// Returns a path of the work tree as people write it.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.work_tree).unwrap_or(path).display().to_string()
    }

    /// Returns the changes that bring the list of ignored files and the record up to date.
    pub(super) fn plan_record(&mut self) -> Result<Vec<Change>, OpError> {
        let mut changes = Vec::new();
        let path = self.workspace.repo.common_dir().join("info/exclude");
        let before = match fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(source) => return Err(OpError::Read { path: path.display().to_string(), source }),
        };
        let after = exclude::with_lines(before.as_deref(), &self.record.excluded());
        let is_link = fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
        if is_link && before != after {
            // Whoever it is shared with should not get our lines.
            self.workspace.warn(format!("'{}' is a link, and stays as it is", path.display()));
        }
        let emptied = self.record.made_exclude && after.as_ref().is_some_and(Vec::is_empty);
        let after = after.filter(|_| !emptied);
        let made = after.is_some() && !is_link;
        let info = path.parent().filter(|info| self.record.made_info || !info.exists()).map(Path::to_owned);
        self.record.made_exclude = made && (before.is_none() || self.record.made_exclude);
        self.record.made_info = made && info.is_some();
        if before != after && !is_link {
            changes.push(Change::Edit(FileEdit { path, before, after, mode: 0o666 }));
        }
        changes.extend(info.filter(|info| !made && info.exists()).map(Change::RemoveFolder));

        let path = record_path(self.workspace);
        let after = if self.record.is_empty() {
            None
        } else {
            Some(self.record.to_bytes().map_err(|_| InstallError::NotText)?)
        };
        if self.record_bytes != after {
            let before = self.record_bytes.clone();
            changes.push(Change::Edit(FileEdit { path: path.clone(), before, after: after.clone(), mode: 0o600 }));
        }
        if after.is_none() {
            changes.extend(path.parent().map(|folder| Change::RemoveFolder(folder.to_owned())));
        }
        Ok(changes)
    }

    /// Carries changes out, unless it is a rehearsal.
    pub(super) fn apply(&self, changes: &[Change], dry_run: bool) -> Result<(), OpError> {
        if dry_run {
            return Ok(());
        }
        self.workspace.repo.check_quarantine()?;
        install::apply(changes).map_err(InstallError::File)?;
        Ok(())
    }
}

/// Returns where it is remembered what is installed.
pub(super) fn record_path(workspace: &Workspace) -> PathBuf {
    workspace.repo.trace_dir().join(RECORD)
}

/// Returns the folders above a path that are not there, the outer one first.
fn missing_folders(path: &Path) -> Vec<PathBuf> {
    let missing = path.ancestors().skip(1).take_while(|above| !above.exists()).map(Path::to_owned);
    let mut missing: Vec<PathBuf> = missing.collect();
    missing.reverse();
    missing
}
