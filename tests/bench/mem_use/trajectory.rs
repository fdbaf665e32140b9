//! Real sessions as a row of messages, cut in two.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use git_trace::capture::{Conversation, claude};
use git_trace::drivers::{Passage, entities};
use git_trace::export::plain_text;
use git_trace::model::{BodyKind, EntryId, Message, ObjectId, Role, Step};
use serde_json::Value;

use crate::ENCODING;

/// Four of the five snapshots of one session: only the last one counts.
const PREFIXES: [&str; 4] = ["grow-cc432c40/00-", "grow-cc432c40/01-", "grow-cc432c40/02-", "grow-cc432c40/03-"];

/// Holds the messages that a model saw or wrote, in order.
pub struct Trajectory {
    pub name: String,
    messages: Vec<Said>,
}

/// Holds one message: thinking is left out, since it is not sent again.
struct Said {
    id: EntryId,
    role: Role,
    text: String,
}

/// Holds a trajectory cut in two.
pub struct Case {
    /// What is before the cut.
    pub passages: Vec<Passage>,
    /// What was used after it.
    pub used: Vec<String>,
}

/// Reads all trajectories below a folder.
pub fn load(dir: &Path) -> Vec<Trajectory> {
    let files = walkdir::WalkDir::new(dir).sort_by_file_name().into_iter().filter_map(Result::ok);
    let mut found = Vec::new();
    for path in files.map(walkdir::DirEntry::into_path) {
        let name = path.strip_prefix(dir).expect("below").to_string_lossy().into_owned();
        if PREFIXES.iter().any(|prefix| name.contains(prefix)) {
            continue;
        }
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("jsonl") => found.extend(claude_session(&path, &name)),
            Some("traj") => found.extend(swe_agent(&path, &name)),
            _ => {}
        }
    }
    found
}

/// Tells to which half of the trajectories one belongs: parameters are chosen on the first.
pub fn is_first_half(name: &str) -> bool {
    name.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))).is_multiple_of(2)
}

impl Trajectory {
    /// Cuts at a share of the messages.
    pub fn cut(&self, percent: usize) -> Case {
        let at = self.messages.len() * percent / 100;
        let (before, after) = self.messages.split_at(at);
        let first_user = before.iter().position(|message| message.role == Role::User);
        let passages: Vec<Passage> = before
            .iter()
            .enumerate()
            .map(|(nth, message)| Passage {
                id: message.id,
                role: message.role.clone(),
                text: message.text.clone(),
                tokens: ENCODING.count(&message.text),
                body: ObjectId::Sha1([nth as u8; 20]),
                stays: message.role == Role::System || Some(nth) == first_user,
            })
            .collect();
        let names = |passages: &[&Passage]| -> HashSet<String> {
            passages.iter().flat_map(|passage| entities(&passage.text)).map(|entity| entity.text.to_owned()).collect()
        };
        let (pinned, rest): (Vec<&Passage>, Vec<&Passage>) = passages.iter().partition(|passage| passage.stays);
        let (had, mut supplied) = (names(&rest), names(&pinned));
        let mut used = Vec::new();
        for message in after {
            for entity in entities(&message.text) {
                let new = supplied.insert(entity.text.to_owned());
                if new && message.role == Role::Assistant && had.contains(entity.text) {
                    used.push(entity.text.to_owned());
                }
            }
        }
        Case { passages, used }
    }
}

/// Reads a session of Claude Code: the conversations in it, one trajectory each.
fn claude_session(path: &PathBuf, name: &str) -> Vec<Trajectory> {
    let mut all: Vec<(Conversation, Vec<Said>)> = Vec::new();
    let file = BufReader::new(File::open(path).expect("a file"));
    // What is no such session gives steps that say nothing, or none.
    let _ = claude::read(file, &mut |routed| {
        let at = all.iter().position(|(conversation, _)| *conversation == routed.conversation).unwrap_or_else(|| {
            all.push((routed.conversation, Vec::new()));
            all.len() - 1
        });
        let messages = &mut all[at].1;
        match routed.step {
            Step::Append(message) => messages.extend(said(message)),
            Step::Extend(message) => {
                if let Some(place) = messages.iter_mut().find(|known| known.id == message.id)
                    && let Some(new) = said(message)
                {
                    *place = new;
                }
            }
            Step::Compress { summary, .. } => messages.extend(said(summary)),
            Step::Fork { after, .. } => {
                let end = after.and_then(|id| messages.iter().position(|message| message.id == id));
                messages.truncate(end.map_or(0, |end| end + 1));
            }
            Step::Mask { .. } | Step::Switch { .. } => {}
        }
        ControlFlow::Continue(())
    });
    let named = |nth: usize| if nth == 0 { name.to_owned() } else { format!("{name}#{nth}") };
    all.into_iter().enumerate().map(|(nth, (_, messages))| Trajectory { name: named(nth), messages }).collect()
}

fn said(message: Message) -> Option<Said> {
    if !message.role.is_sent() {
        return None;
    }
    let text = match serde_json::from_slice::<Value>(&message.body) {
        Ok(Value::Array(mut blocks)) if message.kind == BodyKind::Json => {
            blocks.retain(|block| !block["type"].as_str().is_some_and(|kind| kind.contains("thinking")));
            blocks.iter_mut().for_each(without_ids);
            plain_text(&BodyKind::Json, Value::Array(blocks).to_string().as_bytes())
        }
        _ => plain_text(&message.kind, &message.body),
    };
    // Ids of calls mean nothing outside their context: nobody has to carry them.
    let text = text.lines().filter(|line| *line != "[result of x]").collect::<Vec<&str>>().join("\n");
    (!text.trim().is_empty()).then_some(Said { id: message.id, role: message.role, text })
}

fn without_ids(block: &mut Value) {
    for name in ["id", "tool_use_id"] {
        if let Some(id) = block.get_mut(name) {
            *id = "x".into();
        }
    }
}

/// Reads a trajectory of SWE-agent.
fn swe_agent(path: &PathBuf, name: &str) -> Option<Trajectory> {
    let file: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let mut messages = Vec::new();
    for (nth, message) in file["history"].as_array()?.iter().enumerate() {
        let content = message["content"].as_str().unwrap_or_default();
        let role = Role::from_name(message["role"].as_str()?);
        let text = match message["action"].as_str() {
            Some(action) if role == Role::Assistant => format!("{content}\n[call]\n{action}"),
            _ => content.to_owned(),
        };
        messages.push(Said { id: EntryId::from_bits(nth as u64), role, text });
    }
    Some(Trajectory { name: name.to_owned(), messages })
}
