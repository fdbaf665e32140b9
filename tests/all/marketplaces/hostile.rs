//! Marketplaces made to hurt: nothing of them gets out of git's objects but what was asked for.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::shop::{Shop, json_of};
use crate::world::{World, feed};

const DEFINITION: &str =
    r#"{"name": "deploy", "plugins": [], "promptTemplate": "{input}", "workflowFile": "instructions.md"}"#;

/// Is a repository of trees that no `git add` would make.
struct Forged<'w> {
    world: &'w World,
    name: &'static str,
}

impl<'w> Forged<'w> {
    fn new(world: &'w World, name: &'static str) -> Self {
        world.git(&["init", "-q", "--bare", "--initial-branch=main", name], world.root());
        let forged = Forged { world, name };
        world.git(&["config", "uploadpack.allowFilter", "true"], &forged.folder());
        forged
    }

    fn folder(&self) -> std::path::PathBuf {
        self.world.root().join(self.name)
    }

    fn object(&self, kind: &str, bytes: &[u8]) -> String {
        let mut command = self.world.command("git", &self.folder());
        command.args(["hash-object", "-t", kind, "--literally", "-w", "--stdin"]);
        let output = feed(command, bytes);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn blob(&self, text: &str) -> String {
        self.object("blob", text.as_bytes())
    }

    /// Makes a tree of rows as they are: mode, name, object.
    fn tree(&self, rows: &[(&str, &str, &str)]) -> String {
        let mut bytes = Vec::new();
        for (mode, name, id) in rows {
            bytes.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            let raw = (0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).expect("digits"));
            bytes.extend(raw);
        }
        self.object("tree", &bytes)
    }

    fn commit(&self, tree: &str) {
        let git = |arguments: &[&str]| self.world.git(arguments, &self.folder());
        let commit = git(&["commit-tree", "-m", "x", tree]);
        git(&["update-ref", "refs/heads/main", commit.trim()]);
    }

    /// Commits a marketplace whose workflow `deploy` has these rows beside its definition.
    fn offer(&self, more: &[(&str, &str, &str)]) {
        let manifest = json!({"workflows": [{"name": "deploy", "source": "./deploy"}]}).to_string();
        let (manifest, definition, text) = (self.blob(&manifest), self.blob(DEFINITION), self.blob("# x\n"));
        let mut rows =
            vec![("100644", "instructions.md", text.as_str()), ("100644", "workflow.json", definition.as_str())];
        rows.extend_from_slice(more);
        rows.sort_by_key(|(_, name, _)| *name);
        let deploy = self.tree(&rows);
        let hidden = self.tree(&[("100644", "marketplace.json", &manifest)]);
        let root = self.tree(&[("40000", ".athena-workflow", &hidden), ("40000", "deploy", &deploy)]);
        self.commit(&root);
    }

    fn references(&self) -> [String; 2] {
        let path = self.folder().display().to_string();
        [format!("deploy@{path}"), format!("deploy@file://{path}")]
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused_wherever_they_come_from() {
    let world = World::new("sha1");
    let names = ["..", ".", ".git", ".GIT", "git~1", ".git ", ".g\u{200c}it", "a/b", ""];
    for (at, name) in names.iter().enumerate() {
        let shop: &'static str = Box::leak(format!("forged-{at}.git").into_boxed_str());
        let forged = Forged::new(&world, shop);
        let evil = forged.blob("evil");
        forged.offer(&[("100644", name, &evil)]);
        for reference in forged.references() {
            for command in ["install", "path"] {
                let output = world.trace(&["workflow", command, &reference]).output().expect("it starts");
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert_eq!(output.status.code(), Some(1), "{name:?} {command} {reference}: {said}");
                assert!(!said.contains("panicked"), "{said}");
            }
        }
    }
    assert_eq!(world.tip("refs/trace/workflows/deploy"), None);
    assert!(!Path::new(&world.repo().join(".git/trace/evil")).exists());
    world.fsck();
}

#[test]
fn links_and_submodules_are_kept_and_never_followed() {
    let world = World::new("sha1");
    fs::write(world.root().join("secret"), "secret").expect("a file");
    let forged = Forged::new(&world, "links.git");
    let to = |target: &str| forged.blob(target);
    let (out, up, inside, chain, gone) =
        (to("/etc/passwd"), to("../../../../secret"), to("instructions.md"), to("inside/../../secret"), to("nowhere"));
    let commit = "1".repeat(40);
    forged.offer(&[
        ("120000", "chain", &chain),
        ("120000", "gone", &gone),
        ("120000", "inside", &inside),
        ("120000", "out", &out),
        ("160000", "sub", &commit),
        ("120000", "up", &up),
    ]);
    for reference in forged.references() {
        let output = world.trace(&["workflow", "path", "--json", &reference]).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let folder = Path::new(told["folder"].as_str().expect("a folder")).to_owned();
        let mut names: Vec<String> = fs::read_dir(&folder)
            .expect("a folder")
            .map(|file| file.expect("a file").file_name().into_string().expect("text"))
            .collect();
        names.sort();
        assert_eq!(names, ["inside", "instructions.md", "workflow.json"]);
        assert_eq!(fs::read_to_string(folder.join("inside")).expect("a link to a file of it"), "# x\n");
        for name in ["chain", "gone", "out", "sub", "up"] {
            assert!(said.contains(&format!("'{name}' of 'deploy' is left out")), "{said}");
        }
    }
    // A workflow whose own parts are links is none.
    for link in ["workflow.json", "instructions.md"] {
        let shop: &'static str = Box::leak(format!("link-{link}.git").into_boxed_str());
        let forged = Forged::new(&world, shop);
        let manifest = forged.blob(&json!({"workflows": [{"name": "deploy", "source": "./deploy"}]}).to_string());
        let (definition, out) = (forged.blob(DEFINITION), forged.blob("/etc/passwd"));
        let row = |name: &'static str| {
            if name == link { ("120000", name, out.as_str()) } else { ("100644", name, definition.as_str()) }
        };
        let deploy = forged.tree(&[row("instructions.md"), row("workflow.json")]);
        let hidden = forged.tree(&[("100644", "marketplace.json", &manifest)]);
        let root = forged.tree(&[("40000", ".athena-workflow", &hidden), ("40000", "deploy", &deploy)]);
        forged.commit(&root);
        for reference in forged.references() {
            let said = world.fails(1, &["workflow", "install", &reference]);
            assert!(said.contains("symbolic link"), "{said}");
        }
    }
}

#[test]
fn what_is_too_large_is_refused_soon() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.write(".athena-workflow/marketplace.json", format!("{{\"workflows\": []{}}}", " ".repeat(5 << 20)));
    shop.commit("one");
    let begun = Instant::now();
    for source in [shop.path(), format!("file://{}", shop.path())] {
        let said = world.fails(1, &["workflow", "resolve", &format!("deploy@{source}")]);
        assert!(said.contains("bytes") || said.contains("larger") || said.contains("large"), "{said}");
    }
    shop.offer(&[("deploy", "1.0.0")]);
    for at in 0..10_500 {
        let path = shop.top().join(format!("workflows/deploy/many/{at}"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, "").expect("a file");
    }
    shop.commit("two");
    let said = world.fails(1, &["workflow", "install", &format!("deploy@{}", shop.path())]);
    assert!(said.contains("more than 10000 files"), "{said}");
    let deep = shop.top().join("workflows/review").join(vec!["d"; 60].join("/"));
    fs::create_dir_all(&deep).expect("folders");
    fs::write(deep.join("x"), "").expect("a file");
    shop.offer(&[("review", "1.0.0")]);
    shop.commit("three");
    let said = world.fails(1, &["workflow", "install", &format!("review@{}", shop.path())]);
    assert!(said.contains("nested deeper"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(120));
}

#[test]
fn ten_thousand_entries_are_searched() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.workflow("deploy", "1.0.0", &[]);
    let entries: Vec<_> = (0..10_000)
        .map(|at| json!({"name": format!("w{at:05}"), "source": "./workflows/deploy", "version": "1.0.0"}))
        .chain([
            json!({"name": "../x", "source": "../../x"}),
            json!(null),
            json!({"name": "deploy", "source": "./workflows/deploy"}),
        ])
        .collect();
    shop.manifest(&json!({ "workflows": entries }));
    shop.commit("one");
    world.ok(&["marketplace", "add", &format!("file://{}", shop.path())]);
    let found = json_of(&world, &["workflow", "search", "w099"]);
    assert_eq!(found["workflows"].as_array().map(Vec::len), Some(100));
    assert_eq!(json_of(&world, &["workflow", "resolve", "deploy"])["name"], "deploy");
}

#[test]
fn references_that_look_like_options_are_refused() {
    let world = World::new("sha1");
    for reference in [
        "deploy@--upload-pack=touch${IFS}x",
        "deploy@ext::sh -c touch% x",
        "deploy@acme/flows#--upload-pack=x",
        "deploy@acme/flows#a..b",
        "deploy@../../x\n",
        "--upload-pack=x",
        "deploy@-oProxyCommand=x:y",
        "deploy@ssh://-oProxyCommand=x/y",
    ] {
        let output = world.trace(&["workflow", "install", "--", reference]).output().expect("it starts");
        assert_eq!(output.status.code(), Some(1), "{reference}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(!world.repo().join("x").exists());
}

#[test]
fn a_lock_file_that_leads_elsewhere_is_not_written() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.commit("one");
    let away = world.root().join("away");
    fs::create_dir_all(&away).expect("a folder");
    std::os::unix::fs::symlink(&away, world.repo().join(".gittrace")).expect("a link");
    let said = world.fails(1, &["workflow", "install", &format!("deploy@{}", shop.path())]);
    assert!(said.contains("no plain folder"), "{said}");
    assert_eq!(fs::read_dir(&away).expect("a folder").count(), 0);
}
