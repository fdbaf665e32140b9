//! What the program itself answers, run in the sandbox: fetching, installing, upgrading, searching.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use git_trace::ops::WhyUnreachable;
use git_trace::workflow::{Files, Node};
use serde_json::{Value, json};

use super::answer::error;
use super::case::{Case, Sandbox};
use super::market::Tree;

/// Answers the steps that need the whole program. Servers are bare repositories; the user's own repository lies apart.
pub fn answer(sandbox: &Sandbox, case: &Case) -> Vec<Option<Value>> {
    let machine = Machine::new(sandbox);
    case.steps.iter().map(|step| Some(sandbox.recorded(machine.answer(step)?))).collect()
}

/// Is the sandbox with a repository of the user, and servers.
struct Machine<'s> {
    sandbox: &'s Sandbox,
}

impl<'s> Machine<'s> {
    fn new(sandbox: &'s Sandbox) -> Self {
        let machine = Machine { sandbox };
        machine.git(&["init", "-q", "--initial-branch=main", &machine.repo()]);
        for (slug, tree) in &sandbox.remotes {
            let work = machine.path(&format!("$ROOT/made/{slug}"));
            for (path, bytes) in contents(tree) {
                write(&work.join(path), &bytes);
            }
            machine.git(&["init", "-q", "--initial-branch=main", &text(&work)]);
            machine.git(&["-C", &text(&work), "add", "--all"]);
            machine.git(&["-C", &text(&work), "commit", "-q", "-m", "one"]);
            machine.publish(slug);
        }
        let host = format!("file://{}/", text(&machine.path("$ROOT/remotes")));
        machine.git(&["-C", &machine.repo(), "config", "trace.marketplaceHost", &host]);
        machine
    }

    /// Puts what a repository of a server is to be where it is served.
    fn publish(&self, slug: &str) {
        let (work, served) =
            (self.path(&format!("$ROOT/made/{slug}")), self.path(&format!("$ROOT/remotes/{slug}.git")));
        self.git(&["init", "-q", "--bare", "--initial-branch=main", &text(&served)]);
        self.git(&["-C", &text(&served), "config", "uploadpack.allowFilter", "true"]);
        self.git(&["-C", &text(&work), "push", "-q", "--force", &text(&served), "main"]);
    }

    fn answer(&self, step: &Value) -> Option<Value> {
        let input = |name: &str| self.sandbox.input(step, name);
        match step["op"].as_str().expect("each step has an operation") {
            "resolveInstall" => {
                self.know(step);
                Some(self.resolved(&input("ref")))
            }
            "install" => {
                self.know(step);
                let (reference, name) = (input("ref"), input("name"));
                let mut arguments = vec!["workflow", "install", "--json", &reference];
                arguments.extend(if name.is_empty() { vec![] } else { vec!["--as", &name] });
                let done = self.trace(&arguments);
                Some(if done.status.success() {
                    json!({"installed": answer_of(&done)["workflows"][0]["name"]})
                } else {
                    error()
                })
            }
            "update" => {
                let name = input("name");
                let done = self.trace(&["workflow", "upgrade", &name]);
                Some(if done.status.success() { json!({"updated": name}) } else { error() })
            }
            "resolveWorkflow" => Some(self.installed(&input("name"))),
            "list" => {
                // The built-in one is there without being listed as installed, unless another of its name is.
                let listed = answer_of(&self.trace(&["workflow", "list", "--json"]));
                let names = listed["workflows"].as_array().expect("rows").iter().map(|row| row["name"].clone());
                Some(std::iter::once(json!("default")).chain(names.filter(|name| name != "default")).collect())
            }
            "write" => {
                for (path, content) in step["tree"].as_object().expect("files") {
                    self.sandbox.write(path, content);
                }
                Some(json!("ok"))
            }
            "commitRemote" => {
                let slug = input("repo");
                let work = self.path(&format!("$ROOT/made/{slug}"));
                for (path, content) in step["tree"].as_object().expect("files") {
                    write(&work.join(path), self.sandbox.text(content).as_bytes());
                }
                self.git(&["-C", &text(&work), "add", "--all"]);
                let how = if step["amendRoot"] == true { vec!["--amend", "-m", "other"] } else { vec!["-m", "next"] };
                self.git(&[&["-C", &text(&work), "commit", "-q"][..], &how].concat());
                self.publish(&slug);
                Some(json!("ok"))
            }
            "unreachable" => {
                std::fs::rename(self.path("$ROOT/remotes"), self.path("$ROOT/away")).expect("servers");
                Some(json!("ok"))
            }
            "refresh" => {
                let slug = format!("{}/{}", input("owner"), input("repo"));
                let done = self.trace(&["marketplace", "refresh", &slug]);
                Some(if done.status.success() { json!({"ok": true}) } else { error() })
            }
            "mcmd" => {
                let words: Vec<String> = step["args"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|word| Some(word.as_str()?.to_owned()))
                    .collect();
                let mut arguments = vec!["marketplace", step["sub"].as_str().unwrap_or_default()];
                arguments.extend(words.iter().map(String::as_str));
                Some(json!({"exit": self.trace(&arguments).status.code()}))
            }
            "cmd" if step["sub"] == "search" => Some(self.searched()),
            // What the reference keeps in files is in git's objects here: the mirror and the ref of the workflow stand for it.
            "exists" => {
                let path = input("path");
                let (_, slug) = path.split_once("/marketplaces/").expect("the cache of a marketplace");
                let mirrors = std::fs::read_dir(self.path("$HOME/.cache/git-trace/marketplaces"));
                // Each says where it is from.
                let is_of = |mirror: std::fs::DirEntry| {
                    let from = std::fs::read_to_string(mirror.path().join("trace-fetched.json")).unwrap_or_default();
                    from.contains(&format!("/{slug}.git\""))
                };
                Some(mirrors.is_ok_and(|files| files.filter_map(Result::ok).any(is_of)).into())
            }
            "readFile" if input("path").contains("/marketplaces/") => {
                let folder = self.trace(&["workflow", "path", "deploy@acme/flows"]);
                let folder = String::from_utf8_lossy(&folder.stdout).trim().to_owned();
                Some(std::fs::read_to_string(format!("{folder}/workflow.md")).unwrap_or_default().into())
            }
            "readFile" => Some(self.locked("deploy")),
            "tree" if input("path").ends_with("/.config/athena") => Some(files_of(&self.path("$HOME/.config/athena"))),
            "tree" => Some(self.kept()),
            "classifyGit" => {
                let kind = |said: &str| match WhyUnreachable::of(said) {
                    WhyUnreachable::Network | WhyUnreachable::Access | WhyUnreachable::NotFound => "network-or-auth",
                    _ => "unrecoverable-cache",
                };
                let strings = step["strings"].as_array().expect("texts").iter();
                Some(strings.map(|said| json!([said, kind(said.as_str().expect("a text"))])).collect())
            }
            _ => None,
        }
    }

    /// Makes the marketplaces of a step the only ones that are known.
    fn know(&self, step: &Value) {
        let key = ["-C", &self.repo(), "config", "--unset-all", "trace.marketplace"];
        let _ = self.command("git").args(key).output();
        for source in step["sources"].as_array().into_iter().flatten() {
            let source = self.sandbox.real(source.as_str().expect("a text"));
            self.git(&["-C", &self.repo(), "config", "--add", "trace.marketplace", &source]);
        }
    }

    fn resolved(&self, reference: &str) -> Value {
        let done = self.trace(&["workflow", "resolve", "--marketplaces", "--json", reference]);
        if !done.status.success() {
            return error();
        }
        let found = answer_of(&done);
        let slug = found["source"].as_str().unwrap_or_default().to_owned();
        let (owner, repo) = slug.split_once('/').unwrap_or_default();
        json!({
            "kind": "marketplace-remote", "slug": slug, "owner": owner, "repo": repo, "workflowName": found["name"],
            "version": found["version"], "ref": found["reference"],
        })
    }

    fn installed(&self, name: &str) -> Value {
        let done = self.trace(&["workflow", "show", "--json", "--offline", name]);
        if !done.status.success() || answer_of(&done)["workflow"]["kind"] != "installed" {
            return error();
        }
        let shown = answer_of(&done);
        let says = &shown["definition"];
        let path = self.trace(&["workflow", "path", "--offline", name]);
        let folder = String::from_utf8_lossy(&path.stdout).lines().next().unwrap_or_default().to_owned();
        let file = std::fs::read(format!("{folder}/workflow.json")).expect("a workflow has its file");
        let file: Value = serde_json::from_slice(&file).expect("JSON");
        json!({"name": file["name"], "version": shown["workflow"]["version"], "description": says["description"], "plugins": says["plugins"], "promptTemplate": says["prompt_template"]})
    }

    fn searched(&self) -> Value {
        let config = self.path("$HOME/.config/athena/config.json");
        let config: Value = serde_json::from_slice(&std::fs::read(config).expect("a file")).expect("JSON");
        self.know(&json!({"sources": config["workflowMarketplaceSources"]}));
        let done = self.trace(&["workflow", "search", "--json"]);
        let found = answer_of(&done);
        let row = |row: &Value| {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            format!("{} ({}) [from local:{}]", text("name"), text("version"), text("source"))
        };
        let rows: Vec<String> = found["workflows"].as_array().expect("rows").iter().map(row).collect();
        assert_eq!(found["warnings"].as_array().map(Vec::len), Some(2), "each that cannot be read is told: {found}");
        json!({"exit": done.status.code(), "out": rows})
    }

    /// Lists all files of what is installed, each with its text, as the reference lists its folder.
    fn kept(&self) -> Value {
        let listed = answer_of(&self.trace(&["workflow", "list", "--json"]));
        let mut all = serde_json::Map::new();
        for row in listed["workflows"].as_array().expect("rows") {
            let name = row["name"].as_str().expect("a name");
            let folder = self.trace(&["workflow", "path", name]);
            let folder = String::from_utf8_lossy(&folder.stdout).lines().next().unwrap_or_default().to_owned();
            for (path, content) in files_of(Path::new(&folder)).as_object().expect("files") {
                all.insert(format!("{name}/{path}"), content.clone());
            }
        }
        all.into()
    }

    /// Says what the lock file has of a workflow.
    fn locked(&self, name: &str) -> Value {
        let listed = answer_of(&self.trace(&["workflow", "list", "--json"]));
        let row = listed["workflows"].as_array().expect("rows").iter().find(|row| row["name"] == name).cloned();
        let row = row.unwrap_or_default();
        // In the words of the reference's file, so that only what differs differs.
        let told = json!({
            "v": 2, "kind": "marketplace-local", "repoDir": row["url"], "workflowName": row["name"], "version": row["version"],
        });
        told.to_string().into()
    }

    fn trace(&self, arguments: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_git-trace")).args(arguments).output().expect("the program starts")
    }

    fn git(&self, arguments: &[&str]) {
        let done = self.command("git").env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").args(arguments).output();
        let done = done.expect("git starts");
        assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Prepares a program that works in `$ROOT/work`, on the user's repository.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if ["GIT", "XDG", "LC_"].iter().any(|start| name.to_string_lossy().starts_with(start)) {
                command.env_remove(name);
            }
        }
        for (name, value) in [("AUTHOR", "a"), ("COMMITTER", "c")] {
            command.env(format!("GIT_{name}_NAME"), value).env(format!("GIT_{name}_EMAIL"), "x@example.com");
        }
        command.env("HOME", self.path("$HOME")).env("GIT_CONFIG_NOSYSTEM", "1").env("LC_ALL", "C.UTF-8");
        command.env("GIT_DIR", format!("{}/.git", self.repo())).env("GIT_WORK_TREE", self.repo());
        command.current_dir(self.path("$ROOT/work")).stdin(Stdio::null());
        command
    }

    fn repo(&self) -> String {
        self.sandbox.real("$ROOT/own")
    }

    fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(self.sandbox.real(path))
    }
}

/// Lists all files of a tree in memory.
fn contents(tree: &Tree) -> Vec<(String, Vec<u8>)> {
    let (mut found, mut open) = (Vec::new(), vec![String::new()]);
    while let Some(folder) = open.pop() {
        for (name, node) in tree.list(&folder).expect("a folder") {
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            match node {
                Node::Folder { .. } => open.push(path),
                _ => found.push((path.clone(), tree.read(&path, 1 << 20).expect("a file"))),
            }
        }
    }
    found
}

fn answer_of(done: &Output) -> Value {
    serde_json::from_slice(&done.stdout).unwrap_or_default()
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
    std::fs::write(path, bytes).expect("a file");
}

fn text(path: &Path) -> String {
    path.to_str().expect("plain text").to_owned()
}

/// Lists the files of a folder with their texts.
fn files_of(folder: &Path) -> Value {
    let files =
        walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok).filter(|file| file.file_type().is_file());
    let row = |file: walkdir::DirEntry| {
        let below =
            file.path().strip_prefix(folder).expect("it is in the folder").to_str().expect("plain text").to_owned();
        (below, Value::from(std::fs::read_to_string(file.path()).expect("a text")))
    };
    files.map(row).collect::<serde_json::Map<_, _>>().into()
}
