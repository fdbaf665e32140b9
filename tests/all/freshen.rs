//! What git keeps and what it removes: objects that we count on stay, the user's own stay as they are.

use std::fs::{self, FileTimes, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use crate::world::{World, amount, feed};

/// Returns where an object is as a file of its own.
fn loose(world: &World, id: &str) -> PathBuf {
    world.repo().join(".git/objects").join(&id[..2]).join(&id[2..])
}

/// Counts files below a folder of the object store.
fn files(folder: &Path, ending: &str) -> usize {
    let Ok(rows) = fs::read_dir(folder) else { return 0 };
    rows.filter_map(Result::ok).filter(|row| row.file_name().to_string_lossy().ends_with(ending)).count()
}

/// Counts the loose objects.
fn loose_count(world: &World) -> usize {
    let objects = world.repo().join(".git/objects");
    (0..=255).map(|first| files(&objects.join(format!("{first:02x}")), "")).sum()
}

/// Makes the whole object store look as if nothing had been touched for months.
fn age(folder: &Path) {
    let long_ago = FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(100 * 86_400));
    for row in fs::read_dir(folder).expect("a folder").filter_map(Result::ok) {
        if row.file_type().expect("a type").is_dir() {
            age(&row.path());
        } else {
            let file = OpenOptions::new().read(true).open(row.path()).expect("a file");
            file.set_times(long_ago).expect("a file's time can be set");
        }
    }
}

/// Stores a blob that no ref names, as a dropped branch leaves it.
fn forgotten_blob(world: &World, content: &[u8]) -> String {
    let mut command = world.command("git", &world.repo());
    command.args(["hash-object", "-w", "--stdin"]);
    String::from_utf8(feed(command, content).stdout).expect("an id").trim().to_owned()
}

#[test]
fn old_content_that_is_said_again_outlives_a_prune() {
    for fsync in ["true", "false"] {
        for packed in [false, true] {
            let world = World::new("sha1");
            world.configure("trace.fsync", fsync);
            world.ok_with(&["commit", "-m", "first"], b"first");
            for round in 0..amount(3, 50) {
                let content = format!("said before, in round {round}");
                let id = forgotten_blob(&world, content.as_bytes());
                if packed {
                    // In a pack of unreachable objects, as `git gc` makes them.
                    let stem = world.repo().join(".git/objects/pack/pack");
                    let mut command = world.command("git", &world.repo());
                    command.args(["pack-objects", "-q"]).arg(stem);
                    assert!(feed(command, format!("{id}\n").as_bytes()).status.success(), "git packs it");
                    world.git(&["prune-packed"], &world.repo());
                    assert!(!loose(&world, &id).exists(), "it is packed");
                }
                age(&world.repo().join(".git/objects"));
                world.ok_with(&["commit", "-m", "again"], content.as_bytes());
                world.git(&["prune", "--expire=2.weeks.ago"], &world.repo());
                world.git(&["gc", "-q"], &world.repo());
                assert_eq!(world.git(&["cat-file", "blob", &id], &world.repo()), content);
                world.fsck();
            }
        }
    }
}

#[test]
fn an_empty_file_in_the_place_of_an_object_is_replaced() {
    for fsync in ["true", "false"] {
        let world = World::new("sha1");
        world.configure("trace.fsync", fsync);
        world.ok_with(&["commit", "-m", "first"], b"first");
        let id = forgotten_blob(&world, b"cut short");
        // What a power cut leaves of a file that was renamed before it was synced.
        fs::remove_file(loose(&world, &id)).expect("it was there");
        fs::write(loose(&world, &id), b"").expect("an empty file");
        world.ok_with(&["commit", "-m", "cut short"], b"cut short");
        assert_eq!(world.git(&["cat-file", "blob", &id], &world.repo()), "cut short");
        world.fsck();
    }
}

/// Puts many messages on the branch from few processes: each takes a list, and makes one commit of it.
fn append(world: &World, from: usize, count: usize) {
    for nth in from..from + count {
        world.ok_with(&["commit", "-m", &format!("m{nth}")], format!("message {nth}").as_bytes());
    }
}

#[test]
fn housekeeping_keeps_our_objects_few_and_the_users_untouched() {
    for fsync in ["true", "false"] {
        let world = World::new("sha1");
        world.configure("trace.fsync", fsync);
        world.configure("trace.autoPack", "30");
        let repo = world.repo();
        // The user's own: loose objects, one of them with the bytes of a message of ours, and a pack.
        fs::write(repo.join("file"), "packed").expect("a file");
        world.git(&["add", "file"], &repo);
        world.git(&["commit", "-qm", "packed"], &repo);
        world.git(&["repack", "-adq"], &repo);
        let own_pack = fs::read_dir(repo.join(".git/objects/pack")).expect("packs").filter_map(Result::ok);
        let own_pack: Vec<PathBuf> = own_pack.map(|row| row.path()).collect();
        let own = [forgotten_blob(&world, b"message 3"), forgotten_blob(&world, b"mine alone")];
        let own_before: Vec<Vec<u8>> = own.iter().map(|id| fs::read(loose(&world, id)).expect("loose")).collect();

        let (mut most_loose, mut most_packs) = (0, 0);
        let rounds = amount(10, 300);
        for round in 0..rounds {
            append(&world, round * 10, 10);
            most_loose = most_loose.max(loose_count(&world));
            most_packs = most_packs.max(files(&repo.join(".git/objects/pack"), ".pack"));
        }
        assert!(most_loose < 30 + 10 + own.len(), "{most_loose} loose objects");
        assert!(most_packs < 20, "{most_packs} packs");
        for (id, before) in own.iter().zip(&own_before) {
            assert_eq!(&fs::read(loose(&world, id)).expect("the user's object is still loose"), before);
        }
        assert!(own_pack.iter().all(|path| path.exists()), "the user's pack is still there");
        world.fsck();
        world.git(&["gc", "-q"], &repo);
        world.fsck();
        append(&world, rounds * 10, 3);
        assert_eq!(world.ok(&["context", "--as", "jsonl"]).lines().count(), rounds * 10 + 3);
        world.fsck();
    }
}

#[test]
fn packs_of_all_sizes_are_merged() {
    let world = World::new("sha1");
    world.ok_with(&["commit", "-m", "small"], b"small");
    let noise = || (0..12_000).map(|_| fastrand::alphanumeric()).collect::<String>();
    for nth in 0..amount(40, 200) {
        world.ok_with(&["commit", "-m", &format!("large {nth}")], noise().as_bytes());
        let packs = files(&world.repo().join(".git/objects/pack"), ".pack");
        assert!(packs < 20, "{packs} packs");
    }
    assert_eq!(files(&world.repo().join(".git/objects/pack"), ".keep"), 0, "no pack is kept for ever");
    world.fsck();
}

#[test]
fn packs_that_git_has_indexed_together_stay() {
    let world = World::new("sha1");
    append(&world, 0, 10);
    world.git(&["multi-pack-index", "write"], &world.repo());
    append(&world, 10, 30);
    world.fsck();
    world.git(&["multi-pack-index", "verify"], &world.repo());
    assert_eq!(world.ok(&["context", "--as", "jsonl"]).lines().count(), 40);
}

#[test]
fn killed_housekeeping_loses_nothing() {
    for fsync in ["true", "false"] {
        let world = World::new("sha1");
        world.configure("trace.fsync", fsync);
        world.configure("trace.autoPack", "0");
        append(&world, 0, 20);
        world.configure("trace.autoPack", "1");
        for round in 0..amount(10, 100) {
            append(&world, 20 + round * 2, 1);
            let mut child = world
                .trace(&["commit", "-m", "housekeeper"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the program starts");
            let _ = child.stdin.take().expect("a pipe").write_all(format!("housekeeper {round}").as_bytes());
            std::thread::sleep(Duration::from_micros(fastrand::u64(5_000..30_000)));
            let _ = child.kill();
            let _ = child.wait();
        }
        world.fsck();
        append(&world, 5000, 20);
        let subjects = world.subjects("main/main");
        assert_eq!(world.ok(&["context", "--as", "jsonl"]).lines().count(), subjects.len());
        assert!(files(&world.repo().join(".git/objects/pack"), ".pack") < 50, "few packs");
        world.fsck();
    }
}
