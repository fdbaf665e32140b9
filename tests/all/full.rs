//! The disk is full, the repository cannot be written, somebody else is at it: a clear word, and nothing has moved.

use std::fs::OpenOptions;
use std::time::Duration;

use crate::world::{World, amount, feed_within};

/// Makes a repository on a small disk of its own, fills the disk, and lets it be as that.
///
/// It prints a line for each thing that is to be known: `name=value`.
const FULL_DISK: &str = r#"
set -u
mount -t tmpfs -o size=3m,nr_inodes="$INODES" tmpfs "$DISK" || { echo mount=no; exit 0; }
cd "$DISK" && git init -q --template= repo && cd repo || exit 1
ref=refs/trace/heads/main/main
[ -n "$FSYNC" ] && git config trace.fsync "$FSYNC"
# Twice: once on a branch that exists, once where not even our own folder does.
[ "$FIRST" = yes ] || { echo one | "$TRACE" commit -m one >/dev/null 2>&1 || exit 1; }
before=$(git rev-parse -q --verify $ref)
# All but the last blocks, then block by block from none to some.
head -c 3m /dev/zero > ../filler 2>/dev/null
[ "$INODES" = 0 ] || for nth in $(seq "$INODES"); do touch ../inode-$nth 2>/dev/null || break; done
for left in 0 1 2 3 4 5 6 8; do
  head -c 4k /dev/zero > ../rest 2>/dev/null
  size=$(stat -c %s ../filler)
  truncate -s $((size - left * 4096)) ../filler
  [ "$INODES" = 0 ] || rm -f $(ls -d ../inode-* | tail -n "$left")
  echo "message $left" | "$TRACE" commit --json -m "m$left" > /dev/shm/out.$$ 2> /dev/shm/said.$$
  code=$?
  after=$(git rev-parse -q --verify $ref)
  echo "left=$left code=$code moved=$([ "$before" = "$after" ] && echo no || echo yes) lines=$(grep -vc '^hint:' /dev/shm/said.$$) said=$(head -1 /dev/shm/said.$$)"
  before=$after
done
rm -f /dev/shm/said.$$ ../filler ../rest ../inode-* /dev/shm/out.$$
echo again | "$TRACE" commit -m again >/dev/null 2>&1; echo "again=$?"
git fsck --strict --full --no-dangling >../said 2>&1; echo "fsck=$?"
grep -v ^notice: ../said
bad=$(grep -cvE '^[0-9a-f]{40} [0-9a-f]{40} .*> [0-9]+ [+-][0-9]{4}	' .git/logs/$ref); echo "badlog=$bad"
"#;

/// Makes a repository that can be read, and not written.
const READ_ONLY: &str = r#"
set -u
mount -t tmpfs tmpfs "$DISK" || { echo mount=no; exit 0; }
cd "$DISK" && git init -q repo && cd repo || exit 1
echo one | "$TRACE" commit -m one >/dev/null 2>&1 || exit 1
before=$(git rev-parse refs/trace/heads/main/main)
mount -o remount,ro "$DISK" || { echo mount=no; exit 0; }
echo two | "$TRACE" commit -m two > /dev/null 2> /dev/shm/said.$$; echo "code=$?"
echo "lines=$(grep -vc '^hint:' /dev/shm/said.$$) said=$(head -1 /dev/shm/said.$$)"
"$TRACE" context --as text > /dev/null; echo "read=$?"
"$TRACE" log > /dev/null; echo "log=$?"
"$TRACE" status > /dev/null; echo "status=$?"
mount -o remount,rw "$DISK"; rm -f /dev/shm/said.$$
[ "$before" = "$(git rev-parse refs/trace/heads/main/main)" ]; echo "same=$?"
echo two | "$TRACE" commit -m two >/dev/null 2>&1; echo "again=$?"
git fsck --strict --full --no-dangling >/dev/null 2>&1; echo "fsck=$?"
"#;

/// Runs a script where it may mount what nobody else sees; `None` where that is not allowed.
fn in_own_mounts(script: &str, variables: &[(&str, &str)]) -> Option<String> {
    let world = World::new("sha1");
    let disk = world.root().join("disk");
    std::fs::create_dir(&disk).expect("a folder");
    for options in [&["-m"][..], &["-Urm"]] {
        let mut command = world.command("unshare", world.root());
        command
            .args(options)
            .args(["sh", "-c", script])
            .env("DISK", &disk)
            .env("TRACE", env!("CARGO_BIN_EXE_git-trace"));
        command.envs(variables.iter().copied()).env("LC_ALL", "C");
        let Ok(output) = command.output() else { break };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() && !said.contains("mount=no") {
            return Some(said);
        }
    }
    eprintln!("skipped: no mounting here");
    None
}

#[test]
fn a_full_disk_is_named_and_nothing_moves() {
    for (fsync, first, inodes) in
        [("true", "no", "0"), ("false", "no", "0"), ("true", "yes", "0"), ("false", "no", "120"), ("true", "no", "120")]
    {
        let variables = [("FSYNC", fsync), ("FIRST", first), ("INODES", inodes)];
        let Some(said) = in_own_mounts(FULL_DISK, &variables) else { return };
        let mut refused = 0;
        for line in said.lines().filter(|line| line.starts_with("left=")) {
            if line.contains("code=0") {
                assert!(line.contains("moved=yes"), "no false success: {line}\n{said}");
                continue;
            }
            refused += 1;
            assert!(line.contains("code=1 "), "{line}\n{said}");
            assert!(line.contains("lines=1 ") && line.contains("No space left on device"), "{line}\n{said}");
        }
        assert!(refused > 0, "the disk was full at first, with {variables:?}: {said}");
        for good in ["again=0", "fsck=0", "badlog=0"] {
            assert!(said.lines().any(|line| line == good), "{good}, with {variables:?}: {said}");
        }
    }
}

#[test]
fn a_repository_that_cannot_be_written_can_be_read() {
    let Some(said) = in_own_mounts(READ_ONLY, &[]) else { return };
    assert!(said.contains("lines=1 said=error: ") && said.contains("Read-only file system"), "{said}");
    for good in ["code=1", "read=0", "log=0", "status=0", "same=0", "again=0", "fsck=0"] {
        assert!(said.lines().any(|line| line == good), "{good}: {said}");
    }
}

#[test]
fn whoever_holds_the_lock_is_waited_for() {
    let world = World::new("sha1");
    world.ok_with(&["commit", "-m", "first"], b"first");
    let before = world.tip("refs/trace/heads/main/main");
    let path = world.repo().join(".git/trace/lock");
    let lock = OpenOptions::new().write(true).open(&path).expect("the lock");
    lock.lock().expect("nobody else has it");

    world.configure("trace.lockTimeout", "300");
    let output = feed_within(Duration::from_secs(10), world.trace(&["commit", "-m", "no"]), b"no");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: another process holds the lock '") && said.lines().count() == 1, "{said}");
    assert_eq!(world.tip("refs/trace/heads/main/main"), before, "nothing moved");
    assert!(world.ok(&["context", "--as", "text"]).contains("first"), "reading needs no lock");

    world.configure("trace.lockTimeout", "20000");
    std::thread::scope(|scope| {
        let waiting = (0..amount(3, 10)).map(|nth| {
            let text = format!("waited {nth}");
            let world = &world;
            scope.spawn(move || {
                feed_within(Duration::from_secs(20), world.trace(&["commit", "-m", &text]), text.as_bytes())
            })
        });
        let waiting: Vec<_> = waiting.collect();
        std::thread::sleep(Duration::from_millis(300));
        drop(lock);
        for writer in waiting {
            assert!(writer.join().expect("it ends").status.success(), "its turn has come");
        }
    });
    assert_eq!(world.subjects("main/main").len(), 1 + amount(3, 10));
    world.fsck();
}
