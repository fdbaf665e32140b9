//! Metadata files: what an entry has to say beyond its name and body.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::CodecError;

/// The largest metadata file that is read, in bytes.
pub const META_MAX: usize = 1 << 20;

/// Holds the facts of `<position>.meta.<id>.json`; fields of newer versions are kept.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Meta {
    /// The decision that the entry takes, as `key` or `key = value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// What a summary stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replaces>,
    /// Which subagent's answer this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapse: Option<Collapse>,
    /// Fields that this version does not know, in their order.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Points to the context of a subagent that answered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Collapse {
    /// Its branch, `<agent>/<branch>`.
    pub branch: String,
    /// Fields that this version does not know, in their order.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Says what a summary stands for; the entries themselves are in the first parent of its commit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Replaces {
    /// Number of entries that went.
    pub entries: u64,
    /// Their tokens.
    pub tokens: u64,
    /// How they were compressed, such as `mask` or `combine`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// How often: 1 for originals, one more than the highest of what it stands for else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u32>,
    /// Fields that this version does not know, in their order.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Replaces {
    /// Returns how often what it stands for was compressed; whoever does not say so did it once.
    pub fn times(&self) -> u32 {
        self.level.unwrap_or(1)
    }
}

impl Meta {
    /// Returns the bytes of the file: one JSON object and a newline.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("maps with text keys are JSON");
        bytes.push(b'\n');
        bytes
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it is larger than [`META_MAX`] or no JSON object of this shape.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        if bytes.len() > META_MAX {
            return Err(CodecError::Meta { reason: "the file is too large".to_owned() });
        }
        serde_json::from_slice(bytes).map_err(|error| CodecError::Meta { reason: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_never_changes_and_unknown_fields_are_kept() {
        let bytes = b"{\"replaces\":{\"entries\":3,\"tokens\":900,\"trigger\":\"auto\"},\"z\":1,\"a\":[2]}\n";
        let meta = Meta::decode(bytes).expect("well formed");
        assert_eq!(meta.encode(), bytes);
        let bytes = b"{\"replaces\":{\"entries\":3,\"tokens\":900,\"mode\":\"mask\",\"level\":2}}\n";
        let replaces = Meta::decode(bytes).expect("well formed").replaces.expect("there");
        assert_eq!((replaces.mode.as_deref(), replaces.level), (Some("mask"), Some(2)));
        assert_eq!((replaces.times(), Replaces::default().times()), (2, 1));
        assert!(Meta::decode(b"[]").is_err());
        assert!(Meta::decode(&vec![b' '; META_MAX + 1]).is_err());
        assert!(Meta::decode("[".repeat(5000).as_bytes()).is_err());
    }
}
