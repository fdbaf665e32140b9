//! Runs that turns of an agent drive, what is too large, and what a hostile branch says of either.

use super::*;

const LOOP: &str = r#"{"agent":"true","repeats":true,"max_iterations":3,"granted":3,"completion_marker":"DONE",
    "blocked_marker":"BLOCKED","nudge_cap":1,"retry_cap":1,"backoff_ms":1,"continue_prompt":"go on"}"#;

fn header(run: &str, folder: &str, status: &str, looping: &str) -> String {
    format!(
        r#"{{"version":1,"run":"{run}","workflow":{{"name":"deploy"}},"task":"t","started":"s","status":"{status}"
        {folder},"loop":{looping}}}"#
    )
}

const HERE: &str = r#","folder":".""#;

#[test]
fn only_turns_end_a_run_of_turns_and_go_on_with_it() {
    let world = World::new("sha1");
    let run = start(&world);
    for (status, commands) in [
        ("in-progress", &[&["run", "finish"][..], &["run", "finish", "--failed", "x"], &["run", "resume"]][..]),
        ("blocked", &[&["run", "finish"], &["run", "resume", "-m", "x"], &["step", "start", "x"]]),
    ] {
        tamper(&world, &run, 1, &header(&run, HERE, status, LOOP));
        world.ok(&["run", "sync", "--discard"]);
        for command in commands {
            let said = world.fails(1, command);
            assert!(said.contains("is one of turns"), "{command:?}: {said}");
            assert!(said.contains(&format!("git trace workflow run --resume {run}")), "{command:?}: {said}");
        }
    }
    // Steps are recorded in it all the same, and one that fails does not stop the turns.
    tamper(&world, &run, 1, &header(&run, HERE, "in-progress", LOOP));
    world.ok(&["run", "sync", "--discard"]);
    world.ok(&["step", "start", "one"]);
    world.ok(&FAIL);
    assert_eq!(status(&world)["status"], "in-progress");
    world.ok(&["step", "start", "two"]);
    world.ok(&COMPLETE);
    assert_agrees(&world);
}

#[test]
fn a_start_without_a_folder_takes_up_no_run_of_turns() {
    let world = World::new("sha1");
    let bare = world.root().join("bare.git");
    world.git(&["init", "-q", "--bare", "bare.git"], world.root());
    let trace = |arguments: &[&str], input: &str| {
        let mut command = world.command(env!("CARGO_BIN_EXE_git-trace"), &bare);
        command.args(arguments);
        let output = crate::world::feed(command, input.as_bytes());
        (output.status.code(), [output.stdout, output.stderr].concat())
    };
    let (code, said) = trace(&["run", "start", "deploy", "--task", "t", "--json"], "");
    let said: Value = serde_json::from_slice(&said).expect("JSON");
    let run = said["outcome"]["report"]["run"].as_str().expect("an id");
    assert_eq!(code, Some(0));
    assert!(String::from_utf8_lossy(&trace(&["run", "start", "deploy"], "").1).contains("step 1 comes next"));
    let edit = ["--branch", &format!("run/{run}"), "edit", "@2", "-F", "-"];
    assert_eq!(trace(&edit, &header(run, "", "in-progress", LOOP)).0, Some(0));
    let (code, said) = trace(&["run", "start", "deploy"], "");
    let said = String::from_utf8_lossy(&said);
    assert!(code == Some(1) && said.contains("a new run needs a task"), "{said}");
}

#[test]
fn the_run_that_drives_a_process_comes_before_that_of_the_folder() {
    let world = World::new("sha1");
    let said = json(&world, &["run", "start", "other", "--task", "t", "--dir", "there"]);
    let driving = said["outcome"]["report"]["run"].as_str().expect("an id").to_owned();
    let here = start(&world);
    let within = |run: &str, more: &[&str]| {
        let mut command = world.trace(&[&["run", "status", "--json"], more].concat());
        let output = command.env("GITTRACE_RUN", run).output().expect("it starts");
        let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        said["run"]["run"].as_str().expect("an id").to_owned()
    };
    assert_eq!(within(&driving, &[]), driving);
    assert_eq!(within(&driving, &["--run", &here]), here);
    assert_eq!(within(&driving, &["--dir", "."]), here);
    for other in ["", "of-another-repository", "../x", "-n"] {
        assert_eq!(within(other, &[]), here, "{other}");
    }
}

#[test]
fn what_could_not_be_read_again_is_not_begun() {
    let world = World::new("sha1");
    let longest = "x".repeat(64 << 10);
    let said = world.fails(1, &["run", "start", "deploy", "--task", &format!("{longest}x")]);
    assert!(said.contains("the task has more than 65536 bytes") && said.contains("hint: put it into a file"), "{said}");
    assert_eq!(json(&world, &["run", "list"])["runs"].as_array().expect("a list").len(), 0);
    world.ok(&["run", "start", "deploy", "--task", &longest]);
    assert_agrees(&world);
}

#[test]
fn a_broken_branch_hides_no_other() {
    let world = World::new("sha1");
    let run = start(&world);
    world.ok(&["step", "start", "one"]);
    json(&world, &["run", "start", "sound", "--task", "t", "--dir", "sound"]);
    let branch = format!("refs/trace/heads/run/{run}");
    let sound = world.tip(&branch).expect("a commit");
    let huge = format!(r#"{{"type":"x","more":"{}"}}"#, "x".repeat(2 << 20));
    let huge_header = header(&run, &format!(r#","more":"{}""#, "x".repeat(2 << 20)), "in-progress", LOOP);
    let odd = |looping: &str| header(&run, HERE, "in-progress", looping);
    for (at, body, fault) in [
        (2, odd("[]"), "its turns cannot be read"),
        (2, odd("7"), "its turns cannot be read"),
        (2, odd(r#"{"agent":[[]]}"#), "its turns cannot be read"),
        (2, odd(&LOOP.replace("\"repeats\":true", "\"repeats\":{}")), "its turns cannot be read"),
        (2, odd(&LOOP.replace(":3", ":99999999999999999999")), "its turns cannot be read"),
        (2, huge_header, "its header is too large"),
        (1, huge, "is no step"),
    ] {
        tamper(&world, &run, at, &body);
        let output = world.trace(&["run", "status", "--run", &run]).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(fault), "{fault}: {said}");
        let listed = json(&world, &["run", "list"])["runs"].as_array().expect("a list").len();
        assert_eq!((listed, world.ok(&["run", "status", "--dir", "sound"]).contains("workflow sound")), (2, true));
        world.ok(&["run", "drift"]);
        world.fails(1, &["run", "finish", "--run", &run]);
        world.git(&["update-ref", &branch, &sound], &world.repo());
    }
    world.ok(&["run", "sync", "--discard", "--run", &run]);
    world.ok(&["step", "note", "fine"]);
    assert_agrees(&world);
}
