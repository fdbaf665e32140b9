//! Results of tools that are said again later.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

use super::super::OpError;
use super::calls::{Read, calls};
use super::scene::Scene;
use crate::codec::tool_results;
use crate::model::{BodyKind, EntryId, Role};

/// Lines that tools show of a file at most when they are not told how many.
const SHOWN: u64 = 2000;

/// Repeated results: place of the entry, then the call; the entry that says it again.
pub(super) type Repeats = HashMap<usize, HashMap<String, EntryId>>;

/// A read that came later.
struct Later<'a> {
    read: Read,
    content: &'a str,
    id: EntryId,
}

/// Finds the results from the place `first` on whose words come again later: the same text, or a later read of the same
/// file that shows the same lines or more.
pub(super) fn find(scene: &Scene<'_>, first: usize) -> Result<Repeats, OpError> {
    let mut reads: HashMap<Cow<'_, str>, Read> = HashMap::new();
    let sent = (0..scene.entries.len()).filter(|at| scene.entries[*at].role.is_sent());
    let mut places: Vec<usize> = sent.collect();
    // A result from `first` on may answer a call just before.
    places.retain(|at| *at + 64 >= first);
    for at in places.iter().filter(|at| scene.entries[**at].kind == BodyKind::Json) {
        reads.extend(calls(scene.body(*at)?).into_iter().filter_map(|call| Some((call.id.clone(), call.read()?))));
    }
    let mut repeats = Repeats::new();
    let mut said: HashMap<&str, EntryId> = HashMap::new();
    let mut later: HashMap<String, Vec<Later<'_>>> = HashMap::new();
    for at in places.into_iter().rev().take_while(|at| *at >= first) {
        let entry = &scene.entries[at];
        let body = scene.body(at)?;
        if entry.kind == BodyKind::Text && entry.role == Role::Tool {
            let Ok(text) = std::str::from_utf8(body) else { continue };
            if let Some(id) = said.get(text) {
                repeats.entry(at).or_default().insert(String::new(), *id);
            } else {
                said.insert(text, entry.id);
            }
        }
        if entry.kind != BodyKind::Json {
            continue;
        }
        for result in tool_results(body).into_iter().rev().filter(|result| !result.is_stub()) {
            let read = reads.get(&result.call).filter(|_| !result.is_error);
            let known = read.and_then(|read| later.get(&read.path));
            let covers = |later: &&Later<'_>| later.covers(read.expect("known by it"));
            let again = said.get(result.content).copied().or_else(|| Some(known?.iter().find(covers)?.id));
            match again {
                Some(id) => {
                    repeats.entry(at).or_default().insert(result.call.clone().into_owned(), id);
                }
                None => {
                    said.insert(result.content, entry.id);
                    if let Some(read) = read {
                        let later = later.entry(read.path.clone()).or_default();
                        later.push(Later { read: read.clone(), content: result.content, id: entry.id });
                    }
                }
            }
        }
    }
    Ok(repeats)
}

impl Later<'_> {
    /// Tells whether this read shows at least the lines of an earlier one, as the file is now.
    fn covers(&self, earlier: &Read) -> bool {
        if self.read == *earlier {
            return true;
        }
        if self.read.first > earlier.first {
            return false;
        }
        match (self.read.last, earlier.last) {
            (Some(last), Some(wanted)) => last >= wanted,
            (Some(_), None) => false,
            (None, None) => true,
            (None, Some(wanted)) => {
                let lines = lines(self.content);
                // Fewer lines than a tool shows at most: the file ends there.
                lines < SHOWN || self.read.first.saturating_add(lines) > wanted
            }
        }
    }
}

/// Counts the lines of what a tool said.
fn lines(content: &str) -> u64 {
    #[derive(Deserialize)]
    struct Text {
        #[serde(default)]
        text: String,
    }
    let text = match serde_json::from_str::<String>(content) {
        Ok(text) => text,
        Err(_) => {
            let blocks: Vec<Text> = serde_json::from_str(content).unwrap_or_default();
            blocks.into_iter().map(|block| block.text).collect()
        }
    };
    text.lines().count() as u64
}
