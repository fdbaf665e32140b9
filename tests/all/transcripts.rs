//! Real transcripts, whole: imported, checked by git, compared with facts that an independent script found.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::world::{World, shared_data};

/// Returns all JSONL files of the shared data, those of other agents too: none may make an import fail.
fn transcripts(data: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(data.join("transcripts")).sort_by_file_name().into_iter().filter_map(Result::ok);
    let files = files.map(walkdir::DirEntry::into_path);
    files.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl")).collect()
}

fn import(world: &World, path: &Path, agent: &str) -> Value {
    let path = path.to_str().expect("a plain path");
    let answer = world.ok(&["import", "claude", path, "--as", agent, "--no-subagents", "--json"]);
    serde_json::from_str(&answer).expect("one document")
}

#[test]
fn every_transcript_is_imported_and_sound() {
    let Some(data) = shared_data() else { return };
    let expected: Value =
        serde_json::from_slice(&std::fs::read(data.join("transcripts/EXPECTED.json")).expect("facts")).expect("JSON");
    let world = World::new("sha1");
    let mut checked = 0;
    for (nth, path) in transcripts(&data).iter().enumerate() {
        let agent = format!("agent-{nth}");
        let answer = import(&world, path, &agent);
        let name = path.strip_prefix(data.join("transcripts")).expect("below").to_str().expect("plain").to_owned();
        let facts = &expected[&name];
        if facts["format"] != "claude-jsonl" {
            continue;
        }
        checked += 1;
        let summary = &answer["summary"];
        for (ours, theirs) in [
            ("api_messages", "api_messages"),
            ("tool_uses", "tool_use"),
            ("tool_results", "tool_result"),
            ("thinking", "thinking_blocks"),
            ("images", "images"),
        ] {
            let named =
                if ours == "api_messages" && summary["unnamed_messages"] != 0 { continue } else { &summary[ours] };
            assert_eq!(named, &facts[theirs], "{name}: {theirs}");
        }
        let reported = &facts["usage_dedup_max_output"];
        if summary["unnamed_messages"] == 0 && reported["output_tokens"].is_u64() {
            assert_eq!(summary["usage"]["output"], reported["output_tokens"], "{name}");
            assert_eq!(summary["usage"]["cache_read"], reported["cache_read_input_tokens"], "{name}");
        }
        // The usage of the commits is that of the record: each API message once.
        let branch = format!("{agent}/main");
        let log = world.ok(&["log", "--json", "--branch", &branch]);
        let outputs = log.lines().map(|line| {
            serde_json::from_str::<Value>(line).expect("a document")["usage"]["output"].as_u64().unwrap_or(0)
        });
        if summary["sidechain_lines"] == 0 && summary["rewinds"] == 0 {
            assert_eq!(Value::from(outputs.sum::<u64>()), summary["usage"]["output"], "{name}");
        }
    }
    assert!(checked >= 32, "only {checked} files had facts");
    world.fsck();
}

#[test]
fn snapshots_of_a_growing_session_add_up() {
    let Some(data) = shared_data() else { return };
    let world = World::new("sha256");
    let series: Vec<PathBuf> =
        transcripts(&data).into_iter().filter(|path| path.to_string_lossy().contains("grow-cc432c40")).collect();
    assert_eq!(series.len(), 5);
    let tree =
        |agent: &str| world.git(&["rev-parse", &format!("refs/trace/heads/{agent}/main^{{tree}}")], &world.repo());
    for (nth, path) in series.iter().enumerate() {
        let answer = import(&world, path, "grown");
        assert_ne!(answer["commits"], 0, "each snapshot has something new");
        import(&world, path, &format!("whole-{nth}"));
        assert_eq!(tree("grown"), tree(&format!("whole-{nth}")), "{}", path.display());
    }
    let last = series.last().expect("five");
    assert_eq!(import(&world, last, "grown")["commits"], 0, "importing twice changes nothing");
    // Without the watermark the ids tell what is known, also for an older and shorter file.
    std::fs::remove_dir_all(world.repo().join(".git/trace/watermarks")).expect("the watermarks");
    assert_eq!(import(&world, last, "grown")["commits"], 0);
    assert_eq!(import(&world, &series[1], "grown")["commits"], 0);
    world.fsck();
}

#[test]
fn what_is_imported_can_be_sent() {
    let Some(data) = shared_data() else { return };
    let world = World::new("sha1");
    let (mut sent, mut refused) = (0, Vec::new());
    for (nth, path) in
        transcripts(&data).iter().enumerate().filter(|(_, path)| path.to_string_lossy().contains("/claude/"))
    {
        let agent = format!("agent-{nth}");
        import(&world, path, &agent);
        for format in ["anthropic", "openai-chat", "openai-responses"] {
            let output = world
                .trace(&["context", "--as", format, "--trim", "--branch", &format!("{agent}/main")])
                .output()
                .expect("runs");
            if output.status.success() {
                sent += 1;
                serde_json::from_slice::<Value>(&output.stdout).expect("one document");
            } else {
                refused.push(String::from_utf8_lossy(&output.stderr).into_owned());
            }
        }
    }
    assert!(sent >= 20 && refused.iter().all(|reason| reason.contains("hint:")), "{sent} sent, refused: {refused:?}");
}

#[test]
fn subagents_become_agents_of_their_own() {
    let Some(data) = shared_data() else { return };
    let world = World::new("sha1");
    let parent = world.root().join("sess-parent-abc.jsonl");
    std::fs::write(&parent, "{\"type\":\"user\",\"uuid\":\"u1\",\"sessionId\":\"sess-parent-abc\",\"message\":{\"role\":\"user\",\"content\":\"go\"}}\n").expect("a file");
    let subagents = world.root().join("sess-parent-abc/subagents");
    std::fs::create_dir_all(&subagents).expect("a folder");
    let name = "agent-a1b2c3d4e5f6.jsonl";
    let from =
        data.join("transcripts/git-ai/transcripts/fixtures/claude_subagent/sess-parent-abc/subagents").join(name);
    std::fs::copy(from, subagents.join(name)).expect("a transcript");
    world.ok(&["import", "claude", parent.to_str().expect("plain")]);
    let refs = world.git(&["for-each-ref", "--format=%(refname)", "refs/trace"], &world.repo());
    assert_eq!(refs, "refs/trace/heads/claude-sess-a1b2c3d4e5f6/main\nrefs/trace/heads/claude-sess/main\n");
    world.fsck();
}
