//! Entry ids, each given out once.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::codec::derive_entry_id;
use crate::model::EntryId;

/// Knows how often each source came up.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(super) struct Names {
    /// The ids of all sources in their order, one after the other.
    log: String,
    times: HashMap<EntryId, u32>,
}

impl Names {
    /// Gives out the id of a source: the first gets the id itself, a later one that of `<source>#<n>`.
    pub(super) fn take(&mut self, source: &str) -> EntryId {
        let id = derive_entry_id(source);
        self.log.push_str(id.as_str());
        let times = self.times.entry(id).or_insert(0);
        *times += 1;
        if *times == 1 { id } else { derive_entry_id(&format!("{source}#{times}")) }
    }

    /// Tells whether a source with this id came up.
    pub(super) fn has(&self, id: EntryId) -> bool {
        self.times.contains_key(&id)
    }

    /// Returns how many were given out.
    pub(super) fn len(&self) -> usize {
        self.log.len() / EntryId::LEN
    }

    /// Tells whether none was given out.
    pub(super) fn is_empty(&self) -> bool {
        self.log.is_empty()
    }
}

impl From<String> for Names {
    fn from(log: String) -> Self {
        let mut times = HashMap::new();
        let ids = log.as_bytes().chunks(EntryId::LEN).filter_map(|id| std::str::from_utf8(id).ok()?.parse().ok());
        ids.for_each(|id: EntryId| *times.entry(id).or_insert(0) += 1);
        Names { log, times }
    }
}

impl From<Names> for String {
    fn from(names: Names) -> String {
        names.log
    }
}
