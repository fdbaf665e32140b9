//! The first entry of a run's branch: what is run, where, and how it stands.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{Branch, BranchError, EntryId};

/// The agent under which the branches of runs are.
const AGENT: &str = "run";
/// Longest part of a run's id that comes from the name of its workflow, in characters.
const SLUG_MAX: usize = 40;
/// Characters of a run's id that are random.
const RANDOM: usize = 6;

/// Names a run: the workflow's name and six random characters, such as `deploy-3kd9w1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// Says that a text cannot be a run's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a run's id: '{text}'")]
pub struct RunIdError {
    /// The text as given.
    pub text: String,
}

impl RunId {
    /// Makes the id of a new run of a workflow; `random` makes it another one than all others.
    pub fn new(workflow: &str, random: EntryId) -> Self {
        let mut slug = String::new();
        for one in workflow.chars().take(SLUG_MAX) {
            match one.to_ascii_lowercase() {
                kept @ ('a'..='z' | '0'..='9') => slug.push(kept),
                _ if slug.ends_with('-') || slug.is_empty() => {}
                _ => slug.push('-'),
            }
        }
        let slug = slug.trim_end_matches('-');
        let slug = if slug.is_empty() { "run" } else { slug };
        RunId(format!("{slug}-{}", &random.as_str()[EntryId::LEN - RANDOM..]))
    }

    /// Reads an id, or the name of a run's branch.
    ///
    /// # Errors
    /// When it cannot be the name of a branch.
    pub fn parse(text: &str) -> Result<Self, RunIdError> {
        let name = text.strip_prefix("run/").unwrap_or(text);
        Branch::new(AGENT, name).map(|_| RunId(name.to_owned())).map_err(|_| RunIdError { text: text.to_owned() })
    }

    /// Returns the id of the run whose branch this is.
    pub fn of_branch(branch: &Branch) -> Option<Self> {
        (branch.agent() == AGENT).then(|| RunId(branch.name().to_owned()))
    }

    /// Returns the branch of the run.
    pub fn branch(&self) -> Branch {
        let made: Result<Branch, BranchError> = Branch::new(AGENT, &self.0);
        made.expect("every id is checked when it is made")
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl TryFrom<String> for RunId {
    type Error = RunIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        RunId::parse(&text)
    }
}

/// Says how a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It goes on.
    InProgress,
    /// All is done.
    Completed,
    /// It cannot go on as it is.
    Failed,
    /// The agent says that something is in its way.
    Blocked,
    /// It has used up its turns.
    Exhausted,
    /// It waits for a person.
    Suspended,
    /// A person, or a limit of time, has stopped it.
    Cancelled,
}

impl Status {
    /// Returns the name as it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Status::InProgress => "in-progress",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Blocked => "blocked",
            Status::Exhausted => "exhausted",
            Status::Suspended => "suspended",
            Status::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Names what is run, as exactly as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WorkflowUsed {
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The reference by which it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The commit that it was read at, in its own repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The tree that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
}

/// Holds the first entry of a run's branch; fields of newer versions are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of this form; 1 now.
    pub version: u32,
    /// The run.
    pub run: RunId,
    /// What is run.
    pub workflow: WorkflowUsed,
    /// What is to be achieved.
    pub task: String,
    /// When it began, in RFC 3339.
    pub started: String,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// How it stands.
    pub status: Status,
    /// Why, where that needs words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The folder of its `trace.md`: relative to the top of the work tree, with `/`; `.` is the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Fields that this version does not know, in their order.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_names_of_branches() {
        let random = EntryId::from_bits(0x3_1234_5678);
        for name in ["deploy", "Ship It!", "---", "", "é", &"x".repeat(200)] {
            let id = RunId::new(name, random);
            assert_eq!(RunId::parse(&id.branch().to_string()), Ok(id.clone()), "{name}");
        }
        assert!(RunId::new("Ship It!", random).as_str().starts_with("ship-it-"));
        assert!(RunId::parse("../x").is_err() && RunId::parse("a/b").is_err());
    }
}
