//! What the commits of one side tell about its entries.

use std::collections::{HashMap, HashSet};

use crate::merge::Side;
use crate::model::{Commit, Entry, EntryId, Operation, Time, TouchKind};

/// Gathers what a merge wants to know of one side beyond its context.
#[derive(Debug, Clone, Default)]
pub(super) struct SideFacts {
    compressed: HashSet<EntryId>,
    /// Entries that got other words since, or came back.
    reworded: HashSet<EntryId>,
    times: HashMap<EntryId, i64>,
}

impl SideFacts {
    /// Takes in one commit of the side; the newest comes first.
    pub(super) fn note(&mut self, commit: &Commit) {
        let compresses = commit.facts.operation == Operation::Compress;
        for touch in &commit.facts.entries {
            match touch.kind {
                TouchKind::Added => {
                    let said = touch.field("at").and_then(|at| at.parse::<Time>().ok());
                    self.times.insert(touch.id, said.unwrap_or(commit.author.time).millis);
                    self.reworded.insert(touch.id);
                }
                TouchKind::Changed | TouchKind::Removed if compresses && !self.reworded.contains(&touch.id) => {
                    self.compressed.insert(touch.id);
                }
                TouchKind::Changed if !compresses => drop(self.reworded.insert(touch.id)),
                _ => {}
            }
        }
    }

    /// The same, with places in the stead of times: what stood before something comes before it again.
    pub(super) fn placed(&self, ranks: &HashMap<EntryId, i64>) -> Self {
        SideFacts { times: ranks.clone(), ..self.clone() }
    }

    pub(super) fn side<'a>(&'a self, entries: &'a [Entry]) -> Side<'a> {
        Side { entries, compressed: &self.compressed, times: &self.times }
    }
}
