//! Processes are killed at random moments, and nobody cleans up: what was acknowledged stays, and nobody is blocked.

use std::fs::{self, FileTimes, OpenOptions};
use std::io::Write;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::world::{World, amount, feed_within};

/// The longest that anybody may wait because somebody else was killed.
const PATIENCE: Duration = Duration::from_secs(15);

/// Runs rounds of: one process is killed after a random time, then another one has to get its commit through.
fn rounds(world: &World, count: usize) {
    let mut acknowledged = Vec::new();
    let mut slowest = Duration::ZERO;
    let mut usual = Duration::from_millis(25);
    let mut killed = 0;
    for round in 0..count {
        let victim = format!("victim-{round:05}");
        let mut child = world
            .trace(&["commit", "--json", "-m", &victim])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let _ = child.stdin.take().expect("a pipe").write_all(victim.as_bytes());
        std::thread::sleep(usual.mul_f64(fastrand::f64() * 1.1));
        let _ = child.kill();
        let output = child.wait_with_output().expect("it has ended");
        // Whoever saw the whole answer and the exit code counts on the commit.
        if output.status.success() && output.stdout.ends_with(b"}\n") {
            acknowledged.push(victim);
        } else {
            killed += 1;
        }

        let survivor = format!("survivor-{round:05}");
        let started = Instant::now();
        let output = feed_within(PATIENCE, world.trace(&["commit", "-m", &survivor]), survivor.as_bytes());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{survivor}: {said}");
        acknowledged.push(survivor);
        let took = started.elapsed();
        slowest = slowest.max(took);
        usual = (usual * 7 + took.min(usual * 2)) / 8;
    }
    let subjects = world.subjects("main/main");
    let mut present = subjects.iter();
    for text in &acknowledged {
        assert!(present.any(|one| one == text), "{text} was acknowledged, and is not there in its place");
    }
    let mut once = subjects.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), subjects.len(), "nothing is there twice");
    let context = world.ok(&["context", "--as", "jsonl"]);
    assert_eq!(context.lines().count(), subjects.len(), "every commit has its entry");
    world.fsck();
    eprintln!("{killed} of {count} killed, {} acknowledged, slowest next {slowest:?}", acknowledged.len());
}

#[test]
fn durable_commits_survive_kills() {
    rounds(&World::new("sha1"), amount(25, 200));
}

#[test]
fn lazy_commits_survive_kills_even_amid_housekeeping() {
    let world = World::new("sha1");
    world.configure("trace.fsync", "false");
    world.configure("trace.autoPack", "4");
    rounds(&world, amount(25, 200));
}

#[test]
fn a_lock_left_behind_is_moved_aside() {
    let world = World::new("sha1");
    world.ok_with(&["commit", "-m", "first"], b"first");
    let lock = world.repo().join(".git/refs/trace/heads/main/main.lock");
    let hour = Duration::from_secs(3600);
    // By its age, and where the clock was set back after a crash, by its not changing.
    for (time, limit) in [(SystemTime::now() - hour, 2), (SystemTime::now() + hour, 8)] {
        fs::write(&lock, "").expect("a lock");
        let file = OpenOptions::new().write(true).open(&lock).expect("the lock");
        file.set_times(FileTimes::new().set_modified(time)).expect("a file's time can be set");
        let output = feed_within(Duration::from_secs(limit), world.trace(&["commit", "-m", "next"]), b"next");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!lock.exists(), "the lock is gone");
    }
    let kept = fs::read_dir(world.repo().join(".git/trace/stale-locks")).expect("a folder of old locks");
    assert_eq!(kept.count(), 2, "each is kept for who wants to know");
    world.fsck();
}

#[test]
fn a_lock_in_use_is_waited_for_and_then_named() {
    let world = World::new("sha1");
    world.ok_with(&["commit", "-m", "first"], b"first");
    let before = world.tip("refs/trace/heads/main/main");
    let lock = world.repo().join(".git/refs/trace/heads/main/main.lock");
    let done = AtomicBool::new(false);
    let output = std::thread::scope(|scope| {
        scope.spawn(|| {
            // A living process shows that it lives.
            while !done.load(Ordering::Relaxed) {
                fs::write(&lock, "x").expect("a lock");
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        while !lock.exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = feed_within(PATIENCE * 2, world.trace(&["commit", "-m", "next"]), b"next");
        done.store(true, Ordering::Relaxed);
        output
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("another process holds the lock") && said.contains("main/main.lock"), "{said}");
    assert_eq!(world.tip("refs/trace/heads/main/main"), before, "nothing moved");
    fs::remove_file(&lock).expect("the lock is still there");
    world.ok_with(&["commit", "-m", "next"], b"next");
    world.fsck();
}
