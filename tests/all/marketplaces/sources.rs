//! Sources of every kind lead to the same workflow.

use std::fs;

use serde_json::json;

use super::shop::{Shop, json_of, mirrors, only_mirror};
use crate::world::World;

#[test]
fn every_way_to_a_marketplace_leads_to_the_same_tree() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    let commit = shop.commit("one");
    let tree = shop.tree_of("deploy");
    world.git(&["clone", "-q", "--bare", "shop", "bare.git"], world.root());
    fs::create_dir_all(world.root().join("plain")).expect("a folder");
    world.git(&["--work-tree=../plain", "checkout", "-q", "HEAD", "--", "."], shop.top());
    let root = world.root().display().to_string();
    for (source, has_commit) in [
        (shop.path(), true),
        (format!("{root}/shop/workflows/deploy"), true),
        (format!("{root}/bare.git"), true),
        (format!("file://{root}/shop"), true),
        (format!("file://{root}/bare.git"), true),
        (format!("{root}/shop#main"), true),
        (format!("file://{root}/shop#main"), true),
        (format!("file://{root}/shop#{commit}"), true),
        (format!("{root}/plain"), false),
    ] {
        let reference = format!("deploy@{source}");
        let found = json_of(&world, &["workflow", "resolve", &reference]);
        assert_eq!(found["tree"], tree.as_str(), "{source}: {found}");
        assert_eq!(found["commit"].as_str(), has_commit.then_some(commit.as_str()), "{source}");
        assert_eq!(found["version"], "1.0.0", "{source}");
    }
    // A local repository is read where it is; only addresses have mirrors, and one repository has one.
    let names: Vec<String> = fs::read_dir(mirrors(&world))
        .expect("mirrors")
        .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".git"))
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn what_is_committed_is_used_and_what_is_not_is_told() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    let nothing = world.fails(1, &["marketplace", "add", &shop.path()]);
    assert!(nothing.contains("has no commit"), "{nothing}");
    shop.commit("one");
    let tree = shop.tree_of("deploy");
    world.ok(&["marketplace", "add", "../shop"]);
    shop.write("workflows/deploy/instructions.md", "changed by hand\n");
    let found = json_of(&world, &["workflow", "resolve", "deploy"]);
    assert_eq!(found["tree"], tree.as_str());
    assert!(found["warnings"][0].as_str().is_some_and(|told| told.contains("not committed")), "{found}");
}

#[test]
fn folders_and_files_without_a_marketplace_are_workflows_too() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.workflow("deploy", "3.1.0", &[]);
    fs::rename(shop.top().join("workflows/deploy"), world.repo().join("own")).expect("a folder");
    for reference in ["./own", "own/workflow.json"] {
        let found = json_of(&world, &["workflow", "resolve", reference]);
        assert_eq!(
            (&found["kind"], &found["name"], &found["version"]),
            (&json!("file"), &json!("deploy"), &json!("3.1.0"))
        );
    }
    world.ok(&["workflow", "install", "./own"]);
    let listed = json_of(&world, &["workflow", "list"]);
    assert_eq!(listed["workflows"][0]["url"], "./own", "what is in this work tree is named from its top");
    // A folder is read as it is: an upgrade takes what it is by then.
    fs::write(world.repo().join("own/instructions.md"), "# other\n").expect("a file");
    let upgraded = json_of(&world, &["workflow", "upgrade"]);
    assert_eq!(upgraded["workflows"][0]["unchanged"], false, "{upgraded}");
    world.ok(&["workflow", "verify"]);
}

#[test]
fn one_bad_marketplace_hides_no_other() {
    let world = World::new("sha1");
    let good = Shop::new(&world, "good");
    good.offer(&[("deploy", "1.0.0"), ("review", "2.0.0")]);
    good.commit("one");
    let bad = Shop::new(&world, "bad");
    bad.write(".athena-workflow/marketplace.json", "{");
    bad.commit("one");
    for value in [bad.path(), world.root().join("none").display().to_string(), "ext::sh -c x".to_owned(), good.path()] {
        world.git(&["config", "--add", "trace.marketplace", &value], &world.repo());
    }
    let found = json_of(&world, &["workflow", "search"]);
    let names: Vec<&str> =
        found["workflows"].as_array().expect("rows").iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["deploy", "review"]);
    assert_eq!(found["warnings"].as_array().map(Vec::len), Some(3), "{found}");
    assert_eq!(json_of(&world, &["workflow", "resolve", "deploy"])["warnings"].as_array().map(Vec::len), Some(3));
    let said = world.fails(1, &["workflow", "resolve", "deplyo"]);
    assert!(said.contains("deploy") && said.contains("none"), "near names, and what was not searched: {said}");
    let listed = json_of(&world, &["marketplace", "list"]);
    let problems: Vec<bool> =
        listed["marketplaces"].as_array().expect("rows").iter().map(|row| row["problem"].is_string()).collect();
    assert_eq!(problems, [true, true, true, false]);
}

#[test]
fn marketplaces_are_added_once_and_removed_however_they_are_spelt() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    shop.offer(&[("deploy", "1.0.0")]);
    shop.commit("one");
    let dry = world.ok(&["marketplace", "add", "../shop", "-n"]);
    assert!(dry.contains("would have added") && world.ok(&["marketplace"]).is_empty());
    world.ok(&["marketplace", "add", "../shop"]);
    let twice = world.fails(1, &["marketplace", "add", &shop.path()]);
    assert!(twice.contains("known already"), "{twice}");
    world.ok(&["marketplace", "add", "--global", "../shop/workflows"]);
    assert_eq!(json_of(&world, &["marketplace", "list"])["marketplaces"].as_array().map(Vec::len), Some(1));
    let undo = world.ok(&["marketplace", "remove", "../shop/"]);
    assert!(!undo.contains("--global"), "{undo}");
    let left = json_of(&world, &["marketplace", "list"]);
    assert_eq!(left["marketplaces"][0]["scope"], "the user's", "what is known to all repositories stays: {left}");
    world.ok(&["marketplace", "remove", "--global", "../shop/"]);
    assert_eq!(json_of(&world, &["marketplace", "list"])["marketplaces"].as_array().map(Vec::len), Some(0));
    let gone = world.fails(1, &["marketplace", "remove", "../shop"]);
    assert!(gone.contains("not among"), "{gone}");
    for bad in ["--upload-pack=x", "ext::sh -c x", "../sessions", "a b"] {
        let said = world.trace(&["marketplace", "add", "--", bad]).output().expect("it starts");
        assert_eq!(said.status.code(), Some(1), "{bad}");
    }
}

#[test]
fn the_same_in_two_mirrors_is_one_and_other_things_are_asked_about() {
    let world = World::new("sha1");
    let one = Shop::new(&world, "one");
    one.offer(&[("deploy", "1.0.0")]);
    one.commit("one");
    world.git(&["clone", "-q", "one", "two"], world.root());
    for name in ["../one", "../two"] {
        world.ok(&["marketplace", "add", name]);
    }
    let found = json_of(&world, &["workflow", "resolve", "deploy"]);
    assert_eq!(found["mirrors"].as_array().map(Vec::len), Some(1), "{found}");
    one.offer(&[("deploy", "1.5.0")]);
    one.commit("two");
    let said = world.fails(1, &["workflow", "resolve", "deploy"]);
    assert!(said.contains("one") && said.contains("two"), "{said}");
    assert_eq!(json_of(&world, &["workflow", "resolve", &format!("deploy@{}", one.path())])["version"], "1.5.0");
    assert_eq!(json_of(&world, &["workflow", "resolve", "deploy@1.0.0"])["version"], "1.0.0");
    world.configure("trace.marketplacePrecedence", "first");
    assert_eq!(json_of(&world, &["workflow", "resolve", "deploy"])["version"], "1.5.0");
}

#[test]
fn old_versions_are_found_at_their_tags() {
    let world = World::new("sha1");
    let shop = Shop::new(&world, "shop");
    for version in ["1.0.0", "1.2.0", "1.3.0", "2.0.0"] {
        shop.offer(&[("deploy", version)]);
        shop.commit(version);
        shop.git(&["tag", "-a", "-m", version, &format!("deploy--v{version}")]);
    }
    let root = world.root().display().to_string();
    for source in [shop.path(), format!("file://{root}/shop")] {
        for (asked, version, tag) in [
            ("", "2.0.0", None),
            ("@^1.2", "1.3.0", Some("deploy--v1.3.0")),
            ("@~1.2", "1.2.0", Some("deploy--v1.2.0")),
            ("@1.0.0", "1.0.0", Some("deploy--v1.0.0")),
            ("@latest", "2.0.0", None),
        ] {
            let found = json_of(&world, &["workflow", "resolve", &format!("deploy@{source}{asked}")]);
            assert_eq!(
                (found["version"].as_str(), found["tag"].as_str()),
                (Some(version), tag),
                "{source}{asked}: {found}"
            );
        }
        let said = world.fails(1, &["workflow", "resolve", &format!("deploy@{source}@^3")]);
        assert!(said.contains("2.0.0") && said.contains("1.3.0"), "what there is: {said}");
    }
    // What was fetched for one question is there for the next.
    let offline = format!("deploy@file://{root}/shop@~1.2");
    assert_eq!(json_of(&world, &["workflow", "resolve", "--offline", &offline])["version"], "1.2.0");
    world.git(&["fsck", "--strict"], &only_mirror(&world));
}
