//! Records of all agents through one front door: stored once, sound, and the same however they grew.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::{World, shared_data};

fn import(world: &World, arguments: &[&str]) -> Vec<Value> {
    let answer = world.ok(&[&["import"], arguments, &["--json"]].concat());
    answer.lines().map(|line| serde_json::from_str(line).expect("one document a line")).collect()
}

fn tree(world: &World, branch: &str) -> String {
    world.git(&["rev-parse", &format!("refs/trace/heads/{branch}^{{tree}}")], &world.repo())
}

fn plain(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// Adds up the usage that the commits of a branch carry.
fn usage(world: &World, branch: &str, name: &str) -> u64 {
    let log = world.ok(&["log", "--json", "--branch", branch]);
    let of = |line: &str| serde_json::from_str::<Value>(line).expect("a document")["usage"][name].as_u64();
    log.lines().filter_map(of).sum()
}

/// Returns a rollout of a few turns, line by line.
fn rollout(id: &str, turns: usize) -> Vec<String> {
    let line = |kind: &str, payload: &str| {
        format!("{{\"timestamp\":\"2026-02-11T05:53:33.335Z\",\"type\":\"{kind}\",\"payload\":{payload}}}")
    };
    let mut lines = vec![
        line("session_meta", &format!("{{\"id\":\"{id}\",\"cwd\":\"/work\"}}")),
        line("turn_context", "{\"cwd\":\"/work\",\"model\":\"gpt-5\"}"),
    ];
    for turn in 1..=turns {
        let total = turn * 100;
        let counts = |n: usize| format!("{{\"input_tokens\":{n},\"cached_input_tokens\":0,\"output_tokens\":{n}}}");
        lines.push(line(
            "response_item",
            &format!("{{\"type\":\"message\",\"role\":\"user\",\"content\":[{{\"type\":\"input_text\",\"text\":\"turn {turn}\"}}]}}"),
        ));
        lines.push(line(
            "response_item",
            &format!(
                "{{\"type\":\"function_call\",\"name\":\"shell\",\"arguments\":\"{{}}\",\"call_id\":\"c{turn}\"}}"
            ),
        ));
        let info = format!("{{\"total_token_usage\":{},\"last_token_usage\":{}}}", counts(total), counts(100));
        lines.push(line("event_msg", &format!("{{\"type\":\"token_count\",\"info\":{info}}}")));
        lines.push(line(
            "response_item",
            &format!("{{\"type\":\"function_call_output\",\"call_id\":\"c{turn}\",\"output\":\"ok {turn}\"}}"),
        ));
    }
    lines
}

#[test]
fn a_growing_rollout_gives_what_one_import_gives() {
    let world = World::new("sha1");
    let lines = rollout("019c4b43-1451-7af3-be4c-5576369bf1ba", 3);
    let path = world.root().join("rollout.jsonl");
    for end in 1..=lines.len() {
        std::fs::write(&path, lines[..end].join("\n") + "\n").expect("a file");
        import(&world, &[plain(&path), "--as", "grown"]);
    }
    let whole = &import(&world, &[plain(&path)])[0];
    assert_eq!((whole["agent"].as_str(), whole["record"].as_str()), (Some("codex-5576369bf1ba"), Some("codex")));
    assert_eq!(whole["facts"]["prompts"], 3);
    assert_eq!(tree(&world, "grown/main"), tree(&world, "codex-5576369bf1ba/main"));
    assert_eq!(usage(&world, "codex-5576369bf1ba/main", "output"), 300);
    assert_eq!(usage(&world, "grown/main", "output"), 300, "each call's usage came once");
    assert_eq!(import(&world, &[plain(&path), "--as", "grown"])[0]["commits"], 0);
    std::fs::remove_dir_all(world.repo().join(".git/trace/watermarks")).expect("the watermarks");
    assert_eq!(import(&world, &[plain(&path), "--as", "grown"])[0]["commits"], 0, "the ids say what is known");
    world.fsck();
}

#[test]
fn an_older_copy_and_then_the_newer_one_bring_nothing_twice() {
    let world = World::new("sha1");
    let path = world.root().join("x.jsonl");
    let lines = rollout("s", 3);
    let read = |end: usize| {
        std::fs::write(&path, lines[..end].join("\n") + "\n").expect("a file");
        import(&world, &["codex", plain(&path)])[0]["commits"].as_u64().expect("a number")
    };
    assert_eq!(read(lines.len()), 9);
    assert_eq!([read(6), read(10), read(lines.len()), read(lines.len())], [0, 0, 0, 0]);
    world.fsck();
}

#[test]
fn a_fork_starts_where_it_left_its_parent() {
    let world = World::new("sha256");
    let (parent, fork) = (world.root().join("parent.jsonl"), world.root().join("fork.jsonl"));
    let lines = rollout("parent", 2);
    std::fs::write(&parent, lines.join("\n")).expect("a file");
    let own = "{\"type\":\"session_meta\",\"payload\":{\"id\":\"fork\",\"forked_from_id\":\"parent\"}}";
    let copied = lines.join("\n").replace("2026-02-11", "2026-02-12");
    let more = &rollout("parent", 3)[lines.len()..];
    std::fs::write(&fork, format!("{own}\n{copied}\n{}\n", more.join("\n"))).expect("a file");
    import(&world, &["codex", plain(&parent)]);
    let forked = &import(&world, &["codex", plain(&fork)])[0];
    assert_eq!((forked["agent"].as_str(), forked["entries"].as_u64()), (Some("codex-parent"), Some(3)));
    let base = world.git(
        &["merge-base", "refs/trace/heads/codex-parent/main", "refs/trace/heads/codex-parent/fork-fork"],
        &world.repo(),
    );
    assert_eq!(Some(base.trim()), world.tip("refs/trace/heads/codex-parent/main").as_deref());
    assert_eq!(usage(&world, "codex-parent/fork-fork", "output"), 300);
    assert_eq!(import(&world, &["codex", plain(&fork)])[0]["commits"], 0);
    // Without the parent the fork is whole by itself.
    let alone = World::new("sha1");
    assert_eq!(import(&alone, &["codex", plain(&fork)])[0]["entries"], 9);
    world.fsck();
}

#[test]
fn names_that_are_taken_are_extended() {
    let world = World::new("sha1");
    let path = world.root().join("x.jsonl");
    let agents: Vec<String> = ["aaaaaaaa-1111-4222-8333-444455556666", "aaaaaaaa-9999-4222-8333-444455556666"]
        .iter()
        .map(|id| {
            std::fs::write(&path, rollout(id, 1).join("\n")).expect("a file");
            import(&world, &[plain(&path)])[0]["agent"].as_str().expect("a name").to_owned()
        })
        .collect();
    assert_eq!(agents[0], "codex-aaaaaaaa");
    assert!(agents[1].starts_with("codex-aaaaaaaa-") && agents[1].len() == "codex-aaaaaaaa-123456".len(), "{agents:?}");
    assert_eq!(import(&world, &[plain(&path)])[0]["agent"], agents[1]);
    std::fs::remove_dir_all(world.repo().join(".git/trace/watermarks")).expect("the watermarks");
    assert_eq!(import(&world, &[plain(&path)])[0]["agent"], agents[1], "the branch itself says whose it is");
}

#[test]
fn two_processes_that_report_one_session_store_it_once() {
    let world = World::new("sha1");
    let path = world.root().join("x.jsonl");
    let lines = rollout("s", 40);
    std::fs::write(&path, "").expect("a file");
    for end in (0..=lines.len()).step_by(10).chain([lines.len()]) {
        std::fs::write(&path, lines[..end].join("\n") + "\n").expect("a file");
        let start = || {
            let mut command = world.trace(&["import", "codex", plain(&path)]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
        };
        let both = [start(), start(), start()];
        for mut child in both {
            assert!(child.wait().expect("it ends").success());
        }
    }
    let other = World::new("sha1");
    import(&other, &["codex", plain(&path)]);
    let branch = world.git(&["for-each-ref", "--format=%(refname:lstrip=3)", "refs/trace/heads"], &world.repo());
    let branch = branch.trim();
    assert_eq!(tree(&world, branch), tree(&other, branch));
    assert_eq!(usage(&world, branch, "output"), 4000);
    world.fsck();
}

#[test]
fn all_records_of_the_shared_data_are_stored_and_sound() {
    let Some(data) = shared_data() else { return };
    let data = data.join("transcripts");
    let expected: Value =
        serde_json::from_slice(&std::fs::read(data.join("EXPECTED.json")).expect("facts")).expect("JSON");
    let world = World::new("sha1");
    let mut checked = 0;
    for (name, facts) in expected.as_object().expect("a map") {
        let format = facts["format"].as_str().unwrap_or_default();
        let agent = match format {
            "gemini-json" => "gemini",
            "codex-rollout" => "codex",
            _ => continue,
        };
        checked += 1;
        let own = format!("x{checked}");
        let answer = &import(&world, &[plain(&data.join(name)), "--as", &own])[0];
        assert_eq!(answer["record"], agent, "{name} is recognised");
        let branch = format!("{own}/main");
        if agent == "gemini" {
            let tokens = |name: &str| facts["tokens"][name].as_u64().unwrap_or(0);
            assert_eq!(usage(&world, &branch, "cache_read"), tokens("cached"), "{name}");
            assert_eq!(usage(&world, &branch, "input"), tokens("input") - tokens("cached"), "{name}");
            assert_eq!(usage(&world, &branch, "output"), tokens("output") + tokens("thoughts"), "{name}");
            let users = facts["types"]["user"].as_u64();
            assert_eq!(answer["facts"]["prompts"].as_u64(), users, "{name}");
        } else {
            let items = facts["kinds"].as_object().expect("a map").iter();
            let items = items.filter(|(kind, _)| kind.starts_with("response_item")).filter_map(|(_, n)| n.as_u64());
            assert_eq!(answer["entries"].as_u64(), Some(items.sum()), "{name}");
        }
        assert_eq!(import(&world, &[plain(&data.join(name)), "--as", &own])[0]["commits"], 0, "{name}");
    }
    assert!(checked >= 11, "only {checked} records had facts");
    let atif = data.join("polylogue/hermes/atif/nemo_relay_atif_v1.7_real_redacted.json");
    let answer = &import(&world, &["atif", plain(&atif)])[0];
    assert!(answer["entries"].as_u64().is_some_and(|entries| entries >= 6), "{answer}");
    for folder in [
        "agentsview/codex",
        "agentsview/gemini",
        "ccusage/fixtures/codex",
        "git-ai/fixtures/gemini-session-simple.jsonl",
    ] {
        for answer in import(&world, &[plain(&data.join(folder))]) {
            assert!(answer["entries"].as_u64().is_some_and(|entries| entries > 0), "{answer}");
        }
    }
    world.fsck();
}

#[test]
fn gemini_snapshots_add_up() {
    let Some(data) = shared_data() else { return };
    let text =
        std::fs::read(data.join("transcripts/entire-cli/gemini/9c-53780d06b7-0.session.json")).expect("a session");
    let mut session: Value = serde_json::from_slice(&text).expect("JSON");
    let messages = session["messages"].as_array().expect("messages").clone();
    let world = World::new("sha1");
    let path = world.root().join("session.json");
    for end in 1..=messages.len() {
        session["messages"] = messages[..end].into();
        std::fs::write(&path, serde_json::to_vec_pretty(&session).expect("JSON")).expect("a file");
        import(&world, &[plain(&path), "--as", "grown"]);
    }
    import(&world, &[plain(&path), "--as", "whole"]);
    assert_eq!(tree(&world, "grown/main"), tree(&world, "whole/main"));
    assert_eq!(world.subjects("grown/main"), world.subjects("whole/main"));
    // It goes back to its second message and on from there.
    session["messages"] = messages[..2].into();
    session["messages"]
        .as_array_mut()
        .expect("a list")
        .push(serde_json::json!({"id": "new", "type": "user", "content": "no"}));
    std::fs::write(&path, serde_json::to_vec_pretty(&session).expect("JSON")).expect("a file");
    let answer = &import(&world, &[plain(&path), "--as", "grown"])[0];
    let branches: Vec<&str> =
        answer["branches"].as_array().expect("a list").iter().filter_map(|one| one["branch"].as_str()).collect();
    assert!(branches.len() == 2 && branches[1].starts_with("grown/rewind-"), "{branches:?}");
    assert_eq!(tree(&world, "grown/main"), tree(&world, "whole/main"), "what was there stays");
    world.fsck();
}

#[test]
fn what_is_no_record_is_refused() {
    let world = World::new("sha1");
    let path = world.root().join("x.txt");
    std::fs::write(&path, "hello").expect("a file");
    let said = world.fails(1, &["import", plain(&path)]);
    assert!(said.contains("not a record of any known agent") && said.contains("git trace import <agent>"), "{said}");
    assert!(world.fails(1, &["import", "atif", plain(&path)]).contains("not a record of atif"));
    assert!(world.fails(2, &["import", "codex"]).contains("name the records"));
    assert_eq!(world.ok(&["import", plain(&world.home())]), "", "a folder without records has none");
}

/// Makes a branch of checkpoints as Entire does: `<2>/<10>/<n>/full.jsonl` and `metadata.json`.
fn checkpoint(world: &World, id: &str, time: &str, session: &str, agent: &str, pieces: &[&[u8]]) {
    let folder = world.root().join(format!("entire/{}/{}/0", &id[..2], &id[2..]));
    std::fs::create_dir_all(&folder).expect("a folder");
    for (nth, piece) in pieces.iter().enumerate() {
        let name = if nth == 0 { "full.jsonl".to_owned() } else { format!("full.jsonl.{nth:03}") };
        std::fs::write(folder.join(name), piece).expect("a file");
    }
    let metadata = serde_json::json!({
        "checkpoint_id": id, "session_id": session, "agent": agent, "created_at": time, "strategy": "manual-commit",
    });
    std::fs::write(folder.join("metadata.json"), metadata.to_string()).expect("a file");
    std::fs::write(folder.join("prompt.txt"), "go").expect("a file");
    let work = format!("--work-tree={}", plain(&world.root().join("entire")));
    let index = world.root().join("entire.index");
    let git = |arguments: &[&str]| {
        let mut command = world.command("git", &world.repo());
        let output = command.env("GIT_INDEX_FILE", &index).arg(&work).args(arguments).output().expect("git starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    git(&["add", "-A", "."]);
    let tree = git(&["write-tree"]);
    let commit = git(&["commit-tree", &tree, "-m", "checkpoint"]);
    git(&["update-ref", "refs/heads/entire/checkpoints/v1", &commit]);
}

#[test]
fn entires_checkpoints_become_branches_in_the_order_in_which_they_grew() {
    let world = World::new("sha1");
    assert!(world.fails(1, &["import", "entire"]).contains("unknown revision 'entire/checkpoints/v1'"));
    let claude = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/demo/session.jsonl")).expect("it");
    let ends: Vec<usize> = memchr::memchr_iter(b'\n', &claude).collect();
    let (half, near) = (ends[ends.len() / 2] + 1, ends[ends.len() - 2] + 1);
    // The names of the folders are not in the order of time.
    checkpoint(&world, "bb00000000aa", "2026-01-01T00:00:00Z", "s", "Claude Code", &[&claude[..half]]);
    checkpoint(
        &world,
        "aa00000000bb",
        "2026-01-02T00:00:00Z",
        "s",
        "Claude Code",
        &[&claude[..half], &claude[half..near]],
    );
    checkpoint(&world, "ab00000000cc", "2026-01-03T00:00:00Z", "s", "", &[&claude]);
    checkpoint(&world, "ac00000000dd", "2026-01-04T00:00:00Z", "t", "Codex", &[rollout("t", 1).join("\n").as_bytes()]);
    checkpoint(&world, "ad00000000ee", "2026-01-05T00:00:00Z", "u", "Codex", &[b"broken"]);
    let before = world.git(&["status", "--porcelain"], &world.repo());
    let output = world.trace(&["import", "entire", "--json"]).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<Value> =
        String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let paths: Vec<&str> = answers.iter().filter_map(|answer| answer["path"].as_str()).collect();
    assert_eq!(paths[..4], ["bb/00000000aa/0", "aa/00000000bb/0", "ab/00000000cc/0", "ac/00000000dd/0"]);
    let agent = answers[0]["agent"].as_str().expect("a name");
    assert!(answers[..3].iter().all(|answer| answer["agent"] == agent), "one session, one agent: {answers:?}");
    let said = world.ok(&["context", &format!("{agent}/main"), "--as", "jsonl", "--all"]);
    assert_eq!(said.matches("manual-commit").count(), 3, "what is known of each checkpoint is there");
    let file = world.root().join("session.jsonl");
    std::fs::write(&file, &claude).expect("a file");
    import(&world, &[plain(&file), "--as", "whole"]);
    let sent = |branch: &str| world.ok(&["context", branch, "--as", "anthropic", "--trim"]);
    assert_eq!(sent(&format!("{agent}/main")), sent("whole/main"));
    let again = world.ok(&["import", "entire", "--json"]);
    assert!(again.lines().all(|line| line.contains("\"commits\":0,")), "{again}");
    assert_eq!(world.git(&["status", "--porcelain"], &world.repo()), before);
    world.fsck();
}

/// Puts a rollout of a session in this work tree where Codex would.
fn codex_session(world: &World, name: &str, cwd: &Path, turns: usize) -> PathBuf {
    let folder = world.home().join(".codex/sessions/2026/02/11");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(format!("rollout-{name}.jsonl"));
    let text = rollout(name, turns).join("\n").replace("\"/work\"", &format!("\"{}\"", plain(cwd)));
    std::fs::write(&path, text + "\n").expect("a file");
    path
}

#[test]
fn watch_finds_this_repositorys_sessions_and_no_others() {
    let world = World::new("sha1");
    codex_session(&world, "here", &world.repo().join("src"), 1);
    codex_session(&world, "elsewhere", &world.home(), 1);
    let repo = world.repo().canonicalize().expect("a folder");
    let slug: String = plain(&repo).chars().map(|one| if one.is_ascii_alphanumeric() { one } else { '-' }).collect();
    let claude = world.home().join(".claude/projects").join(slug);
    std::fs::create_dir_all(claude.join("c1/subagents")).expect("a folder");
    let line = |uuid: &str, more: &str| {
        let cwd = plain(&repo);
        format!(
            "{{\"type\":\"user\",\"uuid\":\"{uuid}\",\"sessionId\":\"c1\",\"cwd\":\"{cwd}\"{more},\"message\":{{\"role\":\"user\",\"content\":\"go\"}}}}\n"
        )
    };
    std::fs::write(claude.join("c1.jsonl"), line("u1", "")).expect("a file");
    let sidechain = ",\"isSidechain\":true,\"agentId\":\"a1\"";
    std::fs::write(claude.join("c1/subagents/agent-a1.jsonl"), line("u2", sidechain)).expect("a file");
    let said = world.ok(&["watch", "--once"]);
    assert_eq!(said.lines().count(), 3, "{said}");
    let refs = world.git(&["for-each-ref", "--format=%(refname:lstrip=3)", "refs/trace"], &world.repo());
    assert_eq!(refs, "claude-c1-a1/main\nclaude-c1/main\ncodex-here/main\n");
    assert_eq!(world.ok(&["watch", "--once"]), "", "nothing is new");
    codex_session(&world, "here", &world.repo().join("src"), 2);
    let answer: Value = serde_json::from_str(&world.ok(&["watch", "codex", "--once", "--json"])).expect("one line");
    assert_eq!((answer["agent"].as_str(), answer["entries"].as_u64()), (Some("codex-here"), Some(3)));
}

#[test]
fn watch_follows_until_it_is_told_to_stop() {
    let world = World::new("sha1");
    let path = codex_session(&world, "live", &world.repo(), 1);
    let mut command = world.trace(&["watch", "codex", plain(&path), "--interval", "0.05"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let commits = || {
        let count = world
            .command("git", &world.repo())
            .args(["rev-list", "--count", "refs/trace/heads/codex-live/main"])
            .output();
        String::from_utf8_lossy(&count.expect("git starts").stdout).trim().parse::<u64>().unwrap_or(0)
    };
    let wait_for = |wanted: u64| {
        let until = Instant::now() + Duration::from_secs(60);
        while commits() < wanted {
            assert!(Instant::now() < until, "{} of {wanted} commits", commits());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait_for(3);
    codex_session(&world, "live", &world.repo(), 2);
    wait_for(6);
    world.command("kill", &world.repo()).args(["-TERM", &child.id().to_string()]).status().expect("it is told");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(commits(), 6);
    world.fsck();
}
