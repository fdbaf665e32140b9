//! Entry ids for what a transcript names, each given out once.

use std::collections::{HashMap, HashSet};

use super::watermark::Incomplete;
use crate::codec::derive_entry_id;
use crate::model::EntryId;

/// First characters of an id: enough to say "surely new", at 6 bytes each in a watermark.
pub(super) type Short = [u8; 6];

/// Returns the id that stands for a line's uuid, as its key and as its entry's id.
pub(super) fn uuid_key(uuid: &str) -> EntryId {
    derive_entry_id(&format!("claude:{uuid}"))
}

/// Returns the source of an entry id for a line without uuid: its session and its content.
pub(super) fn content_source(session: &str, raw: &str) -> String {
    format!("claude:{session}:{}", &blake3::hash(raw.as_bytes()).to_hex()[..32])
}

/// Knows which ids are taken.
#[derive(Debug, Default)]
pub(super) struct Names {
    given: HashMap<EntryId, u32>,
    log: Vec<Short>,
    earlier: Option<HashSet<Short>>,
}

impl Names {
    /// Goes on after ids of which only the first characters are known.
    pub(super) fn resume(earlier: Vec<Short>) -> Self {
        Names { given: HashMap::new(), earlier: Some(earlier.iter().copied().collect()), log: earlier }
    }

    /// Gives out the id of a source, and how often that source has come up: the first gets the id itself, a later one
    /// that of `<source>#<n>`, so that nothing is lost and no id stands for two contents.
    pub(super) fn take(&mut self, source: &str) -> Result<(EntryId, u32), Incomplete> {
        let id = derive_entry_id(source);
        self.check(id)?;
        let times = self.given.entry(id).or_insert(0);
        *times += 1;
        match *times {
            1 => {
                self.log.push(short(id));
                Ok((id, 1))
            }
            times => Ok((derive_entry_id(&format!("{source}#{times}")), times)),
        }
    }

    /// Takes down that a line with this key was seen.
    pub(super) fn note(&mut self, key: EntryId) {
        self.log.push(short(key));
    }

    /// Says that an id is surely none from before a watermark.
    pub(super) fn check(&self, id: EntryId) -> Result<(), Incomplete> {
        let maybe = self.earlier.as_ref().is_some_and(|earlier| earlier.contains(&short(id)));
        if maybe && !self.given.contains_key(&id) { Err(Incomplete) } else { Ok(()) }
    }

    /// Returns what was seen so far, in its order.
    pub(super) fn log(&self) -> &[Short] {
        &self.log
    }
}

fn short(id: EntryId) -> Short {
    let text = id.as_str().as_bytes();
    text[..6].try_into().expect("an id has 10 characters")
}
