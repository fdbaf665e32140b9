//! Live capture: a fake agent plays sessions, its hooks run as they would, and what is stored is what one import of the
//! finished transcript stores.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::fake_agent::FakeAgent;
use crate::world::{World, amount};

fn world() -> World {
    let world = World::new("sha1");
    std::fs::write(world.repo().join("README"), "hello\n").expect("written");
    world.git(&["add", "."], &world.repo());
    world.git(&["commit", "-qm", "first"], &world.repo());
    world.ok(&["init"]);
    // As 'enable' has it.
    world.configure("trace.capture", "true");
    world
}

/// Returns the branches of contexts with their trees and the words of their commits, those of `init` left out.
fn contexts(world: &World) -> BTreeSet<(String, String, String)> {
    let refs = world.git(&["for-each-ref", "--format=%(refname)", "refs/trace/heads"], &world.repo());
    let captured = refs.lines().filter(|name| !name.starts_with("refs/trace/heads/main/"));
    let describe = |name: &str| {
        let tree = world.git(&["rev-parse", &format!("{name}^{{tree}}")], &world.repo());
        let log = world
            .git(&["log", "--format=%s%n%(trailers:key=Trace-Entry)%(trailers:key=Trace-Usage)", name], &world.repo());
        (name.to_owned(), tree, log)
    };
    captured.map(describe).collect()
}

/// Imports finished transcripts, in this order, in a world of their own.
fn imported(transcripts: &[&Path]) -> BTreeSet<(String, String, String)> {
    let world = world();
    for transcript in transcripts {
        world.ok(&["import", "claude", transcript.to_str().expect("plain")]);
    }
    contexts(&world)
}

/// Compares what two worlds hold, branch by branch, and says where they part.
fn assert_same(one: &BTreeSet<(String, String, String)>, other: &BTreeSet<(String, String, String)>, which: &str) {
    let names =
        |all: &BTreeSet<(String, String, String)>| all.iter().map(|(name, ..)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(one), names(other), "{which}");
    for ((name, tree, log), (_, other_tree, other_log)) in one.iter().zip(other) {
        let differs = log.lines().rev().zip(other_log.lines().rev()).find(|(line, other)| line != other);
        assert!(tree == other_tree && log == other_log, "{which}: {name}: {differs:?}");
    }
}

/// Tells whether an object of the repository holds these words.
fn holds(world: &World, words: &str) -> bool {
    let mut command = world.command("git", &world.repo());
    let output = command.args(["cat-file", "--batch-all-objects", "--batch"]).output().expect("git runs");
    String::from_utf8_lossy(&output.stdout).contains(words)
}

/// Plays a session with everything in it.
fn play(agent: &mut FakeAgent<'_>) {
    agent.start("startup");
    agent.prompt("make it greet");
    agent.write("greet.sh", "echo hello\n");
    let name = agent.dir.join("greet.sh");
    agent.call(&[
        ("Edit", json!({ "file_path": name, "old_string": "hello", "new_string": "good day" })),
        ("Bash", json!({ "command": "sh greet.sh" })),
        ("Read", json!({ "file_path": name })),
    ]);
    agent.say("it greets");
    agent.stop();
    agent.prompt("look around");
    agent.delegate(&["count files", "find todos", "read docs"]);
    agent.say("they looked");
    agent.stop();
    agent.compact("so far: a greeting");
    agent.prompt("go on");
    agent.run("ls");
    agent.say("done");
    agent.stop();
    agent.end();
}

#[test]
fn a_session_is_a_branch_while_it_happens() {
    let world = world();
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &world.repo());
    agent.start("startup");
    agent.prompt("use port 8080");
    agent.say("fine");
    agent.stop();
    let log = world.ok(&["log", "--json", "--branch", "claude-5e55a0aa/main"]);
    let newest: Value = serde_json::from_str(log.lines().next().expect("commits")).expect("JSON");
    assert_eq!(newest["subject"], "append assistant: fine");
    let head = world.git(&["rev-parse", "HEAD"], &world.repo());
    assert_eq!(newest["code"], head.trim(), "the commit of the code is told");
    let listed: Value = serde_json::from_str(&world.ok(&["sessions", "--json"])).expect("JSON");
    assert_eq!(listed["sessions"][0]["state"], "idle");
    assert_eq!(listed["sessions"][0]["branch"], "claude-5e55a0aa/main");
    agent.end();
    let listed: Value = serde_json::from_str(&world.ok(&["sessions", "--json"])).expect("JSON");
    assert_eq!(listed["sessions"][0]["state"], "ended");
    world.fsck();
}

#[test]
fn what_was_captured_is_what_an_import_at_the_end_stores() {
    for is_late in [false, true] {
        let world = world();
        let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &world.repo());
        agent.is_late = is_late;
        play(&mut agent);
        let live = contexts(&world);
        assert_eq!(live.len(), 4, "the session and three subagents");
        assert_same(&live, &imported(&[&agent.transcript]), &format!("late: {is_late}"));
        world.fsck();
        assert_eq!(world.git(&["status", "--porcelain"], &world.repo()), "?? greet.sh\n");
    }
}

#[test]
fn subagents_are_branches_with_pointers_from_and_to_their_parent() {
    let world = world();
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &world.repo());
    agent.start("startup");
    agent.prompt("look");
    let ids = agent.delegate(&["count files", "find todos"]);
    agent.stop();
    let log = world.ok(&["log", "--json", "--branch", "claude-5e55a0aa/main"]);
    let ops: Vec<String> = log
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("JSON")["operation"].as_str().expect("a word").to_owned()
        })
        .collect();
    assert_eq!(ops.iter().filter(|op| *op == "spawn").count(), 2);
    assert_eq!(ops.iter().filter(|op| *op == "collapse").count(), 2);
    for id in &ids {
        let child = format!("claude-5e55a0aa-{id}/main");
        let context = world.ok(&["context", "--branch", &child]);
        assert!(context.contains("please: ") && context.contains("done: "), "{context}");
        let trailers = world.git(
            &["log", "--format=%(trailers:key=Trace-Parent,valueonly)", &format!("refs/trace/heads/{child}")],
            &world.repo(),
        );
        assert_eq!(trailers.trim(), "claude-5e55a0aa/main", "its first commit tells whose it is");
    }
    let blamed: Value =
        serde_json::from_str(&world.ok(&["blame", "done: find todos", "--branch", "claude-5e55a0aa/main", "--json"]))
            .expect("JSON");
    assert_eq!(blamed["entries"][0]["subagent"], format!("claude-5e55a0aa-{}/main", ids[1]));
    assert_eq!(blamed["entries"][0]["made_of"][0]["role"], "assistant");
    world.fsck();
}

#[test]
fn a_rewind_of_the_agent_is_a_branch() {
    let world = world();
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &world.repo());
    agent.start("startup");
    agent.prompt("first");
    let answer = agent.say("one");
    agent.prompt("second");
    agent.say("two");
    agent.stop();
    agent.rewind(&answer);
    agent.prompt("second, better");
    agent.say("better");
    agent.stop();
    agent.end();
    let live = contexts(&world);
    assert_eq!(live.len(), 2);
    assert_same(&live, &imported(&[&agent.transcript]), "");
    let listed: Value = serde_json::from_str(&world.ok(&["sessions", "--json"])).expect("JSON");
    let branch = listed["sessions"][0]["branch"].as_str().expect("a branch").to_owned();
    let context = world.ok(&["context", "--branch", &branch]);
    assert!(context.contains("better") && !context.contains("two"), "the session is on its newest branch: {context}");
}

#[test]
fn a_resumed_session_goes_on_and_a_forked_one_branches_off_without_counting_twice() {
    let world = world();
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &world.repo());
    agent.start("startup");
    agent.prompt("first");
    agent.say("one");
    agent.end();
    agent.start("resume");
    agent.prompt("again");
    agent.say("two");
    agent.stop();
    assert_eq!(contexts(&world).len(), 1, "resumed: the same branch");
    let mut fork = agent.fork("f0f0f0f0-0002-4000-8000-000000000002");
    fork.start("fork");
    fork.prompt("otherwise");
    fork.say("three");
    fork.stop();
    agent.prompt("and on");
    agent.say("four");
    agent.stop();
    let names: Vec<String> = contexts(&world).into_iter().map(|(name, ..)| name).collect();
    let own = "refs/trace/heads/claude-5e55a0aa";
    assert_eq!(names, [format!("{own}/fork-f0f0f0f0"), format!("{own}/main")]);
    let context = world.ok(&["context", "--branch", "claude-5e55a0aa/fork-f0f0f0f0"]);
    assert!(context.contains("two") && context.contains("three") && !context.contains("four"), "{context}");
    // Four messages of the model were paid for, and each is told of once in the commits of all branches.
    let usages = world.git(
        &["log", "--format=%(trailers:key=Trace-Usage,valueonly)", "--glob=refs/trace/heads/claude-5e55a0aa"],
        &world.repo(),
    );
    assert_eq!(usages.lines().filter(|line| !line.is_empty()).count(), 4);
    assert_same(&contexts(&world), &imported(&[&agent.transcript, &fork.transcript]), "");
    world.fsck();
}

#[test]
fn two_agents_at_once_in_one_worktree_and_others_in_linked_ones() {
    let world = world();
    world.git(&["worktree", "add", "-q", "../linked", "-b", "other"], &world.repo());
    let sessions = ["aaaa0000-1", "bbbb0000-2", "cccc0000-3", "dddd0000-4"];
    std::thread::scope(|scope| {
        for (nth, session) in sessions.iter().enumerate() {
            let dir = if nth % 2 == 0 { world.repo() } else { world.root().join("linked") };
            let world = &world;
            scope.spawn(move || play(&mut FakeAgent::new(world, session, &dir)));
        }
    });
    let transcripts = sessions.map(|session| world.root().join(format!("projects/{session}.jsonl")));
    let transcripts: Vec<&Path> = transcripts.iter().map(std::path::PathBuf::as_path).collect();
    assert_same(&contexts(&world), &imported(&transcripts), "");
    world.fsck();
}

#[test]
fn one_session_reported_by_two_processes_lands_once() {
    let world = world();
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &world.repo());
    agent.is_hooked = false;
    play(&mut agent);
    agent.flush();
    let told = json!({ "session_id": agent.session, "transcript_path": agent.transcript, "cwd": agent.dir,
                       "hook_event_name": "Stop" })
    .to_string();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let output = crate::world::feed(world.trace(&["hook", "claude"]), told.as_bytes());
                assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
            });
        }
    });
    assert_same(&contexts(&world), &imported(&[&agent.transcript]), "");
}

#[test]
fn a_hook_that_is_killed_at_any_point_loses_nothing() {
    for round in 0..amount(4, 60) {
        let world = world();
        let mut random = fastrand::Rng::with_seed(round as u64);
        let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &world.repo());
        agent.kill_after = Some(Box::new(move || random.u64(0..30_000)));
        play(&mut agent);
        agent.kill_after = None;
        agent.event("Stop", &json!({}));
        assert_same(&contexts(&world), &imported(&[&agent.transcript]), &format!("round {round}"));
        world.fsck();
    }
}

#[test]
fn events_that_cannot_be_placed_are_dropped_without_a_word() {
    let world = world();
    let silent = |arguments: &[&str], told: &str, dir: &Path| {
        let mut command = world.command(env!("CARGO_BIN_EXE_git-trace"), dir);
        command.args(arguments);
        let output = crate::world::feed(command, told.as_bytes());
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{told}: {output:?}");
    };
    let before = contexts(&world);
    let missing =
        format!(r#"{{"session_id":"s","transcript_path":"{}/none","hook_event_name":"Stop"}}"#, world.root().display());
    for told in ["", "{", "[]", "{}", r#"{"session_id":7}"#, r#"{"hook_event_name":"Stop"}"#, &missing, "\u{0}"] {
        silent(&["hook", "claude"], told, &world.repo());
        silent(&["hook", "claude", "Stop"], told, &world.repo());
        silent(&["hook", "claude"], told, world.root());
    }
    silent(&["hook", "nobody"], "{}", &world.repo());
    assert_eq!(contexts(&world), before);
    let log = std::fs::read_to_string(world.repo().join(".git/trace/hook.log")).expect("what went wrong is noted");
    assert!(log.contains("unknown agent 'nobody'"), "{log}");
    // In a repository where nobody asked for it, nothing is captured.
    let fresh = World::new("sha1");
    let mut agent = FakeAgent::new(&fresh, "5e55a0aa-1", &fresh.repo());
    agent.start("startup");
    agent.prompt("secret");
    agent.stop();
    assert!(contexts(&fresh).is_empty() && !fresh.repo().join(".git/trace").exists());
}

#[test]
fn what_is_said_while_capture_is_paused_is_nowhere() {
    let world = world();
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &world.repo());
    agent.start("startup");
    agent.prompt("before the pause");
    agent.say("seen");
    agent.stop();
    world.ok(&["pause"]);
    agent.prompt("hidden words");
    agent.call(&[("Bash", json!({ "command": "echo hidden-command" }))]);
    agent.say("hidden answer");
    agent.stop();
    world.ok(&["unpause"]);
    agent.prompt("after the pause");
    agent.stop();
    let branch = ["--branch", "claude-5e55a0aa/main"];
    let context = world.ok(&[&["context"], &branch[..]].concat());
    let has = |words: &str| context.contains(words);
    assert!(has("before the pause") && has("after the pause") && has("seen"), "{context}");
    assert!(!holds(&world, "hidden"), "no object holds what was said");
    world.ok(&[&["context", "--as", "anthropic"], &branch[..]].concat());
}

#[test]
fn what_is_excluded_is_nowhere() {
    let world = world();
    world.configure("trace.capture.exclude", ".env");
    world.configure("trace.snapshots", "false");
    world.git(&["config", "--add", "trace.capture.exclude", "tool:mcp__*"], &world.repo());
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &world.repo());
    agent.start("startup");
    agent.prompt("set it up");
    agent.write(".env", "TOKEN_NAME=hidden\n");
    agent.run("cat .env # hidden");
    agent.call(&[("mcp__mail", json!({ "to": "hidden" })), ("Bash", json!({ "command": "echo shown" }))]);
    agent.stop();
    assert!(!holds(&world, "hidden") && holds(&world, "shown"));
    world.ok(&["context", "--as", "anthropic", "--branch", "claude-5e55a0aa/main"]);
}

#[test]
fn a_rewind_puts_the_context_and_the_work_tree_back_and_forth() {
    let world = world();
    let repo = world.repo();
    std::fs::write(repo.join(".gitignore"), "*.log\n").expect("written");
    std::fs::write(repo.join("build.log"), "mine").expect("written");
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &repo);
    agent.start("startup");
    agent.prompt("make a and b");
    agent.write("a.txt", "a1\n");
    agent.write("b.txt", "b1\n");
    agent.say("both are there");
    agent.stop();
    let read = |name: &str| std::fs::read_to_string(repo.join(name)).ok();
    let index_before = std::fs::read(repo.join(".git/index")).expect("an index");
    agent.prompt("change them");
    agent.write("a.txt", "a2\n");
    std::fs::remove_file(repo.join("b.txt")).expect("removed");
    agent.run("echo new > c.txt");
    agent.stop();
    // A person goes on by hand.
    std::fs::write(repo.join("a.txt"), "a3, by hand\n").expect("written");
    let branch = "claude-5e55a0aa/main";
    let log = world.ok(&["log", "--json", "--branch", branch]);
    let commits: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let find = |words: &str| {
        let found = commits.iter().find(|commit| commit["subject"].as_str().expect("a text").contains(words));
        found.unwrap_or_else(|| panic!("{words}"))["commit"].as_str().expect("an id").to_owned()
    };
    let tip = world.tip(&format!("refs/trace/heads/{branch}")).expect("there");
    let rehearsed = world.ok(&["rewind", &find("both are there"), "--code", "-n", "--branch", branch, "--json"]);
    assert_eq!(world.tip(&format!("refs/trace/heads/{branch}")), Some(tip.clone()));
    assert_eq!(read("a.txt").as_deref(), Some("a3, by hand\n"));
    let answer: Value = serde_json::from_str(&rehearsed).expect("JSON");
    assert_eq!(answer["outcome"]["code"]["files"], json!([["M", "a.txt"], ["A", "b.txt"], ["D", "c.txt"]]));

    let answer = world.ok(&["rewind", &find("both are there"), "--code", "--branch", branch, "--json"]);
    assert_eq!((read("a.txt").as_deref(), read("b.txt").as_deref(), read("c.txt")), (Some("a1\n"), Some("b1\n"), None));
    assert_eq!(read("build.log").as_deref(), Some("mine"), "ignored files stay");
    assert_eq!(
        std::fs::read(repo.join(".git/index")).expect("an index"),
        index_before,
        "the user's index is untouched"
    );
    // The way back that was printed leads back, to what was done by hand too.
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let undo = answer["outcome"]["undo"].as_str().expect("a command").to_owned();
    let words: Vec<&str> = undo.strip_prefix("git trace ").expect("ours").split(' ').collect();
    world.ok(&words);
    assert_eq!(
        (read("a.txt").as_deref(), read("b.txt"), read("c.txt").as_deref()),
        (Some("a3, by hand\n"), None, Some("new\n"))
    );
    assert_eq!(world.tip(&format!("refs/trace/heads/{branch}")), Some(tip));
    world.fsck();
}

#[test]
fn a_rewind_never_takes_what_no_snapshot_has() {
    let world = world();
    let repo = world.repo();
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &repo);
    agent.start("startup");
    agent.prompt("make them");
    agent.write("loc", "old\n");
    agent.write("out", "a file\n");
    agent.say("there");
    agent.stop();
    agent.prompt("go on");
    std::fs::write(repo.join(".gitignore"), "loc\nout\n").expect("written");
    std::fs::write(repo.join("loc"), "mine, and nowhere else\n").expect("written");
    std::fs::remove_file(repo.join("out")).expect("removed");
    std::fs::create_dir(repo.join("out")).expect("a folder");
    std::fs::write(repo.join("out/db"), "mine too\n").expect("written");
    agent.run("true");
    agent.stop();
    let branch = ["--branch", "claude-5e55a0aa/main"];
    let log = world.ok(&[&["log", "--json"], &branch[..]].concat());
    let there = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let there = there.into_iter().find(|one| one["subject"] == "append assistant: there").expect("it was said");
    let point = there["commit"].as_str().expect("an id").to_owned();
    let before = world.tip("refs/trace/heads/claude-5e55a0aa/main");
    for _ in 0..2 {
        let complaint = world.fails(1, &[&["rewind", &point, "--code"], &branch[..]].concat());
        assert!(complaint.contains("is in the way"), "{complaint}");
    }
    assert_eq!(std::fs::read_to_string(repo.join("loc")).expect("a file"), "mine, and nowhere else\n");
    assert_eq!(std::fs::read_to_string(repo.join("out/db")).expect("a file"), "mine too\n");
    assert_eq!(world.tip("refs/trace/heads/claude-5e55a0aa/main"), before, "nothing has moved");
    // Neither does it take a context for a snapshot, or another branch's commit for one of this branch.
    let complaint = world.fails(1, &[&["rewind", &point, "--snapshot", &point], &branch[..]].concat());
    assert!(complaint.contains("no snapshot"), "{complaint}");
    let complaint = world.fails(1, &["rewind", &point]);
    assert!(complaint.contains("is not in the history of"), "{complaint}");
    // A dry run writes no object.
    let objects = || world.git(&["count-objects"], &repo);
    let count = objects();
    let _ = world.trace(&[&["rewind", &point, "--code", "-n"], &branch[..]].concat()).output();
    assert_eq!(objects(), count);
}

#[test]
fn snapshots_leave_out_what_is_withheld_and_secrets_and_other_worktrees() {
    let world = world();
    let repo = world.repo();
    world.git(&["worktree", "add", "-q", "../linked", "-b", "other"], &repo);
    world.configure("trace.capture.exclude", ".env");
    std::fs::write(repo.join(".env"), "NAME=hidden-by-name\n").expect("written");
    let token = format!("ghp_{}", "Ab3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0xR3uL6");
    std::fs::write(repo.join("notes.txt"), format!("token {token}\n")).expect("written");
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &repo);
    agent.start("startup");
    agent.prompt("go");
    agent.write("seen.txt", "seen\n");
    agent.stop();
    assert!(!holds(&world, "hidden-by-name") && !holds(&world, &token) && holds(&world, "seen"));
    world.ok(&["pause"]);
    std::fs::write(repo.join("paused.txt"), "written-while-paused\n").expect("written");
    agent.run("true");
    agent.stop();
    assert!(!holds(&world, "written-while-paused"));
    world.ok(&["unpause"]);
    // The same session in another worktree: its files are not this one's.
    agent.dir = world.root().join("linked");
    agent.write("only-there.txt", "there\n");
    agent.stop();
    let answer = world.ok(&["rewind", "HEAD", "--code", "-n", "--branch", "claude-5e55a0aa/main", "--json"]);
    assert!(!answer.contains("only-there"), "{answer}");
    assert!(
        std::fs::read_dir(repo.join(".git"))
            .expect("a folder")
            .all(|file| { !file.expect("a file").file_name().to_string_lossy().starts_with("sharedindex") })
    );
}

#[test]
fn a_fork_takes_nothing_from_the_session_that_goes_on() {
    let world = world();
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &world.repo());
    agent.start("startup");
    agent.prompt("first");
    agent.say("one");
    agent.stop();
    // What is said now is seen first in the fork's copy of it.
    agent.is_hooked = false;
    agent.prompt("second");
    agent.say("two");
    let mut fork = agent.fork("f0f0f0f0-0002-4000-8000-000000000002");
    fork.prompt("elsewhere");
    fork.stop();
    agent.is_hooked = true;
    agent.prompt("third");
    agent.stop();
    let context = world.ok(&["context", "--branch", "claude-5e55a0aa/main"]);
    for words in ["first", "one", "second", "two", "third"] {
        assert!(context.contains(words), "'{words}' is there: {context}");
    }
    let ids = fork.delegate(&["look"]);
    fork.stop();
    let trailer = world.git(
        &[
            "log",
            "--format=%(trailers:key=Trace-Parent,valueonly)",
            &format!("refs/trace/heads/claude-5e55a0aa-{}/main", ids[0]),
        ],
        &world.repo(),
    );
    assert_eq!(
        trailer.trim(),
        "claude-5e55a0aa/main",
        "a fork's subagent is named after the agent that it is at home with"
    );
    let listed: Value = serde_json::from_str(&world.ok(&["sessions", "--json"])).expect("JSON");
    let mut rows: Vec<(&str, u64)> = listed["sessions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (row["branch"].as_str().expect("a name"), row["subagents"].as_u64().expect("a number")))
        .collect();
    rows.sort_unstable();
    assert_eq!(rows, [("claude-5e55a0aa/fork-f0f0f0f0", 1), ("claude-5e55a0aa/main", 0)]);
}

#[test]
fn a_transcript_that_shrank_and_goes_on_is_a_branch() {
    let world = world();
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &world.repo());
    agent.start("startup");
    agent.prompt("first");
    let answer = agent.say("one");
    agent.stop();
    let text = std::fs::read_to_string(&agent.transcript).expect("a transcript");
    agent.prompt("second");
    agent.say("two");
    agent.stop();
    std::fs::write(&agent.transcript, text).expect("written");
    agent.rewind(&answer);
    agent.prompt("another second");
    agent.stop();
    let main = world.ok(&["context", "--branch", "claude-5e55a0aa/main"]);
    assert!(main.contains("two") && !main.contains("another"), "{main}");
    let listed: Value = serde_json::from_str(&world.ok(&["sessions", "--json"])).expect("JSON");
    let branch = listed["sessions"][0]["branch"].as_str().expect("a branch").to_owned();
    let rest = world.ok(&["context", "--branch", &branch]);
    assert!(rest.contains("one") && rest.contains("another second") && !rest.contains("two"), "{branch}: {rest}");
}

#[test]
fn a_hook_that_finds_the_session_in_use_leaves_a_note() {
    let world = world();
    let mut agent = FakeAgent::new(&world, "5e55a0aa-0001-4000-8000-000000000001", &world.repo());
    agent.start("startup");
    agent.prompt("first");
    agent.stop();
    let lock = world.repo().join(format!(".git/trace/sessions/claude-{}.lock", agent.session));
    let lock = std::fs::File::open(lock).expect("a lock");
    lock.lock().expect("ours");
    agent.say("last words");
    agent.end();
    drop(lock);
    // Whoever comes next hears it; the state is that of the event that was missed.
    agent.event("Notification", &json!({ "message": "x" }));
    let listed: Value = serde_json::from_str(&world.ok(&["sessions", "--json"])).expect("JSON");
    assert_eq!(listed["sessions"][0]["state"], "ended");
    assert!(world.ok(&["context", "--branch", "claude-5e55a0aa/main"]).contains("last words"));
}

#[test]
fn a_hook_is_silent_however_it_is_called_and_waits_for_no_pipe() {
    let world = world();
    for arguments in [&["hook"][..], &["hook", "-x"], &["hook", "claude", "--bad"]] {
        let output = world.trace(arguments).output().expect("it starts");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
    let pipe = world.root().join("pipe.jsonl");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("it starts");
    assert!(made.success());
    for transcript in [pipe.as_path(), Path::new("/dev/zero")] {
        let told =
            json!({ "session_id": "s", "transcript_path": transcript, "cwd": world.repo(), "hook_event_name": "Stop" });
        let limit = std::time::Duration::from_secs(20);
        let output = crate::world::feed_within(limit, world.trace(&["hook", "claude"]), told.to_string().as_bytes());
        assert_eq!(output.status.code(), Some(0));
    }
}
