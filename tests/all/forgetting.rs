//! What is forgotten is gone, here and on the server, and stays away; with `--purge`, its words are in no file.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::fake_agent::FakeAgent;
use crate::world::World;

/// Returns the names of our refs.
fn refs(world: &World, dir: &Path) -> Vec<String> {
    let refs = world.git(&["for-each-ref", "--format=%(refname)", "refs/trace"], dir);
    refs.lines().map(str::to_owned).collect()
}

fn commit(world: &World, branch: &str, words: &str) {
    world.ok_with(&["--branch", branch, "commit", "--role", "user", "-F", "-"], words.as_bytes());
}

/// Finds the files of a git directory that hold these words: loose objects inflated, packs as git reads them.
pub fn files_with(world: &World, git_dir: &Path, words: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for file in walkdir::WalkDir::new(git_dir).into_iter().filter_map(Result::ok) {
        if !file.file_type().is_file() {
            continue;
        }
        let bytes = fs::read(file.path()).expect("a file");
        let mut inflated = Vec::new();
        let _ = flate2::read::ZlibDecoder::new(bytes.as_slice()).read_to_end(&mut inflated);
        if has(&bytes, words) || has(&inflated, words) {
            found.push(file.path().to_owned());
        }
    }
    // From a folder below, git would find all objects of the repository.
    if !git_dir.join("HEAD").exists() {
        return found;
    }
    let mut command = world.command("git", git_dir);
    let output = command.args(["cat-file", "--batch-all-objects", "--batch"]).output().expect("git runs");
    if has(&output.stdout, words) {
        found.push(git_dir.join("objects"));
    }
    found
}

fn has(bytes: &[u8], words: &str) -> bool {
    memchr::memmem::find(bytes, words.as_bytes()).is_some()
}

#[test]
fn a_branch_goes_with_its_tags_and_logs_and_can_come_back() {
    for format in ["sha1", "sha256"] {
        let world = World::new(format);
        let repo = world.repo();
        commit(&world, "main/main", "stays");
        commit(&world, "x/main", "goes");
        commit(&world, "x/main", "goes too");
        world.ok(&["--branch", "x/main", "tag", "v1"]);
        world.ok(&["--branch", "x/main", "branch", "x/fork"]);
        let tip = world.tip("refs/trace/heads/x/main").expect("a branch");
        let before = refs(&world, &repo);
        let told = world.ok(&["forget", "-n", "x/main"]);
        assert!(told.starts_with("Would forget x/main was "), "{told}");
        assert_eq!(refs(&world, &repo), before);

        let told: Value = serde_json::from_str(&world.ok(&["forget", "--json", "x/main"])).expect("JSON");
        assert_eq!(told["forgotten"]["branches"][0]["tip"], tip);
        assert_eq!(told["forgotten"]["held_by"][0]["name"], "x/fork");
        assert_eq!(told["forgotten"]["held_by"][0]["whole"], true);
        let tombstone = told["forgotten"]["branches"][0]["tombstone"].as_str().expect("a ref").to_owned();
        // The fork holds the tag's commit too: it stays.
        let left = [&tombstone, "refs/trace/heads/main/main", "refs/trace/heads/x/fork", "refs/trace/tags/x/v1"];
        assert_eq!(refs(&world, &repo), left);
        assert!(!repo.join(".git/logs/refs/trace/heads/x/main").exists());
        let said = world.git(&["log", "-1", "--format=%s%n%(trailers:key=Trace-Branch)", &tombstone], &repo);
        assert_eq!(said.trim_end(), "forget x/main\nTrace-Branch: x/main");
        world.fsck();

        world.ok(&["forget", "x/fork"]);
        assert!(!refs(&world, &repo).iter().any(|name| name.contains("/tags/") || name.contains("/heads/x/")));
        // Once more is no error: what was left undone is done.
        world.ok(&["forget", "x/main"]);
        assert!(world.fails(1, &["forget", "x/other"]).contains("branch 'x/other' not found"));
        for command in [&["forget", "--lift", "x/main"][..], &["branch", "x/main", &tip]] {
            world.ok(command);
        }
        assert_eq!(world.tip("refs/trace/heads/x/main"), Some(tip));
        assert!(world.fails(1, &["forget", "--lift", "x/main"]).contains("'x/main' was not forgotten"));
        world.fsck();
    }
}

#[test]
fn a_branch_that_another_worktree_is_on_stays() {
    let world = World::new("sha1");
    fs::write(world.repo().join("file"), "x").expect("written");
    world.git(&["add", "."], &world.repo());
    world.git(&["commit", "-qm", "first"], &world.repo());
    world.git(&["worktree", "add", "-q", "../other"], &world.repo());
    commit(&world, "main/main", "one");
    let complaint = world.fails(1, &["-C", "../other", "forget", "main/main"]);
    assert!(complaint.contains("used by the worktree"), "{complaint}");
    // The other one says that it is on another branch; this one's own may go.
    commit(&world, "main/side", "two");
    world.ok(&["-C", "../other", "switch", "side"]);
    world.ok(&["forget", "main/main"]);
    assert_eq!(world.tip("refs/trace/heads/main/main"), None);
    commit(&world, "main/main", "a new beginning");
}

#[test]
fn a_session_goes_with_all_that_is_remembered_of_it_and_stays_away() {
    let world = World::new("sha1");
    fs::write(world.repo().join("README"), "hello\n").expect("written");
    world.git(&["add", "."], &world.repo());
    world.git(&["commit", "-qm", "first"], &world.repo());
    world.ok(&["init"]);
    world.configure("trace.capture", "true");
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &world.repo());
    agent.start("startup");
    agent.prompt("the heliotrope plan");
    let lines: String = (0..8).map(|nth| format!("echo heliotrope number {nth} of the garden\n")).collect();
    agent.write("greet.sh", &lines);
    agent.delegate(&["count heliotropes"]);
    agent.say("done");
    agent.stop();
    world.git(&["add", "greet.sh"], &world.repo());
    // After the agent wrote it.
    let mut command = world.command("git", &world.repo());
    command.env("GIT_COMMITTER_DATE", "2026-11-21T11:00:00Z").env("GIT_AUTHOR_DATE", "2026-11-21T11:00:00Z");
    assert!(command.args(["commit", "-qm", "greet"]).status().expect("git starts").success());
    agent.stop();
    world.ok(&["relink"]);
    let before = refs(&world, &world.repo());
    assert!(before.iter().any(|name| name.starts_with("refs/trace/snapshots/")), "{before:?}");
    assert!(before.iter().any(|name| name.starts_with("refs/trace/meta/")), "{before:?}");

    let told: Value = serde_json::from_str(&world.ok(&[
        "forget",
        "--json",
        "--purge",
        "claude:5e55a0aa-0001-4000-8000-000000000001",
    ]))
    .expect("JSON");
    let told = &told["forgotten"];
    assert_eq!(told["branches"].as_array().map(Vec::len), Some(2), "the session and its subagent: {told}");
    assert_eq!(told["sessions"][0], "claude:5e55a0aa-0001-4000-8000-000000000001");
    assert!(
        told["links"].as_u64() > Some(0) && told["files"].as_array().is_some_and(|files| files.len() > 2),
        "{told}"
    );
    let left = refs(&world, &world.repo());
    assert!(left.iter().all(|name| name.contains("/forgotten/") || name == "refs/trace/heads/main/main"), "{left:?}");
    world.fsck();

    // Neither its hooks nor an import bring it back.
    agent.prompt("go on");
    agent.stop();
    let imported = world.ok(&["import", "--json", agent.transcript.to_str().expect("plain")]);
    assert!(imported.contains("\"forgotten\":\"claude-5e55a0aa"), "{imported}");
    let complaint = world.trace(&["import", agent.transcript.to_str().expect("plain")]).output().expect("it runs");
    assert!(String::from_utf8_lossy(&complaint.stderr).contains("git trace forget --lift claude-5e55a0aa"));
    assert_eq!(refs(&world, &world.repo()), left);
    // The user's own commit still holds the word, and nothing of ours does.
    let ours = files_with(&world, &world.repo().join(".git/trace"), "heliotrope");
    assert_eq!(ours, Vec::<PathBuf>::new());
    let plans = files_with(&world, &world.repo().join(".git"), "heliotrope plan");
    assert_eq!(plans, Vec::<PathBuf>::new());
    let traces = files_with(&world, &world.repo().join(".git/trace"), "5e55a0aa");
    assert_eq!(traces, Vec::<PathBuf>::new());

    let lifted = world.ok(&["forget", "--lift", "claude-5e55a0aa"]);
    let told = world.ok(&["import", "--json", agent.transcript.to_str().expect("plain")]);
    assert!(
        world.tip("refs/trace/heads/claude-5e55a0aa/main").is_some(),
        "{lifted} {told} {:?}",
        refs(&world, &world.repo())
    );
    world.fsck();
}

#[test]
fn what_is_purged_is_in_no_file_and_all_else_stays() {
    for (format, packed) in [("sha1", false), ("sha1", true), ("sha256", true)] {
        let world = World::new(format);
        let repo = world.repo();
        for nth in 0..40 {
            commit(&world, "main/main", &format!("stays {nth}"));
            commit(&world, "x/main", &format!("the heliotrope {nth}"));
        }
        world.ok(&["switch", "x/main"]);
        // What only the log knows goes too.
        world.ok(&["reset", "--hard", "HEAD~3"]);
        world.ok(&["switch", "main/main"]);
        if packed {
            world.ok(&["pack"]);
        }
        world.git(&["commit-graph", "write", "--reachable"], &repo);
        let context = world.ok(&["context"]);
        let told: Value = serde_json::from_str(&world.ok(&["forget", "--json", "--purge", "x/main"])).expect("JSON");
        let purged = &told["forgotten"]["purged"];
        assert_eq!((&purged["left"], &purged["reached"]), (&0.into(), &1.into()), "the manifest is shared: {purged}");
        assert!(purged["dropped"].as_u64() >= Some(120), "{purged}");
        assert_eq!(files_with(&world, &repo.join(".git"), "heliotrope"), Vec::<PathBuf>::new());
        assert_eq!(world.ok(&["context"]), context);
        world.fsck();
        commit(&world, "main/main", "goes on");
    }
    // In packs of git's own it stays until git drops it.
    let world = World::new("sha1");
    commit(&world, "main/main", "stays");
    commit(&world, "x/main", "the heliotrope");
    world.git(&["repack", "-qad"], &world.repo());
    let told = world.trace(&["forget", "--purge", "x/main"]).output().expect("it runs");
    assert!(String::from_utf8_lossy(&told.stderr).contains("git gc --prune=now"), "{told:?}");
    world.git(&["gc", "--prune=now", "-q"], &world.repo());
    assert_eq!(files_with(&world, &world.repo().join(".git"), "heliotrope"), Vec::<PathBuf>::new());
    world.fsck();
}

#[test]
fn a_server_forgets_too() {
    let world = World::new("sha1");
    let server = world.root().join("server.git");
    world.git(&["init", "-q", "--bare", "server.git"], world.root());
    world.git(&["remote", "add", "origin", server.to_str().expect("plain")], &world.repo());
    commit(&world, "main/main", "stays");
    commit(&world, "x/main", "goes");
    world.ok(&["--branch", "x/main", "tag", "v1"]);
    let push = ["push", "-q", "origin", "refs/trace/heads/*:refs/trace/heads/*", "refs/trace/tags/*:refs/trace/tags/*"];
    world.git(&push, &world.repo());
    let before = refs(&world, &server);

    // Somebody else's commits on top are not thrown away unseen.
    world.git(&["clone", "-q", server.to_str().expect("plain"), "other"], world.root());
    let other = world.root().join("other");
    world.git(&["fetch", "-q", "origin", "refs/trace/*:refs/trace/*"], &other);
    let theirs = world.root().join("other").to_str().expect("plain").to_owned();
    world.ok_with(&["-C", &theirs, "--branch", "x/main", "commit", "--role", "user", "-F", "-"], b"more");
    world.git(&["push", "-q", "origin", "refs/trace/heads/x/main"], &other);
    let complaint = world.fails(1, &["forget", "--remote", "x/main"]);
    assert!(complaint.contains("'origin' has commits of 'x/main' that are not here"), "{complaint}");
    assert!(complaint.contains("git trace fetch origin"));
    assert!(world.tip("refs/trace/heads/x/main").is_some(), "nothing has changed");

    world.git(&["fetch", "-q", "origin", "refs/trace/heads/x/main:refs/trace/remotes/origin/x/main"], &world.repo());
    world.ok(&["forget", "--remote", "-n", "x/main"]);
    assert_eq!(refs(&world, &server), before);
    let told: Value =
        serde_json::from_str(&world.ok(&["forget", "--remote=origin", "--json", "x/main"])).expect("JSON");
    assert_eq!(told["forgotten"]["remote"]["deleted"].as_array().map(Vec::len), Some(2), "{told}");
    let there = refs(&world, &server);
    assert_eq!(there.len(), 2, "{there:?}");
    assert!(there[0].starts_with("refs/trace/forgotten/") && there[1] == "refs/trace/heads/main/main");
    let here = refs(&world, &world.repo());
    assert!(!here.iter().any(|name| name.contains("x/")), "{here:?}");

    world.ok(&["forget", "--lift", "--remote", "x/main"]);
    assert_eq!(refs(&world, &server), ["refs/trace/heads/main/main"]);
    // Forgotten here first, there later.
    commit(&world, "y/main", "goes");
    world.git(&["push", "-q", "origin", "refs/trace/heads/y/main"], &world.repo());
    world.ok(&["forget", "y/main"]);
    world.ok(&["forget", "y/main", "--remote"]);
    assert!(!refs(&world, &server).iter().any(|name| name.contains("y/main")));

    // A server that refuses to delete is told of, and the answer is a refusal.
    commit(&world, "z/main", "goes");
    world.git(&["push", "-q", "origin", "refs/trace/heads/z/main"], &world.repo());
    let hook = server.join("hooks/update");
    fs::create_dir_all(server.join("hooks")).expect("a folder");
    fs::write(&hook, "#!/bin/sh\ncase $3 in *[1-9a-f]*) exit 0;; esac\necho no deletions here >&2\nexit 1\n")
        .expect("a hook");
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a hook");
    let complaint = world.fails(1, &["forget", "z/main", "--remote"]);
    assert!(complaint.contains("origin refused 'refs/trace/heads/z/main'"), "{complaint}");
    assert_eq!(world.tip("refs/trace/heads/z/main"), None);
    assert!(complaint.contains("no deletions here"), "{complaint}");
    fs::remove_file(&hook).expect("a hook");
    world.ok(&["forget", "z/main", "--remote"]);
    world.fsck();
}
