//! A row of the index: a commit of the code, and what wrote its lines. Versioned, as it lasts.

use serde::{Deserialize, Serialize};

use super::PatchId;
use crate::model::{EntryId, ObjectId};

/// The newest version that this program knows.
const VERSION: u32 = 1;

/// The largest record that is read, in bytes.
const RECORD_MAX: usize = 8 << 20;

/// Says which tool calls wrote the lines that a commit added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRecord {
    version: u32,
    /// The commit of the code.
    pub commit: ObjectId,
    /// What it changes, whatever it stands on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<PatchId>,
    /// The calls, in the order of their files and lines.
    pub links: Vec<Link>,
}

/// Names a tool call and the lines that it wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The context branch, `<agent>/<name>`.
    pub branch: String,
    /// The agent's own session, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The commit of the context that brought the call.
    pub trace: ObjectId,
    /// The entry that holds it.
    pub entry: EntryId,
    /// The call's id within the entry.
    pub call: String,
    /// The file, as the commit of the code has it.
    pub path: String,
    /// First and last lines of the file, from 1, that the call wrote.
    pub lines: Vec<(u32, u32)>,
}

/// Says why a record cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// A newer program wrote it.
    #[error("a link of version {version}, which this program does not know")]
    Newer {
        /// Its version.
        version: u32,
    },
    /// It is no record.
    #[error("a malformed link")]
    Malformed,
}

impl LinkRecord {
    /// Makes a record.
    pub fn new(commit: ObjectId, patch: Option<PatchId>, links: Vec<Link>) -> Self {
        LinkRecord { version: VERSION, commit, patch, links }
    }

    /// Returns the bytes that are stored.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("text and numbers are JSON");
        bytes.push(b'\n');
        bytes
    }

    /// Reads stored bytes; what a newer minor change added is left out.
    ///
    /// # Errors
    /// When it is of a newer version, too large, or no record.
    pub fn decode(bytes: &[u8]) -> Result<Self, LinkError> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        if bytes.len() > RECORD_MAX {
            return Err(LinkError::Malformed);
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|_| LinkError::Malformed)?;
        if head.version > VERSION {
            return Err(LinkError::Newer { version: head.version });
        }
        serde_json::from_slice(bytes).map_err(|_| LinkError::Malformed)
    }
}

impl Link {
    /// Tells whether the call wrote this line, from 1, of a file.
    pub fn covers(&self, path: &str, line: u32) -> bool {
        self.path == path && self.lines.iter().any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// Returns how many lines it wrote.
    pub fn count(&self) -> u64 {
        self.lines.iter().map(|(first, last)| u64::from(last.saturating_sub(*first)) + 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the first version wrote it: it is read for ever.
    const GOLDEN: &str = concat!(
        r#"{"version":1,"commit":"0101010101010101010101010101010101010101","#,
        r#""patch":"2222222222222222222222222222222222222222","links":[{"branch":"claude-1a2b/main","#,
        r#""session":"claude:1a2b","trace":"0303030303030303030303030303030303030303","entry":"x51q8z9mf4","#,
        r#""call":"toolu_01","path":"src/a.rs","lines":[[1,3],[7,7]]}]}"#,
        "\n"
    );

    #[test]
    fn a_record_is_what_it_was() {
        let link = Link {
            branch: "claude-1a2b/main".to_owned(),
            session: Some("claude:1a2b".to_owned()),
            trace: ObjectId::Sha1([3; 20]),
            entry: "x51q8z9mf4".parse().expect("an id"),
            call: "toolu_01".to_owned(),
            path: "src/a.rs".to_owned(),
            lines: vec![(1, 3), (7, 7)],
        };
        assert!(link.covers("src/a.rs", 3) && !link.covers("src/a.rs", 4) && !link.covers("b", 3));
        assert_eq!(link.count(), 4);
        let record = LinkRecord::new(ObjectId::Sha1([1; 20]), PatchId::parse(&"2".repeat(40)), vec![link]);
        assert_eq!(String::from_utf8_lossy(&record.encode()), GOLDEN);
        assert_eq!(LinkRecord::decode(GOLDEN.as_bytes()), Ok(record));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let newer = GOLDEN.replace("\"version\":1", "\"version\":2");
        assert_eq!(LinkRecord::decode(newer.as_bytes()), Err(LinkError::Newer { version: 2 }));
        let more = GOLDEN.replace("\"version\":1", "\"version\":1,\"later\":[1]");
        assert!(LinkRecord::decode(more.as_bytes()).is_ok());
        for bad in ["", "{}", "[]", "{\"version\":1}", "\u{0}"] {
            assert_eq!(LinkRecord::decode(bad.as_bytes()), Err(LinkError::Malformed), "{bad}");
        }
    }
}
