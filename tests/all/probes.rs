//! The 28 probes that the one other system with these operations fails (measured on it, one by one). Each is a promise
//! that a user would notice broken; the number is the probe's.

use serde_json::Value;

use crate::world::{World, feed};

fn begun() -> World {
    let world = World::new("sha1");
    world.ok(&["init"]);
    world
}

fn append(world: &World, role: &str, text: &str) -> String {
    world.ok_with(&["commit", "--role", role], text.as_bytes());
    last_id(world)
}

fn last_id(world: &World) -> String {
    items(world).last().expect("an entry")["id"].as_str().expect("an id").to_owned()
}

fn items(world: &World) -> Vec<Value> {
    let lines = world.ok(&["context", "--as", "jsonl", "--all"]);
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn words(world: &World) -> Vec<String> {
    let text = |item: Value| item["content"].as_str().map_or_else(|| item["content"].to_string(), str::to_owned);
    items(world).into_iter().map(text).collect()
}

fn json(world: &World, arguments: &[&str]) -> Value {
    serde_json::from_str(&world.ok(&[arguments, &["--json"]].concat())).expect("JSON")
}

/// The pinned entries as git lists them: id and blob, in order.
fn pins(world: &World) -> Vec<(String, String)> {
    let listed = world.git(&["ls-tree", "-r", "refs/trace/heads/main/main"], &world.repo());
    let pin = |line: &str| {
        let (head, name) = line.split_once('\t')?;
        let parts: Vec<&str> = name.rsplit('/').next()?.split('.').collect();
        parts
            .contains(&"pin")
            .then(|| (parts[3].to_owned(), head.split(' ').next_back().unwrap_or_default().to_owned()))
    };
    listed.lines().filter_map(pin).collect()
}

const CALL: &str = r#"[{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"COMMAND"}}]}]"#;
const RESULT: &str =
    r#"[{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"RESULT"}]}]"#;

#[test]
fn probe_01_it_runs_where_nothing_else_is_installed() {
    let world = World::new("sha1");
    let mut command = world.trace(&["--version"]);
    let output = command.env_clear().output().expect("it starts");
    assert!(output.status.success() && output.stdout.starts_with(b"git-trace "));
}

#[test]
fn probe_02_text_that_looks_like_a_special_token_is_text() {
    let world = begun();
    append(&world, "user", "say <|endoftext|> and <|im_start|>");
    assert_eq!(words(&world), ["say <|endoftext|> and <|im_start|>"]);
}

#[test]
fn probe_03_a_pin_outlives_any_number_of_compressions() {
    let world = begun();
    append(&world, "user", "the task");
    let pinned = append(&world, "user", "never touch the billing table");
    world.ok(&["pin", &pinned]);
    let before = pins(&world);
    for round in 0..3 {
        append(&world, "user", &format!("round {round}: and now something of some length to be combined"));
        append(&world, "assistant", &format!("answer {round}: done so, with words enough to make it worth it"));
        world.ok(&["compress", "@2..@1", "--mode", "title"]);
        assert_eq!(pins(&world), before, "round {round}");
    }
    world.ok(&["compress", "#0..@1", "--mode", "title"]);
    assert_eq!(pins(&world), before, "same object, same order");
    assert!(words(&world).contains(&"never touch the billing table".to_owned()));
}

#[test]
fn probe_04_an_edit_of_a_pin_is_what_stays() {
    let world = begun();
    append(&world, "user", "the task");
    let pinned = append(&world, "user", "port is 8080");
    world.ok(&["pin", &pinned]);
    append(&world, "assistant", &"a long answer about ports and other things that nobody needs any more; ".repeat(9));
    world.ok_with(&["edit", &pinned, "--force"], b"port is 9090");
    world.ok(&["compress", "#0..@1", "--mode", "title"]);
    let now = words(&world).join("\n");
    assert!(now.contains("port is 9090") && !now.contains("8080"), "{now}");
}

#[test]
fn probe_05_only_the_range_is_compressed() {
    let world = begun();
    for text in [
        "m0",
        "m1 with many words to be told in fewer",
        "m2 with many words to be told in fewer",
        "m3 with many",
        "m4",
        "m5",
    ] {
        append(&world, "user", text);
    }
    world.ok(&["compress", "#1..#3", "--mode", "title"]);
    let now = words(&world);
    assert_eq!((now[0].as_str(), now.len()), ("m0", 4));
    assert_eq!(now[2..], ["m4", "m5"]);
}

#[test]
fn probe_06_what_must_be_kept_is_checked_before_anything_moves() {
    let world = begun();
    append(&world, "user", "task");
    append(&world, "user", "IMPORTANT: the key rotates on 2031-05-06, and many more words that could go");
    append(&world, "assistant", "noted");
    let before = world.tip("refs/trace/heads/main/main");
    world.fails(3, &["compress", "#1..#2", "--mode", "drop", "--must-keep", "IMPORTANT.*\\d{4}-\\d\\d-\\d\\d"]);
    assert_eq!(world.tip("refs/trace/heads/main/main"), before);
    world.configure("trace.mustKeep", "2031");
    world.fails(3, &["compress", "#1..#2", "--mode", "drop"]);
    assert_eq!(world.tip("refs/trace/heads/main/main"), before);
}

#[test]
fn probe_07_tags_and_pins_outlive_compress_and_rebase() {
    let world = begun();
    append(&world, "user", "task");
    world.ok(&["checkout", "-b", "f"]);
    let pinned = append(&world, "user", "pinned on f");
    world.ok(&["pin", &pinned]);
    world.ok(&["tag", "here"]);
    append(&world, "assistant", "some words that are combined with the next ones");
    append(&world, "assistant", "some words that are combined with the ones before");
    let tagged = world.tip("refs/trace/tags/main/here");
    world.ok(&["checkout", "main"]);
    append(&world, "user", "on main");
    world.ok(&["checkout", "f"]);
    world.ok(&["compress", "@2..@1", "--mode", "title"]);
    world.ok(&["rebase", "main"]);
    assert_eq!(world.tip("refs/trace/tags/main/here"), tagged, "the tag names what it named");
    let kept: Vec<Value> = items(&world).into_iter().filter(|item| item["pin"] == true).collect();
    assert_eq!((kept.len(), kept[0]["content"].as_str()), (1, Some("pinned on f")));
    assert_eq!(words(&world)[..3], ["task", "on main", "pinned on f"]);
}

#[test]
fn probe_08_a_branch_that_edits_its_own_entries_is_rebased() {
    let world = begun();
    append(&world, "user", "task");
    world.ok(&["checkout", "-b", "f"]);
    let own = append(&world, "user", "first wording");
    world.ok_with(&["edit", &own], b"second wording");
    world.ok(&["checkout", "main"]);
    append(&world, "user", "on main");
    world.ok(&["checkout", "f"]);
    world.ok(&["rebase", "main"]);
    assert_eq!(words(&world), ["task", "on main", "second wording"]);
    assert_eq!(last_id(&world), own, "the id stays");
}

#[test]
fn probe_09_what_came_through_two_merges_is_there() {
    let world = begun();
    append(&world, "user", "task");
    world.ok(&["checkout", "-b", "f1"]);
    append(&world, "user", "one");
    world.ok(&["checkout", "-b", "f2"]);
    append(&world, "user", "two");
    world.ok(&["checkout", "f1"]);
    append(&world, "user", "one again");
    world.ok(&["merge", "f2"]);
    world.ok(&["checkout", "main"]);
    append(&world, "user", "main");
    world.ok(&["merge", "f1"]);
    assert_eq!(words(&world), ["task", "main", "one", "one again", "two"]);
}

#[test]
fn probe_10_a_merge_puts_no_words_of_its_own_into_the_context() {
    let world = begun();
    append(&world, "user", "task");
    world.ok(&["checkout", "-b", "f"]);
    append(&world, "user", "theirs");
    world.ok(&["checkout", "main"]);
    append(&world, "user", "ours");
    world.ok(&["merge", "f"]);
    assert_eq!(words(&world), ["task", "ours", "theirs"]);
    assert!(!world.ok(&["context", "--as", "anthropic"]).to_lowercase().contains("merge"));
}

#[test]
fn probe_11_rest_against_graphql_is_seen() {
    let world = begun();
    append(&world, "user", "task");
    world.ok(&["checkout", "-b", "f"]);
    append(&world, "user", "use GraphQL");
    world.ok(&["checkout", "main"]);
    append(&world, "user", "use REST");
    let found = json(&world, &["merge", "f", "-n"]);
    assert_eq!(found["outcome"]["contradictions"][0]["our_value"], "REST");
    assert_eq!(found["outcome"]["contradictions"][0]["their_value"], "GraphQL");
    assert!(world.fails(3, &["merge", "f", "--strict"]).contains("1 to settle"));
}

#[test]
fn probe_12_identical_edits_and_an_edit_beside_an_append_are_clean() {
    let world = begun();
    let first = append(&world, "user", "task");
    let second = append(&world, "user", "more");
    world.ok(&["checkout", "-b", "f"]);
    world.ok_with(&["edit", &first], b"the same edit");
    append(&world, "user", "theirs");
    world.ok(&["checkout", "main"]);
    world.ok_with(&["edit", &first], b"the same edit");
    world.ok_with(&["edit", &second], b"only here");
    world.ok(&["merge", "f"]);
    assert_eq!(words(&world), ["the same edit", "only here", "theirs"]);
}

#[test]
fn probe_13_a_merge_that_prefers_theirs_is_committed() {
    let world = begun();
    let first = append(&world, "user", "task");
    world.ok(&["checkout", "-b", "f"]);
    world.ok_with(&["edit", &first], b"theirs");
    world.ok(&["checkout", "main"]);
    world.ok_with(&["edit", &first], b"ours");
    world.ok(&["merge", "f", "-X", "theirs"]);
    assert_eq!(words(&world), ["theirs"]);
    assert!(world.tip("refs/trace/heads/main/main^2").is_some());
}

#[test]
fn probe_14_dropping_on_one_branch_hides_nothing_elsewhere() {
    let world = begun();
    append(&world, "user", "task");
    let dropped = append(&world, "user", "to be dropped on f");
    world.ok(&["checkout", "-b", "f"]);
    let before = world.ok(&["context"]);
    world.ok(&["drop", &dropped]);
    assert_eq!(words(&world), ["task"]);
    assert_eq!(world.ok(&["context", "HEAD~1"]), before, "the past stays");
    world.ok(&["checkout", "main"]);
    assert_eq!(world.ok(&["context"]), before);
}

#[test]
fn probe_15_a_soft_and_a_hard_reset_differ() {
    let world = begun();
    append(&world, "user", "task");
    append(&world, "user", "more");
    world.ok(&["reset", "--soft", "HEAD~1"]);
    assert!(world.tip("refs/worktree/trace/ORIG_HEAD").is_some());
    world.ok(&["reset", "--hard", "ORIG_HEAD"]);
    assert_eq!(words(&world), ["task", "more"]);
    world.ok(&["reset", "--hard", "HEAD~1"]);
    assert!(world.tip("refs/worktree/trace/ORIG_HEAD").is_none());
}

#[test]
fn probe_16_an_edit_of_what_is_not_in_this_context_is_refused() {
    let world = begun();
    append(&world, "user", "task");
    world.ok(&["checkout", "-b", "f"]);
    let elsewhere = append(&world, "user", "only on f");
    world.ok(&["checkout", "main"]);
    let output = feed(world.trace(&["edit", &elsewhere]), b"x");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("unknown entry"));
}

#[test]
fn probe_17_a_changed_byte_is_found() {
    let world = begun();
    append(&world, "user", "the exact words");
    world.ok(&["pack"]);
    let packs = world.repo().join(".git/objects/pack");
    let mut pack = std::fs::read_dir(packs).expect("packs").map(|entry| entry.expect("an entry").path());
    let pack = pack.find(|path| path.extension().is_some_and(|ending| ending == "pack")).expect("a pack");
    let mut bytes = std::fs::read(&pack).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(&pack).expect("removed");
    std::fs::write(&pack, bytes).expect("written");
    let fsck = world.command("git", &world.repo()).args(["fsck", "--strict"]).output().expect("git starts");
    assert!(!fsck.status.success(), "git sees it");
}

#[test]
fn probe_18_a_pinned_call_keeps_its_result() {
    let world = begun();
    append(&world, "user", "task");
    world.ok_with(&["commit", "--messages"], CALL.as_bytes());
    world.ok(&["pin", &last_id(&world)]);
    world.ok_with(&["commit", "--messages"], RESULT.replace("RESULT", &"many words ".repeat(50)).as_bytes());
    append(&world, "assistant", "so it is, and I say it at some length");
    for mode in ["mask", "drop", "combine", "title", "extract"] {
        let before = world.tip("refs/trace/heads/main/main").expect("a tip");
        let output = world.trace(&["compress", "#1..@1", "--mode", mode]).output().expect("starts");
        assert!(output.status.success() || output.status.code() == Some(1), "{mode}: {output:?}");
        world.ok(&["context", "--as", "anthropic"]);
        world.ok(&["context", "--as", "openai-chat"]);
        world.ok(&["reset", "--hard", &before]);
    }
}

#[test]
fn probe_19_a_result_never_comes_before_its_call() {
    let world = begun();
    append(&world, "user", "task");
    world.ok_with(&["commit", "--messages"], CALL.as_bytes());
    let call = last_id(&world);
    world.ok_with(&["commit", "--messages"], RESULT.as_bytes());
    let result = last_id(&world);
    assert!(
        world
            .fails(1, &["reorder", "--move", &result, "--before", &call, "--force"])
            .contains("result before its call")
    );
}

#[test]
fn probe_20_arguments_and_results_are_never_cut() {
    let world = begun();
    let long = "0123456789".repeat(500);
    append(&world, "user", "task");
    world.ok_with(&["commit", "--messages"], CALL.replace("COMMAND", &long).as_bytes());
    world.ok_with(&["commit", "--messages"], RESULT.replace("RESULT", &long).as_bytes());
    for format in ["text", "markdown", "jsonl", "anthropic", "openai-chat", "openai-responses"] {
        assert_eq!(world.ok(&["context", "--as", format]).matches(&long).count(), 2, "{format}");
    }
}

#[test]
fn probe_21_cleaning_up_one_branch_harms_no_other() {
    let world = begun();
    append(&world, "user", "task");
    world.ok(&["checkout", "-b", "f"]);
    append(&world, "user", "on f");
    world.ok(&["checkout", "-b", "gone"]);
    append(&world, "user", "on gone");
    world.ok(&["checkout", "main"]);
    world.ok(&["branch", "-D", "gone"]);
    world.git(&["reflog", "expire", "--expire=now", "--all"], &world.repo());
    world.git(&["gc", "-q", "--prune=now"], &world.repo());
    world.ok(&["checkout", "f"]);
    assert_eq!(words(&world), ["task", "on f"]);
    world.fsck();
}

#[test]
fn probe_22_and_23_a_child_starts_from_a_pointer_to_one_branch() {
    let world = begun();
    let first = append(&world, "user", "task");
    world.ok_with(&["edit", &first], b"an edited task");
    world.ok(&["checkout", "-b", "other"]);
    append(&world, "user", "secret of another branch");
    world.ok(&["checkout", "main"]);
    let objects = || world.git(&["count-objects"], &world.repo());
    let before = objects();
    world.ok(&["branch", "child/main"]);
    assert_eq!(objects(), before, "no object is copied");
    assert_eq!(world.tip("refs/trace/heads/child/main"), world.tip("refs/trace/heads/main/main"));
    assert_eq!(world.git(&["for-each-ref", "--format=x", "refs/trace/heads/child"], &world.repo()).trim(), "x");
    world.ok(&["checkout", "child/main"]);
    assert_eq!(words(&world), ["an edited task"]);
}

#[test]
fn probe_24_what_a_child_did_is_committed_to_its_parent() {
    let world = begun();
    append(&world, "user", "task");
    world.ok(&["checkout", "-b", "child/main"]);
    append(&world, "assistant", "found it");
    world.ok(&["checkout", "main/main"]);
    let before = world.tip("refs/trace/heads/main/main");
    world.ok(&["merge", "child/main", "--squash"]);
    assert_ne!(world.tip("refs/trace/heads/main/main"), before);
    assert_eq!(words(&world), ["task", "found it"]);
}

#[test]
fn probe_25_a_copy_of_the_repository_has_every_branch_and_edit() {
    let world = begun();
    let first = append(&world, "user", "task");
    world.ok(&["checkout", "-b", "f"]);
    world.ok_with(&["edit", &first], b"edited");
    world.ok(&["checkout", "main"]);
    world.git(&["clone", "-q", "--mirror", "repo", "copy.git"], world.root());
    let copy = world.root().join("copy.git");
    for branch in ["main", "f"] {
        let mut command = world.trace(&["context", "--branch", branch]);
        let there = command.current_dir(&copy).output().expect("starts");
        assert_eq!(String::from_utf8_lossy(&there.stdout), world.ok(&["context", "--branch", branch]));
    }
}

#[test]
fn probe_26_a_tool_call_costs_the_same_everywhere() {
    let world = begun();
    append(&world, "user", "task");
    let before = json(&world, &["status"])["tokens"]["base"].as_u64().expect("a number");
    let done = {
        let text = world
            .ok_with(&["commit", "--messages", "--json"], CALL.replace("COMMAND", &"word ".repeat(500)).as_bytes());
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let cost = done["outcome"]["tokens"].as_u64().expect("a number");
    assert!(cost > 500, "{cost}");
    assert_eq!(items(&world).last().expect("one")["tokens"].as_u64(), Some(cost));
    assert_eq!(json(&world, &["status"])["tokens"]["base"].as_u64(), Some(before + cost));
    let log = json(&world, &["log", "-1"]);
    assert!(log.to_string().contains(&format!("\"tokens\":{cost}")), "{log}");
}

#[test]
fn probe_27_the_budget_counts_what_the_model_sees_and_a_merge_is_held_to_it() {
    let world = begun();
    world.configure("trace.budget", "60");
    append(&world, "user", "task");
    let long = append(&world, "user", &"many words ".repeat(30));
    world.fails(4, &["status", "--check"]);
    world.ok(&["drop", &long]);
    world.ok(&["status", "--check"]);
    world.ok(&["checkout", "-b", "f"]);
    append(&world, "user", &"many words ".repeat(30));
    world.ok(&["checkout", "main"]);
    append(&world, "user", "ours");
    let merged = world.trace(&["merge", "f"]).output().expect("starts");
    assert!(String::from_utf8_lossy(&merged.stderr).contains("over its budget"), "{merged:?}");
    world.fails(4, &["status", "--check"]);
}
