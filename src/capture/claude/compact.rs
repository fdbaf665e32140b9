//! What a transcript says about compactions.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::graph::Graph;
use super::json::{count, object, text, texts};
use super::names::uuid_key;
use super::summary::Compaction;
use super::watermark::Incomplete;
use crate::model::EntryId;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata<'a> {
    #[serde(borrow)]
    trigger: Option<&'a RawValue>,
    #[serde(borrow)]
    pre_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    tokens_saved: Option<&'a RawValue>,
    #[serde(borrow)]
    preserved_segment: Option<&'a RawValue>,
    #[serde(borrow)]
    preserved_messages: Option<&'a RawValue>,
    #[serde(borrow)]
    compacted_tool_ids: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preserved<'a> {
    #[serde(borrow)]
    head_uuid: Option<&'a RawValue>,
    #[serde(borrow)]
    tail_uuid: Option<&'a RawValue>,
    #[serde(borrow)]
    uuids: Option<&'a RawValue>,
}

/// Holds what a `compact_boundary` says.
#[derive(Debug, Clone, Default)]
pub(super) struct Boundary {
    /// What set the compaction off, and the size before it.
    pub compaction: Compaction,
    messages: Vec<EntryId>,
    segment: Option<(EntryId, EntryId)>,
}

impl Boundary {
    /// Reads the boundary's metadata.
    pub(super) fn read(raw: Option<&RawValue>) -> Self {
        let Some(metadata) = raw.and_then(|raw| object::<Metadata<'_>>(raw.get())) else { return Boundary::default() };
        let preserved =
            |raw: Option<&'_ RawValue>| raw.and_then(|raw| object::<Preserved<'_>>(raw.get()).map(Keys::of));
        let messages = preserved(metadata.preserved_messages).map(|keys| keys.messages).unwrap_or_default();
        let segment = preserved(metadata.preserved_segment).and_then(|keys| keys.segment);
        Boundary { compaction: compaction(&metadata), messages, segment }
    }

    /// Finds the entries that the compaction left, and marks them as such.
    ///
    /// The list of messages is taken before the segment: it is the newer of the two.
    pub(super) fn kept(&self, graph: &mut Graph, epoch: u32) -> Result<Vec<EntryId>, Incomplete> {
        match self.segment {
            Some((head, tail)) if self.messages.is_empty() => {
                let keys = graph.segment(head, tail)?;
                graph.keep(&keys, epoch)
            }
            _ => graph.keep(&self.messages, epoch),
        }
    }
}

struct Keys {
    messages: Vec<EntryId>,
    segment: Option<(EntryId, EntryId)>,
}

impl Keys {
    fn of(preserved: Preserved<'_>) -> Self {
        let key = |raw| text(raw).map(|uuid| uuid_key(&uuid));
        let messages = texts(preserved.uuids).iter().map(|uuid| uuid_key(uuid)).collect();
        Keys { messages, segment: key(preserved.head_uuid).zip(key(preserved.tail_uuid)) }
    }
}

/// Holds what a `microcompact_boundary` says.
#[derive(Debug, Clone, Default)]
pub(super) struct Cleared {
    /// The tool calls whose results were emptied.
    pub calls: Vec<String>,
    /// Facts for the commit.
    pub facts: Vec<(String, String)>,
}

impl Cleared {
    /// Reads the boundary's metadata.
    pub(super) fn read(raw: Option<&RawValue>) -> Self {
        let Some(metadata) = raw.and_then(|raw| object::<Metadata<'_>>(raw.get())) else { return Cleared::default() };
        let mut facts = facts(&compaction(&metadata));
        if let Some(saved) = count(metadata.tokens_saved) {
            facts.push(("Reported-Saved".to_owned(), saved.to_string()));
        }
        Cleared { calls: texts(metadata.compacted_tool_ids), facts }
    }
}

fn compaction(metadata: &Metadata<'_>) -> Compaction {
    let trigger = text(metadata.trigger).filter(|trigger| trigger.len() <= 100);
    Compaction { trigger: trigger.map(String::from), tokens: count(metadata.pre_tokens) }
}

/// Returns the facts of a compaction for its commit.
pub(super) fn facts(compaction: &Compaction) -> Vec<(String, String)> {
    let trigger = compaction.trigger.iter().map(|trigger| ("Trigger".to_owned(), trigger.clone()));
    let tokens = compaction.tokens.iter().map(|tokens| ("Reported-Tokens".to_owned(), tokens.to_string()));
    trigger.chain(tokens).collect()
}
