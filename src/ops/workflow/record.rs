//! What an installation is in the repository: a commit whose tree is the workflow's folder, on a ref of its own.

use std::collections::BTreeMap;

use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};
use crate::store::{Repo, TreeLimits};
use crate::workflow::{DEFINITION, Lock, Locked};

/// What is taken of one workflow or plugin.
pub(super) const LIMITS: TreeLimits = TreeLimits { entries: 10_000, bytes: 128 << 20, depth: 48 };

/// How many earlier installations are looked through.
const EARLIER_MAX: usize = 1000;

/// Says what is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Installable {
    /// A workflow.
    Workflow,
    /// A plugin of a workflow.
    Plugin,
}

impl Installable {
    /// Returns the word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Installable::Workflow => "workflow",
            Installable::Plugin => "plugin",
        }
    }

    /// Returns those of its kind that are locked.
    pub(super) fn of_lock(self, lock: &Lock) -> &BTreeMap<String, Locked> {
        match self {
            Installable::Workflow => &lock.workflows,
            Installable::Plugin => &lock.plugins,
        }
    }

    /// Returns the ref that keeps it.
    pub(super) fn ref_name(self, workspace: &Workspace, name: &str) -> String {
        format!("{}/{}s/{name}", workspace.settings().ref_prefix, self.name())
    }
}

/// Writes the message of the commit that holds an installation; plugins with the commits that hold them.
pub(super) fn message(what: Installable, name: &str, one: &Locked, plugins: &[(String, ObjectId)]) -> String {
    let version = one.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let mut text = format!("install {} {name}{version}\n\n", what.name());
    let mut trailer = |key: &str, value: &str| text += &format!("Trace-{key}: {value}\n");
    trailer("Install", name);
    trailer("Reference", &one.reference);
    trailer("Source", &one.source);
    trailer("Url", &one.url);
    let commit = one.commit.map(|commit| commit.to_string());
    commit.iter().for_each(|commit| trailer("Commit", commit));
    trailer("Path", if one.path.is_empty() { "." } else { &one.path });
    one.file.iter().for_each(|file| trailer("File", file));
    one.version.iter().for_each(|version| trailer("Version", version));
    one.range.iter().for_each(|range| trailer("Range", range));
    plugins.iter().for_each(|(key, commit)| trailer("Plugin", &format!("{key} {commit}")));
    text
}

/// The line that says that what a ref keeps is not installed any more.
const REMOVED: &str = "Trace-Remove: ";

/// Writes the message of the commit that says that something is not installed any more.
pub(super) fn removal_message(what: Installable, name: &str) -> String {
    format!("remove {} {name}\n\n{REMOVED}{name}\n", what.name())
}

/// Tells whether a commit says that something is not installed any more.
pub(super) fn is_aside(repo: &Repo, commit: &ObjectId) -> Result<bool, OpError> {
    let raw = repo.read_raw_commit(commit)?;
    let is_removal = String::from_utf8_lossy(&raw.message).lines().any(|line| line.starts_with(REMOVED));
    Ok(is_removal && raw.tree == ObjectId::empty_tree(raw.tree.kind()))
}

/// Reads what a commit holds; `None` if it is no installation of that name.
pub(super) fn read_message(name: &str, tree: ObjectId, message: &[u8]) -> Option<(Locked, Vec<(String, ObjectId)>)> {
    let text = std::str::from_utf8(message).ok()?;
    let trailers = text.rsplit("\n\n").next()?;
    let of = |key: &str| {
        let find = |line: &str| Some(line.strip_prefix("Trace-")?.strip_prefix(key)?.strip_prefix(": ")?.to_owned());
        trailers.lines().filter_map(find).collect::<Vec<String>>()
    };
    let first = |key: &str| of(key).into_iter().next();
    if first("Install")? != name {
        return None;
    }
    let plugin = |line: &String| Some((line.split_once(' ')?.0.to_owned(), line.split_once(' ')?.1.parse().ok()?));
    let plugins: Vec<(String, ObjectId)> = of("Plugin").iter().filter_map(plugin).collect();
    let locked = Locked {
        reference: first("Reference")?,
        source: first("Source")?,
        url: first("Url")?,
        commit: first("Commit").and_then(|commit| commit.parse().ok()),
        path: first("Path").filter(|path| path != ".").unwrap_or_default(),
        file: first("File"),
        tree,
        version: first("Version"),
        range: first("Range"),
        plugins: plugins.iter().map(|(key, _)| key.clone()).collect(),
    };
    Some((locked, plugins))
}

/// Finds the commit that holds what is locked: the newest installation, or an earlier one, which another worktree or branch may
/// have.
pub(super) fn find_installation(
    workspace: &Workspace,
    what: Installable,
    name: &str,
    tree: &ObjectId,
) -> Result<Option<ObjectId>, OpError> {
    let repo = &workspace.repo;
    let mut next = repo.find_ref_id(&what.ref_name(workspace, name))?;
    for _ in 0..EARLIER_MAX {
        let Some(commit) = next else { return Ok(None) };
        if !repo.has_object(&commit) {
            return Ok(None);
        }
        let raw = repo.read_raw_commit(&commit)?;
        if raw.tree == *tree {
            return Ok(Some(commit));
        }
        next = raw.parents.first().copied();
    }
    Ok(None)
}

/// Returns the name of the definition's file.
pub(super) fn file_of(one: &Locked) -> &str {
    one.file.as_deref().unwrap_or(DEFINITION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_says_all_that_the_lock_file_says() {
        let tree = ObjectId::Sha1([7; 20]);
        let one = Locked {
            reference: "deploy@acme/flows@^1.2".to_owned(),
            source: "acme/flows".to_owned(),
            url: "https://github.com/acme/flows.git".to_owned(),
            commit: Some(ObjectId::Sha1([1; 20])),
            path: "workflows/deploy".to_owned(),
            file: Some("deploy.json".to_owned()),
            tree,
            version: Some("1.3.0".to_owned()),
            range: Some("^1.2".to_owned()),
            plugins: vec!["lint".to_owned()],
        };
        let plugins = [("lint".to_owned(), ObjectId::Sha1([2; 20]))];
        let text = message(Installable::Workflow, "deploy", &one, &plugins);
        assert!(text.starts_with("install workflow deploy 1.3.0\n\nTrace-Install: deploy\n"));
        assert_eq!(read_message("deploy", tree, text.as_bytes()), Some((one.clone(), plugins.to_vec())));
        assert_eq!(read_message("other", tree, text.as_bytes()), None);
        let bare = Locked {
            commit: None,
            path: String::new(),
            file: None,
            version: None,
            range: None,
            plugins: vec![],
            ..one
        };
        let text = message(Installable::Plugin, "x", &bare, &[]);
        assert_eq!(read_message("x", tree, text.as_bytes()), Some((bare, Vec::new())));
        assert_eq!(read_message("x", tree, b"anything\n"), None);
    }
}
