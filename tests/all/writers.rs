//! Many processes write at once, and the user's own git tidies up beside them: nothing is lost, doubled or reordered.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::world::{World, amount, feed_within};

/// Longer than any writer has to wait for its turn.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs `writers` processes at a time; each puts `commits` messages on the branch that `branch` gives to it.
fn write(world: &World, writers: usize, commits: usize, branch: &(dyn Fn(usize) -> String + Sync)) {
    // The world's clock stands still, so that `git gc` would take every reflog for an old one.
    world.configure("gc.reflogExpire", "never");
    world.configure("gc.reflogExpireUnreachable", "never");
    std::thread::scope(|scope| {
        for writer in 0..writers {
            scope.spawn(move || {
                for nth in 0..commits {
                    let text = format!("w{writer:03}-{nth:05}");
                    let branch = branch(writer);
                    let command = world.trace(&["--branch", &branch, "commit", "-m", &text]);
                    let output = feed_within(LIMIT, command, text.as_bytes());
                    let said = String::from_utf8_lossy(&output.stderr);
                    assert!(output.status.success(), "{text}: {}: {said}", output.status);
                }
            });
        }
    });
}

/// Checks that a branch holds exactly what these writers wrote, and each writer's messages in its own order; in its
/// history as git sees it, and in its context as the model would.
fn check(world: &World, branch: &str, writers: &[usize], commits: usize) {
    let subjects = world.subjects(branch);
    assert_eq!(subjects.len(), writers.len() * commits, "commits on {branch}");
    let context = world.ok(&["--branch", branch, "context", "--as", "jsonl"]);
    assert_eq!(context.lines().count(), subjects.len(), "entries of {branch}");
    for writer in writers {
        let expected: Vec<String> = (0..commits).map(|nth| format!("w{writer:03}-{nth:05}")).collect();
        let own = |text: &&String| text.starts_with(&format!("w{writer:03}-"));
        assert_eq!(subjects.iter().filter(own).cloned().collect::<Vec<_>>(), expected, "commits of writer {writer}");
    }
    for (line, subject) in context.lines().zip(&subjects) {
        assert!(line.contains(subject.as_str()), "the entry of {subject} holds {line}");
    }
    let log = world.git(&["reflog", "show", &format!("refs/trace/heads/{branch}")], &world.repo());
    // Changes that were stored together have one line together, which says how many there were.
    let together = |line: &str| line.rsplit_once("(+")?.1.split(' ').next()?.parse::<usize>().ok();
    let moved: usize = log.lines().map(|line| 1 + together(line).unwrap_or(0)).sum();
    assert_eq!(moved, subjects.len(), "changes in the reflog of {branch}");
}

/// Runs git commands over and over, beside each other, while `work` runs; some may lose a race and say so.
fn beside(world: &World, commands: &[&[&str]], work: impl FnOnce()) {
    let loops: Vec<&[&[&str]]> = commands.chunks(1).collect();
    run_loops(world, &loops, work);
}

/// As [`beside`], one command after the other.
fn in_turn(world: &World, commands: &[&[&str]], work: impl FnOnce()) {
    run_loops(world, &[commands], work);
}

fn run_loops(world: &World, loops: &[&[&[&str]]], work: impl FnOnce()) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let runs: Vec<_> = loops
            .iter()
            .map(|commands| {
                let done = &done;
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        for arguments in *commands {
                            let output = world.command("git", &world.repo()).args(*arguments).output();
                            output.expect("git starts");
                        }
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    commands
                })
            })
            .collect();
        // The loops must end even if the work does not end well.
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, Ordering::Relaxed);
        for run in runs {
            // They may lose races against each other; alone they end well.
            for arguments in *run.join().expect("the loop ends") {
                world.git(arguments, &world.repo());
            }
        }
        if let Err(panic) = worked {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn one_branch_takes_every_writer() {
    let world = World::new("sha1");
    world.configure("trace.fsync", "false");
    let (writers, commits) = (amount(16, 64), amount(20, 100));
    write(&world, writers, commits, &|_| "main/shared".to_owned());
    check(&world, "main/shared", &(0..writers).collect::<Vec<_>>(), commits);
    world.fsck();
    assert!(!stale_locks(&world), "no lock was ever taken for stale");
}

#[test]
fn one_branch_takes_every_durable_writer() {
    let world = World::new("sha256");
    let (writers, commits) = (amount(8, 16), amount(5, 20));
    write(&world, writers, commits, &|_| "main/shared".to_owned());
    check(&world, "main/shared", &(0..writers).collect::<Vec<_>>(), commits);
    world.fsck();
}

#[test]
fn branches_do_not_disturb_each_other() {
    let world = World::new("sha1");
    world.configure("trace.fsync", "false");
    let (writers, commits) = (8, amount(10, 100));
    write(&world, writers, commits, &|writer| format!("agent{writer}/main"));
    for writer in 0..writers {
        check(&world, &format!("agent{writer}/main"), &[writer], commits);
    }
    world.fsck();
}

/// What the user's own git may do at any time: default `gc`, and a `repack` that drops what no ref names.
const UPKEEP: [&[&str]; 3] = [&["pack-refs", "--all"], &["gc", "-q"], &["repack", "-adq"]];

#[test]
fn upkeep_beside_lazy_writers_harms_nobody() {
    let world = World::new("sha1");
    world.configure("trace.fsync", "false");
    world.configure("trace.autoPack", "20");
    let (writers, commits) = (4, amount(20, 250));
    // One after the other: beside each other, a `gc` that fails half-way leaves rubbish that a `repack -ad` drops with the
    // loose files of the same objects, which harms git's own writers too.
    in_turn(&world, &UPKEEP, || write(&world, writers, commits, &|writer| format!("main/b{}", writer % 2)));
    check(&world, "main/b0", &[0, 2], commits);
    check(&world, "main/b1", &[1, 3], commits);
    world.fsck();
}

#[test]
fn upkeep_beside_durable_writers_harms_nobody() {
    let world = World::new("sha1");
    let (writers, commits) = (4, amount(10, 150));
    beside(&world, &UPKEEP, || write(&world, writers, commits, &|writer| format!("main/b{}", writer % 2)));
    check(&world, "main/b0", &[0, 2], commits);
    check(&world, "main/b1", &[1, 3], commits);
    world.fsck();
}

#[test]
fn even_a_ruthless_gc_breaks_no_branch() {
    for fsync in ["true", "false"] {
        let world = World::new("sha1");
        world.configure("trace.fsync", fsync);
        let (writers, commits) = (2, amount(25, 400));
        let ruthless: &[&[&str]] = &[&["gc", "-q", "--prune=now"]];
        beside(&world, ruthless, || write(&world, writers, commits, &|writer| format!("main/b{writer}")));
        check(&world, "main/b0", &[0], commits);
        check(&world, "main/b1", &[1], commits);
        world.fsck();
    }
}

#[test]
fn readers_never_see_a_hole_while_packs_are_merged() {
    let world = World::new("sha1");
    world.configure("trace.fsync", "false");
    world.configure("trace.autoPack", "6");
    write(&world, 1, 1, &|_| "main/main".to_owned());
    let done = AtomicBool::new(false);
    let commits = amount(60, 1000);
    std::thread::scope(|scope| {
        let readers: Vec<_> = [&["context", "--as", "jsonl"][..], &["log", "--oneline"], &["status"]]
            .into_iter()
            .map(|arguments| {
                let (world, done) = (&world, &done);
                scope.spawn(move || {
                    let mut before = 0;
                    while !done.load(Ordering::Relaxed) {
                        let output = world.trace(arguments).output().expect("the program starts");
                        let said = String::from_utf8_lossy(&output.stderr);
                        assert!(output.status.success(), "git trace {arguments:?}: {said}");
                        let lines = output.stdout.split(|byte| *byte == b'\n').count();
                        assert!(lines >= before || arguments == ["status"], "{arguments:?} went back in time");
                        before = lines;
                    }
                })
            })
            .collect();
        let written = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            write(&world, 2, commits, &|writer| ["main/main", "main/other"][writer].to_owned());
        }));
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().expect("every read is whole");
        }
        written.expect("every write ends well");
    });
    world.fsck();
}

fn stale_locks(world: &World) -> bool {
    let folder = world.repo().join(Path::new(".git/trace/stale-locks"));
    std::fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some())
}
