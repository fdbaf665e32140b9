//! How far a transcript was read, and what it takes to go on.

use std::io::{self, Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};

use super::ClaudeError;
use super::graph::{Anchor, Node, Parent, Turn, Window};
use super::names::Short;
use super::safe::Place;
use super::summary::Summary;
use crate::model::EntryId;

/// Says that the few lines which a watermark remembers are not enough: the file is to be read from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Incomplete;

const VERSION: u32 = 1;
/// Bytes at the start and before the watermark that must be the same for the file to count as grown.
const HEAD: u64 = 16 * 1024;
const TAIL: u64 = 64 * 1024;
/// More names than this make a watermark too large; going on then reads the file from its start.
pub(super) const NAMES: usize = 65_536;
/// Lines remembered.
pub(super) const NODES: usize = 48;

/// Remembers how far a transcript was imported: pass it to `resume` when the file has grown.
///
/// It stands at the last place where no API message was open, so what it does not cover is read again and recognised.
/// Its size is about 6 KB and 6 bytes for each line, 400 KB at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watermark {
    version: u32,
    pub(super) bytes: u64,
    pub(super) line: u64,
    /// Whether a message was opened there, so that the line was read in part.
    pub(super) is_open: bool,
    fingerprint: String,
    pub(super) handed: Vec<Handed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<State>,
}

/// Names an entry that was handed out after the watermark.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Handed {
    #[serde(with = "id_text")]
    pub id: EntryId,
    pub digest: u64,
}

/// Holds the state of a transcript with one conversation and one branch, as far as the next lines will need it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub nodes: Vec<NodeText>,
    pub turns: Vec<(Id, TurnText)>,
    pub root: Option<TurnText>,
    pub is_linked: bool,
    pub seq: u32,
    pub last: Option<Id>,
    pub names: String,
    pub cwd: Option<String>,
    pub git_branch: Option<String>,
    pub epoch: u32,
    pub home: Home,
    pub summary: Summary,
}

/// Says whose conversation is the main one of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) enum Home {
    /// No message told yet.
    #[default]
    Unknown,
    /// The session's.
    Session,
    /// That of a subagent which has the file to itself, with its id.
    Subagent(Option<String>),
}

/// An id in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Id(#[serde(with = "id_text")] pub EntryId);

/// A line in JSON: key, parent, epoch, whether it is a message, and the message that it is or follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct NodeText(Id, Option<Id>, u32, bool, ParentText);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum ParentText {
    Root,
    Unknown,
    At(Id, Id, u32),
}

/// A turn in JSON: the entry before, the number before, the session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TurnText(Option<Id>, u32, Option<Id>);

impl Watermark {
    /// Describes what was read of a file.
    pub(super) fn new(input: &mut (impl Read + Seek), end: End) -> io::Result<Self> {
        let Place { offset, number } = end.place;
        let fingerprint = fingerprint(input, offset)?;
        Ok(Watermark {
            version: VERSION,
            bytes: offset,
            line: number,
            is_open: end.is_open,
            fingerprint,
            handed: end.handed,
            state: end.state,
        })
    }

    /// Returns the number of bytes that are imported for good.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes the watermark as one line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and lists always are JSON")
    }

    /// Reads a watermark.
    ///
    /// # Errors
    /// When it is none, or of a version that this program does not know: read the file from its start.
    pub fn from_json(text: &str) -> Result<Self, ClaudeError> {
        let watermark: Watermark =
            serde_json::from_str(text).map_err(|source| ClaudeError::MalformedWatermark { source })?;
        if watermark.version != VERSION {
            return Err(ClaudeError::UnknownWatermark { version: watermark.version });
        }
        Ok(watermark)
    }

    /// Tells whether a file starts with what was imported: same start, same end, in O(1) of its size.
    pub(super) fn fits(&self, input: &mut (impl Read + Seek)) -> io::Result<bool> {
        if input.seek(SeekFrom::End(0))? < self.bytes {
            return Ok(false);
        }
        Ok(fingerprint(input, self.bytes)? == self.fingerprint)
    }
}

/// Hashes the length and both ends of the first `bytes` bytes.
fn fingerprint(input: &mut (impl Read + Seek), bytes: u64) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes.to_le_bytes());
    for (start, length) in [(0, HEAD.min(bytes)), (bytes.saturating_sub(TAIL), TAIL.min(bytes))] {
        input.seek(SeekFrom::Start(start))?;
        let mut part = Vec::new();
        input.by_ref().take(length).read_to_end(&mut part)?;
        hasher.update(&part);
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Says where a reading ended.
#[derive(Debug)]
pub(super) struct End {
    /// The last safe place.
    pub place: Place,
    /// Whether a message was opened there.
    pub is_open: bool,
    /// Offset of what is not handed out yet.
    pub waiting: u64,
    /// Whether the caller wants no more.
    pub is_stopped: bool,
    /// What was handed out after it.
    pub handed: Vec<Handed>,
    /// The state there, when it is small.
    pub state: Option<State>,
}

impl State {
    /// Writes the state down.
    pub(super) fn write(window: Window, names: &[Short]) -> Option<Self> {
        if names.len() > NAMES {
            return None;
        }
        let names = names.as_flattened().to_vec();
        Some(State {
            nodes: window.nodes.iter().map(|(key, node)| node_text(*key, node)).collect(),
            turns: window.turns.iter().map(|(key, turn)| (Id(*key), turn_text(turn))).collect(),
            root: window.root.as_ref().map(turn_text),
            is_linked: window.is_linked,
            seq: window.seq,
            last: window.last.map(Id),
            names: String::from_utf8(names).expect("ids are ASCII"),
            cwd: None,
            git_branch: None,
            epoch: 0,
            home: Home::Unknown,
            summary: Summary::default(),
        })
    }

    /// Reads the graph back.
    pub(super) fn window(&self) -> Window {
        Window {
            nodes: self.nodes.iter().map(node).collect(),
            turns: self.turns.iter().map(|(key, turn_text)| (key.0, turn(turn_text))).collect(),
            root: self.root.as_ref().map(turn),
            is_linked: self.is_linked,
            seq: self.seq,
            last: self.last.map(|id| id.0),
        }
    }

    /// Reads the names back.
    pub(super) fn names(&self) -> Vec<Short> {
        self.names.as_bytes().as_chunks().0.to_vec()
    }
}

fn node_text(key: EntryId, node: &Node) -> NodeText {
    let at = match node.at {
        Parent::Root => ParentText::Root,
        Parent::Unknown => ParentText::Unknown,
        Parent::At(anchor) => ParentText::At(Id(anchor.key), Id(anchor.entry), anchor.seq),
    };
    NodeText(Id(key), node.parent.map(Id), node.epoch, node.own, at)
}

fn node(text: &NodeText) -> (EntryId, Node) {
    let NodeText(key, parent, epoch, own, at) = text;
    let at = match at {
        ParentText::Root => Parent::Root,
        ParentText::Unknown => Parent::Unknown,
        ParentText::At(key, entry, seq) => {
            Parent::At(Anchor { key: key.0, entry: entry.0, seq: *seq, branch: 0, thread: 0 })
        }
    };
    (key.0, Node { at, own: *own, parent: parent.map(|id| id.0), thread: 0, epoch: *epoch })
}

fn turn_text(turn: &Turn) -> TurnText {
    TurnText(turn.after.map(Id), turn.seq, turn.session.map(Id))
}

fn turn(text: &TurnText) -> Turn {
    Turn { after: text.0.map(|id| id.0), branch: 0, seq: text.1, session: text.2.map(|id| id.0) }
}

mod id_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::model::EntryId;

    pub(super) fn serialize<S: Serializer>(id: &EntryId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(id.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EntryId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
