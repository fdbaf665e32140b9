//! Small records for the tests of readers: read whole, cut off anywhere, grown.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::{CaptureError, Conversation, Routed, SessionFacts};
use crate::export::plain_text;
use crate::model::{BodyKind, Message, Role, Step};

/// A reader.
pub(super) type Read = fn(&Path, &mut dyn FnMut(Routed) -> ControlFlow<()>) -> Result<SessionFacts, CaptureError>;
/// A recogniser.
pub(super) type IsRecord = fn(&Path, &[u8]) -> bool;

/// Holds a record of one file, and what stands beside it.
pub(super) struct Sample {
    name: String,
    bytes: Vec<u8>,
    beside: Vec<(String, String)>,
}

/// Holds what a reading handed out.
pub(super) struct Found {
    pub(super) messages: Vec<Message>,
    pub(super) routed: Vec<Routed>,
    pub(super) facts: SessionFacts,
}

impl Sample {
    pub(super) fn new(name: &str, text: &str) -> Self {
        Sample { name: name.to_owned(), bytes: text.as_bytes().to_vec(), beside: Vec::new() }
    }

    pub(super) fn beside(mut self, name: &str, text: &str) -> Self {
        self.beside.push((name.to_owned(), text.to_owned()));
        self
    }

    pub(super) fn is_of(&self, is_record: IsRecord) -> bool {
        is_record(Path::new(&self.name), &self.bytes)
    }

    pub(super) fn read(&self, read: Read) -> Result<Found, CaptureError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = self.write(folder.path());
        found(&path, read)
    }

    fn write(&self, folder: &Path) -> PathBuf {
        for (name, text) in &self.beside {
            std::fs::write(folder.join(name), text).expect("written");
        }
        let path = folder.join(&self.name);
        std::fs::write(&path, &self.bytes).expect("written");
        path
    }

    /// Reads every start of the record: each is answered or refused, what it hands out is sound, and a receiver that
    /// breaks off is heard.
    pub(super) fn survives_cuts(&self, read: Read, is_record: IsRecord) {
        let folder = tempfile::tempdir().expect("a folder");
        for end in 0..=self.bytes.len() {
            let bytes = &self.bytes[..end];
            let path =
                Sample { name: self.name.clone(), bytes: bytes.to_vec(), beside: Vec::new() }.write(folder.path());
            is_record(&path, bytes);
            match found(&path, read) {
                Ok(found) => found.check(),
                Err(CaptureError::Format { .. }) => {}
                Err(error) => panic!("{} cut at {end}: {error}", self.name),
            }
        }
        let stopped = read(&self.write(folder.path()), &mut |_| ControlFlow::Break(()));
        assert!(matches!(stopped, Err(CaptureError::Stopped)), "{stopped:?}");
    }
}

/// Reads a record and keeps what it hands out.
pub(super) fn found(path: &Path, read: Read) -> Result<Found, CaptureError> {
    let mut routed = Vec::new();
    let facts = read(path, &mut |step| {
        routed.push(step);
        ControlFlow::Continue(())
    })?;
    let messages = routed.iter().filter_map(|routed| message(&routed.step).cloned()).collect();
    Ok(Found { messages, routed, facts })
}

fn message(step: &Step) -> Option<&Message> {
    match step {
        Step::Append(message) | Step::Compress { summary: message, .. } => Some(message),
        _ => None,
    }
}

impl Found {
    /// Names the roles, in order.
    pub(super) fn roles(&self) -> String {
        self.messages.iter().map(|message| message.role.name()).collect::<Vec<_>>().join(" ")
    }

    /// Returns the body of a message.
    pub(super) fn text(&self, nth: usize) -> String {
        String::from_utf8(self.messages[nth].body.clone()).expect("UTF-8")
    }

    /// Returns the values of a field.
    pub(super) fn field(&self, nth: usize, name: &str) -> Vec<String> {
        let fields = self.messages[nth].fields.iter().filter(|(one, _)| one == name);
        fields.map(|(_, value)| value.clone()).collect()
    }

    /// Names conversations and what is done in each.
    pub(super) fn steps(&self) -> String {
        let step = |routed: &Routed| {
            let step = match &routed.step {
                Step::Append(message) => message.role.name().to_owned(),
                Step::Extend(_) => "extend".to_owned(),
                Step::Compress { kept, .. } => format!("compress:{}", kept.len()),
                Step::Mask { .. } => "mask".to_owned(),
                Step::Fork { branch, .. } => format!("fork:{branch}"),
                Step::Switch { branch } => format!("switch:{branch}"),
            };
            match &routed.conversation {
                Conversation::Main => step,
                Conversation::Subagent(id) => format!("{id}/{step}"),
            }
        };
        self.routed.iter().map(step).collect::<Vec<_>>().join(" ")
    }

    /// Holds what is handed out to its promises: ids are not repeated, bodies can be read, results have calls, counts
    /// are right.
    pub(super) fn check(&self) {
        let mut ids = std::collections::HashSet::new();
        let mut calls = std::collections::HashSet::new();
        let (mut made, mut answered) = (0, 0);
        for routed in &self.routed {
            let Some(message) = message(&routed.step) else { continue };
            assert!(ids.insert(message.id), "id {} is given out twice", message.id);
            let text = plain_text(&message.kind, &message.body);
            if message.kind == BodyKind::Json && message.role != Role::Event {
                let raw = String::from_utf8_lossy(&message.body);
                assert!(text != raw, "cannot be read: {raw}");
                let tools = crate::codec::tool_ids(&message.body);
                made += tools.calls.len() as u64;
                answered += tools.results.len() as u64;
                calls.extend(tools.calls);
                for call in tools.results {
                    assert!(calls.contains(&call), "a result without its call '{call}'");
                }
            }
        }
        let facts = &self.facts;
        assert_eq!((facts.tool_calls, facts.tool_results), (made, answered));
        let count = |role: Role| self.messages.iter().filter(|message| message.role == role).count() as u64;
        assert_eq!((facts.prompts, facts.replies), (count(Role::User), count(Role::Assistant)));
    }
}

/// Reads a record before and after it grew: what was there keeps its ids, and their order.
pub(super) fn growth_keeps_ids(read: Read, before: &Sample, after: &Sample) {
    let ids = |sample: &Sample| -> Vec<_> {
        let found = sample.read(read).expect("a record");
        found.check();
        found.messages.iter().map(|message| message.id).collect()
    };
    let (before, after) = (ids(before), ids(after));
    let kept: Vec<_> = after.iter().filter(|id| before.contains(id)).copied().collect();
    assert_eq!(kept, before);
}

/// Cuts a record of lines anywhere, and lets it grow line by line.
pub(super) fn lines_hold(read: Read, is_record: IsRecord, name: &str, lines: &str) {
    let whole = Sample::new(name, lines);
    whole.survives_cuts(read, is_record);
    for (end, _) in lines.match_indices('\n') {
        growth_keeps_ids(read, &Sample::new(name, &lines[..=end]), &whole);
    }
}
