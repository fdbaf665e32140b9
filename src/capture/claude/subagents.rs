//! Where the transcripts of a session's subagents are.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::line::Line;
use super::lines::Lines;

/// The first line of a subagent's transcript is its prompt; a longer one says nothing about its session.
const FIRST_LINE: usize = 4 * 1024 * 1024;

/// Finds the transcripts of the subagents of the session that `session` is the transcript of, sorted by path.
///
/// They are `<session>/subagents/agent-<id>.jsonl`, or, in older versions, those `agent-<id>.jsonl` beside the session
/// whose first line names it.
///
/// # Errors
/// When a folder that exists cannot be listed.
pub fn subagent_files(session: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = agent_files(&session.with_extension("").join("subagents"))?;
    let name = session.file_stem().unwrap_or_default().to_string_lossy();
    let beside = agent_files(session.parent().unwrap_or(Path::new("")))?;
    found.extend(beside.into_iter().filter(|path| path != session && names_session(path, &name)));
    found.sort();
    Ok(found)
}

fn agent_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("agent-") && name.ends_with(".jsonl") && entry.file_type()?.is_file() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn names_session(path: &Path, session: &str) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let mut lines = Lines::new(file, 0, FIRST_LINE);
    let Ok(Some(span)) = lines.next() else { return false };
    Line::parse(lines.bytes(&span)).is_ok_and(|line| line.session().as_deref() == Some(session))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subagents_are_found_in_both_places_and_not_those_of_other_sessions() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("s1/subagents")).expect("a folder");
        for (name, text) in [
            ("s1.jsonl", "{}\n"),
            ("s1/subagents/agent-b.jsonl", "not even JSON"),
            ("s1/subagents/notes.jsonl", "{}"),
            ("agent-a.jsonl", "{\"sessionId\":\"s1\"}\n{}\n"),
            ("agent-z.jsonl", "{\"sessionId\":\"s2\"}\n"),
            ("agent-y.jsonl", "broken\n"),
        ] {
            fs::write(at(name), text).expect("a file");
        }
        let found = subagent_files(&at("s1.jsonl")).expect("listed");
        assert_eq!(found, [at("agent-a.jsonl"), at("s1/subagents/agent-b.jsonl")]);
        assert_eq!(subagent_files(&at("gone/s3.jsonl")).expect("nothing there"), [] as [PathBuf; 0]);
    }
}
