//! The same small life of a context on every kind of repository, and a clear refusal before anything is written where
//! a write would do harm.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::world::{World, feed};

const BRANCH: &str = "refs/trace/heads/main/main";

/// Runs `git trace` in a folder.
fn run(world: &World, dir: &Path, arguments: &[&str], input: &[u8], environment: &[(&str, &str)]) -> Output {
    let mut command = world.command(env!("CARGO_BIN_EXE_git-trace"), dir);
    command.args(arguments).envs(environment.iter().copied());
    feed(command, input)
}

/// Runs `git trace` in a folder; it must end well.
fn ok(world: &World, dir: &Path, arguments: &[&str], input: &[u8]) -> String {
    let output = run(world, dir, arguments, input, &[]);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?} in {}: {complaint}", dir.display());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs `git trace` in a folder; it must be refused with this code. Returns what it said.
fn refused(world: &World, dir: &Path, code: i32, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let output = run(world, dir, arguments, b"hello", environment);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?} in {}: {complaint}", dir.display());
    assert!(output.stdout.is_empty(), "an answer or nothing");
    complaint
}

fn fsck(world: &World, dir: &Path) {
    let output = world.command("git", dir).args(["fsck", "--strict", "--full", "--no-dangling"]).output();
    let output = output.expect("git starts");
    let said = String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
    let fault = said.lines().find(|line| !line.starts_with("notice:"));
    assert!(output.status.success() && fault.is_none(), "git fsck in {}: {said}", dir.display());
}

/// Lives a small life in a repository: begin, talk, edit, pin, tag, go back, branch, read. git agrees with all of it.
fn live(world: &World, dir: &Path) {
    let git = |arguments: &[&str]| world.git(arguments, dir).trim().to_owned();
    ok(world, dir, &["init"], b"");
    ok(world, dir, &["commit", "--role", "system"], b"Be brief.");
    ok(world, dir, &["commit"], b"Which port?");
    ok(world, dir, &["commit", "--role", "assistant"], b"8080");
    let tip = git(&["rev-parse", BRANCH]);
    ok(world, dir, &["pin", "#0"], b"");
    ok(world, dir, &["edit", "#1"], b"Which port is it?");
    ok(world, dir, &["tag", "asked"], b"");
    ok(world, dir, &["drop", "@1"], b"");
    assert_eq!(git(&["rev-list", "--count", BRANCH]), "7");
    ok(world, dir, &["reset", "--hard", &tip], b"");
    assert_eq!(git(&["rev-parse", BRANCH]), tip);
    ok(world, dir, &["reset", "HEAD@{1}"], b"");
    assert_eq!(git(&["rev-parse", &format!("{BRANCH}~3")]), tip, "the reflog led back");
    ok(world, dir, &["checkout", "-b", "idea", "asked"], b"");
    ok(world, dir, &["commit"], b"Make it 9090.");
    assert_eq!(ok(world, dir, &["log", "--oneline", "-20"], b"").lines().count(), 7);
    assert_eq!(ok(world, dir, &["show", "--raw", "@1"], b""), "Make it 9090.");
    assert_eq!(ok(world, dir, &["show", "--raw", &format!("{}:#1", &tip[..12])], b""), "Which port?");
    assert!(ok(world, dir, &["diff", "main", "idea", "--stat"], b"").contains("2 added"));
    ok(world, dir, &["checkout", "main"], b"");
    ok(world, dir, &["reset", "idea"], b"");
    ok(world, dir, &["pack"], b"");
    let context = ok(world, dir, &["context", "--as", "anthropic"], b"");
    assert!(context.contains("Be brief.") && context.contains("Make it 9090."), "{context}");
    assert_eq!(git(&["rev-parse", BRANCH]), git(&["rev-parse", "refs/trace/heads/main/idea"]));
    ok(world, dir, &["tag", "-d", "asked"], b"");
    let refs = git(&["for-each-ref", "--format=%(refname)", "refs/trace/"]);
    assert_eq!(refs, format!("refs/trace/heads/main/idea\n{BRANCH}"));
    fsck(world, dir);
}

/// Puts a commit of code into the repository, so that it can have worktrees and clones.
fn add_code(world: &World) {
    std::fs::write(world.repo().join("code.txt"), "code").expect("a file");
    world.git(&["add", "code.txt"], &world.repo());
    world.git(&["commit", "-qm", "code"], &world.repo());
}

#[test]
fn work_tree_and_bare() {
    for object_format in ["sha1", "sha256"] {
        let world = World::new(object_format);
        add_code(&world);
        live(&world, &world.repo());
        assert_eq!(world.git(&["status", "--porcelain"], &world.repo()), "");
        let below = world.repo().join("a/b");
        std::fs::create_dir_all(&below).expect("a folder");
        assert_eq!(ok(&world, &below, &["show", "--raw", "@1"], b""), "Make it 9090.", "found from below");

        let bare = world.root().join("bare.git");
        let format = format!("--object-format={object_format}");
        world.git(&["init", "-q", "--bare", &format, "bare.git"], world.root());
        live(&world, &bare);
        // git writes no reflog in a bare repository by itself: ours is how one gets back.
        assert!(bare.join("logs").join(BRANCH).is_file());
    }
}

#[test]
fn every_worktree_has_its_own_head() {
    for object_format in ["sha1", "sha256"] {
        let world = World::new(object_format);
        add_code(&world);
        world.git(&["worktree", "add", "-q", "../linked"], &world.repo());
        let linked = world.root().join("linked");
        live(&world, &linked);
        ok(&world, &linked, &["checkout", "idea"], b"");
        let head = |dir: &Path| ok(&world, dir, &["status"], b"").lines().next().unwrap_or_default().to_owned();
        assert_eq!(head(&linked), "On context branch main/idea");
        assert_eq!(head(&world.repo()), "On context branch main/main");
        ok(&world, &world.repo(), &["commit"], b"from the main worktree");
        assert_eq!(ok(&world, &linked, &["show", "--raw", "main:@1"], b""), "from the main worktree");
        assert_eq!(ok(&world, &linked, &["show", "--raw", "@1"], b""), "Make it 9090.");
        fsck(&world, &world.repo());
    }
}

#[test]
fn submodules_have_contexts_of_their_own() {
    let world = World::new("sha1");
    add_code(&world);
    let upper = world.root().join("upper");
    world.git(&["init", "-q", "upper"], world.root());
    world.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../repo", "sub"], &upper);
    live(&world, &upper.join("sub"));
    assert_eq!(world.git(&["for-each-ref", "refs/trace/"], &upper), "");
    assert!(refused(&world, &upper, 1, &["log"], &[]).contains("has no commits yet"));
}

#[test]
fn objects_may_be_elsewhere() {
    let world = World::new("sha1");
    add_code(&world);
    live(&world, &world.repo());
    world.git(&["clone", "-q", "--shared", "repo", "borrower"], world.root());
    let borrower = world.root().join("borrower");
    world.git(&["fetch", "-q", "origin", "refs/trace/*:refs/trace/*"], &borrower);
    assert_eq!(ok(&world, &borrower, &["show", "--raw", "@1"], b""), "Make it 9090.");
    ok(&world, &borrower, &["commit"], b"on borrowed objects");
    ok(&world, &borrower, &["pack"], b"");
    assert_eq!(ok(&world, &borrower, &["show", "--raw", "@1"], b""), "on borrowed objects");
    fsck(&world, &borrower);

    // What git would store elsewhere is not stored here.
    let objects = world.repo().join(".git/objects");
    let before = files_in(&objects);
    let apart = world.root().join("apart");
    let environment = [("GIT_OBJECT_DIRECTORY", apart.to_str().expect("UTF-8"))];
    let complaint = refused(&world, &world.repo(), 128, &["commit"], &environment);
    assert!(complaint.contains("GIT_OBJECT_DIRECTORY"), "{complaint}");
    assert_eq!(files_in(&objects), before);
    let same = [("GIT_OBJECT_DIRECTORY", objects.to_str().expect("UTF-8"))];
    let output = run(&world, &world.repo(), &["commit"], b"stored here", &same);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(ok(&world, &world.repo(), &["show", "--raw", "@1"], b""), "stored here");
}

fn files_in(folder: &Path) -> usize {
    walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok).filter(|file| file.file_type().is_file()).count()
}

#[test]
fn packed_refs_are_refs() {
    let world = World::new("sha1");
    add_code(&world);
    live(&world, &world.repo());
    world.git(&["pack-refs", "--all"], &world.repo());
    assert!(!world.repo().join(".git").join(BRANCH).exists());
    live_on(&world, &world.repo());
    world.git(&["gc", "-q", "--prune=now"], &world.repo());
    live_on(&world, &world.repo());
    world.ok(&["tag", "packed"]);
    world.git(&["pack-refs", "--all"], &world.repo());
    world.ok(&["tag", "-d", "packed"]);
    assert_eq!(world.ok(&["tag"]), "");
    fsck(&world, &world.repo());
}

/// Commits once more on what is there.
fn live_on(world: &World, dir: &Path) {
    let before = world.git(&["rev-parse", BRANCH], dir);
    ok(world, dir, &["commit"], b"once more");
    assert_eq!(world.git(&["rev-parse", &format!("{BRANCH}^")], dir), before);
    assert_eq!(ok(world, dir, &["show", "--raw", "@1"], b""), "once more");
}

#[test]
fn a_shallow_history_ends_where_it_ends() {
    let world = World::new("sha1");
    add_code(&world);
    live(&world, &world.repo());
    world.git(&["init", "-q", "shallow"], world.root());
    let shallow = world.root().join("shallow");
    world.git(
        &[
            "fetch",
            "-q",
            "--depth=2",
            "file://../repo".replace("..", world.root().to_str().expect("UTF-8")).as_str(),
            "refs/trace/*:refs/trace/*",
        ],
        &shallow,
    );
    assert_eq!(world.git(&["rev-list", "--count", BRANCH], &shallow), "2\n");
    assert_eq!(ok(&world, &shallow, &["log", "--oneline"], b"").lines().count(), 2);
    assert_eq!(ok(&world, &shallow, &["show", "--raw", "@1"], b""), "Make it 9090.");
    let full = ok(&world, &world.repo(), &["context"], b"");
    assert_eq!(ok(&world, &shallow, &["context"], b""), full, "the newest commit has all of the context");
    live_on(&world, &shallow);
    assert_eq!(ok(&world, &shallow, &["log", "--oneline"], b"").lines().count(), 3);
    ok(&world, &shallow, &["show", "HEAD~2"], b"");
    fsck(&world, &shallow);
}

#[test]
fn what_a_partial_clone_lacks_is_named() {
    let world = World::new("sha1");
    add_code(&world);
    live(&world, &world.repo());
    world.git(&["config", "uploadpack.allowFilter", "true"], &world.repo());
    let origin = format!("file://{}", world.repo().display());
    world.git(&["clone", "-q", "--filter=blob:none", "--no-checkout", &origin, "partial"], world.root());
    let partial = world.root().join("partial");
    world.git(&["fetch", "-q", "origin", "refs/trace/*:refs/trace/*"], &partial);
    // Sizes and history need trees and commits only.
    assert_eq!(ok(&world, &partial, &["log", "--oneline"], b"").lines().count(), 7);
    let complaint = refused(&world, &partial, 1, &["context"], &[]);
    assert!(complaint.contains("is missing here; its remote has promised it"), "{complaint}");
    let hint = complaint.lines().find_map(|line| line.strip_prefix("hint: to get it: ")).expect("a way out").to_owned();
    // The ways out are the ones that are named.
    let (one, all) = hint.split_once("; all of them: ").expect("two commands");
    for command in [one, all] {
        let done = world.command("sh", &partial).args(["-c", command]).output().expect("it starts");
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
        let now = String::from_utf8_lossy(&run(&world, &partial, &["context"], b"", &[]).stderr).into_owned();
        assert_ne!(now, complaint, "that object is there now");
    }
    assert!(ok(&world, &partial, &["context"], b"").contains("Make it 9090."));
}

#[test]
fn reftables_are_written_through_git() {
    for object_format in ["sha1", "sha256"] {
        let world = World::new(object_format);
        let format = format!("--object-format={object_format}");
        let table = world.root().join("table");
        world.git(&["init", "-q", "--ref-format=reftable", &format, "table"], world.root());
        std::fs::write(table.join("code.txt"), "code").expect("a file");
        world.git(&["add", "."], &table);
        world.git(&["commit", "-qm", "code"], &table);
        live(&world, &table);
        assert!(!table.join(".git/refs/trace").exists(), "no loose ref that git does not see");
        let head = world.git(&["symbolic-ref", "refs/worktree/trace/HEAD"], &table);
        assert_eq!(head.trim(), BRANCH);
        let code = world.git(&["rev-parse", "HEAD"], &table);
        assert_eq!(
            world.git(&["log", "-1", "--format=%(trailers:key=Trace-Code,valueonly)", BRANCH], &table).trim(),
            code.trim()
        );
        world.git(&["worktree", "add", "-q", "../table-linked"], &table);
        let linked = world.root().join("table-linked");
        ok(&world, &linked, &["checkout", "idea"], b"");
        assert!(ok(&world, &table, &["status"], b"").starts_with("On context branch main/main"));
        fsck(&world, &table);
    }
}

#[test]
fn the_environment_says_where_the_repository_is() {
    let world = World::new("sha1");
    let outside = world.root().join("outside");
    std::fs::create_dir_all(&outside).expect("a folder");
    let git_dir = world.repo().join(".git");
    let places = [("GIT_DIR", git_dir.to_str().expect("UTF-8")), ("GIT_WORK_TREE", outside.to_str().expect("UTF-8"))];
    for arguments in [vec!["init"], vec!["commit"], vec!["status"], vec!["context"]] {
        let output = run(&world, &outside, &arguments, b"said from outside", &places);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(ok(&world, &world.repo(), &["show", "--raw", "@1"], b""), "said from outside");
    refused(&world, &outside, 128, &["status"], &[]);
    refused(&world, &world.repo(), 128, &["status"], &[("GIT_DIR", "/nowhere")]);
    let ceiling = world.repo();
    let below = ceiling.join("below");
    std::fs::create_dir_all(&below).expect("a folder");
    for (ceiling, code) in [(ceiling.as_path(), 128), (world.root(), 0), (Path::new("/nowhere"), 0)] {
        let environment = [("GIT_CEILING_DIRECTORIES", ceiling.to_str().expect("UTF-8"))];
        let git = world.command("git", &below).envs(environment).args(["rev-parse"]).output().expect("git starts");
        let ours = run(&world, &below, &["status"], b"", &environment);
        assert_eq!((git.status.code(), ours.status.code()), (Some(code), Some(code)), "{}", ceiling.display());
    }
}

/// Returns the names of all files of a repository.
fn listing(git_dir: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(git_dir).sort_by_file_name().into_iter().filter_map(Result::ok);
    files.map(|file| file.into_path()).collect()
}

/// Refused with this code and these words, whatever is asked, and nothing is written.
fn assert_refused(world: &World, code: i32, words: &str, environment: &[(&str, &str)]) {
    let git_dir = world.repo().join(".git");
    let before = listing(&git_dir);
    for arguments in [vec!["init"], vec!["commit"], vec!["checkout", "-b", "x"], vec!["tag", "x"]] {
        let complaint = refused(world, &world.repo(), code, &arguments, environment);
        // What reads first may find nothing to begin with.
        let says = complaint.contains(words) || (code == 1 && complaint.contains("has no commits yet"));
        assert!(says, "{arguments:?}: {complaint}");
    }
    assert_eq!(listing(&git_dir), before);
}

#[test]
fn a_repository_of_somebody_else_is_refused() {
    let world = World::new("sha1");
    let is_root = world.command("id", world.root()).arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !is_root {
        println!("skipped: only root can give a repository away");
        return;
    }
    let given = world.command("chown", world.root()).args(["-R", "12345", "repo"]).status().expect("chown starts");
    assert!(given.success());
    assert_refused(&world, 128, "dubious ownership", &[]);
    let complaint = refused(&world, &world.repo(), 128, &["status"], &[]);
    let hint =
        complaint.lines().find_map(|line| line.strip_prefix("hint: to trust it: ")).expect("a way out").to_owned();
    let done = world.command("sh", &world.repo()).args(["-c", &hint]).status().expect("it starts");
    assert!(done.success());
    ok(&world, &world.repo(), &["init"], b"");
}

#[test]
fn a_receive_quarantine_is_refused() {
    let world = World::new("sha1");
    assert_refused(&world, 1, "receive quarantine", &[("GIT_QUARANTINE_PATH", "/somewhere")]);
    world.ok(&["init"]);
    let output = run(&world, &world.repo(), &["status"], b"", &[("GIT_QUARANTINE_PATH", "/somewhere")]);
    assert!(output.status.success(), "reading does no harm");
}

#[test]
fn repositories_from_the_future_are_refused() {
    for (key, value, words) in [
        ("extensions.foo", "true", "unknown repository extension: 'foo'"),
        ("core.repositoryFormatVersion", "2", "unknown repository format version: '2'"),
        ("extensions.refStorage", "stone", "unknown repository ref storage: 'stone'"),
    ] {
        let world = World::new("sha1");
        world.git(&["config", "core.repositoryFormatVersion", "1"], &world.repo());
        world.git(&["config", key, value], &world.repo());
        assert_refused(&world, 128, words, &[]);
    }
}

#[test]
fn a_ref_in_the_way_is_named() {
    for packed in [false, true] {
        let world = World::new("sha1");
        add_code(&world);
        world.git(&["update-ref", "refs/trace/heads/main", "HEAD"], &world.repo());
        world.git(&["update-ref", "refs/trace/checkpoints/1", "HEAD"], &world.repo());
        if packed {
            world.git(&["pack-refs", "--all"], &world.repo());
        }
        let before = world.git(&["for-each-ref"], &world.repo());
        for arguments in [vec!["init"], vec!["commit"]] {
            let complaint = refused(&world, &world.repo(), 1, &arguments, &[]);
            let words = "cannot create ref 'refs/trace/heads/main/main': 'refs/trace/heads/main' exists";
            assert!(complaint.contains(words) && complaint.contains("hint: "), "{complaint}");
        }
        assert_eq!(world.git(&["for-each-ref"], &world.repo()), before);
        // Another place for ours is the way out.
        world.git(&["config", "trace.refPrefix", "refs/contexts"], &world.repo());
        ok(&world, &world.repo(), &["init"], b"");
        ok(&world, &world.repo(), &["commit"], b"hello");
        let refs = world.git(&["for-each-ref", "--format=%(refname)", "refs/contexts"], &world.repo());
        assert_eq!(refs, "refs/contexts/heads/main/main\n");
        fsck(&world, &world.repo());
    }
}

#[test]
fn refs_of_others_are_told_and_left_alone() {
    let world = World::new("sha1");
    add_code(&world);
    world.git(&["update-ref", "refs/trace/checkpoints/1", "HEAD"], &world.repo());
    let output = run(&world, &world.repo(), &["init"], b"", &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("'refs/trace/checkpoints/1' belongs to another tool"), "{said}");
    ok(&world, &world.repo(), &["commit"], b"hello");
    assert!(ok(&world, &world.repo(), &["log", "--all", "--oneline"], b"").lines().count() == 2);
    let head = world.git(&["rev-parse", "HEAD"], &world.repo());
    assert_eq!(world.git(&["rev-parse", "refs/trace/checkpoints/1"], &world.repo()), head);
}

/// Makes a commit whose tree has these files, with this message, and puts our branch at it.
fn craft(world: &World, files: &[(&str, &str)], message: &str) -> String {
    let repo = world.repo();
    let mut tree = String::new();
    for (name, content) in files {
        let mut command = world.command("git", &repo);
        command.args(["hash-object", "-w", "--stdin"]);
        let blob = String::from_utf8(feed(command, content.as_bytes()).stdout).expect("an id");
        tree += &format!("100644 blob {}\t{name}\n", blob.trim());
    }
    let mut command = world.command("git", &repo);
    command.arg("mktree");
    let tree = String::from_utf8(feed(command, tree.as_bytes()).stdout).expect("an id");
    let commit = world.git(&["commit-tree", tree.trim(), "-m", message], &repo);
    world.git(&["update-ref", BRANCH, commit.trim()], &repo);
    commit.trim().to_owned()
}

const FACTS: &str =
    "append user: x\n\nTrace-Op: append\nTrace-Total: 0\nTrace-Count: 0\nTrace-Next: 0\nTrace-Tokens: +0\n";

#[test]
fn a_newer_format_is_refused_by_name() {
    let world = World::new("sha1");
    let commit = craft(&world, &[(".trace", "git-trace 2\nsomething new\n")], FACTS);
    for arguments in [vec!["status"], vec!["context"], vec!["commit"], vec!["pin", "#0"], vec!["diff", "HEAD", "HEAD"]]
    {
        let complaint = refused(&world, &world.repo(), 1, &arguments, &[]);
        assert!(complaint.contains("format version 2; this git-trace reads up to 1"), "{arguments:?}: {complaint}");
        assert!(complaint.contains("hint: install a newer git-trace"), "{complaint}");
    }
    assert_eq!(world.git(&["rev-parse", BRANCH], &world.repo()).trim(), commit);
}

#[test]
fn a_commit_that_is_not_ours_is_refused() {
    let world = World::new("sha1");
    add_code(&world);
    world.git(&["update-ref", BRANCH, "HEAD"], &world.repo());
    let code = world.git(&["rev-parse", "HEAD"], &world.repo());
    for arguments in [vec!["status"], vec!["log"], vec!["show"], vec!["context"], vec!["commit"], vec!["pin", "#0"]] {
        let complaint = refused(&world, &world.repo(), 1, &arguments, &[]);
        assert!(
            complaint.contains(code.trim()) && complaint.contains("is not a context"),
            "{arguments:?}: {complaint}"
        );
    }
    let other = World::new("sha1");
    add_code(&other);
    other.ok(&["init"]);
    let code = other.git(&["rev-parse", "HEAD"], &other.repo());
    assert!(other.fails(1, &["checkout", code.trim()]).contains("is not a context"));
    assert!(other.fails(1, &["reset", code.trim()]).contains("is not a context"));
    let trees = craft(&other, &[("README", "hello")], FACTS);
    let complaint = other.fails(1, &["context"]);
    assert!(complaint.contains("not a context"), "{trees}: {complaint}");
}

#[test]
fn damage_is_told_and_not_made_worse() {
    let world = World::new("sha1");
    world.git(&["config", "trace.fsync", "false"], &world.repo());
    world.ok(&["init"]);
    world.ok_with(&["commit"], b"one");
    world.ok_with(&["commit"], b"two");
    let blob = world.git(&["rev-parse", &format!("{BRANCH}:{}", name_of(&world, "two"))], &world.repo());
    let blob = blob.trim();
    let path = world.repo().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    assert!(path.is_file(), "written loose where nothing is synced");
    let tip = world.git(&["rev-parse", BRANCH], &world.repo());
    let sound = std::fs::read(&path).expect("the object");
    let mut flipped = sound.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 0x40;
    for (damage, words) in [
        (None, "is missing"),
        (Some(Vec::new()), blob),
        (Some(sound[..sound.len() / 2].to_vec()), blob),
        (Some(b"rubbish".to_vec()), blob),
        (Some(flipped), blob),
    ] {
        std::fs::remove_file(&path).expect("the object");
        if let Some(bytes) = &damage {
            std::fs::write(&path, bytes).expect("the object");
        }
        let complaint = refused(&world, &world.repo(), 1, &["context"], &[]);
        assert!(
            complaint.contains(words) && complaint.contains(blob),
            "{:?}: {complaint}",
            damage.map(|bytes| bytes.len())
        );
        assert_eq!(world.git(&["rev-parse", BRANCH], &world.repo()), tip);
        std::fs::write(&path, &sound).expect("the object");
    }
    assert_eq!(world.ok(&["show", "--raw", "@1"]), "two");

    // A ref that holds rubbish.
    let file = world.repo().join(".git").join(BRANCH);
    std::fs::write(&file, "rubbish\n").expect("the ref");
    let complaint = world.fails(1, &["status"]);
    assert!(complaint.contains(&format!("cannot read ref '{BRANCH}'")), "{complaint}");
    std::fs::write(&file, &tip).expect("the ref");
    std::fs::write(world.repo().join(".git/refs/worktree/trace/HEAD"), "ref: refs/heads/main\n").expect("HEAD");
    assert!(world.fails(1, &["status"]).contains("which is no context branch"));
}

/// Returns the path of the entry with this body.
fn name_of(world: &World, body: &str) -> String {
    let found = world.git(&["grep", "-l", &format!("^{body}$"), BRANCH], &world.repo());
    found.trim().rsplit(':').next().unwrap_or_default().to_owned()
}

#[test]
fn a_read_only_repository_can_be_read() {
    let world = World::new("sha1");
    live(&world, &world.repo());
    let is_root = world.command("id", world.root()).arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if is_root {
        println!("skipped: nothing is read-only for root");
        return;
    }
    let set = |mode: &str| world.command("chmod", world.root()).args(["-R", mode, "repo/.git"]).status().is_ok();
    assert!(set("a-w"));
    for arguments in [vec!["status"], vec!["log"], vec!["context"], vec!["diff"]] {
        ok(&world, &world.repo(), &arguments, b"");
    }
    let complaint = refused(&world, &world.repo(), 1, &["commit"], &[]);
    assert!(complaint.contains("cannot") && complaint.contains("Permission denied"), "{complaint}");
    assert!(set("u+w"));
}
