//! What others have begun comes with their branches, and a folder `.` is in every clone: nothing of theirs is gone on
//! with unless it is named.

use super::*;

fn fetch(to: &World, from: &World) {
    let all = "+refs/trace/heads/run/*:refs/trace/heads/run/*";
    to.git(&["fetch", "-q", &from.repo().to_string_lossy(), all], &to.repo());
}

/// Runs a command later than the clock of these tests says.
fn later(world: &World, arguments: &[&str]) {
    let mut command = world.trace(arguments);
    command.env("GIT_COMMITTER_DATE", "1990000000 +0000");
    assert!(command.output().expect("it starts").status.success(), "{arguments:?}");
}

#[test]
fn a_run_of_somebody_else_is_gone_on_with_only_by_its_name() {
    let (alice, bob) = (World::new("sha1"), World::new("sha1"));
    let hers = start(&alice);
    alice.ok(&["step", "start", "hers"]);
    fetch(&bob, &alice);
    for command in [&["step", "start", "x"][..], &["step", "note", "x"], &["run", "finish"], &["run", "sync"]] {
        let said = bob.fails(1, command);
        assert!(said.contains("no open run was begun here") && said.contains(&format!("--run {hers}")), "{said}");
    }
    let his = start(&bob);
    assert_ne!(hers, his);
    bob.ok(&["step", "start", "his"]);
    // Hers is the newest of all, and has the same folder.
    later(&alice, &["step", "note", "later"]);
    let ref_name = format!("refs/trace/heads/run/{hers}");
    fetch(&bob, &alice);
    let before = bob.tip(&ref_name);
    bob.ok(&COMPLETE);
    std::fs::remove_file(page(&bob)).expect("it was there");
    bob.ok(&["step", "start", "two"]);
    std::fs::write(page(&bob), text(&bob).replace("in-progress\n**Summary:**", "in-progress\n**Summary:** half"))
        .expect("a file");
    bob.ok(&["step", "note", "edited"]);
    assert_eq!((bob.tip(&ref_name), status(&bob)["run"].as_str()), (before, Some(his.as_str())));
    assert!(text(&bob).contains("## Step 1: his") && text(&bob).contains("**Summary:** half"), "{}", text(&bob));
    assert_agrees(&bob);

    // His file is no edit of hers, and not out of date either.
    let file = text(&bob);
    let said = bob.fails(1, &["step", "note", "x", "--run", &hers]);
    assert!(said.contains(&format!("in the way: it is of run '{his}'")) && text(&bob) == file, "{said}");
    std::fs::remove_file(page(&bob)).expect("it was there");
    bob.ok(&["run", "sync", "--run", &hers]);
    // Both are his now: the file says which is meant, and where it does not, he has to.
    assert!(text(&bob).contains("## Step 1: hers"), "{}", text(&bob));
    assert_eq!(status(&bob)["run"], hers.as_str());
    std::fs::remove_file(page(&bob)).expect("it was there");
    let said = bob.fails(1, &["step", "note", "x"]);
    assert!(said.contains("more than one run is open") && said.contains(&hers) && said.contains(&his), "{said}");
    bob.ok(&["step", "note", "x", "--run", &his]);
    assert_eq!(status(&bob)["run"], his.as_str());
    bob.fsck();
}

#[test]
fn a_file_of_somebody_elses_run_makes_no_room() {
    let (alice, bob) = (World::new("sha1"), World::new("sha1"));
    let hers = start(&alice);
    fetch(&bob, &alice);
    std::fs::write(page(&bob), text(&alice)).expect("a file");
    for more in [&[][..], &["--new"]] {
        let said = bob.fails(1, &[&["run", "start", "deploy", "--task", "mine"], more].concat());
        assert!(said.contains(&format!("it is of run '{hers}', which was begun elsewhere")), "{said}");
        assert_eq!(text(&bob), text(&alice));
    }
    bob.ok(&["run", "sync", "--run", &hers]);
    bob.ok(&["step", "start", "ours"]);
    assert_agrees(&bob);
}
