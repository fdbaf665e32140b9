//! Real transcripts, where the shared data is at hand.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::incremental::{check_cuts, check_every_line};
use super::replay::read_all;

fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("GITTRACE_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = shared.unwrap_or(beside).join("data/transcripts");
    if !folder.is_dir() {
        println!("skipped: no shared transcripts");
        return None;
    }
    Some(folder)
}

fn transcripts(folder: &Path) -> Vec<(String, Value)> {
    let text = fs::read_to_string(folder.join("EXPECTED.json")).expect("facts");
    let facts: serde_json::Map<String, Value> = serde_json::from_str(&text).expect("JSON");
    facts.into_iter().filter(|(_, facts)| facts["format"] == "claude-jsonl").collect()
}

#[test]
fn real_transcripts_hold_what_an_independent_count_says() {
    let Some(folder) = folder() else { return };
    for (name, facts) in transcripts(&folder) {
        let bytes = fs::read(folder.join(&name)).expect("the file");
        let (_, outcome) = read_all(&bytes);
        let found = outcome.summary;
        assert_eq!((outcome.issues.len(), outcome.pending), (0, 0), "{name}");
        // The independent count leaves lines out that are no objects.
        let scalars = if name.ends_with("edge_cases.jsonl") { 3 } else { 0 };
        assert_eq!(found.lines - scalars, facts["lines"], "{name}");
        for (kind, count) in facts["kinds"].as_object().expect("kinds") {
            let kind = if kind == "None" { "untyped" } else { kind };
            let more = if kind == "untyped" { scalars } else { 0 };
            let count = count.as_u64().expect("a count") + more;
            assert_eq!(found.kinds.get(kind), Some(&count), "{name}: {kind}");
        }
        // It counts lines, we count messages: lines whose uuid came before are none (one in each of these two), nor are
        // the two with a misspelt `content`.
        let no_prompts = match name.rsplit('/').next() {
            Some("edge_cases.jsonl") => 3,
            Some("claude-normalization-main.jsonl") => 1,
            _ => 0,
        };
        assert_eq!(found.prompts + no_prompts, facts["prompts"], "{name}: prompts");
        // It counts all messages without an id as one.
        assert_eq!(found.api_messages + found.unnamed_messages.min(1), facts["api_messages"], "{name}: messages");
        assert_eq!(found.tool_uses, facts["tool_use"], "{name}: tool calls");
        assert_eq!(found.tool_results, facts["tool_result"], "{name}: tool results");
        assert_eq!(found.thinking, facts["thinking_blocks"], "{name}: thinking");
        assert_eq!(found.images, facts["images"], "{name}: images");
        assert_eq!(found.sidechain_lines, facts["sidechain_lines"], "{name}: sidechain lines");
        assert_eq!(found.duplicates, facts["dup_uuids"], "{name}: duplicates");
        assert_eq!(found.dangling, facts["dangling_parents"], "{name}: dangling parents");
        let compactions = found.compactions.iter().map(|one| (one.trigger.as_deref(), one.tokens));
        let expected = facts["compactions"].as_array().expect("a list").iter();
        let expected = expected.map(|one| (one["trigger"].as_str(), one["preTokens"].as_u64()));
        assert!(compactions.eq(expected), "{name}: compactions");
        let usage = &facts["usage_dedup_max_output"];
        if found.unnamed_messages == 0 {
            let sums = [found.usage.input, found.usage.cache_write, found.usage.cache_read, found.usage.output];
            let keys = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"];
            assert_eq!(sums.to_vec(), keys.map(|key| usage[key].as_u64().expect("a sum")), "{name}: usage");
        }
        assert_eq!(found.finished_messages, facts["messages_with_final_stop_reason"], "{name}: finished");
        assert_eq!(found.rewinds, 0, "{name}: no prompt in it was edited");
    }
}

#[test]
fn every_real_transcript_reads_the_same_in_parts() {
    let Some(folder) = folder() else { return };
    for (name, _) in transcripts(&folder) {
        let bytes = fs::read(folder.join(&name)).expect("the file");
        if bytes.len() < 60_000 {
            check_every_line(&bytes, &name);
        } else {
            let ends: Vec<usize> = memchr::memchr_iter(b'\n', &bytes).map(|at| at + 1).collect();
            let step = ends.len() / 40 + 1;
            for end in ends.iter().step_by(step) {
                check_cuts(&bytes, &[end - 1], &name);
                check_cuts(&bytes, &[*end], &name);
            }
            check_cuts(&bytes, &ends, &name);
        }
    }
}

#[test]
fn every_line_file_at_hand_is_read() {
    let Some(folder) = folder() else { return };
    let mut folders = vec![folder];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "jsonl") {
                let bytes = fs::read(&path).expect("the file");
                let (_, outcome) = read_all(&bytes);
                assert_eq!((outcome.summary.broken, outcome.pending), (0, 0), "{}", path.display());
                let rewinds = u64::from(path.ends_with("dag_compact_after_rewind_preserved.jsonl"));
                assert_eq!(outcome.summary.rewinds, rewinds, "{}", path.display());
                check_cuts(&bytes, &[bytes.len() / 3, bytes.len() / 2], &path.to_string_lossy());
                files += 1;
            }
        }
    }
    assert!(files > 50, "{files}");
}

#[test]
fn a_session_that_grew_reads_the_same_snapshot_by_snapshot() {
    let Some(folder) = folder() else { return };
    let mut names: Vec<PathBuf> = fs::read_dir(folder.join("entire-cli/grow-cc432c40"))
        .expect("the series")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    names.sort();
    let sizes: Vec<usize> = names.iter().map(|name| fs::read(name).expect("the file").len()).collect();
    let last = fs::read(&names[4]).expect("the file");
    check_cuts(&last, &sizes[..4], "grow-cc432c40");
}
