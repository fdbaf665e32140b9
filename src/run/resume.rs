//! A run that was left is taken up again: by whom, and what was found.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Says how a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// With the next step: the last one is done.
    Continue,
    /// With the step that was interrupted, begun anew.
    Rerun,
    /// With a look at what the interrupted step left behind; it stays open.
    Investigate,
    /// As a person says, after something failed.
    Human,
}

impl Decision {
    /// Returns the name as it is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Decision::Continue => "continue",
            Decision::Rerun => "rerun",
            Decision::Investigate => "investigate",
            Decision::Human => "human",
        }
    }

    /// Reads a name as a person writes it.
    pub fn from_words(words: &str) -> Option<Self> {
        match words.trim().to_ascii_lowercase().as_str() {
            "continue" => Some(Decision::Continue),
            "rerun" | "re-run" => Some(Decision::Rerun),
            "investigate" => Some(Decision::Investigate),
            "human" => Some(Decision::Human),
            _ => None,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Tells an entry of this kind from others of role `event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Tag {
    #[serde(rename = "resume")]
    Resume,
}

/// Holds an entry of role `event` and type `resume`; fields of newer versions are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    #[serde(rename = "type")]
    tag: Tag,
    /// When, in RFC 3339.
    pub at: String,
    /// The last step then; 0 if there was none.
    pub step: u32,
    /// How it goes on.
    pub decision: Decision,
    /// What the person, or the agent, says to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Files that steps had made and that were gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Files that steps had made and that were different.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Fields that this version does not know, in their order.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Resume {
    /// Names the type in its entry.
    pub const TYPE: &'static str = "resume";

    /// Makes an entry without remarks.
    pub fn new(at: String, step: u32, decision: Decision) -> Self {
        Resume {
            tag: Tag::Resume,
            at,
            step,
            decision,
            note: None,
            missing: Vec::new(),
            changed: Vec::new(),
            other: Map::new(),
        }
    }
}
