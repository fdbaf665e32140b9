//! The first bytes of a record, which tell whose it is.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::SessionFacts;

/// Bytes at the start of a record in which its session is looked for.
pub(super) const HEAD_BYTES: u64 = 1 << 20;

/// Values longer than this are no ids, names or folders.
const VALUE_BYTES: usize = 4096;

/// Holds the first bytes of a record; none of a folder.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub bytes: Vec<u8>,
}

impl Head {
    /// Reads the first bytes of a file.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let mut bytes = Vec::new();
        if file.metadata()?.is_file() {
            file.take(HEAD_BYTES).read_to_end(&mut bytes)?;
        }
        Ok(Head { bytes })
    }

    /// Returns what the head of a transcript of Claude Code says.
    pub(super) fn claude(&self) -> SessionFacts {
        SessionFacts {
            id: self.text("sessionId").filter(|id| id.len() <= 200),
            cwd: self.text("cwd"),
            started: self.text("timestamp").and_then(|time| time.parse().ok()),
            ..SessionFacts::default()
        }
    }

    /// Finds the first member of this name that holds a text, wherever it stands.
    fn text(&self, name: &str) -> Option<String> {
        let key = format!("\"{name}\":\"");
        let start = memchr::memmem::find(&self.bytes, key.as_bytes())? + key.len();
        let rest = &self.bytes[start..];
        let end = rest.iter().take(VALUE_BYTES).position(|byte| *byte == b'"')?;
        let quoted = &self.bytes[start - 1..=start + end];
        serde_json::from_slice::<String>(quoted).ok().filter(|text| !text.is_empty())
    }
}
