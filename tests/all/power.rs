//! The power is cut: nothing that was durably acknowledged is lost.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::world::{World, feed, is_soak};

/// Power cuts for each way of writing.
const CUTS: usize = 20;

/// A disk of its own in a file, which can lose its power.
struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    /// Makes a disk; `None` where that is not allowed.
    fn new(root: &Path) -> Option<Self> {
        let disk = Disk { image: root.join("disk.img"), mount: root.join("disk") };
        std::fs::create_dir_all(&disk.mount).expect("a folder");
        let file = std::fs::File::create(&disk.image).expect("a file");
        file.set_len(64 << 20).expect("room for it");
        let made = run(Command::new("mkfs.ext4").arg("-qF").arg(&disk.image));
        (made && disk.mount()).then_some(disk)
    }

    fn mount(&self) -> bool {
        run(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(&self.mount))
    }

    /// Throws away all that has not reached the disk: FS_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH, as in
    /// `include/uapi/linux/ext4.h` of Linux.
    fn cut(&self) -> bool {
        let script = "import fcntl, os, struct, sys\n\
                      fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";
        run(Command::new("python3").args(["-c", script]).arg(&self.mount))
    }

    fn unmount(&self) {
        for _ in 0..100 {
            if run(Command::new("umount").arg(&self.mount)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run(Command::new("umount").arg("-l").arg(&self.mount));
    }
}

fn run(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// What many cuts did.
#[derive(Debug, Default)]
struct Damage {
    acknowledged: usize,
    lost: usize,
    unsound: usize,
    stuck: usize,
}

/// Cuts the power while two processes at a time write; each time on a new disk.
///
/// `write` makes one commit with this subject in this repository and says whether it was acknowledged.
fn cuts(write: &(dyn Fn(&World, &Path, &str) -> bool + Sync), reference: &str) -> Option<Damage> {
    let mut damage = Damage::default();
    for cut in 0..CUTS {
        let world = World::new("sha1");
        let Some(disk) = Disk::new(world.root()) else {
            eprintln!("skipped: no loop mounts here");
            return None;
        };
        let repo = disk.mount.join("repo");
        world.git(&["init", "-q", "--initial-branch=main", &repo.to_string_lossy()], world.root());
        run(&mut Command::new("sync"));
        let done = AtomicBool::new(false);
        let acknowledged = Mutex::new(BTreeSet::new());
        std::thread::scope(|scope| {
            for writer in 0..2 {
                let (world, repo, done, acknowledged) = (&world, &repo, &done, &acknowledged);
                scope.spawn(move || {
                    for nth in 0.. {
                        let text = format!("c{cut}-w{writer}-{nth}");
                        let answered = write(world, repo, &text);
                        // What is answered while the power goes off is neither here nor there.
                        if done.load(Ordering::SeqCst) {
                            break;
                        }
                        if answered {
                            acknowledged.lock().expect("no panic").insert(text);
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(fastrand::u64(300..1500)));
            done.store(true, Ordering::SeqCst);
            assert!(disk.cut(), "the power can be cut");
        });
        disk.unmount();
        assert!(disk.mount(), "the disk can be mounted again");

        let acknowledged = acknowledged.into_inner().expect("no panic");
        let log = world.command("git", &repo).args(["log", "--format=%s", reference]).output().expect("git starts");
        let log = String::from_utf8_lossy(&log.stdout).into_owned();
        let present: BTreeSet<&str> = log.lines().collect();
        damage.acknowledged += acknowledged.len();
        damage.lost += acknowledged.iter().filter(|text| !present.contains(text.as_str())).count();
        let fsck = world.command("git", &repo).args(["fsck", "--strict", "--full", "--no-dangling"]).output();
        let fsck = fsck.expect("git starts");
        let said = [fsck.stdout, fsck.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let sound = fsck.status.success() && said.lines().all(|line| line.starts_with("notice:"));
        damage.unsound += usize::from(!sound);
        damage.stuck += usize::from(!write(&world, &repo, "after the cut"));
        disk.unmount();
    }
    Some(damage)
}

/// Commits with git trace.
fn with_trace(world: &World, repo: &Path, text: &str) -> bool {
    let mut command = world.command(env!("CARGO_BIN_EXE_git-trace"), repo);
    command.args(["commit", "--json", "-m", text]);
    let output = feed(command, text.as_bytes());
    output.status.success() && output.stdout.ends_with(b"}\n")
}

#[test]
fn nothing_durable_is_lost_when_the_power_is_cut() {
    if !is_soak() {
        eprintln!("skipped: power cuts are part of the soak (GITTRACE_SOAK=1)");
        return;
    }
    let Some(durable) = cuts(&with_trace, "refs/trace/heads/main/main") else { return };
    eprintln!("git trace, durable: {durable:?}");
    // For comparison, and no promise: git itself as it is by default, and git trace told not to sync.
    let plain = |world: &World, repo: &Path, text: &str| {
        let mut command = world.command("git", repo);
        command.args(["commit", "-q", "--allow-empty", "-m", text]);
        command.output().is_ok_and(|output| output.status.success())
    };
    eprintln!("git, by default: {:?}", cuts(&plain, "refs/heads/main"));
    let lazy = |world: &World, repo: &Path, text: &str| {
        let mut command = world.command(env!("CARGO_BIN_EXE_git-trace"), repo);
        command.args(["commit", "--json", "-m", text]);
        command.envs([("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "trace.fsync"), ("GIT_CONFIG_VALUE_0", "false")]);
        feed(command, text.as_bytes()).status.success()
    };
    eprintln!("git trace, lazy: {:?}", cuts(&lazy, "refs/trace/heads/main/main"));
    assert!(durable.acknowledged > 100, "{durable:?}");
    assert_eq!((durable.lost, durable.unsound, durable.stuck), (0, 0, 0), "{durable:?}");
}
