//! A marketplace that a test makes and changes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::world::World;

/// Is a marketplace in a work tree.
pub struct Shop<'w> {
    world: &'w World,
    top: PathBuf,
}

impl<'w> Shop<'w> {
    /// Makes an empty repository.
    pub fn new(world: &'w World, name: &str) -> Self {
        Shop::of(world, name, "sha1")
    }

    /// As [`Shop::new`], with this hash function.
    pub fn of(world: &'w World, name: &str, object_format: &str) -> Self {
        let format = format!("--object-format={object_format}");
        world.git(&["init", "-q", "--initial-branch=main", &format, name], world.root());
        let top = world.root().join(name);
        world.git(&["config", "uploadpack.allowFilter", "true"], &top);
        world.git(&["config", "uploadpack.allowAnySHA1InWant", "true"], &top);
        Shop { world, top }
    }

    /// Returns the top of its work tree.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// Returns its path as text.
    pub fn path(&self) -> String {
        self.top.to_str().expect("a path of plain text").to_owned()
    }

    /// Writes a file, which is not committed.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.top.join(path);
        fs::create_dir_all(path.parent().expect("it is in the shop")).expect("a folder");
        fs::write(path, content).expect("a file");
        self
    }

    /// Writes the manifest of workflows, each in `workflows/<name>`.
    pub fn offer(&self, workflows: &[(&str, &str)]) -> &Self {
        let entry = |(name, version): &(&str, &str)| json!({"name": name, "version": version, "source": format!("./workflows/{name}"), "description": format!("does {name}")});
        let entries: Vec<Value> = workflows.iter().map(entry).collect();
        for (name, version) in workflows {
            self.workflow(name, version, &[]);
        }
        self.manifest(&json!({"name": "shop", "owner": {"name": "o"}, "plugins": [], "workflows": entries}))
    }

    /// Writes the manifest of workflows.
    pub fn manifest(&self, manifest: &Value) -> &Self {
        self.write(".athena-workflow/marketplace.json", manifest.to_string())
    }

    /// Writes a workflow's files.
    pub fn workflow(&self, name: &str, version: &str, plugins: &[Value]) -> &Self {
        let definition = json!({
            "name": name, "version": version, "description": format!("does {name}"), "plugins": plugins,
            "promptTemplate": "{input}", "workflowFile": "instructions.md",
        });
        self.write(&format!("workflows/{name}/workflow.json"), definition.to_string());
        self.write(&format!("workflows/{name}/instructions.md"), format!("# {name} {version}\n"));
        self.write(&format!("workflows/{name}/parts/more.txt"), format!("more of {name}\n"))
    }

    /// Commits everything, and returns the commit.
    pub fn commit(&self, message: &str) -> String {
        self.world.git(&["add", "--all"], &self.top);
        self.world.git(&["commit", "-q", "--allow-empty", "-m", message], &self.top);
        self.head()
    }

    /// Returns the commit that HEAD names.
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// Returns the id of the tree of a workflow's folder.
    pub fn tree_of(&self, name: &str) -> String {
        self.git(&["rev-parse", &format!("HEAD:workflows/{name}")])
    }

    /// Runs git in it, and returns what it answered.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.world.git(arguments, &self.top).trim().to_owned()
    }
}

/// Returns an answer in JSON.
pub fn json_of(world: &World, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&world.ok(&arguments)).expect("JSON")
}

/// Returns the text of the lock file.
pub fn lock_of(world: &World) -> String {
    fs::read_to_string(world.repo().join(".gittrace/workflows.lock")).unwrap_or_default()
}

/// Returns the folder of all mirrors.
pub fn mirrors(world: &World) -> PathBuf {
    world.home().join(".cache/git-trace/marketplaces")
}

/// Returns the only mirror there is.
pub fn only_mirror(world: &World) -> PathBuf {
    let found: Vec<PathBuf> = fs::read_dir(mirrors(world))
        .expect("mirrors")
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|end| end == "git"))
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}
