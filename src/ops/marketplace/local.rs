//! What a path of this machine is: a repository, or a plain folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::MarketError;

/// Manifests, one of which makes a folder a marketplace.
pub(super) const MANIFESTS: [&str; 3] =
    [".athena-workflow/marketplace.json", ".claude-plugin/marketplace.json", ".agents/plugins/marketplace.json"];

/// How many folders upwards are looked at.
const UPWARDS_MAX: usize = 64;

/// Says what a path of this machine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A repository: bare, or the top of its work tree. It is read at a commit.
    Repository(PathBuf),
    /// A folder, read as it is.
    Folder(PathBuf),
}

/// Finds out what a path is. Within a repository the nearest folder upwards that has a manifest is meant; nothing above
/// the repository is ever looked at, and nothing above a path that is in none.
pub(super) fn place_of(path: &str, from: &Path) -> Result<Place, MarketError> {
    let given = expand(path, from);
    let missing = || MarketError::NoSuchPath { path: given.display().to_string() };
    let mut real = given.canonicalize().map_err(|_| missing())?;
    if real.is_file() {
        // A manifest stands for its marketplace.
        real.pop();
    }
    if is_repository(&real) {
        return Ok(Place::Repository(real));
    }
    let upwards: Vec<&Path> = real.ancestors().take(UPWARDS_MAX).collect();
    let Some(top) = upwards.iter().position(|folder| is_repository(folder)) else { return Ok(Place::Folder(real)) };
    let has_manifest = |folder: &&&Path| MANIFESTS.iter().any(|manifest| is_plain_file(&folder.join(manifest)));
    let found = upwards[..=top].iter().find(has_manifest);
    Ok(match found {
        Some(folder) if *folder == upwards[top] => Place::Repository(upwards[top].to_owned()),
        Some(folder) => Place::Folder(folder.to_path_buf()),
        None => Place::Folder(real),
    })
}

/// Returns a path as it is meant from a folder; `~/` is the user's home.
pub(in crate::ops) fn expand(path: &str, from: &Path) -> PathBuf {
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    match (path, path.strip_prefix("~/")) {
        ("~", _) => home().unwrap_or_else(|| from.join(path)),
        (_, Some(rest)) => home().map_or_else(|| from.join(path), |home| home.join(rest)),
        _ => from.join(path),
    }
}

/// Tells whether a folder is a repository, or the top of the work tree of one, by what git looks for.
fn is_repository(folder: &Path) -> bool {
    let is_git_dir = |folder: &Path| {
        folder.join("HEAD").is_file() && folder.join("objects").is_dir() && folder.join("refs").is_dir()
    };
    is_git_dir(folder) || is_git_dir(&folder.join(".git")) || folder.join(".git").is_file()
}

fn is_plain_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_ends_at_the_repository() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path().canonicalize().expect("a folder");
        let make = |path: &str| fs::create_dir_all(root.join(path)).expect("a folder");
        for path in [
            ".claude-plugin",
            "market/.git/objects",
            "market/.git/refs",
            "market/.claude-plugin",
            "market/a/b",
            "other/c",
        ] {
            make(path);
        }
        make("market/nested/.agents/plugins");
        for file in [
            ".claude-plugin/marketplace.json",
            "market/.git/HEAD",
            "market/.claude-plugin/marketplace.json",
            "market/nested/.agents/plugins/marketplace.json",
        ] {
            fs::write(root.join(file), "{}").expect("a file");
        }
        let place = |path: &str| place_of(path, &root).expect(path);
        assert_eq!(place("market"), Place::Repository(root.join("market")));
        assert_eq!(place("market/a/b"), Place::Repository(root.join("market")));
        assert_eq!(place("market/.claude-plugin/marketplace.json"), Place::Repository(root.join("market")));
        assert_eq!(place("market/nested"), Place::Folder(root.join("market/nested")));
        // The manifest above is not theirs: they are in no repository.
        assert_eq!(place("other/c"), Place::Folder(root.join("other/c")));
        assert!(matches!(place_of("none", &root), Err(MarketError::NoSuchPath { .. })));
        fs::remove_file(root.join("market/.claude-plugin/marketplace.json")).expect("a file");
        assert_eq!(place("market/a/b"), Place::Folder(root.join("market/a/b")));
    }
}
