//! What was handed out of a record that is always read whole.
//!
//! A record's steps are compared, conversation by conversation, with those that the last reading saw. As long as they
//! are the same, nothing goes out but changed messages, as `Extend`. What comes after them is new. Where they part, the
//! record was rewound or written anew: what follows goes to a branch of its own, and what was handed out stays.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::digest::digest;
use super::record::is_known;
use super::stamp::Stamp;
use super::{CaptureError, Conversation, Receiver, Routed};
use crate::codec::derive_entry_id;
use crate::model::{EntryId, Step};

const VERSION: u32 = 1;
/// More steps than this are not remembered (1.3 MB): what is known is then told by the receiver's branches.
const STEPS: usize = 65_536;
/// The branch on which every conversation begins.
const FIRST: &str = "main";
/// Characters of an id.
const ID: usize = EntryId::LEN;

/// Remembers what was handed out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Ledger {
    version: u32,
    stamp: Stamp,
    main: Line,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    subagents: BTreeMap<String, Line>,
}

/// Remembers the steps of one conversation as they were last seen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Line {
    /// Key and digest of each step, as 10 characters each.
    steps: String,
    /// The branch that the last step handed out went to; empty for the first.
    at: String,
    /// What the record's branches are called where that name was taken.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    names: BTreeMap<String, String>,
    /// All branches that were ever started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    branches: Vec<String>,
    /// Ids of entries that only branches which the record left have, as 10 characters each.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    left: String,
}

/// Identifies a step within its conversation, and its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    key: EntryId,
    digest: EntryId,
}

impl Ledger {
    /// Reads a watermark back; `None` if it is none of this version.
    pub(super) fn from_json(text: &str) -> Option<Self> {
        let ledger: Ledger = serde_json::from_str(text).ok()?;
        let is_sound =
            |line: &Line| line.steps.is_ascii() && line.steps.len().is_multiple_of(2 * ID) && line.left.is_ascii();
        let sound = is_sound(&ledger.main) && ledger.subagents.values().all(is_sound);
        (ledger.version == VERSION && sound).then_some(ledger)
    }

    /// Writes it as one line of JSON.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and lists always are JSON")
    }

    /// Tells whether the record is the one that was read.
    pub(super) fn is_of(&self, stamp: &Stamp) -> bool {
        self.stamp.is_same(stamp)
    }

    fn new(stamp: Stamp) -> Self {
        Ledger { version: VERSION, stamp, main: Line::default(), subagents: BTreeMap::new() }
    }

    fn line(&mut self, conversation: &Conversation) -> &mut Line {
        match conversation {
            Conversation::Main => &mut self.main,
            Conversation::Subagent(name) => self.subagents.entry(name.clone()).or_default(),
        }
    }
}

/// Hands out the steps that the earlier reading had not, and returns what to remember.
pub(super) fn hand_out(
    before: Option<Ledger>,
    steps: Vec<Routed>,
    stamp: Stamp,
    receiver: &mut dyn Receiver,
) -> Result<Ledger, CaptureError> {
    let is_anew = before.is_none();
    let mut before = before.unwrap_or_else(|| Ledger::new(Stamp::default()));
    if before.is_of(&stamp) {
        return Ok(before);
    }
    if is_anew {
        receiver.restart();
    }
    let remembered = steps.len() <= STEPS;
    let mut ledger = Ledger::new(stamp);
    let mut walks: BTreeMap<Conversation, Walk> = BTreeMap::new();
    for routed in steps {
        let conversation = routed.conversation.clone();
        let walk =
            walks.entry(conversation.clone()).or_insert_with(|| Walk::new(std::mem::take(before.line(&conversation))));
        let mut out = Vec::new();
        if is_anew {
            walk.note(&routed.step);
            if !is_known(receiver, &routed) {
                out.push(routed.step);
            }
        } else {
            walk.take(routed.step, &mut out);
        }
        for step in out {
            if receiver.take(Routed { conversation: conversation.clone(), step }).is_break() {
                return Err(CaptureError::Stopped);
            }
        }
    }
    if !remembered {
        // Without its steps the watermark is none, so that the next reading asks what is known.
        ledger.version = 0;
        return Ok(ledger);
    }
    // A conversation that the record no longer has may come back.
    std::mem::swap(&mut ledger.subagents, &mut before.subagents);
    ledger.main = before.main;
    for (conversation, walk) in walks {
        *ledger.line(&conversation) = walk.finish();
    }
    Ok(ledger)
}

/// Walks along the steps of one conversation.
struct Walk {
    before: Line,
    marks: Vec<Mark>,
    /// The first step that is not as it was.
    parted: Option<usize>,
    /// Entries that were handed out by an earlier reading, whose usage is counted.
    counted: Option<HashSet<EntryId>>,
    /// The branch that the record is at, as it calls it.
    branch: String,
    /// The last entry that the record brought.
    last: Option<EntryId>,
}

impl Walk {
    fn new(before: Line) -> Self {
        Walk { before, marks: Vec::new(), parted: None, counted: None, branch: FIRST.to_owned(), last: None }
    }

    /// Takes down a step that the receiver itself decides about.
    fn note(&mut self, step: &Step) {
        self.marks.push(mark(step));
        self.follow(step);
        self.know();
        let at = self.branch.clone();
        self.before.at = at;
    }

    /// Compares a step with what was handed out, and adds what is to go out now.
    fn take(&mut self, step: Step, out: &mut Vec<Step>) {
        let nth = self.marks.len();
        let new = mark(&step);
        self.marks.push(new);
        if self.parted.is_none() {
            match self.before.mark(nth) {
                Some(old) if old.key == new.key => {
                    self.follow(&step);
                    self.know();
                    if let (Step::Append(message), true) = (step, old.digest != new.digest) {
                        self.go(out);
                        out.push(Step::Extend(message));
                    }
                    return;
                }
                None => self.parted = Some(nth),
                Some(_) => {
                    self.parted = Some(nth);
                    self.part(new.key, out);
                }
            }
        }
        self.hand(step, out);
    }

    /// Starts the branch of what is not as it was.
    fn part(&mut self, key: EntryId, out: &mut Vec<Step>) {
        let name = self.before.unused(&format!("rewind-{key}"));
        self.before.names.insert(self.branch.clone(), name.clone());
        self.before.branches.push(name.clone());
        self.before.at = name.clone();
        let nth = self.marks.len() - 1;
        let gone: Vec<EntryId> = (nth..self.before.len()).filter_map(|nth| Some(self.before.mark(nth)?.key)).collect();
        let left = self.before.left.as_bytes().chunks(ID).filter_map(|id| std::str::from_utf8(id).ok()?.parse().ok());
        self.counted = Some(left.chain(gone.iter().copied()).collect());
        if self.before.left.len() + gone.len() * ID <= STEPS * ID {
            self.before.left.extend(gone.iter().map(EntryId::as_str));
        }
        out.push(Step::Fork { branch: name, after: self.last });
    }

    /// Hands out a step that no earlier reading saw at this place.
    fn hand(&mut self, step: Step, out: &mut Vec<Step>) {
        self.follow(&step);
        match step {
            Step::Fork { branch, after } => {
                let name = if self.before.branches.contains(&branch) || branch == FIRST {
                    self.before.unused(&branch)
                } else {
                    branch.clone()
                };
                if name != branch {
                    self.before.names.insert(branch, name.clone());
                }
                self.before.branches.push(name.clone());
                self.before.at = name.clone();
                out.push(Step::Fork { branch: name, after });
            }
            // It is told when something goes there.
            Step::Switch { .. } => {}
            Step::Append(mut message) => {
                if self.counted.as_ref().is_some_and(|counted| counted.contains(&message.id)) {
                    message.usage = None;
                }
                self.go(out);
                out.push(Step::Append(message));
            }
            step => {
                self.go(out);
                out.push(step);
            }
        }
    }

    /// Goes to the branch that the record is at.
    fn go(&mut self, out: &mut Vec<Step>) {
        let name = self.before.names.get(&self.branch).unwrap_or(&self.branch);
        let at = if self.before.at.is_empty() { FIRST } else { &self.before.at };
        if name != at {
            self.before.at = name.clone();
            out.push(Step::Switch { branch: name.clone() });
        }
    }

    fn follow(&mut self, step: &Step) {
        match step {
            Step::Append(message) | Step::Compress { summary: message, .. } => self.last = Some(message.id),
            Step::Fork { branch, after } => {
                self.branch.clone_from(branch);
                self.last = *after;
            }
            Step::Switch { branch } => self.branch.clone_from(branch),
            Step::Extend(_) | Step::Mask { .. } => {}
        }
    }

    /// Takes down that the branch that the record is at was handed out.
    fn know(&mut self) {
        if self.branch != FIRST && !self.before.branches.contains(&self.branch) {
            self.before.branches.push(self.branch.clone());
        }
    }

    /// Returns what to remember: of a record that ends earlier than before, what it had.
    fn finish(self) -> Line {
        let seen = self.marks.len();
        let mut steps = String::with_capacity(seen * 2 * ID);
        for mark in &self.marks {
            steps.push_str(mark.key.as_str());
            steps.push_str(mark.digest.as_str());
        }
        if self.parted.is_none() && seen < self.before.len() {
            // It may have been cut off: what follows is told from what was there.
            steps.push_str(&self.before.steps[seen * 2 * ID..]);
        }
        Line { steps, ..self.before }
    }
}

impl Line {
    fn len(&self) -> usize {
        self.steps.len() / (2 * ID)
    }

    fn mark(&self, nth: usize) -> Option<Mark> {
        let text = self.steps.get(nth * 2 * ID..(nth + 1) * 2 * ID)?;
        Some(Mark { key: text[..ID].parse().ok()?, digest: text[ID..].parse().ok()? })
    }

    /// Makes a name that no branch of this conversation has.
    fn unused(&self, name: &str) -> String {
        let is_free = |name: &String| *name != FIRST && !self.branches.contains(name);
        let mut names = (2..).map(|nth| format!("{name}-{nth}"));
        Some(name.to_owned()).filter(is_free).unwrap_or_else(|| names.find(is_free).expect("numbers do not end"))
    }
}

/// Identifies a step.
fn mark(step: &Step) -> Mark {
    let named = |text: String| Mark { key: derive_entry_id(&text), digest: EntryId::from_bits(0) };
    match step {
        Step::Append(message) | Step::Compress { summary: message, .. } => {
            Mark { key: message.id, digest: EntryId::from_bits(digest(message) >> 14) }
        }
        Step::Extend(message) => named(format!("extend:{}:{}", message.id, digest(message))),
        Step::Mask { entries, calls, .. } => named(format!("mask:{entries:?}:{calls:?}")),
        Step::Fork { branch, after } => named(format!("fork:{branch}:{after:?}")),
        Step::Switch { branch } => named(format!("switch:{branch}")),
    }
}

#[cfg(test)]
mod tests;
