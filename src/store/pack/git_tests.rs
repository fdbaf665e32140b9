//! Git itself judges the packs: checks, reads and repacks them.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::*;
use gix::{ObjectId, hash, objs::Kind};

const HASHES: [hash::Kind; 2] = [hash::Kind::Sha1, hash::Kind::Sha256];

/// Takes the `.keep` file away, as the caller does when a ref names the objects.
fn release(done: &Finished) {
    fs::remove_file(done.keep.as_ref().expect("a small pack is kept")).unwrap();
}

struct Repo {
    dir: tempfile::TempDir,
    hash: hash::Kind,
}

impl Repo {
    fn new(hash: hash::Kind) -> Self {
        let repo = Self { dir: tempfile::tempdir().unwrap(), hash };
        repo.git(&["init", "-q", "--bare", &format!("--object-format={hash}"), "."]);
        repo
    }

    fn git(&self, args: &[&str]) -> String {
        self.git_with(args, b"")
    }

    fn git_with(&self, args: &[&str], input: &[u8]) -> String {
        let mut child = Command::new("git")
            .args(["-c", "gc.auto=0"])
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.dir.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
        let out = child.wait_with_output().unwrap();
        let _ = writer.join().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(out.status.success(), "git {args:?}: {text}");
        text
    }

    fn objects(&self) -> PathBuf {
        self.dir.path().join("objects")
    }

    fn packs(&self) -> Vec<PathBuf> {
        files(&self.objects().join("pack"))
    }

    fn writer(&self, options: Options) -> PackWriter {
        PackWriter::create(&self.objects(), self.hash, options)
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn body(at: usize) -> Vec<u8> {
    let mut noise = at as u64 + 1;
    let mut out = format!("entry {at}: ");
    while out.len() < 300 {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        out.push_str(["alpha ", "be ", "gamma ", "port 8080 ", "delta", " "][(noise >> 40) as usize % 6]);
        out.push_str(&(noise >> 52).to_string());
    }
    out.into_bytes()
}

fn row(out: &mut Vec<u8>, at: usize, blob: &ObjectId) {
    out.extend_from_slice(format!("100644 {at:07}.assistant.96.{:010}.txt\0", at * 7919).as_bytes());
    out.extend_from_slice(blob.as_slice());
}

/// Writes a history of `count` entries, a growing tail that is emptied now and then, and returns all that was written.
fn history(pack: &mut PackWriter, count: usize, commit_deltas: bool) -> Vec<(ObjectId, Kind, Vec<u8>)> {
    let mut all = Vec::new();
    let (mut tree, mut tree_id): (Vec<u8>, Option<ObjectId>) = (Vec::new(), None);
    let (mut commit, mut parent): (Vec<u8>, Option<ObjectId>) = (Vec::new(), None);
    for at in 0..count {
        let blob = pack.write(Kind::Blob, &body(at)).unwrap();
        all.push((blob, Kind::Blob, body(at)));
        let before = tree.clone();
        if at % 33 == 32 {
            let row_len = 43 + blob.as_slice().len();
            tree.drain(..(tree.len() / row_len / 2) * row_len);
        }
        row(&mut tree, at, &blob);
        let id = match tree_id {
            Some(id) => pack.write_with_base(Kind::Tree, &tree, Base { id, bytes: &before }).unwrap(),
            None => pack.write(Kind::Tree, &tree).unwrap(),
        };
        tree_id = Some(id);
        all.push((id, Kind::Tree, tree.clone()));
        let before = std::mem::take(&mut commit);
        let parents = parent.map(|id| format!("parent {id}\n")).unwrap_or_default();
        commit = format!(
            "tree {id}\n{parents}author A <a@example.com> {at} +0000\ncommitter A <a@example.com> {at} +0000\n\nappend user\n\nTrace-Op: append\nTrace-Count: {at}\nTrace-Agent: claude\nTrace-Session: 0123456789abcdef0123456789abcdef\n"
        )
        .into_bytes();
        let id = match parent.filter(|_| commit_deltas) {
            Some(id) => pack.write_with_base(Kind::Commit, &commit, Base { id, bytes: &before }).unwrap(),
            None => pack.write(Kind::Commit, &commit).unwrap(),
        };
        parent = Some(id);
        all.push((id, Kind::Commit, commit.clone()));
    }
    all
}

fn check_reads(repo: &Repo, all: &[(ObjectId, Kind, Vec<u8>)]) {
    let ids: String = all.iter().map(|(id, ..)| format!("{id}\n")).collect();
    let mut expected = Vec::new();
    for (id, kind, bytes) in all {
        expected.extend_from_slice(format!("{id} {kind} {}\n", bytes.len()).as_bytes());
        expected.extend_from_slice(bytes);
        expected.push(b'\n');
    }
    let read = repo.git_with(&["cat-file", "--batch"], ids.as_bytes());
    assert!(read.as_bytes() == String::from_utf8_lossy(&expected).as_bytes(), "git reads other bytes");
}

#[test]
fn git_accepts_and_reads_a_history_at_every_level() {
    for hash in HASHES {
        for (level, depth, stored_below, commit_deltas) in
            [(0, 50, 0, true), (1, 3, 100, false), (2, 50, 100, true), (6, 250, 0, true), (9, 0, 4096, false)]
        {
            let repo = Repo::new(hash);
            let mut pack = repo.writer(Options { level, max_delta_depth: depth, stored_below, ..Options::default() });
            let all = history(&mut pack, 200, commit_deltas);
            let objects = pack.len();
            let done = pack.finish(Durability::Lazy).unwrap().unwrap();
            assert_eq!(done.objects, objects);
            assert_eq!(done.bytes, fs::metadata(&done.pack).unwrap().len());
            assert_eq!(repo.packs(), [done.idx.clone(), done.pack.clone()]);

            // The name is the pack's trailing checksum, as git's own are.
            let bytes = fs::read(&done.pack).unwrap();
            let trailer = ObjectId::from_bytes_or_panic(&bytes[bytes.len() - hash.len_in_bytes()..]);
            assert!(done.pack.ends_with(format!("pack-{trailer}.pack")));

            let head = all.last().unwrap().0.to_string();
            repo.git(&["update-ref", "refs/trace/heads/main/main", &head]);
            let fsck = repo.git(&["fsck", "--strict", "--full", "--no-dangling"]);
            assert!(!fsck.contains("error") && !fsck.contains("warning"), "{fsck}");
            let list = repo.git(&["verify-pack", "-v", done.idx.to_str().unwrap()]);
            let deepest = list
                .lines()
                .filter_map(|line| line.strip_prefix("chain length = "))
                .filter_map(|rest| rest.split(':').next()?.parse::<u8>().ok())
                .max()
                .unwrap_or(0);
            assert!(deepest <= depth, "{deepest} > {depth}");
            assert_eq!(deepest == 0, depth == 0);
            check_reads(&repo, &all);

            // Git's own index of the same pack is equal to ours, byte for byte.
            let theirs = repo.dir.path().join("theirs.idx");
            repo.git(&[
                "index-pack",
                "--strict",
                "--no-rev-index",
                "-o",
                theirs.to_str().unwrap(),
                done.pack.to_str().unwrap(),
            ]);
            assert!(fs::read(&theirs).unwrap() == fs::read(&done.idx).unwrap(), "index differs from git's");
        }
    }
}

#[test]
fn objects_come_back_while_the_pack_grows() {
    for hash in HASHES {
        let repo = Repo::new(hash);
        let mut pack = repo.writer(Options { level: 1, ..Options::default() });
        let mut all = history(&mut pack, 300, true);
        // Enough noise for the file to be written several times in between.
        for at in 0..40 {
            let big: Vec<u8> = (0..400).flat_map(|part| body(at * 1000 + part)).collect();
            let id = pack.write(Kind::Blob, &big).unwrap();
            all.push((id, Kind::Blob, big));
            let (id, kind, bytes) = &all[at * 17];
            assert_eq!(pack.get(id).unwrap(), Some((*kind, bytes.clone())));
        }
        assert!(pack.bytes() > 1 << 20);
        for (id, kind, bytes) in &all {
            assert!(pack.contains(id));
            assert_eq!(pack.get(id).unwrap(), Some((*kind, bytes.clone())));
        }
        assert_eq!(pack.get(&hash.null()).unwrap(), None);
        all.extend(history(&mut pack, 320, true).split_off(900));
        let objects = pack.len();
        assert_eq!(objects, 960 + 40, "what was there is not written again");
        pack.finish(Durability::Durable).unwrap().unwrap();
        repo.git(&["fsck", "--strict", "--full", "--no-dangling"]);
        check_reads(&repo, &all);
    }
}

#[test]
fn gc_and_repack_keep_the_deltas() {
    for hash in HASHES {
        let repo = Repo::new(hash);
        let mut pack = repo.writer(Options::default());
        let all = history(&mut pack, 3000, false);
        let done = pack.finish(Durability::Lazy).unwrap().unwrap();
        repo.git(&["update-ref", "refs/trace/heads/main/main", &all.last().unwrap().0.to_string()]);
        for command in [&["gc", "-q"][..], &["repack", "-adq"]] {
            repo.git(command);
            let size: u64 = repo
                .packs()
                .iter()
                .filter(|path| path.extension().is_some_and(|e| e == "pack"))
                .map(|path| fs::metadata(path).unwrap().len())
                .sum();
            assert!(size * 2 <= done.bytes * 3, "{command:?} made {size} of {}", done.bytes);
            check_reads(&repo, &all[8000..]);
        }
    }
}

#[test]
fn an_unfinished_pack_leaves_nothing() {
    let repo = Repo::new(hash::Kind::Sha1);
    let mut pack = repo.writer(Options { level: 0, ..Options::default() });
    pack.write(Kind::Blob, &vec![1; 3 << 20]).unwrap();
    let temporaries = repo.packs();
    assert_eq!(temporaries.len(), 1);
    assert!(temporaries[0].file_name().unwrap().to_str().unwrap().starts_with("tmp_pack_"));
    drop(pack);
    assert!(repo.packs().is_empty());
    assert!(repo.writer(Options::default()).finish(Durability::Durable).unwrap().is_none());
    assert!(repo.packs().is_empty());
}

#[test]
fn equal_packs_are_kept_and_damaged_ones_replaced() {
    let repo = Repo::new(hash::Kind::Sha1);
    let objects: Vec<_> = (0..3).map(body).collect();
    let objects: Vec<_> = objects.iter().map(|bytes| (Kind::Blob, bytes.as_slice())).collect();
    let write = || {
        let done = write_small_pack(&repo.objects(), repo.hash, &objects, Durability::Durable).unwrap().unwrap();
        release(&done);
        Finished { keep: None, ..done }
    };
    let first = write();
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::open(&first.pack).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(write(), first);
    assert!(fs::metadata(&first.pack).unwrap().modified().unwrap() > long_ago, "git gc would take it for old");
    assert_eq!(repo.packs(), [first.idx.clone(), first.pack.clone()]);

    for lost in [&first.pack, &first.idx] {
        fs::remove_file(lost).unwrap();
        fs::write(lost, b"").unwrap();
        assert_eq!(write(), first);
        repo.git(&["verify-pack", first.idx.to_str().unwrap()]);
        fs::remove_file(lost).unwrap();
        assert_eq!(write(), first);
        repo.git(&["verify-pack", first.idx.to_str().unwrap()]);
    }
    assert_eq!(repo.packs(), [first.idx, first.pack]);
}

#[cfg(unix)]
#[test]
fn finished_files_are_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let repo = Repo::new(hash::Kind::Sha256);
    let done = write_small_pack(&repo.objects(), repo.hash, &[(Kind::Blob, b"x")], Durability::Lazy).unwrap();
    release(&done.unwrap());
    for path in repo.packs() {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o333, 0, "nobody may write or execute");
    }
}

#[test]
fn git_inflates_every_shape_of_content() {
    let repo = Repo::new(hash::Kind::Sha1);
    for level in [1, 2, 4, 6, 9] {
        let mut pack = repo.writer(Options { level, stored_below: 0, ..Options::default() });
        let mut all = Vec::new();
        let mut noise = u64::from(level);
        for at in 0..300usize {
            let len = [0, 1, 2, 3, 4, 5, 100, 257, 258, 259, 4096, 32_767, 32_768, 32_769, 70_000][at % 15] + at / 100;
            let alphabet = [1, 2, 3, 10, 64, 256][at % 6];
            let repeated = at % 7 * 3;
            let mut bytes: Vec<u8> = Vec::with_capacity(len);
            while bytes.len() < len {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let from = (noise >> 20) as usize % (bytes.len() + 1);
                let to = bytes.len().min(from + (noise >> 50) as usize % 300);
                if (noise >> 40) as usize % 21 < repeated && to > from {
                    bytes.extend_from_within(from..to);
                } else {
                    bytes.push(((noise >> 33) as usize % alphabet) as u8);
                }
            }
            bytes.truncate(len);
            let id = pack.write(Kind::Blob, &bytes).unwrap();
            all.push((id, Kind::Blob, bytes));
        }
        pack.finish(Durability::Lazy).unwrap().unwrap();
        check_reads(&repo, &all);
    }
    repo.git(&["fsck", "--strict", "--full", "--no-dangling"]);
}

/// Runs a test of this file again under a limit on the length of files, which acts like a full disk.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing() {
    // Half-kibibyte or kibibyte blocks, by shell: 1 to 2 MB, 20 to 40 KB and 512 bytes to 1 KB.
    for blocks in ["2000", "40", "1"] {
        let dir = tempfile::tempdir().unwrap();
        let out = Command::new("sh")
            .args([
                "-c",
                &format!(
                    "trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" --exact store::pack::git_tests::full_disk_inside"
                ),
                std::env::current_exe().unwrap().to_str().unwrap(),
            ])
            .env("GITTRACE_TEST_FULL_DISK", dir.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success() && text.contains("1 passed"), "{text}");
        assert!(dir.path().join("pack").is_dir());
        assert!(files(&dir.path().join("pack")).is_empty());
    }
}

#[cfg(unix)]
#[test]
fn full_disk_inside() {
    let Some(dir) = std::env::var_os("GITTRACE_TEST_FULL_DISK").map(PathBuf::from) else {
        println!("skipped: runs within a_full_disk_leaves_nothing");
        return;
    };
    let mut pack = PackWriter::create(&dir, hash::Kind::Sha1, Options { level: 0, ..Options::default() });
    let mut failed = None;
    for at in 0..20u8 {
        match pack.write(Kind::Blob, &vec![at; 500_000]) {
            Ok(_) => assert!(failed.is_none(), "nothing may be added after an error"),
            Err(error) => failed = failed.or(Some(error.to_string())),
        }
    }
    assert!(failed.is_some_and(|error| error.starts_with("cannot write '")));
    assert!(pack.get(&hash::Kind::Sha1.null()).is_err());
    assert!(matches!(pack.finish(Durability::Durable), Err(PackError::Broken)));
    // The pack fits below 1024 bytes, its index does not.
    let small: &[u8] = b"small";
    let done = write_small_pack(&dir, hash::Kind::Sha1, &[(Kind::Blob, small)], Durability::Durable);
    if let Ok(done) = done {
        let done = done.unwrap();
        release(&done);
        fs::remove_file(done.pack).unwrap();
        fs::remove_file(done.idx).unwrap();
    }
}

#[test]
fn a_missing_pack_directory_is_made() {
    for hash in HASHES {
        let repo = Repo::new(hash);
        fs::remove_dir(repo.objects().join("pack")).unwrap();
        let (empty, twice): (&[u8], &[u8]) = (b"", b"twice");
        let objects = [(Kind::Blob, twice), (Kind::Blob, empty), (Kind::Tree, empty), (Kind::Blob, twice)];
        let done = write_small_pack(&repo.objects(), hash, &objects, Durability::Durable).unwrap().unwrap();
        assert_eq!(done.objects, 3);
        repo.git(&["fsck", "--strict", "--full"]);
    }
}

#[test]
fn an_impossible_directory_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("pack"), b"a file").unwrap();
    let error = write_small_pack(dir.path(), hash::Kind::Sha1, &[(Kind::Blob, b"x")], Durability::Lazy).unwrap_err();
    assert!(error.to_string().starts_with("cannot create a temporary file in '"), "{error}");
    assert_eq!(files(dir.path()).len(), 1);
}

#[test]
fn wrong_bytes_for_a_base_are_refused() {
    let repo = Repo::new(hash::Kind::Sha1);
    let mut pack = repo.writer(Options::default());
    let id = pack.write(Kind::Blob, &body(1)).unwrap();
    let longer = [body(1), body(2)].concat();
    let error = pack.write_with_base(Kind::Blob, &longer, Base { id, bytes: &body(3) }).unwrap_err();
    assert!(matches!(error, PackError::BaseMismatch { id: named } if named == id));
    // A base of another kind would give the object the wrong kind: it is written whole.
    pack.write_with_base(Kind::Tag, &body(1), Base { id, bytes: &body(1) }).unwrap();
    // An unknown base is no fault either.
    let unknown = Base { id: hash::Kind::Sha1.null(), bytes: b"" };
    let id = pack.write_with_base(Kind::Blob, &longer, unknown).unwrap();
    assert_eq!(pack.get(&id).unwrap(), Some((Kind::Blob, longer)));
    let done = pack.finish(Durability::Lazy).unwrap().unwrap();
    let list = repo.git(&["verify-pack", "-v", done.idx.to_str().unwrap()]);
    assert!(!list.contains("chain length"), "{list}");
}
