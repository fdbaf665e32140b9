//! A tiny model of what steps do to contexts, and short ways to read a transcript.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::ControlFlow;

use crate::capture::claude::{Outcome, Watermark, mask_tool_results, read, resume};
use crate::capture::{Conversation, Routed};
use crate::model::{EntryId, Message, Step};

/// Reads bytes from the start.
pub(super) fn read_all(bytes: &[u8]) -> (Vec<Routed>, Outcome) {
    let mut steps = Vec::new();
    let outcome = read(Cursor::new(bytes), &mut |routed| {
        steps.push(routed);
        ControlFlow::Continue(())
    });
    (steps, outcome.expect("memory does not fail"))
}

/// Reads on; the watermark goes through its JSON form.
pub(super) fn read_on(bytes: &[u8], watermark: &Watermark) -> (Vec<Routed>, Outcome) {
    let watermark = Watermark::from_json(&watermark.to_json()).expect("reads back");
    let mut steps = Vec::new();
    let outcome = resume(Cursor::new(bytes), &watermark, &mut |routed| {
        steps.push(routed);
        ControlFlow::Continue(())
    });
    (steps, outcome.expect("the file has grown"))
}

/// The branches of one conversation: each a list of states, one for each entry brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Contexts {
    pub branches: BTreeMap<String, Vec<Message>>,
    pub current: String,
    /// The state before the entry after this one was brought, and the branch it was brought to.
    states: BTreeMap<EntryId, Vec<Message>>,
    last: BTreeMap<String, Option<EntryId>>,
}

impl Contexts {
    fn apply(&mut self, step: &Step) {
        if self.current.is_empty() {
            self.current = "main".to_owned();
            self.branches.insert("main".to_owned(), Vec::new());
        }
        let name = self.current.clone();
        let entries = self.branches.get_mut(&name).expect("the current branch exists");
        match step {
            Step::Append(message) => {
                let twice = entries.iter().find(|known| known.id == message.id);
                let body = |message: &Message| String::from_utf8_lossy(&message.body).into_owned();
                assert_eq!(twice.map(body), None, "twice in a context: {:?}", body(message));
                entries.push(message.clone());
                self.last.insert(name, Some(message.id));
            }
            Step::Extend(message) => {
                let found = entries.iter_mut().find(|known| known.id == message.id);
                *found.expect("only what is there grows") = message.clone();
            }
            Step::Compress { summary, kept, .. } => {
                let is_gone = |known: &Message| known.role.is_sent() && !kept.contains(&known.id);
                let at = entries.iter().position(is_gone).unwrap_or(entries.len());
                entries.retain(|known| !is_gone(known));
                entries.insert(at, summary.clone());
                self.last.insert(name, Some(summary.id));
            }
            Step::Mask { entries: masked, calls, .. } => {
                for entry in entries.iter_mut().filter(|entry| masked.contains(&entry.id)) {
                    entry.body = mask_tool_results(&entry.body, calls);
                }
            }
            Step::Fork { branch, after } => {
                let state = after.map_or_else(Vec::new, |after| self.states.get(&after).expect("a state").clone());
                assert!(self.branches.insert(branch.clone(), state).is_none(), "'{branch}' twice");
                self.last.insert(branch.clone(), *after);
                self.current = branch.clone();
            }
            Step::Switch { branch } => {
                assert!(self.branches.contains_key(branch));
                self.current = branch.clone();
            }
        }
        if let Some(Some(last)) = self.last.get(&self.current)
            && !matches!(step, Step::Fork { .. } | Step::Switch { .. })
        {
            self.states.insert(*last, self.branches[&self.current].clone());
        }
    }

    /// Returns a branch as `role body` lines, events left out.
    pub(super) fn sent(&self, branch: &str) -> Vec<String> {
        let sent = self.branches[branch].iter().filter(|entry| entry.role.is_sent());
        sent.map(|entry| format!("{} {}", entry.role, String::from_utf8_lossy(&entry.body))).collect()
    }
}

/// Applies steps, conversation by conversation.
pub(super) fn replay(steps: &[Routed]) -> BTreeMap<Conversation, Contexts> {
    let mut all: BTreeMap<Conversation, Contexts> = BTreeMap::new();
    for routed in steps {
        all.entry(routed.conversation.clone()).or_default().apply(&routed.step);
    }
    all
}

/// Returns the main conversation of a transcript.
pub(super) fn main_of(bytes: &[u8]) -> Contexts {
    replay(&read_all(bytes).0).remove(&Conversation::Main).unwrap_or_default()
}
