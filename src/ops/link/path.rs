//! Paths that tool calls name, as the commits of the code have them.

use std::path::{Component, Path, PathBuf};

use crate::model::FileWrite;
use crate::ops::Workspace;

/// Knows where the work trees of a repository are.
pub(in crate::ops) struct Roots {
    /// Longest first: a linked work tree may be inside another one.
    roots: Vec<PathBuf>,
    home: Option<PathBuf>,
}

impl Roots {
    pub(in crate::ops) fn of(workspace: &Workspace) -> Self {
        let own = workspace.repo.work_dir().map(Path::to_owned).into_iter();
        let linked = workspace.repo.worktree_heads().unwrap_or_default().into_iter().map(|worktree| worktree.path);
        let mut roots: Vec<PathBuf> = own.chain(linked).filter(|root| root.is_absolute()).collect();
        roots.extend(roots.clone().iter().filter_map(|root| root.canonicalize().ok()));
        roots.sort_by_key(|root| std::cmp::Reverse(root.components().count()));
        roots.dedup();
        Roots { roots, home: std::env::var_os("HOME").map(PathBuf::from) }
    }

    /// Returns a path below the root of the work tree.
    pub(in crate::ops) fn below(&self, path: &Path) -> Option<String> {
        let path = plain(path);
        let found = self.roots.iter().find_map(|root| path.strip_prefix(root).ok().map(Path::to_owned));
        // The folder may be reached by another name.
        let found = found.or_else(|| {
            let folder = path.parent()?.canonicalize().ok()?.join(path.file_name()?);
            self.roots.iter().find_map(|root| folder.strip_prefix(root).ok().map(Path::to_owned))
        });
        found.and_then(|path| path.to_str().map(str::to_owned)).filter(|path| !path.is_empty())
    }

    /// Returns the path of a write as it is noted: below the root; with `//` before it, below a folder that is not known
    /// here, as in a session of another machine; or in full. `None` for a file outside of the repository.
    pub(in crate::ops) fn noted(&self, write: &FileWrite, session: Option<&str>) -> Option<String> {
        let home = |path: &str| match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        };
        let session = session.map(home);
        let folder = match (&write.folder, &session) {
            (Some(folder), Some(session)) => Some(session.join(home(folder))),
            (Some(folder), None) => Some(home(folder)),
            (None, session) => session.clone(),
        };
        let path = home(&write.path);
        let path = plain(&folder.as_ref().map_or_else(|| path.clone(), |folder| folder.join(&path)));
        let text = |path: &Path| path.to_str().map(str::to_owned).filter(|path| !path.is_empty());
        if !path.is_absolute() {
            return text(&path).filter(|path| !path.starts_with(".."));
        }
        if let Some(below) = self.below(&path) {
            return Some(below);
        }
        match session {
            Some(session) if self.roots.iter().any(|root| plain(&session).starts_with(root)) => None,
            Some(session) => text(path.strip_prefix(plain(&session)).ok()?).map(|path| format!("//{path}")),
            None => text(&path),
        }
    }
}

/// Says how sure it is that a noted path is that of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops) enum Fit {
    /// It is.
    Same,
    /// It has the same name below a folder that is not known here: another clone, or quite another project.
    Elsewhere,
}

/// Tells whether a noted path is this one of a commit.
pub(in crate::ops) fn fit(noted: &str, path: &str) -> Option<Fit> {
    let is = |same: bool, fit: Fit| same.then_some(fit);
    if noted == path {
        return Some(Fit::Same);
    }
    // A file's name alone is that of many files.
    let has_folder = path.contains('/');
    if let Some(below) = noted.strip_prefix("//") {
        return is(has_folder && below == path, Fit::Elsewhere);
    }
    if noted.starts_with('/') {
        return is(has_folder && ends(noted, path), Fit::Elsewhere);
    }
    // Linked work trees inside of this one, which may be gone: Claude Code's own, and those that people make.
    for (folder, fit) in [(".claude/worktrees/", Fit::Same), (".worktrees/", Fit::Elsewhere)] {
        let inner = noted.strip_prefix(folder).and_then(|rest| rest.split_once('/'));
        if let Some((_, inner)) = inner {
            return is(inner == path, fit);
        }
    }
    None
}

/// Tells whether the path in a call is the one that was noted of it; a call may write to several files.
pub(super) fn names(path: &str, noted: &str) -> bool {
    let is_relative = path.starts_with("../") || path.contains("/../") || path.contains("/./");
    let plain = |path: &str| path.trim_start_matches("./").trim_start_matches(['~', '/']).to_owned();
    let (path, noted) = (plain(path), plain(noted));
    ends(&path, &noted) || ends(&noted, &path) || is_relative
}

/// Tells whether a path ends in another one, part by part.
fn ends(longer: &str, shorter: &str) -> bool {
    longer.strip_suffix(shorter).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// Takes `.` and `..` out of a path, without looking at the disk.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FileChange;

    #[test]
    fn a_path_is_that_of_the_commit_wherever_the_session_ran() {
        let roots = Roots { roots: vec!["/r/wt".into(), "/r".into()], home: Some("/home/u".into()) };
        let noted = |path: &str, folder: Option<&str>, session: Option<&str>| {
            let change = FileChange::Whole(String::new());
            let folder = folder.map(str::to_owned);
            roots.noted(&FileWrite { call: String::new(), path: path.to_owned(), folder, change }, session)
        };
        for (path, folder, session, expected) in [
            ("/r/src/a.rs", None, None, Some("src/a.rs")),
            ("/r/wt/src/a.rs", None, Some("/r"), Some("src/a.rs")),
            ("a.rs", None, Some("/r/src"), Some("src/a.rs")),
            ("../b/./a.rs", Some("src"), Some("/r"), Some("b/a.rs")),
            ("src/a.rs", None, None, Some("src/a.rs")),
            ("/else/src/a.rs", None, Some("/else"), Some("//src/a.rs")),
            ("/tmp/a.rs", None, Some("/r"), None),
            ("/tmp/a.rs", None, None, Some("/tmp/a.rs")),
            ("../out", None, None, None),
        ] {
            assert_eq!(noted(path, folder, session).as_deref(), expected, "{path}");
        }
        for (noted, path, expected) in [
            ("a/b", "a/b", Some(Fit::Same)),
            ("b", "a/b", None),
            ("//b", "a/b", None),
            ("//b", "b", None),
            ("//a/b", "x/a/b", None),
            ("//a/b", "a/b", Some(Fit::Elsewhere)),
            ("//x/b", "a/b", None),
            ("/m/a/b", "a/b", Some(Fit::Elsewhere)),
            ("/m/b", "b", None),
            (".claude/worktrees/x/a/b", "a/b", Some(Fit::Same)),
            (".claude/worktrees/x/a/b", "b", None),
            (".worktrees/x/a/b", "a/b", Some(Fit::Elsewhere)),
            ("docs/worktrees/a/b", "a/b", None),
            ("my-worktree/b", "b", None),
            ("old/a/b", "a/b", None),
        ] {
            assert_eq!(fit(noted, path), expected, "{noted} {path}");
        }
    }
}
