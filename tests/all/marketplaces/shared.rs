//! What is installed is shared: by workflows, worktrees, branches, and processes at once. None takes anything from another.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;

use super::shop::{Shop, json_of, lock_of};
use crate::world::World;

/// Offers workflows which name one plugin, of this version.
fn with_plugin(shop: &Shop<'_>, workflows: &[(&str, &str)], plugin: &str, version: &str) {
    for (name, asked) in workflows {
        let named = json!({"ref": format!("{plugin}@file://{}", shop.path()), "version": asked});
        let named = if *asked == "*" { json!(format!("{plugin}@file://{}", shop.path())) } else { named };
        shop.workflow(name, version, &[named]);
    }
    let entry = |(name, _): &(&str, &str)| json!({"name": name, "source": format!("./workflows/{name}")});
    let entries: Vec<_> = workflows.iter().map(entry).collect();
    shop.manifest(&json!({"workflows": entries}));
    let manifest = json!({"name": plugin, "version": version}).to_string();
    shop.write("plugin/.claude-plugin/plugin.json", manifest);
    let plugins = json!({"name": "shop", "owner": {"name": "o"}, "plugins": [{"name": plugin, "source": "./plugin"}]});
    shop.write(".claude-plugin/marketplace.json", plugins.to_string());
}

/// Returns the version of a plugin of a workflow, as a run would have it.
fn plugin_of(world: &World, workflow: &str) -> String {
    let folders = json_of(world, &["workflow", "path", workflow, "--offline"]);
    let folder = folders["plugins"][0].as_str().expect("a folder");
    let read = fs::read(format!("{folder}/.claude-plugin/plugin.json")).expect("a manifest");
    let read: serde_json::Value = serde_json::from_slice(&read).expect("JSON");
    read["version"].as_str().expect("a version").to_owned()
}

#[test]
fn each_workflow_keeps_the_plugin_that_it_was_installed_with() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    let long = "x".repeat(100);
    for plugin in ["lint", long.as_str()] {
        with_plugin(&shop, &[("a", "*"), ("b", "*")], plugin, "1.0.0");
        shop.commit("one");
        let url = format!("file://{}", shop.path());
        world.ok(&["marketplace", "refresh", &url]);
        world.ok(&["workflow", "install", "--force", &format!("a@{url}")]);
        with_plugin(&shop, &[("a", "*"), ("b", "*")], plugin, "2.0.0");
        shop.commit("two");
        world.ok(&["marketplace", "refresh", &url]);
        world.ok(&["workflow", "install", "--force", &format!("b@{url}")]);
        assert_eq!((plugin_of(&world, "a"), plugin_of(&world, "b")), ("1.0.0".to_owned(), "2.0.0".to_owned()));
        world.ok(&["workflow", "verify"]);
        // All of them at once need the plugin once.
        world.ok(&["workflow", "upgrade"]);
        assert_eq!((plugin_of(&world, "a"), plugin_of(&world, "b")), ("2.0.0".to_owned(), "2.0.0".to_owned()));
        let listed = json_of(&world, &["workflow", "list"]);
        assert_eq!(listed["plugins"].as_array().map(Vec::len), Some(1), "{listed}");
        // What nobody needs is set aside, and not told again.
        assert_eq!(json_of(&world, &["workflow", "verify"])["not_locked"], json!([]));
        world.ok(&["workflow", "remove", "a", "b"]);
    }
    world.fsck();
}

#[test]
fn a_worktree_takes_nothing_from_another_one() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.commit("one");
    let reference = format!("deploy@{}", shop.path());
    world.ok(&["workflow", "install", &reference]);
    let first = world.tip("refs/trace/workflows/deploy").expect("an installation");
    world.git(&["commit", "-q", "--allow-empty", "-m", "one"], &world.repo());
    world.git(&["worktree", "add", "-q", "-b", "side", "../side"], &world.repo());
    let side = world.root().join("side").display().to_string();
    shop.offer(&[("deploy", "2.0.0")]);
    shop.commit("two");
    world.ok(&["-C", &side, "workflow", "install", &reference]);
    let here = |dir: &str| {
        let told = json_of(&world, &["-C", dir, "workflow", "path", "deploy", "--offline"]);
        told["workflow"]["version"].as_str().expect("a version").to_owned()
    };
    let repo = world.repo().display().to_string();
    assert_eq!((here(&repo), here(&side)), ("1.0.0".to_owned(), "2.0.0".to_owned()));
    let newer = world.tip("refs/trace/workflows/deploy").expect("an installation");
    world.ok(&["workflow", "install", "deploy", "--back", &first]);
    let is_kept = |commit: &str| {
        world.git(&["merge-base", "--is-ancestor", commit, "refs/trace/workflows/deploy"], &world.repo());
    };
    is_kept(&newer);
    assert_eq!((here(&repo), here(&side)), ("1.0.0".to_owned(), "2.0.0".to_owned()));
    // The other worktree has it locked: it is not set aside.
    world.ok(&["workflow", "remove", "deploy"]);
    is_kept(&newer);
    world.git(&["-c", "gc.reflogExpire=now", "gc", "-q", "--prune=now"], &world.repo());
    assert_eq!(here(&side), "2.0.0");
    world.ok(&["-C", &side, "workflow", "verify"]);
    world.ok(&["-C", &side, "workflow", "remove", "deploy"]);
    is_kept(&newer);
    let log = world.git(&["log", "-1", "--format=%s", "refs/trace/workflows/deploy"], &world.repo());
    assert_eq!(log.trim(), "remove workflow deploy");
    assert_eq!(json_of(&world, &["workflow", "verify"])["not_locked"], json!([]));
    // It comes back, exactly.
    world.ok(&["-C", &side, "workflow", "install", "deploy", "--back", &newer]);
    assert_eq!(here(&side), "2.0.0");
    world.fsck();
}

#[test]
fn what_a_killed_removal_left_is_done_by_the_next_command() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0"), ("review", "1.0.0")]);
    shop.commit("one");
    world.ok(&["workflow", "install", &format!("deploy@{}", shop.path())]);
    // As it is after the lock file and before the refs.
    fs::remove_file(world.repo().join(".gittrace/workflows.lock")).expect("a lock file");
    let told = json_of(&world, &["workflow", "verify"]);
    assert_eq!(told["not_locked"], json!(["refs/trace/workflows/deploy"]));
    world.ok(&["workflow", "install", &format!("review@{}", shop.path())]);
    assert_eq!(json_of(&world, &["workflow", "verify"])["not_locked"], json!([]));
    world.fails(1, &["workflow", "remove", "deploy"]);
}

#[test]
fn what_is_missing_or_damaged_is_brought_again() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.commit("one");
    world.ok(&["workflow", "install", &format!("deploy@file://{}", shop.path())]);
    let file = "refs/trace/workflows/deploy:instructions.md";
    let blob = world.git(&["rev-parse", file], &world.repo()).trim().to_owned();
    let packs = world.repo().join(".git/objects/pack");
    let loose = world.repo().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    for damage in ["missing", "damaged"] {
        // All packs become loose objects.
        let outside = tempfile::tempdir_in(world.root()).expect("a folder");
        for file in fs::read_dir(&packs).expect("packs").map(|file| file.expect("a file").path()) {
            fs::rename(&file, outside.path().join(file.file_name().expect("a name"))).expect("moved");
        }
        for file in fs::read_dir(outside.path()).expect("packs").map(|file| file.expect("a file").path()) {
            if file.extension().is_some_and(|end| end == "pack") {
                let mut command = world.command("git", &world.repo());
                let pack = fs::File::open(&file).expect("a pack");
                let done = command.args(["unpack-objects", "-q"]).stdin(pack).status().expect("git starts");
                assert!(done.success());
            }
        }
        let was = fs::read(&loose).expect("a loose object");
        fs::remove_file(&loose).expect("a loose object");
        if damage == "damaged" {
            // Another blob of the same size in its place.
            let other = world.root().join("other");
            fs::write(&other, "# deploy 1.0.1\n").expect("a file");
            let id = world.git(&["hash-object", "-w", other.to_str().expect("a path")], &world.repo());
            let from = world.repo().join(".git/objects").join(&id[..2]).join(id[2..].trim());
            fs::copy(from, &loose).expect("a loose object");
            assert_ne!(fs::read(&loose).expect("a loose object"), was);
        }
        world.fails(1, &["workflow", "verify"]);
        if damage == "damaged" {
            // It lies in front of the one that comes.
            let said = world.fails(1, &["workflow", "install"]);
            assert!(said.contains("is damaged") && said.contains(&blob[..12]), "{said}");
            fs::remove_file(&loose).expect("a loose object");
        }
        world.ok(&["workflow", "install"]);
        world.ok(&["workflow", "verify"]);
    }
}

#[test]
fn many_runs_of_a_fresh_clone_begin_at_once() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    with_plugin(&shop, &[("a", "*")], "lint", "1.0.0");
    shop.commit("one");
    world.ok(&["workflow", "install", &format!("a@file://{}", shop.path())]);
    world.git(&["add", ".gittrace"], &world.repo());
    world.git(&["commit", "-q", "-m", "locked"], &world.repo());
    world.git(&["clone", "-q", "repo", "other"], world.root());
    let there = world.root().join("other").display().to_string();
    let hint = world.fails(1, &["-C", &there, "workflow", "path", "a", "--offline"]);
    assert!(hint.contains("git trace workflow install\n"), "{hint}");
    world.ok(&["-C", &there, "marketplace", "add", "--offline", &format!("file://{}", shop.path())]);
    let run = || {
        let mut command = world.trace(&["-C", &there, "workflow", "path", "a"]);
        command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts")
    };
    let all: Vec<_> = (0..6).map(|_| run()).collect();
    for child in all {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn an_upgrade_takes_all_or_nothing_and_asks_the_plugins_own_repositories() {
    let world = World::new("sha1");
    let kit = Shop::new(&world, "kit");
    kit.write(".claude-plugin/plugin.json", r#"{"name": "kit", "version": "1.0.0"}"#).write("a.md", "a");
    kit.commit("one");
    let shop = Shop::new(&world, "shop");
    let url = format!("file://{}", shop.path());
    shop.workflow("a", "1.0.0", &[json!(format!("kit@{url}")), json!(format!("lint@{url}"))]);
    shop.manifest(&json!({"workflows": [{"name": "a", "source": "./workflows/a"}]}));
    let offer = |lint: bool| {
        let mut plugins =
            vec![json!({"name": "kit", "source": {"source": "url", "url": format!("file://{}", kit.path())}})];
        if lint {
            plugins.push(json!({"name": "lint", "source": "./lint"}));
        }
        let all = json!({"name": "shop", "owner": {"name": "o"}, "plugins": plugins});
        shop.write(".claude-plugin/marketplace.json", all.to_string());
    };
    shop.write("lint/.claude-plugin/plugin.json", r#"{"name": "lint", "version": "1.0.0"}"#);
    offer(true);
    shop.commit("one");
    world.ok(&["workflow", "install", "--strict", &format!("a@{url}")]);
    kit.write(".claude-plugin/plugin.json", r#"{"name": "kit", "version": "1.1.0"}"#);
    kit.commit("two");
    offer(false);
    shop.commit("two");
    let before = lock_of(&world);
    let said = world.fails(1, &["workflow", "upgrade", "--strict"]);
    assert!(said.contains("could not be brought up to date"), "{said}");
    assert_eq!(lock_of(&world), before, "nothing of it was touched");
    offer(true);
    shop.commit("three");
    let done = json_of(&world, &["workflow", "upgrade", "--strict"]);
    assert_eq!(done["workflows"][0]["plugins_found"][0]["version"], "1.1.0", "{done}");
    // A marketplace that is gone is told for each of its workflows.
    world.ok(&["workflow", "install", &format!("a@{url}"), "--as", "b"]);
    fs::rename(shop.top(), world.root().join("gone")).expect("moved");
    let output = world.trace(&["workflow", "upgrade", "--json"]).output().expect("it starts");
    let told: serde_json::Value =
        serde_json::Deserializer::from_slice(&output.stdout).into_iter().next().expect("an answer").expect("JSON");
    assert_eq!(told["failed"].as_array().map(Vec::len), Some(2), "{told}");
}

#[test]
fn a_name_stands_for_one_workflow_however_its_repository_is_written() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0"), ("review", "1.0.0")]);
    shop.commit("one");
    let url = format!("file://{}", shop.path());
    world.ok(&["workflow", "install", &format!("deploy@{url}")]);
    let said = world.fails(1, &["workflow", "install", &format!("review@{url}"), "--as", "deploy"]);
    assert!(said.contains("is installed from"), "{said}");
    world.ok(&["workflow", "install", &format!("deploy@{}", shop.path())]);
    world.ok(&["workflow", "install", &format!("review@{url}"), "--as", "deploy", "--force"]);
}

#[test]
fn a_changed_copy_is_kept_and_the_command_that_mends_it_is_told() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.commit("one");
    world.ok(&["workflow", "install", &format!("deploy@{}", shop.path())]);
    let folder = world.ok(&["workflow", "path", "deploy"]).trim().to_owned();
    for below in ["", "parts"] {
        let mode = fs::metadata(Path::new(&folder).join(below)).expect("a folder").permissions().mode();
        assert_ne!(mode & 0o200, 0, "a clone can be deleted: '{below}'");
    }
    fs::create_dir(format!("{folder}/__pycache__")).expect("a folder");
    fs::write(format!("{folder}/__pycache__/x.pyc"), "compiled").expect("a file");
    world.ok(&["workflow", "verify"]);
    fs::write(format!("{folder}/more"), "words").expect("a file");
    let said = world.fails(1, &["workflow", "verify"]);
    assert!(said.contains("git trace workflow path deploy"), "{said}");
    let mended = world.trace(&["workflow", "path", "deploy"]).output().expect("it starts");
    let told = String::from_utf8_lossy(&mended.stderr).into_owned();
    let kept = told.split('\'').find(|part| part.contains("/.old-")).expect("where it is").to_owned();
    assert_eq!(fs::read_to_string(format!("{kept}/more")).expect("a file"), "words");
    world.ok(&["workflow", "verify"]);
    // What is older than a day goes, when something is written.
    let aside = Path::new(&kept).parent().expect("a folder");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 24 * 60 * 60);
    fs::File::open(aside).expect("a folder").set_modified(old).expect("a time");
    world.ok(&["workflow", "path", "default"]);
    assert!(!aside.exists());
}

#[test]
fn a_run_says_which_version_is_installed() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.2.0")]);
    let commit = shop.commit("one");
    world.ok(&["workflow", "install", &format!("deploy@{}", shop.path())]);
    let begun = json_of(&world, &["run", "start", "deploy", "--task", "ship it"]);
    let workflow = &begun["outcome"]["report"]["workflow"];
    assert_eq!((workflow["version"].as_str(), workflow["commit"].as_str()), (Some("1.2.0"), Some(commit.as_str())));
}
