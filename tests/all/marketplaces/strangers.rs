//! What others wrote has no say about this machine; what was stopped halfway is finished by the same command.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::shop::{Shop, json_of, mirrors, only_mirror};
use crate::world::{World, feed};

/// Makes a marketplace that is `acme/flows` to everybody.
fn hosted(world: &World, plugins: &[Value]) -> String {
    let shop = Shop::new(world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.workflow("deploy", "1.0.0", plugins);
    shop.commit("one");
    let tree = shop.tree_of("deploy");
    let host = world.root().join("host");
    fs::create_dir_all(host.join("acme")).expect("a folder");
    world.git(&["clone", "-q", "--bare", "shop", "host/acme/flows.git"], world.root());
    let host = host.display().to_string();
    world.git(&["config", "--global", "trace.marketplaceHost", &host], &world.repo());
    tree
}

#[test]
fn a_folder_of_a_clone_does_not_stand_in_for_a_known_marketplace() {
    let world = World::new("sha1");
    let tree = hosted(&world, &[]);
    world.git(&["config", "--global", "trace.marketplace", "acme/flows"], &world.repo());
    let folder = world.repo().join("acme/flows");
    let other = Shop::new(&world, "other");
    other.offer(&[("deploy", "6.6.6")]);
    fs::create_dir_all(folder.parent().expect("a folder")).expect("a folder");
    fs::rename(other.top(), &folder).expect("a folder");
    fs::remove_dir_all(folder.join(".git")).expect("a folder");
    let found = json_of(&world, &["workflow", "resolve", "deploy"]);
    assert_eq!((found["tree"].as_str(), found["source"].as_str()), (Some(tree.as_str()), Some("acme/flows")));
    // Nor does one that is put there after an install.
    fs::rename(world.repo().join("acme"), world.root().join("acme")).expect("a folder");
    world.ok(&["workflow", "install", "deploy"]);
    fs::rename(world.root().join("acme"), world.repo().join("acme")).expect("a folder");
    let upgraded = json_of(&world, &["workflow", "upgrade", "deploy"]);
    assert_eq!(upgraded["workflows"][0]["tree"], tree.as_str(), "{upgraded}");
}

#[test]
fn what_is_fetched_from_others_names_no_folder_of_this_machine() {
    let world = World::new("sha1");
    let keys = world.home().join(".ssh");
    fs::create_dir_all(keys.join(".claude-plugin")).expect("a folder");
    fs::write(keys.join("id"), "a key").expect("a file");
    let manifest = json!({"name": "x", "plugins": [{"name": "x", "source": "./"}]}).to_string();
    fs::write(keys.join(".claude-plugin/marketplace.json"), manifest).expect("a file");
    world.git(&["init", "-q"], &keys);
    world.git(&["add", "."], &keys);
    world.git(&["commit", "-q", "-m", "keys"], &keys);
    let references = ["x@~/.ssh".to_owned(), format!("x@{}", keys.display()), format!("x@file://{}", keys.display())];
    hosted(&world, &references.map(Value::from));
    let done = json_of(&world, &["workflow", "install", "deploy@acme/flows"]);
    let plugins = done["workflows"][0]["plugins_found"].as_array().expect("plugins");
    assert_eq!(plugins.len(), 3);
    for plugin in plugins {
        assert!(plugin["problem"].as_str().is_some_and(|told| told.contains("this machine")), "{plugin}");
    }
    assert!(!mirrors(&world).join("folders").exists());
    assert_eq!(fs::read_dir(mirrors(&world)).expect("mirrors").filter(is_mirror).count(), 1);
    assert_eq!(world.tip("refs/trace/plugins/x"), None);
}

fn is_mirror(file: &std::io::Result<fs::DirEntry>) -> bool {
    file.as_ref().is_ok_and(|file| file.path().extension().is_some_and(|end| end == "git"))
}

#[test]
fn a_workflow_of_this_machine_names_plugins_beside_it() {
    let world = World::new("sha1");
    let plugins = Shop::new(&world, "plugins");
    plugins
        .write(".claude-plugin/marketplace.json", r#"{"name": "p", "plugins": [{"name": "kit", "source": "./kit"}]}"#);
    plugins.write("kit/a.md", "a");
    plugins.commit("one");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[]);
    shop.workflow("deploy", "1.0.0", &[json!("kit@../plugins")]);
    shop.manifest(&json!({"workflows": [{"name": "deploy", "source": "./workflows/deploy"}]}));
    shop.commit("one");
    let done = json_of(&world, &["workflow", "install", "--strict", &format!("deploy@{}", shop.path())]);
    assert_eq!(done["workflows"][0]["plugins_found"][0]["key"], "kit", "{done}");
}

#[test]
fn a_lock_file_names_no_folder_that_its_user_has_not_named() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.workflow("deploy", "1.0.0", &[]);
    fs::rename(shop.top().join("workflows/deploy"), world.repo().join("own")).expect("a folder");
    world.ok(&["workflow", "install", "./own"]);
    world.git(&["add", "--all"], &world.repo());
    world.git(&["commit", "-q", "-m", "locked"], &world.repo());
    world.git(&["clone", "-q", "repo", "other"], world.root());
    let other = world.root().join("other");
    let there = other.display().to_string();
    let lock = other.join(".gittrace/workflows.lock");
    let text = fs::read_to_string(&lock).expect("a lock file");
    fs::create_dir_all(world.home().join(".ssh")).expect("a folder");
    fs::write(world.home().join(".ssh/workflow.json"), "{}").expect("a file");
    let folders = || fs::read_dir(mirrors(&world).join("folders")).map_or(0, |files| files.filter(is_mirror).count());
    let before = folders();
    for place in ["~/.ssh", "link"] {
        std::os::unix::fs::symlink(world.home().join(".ssh"), other.join("link")).ok();
        let place = if place == "link" { "./link" } else { place };
        fs::write(&lock, text.replace("./own", place)).expect("a lock file");
        for verb in ["install", "upgrade"] {
            let output = world.trace(&["-C", &there, "workflow", verb]).output().expect("it starts");
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert_eq!(output.status.code(), Some(1), "{verb}: {said}");
            assert!(said.contains("nobody here has named"), "{verb} {place}: {said}");
        }
        assert_eq!(folders(), before, "nothing of it was read");
    }
    // Nor does it name one where the same is to be asked for again.
    fs::write(&lock, text.replace("reference: ./own", "reference: ~/.ssh/")).expect("a lock file");
    let said = world.trace(&["-C", &there, "workflow", "upgrade"]).output().expect("it starts");
    let said = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    assert!(said.contains("nobody here has named"), "{said}");
    // What lies in the work tree comes with the lock file.
    fs::write(&lock, &text).expect("a lock file");
    world.ok(&["-C", &there, "workflow", "install"]);
    world.ok(&["-C", &there, "workflow", "verify"]);
}

#[test]
fn a_refresh_that_is_killed_leaves_what_was_there() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.commit("one");
    world.ok(&["marketplace", "add", &format!("file://{}", shop.path())]);
    shop.offer(&[("deploy", "2.0.0")]);
    shop.commit("two");
    // A git that kills its caller as soon as files are fetched.
    let git = std::env::split_paths(&std::env::var_os("PATH").expect("a path"))
        .map(|folder| folder.join("git"))
        .find(|git| git.is_file())
        .expect("git");
    let bin = world.root().join("bin");
    fs::create_dir_all(&bin).expect("a folder");
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *--depth=1*) ;; *' fetch '*) kill -9 $PPID; exit 1;; esac\nexec '{}' \"$@\"\n",
        git.display()
    );
    fs::write(bin.join("git"), script).expect("a program");
    fs::set_permissions(bin.join("git"), PermissionsExt::from_mode(0o755)).expect("a program");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a path"));
    let killed = world.trace(&["marketplace", "refresh"]).env("PATH", path).output().expect("it starts");
    assert_eq!(killed.status.signal(), Some(9), "{}", String::from_utf8_lossy(&killed.stderr));
    for offline in [&["--offline"][..], &[]] {
        let arguments = [&["workflow", "resolve", "deploy"], offline].concat();
        assert_eq!(json_of(&world, &arguments)["version"], "1.0.0", "{offline:?}");
    }
    let refreshed = json_of(&world, &["marketplace", "refresh"]);
    assert_eq!(refreshed["marketplaces"][0]["new"], shop.head().as_str(), "{refreshed}");
    assert_eq!(json_of(&world, &["workflow", "resolve", "--offline", "deploy"])["version"], "2.0.0");
}

#[test]
fn another_folder_of_what_is_here_is_read_too() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("a", "1.0.0")]);
    let manifest = json!({"workflows": [{"name": "d", "source": "./d", "version": "3.0.0"}]}).to_string();
    shop.write("sub/.athena-workflow/marketplace.json", manifest);
    fs::create_dir_all(shop.top().join("sub")).expect("a folder");
    shop.workflow("d", "3.0.0", &[]);
    fs::rename(shop.top().join("workflows/d"), shop.top().join("sub/d")).expect("a folder");
    let commit = shop.commit("one");
    let url = format!("file://{}", shop.path());
    world.ok(&["workflow", "install", &format!("a@{url}")]);
    let inner = format!("d@{url}#:sub");
    let said = world.fails(1, &["workflow", "resolve", "--offline", &inner]);
    assert!(said.contains("not fetched yet"), "{said}");
    assert_eq!(json_of(&world, &["workflow", "resolve", &inner])["version"], "3.0.0");
    assert_eq!(json_of(&world, &["workflow", "resolve", &format!("d@{url}#{commit}:sub")])["version"], "3.0.0");
    world.ok(&["workflow", "install", "--offline", &inner]);
    world.git(&["fsck", "--strict"], &only_mirror(&world));
}

#[test]
fn trees_that_stand_for_more_than_anybody_can_count_are_read_soon() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    let workflows: Vec<(&str, &str)> = vec![("deploy", "1.0.0"), ("review", "1.0.0")];
    shop.offer(&workflows);
    shop.commit("one");
    let make = |rows: &str| {
        let mut command = world.command("git", shop.top());
        command.args(["mktree"]);
        let output = feed(command, rows.as_bytes());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let blob = shop.git(&["rev-parse", "HEAD:workflows/deploy/workflow.json"]);
    let mut bomb = make(&format!("100644 blob {blob}\tx\n"));
    for _ in 0..40 {
        bomb = make(&format!("040000 tree {bomb}\ta\n040000 tree {bomb}\tb\n"));
    }
    let deploy = shop.git(&["ls-tree", "HEAD:workflows/deploy"]);
    let deploy = make(&format!("{deploy}\n040000 tree {bomb}\tzz\n"));
    let review = shop.git(&["rev-parse", "HEAD:workflows/review"]);
    let workflows = make(&format!("040000 tree {deploy}\tdeploy\n040000 tree {review}\treview\n"));
    let hidden = shop.git(&["rev-parse", "HEAD:.athena-workflow"]);
    let root = make(&format!("040000 tree {hidden}\t.athena-workflow\n040000 tree {workflows}\tworkflows\n"));
    let commit = shop.git(&["commit-tree", "-m", "bomb", &root]);
    shop.git(&["update-ref", "refs/heads/main", &commit]);
    let begun = Instant::now();
    world.ok(&["marketplace", "add", &format!("file://{}", shop.path())]);
    assert_eq!(json_of(&world, &["workflow", "resolve", "--offline", "review"])["version"], "1.0.0");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn a_file_at_the_top_does_not_make_all_beside_it_a_workflow() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.workflow("deploy", "1.0.0", &[]);
    for file in ["workflow.json", "instructions.md"] {
        fs::copy(shop.top().join("workflows/deploy").join(file), world.repo().join(file)).expect("a file");
        fs::copy(shop.top().join("workflows/deploy").join(file), world.home().join(file)).expect("a file");
    }
    fs::write(world.repo().join(".env"), "KEY=secret").expect("a file");
    let home = world.home().join("workflow.json").display().to_string();
    for reference in ["./workflow.json", &home] {
        let said = world.fails(1, &["workflow", "install", reference]);
        assert!(said.contains("folder of its own"), "{said}");
    }
    assert!(!mirrors(&world).join("folders").exists(), "nothing was read");
    world.ok(&["workflow", "resolve", "."]);
}

#[test]
fn what_was_fetched_is_purged_even_if_nobody_names_it_any_more() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.commit("one");
    let url = format!("file://{}", shop.path());
    world.ok(&["marketplace", "add", &url]);
    let mirror = only_mirror(&world);
    // As if somebody was killed once it was unknown, and while it was deleted.
    world.git(&["config", "--unset-all", "trace.marketplace"], &world.repo());
    let left = mirror.with_extension("git.gone-00000000");
    fs::create_dir_all(left.join("objects")).expect("a folder");
    world.ok(&["marketplace", "remove", "--purge", "-n", &url]);
    assert!(mirror.exists(), "a rehearsal");
    world.ok(&["marketplace", "remove", "--purge", &url]);
    assert!(!mirror.exists() && !left.exists());
    let said = world.fails(1, &["marketplace", "remove", "--purge", &url]);
    assert!(said.contains("not among"), "{said}");
    // Killed after the deletion: it is known still, and the same command ends it.
    world.ok(&["marketplace", "add", &url]);
    fs::rename(&mirror, &left).expect("a folder");
    world.ok(&["marketplace", "remove", "--purge", &url]);
    assert!(!left.exists() && world.ok(&["marketplace"]).is_empty());
}

#[test]
fn passwords_of_known_marketplaces_are_not_shown() {
    let world = World::new("sha1");
    for value in ["https://u:geheim@ho st/x", "https://u:geheim@127.0.0.1:1/o/r"] {
        world.git(&["config", "--add", "trace.marketplace", value], &world.repo());
    }
    let shown = |arguments: &[&str]| {
        let output = world.trace(arguments).output().expect("it starts");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!said.contains("geheim"), "{arguments:?}: {said}");
        said
    };
    shown(&["workflow", "search", "--offline"]);
    shown(&["workflow", "resolve", "--offline", "deploy"]);
    let removed = shown(&["marketplace", "remove", "https://127.0.0.1:1/o/r"]);
    assert!(removed.contains("given again"), "{removed}");
    shown(&["marketplace", "remove", "https://u:geheim@ho st/x"]);
    assert!(world.ok(&["marketplace"]).is_empty());
}
