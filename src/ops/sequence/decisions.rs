//! What was settled about a commit that is brought in, and what it was about.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::merge::{Choice, Conflict};
use crate::model::{BodyKind, Entry, EntryId, ObjectId, Role};
use crate::ops::credits::Credits;

/// Holds what was settled about one commit that is brought in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::ops) struct Decisions {
    /// For each entry in conflict, what is right.
    pub(in crate::ops) choices: BTreeMap<EntryId, Decision>,
    /// For each entry of theirs that contradicts one of ours, which of the two stays.
    pub(in crate::ops) verdicts: BTreeMap<EntryId, Settled>,
    /// What drivers' answers among the choices cost.
    pub(in crate::ops) credits: Credits,
}

/// Holds a choice, and what it was about: it does not hold for words that nobody has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ops) struct Decision {
    pub(in crate::ops) settled: Settled,
    /// The body that our side had.
    pub(in crate::ops) ours: Option<ObjectId>,
    /// The body that their side had.
    pub(in crate::ops) theirs: Option<ObjectId>,
}

impl Decision {
    pub(in crate::ops) fn new(settled: Settled, conflict: &Conflict) -> Self {
        let body = |entry: &Option<Entry>| entry.as_ref().map(|entry| entry.body);
        Decision { settled, ours: body(&conflict.ours), theirs: body(&conflict.theirs) }
    }
}

/// Holds a choice as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "choice")]
pub(in crate::ops) enum Settled {
    Ours,
    Theirs,
    Both { id: EntryId },
    Words { role: String, kind: String, text: String },
}

impl Settled {
    /// Returns it in the form in which a merge takes it; words are looked up by their entry.
    pub(in crate::ops) fn choice(&self, id: EntryId, words: &HashMap<EntryId, Entry>) -> Option<Choice> {
        Some(match self {
            Settled::Ours => Choice::Ours,
            Settled::Theirs => Choice::Theirs,
            Settled::Both { id } => Choice::Both(*id),
            Settled::Words { .. } => Choice::Words(Box::new(words.get(&id)?.clone())),
        })
    }

    /// Returns role, kind and bytes of words that the user gave.
    pub(in crate::ops) fn words(&self) -> Option<(Role, BodyKind, &[u8])> {
        match self {
            Settled::Words { role, kind, text } => {
                Some((Role::from_name(role), BodyKind::from_ending(kind), text.as_bytes()))
            }
            _ => None,
        }
    }
}
