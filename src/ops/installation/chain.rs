//! Hooks that were moved aside and run beside ours: under their own name, with their neighbours beside them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::install::{CHAINED_ENDING, CHAINED_FOLDER, Change, GitHook};
use crate::ops::OpError;

/// The most neighbours that get a link.
const NEIGHBOURS_MAX: usize = 200;

/// Plans the folder of links through which hooks that were moved aside are run, so that they see their own name. What
/// else is in the folder of hooks gets a link there too: a hook may look beside itself.
///
/// `originals` names each hook, and where it is now.
pub(super) fn plan_links(folder: &Path, originals: &[(GitHook, PathBuf)]) -> Result<Vec<Change>, OpError> {
    let links = folder.join(CHAINED_FOLDER);
    if links.is_symlink() {
        // Somebody else's, and it may lead out of the repository. Hooks run without links too.
        return Ok(Vec::new());
    }
    let mut wanted: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    if !originals.is_empty() {
        let neighbours = names(folder)?.into_iter().filter(|name| is_neighbour(name)).take(NEIGHBOURS_MAX);
        wanted.extend(neighbours.map(|name| (name.clone(), Path::new("..").join(name))));
        wanted.extend(originals.iter().map(|(hook, at)| (hook.name.into(), target(hook, at))));
    }
    let mut changes = Vec::new();
    let found = names(&links)?;
    for name in &found {
        let path = links.join(name);
        // What is no link is not ours.
        let Ok(target) = fs::read_link(&path) else { continue };
        let is_ours = target == Path::new("..").join(name) || GitHook::ALL.iter().any(|hook| name == hook.name);
        match wanted.get(name) {
            Some(same) if *same == target => {}
            None if !is_ours => {}
            _ => changes.push(Change::RemoveLink { path, target }),
        }
    }
    for (name, target) in wanted {
        let path = links.join(&name);
        let is_there = fs::read_link(&path).is_ok_and(|now| now == target);
        if !is_there && (path.is_symlink() || fs::symlink_metadata(&path).is_err()) {
            changes.push(Change::Link { path, target });
        }
    }
    if originals.is_empty() && links.is_dir() {
        changes.push(Change::RemoveFolder(links));
    }
    Ok(changes)
}

/// Where the link to a hook leads: to the hook, or where the hook itself leads if it is a link.
fn target(hook: &GitHook, at: &Path) -> PathBuf {
    match fs::read_link(at) {
        // One that is absolute stays as it is.
        Ok(target) => Path::new("..").join(target),
        Err(_) => Path::new("..").join(format!("{}{CHAINED_ENDING}", hook.name)),
    }
}

fn is_neighbour(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let is_ours = name.starts_with(".git-trace-") || name.ends_with(CHAINED_ENDING) || name == CHAINED_FOLDER;
    !is_ours && !name.ends_with(".sample") && GitHook::ALL.iter().all(|hook| hook.name != name)
}

fn names(folder: &Path) -> Result<Vec<OsString>, OpError> {
    let read = |source| OpError::Read { path: folder.display().to_string(), source };
    let listing = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        listing => listing.map_err(read)?,
    };
    let mut names: Vec<OsString> =
        listing.map(|file| file.map(|file| file.file_name())).collect::<Result<_, _>>().map_err(read)?;
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_made_in_a_folder_of_ours_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["hooks", "elsewhere"] {
            fs::create_dir(at(name)).expect("a folder");
        }
        fs::write(at("hooks/words"), "").expect("a file");
        fs::write(at("hooks/pre-push.sample"), "").expect("a file");
        let hook = GitHook::ALL[0];
        let originals = [(hook, at("hooks").join(hook.name))];
        let planned = plan_links(&at("hooks"), &originals).expect("a plan");
        let link = |name: &str, target: String| Change::Link {
            path: at("hooks/git-trace-chained").join(name),
            target: target.into(),
        };
        let own = format!("../{}.git-trace-chained", hook.name);
        assert_eq!(planned, [link(hook.name, own), link("words", "../words".to_owned())]);
        assert_eq!(plan_links(&at("hooks"), &[]).expect("a plan"), []);

        symlink(at("elsewhere"), at("hooks/git-trace-chained")).expect("a link");
        symlink("../words", at("elsewhere/words")).expect("a link");
        assert_eq!(plan_links(&at("hooks"), &originals).expect("a plan"), []);
        assert_eq!(plan_links(&at("hooks"), &[]).expect("a plan"), []);
    }
}
