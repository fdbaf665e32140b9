//! What is installed is exactly what was there, complete, and comes back.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use super::shop::{Shop, json_of, lock_of};
use crate::world::{World, amount};

#[test]
fn an_install_is_the_whole_tree_and_is_taken_back() {
    for (ours, theirs) in [("sha1", "sha1"), ("sha256", "sha1"), ("sha1", "sha256"), ("sha256", "sha256")] {
        let world = World::new(ours);
        let shop = Shop::of(&world, "shop", theirs);
        shop.offer(&[("deploy", "1.0.0")]);
        shop.write("workflows/deploy/run.sh", "#!/bin/sh\n");
        let script = shop.top().join("workflows/deploy/run.sh");
        fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a script");
        let commit = shop.commit("one");
        let before = world.git(&["status", "--porcelain", "--ignored"], &world.repo());
        let dry = json_of(&world, &["workflow", "install", "-n", &format!("deploy@{}", shop.path())]);
        assert_eq!(dry["dry_run"], true);
        assert_eq!(world.git(&["status", "--porcelain", "--ignored"], &world.repo()), before, "nothing was written");
        assert_eq!(world.tip("refs/trace/workflows/deploy"), None);

        let done = json_of(&world, &["workflow", "install", &format!("deploy@{}", shop.path())]);
        let one = &done["workflows"][0];
        assert_eq!((one["commit"].as_str(), one["unchanged"].as_bool()), (Some(commit.as_str()), Some(false)));
        assert_eq!(one["tree"], dry["workflows"][0]["tree"], "a rehearsal says what would come");
        let files = world
            .git(&["ls-tree", "-r", "--format=%(objectmode) %(path)", "refs/trace/workflows/deploy"], &world.repo());
        assert_eq!(
            files.lines().collect::<Vec<_>>(),
            ["100644 instructions.md", "100644 parts/more.txt", "100755 run.sh", "100644 workflow.json"]
        );
        if ours == theirs {
            assert_eq!(one["tree"], shop.tree_of("deploy").as_str());
        }
        world.ok(&["workflow", "verify"]);
        world.fsck();
        // The same once more changes nothing at all.
        let (tip, lock) = (world.tip("refs/trace/workflows/deploy"), lock_of(&world));
        let again = json_of(&world, &["workflow", "install", &format!("deploy@{}", shop.path())]);
        assert_eq!(again["workflows"][0]["unchanged"], true);
        assert_eq!((world.tip("refs/trace/workflows/deploy"), lock_of(&world)), (tip.clone(), lock));

        shop.offer(&[("deploy", "1.1.0")]);
        fs::remove_file(&script).expect("a script");
        shop.commit("two");
        let newer = json_of(&world, &["workflow", "upgrade", "deploy"]);
        assert_eq!(
            (newer["workflows"][0]["was"].as_str(), newer["workflows"][0]["version"].as_str()),
            (Some("1.0.0"), Some("1.1.0"))
        );
        let files = world.git(&["ls-tree", "-r", "--name-only", "refs/trace/workflows/deploy"], &world.repo());
        assert!(!files.contains("run.sh"), "what the new version has not is not there");
        let undo = newer["workflows"][0]["undo"].as_str().expect("a way back").to_owned();
        run(&world, &undo);
        let tree = |commit: &str| world.git(&["rev-parse", &format!("{commit}^{{tree}}")], &world.repo());
        let tip = tip.expect("an installation");
        assert_eq!(tree("refs/trace/workflows/deploy"), tree(&tip));
        assert_eq!(json_of(&world, &["workflow", "list"])["workflows"][0]["version"], "1.0.0");
        world.ok(&["workflow", "verify"]);
        let removed = json_of(&world, &["workflow", "remove", "deploy"]);
        assert_eq!(
            world.git(&["ls-tree", "refs/trace/workflows/deploy"], &world.repo()),
            "",
            "only its history is there"
        );
        assert!(!lock_of(&world).contains("deploy:"));
        run(&world, removed["workflows"][0]["undo"].as_str().expect("a way back"));
        assert_eq!(tree("refs/trace/workflows/deploy"), tree(&tip));
        world.ok(&["workflow", "verify"]);
        // Its refs are ours, and hold no contexts.
        let doctor = world.trace(&["doctor"]).output().expect("it starts");
        assert!(!String::from_utf8_lossy(&doctor.stdout).contains("refs/trace/workflows"));
        world.ok(&["verify", "--all"]);
        world.fsck();
    }
}

/// Runs a way back as it is told.
fn run(world: &World, command: &str) {
    let words: Vec<&str> = command.split(' ').skip(2).collect();
    world.ok(&words);
}

#[test]
fn an_upgrade_keeps_to_the_range_that_was_asked_for() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0"), ("review", "1.0.0")]);
    shop.commit("one");
    world.ok(&["marketplace", "add", "../shop"]);
    world.ok(&["workflow", "install", "deploy@^1.0", "review@1.0.0"]);
    for version in ["1.4.0", "2.0.0"] {
        shop.offer(&[("deploy", version), ("review", version)]);
        shop.commit(version);
        shop.git(&["tag", &format!("v{version}")]);
    }
    let dry = json_of(&world, &["workflow", "upgrade", "deploy", "-n"]);
    assert_eq!(dry["workflows"][0]["version"], "1.4.0");
    assert!(lock_of(&world).contains("version: 1.0.0"), "a rehearsal");
    // What is pinned and gone stays as it is, is told, and hinders no other.
    let output = world.trace(&["workflow", "upgrade", "--json"]).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let done: serde_json::Value =
        serde_json::Deserializer::from_slice(&output.stdout).into_iter().next().expect("an answer").expect("JSON");
    assert_eq!(
        (done["workflows"][0]["name"].as_str(), done["workflows"][0]["version"].as_str()),
        (Some("deploy"), Some("1.4.0"))
    );
    assert_eq!(done["failed"][0]["name"], "review");
    let lock = lock_of(&world);
    assert!(lock.contains("range: ^1.0") && lock.contains("reference: deploy@^1.0"), "{lock}");
    world.ok(&["workflow", "verify"]);
}

#[test]
fn a_name_that_is_taken_is_not_overwritten_silently() {
    let world = World::new("sha1");
    let (one, two) = (Shop::new(&world, "one"), Shop::new(&world, "two"));
    for (shop, version) in [(&one, "1.0.0"), (&two, "1.5.0")] {
        shop.offer(&[("deploy", version)]);
        shop.commit("one");
    }
    let (first, second) = (format!("deploy@{}", one.path()), format!("deploy@{}", two.path()));
    world.ok(&["workflow", "install", &first]);
    let said = world.fails(1, &["workflow", "install", &second]);
    assert!(said.contains("is installed from") && said.contains("--as"), "{said}");
    world.ok(&["workflow", "install", &second, "--as", "deploy-two"]);
    let listed = json_of(&world, &["workflow", "list"]);
    let versions: Vec<&str> =
        listed["workflows"].as_array().expect("rows").iter().filter_map(|row| row["version"].as_str()).collect();
    assert_eq!(versions, ["1.0.0", "1.5.0"]);
    world.ok(&["workflow", "install", &second, "--force"]);
    assert_eq!(json_of(&world, &["workflow", "show", "deploy"])["workflow"]["version"], "1.5.0");
    for bad in ["../../evil", ".git", "a/b", "-x", ""] {
        let name = format!("--as={bad}");
        let said = world.trace(&["workflow", "install", &first, &name]).output().expect("it starts");
        assert_eq!(said.status.code(), Some(1), "{bad}");
    }
    world.fsck();
}

#[test]
fn what_is_locked_is_brought_to_others_exactly_or_not_at_all() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    let commit = shop.commit("one");
    let url = format!("file://{}", shop.path());
    world.ok(&["workflow", "install", &format!("deploy@{url}")]);
    shop.offer(&[("deploy", "9.0.0")]);
    shop.commit("two");
    world.git(&["add", ".gittrace"], &world.repo());
    world.git(&["commit", "-q", "-m", "locked"], &world.repo());
    world.git(&["clone", "-q", "repo", "other"], world.root());
    let there = world.root().join("other").display().to_string();
    let listed = json_of(&world, &["-C", &there, "workflow", "list"]);
    assert_eq!(listed["workflows"][0]["is_here"], false);
    let offline = world.fails(1, &["-C", &there, "workflow", "path", "deploy", "--offline"]);
    assert!(offline.contains("are not here"), "{offline}");
    // Another cache, as on another machine.
    world.git(&["config", "trace.cacheDir", "../cache"], &world.root().join("other"));
    // A lock file comes from others: what of this machine is read is for its user to say.
    let strange = world.fails(1, &["-C", &there, "workflow", "install"]);
    assert!(strange.contains("nobody here has named") && strange.contains("marketplace add"), "{strange}");
    world.ok(&["-C", &there, "marketplace", "add", "--offline", &url]);
    let done = json_of(&world, &["-C", &there, "workflow", "install"]);
    assert_eq!(
        (done["workflows"][0]["commit"].as_str(), done["workflows"][0]["version"].as_str()),
        (Some(commit.as_str()), Some("1.0.0"))
    );
    world.ok(&["-C", &there, "workflow", "verify"]);
    // Whoever changes the lock file changes nothing of what is there.
    let lock = world.root().join("other/.gittrace/workflows.lock");
    let text = fs::read_to_string(&lock).expect("a lock file");
    let tree = done["workflows"][0]["tree"].as_str().expect("a tree");
    fs::write(&lock, text.replace(tree, &"1".repeat(40))).expect("a lock file");
    let said = world.fails(1, &["-C", &there, "workflow", "verify"]);
    assert!(said.contains("not sound"), "{said}");
    let said = world.fails(1, &["-C", &there, "workflow", "install"]);
    assert!(said.contains("not what was locked"), "{said}");
    for (broken, told) in [("version: 7\n", "version 7"), ("version: 1\n<<<<<<< a\n", "conflict"), ("- x", "")] {
        fs::write(&lock, broken).expect("a lock file");
        let said = world.fails(1, &["-C", &there, "workflow", "list"]);
        assert!(said.contains(told), "{broken}: {said}");
    }
}

#[test]
fn plugins_are_locked_like_workflows_and_one_that_cannot_be_had_is_told() {
    let world = World::new("sha1");
    let other = Shop::new(&world, "other");
    other.write("kit/.claude-plugin/plugin.json", r#"{"name": "kit", "version": "0.3.0"}"#).write("kit/a.md", "a");
    other.commit("one");
    let shop = Shop::new(&world, "shop");
    let plugins = ["lint", "kit", "away", "none"].map(|name| json!(format!("{name}@file://{}", shop.path())));
    let pinned = json!({"ref": format!("lint@file://{}", shop.path()), "version": "1.0.0"});
    shop.workflow("deploy", "1.0.0", &plugins).workflow("review", "1.0.0", &[pinned]);
    shop.write("plugins/lint/.claude-plugin/plugin.json", r#"{"name": "lint", "version": "1.0.0"}"#);
    shop.write("plugins/lint/commands/lint.md", "lint");
    shop.manifest(&json!({"workflows": [
        {"name": "deploy", "source": "./workflows/deploy"}, {"name": "review", "source": "./workflows/review"},
    ]}));
    let kit = json!({"source": "git-subdir", "url": format!("file://{}", other.path()), "path": "kit"});
    let claude = json!({"name": "shop", "owner": {"name": "o"}, "plugins": [
        {"name": "lint", "source": "./plugins/lint"}, {"name": "kit", "source": kit},
        {"name": "away", "source": {"source": "npm", "package": "@x/y"}},
    ]});
    shop.write(".claude-plugin/marketplace.json", claude.to_string());
    shop.commit("one");
    let url = format!("file://{}", shop.path());
    let strict = world.fails(1, &["workflow", "install", "--strict", &format!("deploy@{url}")]);
    assert!(strict.contains("npm") && lock_of(&world).is_empty(), "{strict}");
    let done = json_of(&world, &["workflow", "install", &format!("deploy@{url}"), &format!("review@{url}")]);
    let found = &done["workflows"][0]["plugins_found"];
    let told: Vec<(bool, Option<&str>)> = found
        .as_array()
        .expect("plugins")
        .iter()
        .map(|plugin| (plugin["problem"].is_null(), plugin["version"].as_str()))
        .collect();
    assert_eq!(told, [(true, Some("1.0.0")), (true, Some("0.3.0")), (false, None), (false, None)], "{found}");
    let tree = world.git(&["ls-tree", "-r", "--name-only", "refs/trace/plugins/kit"], &world.repo());
    assert_eq!(tree, ".claude-plugin/plugin.json\na.md\n");
    world.ok(&["workflow", "verify"]);
    let folders = json_of(&world, &["workflow", "path", "deploy", "--offline"]);
    let plugin = folders["plugins"][0].as_str().expect("a folder");
    assert!(fs::metadata(format!("{plugin}/.claude-plugin/plugin.json")).is_ok(), "{folders}");
    // The last workflow that needs a plugin takes it along.
    let removed = json_of(&world, &["workflow", "remove", "deploy"]);
    assert_eq!(removed["plugins"], json!(["kit"]));
    let files = |name: &str| world.git(&["ls-tree", &format!("refs/trace/plugins/{name}")], &world.repo());
    assert!(!files("lint").is_empty() && files("kit").is_empty());
    run(&world, removed["workflows"][0]["undo"].as_str().expect("a way back"));
    world.ok(&["workflow", "verify"]);
    world.fsck();
}

#[test]
fn folders_are_checked_before_they_are_used() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.commit("one");
    let reference = format!("deploy@{}", shop.path());
    let folder = json_of(&world, &["workflow", "path", &reference])["folder"].as_str().expect("a folder").to_owned();
    world.ok(&["workflow", "install", &reference]);
    assert_eq!(world.ok(&["workflow", "path", "deploy"]).trim(), folder, "installed or not, it is the same tree");
    let file = format!("{folder}/instructions.md");
    let was = fs::read(&file).expect("a file");
    fs::remove_file(&file).expect("a file");
    fs::write(&file, "do something else\n").expect("a file");
    fs::write(format!("{folder}/more"), "x").expect("a file");
    let said = world.trace(&["workflow", "verify"]).output().expect("it starts");
    assert_eq!(said.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&said.stdout).contains("was changed"));
    world.ok(&["workflow", "path", "deploy"]);
    assert_eq!(fs::read(&file).expect("a file"), was);
    assert!(fs::metadata(format!("{folder}/more")).is_err());
    world.ok(&["workflow", "verify"]);
    // Without any marketplace there is still one.
    let default = world.ok(&["workflow", "path", "default"]);
    assert!(fs::metadata(format!("{}/instructions.md", default.trim())).is_ok());
}

#[test]
fn a_bare_repository_keeps_its_lock_file_in_its_own_folder() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.commit("one");
    world.git(&["init", "-q", "--bare", "bare.git"], world.root());
    let bare = world.root().join("bare.git").display().to_string();
    world.ok(&["-C", &bare, "workflow", "install", &format!("deploy@{}", shop.path())]);
    assert!(fs::metadata(format!("{bare}/trace/workflows.lock")).is_ok());
    world.ok(&["-C", &bare, "workflow", "verify"]);
    world.ok(&["-C", &bare, "workflow", "path", "deploy", "--offline"]);
}

#[test]
fn many_installs_at_once_all_count() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    let names: Vec<String> = (0..8).map(|at| format!("w{at}")).collect();
    let offers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1.0.0")).collect();
    shop.offer(&offers);
    shop.commit("one");
    world.ok(&["marketplace", "add", &format!("file://{}", shop.path()), "--offline"]);
    let children: Vec<_> = names
        .iter()
        .map(|name| {
            world
                .trace(&["workflow", "install", name])
                .stderr(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .expect("it starts")
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let listed = json_of(&world, &["workflow", "list"]);
    assert_eq!(listed["workflows"].as_array().map(Vec::len), Some(8));
    world.ok(&["workflow", "verify"]);
    world.fsck();
}

#[test]
fn a_killed_install_is_finished_by_the_same_command() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.commit("one");
    let url = format!("file://{}", shop.path());
    let mut usual = Duration::from_millis(60);
    let mut killed = 0;
    for round in 0..amount(25, 200) {
        shop.offer(&[("deploy", &format!("1.0.{round}"))]);
        shop.commit("next");
        // Every other round begins without a mirror.
        if round % 2 == 0 {
            let _ = fs::remove_dir_all(super::shop::mirrors(&world));
        }
        let arguments =
            if round % 3 == 0 { vec!["workflow", "upgrade", "deploy"] } else { vec!["workflow", "install"] };
        let reference = format!("deploy@{url}");
        let arguments: Vec<&str> =
            if arguments.len() == 2 || round == 0 { vec!["workflow", "install", &reference] } else { arguments };
        let begun = std::time::Instant::now();
        let mut child = world.trace(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(usual.mul_f64(fastrand::f64() * 1.2));
        killed += usize::from(matches!(child.try_wait(), Ok(None)));
        let _ = child.kill();
        let _ = child.wait();
        let output = world.trace(&arguments).output().expect("it starts");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{arguments:?} in round {round}: {said}");
        let took = begun.elapsed();
        usual = (usual * 7 + took.min(usual * 2)) / 8;
        world.ok(&["workflow", "verify"]);
    }
    eprintln!("{killed} killed");
    world.ok(&["marketplace", "refresh", &url]);
    world.git(&["fsck", "--strict"], &super::shop::only_mirror(&world));
    world.fsck();
}
