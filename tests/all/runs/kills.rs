//! Commands are killed at random moments, and at each system call that writes: the branch is old or new, and the same
//! command finishes.

use std::collections::BTreeMap;

use super::*;
use crate::world::is_soak;

#[test]
fn whoever_is_killed_is_caught_up_with() {
    let world = World::new("sha1");
    let mut usual = Duration::from_millis(30);
    let (mut killed, mut stale, mut tried) = (0, 0, 3);
    let kill = |arguments: &[&str], usual: Duration| {
        let mut child = begun(world.trace(arguments));
        std::thread::sleep(usual.mul_f64(0.3 + fastrand::f64()));
        let _ = child.kill();
        child.wait().expect("it has ended").success()
    };
    // Begun twice at most: the one that was killed may have begun it, and is gone on with then.
    for _ in 0..3 {
        killed += usize::from(!kill(&["run", "start", "deploy", "--task", "t"], usual));
    }
    assert!(within(&world, &["run", "start", "deploy", "--task", "t"]).status.success());
    assert_eq!(json(&world, &["run", "list"])["runs"].as_array().expect("a list").len(), 1);
    for round in 0..rounds(6, 100) {
        let action = format!("round {round}");
        for verb in [&["step", "start", &action][..], &COMPLETE, &["run", "start", "deploy"]] {
            let done = kill(verb, usual);
            killed += usize::from(!done);
            tried += 1;
            let state = status(&world)["file_state"].as_str().expect("a word").to_owned();
            assert!(["current", "outdated", "missing"].contains(&state.as_str()), "{verb:?}: {state}");
            stale += usize::from(state != "current");
            let began = std::time::Instant::now();
            let output = within(&world, verb);
            usual = (usual * 7 + began.elapsed().min(usual * 2)) / 8;
            let said = String::from_utf8_lossy(&output.stderr);
            let was_done = said.contains("is in progress") || said.contains("is completed");
            assert!(output.status.success() || was_done, "{verb:?}: {said}");
            assert_agrees(&world);
        }
    }
    let steps = status(&world)["steps"].as_array().expect("a list").len();
    assert_eq!(steps, rounds(6, 100), "each step is there once");
    let left: Vec<_> = std::fs::read_dir(world.repo()).expect("a folder").filter_map(Result::ok).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    world.ok(&["verify", "--all"]);
    world.fsck();
    eprintln!("{killed} of {tried} killed, {stale} times the file was behind");
    assert!(killed * 5 >= tried, "{killed} of {tried} commands were killed: the others tell nothing");
}

/// System calls by which a program changes files.
const CALLS: [&str; 18] = [
    "write",
    "pwrite64",
    "writev",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "ftruncate",
    "flock",
    "fchmod",
    "utimensat",
];

/// Runs a command under strace, which may kill it; returns whether it ended well.
fn traced(world: &World, options: &[&str], verb: &[&str]) -> bool {
    let mut command = world.command("strace", &world.repo());
    command.args(["-f", "-qq", "-o"]).arg(world.root().join("calls")).args(options);
    command.arg(env!("CARGO_BIN_EXE_git-trace")).args(verb);
    feed_within(PATIENCE, command, b"").status.success()
}

/// Counts the calls that were traced, by name, in the thread that made most of them: `when=` counts in each.
fn counted(world: &World) -> BTreeMap<String, usize> {
    let mut by_thread: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in std::fs::read_to_string(world.root().join("calls")).expect("strace has written").lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((call, _)) = rest.trim_start().split_once('(') else { continue };
        if CALLS.contains(&call) {
            *by_thread.entry((thread.to_owned(), call.to_owned())).or_default() += 1;
        }
    }
    let mut calls = BTreeMap::new();
    for ((_, call), count) in by_thread {
        let most: &mut usize = calls.entry(call).or_default();
        *most = count.max(*most);
    }
    calls
}

#[test]
fn whoever_is_killed_at_a_write_is_caught_up_with() {
    let world = World::new("sha1");
    let works = world.command("strace", world.root()).args(["-f", "-o", "/dev/null", "true"]).output();
    if !works.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no strace, or it may not trace");
        return;
    }
    start(&world);
    world.ok(&["step", "start", "first"]);
    world.ok(&COMPLETE);
    let trace = format!("trace={}", CALLS.join(","));
    let (mut killed, mut tried, mut begun) = (0, 0, 1);
    for what in ["begin", "step", "end"] {
        let mut number = 0;
        // Makes all ready for the command, and returns it.
        let mut ready = || {
            number += 1;
            match what {
                "begin" => vec!["run".into(), "start".into(), "deploy".into(), "--task".into(), "t".into()]
                    .into_iter()
                    .chain(["--dir".into(), format!("in-{number}")])
                    .collect::<Vec<String>>(),
                "step" => ["step", "start", &format!("step {number}")].map(str::to_owned).to_vec(),
                _ => {
                    world.ok(&["step", "start", &format!("to end {number}")]);
                    COMPLETE.map(str::to_owned).to_vec()
                }
            }
        };
        // What is done for the first time here takes more calls than later on.
        let count = |verb: Vec<String>| {
            let verb: Vec<&str> = verb.iter().map(String::as_str).collect();
            assert!(traced(&world, &["-e", &trace], &verb), "{verb:?}");
            counted(&world)
        };
        let calls = count(ready());
        let end = || (what == "step").then(|| world.ok(&COMPLETE));
        end();
        begun += usize::from(what == "begin");
        let points: Vec<(&str, usize)> =
            calls.iter().flat_map(|(call, count)| (1..=*count).map(move |nth| (call.as_str(), nth))).collect();
        let stride = if is_soak() { 1 } else { points.len().div_ceil(9).max(1) };
        let first = fastrand::usize(..stride);
        for (call, nth) in points.into_iter().skip(first).step_by(stride) {
            let verb = ready();
            let verb: Vec<&str> = verb.iter().map(String::as_str).collect();
            let point = format!("{what}, {call} {nth}");
            let inject = format!("inject={call}:signal=SIGKILL:when={nth}");
            killed += usize::from(!traced(&world, &["-e", &format!("trace={call}"), "-e", &inject], &verb));
            tried += 1;
            let output = within(&world, &verb);
            let said = String::from_utf8_lossy(&output.stderr);
            let was_done = said.contains("is in progress") || said.contains("is completed");
            assert!(output.status.success() || what != "begin" && was_done, "{point}: {said}");
            if what == "begin" {
                let dir = *verb.last().expect("a folder");
                let report = json(&world, &["run", "status", "--dir", dir])["run"].clone();
                assert_eq!((&report["file_state"], &report["next"]["step"]), (&"current".into(), &1.into()), "{point}");
                begun += 1;
                assert_eq!(json(&world, &["run", "list"])["runs"].as_array().expect("a list").len(), begun, "{point}");
                let left = std::fs::read_dir(world.repo().join(dir)).expect("a folder").count();
                assert_eq!(left, 1, "{point}: only trace.md is there");
            } else {
                assert_agrees(&world);
            }
            end();
            if is_soak() {
                world.fsck();
            }
        }
    }
    eprintln!("{killed} of {tried} killed");
    assert!(killed * 4 >= tried * 3, "{killed} of {tried} were killed");
    world.ok(&["verify", "--all"]);
    world.fsck();
}
