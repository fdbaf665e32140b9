//! Files that were imported as they are: they are not read again to find out whose they are.
//!
//! Records that are read whole tell their session only then. What is remembered here, by the file's path, is a shortcut;
//! losing it costs time only.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Import, Imported, ImportedBranch, nothing};
use crate::capture::{Agent, SessionFacts, stamp};
use crate::model::{Branch, ObjectId};
use crate::ops::{OpError, Workspace};

/// A larger file is none of ours.
const FILE_MAX: u64 = 64 * 1024;

/// Remembers what a file was like when it was imported, and as what.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Seen {
    stamp: String,
    record: String,
    id: String,
    agent: String,
    current: Option<String>,
}

impl Seen {
    /// Describes what was imported.
    pub(super) fn new(stamp: String, record: Agent, id: String, imported: &Imported) -> Self {
        let (agent, current) = (imported.agent.clone(), imported.current.clone());
        Seen { stamp, record: record.name().to_owned(), id, agent, current }
    }

    /// Remembers it. Where that is not possible, the next import takes longer.
    pub(super) fn remember(&self, workspace: &Workspace, path: &Path) {
        let Some(file) = file_of(workspace, path) else { return };
        let text = serde_json::to_vec(self).expect("text is JSON");
        let temporary = file.with_extension(format!("{:08x}", fastrand::u32(..)));
        let folder = file.parent().expect("it is in our folder");
        let _ = fs::create_dir_all(folder)
            .and_then(|()| fs::write(&temporary, text))
            .and_then(|()| fs::rename(&temporary, &file));
    }
}

/// Answers for a file that has not changed since it was imported in the way that is asked for; `None` for any other.
pub(super) fn unchanged(workspace: &Workspace, request: &Import) -> Result<Option<Imported>, OpError> {
    let Some(file) = file_of(workspace, &request.path) else { return Ok(None) };
    let small = fs::metadata(&file).is_ok_and(|data| data.is_file() && data.len() <= FILE_MAX);
    let text = small.then(|| fs::read(&file).ok()).flatten();
    let Some(seen) = text.and_then(|text| serde_json::from_slice::<Seen>(&text).ok()) else { return Ok(None) };
    let Ok(record) = seen.record.parse::<Agent>() else { return Ok(None) };
    let is_asked = request.agent.is_none_or(|agent| agent == record)
        && request.name.as_ref().is_none_or(|name| *name == seen.agent)
        && stamp(&request.path).ok().flatten().is_some_and(|now| now == seen.stamp);
    if !is_asked {
        return Ok(None);
    }
    let tips = workspace.repo.branches_of(&seen.agent)?;
    if tips.is_empty() {
        return Ok(None);
    }
    let facts = SessionFacts { id: Some(seen.id.clone()), ..SessionFacts::default() };
    let found = nothing(record, format!("{record}:{}", seen.id), seen.agent, facts);
    let named = |(branch, commit): (Branch, ObjectId)| ImportedBranch { branch: branch.to_string(), commit };
    Ok(Some(Imported { current: seen.current, branches: tips.into_iter().map(named).collect(), ..found }))
}

/// Lists what is remembered of files that became this agent's branches.
pub(super) fn files_of_agent(workspace: &Workspace, agent: &str) -> Vec<PathBuf> {
    let folder = workspace.repo.trace_dir().join("watermarks/by-path");
    let files = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|file| file.path());
    let is_its = |path: &PathBuf| {
        let small = fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() <= FILE_MAX);
        let seen = small.then(|| serde_json::from_slice::<Seen>(&fs::read(path).ok()?).ok()).flatten();
        seen.is_some_and(|seen| seen.agent == agent)
    };
    files.filter(is_its).collect()
}

fn file_of(workspace: &Workspace, path: &Path) -> Option<PathBuf> {
    let path = fs::canonicalize(path).ok()?;
    let hash = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
    Some(workspace.repo.trace_dir().join("watermarks/by-path").join(format!("{}.json", &hash[..24])))
}
