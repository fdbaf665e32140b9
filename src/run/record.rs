//! A run as its branch tells it: the header, then steps and resumptions in their order.

use serde::Deserialize;

use super::{Header, Resume, Step};
use crate::model::{EntryId, Role};

/// The largest entry of a run that is read, in bytes.
pub const ENTRY_MAX: u64 = 1 << 20;
/// Most steps and resumptions of a run.
pub const ITEMS_MAX: usize = 10_000;

/// Is something that stands in a run's trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A step.
    Step(Step),
    /// A resumption.
    Resume(Resume),
}

impl Item {
    /// Returns the role of its entry.
    pub const fn role(&self) -> Role {
        match self {
            Item::Step(_) => Role::Step,
            Item::Resume(_) => Role::Event,
        }
    }

    /// Returns the body of its entry.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = match self {
            Item::Step(step) => serde_json::to_vec(step),
            Item::Resume(resume) => serde_json::to_vec(resume),
        };
        bytes.expect("names, texts and numbers are JSON")
    }

    /// Reads the body of an entry; `None` if it is of a type that does not stand in the trace.
    ///
    /// # Errors
    /// When it is no JSON of that shape.
    pub fn decode(role: &Role, body: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        match role {
            Role::Step => serde_json::from_slice(body).map(|step| Some(Item::Step(step))),
            Role::Event => {
                let named: Typed = serde_json::from_slice(body)?;
                match named.kind.as_deref() {
                    Some(Resume::TYPE) => serde_json::from_slice(body).map(|resume| Some(Item::Resume(resume))),
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

/// Holds a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its header.
    pub header: Header,
    /// What stands in its trace, with the id of each entry; an entry that is not stored yet has none.
    pub items: Vec<(Option<EntryId>, Item)>,
    /// Number of its entries that do not stand in the trace, such as turns.
    pub others: usize,
}

/// Says why a run's branch is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunReadError {
    /// An entry cannot be read.
    #[error("entry '{id}': {reason}")]
    Entry {
        /// The entry.
        id: EntryId,
        /// What is wrong with it.
        reason: String,
    },
    /// Steps are not numbered as they should be.
    #[error("entry '{id}' is step {found}, where step {expected} belongs")]
    Number {
        /// The entry.
        id: EntryId,
        /// The number that it has.
        found: u32,
        /// The number that it should have.
        expected: u32,
    },
    /// There is more than a run can have.
    #[error("it has more than {ITEMS_MAX} steps")]
    TooMany,
}

impl Run {
    /// Begins a run that has nothing but its header.
    pub const fn new(header: Header) -> Self {
        Run { header, items: Vec::new(), others: 0 }
    }

    /// Takes the next entry of the branch, in order.
    ///
    /// # Errors
    /// When it is not what a run can hold at this place.
    pub fn take(&mut self, id: EntryId, role: &Role, body: &[u8]) -> Result<(), RunReadError> {
        let item = Item::decode(role, body);
        let item = item.map_err(|error| RunReadError::Entry { id, reason: error.to_string() })?;
        let Some(item) = item else {
            self.others += 1;
            return Ok(());
        };
        if let Item::Step(step) = &item
            && step.number != self.next_number()
        {
            return Err(RunReadError::Number { id, found: step.number, expected: self.next_number() });
        }
        if self.items.len() == ITEMS_MAX {
            return Err(RunReadError::TooMany);
        }
        self.items.push((Some(id), item));
        Ok(())
    }

    /// Returns the steps, in order.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &Step> {
        self.items.iter().filter_map(|(_, item)| match item {
            Item::Step(step) => Some(step),
            Item::Resume(_) => None,
        })
    }

    /// Returns the resumptions, in order.
    pub fn resumes(&self) -> impl DoubleEndedIterator<Item = &Resume> {
        self.items.iter().filter_map(|(_, item)| match item {
            Item::Resume(resume) => Some(resume),
            Item::Step(_) => None,
        })
    }

    /// Returns the current step, which is the last one.
    pub fn current(&self) -> Option<&Step> {
        self.steps().next_back()
    }

    /// Returns the number that the next step gets.
    pub fn next_number(&self) -> u32 {
        self.current().map_or(1, |step| step.number.saturating_add(1))
    }

    /// Returns the place and the entry of the current step.
    pub fn current_place(&self) -> Option<usize> {
        self.items.iter().rposition(|(_, item)| matches!(item, Item::Step(_)))
    }

    /// Tells whether a step was left without an end: others came after it.
    pub fn is_interrupted(&self, step: &Step) -> bool {
        step.status == super::StepStatus::InProgress && step.number.saturating_add(1) != self.next_number()
    }
}
