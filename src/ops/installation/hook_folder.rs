//! Where git's hooks belong: in a folder that is this user's, and this repository's alone.

use std::path::{Path, PathBuf};

use super::Scene;
use crate::store::{HooksPath, Scope};

/// Says whether git's hooks can be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ops) enum HookPlace {
    /// They belong in this folder.
    Folder {
        /// The folder, as it really is.
        folder: PathBuf,
        /// Whether others get it too: it is not ignored by git.
        shared: bool,
    },
    /// They cannot be installed.
    Nowhere {
        /// Why.
        reason: String,
    },
}

/// Finds the folder in which git looks for hooks.
pub(in crate::ops) fn hook_place(scene: &Scene<'_>) -> HookPlace {
    let repo = &scene.workspace.repo;
    let nowhere = |reason: String| HookPlace::Nowhere { reason };
    let folder = match repo.hooks_path() {
        None => repo.common_dir().join("hooks"),
        Some(HooksPath { scope, value, .. }) if value.is_empty() => {
            return nowhere(format!("core.hooksPath is empty in {} configuration: git runs no hooks", scope.name()));
        }
        Some(HooksPath { scope: Scope::Repository, path, value }) => {
            if !path.exists() {
                return nowhere(format!("core.hooksPath is '{value}', where there is no folder"));
            }
            path
        }
        Some(HooksPath { scope, value, .. }) => {
            return nowhere(format!(
                "core.hooksPath is '{value}' in {} configuration, for all repositories",
                scope.name()
            ));
        }
    };
    let real = real_path(&folder);
    if folder.exists() && !folder.is_dir() {
        return nowhere(format!("'{}' is not a folder", folder.display()));
    }
    let inside = |root: &Path| root.canonicalize().is_ok_and(|root| real.starts_with(root));
    if inside(repo.common_dir()) || inside(repo.git_dir()) {
        return HookPlace::Folder { folder: real, shared: false };
    }
    if !real.starts_with(&scene.work_tree) {
        return nowhere(format!("'{}' is outside of this repository", folder.display()));
    }
    let ignored = repo.is_ignored(&scene.work_tree, &real.join("post-commit"));
    HookPlace::Folder { folder: real, shared: !ignored }
}

/// Returns where a path really is, also if its end is not there yet.
fn real_path(path: &Path) -> PathBuf {
    for above in path.ancestors() {
        if let Ok(real) = above.canonicalize() {
            let below = path.strip_prefix(above).expect("it is one of its ancestors");
            return if below.as_os_str().is_empty() { real } else { real.join(below) };
        }
    }
    path.to_owned()
}
