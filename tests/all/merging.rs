//! Merging, as people and programs see it. git is asked about the history that comes of it.

use serde_json::Value;

use crate::world::World;

/// A repository with a context of three messages on `main`.
fn begun() -> World {
    begun_with("sha1")
}

fn begun_with(format: &str) -> World {
    let world = World::new(format);
    world.ok(&["init"]);
    for (role, text) in [("user", "hello"), ("assistant", "what shall I do"), ("user", "write a server")] {
        append(&world, role, text);
    }
    world
}

fn append(world: &World, role: &str, text: &str) {
    world.ok_with(&["commit", "--role", role], text.as_bytes());
}

fn edit(world: &World, entry: &str, text: &str) {
    world.ok_with(&["edit", entry], text.as_bytes());
}

fn go(world: &World, branch: &str) {
    world.ok(&["checkout", branch]);
}

fn fork(world: &World, branch: &str) {
    world.ok(&["checkout", "-b", branch]);
}

/// The words of the context, in order.
fn words(world: &World) -> Vec<String> {
    let lines = world.ok(&["context", "--as", "jsonl", "--all"]);
    let text = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        line["content"].as_str().map_or_else(|| line["content"].to_string(), str::to_owned)
    };
    lines.lines().map(text).collect()
}

fn json(world: &World, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    serde_json::from_str(&world.ok(&arguments)).expect("JSON")
}

/// Runs a command that stops with 3, and returns its answer.
fn stops(world: &World, arguments: &[&str]) -> Value {
    let output = world.trace(&[arguments, &["--json"]].concat()).output().expect("it starts");
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn ids(world: &World) -> Vec<String> {
    let lines = world.ok(&["context", "--as", "jsonl", "--all"]);
    lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn a_merge_has_every_entry_once_and_two_parents() {
    for format in ["sha1", "sha256"] {
        let world = begun_with(format);
        fork(&world, "f");
        append(&world, "user", "theirs 1");
        append(&world, "assistant", "theirs 2");
        go(&world, "main");
        append(&world, "user", "ours 1");
        append(&world, "assistant", "ours 2");
        let answer = json(&world, &["merge", "f"]);
        assert_eq!(answer["outcome"]["end"], "done");
        assert_eq!(words(&world)[3..], ["ours 1", "ours 2", "theirs 1", "theirs 2"]);
        let parents = world.git(&["log", "-1", "--format=%P", "refs/trace/heads/main/main"], &world.repo());
        let expected = format!(
            "{} {}",
            world.tip("refs/trace/heads/main/main^1").expect("ours"),
            world.tip("refs/trace/heads/main/f").expect("theirs")
        );
        assert_eq!(parents.trim(), expected);
        world.ok(&["context", "--as", "anthropic"]);
        world.fsck();
        // Again: nothing to do. The other way round: only a move.
        assert_eq!(json(&world, &["merge", "f"])["outcome"]["end"], "up-to-date");
        go(&world, "f");
        assert_eq!(json(&world, &["merge", "main"])["outcome"]["end"], "fast-forward");
        assert_eq!(world.tip("refs/trace/heads/main/f"), world.tip("refs/trace/heads/main/main"));
        let undo = json(&world, &["status"]);
        assert_eq!(undo["count"], 7);
    }
}

#[test]
fn forward_only_never_and_squashed() {
    let world = begun();
    fork(&world, "f");
    append(&world, "user", "theirs");
    go(&world, "main");
    assert_eq!(json(&world, &["merge", "f", "-n"])["outcome"]["end"], "fast-forward");
    let before = world.tip("refs/trace/heads/main/main");
    assert_eq!(json(&world, &["merge", "f", "--no-ff", "-n"])["outcome"]["to"], Value::Null);
    assert_eq!(world.tip("refs/trace/heads/main/main"), before, "a dry run moves nothing");
    json(&world, &["merge", "f", "--no-ff"]);
    assert_eq!(world.subjects("main/main").last().expect("one"), "merge f into main");
    assert!(world.tip("refs/trace/heads/main/main^2").is_some());
    world.ok(&["reset", "--hard", &before.expect("was there")]);
    append(&world, "user", "ours");
    assert!(world.fails(1, &["merge", "f", "--ff-only"]).contains("cannot fast-forward"));
    json(&world, &["merge", "f", "--squash", "-m", "take it"]);
    assert!(world.tip("refs/trace/heads/main/main^2").is_none(), "one parent");
    assert_eq!(words(&world)[3..], ["ours", "theirs"]);
    assert_eq!(world.subjects("main/main").last().expect("one"), "take it");
    world.fsck();
}

#[test]
fn a_stopped_merge_moves_nothing_and_is_settled_one_by_one() {
    let world = begun();
    let entries = ids(&world);
    fork(&world, "f");
    edit(&world, &entries[0], "theirs of the first");
    edit(&world, &entries[1], "theirs of the second");
    world.ok(&["drop", &entries[2]]);
    go(&world, "main");
    edit(&world, &entries[0], "ours of the first");
    edit(&world, &entries[1], "ours of the second");
    edit(&world, &entries[2], "ours of the third");
    let before = world.tip("refs/trace/heads/main/main");
    let answer = stops(&world, &["merge", "f"]);
    let kinds: Vec<&str> = answer["outcome"]["conflicts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|conflict| conflict["kind"].as_str().expect("a kind"))
        .collect();
    assert_eq!(kinds, ["both-edited", "both-edited", "edited-dropped"]);
    assert_eq!(world.tip("refs/trace/heads/main/main"), before);
    assert_eq!(json(&world, &["status"])["stopped"], serde_json::json!({ "verb": "merge", "open": 3 }));
    assert!(world.tip("refs/worktree/trace/MERGE_HEAD").is_some(), "what is needed is kept");
    assert!(world.fails(1, &["merge", "f"]).contains("a merge is not finished"));
    let shown = json(&world, &["merge", "--show"]);
    assert_eq!(shown["outcome"]["conflicts"][0]["base"]["text"], "hello");
    assert_eq!(shown["outcome"]["conflicts"][0]["theirs"]["text"], "theirs of the first");
    assert!(world.fails(1, &["merge", "--ours", "zzzz"]).contains("not in conflict"));
    assert!(world.trace(&["merge", "--continue"]).output().expect("starts").status.code() == Some(3), "not settled");
    json(&world, &["merge", "--theirs", &entries[0]]);
    world.ok_with(&["merge", "--text", &entries[1][..6]], b"settled by hand, key AKIAIOSFODNN7EXAMPLF");
    let left = json(&world, &["merge", "--ours"]);
    assert_eq!(left["outcome"]["conflicts"], serde_json::json!([]));
    // The agent goes on meanwhile: the merge takes it in.
    append(&world, "user", "meanwhile");
    assert_eq!(json(&world, &["merge", "--continue"])["outcome"]["end"], "done");
    let now = words(&world);
    assert_eq!(
        [now[0].as_str(), now[2].as_str(), now[3].as_str()],
        ["theirs of the first", "ours of the third", "meanwhile"]
    );
    assert!(now[1].starts_with("settled by hand, key ") && !now[1].contains("AKIA"), "redacted: {}", now[1]);
    assert_eq!(json(&world, &["status"])["stopped"], Value::Null);
    assert!(world.tip("refs/worktree/trace/MERGE_HEAD").is_none());
    assert_eq!(ids(&world)[..3], entries[..3], "ids stay");
    world.fsck();
}

#[test]
fn a_merge_can_be_given_up() {
    let world = begun();
    let entries = ids(&world);
    fork(&world, "f");
    edit(&world, &entries[0], "theirs");
    go(&world, "main");
    edit(&world, &entries[0], "ours");
    let before = world.tip("refs/trace/heads/main/main");
    stops(&world, &["merge", "f"]);
    world.ok(&["merge", "--abort"]);
    assert_eq!(world.tip("refs/trace/heads/main/main"), before);
    assert!(world.fails(1, &["merge", "--continue"]).contains("no merge is waiting"));
    assert!(!world.repo().join(".git/trace/sequence.json").exists());
}

#[test]
fn what_both_did_alike_is_no_conflict() {
    let world = begun();
    let entries = ids(&world);
    fork(&world, "f");
    edit(&world, &entries[0], "same");
    world.ok(&["pin", &entries[1]]);
    append(&world, "user", "theirs");
    go(&world, "main");
    edit(&world, &entries[0], "same");
    world.ok(&["pin", &entries[1]]);
    edit(&world, &entries[2], "only ours");
    assert_eq!(json(&world, &["merge", "f"])["outcome"]["end"], "done");
    assert_eq!(words(&world), ["same", "what shall I do", "only ours", "theirs"]);
    assert!(world.ok(&["context", "--as", "jsonl"]).contains("\"pin\":true"));
}

#[test]
fn strategies_settle_all_at_once() {
    for (options, expected) in [
        (["-X", "ours"], vec!["ours", "added by ours", "added by theirs"]),
        (["-X", "theirs"], vec!["theirs", "added by ours", "added by theirs"]),
        (["-s", "union"], vec!["ours", "theirs", "added by ours", "added by theirs"]),
        (["-s", "ours"], vec!["ours", "added by ours"]),
        (["-s", "theirs"], vec!["theirs", "added by theirs"]),
    ] {
        let world = World::new("sha1");
        world.ok(&["init"]);
        append(&world, "user", "base");
        fork(&world, "f");
        edit(&world, "@1", "theirs");
        append(&world, "user", "added by theirs");
        go(&world, "main");
        edit(&world, "@1", "ours");
        append(&world, "user", "added by ours");
        let merged = json(&world, &["merge", "f", options[0], options[1]]);
        assert_eq!(merged["outcome"]["end"], "done", "{options:?}");
        assert_eq!(words(&world), expected, "{options:?}");
        assert!(world.tip("refs/trace/heads/main/main^2").is_some(), "committed, with two parents");
        world.fsck();
    }
}

#[test]
fn contradictions_warn_and_with_strict_they_stop() {
    let world = begun();
    fork(&world, "f");
    world.ok_with(&["commit", "--decision", "api = GraphQL"], b"the interface will be GraphQL");
    append(&world, "assistant", "I set port = 9090 in the file");
    go(&world, "main");
    world.ok_with(&["commit", "--decision", "api = REST"], b"we settle on REST for it");
    append(&world, "assistant", "I set port = 8080 in the file");
    let before = world.tip("refs/trace/heads/main/main").expect("a tip");
    let answer = stops(&world, &["merge", "f", "--strict"]);
    let found = answer["outcome"]["contradictions"].as_array().expect("a list").clone();
    let told: Vec<(&str, &str)> = found
        .iter()
        .map(|one| (one["kind"].as_str().expect("kind"), one["key"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(told, [("decision", "api"), ("setting", "port")]);
    // One side is right about the first; both stay for the second.
    json(&world, &["merge", "--theirs", found[0]["theirs"].as_str().expect("an id")]);
    json(&world, &["merge", "--both", found[1]["theirs"].as_str().expect("an id")]);
    assert_eq!(json(&world, &["merge", "--continue"])["outcome"]["end"], "done");
    let now = words(&world);
    assert!(!now.iter().any(|text| text.contains("REST")) && now.iter().any(|text| text.contains("GraphQL")));
    assert_eq!(now.iter().filter(|text| text.contains("port")).count(), 2);
    world.ok(&["reset", "--hard", &before]);
    let warned = json(&world, &["merge", "f"]);
    assert_eq!(
        (warned["outcome"]["end"].as_str(), warned["outcome"]["contradictions"].as_array().map(Vec::len)),
        (Some("done"), Some(2))
    );
}

#[test]
fn the_true_base_is_found_over_the_whole_graph() {
    // f2 into f1, f1 into main: what f2 said is there. Then criss-cross.
    let world = begun();
    fork(&world, "f1");
    append(&world, "user", "one");
    fork(&world, "f2");
    append(&world, "user", "two");
    go(&world, "f1");
    append(&world, "user", "one more");
    json(&world, &["merge", "f2"]);
    go(&world, "main");
    append(&world, "user", "ours");
    json(&world, &["merge", "f1"]);
    assert_eq!(words(&world)[3..], ["ours", "one", "one more", "two"]);
    let entries = ids(&world);

    fork(&world, "x");
    edit(&world, &entries[0], "x");
    go(&world, "main");
    edit(&world, &entries[1], "m");
    let (x, main) =
        (world.tip("refs/trace/heads/main/x").expect("x"), world.tip("refs/trace/heads/main/main").expect("main"));
    json(&world, &["merge", "x"]);
    go(&world, "x");
    json(&world, &["merge", &main]);
    append(&world, "user", "after x");
    go(&world, "main");
    append(&world, "user", "after main");
    edit(&world, &entries[0], "x, and then main");
    let bases =
        world.git(&["merge-base", "--all", "refs/trace/heads/main/main", "refs/trace/heads/main/x"], &world.repo());
    let mut bases: Vec<&str> = bases.split_whitespace().collect();
    bases.sort_unstable();
    let mut expected = [x.as_str(), main.as_str()];
    expected.sort_unstable();
    assert_eq!(bases, expected, "two bases");
    assert_eq!(json(&world, &["merge", "x"])["outcome"]["end"], "done");
    let now = words(&world);
    assert_eq!([now[0].as_str(), now[1].as_str()], ["x, and then main", "m"]);
    assert_eq!(now[now.len() - 2..], ["after main", "after x"]);
    world.fsck();
}

#[test]
fn contexts_that_began_apart_are_merged_only_when_asked() {
    let world = begun();
    let mut other = world.trace(&["init", "--branch", "other"]);
    assert!(other.env("GIT_COMMITTER_DATE", "1780000777 +0000").status().expect("starts").success());
    world.ok_with(&["commit", "--branch", "other"], b"from elsewhere");
    assert!(world.fails(1, &["merge", "other"]).contains("no common beginning"));
    json(&world, &["merge", "other", "--allow-unrelated-histories"]);
    assert_eq!(words(&world).last().map(String::as_str), Some("from elsewhere"));
    world.fsck();
}

#[test]
fn both_directions_have_the_same_entries() {
    let world = begun();
    fork(&world, "f");
    append(&world, "user", "t1");
    edit(&world, "#0", "edited by theirs");
    go(&world, "main");
    append(&world, "user", "o1");
    world.ok(&["drop", "#1"]);
    fork(&world, "there");
    world.ok(&["merge", "f"]);
    let mut one = words(&world);
    go(&world, "f");
    world.ok(&["merge", "main"]);
    let mut other = words(&world);
    one.sort();
    other.sort();
    assert_eq!(one, other);
    world.fsck();
}

#[test]
fn a_call_and_its_result_stay_together() {
    let world = begun();
    let call = br#"[{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"Read","input":{}}]}]"#;
    let result = |text: &str| {
        format!(
            r#"[{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"toolu_1","content":"{text}"}}]}}]"#
        )
    };
    fork(&world, "f");
    append(&world, "user", "theirs");
    append(&world, "assistant", "yes");
    go(&world, "main");
    world.ok_with(&["commit", "--messages"], call);
    world.ok(&["merge", "f"]);
    // The call waits for its result: what came from theirs stands before it.
    world.ok_with(&["commit", "--messages"], result("content").as_bytes());
    world.ok(&["context", "--as", "anthropic"]);
    // Both sides answer one call.
    fork(&world, "g");
    world.ok_with(
        &["commit", "--messages"],
        br#"[{"role":"assistant","content":[{"type":"tool_use","id":"toolu_2","name":"Read","input":{}}]}]"#,
    );
    fork(&world, "h");
    world.ok_with(&["commit", "--messages"], result("h").replace("toolu_1", "toolu_2").as_bytes());
    go(&world, "g");
    world.ok_with(&["commit", "--messages"], result("g").replace("toolu_1", "toolu_2").as_bytes());
    let answer = stops(&world, &["merge", "h"]);
    assert_eq!(answer["outcome"]["conflicts"][0]["kind"], "both-answered");
    world.ok(&["merge", "--theirs"]);
    world.ok(&["merge", "--continue"]);
    let rendered = world.ok(&["context", "--as", "anthropic"]);
    assert!(rendered.contains("\"h\"") && !rendered.contains("\"g\""), "{rendered}");
    world.fsck();
}

#[test]
fn by_time_the_two_sides_take_turns() {
    let world = begun();
    let at = |seconds: u32, text: &str| {
        let mut command = world.trace(&["commit"]);
        command.env("GIT_AUTHOR_DATE", format!("17800{seconds:05} +0000"));
        assert!(crate::world::feed(command, text.as_bytes()).status.success());
    };
    fork(&world, "f");
    at(20, "second");
    at(40, "fourth");
    go(&world, "main");
    at(10, "first");
    at(30, "third");
    world.ok(&["merge", "f", "--interleave"]);
    assert_eq!(words(&world)[3..], ["first", "second", "third", "fourth"]);
}

#[test]
fn a_detached_head_and_a_linked_worktree_merge_on_their_own() {
    let world = begun();
    let entries = ids(&world);
    fork(&world, "f");
    edit(&world, &entries[0], "theirs");
    go(&world, "main");
    edit(&world, &entries[0], "ours");
    world.git(&["commit", "-q", "--allow-empty", "-m", "code"], &world.repo());
    world.git(&["worktree", "add", "-q", "../linked"], &world.repo());
    stops(&world, &["merge", "f"]);
    // The other worktree knows nothing of it.
    let linked = world.root().join("linked");
    let mut status = world.trace(&["status", "--json"]);
    let output = status.current_dir(&linked).output().expect("starts");
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"stopped\":null"));
    world.ok(&["merge", "--abort"]);
    world.ok(&["checkout", "--detach", "main"]);
    append(&world, "user", "on no branch");
    world.ok(&["merge", "f", "-X", "theirs"]);
    assert_eq!(words(&world)[0], "theirs");
    assert!(world.tip("refs/worktree/trace/HEAD^2").is_some());
}

#[test]
fn entries_are_moved_where_they_can_be() {
    let world = begun();
    let entries = ids(&world);
    world.ok(&["reorder", "--move", &entries[2], "--before", &entries[0]]);
    assert_eq!(ids(&world), [entries[2].as_str(), &entries[0], &entries[1]]);
    assert!(world.fails(1, &["reorder", "--move", &entries[2], "--before", &entries[0]]).contains("nothing to do"));
    assert!(world.fails(3, &["reorder", "--move", &entries[1], "--before", &entries[0]]).contains("which it answers"));
    world.ok(&["reorder", "--move", &entries[1], "--before", &entries[0], "--force"]);
    let plan = world.ok(&["reorder", "--print-plan"]);
    let mut lines: Vec<&str> = plan.lines().filter(|line| !line.starts_with("# ")).collect();
    lines.sort_by_key(|line| entries.iter().position(|id| line.starts_with(id.as_str())));
    world.ok_with(&["reorder", "--plan", "-", "--force"], lines.join("\n").as_bytes());
    assert_eq!(ids(&world), entries);
    let call = br#"[{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"Read","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"x"}]}]"#;
    world.ok_with(&["commit", "--messages"], call);
    let all = ids(&world);
    for force in [&[][..], &["--force"]] {
        let to_front = [&["reorder", "--move", &all[4], "--before", &all[0]], force].concat();
        assert!(world.fails(1, &to_front).contains("result before its call"));
        let between = [&["reorder", "--move", &all[0], "--before", &all[4]], force].concat();
        assert!(world.fails(1, &between).contains("not a possible order"));
    }
    world.ok(&["reorder", "--move", &all[3], &all[4], "--after", &all[0], "--force"]);
    world.ok(&["context", "--as", "anthropic"]);
    let hint = world.trace(&["drop", &all[2], "-n"]).output().expect("starts");
    assert!(hint.status.success());
    world.fsck();
    // Back in one step.
    world.ok(&["reset", "--hard", "HEAD~1"]);
    assert_eq!(ids(&world), all);
}

#[test]
fn a_choice_about_a_conflict_decides_no_contradiction() {
    for (option, expected) in [("ours", "port = 8080"), ("theirs", "port = 9090")] {
        let world = World::new("sha1");
        world.ok(&["init"]);
        append(&world, "user", "port = 8000");
        fork(&world, "f");
        edit(&world, "@1", "port = 9090");
        go(&world, "main");
        edit(&world, "@1", "port = 8080");
        append(&world, "user", "we run port = 8080");
        fork(&world, "again");
        let warned = json(&world, &["merge", "f", "-X", option]);
        assert_eq!(warned["outcome"]["contradictions"][0]["kind"], "setting");
        assert_eq!(words(&world), [expected, "we run port = 8080"], "-X {option}: both entries are there");
        // Step by step: what is only a warning is not settled with the conflict.
        go(&world, "main");
        let stopped = stops(&world, &["merge", "f"]);
        assert_eq!(stopped["outcome"]["contradictions"], serde_json::json!([]));
        world.ok(&["merge", &format!("--{option}")]);
        world.ok(&["merge", "--continue"]);
        assert_eq!(words(&world), [expected, "we run port = 8080"], "--{option}");
    }
}

#[test]
fn a_choice_holds_for_the_words_that_were_seen() {
    let world = begun();
    let entries = ids(&world);
    fork(&world, "f");
    edit(&world, &entries[0], "theirs");
    go(&world, "main");
    edit(&world, &entries[0], "ours");
    stops(&world, &["merge", "f"]);
    world.ok_with(&["merge", "--text"], b"of both");
    edit(&world, &entries[0], "ours, and newer");
    assert_eq!(world.trace(&["merge", "--continue"]).output().expect("starts").status.code(), Some(3), "asked again");
    assert_eq!(json(&world, &["merge", "--show"])["outcome"]["conflicts"][0]["ours"]["text"], "ours, and newer");
    world.ok(&["merge", "--ours"]);
    world.ok(&["merge", "--continue"]);
    assert_eq!(words(&world)[0], "ours, and newer");
}

#[test]
fn what_was_compressed_put_back_and_edited_on_both_sides_is_a_conflict() {
    let world = World::new("sha1");
    world.ok(&["init"]);
    append(&world, "user", "task");
    let pair = br#"[{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"Read","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"many words to be masked, many words to be masked, many words to be masked, many words to be masked"}]}]"#;
    world.ok_with(&["commit", "--messages"], pair);
    let result = ids(&world)[2].clone();
    for branch in ["f", "main"] {
        if branch == "f" {
            fork(&world, "f");
        } else {
            go(&world, "main");
        }
        world.ok(&["compress", &result]);
        world.ok(&["restore", &result]);
        let words = format!(r#"[{{"type":"tool_result","tool_use_id":"toolu_1","content":"{branch}"}}]"#);
        edit(&world, &result, &words);
    }
    assert_eq!(stops(&world, &["merge", "f"])["outcome"]["conflicts"][0]["kind"], "both-edited");
}

#[test]
fn a_driver_settles_what_both_changed_and_its_cost_is_recorded() {
    use std::os::unix::fs::PermissionsExt;
    let world = begun();
    let entries = ids(&world);
    let script = world.root().join("driver.sh");
    let answer = r#"{"text":"both in one, token AKIAIOSFODNN7EXAMPLF","model":"m-1","usage":{"input":11,"output":3}}"#;
    std::fs::write(&script, format!("#!/bin/sh\ncat > asked.json\necho '{answer}'\n")).expect("written");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("marked");
    world.configure("trace.driver.mine.kind", "command");
    world.configure("trace.driver.mine.command", script.to_str().expect("a path"));
    fork(&world, "f");
    edit(&world, &entries[0], "theirs");
    edit(&world, &entries[1], "pinned words of theirs");
    go(&world, "main");
    edit(&world, &entries[0], "ours");
    world.ok(&["pin", &entries[1]]);
    let asked = world.repo().join("asked.json");
    let rehearsed = world.trace(&["merge", "f", "-X", "driver=mine", "-n"]).output().expect("starts");
    assert!(rehearsed.status.code() == Some(3) && !asked.exists(), "to ask may cost something");
    let stopped = stops(&world, &["merge", "f", "-X", "driver=mine"]);
    assert!(std::fs::read_to_string(&asked).expect("it was asked").contains("\"reconcile\""));
    let left = stopped["outcome"]["conflicts"].as_array().expect("a list");
    assert_eq!((left.len(), left[0]["kind"].as_str()), (1, Some("pinned-edited")), "pinned words are a person's");
    world.ok(&["merge", "--ours"]);
    world.ok(&["merge", "--continue"]);
    let now = words(&world);
    assert!(now[0].starts_with("both in one") && !now[0].contains("AKIA"), "{}", now[0]);
    assert_eq!(now[1], "what shall I do");
    let trailers = world.git(&["log", "-1", "--format=%(trailers)", "refs/trace/heads/main/main"], &world.repo());
    assert!(trailers.contains("Trace-Driver: command:mine model=m-1") && trailers.contains("input=11"), "{trailers}");
    assert!(!trailers.contains("Trace-Usage"), "{trailers}");
    // Without a driver that can, the conflict is left to people.
    world.ok(&["reset", "--hard", "HEAD^1"]);
    stops(&world, &["merge", "f", "-s", "driver"]);
    world.fsck();
}
