//! `git trace commit` is killed, or refused, at every one of its system calls that can change a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use crate::world::{World, feed, feed_within, is_soak};

const BRANCH: &str = "refs/trace/heads/main/main";

/// Longer than a commit takes that finds a lock of a killed one.
const PATIENCE: Duration = Duration::from_secs(15);

/// Every system call by which a program changes files, or learns that it did not. `close` and `openat` are most of a
/// start-up, before anything is written.
const CALLS: [&str; 23] = [
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
    "utimensat",
    "fchmod",
    "chmod",
    "open",
    "openat",
    "close",
    "lseek",
];

/// What happens to the call.
const FAULTS: [&str; 3] = ["signal=SIGKILL", "error=ENOSPC", "error=EIO"];

/// Runs one commit under strace.
fn strace(world: &World, options: &[&str], log: &Path, text: &str) -> Output {
    let mut command = world.command("strace", &world.repo());
    command.args(["-f", "-qq", "-o"]).arg(log).args(options);
    command.arg(env!("CARGO_BIN_EXE_git-trace")).args(["commit", "--json", "-m", text]);
    feed(command, text.as_bytes())
}

/// Counts the calls of one commit by name and by thread, as strace's `when=` does; `None` where there is no strace.
fn count(world: &World) -> Option<BTreeMap<String, usize>> {
    let mut command = world.command("strace", world.root());
    let works = command.args(["-f", "-o", "/dev/null", "true"]).output().is_ok_and(|output| output.status.success());
    if !works {
        eprintln!("skipped: no strace, or it may not trace");
        return None;
    }
    let log = world.root().join("calls");
    let output = strace(world, &["-e", &format!("trace={}", CALLS.join(","))], &log, "counted");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut by_thread: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in std::fs::read_to_string(&log).expect("strace has written").lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((call, _)) = rest.trim_start().split_once('(') else { continue };
        if CALLS.contains(&call) {
            *by_thread.entry((thread.to_owned(), call.to_owned())).or_default() += 1;
        }
    }
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    for ((_, call), count) in by_thread {
        let most = calls.entry(call).or_default();
        *most = count.max(*most);
    }
    Some(calls)
}

/// Checks what a commit with a fault left, and that the next one goes through.
fn check(world: &World, before: Option<&str>, text: &str, point: &str, output: &Output) {
    let answered = output.status.success();
    let after = world.tip(BRANCH);
    let moved = after.as_deref() != before;
    if moved {
        let log = world.git(&["log", "-1", "--format=%P|%s", BRANCH], &world.repo());
        assert_eq!(log.trim(), format!("{}|{text}", before.unwrap_or_default()), "{point}: the branch is old or new");
    }
    assert!(moved || !answered, "{point}: success was claimed, and nothing was stored");
    let retried = feed_within(PATIENCE, world.trace(&["commit", "-m", &format!("retry of {text}")]), b"again");
    let said = String::from_utf8_lossy(&retried.stderr);
    assert!(retried.status.success(), "{point}: the next commit: {said}");
}

/// Puts each fault at each call; by itself only at some of them, others each time.
fn every_call(name: &str, make: &dyn Fn() -> World, fresh: bool) {
    let mut world = make();
    let Some(calls) = count(&world) else { return };
    let all: usize = calls.values().sum();
    let points: Vec<(&str, usize)> =
        calls.iter().flat_map(|(call, count)| (1..=*count).map(move |nth| (call.as_str(), nth))).collect();
    // The calls that read, before anything is written, are most: of them fewer are taken.
    let sampled = |call: &str| is_soak() || !["openat", "close", "lseek"].contains(&call) || fastrand::u8(..12) == 0;
    let (mut done, mut moved) = (0, 0);
    for (call, nth) in points {
        let faults: Vec<&str> = if is_soak() { FAULTS.to_vec() } else { vec![FAULTS[fastrand::usize(..FAULTS.len())]] };
        for fault in faults.into_iter().filter(|_| sampled(call)) {
            if fresh {
                world = make();
            }
            let point = format!("{name}, {call} {nth}, {fault}");
            let text = format!("{call}-{nth}-{fault}");
            let before = world.tip(BRANCH);
            let log: PathBuf = world.root().join("calls");
            let inject = format!("inject={call}:{fault}:when={nth}");
            let output = strace(&world, &["-e", &format!("trace={call}"), "-e", &inject], &log, &text);
            moved += usize::from(world.tip(BRANCH) != before);
            check(&world, before.as_deref(), &text, &point, &output);
            done += 1;
            if fresh || is_soak() {
                world.fsck();
            }
        }
    }
    world.fsck();
    let subjects = world.subjects("main/main");
    let context = world.ok(&["context", "--as", "jsonl"]);
    assert_eq!(context.lines().count(), subjects.len(), "every commit has its entry");
    eprintln!("{name}: {done} faults at {all} calls, {moved} times the branch had moved nevertheless");
}

#[test]
fn a_durable_commit_is_whole_or_not_there() {
    every_call("durable", &begun(&[]), false);
}

#[test]
fn a_lazy_commit_is_whole_or_not_there() {
    every_call("lazy", &begun(&[("trace.fsync", "false")]), false);
}

#[test]
fn housekeeping_loses_nothing() {
    every_call("housekeeping", &begun(&[("trace.fsync", "false"), ("trace.autoPack", "1")]), false);
}

#[test]
fn the_very_first_commit_is_whole_or_not_there() {
    if is_soak() {
        every_call("first", &|| World::new("sha1"), true);
    }
}

fn begun(settings: &'static [(&'static str, &'static str)]) -> impl Fn() -> World {
    move || {
        let world = World::new("sha1");
        for (key, value) in settings {
            world.configure(key, value);
        }
        // The world's ids follow from the parent, its clock stands still: equal texts would be one commit.
        world.ok_with(&["commit", "-m", "first"], b"first");
        world
    }
}
