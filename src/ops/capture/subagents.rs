//! The records of a session's subagents: where they are, and which of them have grown.

use std::fs;
use std::path::{Path, PathBuf};

use super::record::{SessionRecord, SubagentRecord};
use crate::capture::Event;

/// Most subagents of one session that are looked at.
const SUBAGENTS_MAX: usize = 10_000;

/// Finds the records of subagents that have grown since they were last seen: those that the event or the session's
/// record names, and with `look` all in the session's own folder.
pub(super) fn grown(record: &mut SessionRecord, event: &Event, look: bool) -> Vec<(String, PathBuf, u64)> {
    let folder = record.transcript.as_ref().map(|path| path.with_extension("").join("subagents"));
    if let Some(id) = &event.subagent {
        let known = record.subagents.entry(id.clone()).or_default();
        let beside = folder.as_ref().filter(|_| is_plain(id)).map(|folder| folder.join(file_name(id)));
        known.transcript = event.subagent_transcript.clone().or(known.transcript.take()).or(beside);
    }
    if let Some(folder) = folder.filter(|_| look) {
        for (id, path) in list(&folder) {
            let empty = || SubagentRecord { transcript: Some(path), bytes: 0 };
            record.subagents.entry(id).or_insert_with(empty);
        }
    }
    let has_grown = |(id, known): (&String, &SubagentRecord)| {
        let path = known.transcript.clone()?;
        let bytes = fs::metadata(&path).ok().filter(|data| data.is_file())?.len();
        (bytes != known.bytes).then(|| (id.clone(), path, bytes))
    };
    record.subagents.iter().filter_map(has_grown).collect()
}

fn list(folder: &Path) -> Vec<(String, PathBuf)> {
    let files = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).take(SUBAGENTS_MAX);
    let id_of = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        Some(name.strip_prefix("agent-")?.strip_suffix(".jsonl")?.to_owned())
    };
    files.map(|file| file.path()).filter_map(|path| Some((id_of(&path)?, path))).collect()
}

fn file_name(id: &str) -> String {
    format!("agent-{}.jsonl", id.strip_prefix("agent-").unwrap_or(id))
}

/// Tells whether an id can be a part of a file's name: it comes from outside.
fn is_plain(id: &str) -> bool {
    id.chars().all(|one| one.is_ascii_alphanumeric() || one == '-' || one == '_')
}
