//! Recorded sessions, where the shared data is at hand. Nothing of them is copied here.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::*;
use crate::export::validate;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(rename = "isSidechain", default)]
    is_sidechain: Option<bool>,
}

#[derive(Deserialize)]
struct Message<'a> {
    id: Option<String>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// Reads a transcript line by line: an assistant's lines with one message id are one entry.
fn session_of(path: &Path) -> Vec<Item> {
    let Ok(transcript) = fs::read_to_string(path) else { return Vec::new() };
    let mut entries: Vec<(&str, Vec<&str>, Option<&str>)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for line in transcript.lines() {
        let Ok(line) = serde_json::from_str::<Line<'_>>(line) else { continue };
        let kind = line.kind.map_or("", RawValue::get).trim_matches('"');
        if line.is_sidechain == Some(true) || !matches!(kind, "user" | "assistant") {
            continue;
        }
        let Some(message) = line.message.and_then(|raw| serde_json::from_str::<Message<'_>>(raw.get()).ok()) else {
            continue;
        };
        let Some(content) = message.content.map(RawValue::get) else { continue };
        let Ok(blocks) = serde_json::from_str::<Vec<&RawValue>>(content) else {
            entries.push((kind, Vec::new(), Some(content)));
            continue;
        };
        let blocks = blocks.into_iter().map(RawValue::get);
        let place = *message.id.map_or(&entries.len(), |id| known.entry(id).or_insert(entries.len()));
        if place == entries.len() {
            entries.push((kind, Vec::new(), None));
        }
        // Some records repeat a line of a message.
        for block in blocks {
            if !entries[place].1.contains(&block) {
                entries[place].1.push(block);
            }
        }
    }
    let bodies = entries.iter().enumerate().map(|(place, (role, blocks, whole))| {
        let body = whole.map_or_else(|| format!("[{}]", blocks.join(",")), str::to_owned);
        item(place, role, BodyKind::Json, body.as_bytes())
    });
    bodies.collect()
}

fn transcripts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            transcripts(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "jsonl") {
            found.push(path);
        }
    }
    found.sort();
}

#[test]
fn recorded_sessions_are_rendered_or_refused_with_a_reason() {
    let shared = std::env::var("GITTRACE_SHARED").unwrap_or_else(|_| "../shared/data".to_owned());
    let folder = Path::new(&shared).join("transcripts");
    if !folder.is_dir() {
        eprintln!("skipped: no recorded sessions at hand");
        return;
    }
    let mut found = Vec::new();
    transcripts(&folder, &mut found);
    let (mut sessions, mut valid) = (0, 0);
    for path in found {
        let items = session_of(&path);
        if items.len() < 2 {
            continue;
        }
        sessions += 1;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        for format in [Format::Anthropic, Format::OpenaiChat, Format::OpenaiResponses] {
            let options = Options { trim: true, pad: true, ..Options::new(format) };
            match try_render(&items, options) {
                Ok((document, rendered)) => {
                    valid += 1;
                    checker::check(format, &document).unwrap_or_else(|fault| panic!("{name} as {format}: {fault}"));
                    eprintln!("{name} {format}: {} messages, {} dropped", rendered.messages, rendered.dropped.len());
                    if let Ok(folder) = std::env::var("GITTRACE_TYPE_CHECK_DIR") {
                        fs::write(format!("{folder}/{name}.{format}.json"), document).expect("a writable folder");
                    }
                }
                Err(refusal) => {
                    eprintln!("{name} {format}: {refusal}");
                    assert!(!validate(&items).is_empty() && refusal.hint().is_some());
                }
            }
        }
    }
    assert!(sessions > 0 && valid > sessions, "{valid} documents of {sessions} sessions");
}
