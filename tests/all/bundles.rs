//! Contexts in a file: what goes in, what comes out, and what is refused.

use std::fs;
use std::path::Path;

use crate::world::{World, feed};

fn commit(world: &World, dir: &Path, branch: &str, words: &str) {
    let dir = dir.to_str().expect("plain");
    let mut command = world.trace(&["-C", dir, "--branch", branch, "commit", "--role", "user", "-F", "-"]);
    // No two repositories give out the same ids.
    command.env("GITTRACE_ID_SEED", words);
    let output = feed(command, words.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn refs(world: &World, dir: &Path) -> Vec<String> {
    let refs = world.git(&["for-each-ref", "--format=%(refname)", "refs/trace"], dir);
    refs.lines().map(str::to_owned).collect()
}

#[test]
fn a_bundle_carries_contexts_and_nothing_else() {
    for format in ["sha1", "sha256"] {
        let world = World::new(format);
        let repo = world.repo();
        world.git(&["init", "-q", &format!("--object-format={format}"), "other"], world.root());
        let other = world.root().join("other");
        let there = other.to_str().expect("plain");
        commit(&world, &repo, "main/main", "one");
        commit(&world, &repo, "x/main", "two");
        commit(&world, &repo, "y/main", "forgotten");
        world.ok(&["tag", "v1"]);
        world.ok(&["forget", "y/main"]);
        let tip = world.tip("refs/trace/heads/x/main").expect("a branch");
        world.git(&["update-ref", "refs/trace/snapshots/x", &tip], &repo);
        world.git(&["update-ref", "refs/trace/aside/x/old", &tip], &repo);
        let file = world.root().join("contexts.bundle");
        let path = file.to_str().expect("plain");
        assert!(world.ok(&["bundle", "create", "-n", path]).contains("would write"));
        assert!(!file.exists());
        world.ok(&["bundle", "create", path]);
        let listed = world.ok(&["bundle", "list", path]);
        let names: Vec<&str> = listed.lines().map(|line| line.split(' ').nth(1).expect("a name")).collect();
        assert_eq!(names.len(), 4, "{listed}");
        assert!(names.iter().all(|name| !name.contains("snapshots") && !name.contains("aside")), "{listed}");
        let heads = world.git(&["bundle", "list-heads", path], &repo);
        assert_eq!(heads.lines().count(), 4);

        world.ok(&["-C", there, "bundle", "verify", path]);
        world.ok(&["-C", there, "bundle", "import", "-n", path]);
        assert_eq!(refs(&world, &other), [""; 0]);
        let told = world.trace(&["-C", there, "bundle", "import", path]).output().expect("it runs");
        let said = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(told.status.success(), "{said}");
        assert!(said.contains("git trace branch x/main bundle/x/main"), "{said}");
        let came = refs(&world, &other);
        assert!(came.contains(&"refs/trace/remotes/bundle/x/main".to_owned()), "{came:?}");
        assert!(came.iter().any(|name| name.starts_with("refs/trace/remote-forgotten/bundle/")), "{came:?}");
        assert!(!came.iter().any(|name| name.contains("/incoming/")), "{came:?}");
        world.ok(&["-C", there, "branch", "x/main", "bundle/x/main"]);
        commit(&world, &other, "x/main", "of this one");

        // What the other side has is left out, and has to be there.
        commit(&world, &repo, "x/main", "three");
        let more = world.root().join("more.bundle");
        let path = more.to_str().expect("plain");
        world.ok(&["bundle", "create", path, "x/main", "--since", &tip]);
        let told = world.ok(&["-C", there, "bundle", "import", "--json", path, "--name", "stick"]);
        assert!(told.contains("git trace --branch x/main merge stick/x/main"), "{told}");
        world.ok(&["-C", there, "--branch", "x/main", "merge", "stick/x/main"]);
        assert!(refs(&world, &other).contains(&"refs/trace/remotes/stick/x/main".to_owned()));
        world.git(&["init", "-q", &format!("--object-format={format}"), "third"], world.root());
        let third = world.root().join("third");
        let complaint = world.fails(1, &["-C", third.to_str().expect("plain"), "bundle", "import", path]);
        assert!(complaint.contains("it builds on commits that are not here"), "{complaint}");
        assert_eq!(refs(&world, &third), [""; 0]);
        let nothing = world.fails(1, &["bundle", "create", path, "x/main", "--since", "x/main"]);
        assert!(nothing.contains("nothing that the other side has not"), "{nothing}");
        world.fsck();
    }
}

#[test]
fn secrets_are_not_bundled_and_broken_bundles_move_nothing() {
    let world = World::new("sha1");
    let repo = world.repo();
    world.configure("trace.redact", "off");
    let token = ["ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    commit(&world, &repo, "main/main", &format!("token {token}"));
    let file = world.root().join("x.bundle");
    let path = file.to_str().expect("plain");
    let complaint = world.fails(1, &["bundle", "create", path]);
    assert!(complaint.contains("github-pat") && !complaint.contains(&token), "{complaint}");
    assert!(complaint.contains("git trace redact --scan") && !file.exists());
    world.ok(&["redact", "--scan"]);
    for nth in 0..30 {
        commit(&world, &repo, "main/main", &format!("{nth} {}", "some words ".repeat(50)));
    }
    world.ok(&["bundle", "create", path]);

    world.git(&["init", "-q", "other"], world.root());
    let other = world.root().join("other");
    let there = other.to_str().expect("plain");
    let whole = fs::read(&file).expect("a bundle");
    let text = |bytes: Vec<u8>| fs::write(&file, bytes).expect("written");
    for broken in [whole[..whole.len() / 2].to_vec(), b"no bundle".to_vec(), Vec::new(), {
        let mut flipped = whole.clone();
        let at = flipped.len() - 100;
        flipped[at] ^= 0x40;
        flipped
    }] {
        text(broken);
        let complaint = world.fails(1, &["-C", there, "bundle", "import", path]);
        assert!(!complaint.contains("panicked"), "{complaint}");
        assert_eq!(refs(&world, &other), [""; 0], "{complaint}");
    }
    assert!(world.fails(1, &["-C", there, "bundle", "import", "/nowhere"]).contains("/nowhere"));

    // Names that are none of ours, and what is no context.
    fs::write(repo.join("file"), "code").expect("written");
    world.git(&["add", "."], &repo);
    world.git(&["commit", "-qm", "code"], &repo);
    world.git(&["update-ref", "refs/trace/heads/a/b/c", "refs/trace/heads/main/main"], &repo);
    world.git(&["update-ref", "refs/trace/heads/code/main", "HEAD"], &repo);
    world.git(&["bundle", "create", "-q", path, "--all"], &repo);
    let complaint = world.fails(1, &["-C", there, "bundle", "import", path]);
    assert!(complaint.contains("'a/b/c' is refused") && complaint.contains("'code/main' is refused"), "{complaint}");
    assert_eq!(refs(&world, &other), ["refs/trace/remotes/bundle/main/main"]);
    assert_eq!(world.git(&["for-each-ref", "refs/heads"], &other), "");
    world.git(&["config", "remote.bundle.url", "/x"], &other);
    assert!(world.fails(1, &["-C", there, "bundle", "import", path]).contains("a remote has that name"));
}
