//! A recorded case, and the sandbox that it is played in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git_trace::workflow::PathKind;
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use super::market::Tree;
use crate::world::shared_data;

/// Is a case as it was recorded.
#[derive(Debug, Deserialize)]
pub struct Case {
    pub id: String,
    pub topic: String,
    #[serde(skip)]
    pub steps: Vec<Value>,
    inputs: Inputs,
    /// What each step gave, for each version of the reference, or for `all`.
    pub expected: BTreeMap<String, Vec<Value>>,
}

#[derive(Debug, Deserialize)]
struct Inputs {
    #[serde(default)]
    tree: BTreeMap<String, Value>,
    #[serde(default)]
    remotes: Vec<Remote>,
    #[serde(default)]
    steps: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Remote {
    repo: String,
    tree: BTreeMap<String, Value>,
}

/// Reads the cases; says "skipped" if they are not there.
pub fn load() -> Option<Vec<Case>> {
    #[derive(Deserialize)]
    struct All {
        cases: Vec<Case>,
    }
    let text = std::fs::read(shared_data()?.join("marketplace_cases.json")).expect("the cases");
    let All { mut cases } = serde_json::from_slice(&text).expect("cases");
    for case in &mut cases {
        case.steps = std::mem::take(&mut case.inputs.steps);
    }
    assert!(cases.len() > 100, "{} cases", cases.len());
    Some(cases)
}

impl Case {
    /// Returns the text of a file of the case's tree, if it has that file.
    pub fn file(&self, path: &str) -> Option<String> {
        self.inputs.tree.get(path)?.as_str().map(str::to_owned)
    }
}

/// Holds the files of a case: `$ROOT`, with `$ROOT/home` and `$ROOT/work`, where its person is.
pub struct Sandbox {
    _dir: TempDir,
    root: PathBuf,
    /// The repositories `owner/repo` that servers have.
    pub remotes: BTreeMap<String, Tree>,
}

impl Sandbox {
    pub fn new(case: &Case) -> Self {
        let dir = TempDir::new().expect("a folder for the case");
        let root = dir.path().canonicalize().expect("a real folder");
        let mut sandbox = Sandbox { _dir: dir, root, remotes: BTreeMap::new() };
        for folder in ["home", "work"] {
            std::fs::create_dir_all(sandbox.root.join(folder)).expect("a folder");
        }
        for (path, content) in &case.inputs.tree {
            sandbox.write(path, content);
        }
        for remote in &case.inputs.remotes {
            let files = remote.tree.iter();
            let tree = files.fold(Tree::default(), |tree, (path, content)| tree.with(path, sandbox.text(content)));
            sandbox.remotes.insert(remote.repo.clone(), tree);
        }
        sandbox
    }

    /// Writes a file, or a link.
    pub fn write(&self, path: &str, content: &Value) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().expect("it is in the sandbox")).expect("a folder");
        match content["symlink"].as_str() {
            Some(target) => std::os::unix::fs::symlink(self.real(target), path).expect("a link"),
            None => std::fs::write(path, self.text(content)).expect("a file"),
        }
    }

    /// Returns the text of a file.
    pub fn text(&self, content: &Value) -> String {
        match content {
            Value::String(text) => self.real(text),
            content => self.real(&serde_json::to_string_pretty(&content["json"]).expect("JSON")),
        }
    }

    /// Puts the real folders in the place of `$ROOT` and `$HOME`.
    pub fn real(&self, text: &str) -> String {
        let root = self.root.to_str().expect("a path of plain text");
        text.replace("$HOME", &format!("{root}/home")).replace("$ROOT", root)
    }

    /// Puts `$ROOT` and `$HOME` in the place of the real folders, wherever they are named.
    pub fn recorded(&self, value: Value) -> Value {
        let root = self.root.to_str().expect("a path of plain text");
        match value {
            Value::String(text) => Value::String(text.replace(&format!("{root}/home"), "$HOME").replace(root, "$ROOT")),
            Value::Array(array) => array.into_iter().map(|value| self.recorded(value)).collect(),
            Value::Object(object) => object.into_iter().map(|(name, value)| (name, self.recorded(value))).collect(),
            other => other,
        }
    }

    /// Returns a text of a step.
    pub fn input(&self, step: &Value, name: &str) -> String {
        self.real(step[name].as_str().unwrap_or_default())
    }

    /// Returns a path as it is seen from `$ROOT/work`.
    pub fn path(&self, text: &str) -> PathBuf {
        self.root.join("work").join(text)
    }

    /// Tells what lies at a path as a person in `$ROOT/work` writes it.
    pub fn look(&self, text: &str) -> Option<PathKind> {
        let found = std::fs::metadata(self.path(text)).ok()?;
        Some(if found.is_dir() { PathKind::Folder } else { PathKind::File })
    }

    /// Returns the path of a folder or file below `$ROOT`, with links followed as far as the path exists.
    pub fn below_root(&self, text: &str) -> Option<String> {
        let path = self.path(text);
        let known = path.ancestors().find(|outer| outer.exists())?;
        let missing = path.strip_prefix(known).ok()?;
        let real = known.canonicalize().ok()?.join(missing);
        Some(real.strip_prefix(&self.root).ok()?.to_str()?.trim_end_matches('/').to_owned())
    }

    /// Returns the real path of what lies below `$ROOT`.
    pub fn absolute(&self, below: &str) -> String {
        let path = if below.is_empty() { self.root.clone() } else { self.root.join(below) };
        path.to_str().expect("a path of plain text").to_owned()
    }

    /// Reads all files of the sandbox.
    pub fn files(&self) -> Tree {
        tree_of(&self.root)
    }
}

/// Reads the files of a folder; links are links.
fn tree_of(folder: &Path) -> Tree {
    let mut tree = Tree::default();
    for item in walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok) {
        let below = item.path().strip_prefix(folder).expect("it is in the folder").to_str().expect("plain text");
        if item.file_type().is_symlink() {
            tree = tree.with_link(below);
        } else if item.file_type().is_file() {
            tree = tree.with(below, std::fs::read(item.path()).expect("a file"));
        }
    }
    tree
}
