//! A step of a run: what was to be done, what came of it, and what was learnt.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Says how a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepStatus {
    /// It was begun; nothing is known of its end.
    InProgress,
    /// It is done.
    Completed,
    /// It could not be done.
    Failed,
}

impl StepStatus {
    /// Returns the name as it is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            StepStatus::InProgress => "in-progress",
            StepStatus::Completed => "completed",
            StepStatus::Failed => "failed",
        }
    }

    /// Reads a name as a person writes it: `in progress`, `Completed`, `done`.
    pub fn from_words(words: &str) -> Option<Self> {
        let words = words.trim().to_ascii_lowercase().replace([' ', '_'], "-");
        match words.as_str() {
            "in-progress" | "started" => Some(StepStatus::InProgress),
            "completed" | "complete" | "done" => Some(StepStatus::Completed),
            "failed" => Some(StepStatus::Failed),
            _ => None,
        }
    }
}

impl fmt::Display for StepStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Names a file that a step made, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Where it is: from the top of the work tree, with `/`.
    pub path: String,
    /// The object id that git would give its content; `None` where it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

impl Artifact {
    /// Returns the object id and the size as they were recorded, where both make sense.
    pub fn recorded(&self) -> Option<(&str, u64)> {
        let blob = self.blob.as_deref()?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_id = matches!(blob.len(), 40 | 64) && blob.bytes().all(is_hex);
        Some((blob, self.size?)).filter(|_| is_id)
    }

    /// Returns the artifact with what was recorded of it, or with its path alone.
    #[must_use]
    pub fn settled(&self) -> Self {
        match self.recorded() {
            Some(_) => self.clone(),
            None => Artifact { path: self.path.clone(), blob: None, size: None },
        }
    }
}

/// Holds an entry of role `step`; fields of newer versions are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its number, from 1.
    pub number: u32,
    /// What is to be done, on one line.
    pub action: String,
    /// How it stands.
    pub status: StepStatus,
    /// When it was begun, in RFC 3339.
    pub started: String,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What was hard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenges: Option<String>,
    /// Where the work left the plan; an empty list says that it did not, `None` that nobody has said yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub design_changes: Option<Vec<String>>,
    /// What was attempted, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempted: Option<String>,
    /// What was tried against it, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<String>,
    /// Remarks, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The files that it made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
    /// Fields that this version does not know, in their order.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Step {
    /// Makes a step that begins now.
    pub fn new(number: u32, action: &str, started: String) -> Self {
        Step {
            number,
            action: action.split_whitespace().collect::<Vec<_>>().join(" "),
            status: StepStatus::InProgress,
            started,
            ended: None,
            summary: None,
            challenges: None,
            design_changes: None,
            attempted: None,
            tried: None,
            notes: Vec::new(),
            artifacts: Vec::new(),
            other: Map::new(),
        }
    }
}

/// Reads design changes as they are given on a command line: `none` says that there are none, blanks say nothing.
pub fn design_changes(given: &[String]) -> Option<Vec<String>> {
    let said: Vec<&str> = given.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    let changes = said.iter().filter(|text| !is_none(text)).map(|text| (*text).to_owned());
    (!said.is_empty()).then(|| changes.collect())
}

/// Tells whether a text says that there is nothing.
pub(super) fn is_none(text: &str) -> bool {
    text.trim().trim_end_matches('.').eq_ignore_ascii_case("none")
}
