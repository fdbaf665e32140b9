//! What a run's branch says is not believed: it may have come from anywhere.

use super::*;

#[test]
fn a_hostile_branch_is_refused_and_leads_nowhere() {
    let world = World::new("sha1");
    let run = start(&world);
    world.ok(&["step", "start", "one"]);
    let branch = format!("refs/trace/heads/run/{run}");
    let sound = world.tip(&branch).expect("a commit");
    let back = || world.git(&["update-ref", &branch, &sound], &world.repo());
    let header = |folder: &str, more: &str| {
        format!(
            r#"{{"version":1,"run":"{run}","workflow":{{"name":"deploy"}},"task":"t","started":"s","status":"in-progress",
            "folder":{folder:?}{more}}}"#
        )
    };
    for (at, body, word) in [
        (2, "[]".to_owned(), "its header"),
        (2, r#"{"version":1}"#.to_owned(), "missing field"),
        (2, header(".", "").replace("\"version\":1", "\"version\":2"), "newer than this program"),
        (2, header("../out", ""), "cannot have a trace"),
        (2, header("/tmp/out", ""), "cannot have a trace"),
        (2, header(".git/hooks", ""), "cannot have a trace"),
        (2, header("a/../b", ""), "cannot have a trace"),
        (
            1,
            r#"{"number":7,"action":"x","status":"completed","started":"s"}"#.to_owned(),
            "is step 7, where step 1 belongs",
        ),
        (1, r#"{"number":1,"action":"x","status":"sleeping","started":"s"}"#.to_owned(), "unknown variant"),
        (1, r#"{"number":1,"action":[[]]}"#.to_owned(), "cannot be read"),
        (1, "7".to_owned(), "cannot be read"),
    ] {
        tamper(&world, &run, at, &body);
        let file = text(&world);
        let said = world.fails(1, &["step", "note", "x", "--run", &run]);
        assert!(said.contains(word), "{body}: {said}");
        assert_eq!(text(&world), file);
        // A list tells of it, and of the others.
        world.ok(&["run", "list"]);
        world.ok(&["run", "drift"]);
        back();
    }
    assert!(!exists(&world.root().join("out")) && !exists(&world.repo().join(".git/hooks/trace.md")));
    world.ok(&["step", "note", "fine"]);
    assert_agrees(&world);
    // Words that drive a terminal do not, neither from the file nor from the program.
    tamper(
        &world,
        &run,
        1,
        r###"{"number":1,"action":"\u001b[2Jgone\r\n## Step 2: y","status":"in-progress",
            "started":"s","artifacts":[{"path":"../../etc/passwd","blob":"x"}],"more":[1]}"###,
    );
    let said = world.ok(&["run", "status"]);
    assert!(!said.contains('\u{1b}') && said.contains("^["), "{said}");
    world.ok(&["run", "sync", "--discard"]);
    assert!(!text(&world).contains('\u{1b}') && text(&world).contains("## Step 1: \\u{1b}[2Jgone"), "{}", text(&world));
    world.ok(&["step", "note", "x"]);
    assert_agrees(&world);
    let kept = world.git(&["grep", "-h", "-a", "more", &branch], &world.repo());
    assert!(kept.contains(r#""more":[1]"#), "what a newer version says stays: {kept}");
}

#[test]
fn a_link_that_leads_out_of_the_work_tree_is_not_followed() {
    let world = World::new("sha1");
    let run = {
        let said = json(&world, &["run", "start", "deploy", "--task", "t", "--dir", "task"]);
        said["outcome"]["report"]["run"].as_str().expect("an id").to_owned()
    };
    std::fs::remove_dir_all(world.repo().join("task")).expect("it was there");
    std::os::unix::fs::symlink(world.home(), world.repo().join("task")).expect("a link");
    let said = world.fails(1, &["step", "start", "x", "--run", &run]);
    assert!(said.contains("cannot have a trace"), "{said}");
    assert!(!exists(&world.home().join("trace.md")));
}
