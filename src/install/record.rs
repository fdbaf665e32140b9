//! What was installed, remembered so that it can be taken away byte for byte.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The version of the record that this program writes.
const VERSION: u32 = 1;

/// Remembers what was installed in a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    version: u32,
    /// Files of agents, of all worktrees.
    #[serde(default)]
    pub agents: Vec<AgentFile>,
    /// git's hooks, which all worktrees share.
    #[serde(default)]
    pub hooks: Option<HookFolder>,
    /// Whether the list of ignored files is ours as a whole.
    #[serde(default)]
    pub made_exclude: bool,
    /// Whether the folder of that list is ours too.
    #[serde(default)]
    pub made_info: bool,
}

/// Remembers one file of an agent's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentFile {
    /// The agent's name.
    pub agent: String,
    /// The file.
    pub path: PathBuf,
    /// The work tree that it is in.
    pub work_tree: PathBuf,
    /// Whether it is shared with others.
    pub shared: bool,
    /// What the file held when we had written it.
    pub hash: String,
    /// What was put in; the rest is what was there.
    pub inserted: Vec<Range<usize>>,
    /// Whether the file was made by us.
    pub made: bool,
    /// Folders that were made for it, the outer one first.
    #[serde(default)]
    pub made_folders: Vec<PathBuf>,
    /// What was there and empty.
    #[serde(default)]
    pub empty: Vec<String>,
    /// The line that keeps it out of `git status`.
    #[serde(default)]
    pub excluded: Option<String>,
    /// What it held, if entries that look like ours were in it before: they are the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
}

/// Remembers where git's hooks were installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookFolder {
    /// The folder.
    pub folder: PathBuf,
    /// Whether it was made by us.
    pub made: bool,
    /// Whether it is shared with others.
    #[serde(default)]
    pub shared: bool,
    /// The hooks.
    pub names: Vec<String>,
    /// Those of them whose files were made by us.
    #[serde(default)]
    pub made_names: Vec<String>,
}

impl Default for Record {
    fn default() -> Self {
        Record { version: VERSION, agents: Vec::new(), hooks: None, made_exclude: false, made_info: false }
    }
}

impl Record {
    /// Reads a record; `None` if it is of another version, or no record.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let record: Record = serde_json::from_slice(bytes).ok()?;
        let sound = |ranges: &[Range<usize>]| {
            ranges.iter().all(|range| range.start <= range.end)
                && ranges.windows(2).all(|two| two[0].end <= two[1].start)
        };
        (record.version == VERSION && record.agents.iter().all(|file| sound(&file.inserted))).then_some(record)
    }

    /// Returns the record's bytes.
    ///
    /// # Errors
    /// When a path is not UTF-8.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Tells whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.hooks.is_none()
    }

    /// Returns what is remembered of a file.
    pub fn file(&self, path: &Path) -> Option<&AgentFile> {
        self.agents.iter().find(|file| file.path == path)
    }

    /// Forgets a file.
    pub fn forget(&mut self, path: &Path) {
        self.agents.retain(|file| file.path != path);
    }

    /// Returns the lines that keep files out of `git status`, each once.
    pub fn excluded(&self) -> Vec<&str> {
        let mut lines: Vec<&str> = self.agents.iter().filter_map(|file| file.excluded.as_deref()).collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }
}

/// Returns the name of what a file holds.
pub fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_odd_ones_are_none() {
        let file = AgentFile {
            agent: "claude".to_owned(),
            path: "/r/.claude/settings.json".into(),
            work_tree: "/r".into(),
            shared: false,
            hash: hash(b"x"),
            inserted: vec![1..3, 5..9],
            made: false,
            made_folders: Vec::new(),
            empty: Vec::new(),
            excluded: Some("/.claude/settings.json".to_owned()),
            original: None,
        };
        let record = Record { agents: vec![file], ..Record::default() };
        assert_eq!(Record::parse(&record.to_bytes().expect("UTF-8")), Some(record.clone()));
        let text = String::from_utf8(record.to_bytes().expect("UTF-8")).expect("text");
        for odd in [
            text.replace("\"version\": 1", "\"version\": 2"),
            text.replace("\"start\": 5", "\"start\": 2"),
            text.replace("\"end\": 9", "\"end\": 4"),
            String::new(),
            "[]".to_owned(),
        ] {
            assert_eq!(Record::parse(odd.as_bytes()), None, "{odd}");
        }
    }
}
