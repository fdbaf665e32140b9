//! The front door: one record of whichever agent, read from its start or from where the last reading ended.

use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::claude::{self, ClaudeError};
use super::codex::{self, Codex};
use super::growth;
use super::head::Head;
use super::ledger::{self, Ledger};
use super::selected::Selected;
use super::stamp::Stamp;
use super::{Agent, CaptureError, Conversation, Routed, SessionFacts, recognise};
use crate::model::{Message, Step};

/// Takes what a reading hands out.
pub trait Receiver {
    /// Takes a step; `Break` ends the reading with [`CaptureError::Stopped`].
    fn take(&mut self, routed: Routed) -> ControlFlow<()>;

    /// Says that the reading starts over at the record's first step: what follows goes to the first branch again.
    ///
    /// It is called before the first step, when there is no watermark or it does not fit.
    fn restart(&mut self);

    /// Tells whether the caller's branches of that conversation ever had an entry; asked only after `restart`.
    fn is_known(&mut self, conversation: &Conversation, message: &Message) -> bool;
}

/// Holds what a reading found, beside the steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What the record says of its session.
    pub facts: SessionFacts,
    /// The detailed counts of a transcript of Claude Code.
    pub claude: Option<claude::Summary>,
    /// Parts that could not be read, the first 100.
    pub issues: Vec<Issue>,
    /// Bytes at the end that are left for the next reading.
    pub pending: u64,
    /// Where the next reading goes on: opaque JSON.
    pub watermark: String,
}

/// Describes a part of a record that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Number of its line, from 1.
    pub line: u64,
    /// Offset of its first byte.
    pub offset: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// Holds a record that is about to be read.
#[derive(Debug)]
pub struct Record {
    agent: Agent,
    path: PathBuf,
    facts: SessionFacts,
    /// All steps, where the record had to be read whole to know whose it is, and what the file was before that.
    steps: Option<(Stamp, Vec<Routed>)>,
}

/// Holds more steps than this in no memory: what is larger is no record of a conversation.
const STEPS: usize = 4_000_000;

impl Record {
    /// Opens a record and finds out whose session it holds; `None` for the agent: the record itself tells.
    ///
    /// Of records that grow by lines only the head is read, all others are read whole.
    ///
    /// # Errors
    /// When it cannot be read, or is not that agent's record.
    pub fn open(agent: Option<Agent>, path: &Path) -> Result<Self, CaptureError> {
        // A session of several in one file is named behind the file.
        let file = Selected::of(path).path;
        let head = Head::read(&file)?;
        let agent = match agent {
            Some(agent) => agent,
            None => recognise(&file, &head.bytes).ok_or(CaptureError::Unrecognised)?,
        };
        let mut record = Record { agent, path: path.to_owned(), facts: SessionFacts::default(), steps: None };
        match agent {
            Agent::Claude => {
                record.facts = head.claude();
                // A fork's record begins with the lines of another session; its own id is its name.
                let stem = path.file_stem().and_then(|stem| stem.to_str()).filter(|stem| is_uuid(stem));
                record.facts.id = stem.map(str::to_owned).or(record.facts.id);
            }
            Agent::Codex => record.facts = codex::facts(&head.bytes),
            _ => {
                let stamp = Stamp::of(&file)?;
                let mut steps = Vec::new();
                record.facts = read_whole(agent, path, &mut |routed| {
                    steps.push(routed);
                    if steps.len() < STEPS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                })?;
                record.steps = Some((stamp, steps));
            }
        }
        Ok(record)
    }

    /// Returns whose record it is.
    pub fn agent(&self) -> Agent {
        self.agent
    }

    /// Returns what is known of the session so far: its id, and what else the head tells.
    pub fn facts(&self) -> &SessionFacts {
        &self.facts
    }

    /// Returns the session's id; the file's name where the record gives none.
    pub fn session_id(&self) -> String {
        let stem = || self.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        self.facts.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(stem)
    }

    /// Describes the file as it was before it was read, where it had to be read whole to know whose it is.
    pub fn stamp(&self) -> Option<String> {
        self.steps.as_ref().and_then(|(stamp, _)| stamp.to_text())
    }

    /// Hands out what is new since `watermark` was made, or everything that the receiver does not know.
    ///
    /// The same record gives the same entries, however it grew between the readings. Nothing is handed out twice, and
    /// nothing that an earlier reading handed out is taken back: what the record no longer holds stays on its branch,
    /// and what goes on elsewhere becomes a branch of its own.
    ///
    /// # Errors
    /// When the record cannot be read, or the receiver breaks off.
    pub fn read(self, watermark: Option<&str>, receiver: &mut dyn Receiver) -> Result<Outcome, CaptureError> {
        match self.steps {
            None if self.agent == Agent::Codex => growth::read::<Codex>(&self.path, watermark, receiver),
            None => self.read_claude(watermark, receiver),
            Some((stamp, steps)) => {
                let ledger = watermark.and_then(Ledger::from_json);
                let watermark = ledger::hand_out(ledger, steps, stamp, receiver)?.to_json();
                Ok(Outcome { facts: self.facts, claude: None, issues: Vec::new(), pending: 0, watermark })
            }
        }
    }

    fn read_claude(self, watermark: Option<&str>, receiver: &mut dyn Receiver) -> Result<Outcome, CaptureError> {
        let mut input = BufReader::with_capacity(1 << 18, File::open(&self.path)?);
        let mut model = None;
        let mut note = |routed: &Routed| {
            if let Step::Append(message) | Step::Extend(message) = &routed.step
                && routed.conversation == Conversation::Main
                && message.model.is_some()
            {
                model.clone_from(&message.model);
            }
        };
        let watermark = watermark.and_then(|text| claude::Watermark::from_json(text).ok());
        let resumed = watermark.map(|watermark| {
            claude::resume(&mut input, &watermark, &mut |routed| {
                note(&routed);
                receiver.take(routed)
            })
        });
        let outcome = match resumed {
            None | Some(Err(ClaudeError::Rewritten)) => {
                receiver.restart();
                claude::read(&mut input, &mut |routed| {
                    note(&routed);
                    if is_known(receiver, &routed) { ControlFlow::Continue(()) } else { receiver.take(routed) }
                })
            }
            Some(outcome) => outcome,
        };
        let outcome = outcome.map_err(|error| match error {
            ClaudeError::Read { source } => CaptureError::Read { source },
            ClaudeError::Stopped => CaptureError::Stopped,
            other => CaptureError::Format { agent: Agent::Claude, reason: other.to_string() },
        })?;
        let claude::Outcome { summary, issues, pending, watermark } = outcome;
        let facts = SessionFacts {
            title: summary.title.clone(),
            model,
            prompts: summary.prompts,
            replies: summary.api_messages + summary.unnamed_messages,
            tool_calls: summary.tool_uses,
            tool_results: summary.tool_results,
            broken: summary.broken,
            ..self.facts
        };
        let issues = issues.into_iter().map(|issue| Issue {
            line: issue.line,
            offset: issue.offset,
            reason: issue.kind.to_string(),
        });
        let issues = issues.collect();
        Ok(Outcome { facts, claude: Some(summary), issues, pending, watermark: watermark.to_json() })
    }
}

/// Tells whether a text has the shape of a UUID.
fn is_uuid(text: &str) -> bool {
    let is_hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(is_hex)
}

/// Tells whether a step brings what the receiver has.
pub(super) fn is_known(receiver: &mut dyn Receiver, routed: &Routed) -> bool {
    match &routed.step {
        Step::Append(message) | Step::Compress { summary: message, .. } => {
            receiver.is_known(&routed.conversation, message)
        }
        _ => false,
    }
}

/// Lists the sessions of a file or folder that may hold several, as paths that [`Record::open`] takes; the path itself
/// where it holds one.
///
/// # Errors
/// When it cannot be read.
pub fn sessions_in(agent: Agent, path: &Path) -> Result<Vec<PathBuf>, CaptureError> {
    let sessions = match agent {
        Agent::Chatgpt => super::chatgpt::sessions(path)?,
        Agent::Copilot => super::copilot::sessions(path)?,
        Agent::Opencode => super::opencode::sessions(path)?,
        _ => Vec::new(),
    };
    match sessions.as_slice() {
        [] | [_] => Ok(vec![path.to_owned()]),
        several => Ok(several.iter().map(|id| path.join(id)).collect()),
    }
}

/// Reads a record of an agent whose records are read whole.
fn read_whole(
    agent: Agent,
    path: &Path,
    sink: &mut dyn FnMut(Routed) -> ControlFlow<()>,
) -> Result<SessionFacts, CaptureError> {
    match agent {
        Agent::Amp => super::amp::read(path, sink),
        Agent::Atif => super::atif::read(path, sink),
        Agent::Chatgpt => super::chatgpt::read(path, sink),
        Agent::Continue => super::continue_cli::read(path, sink),
        Agent::Copilot => super::copilot::read(path, sink),
        Agent::Cursor => super::cursor::read(path, sink),
        Agent::Droid => super::droid::read(path, sink),
        Agent::Gemini => super::gemini::read(path, sink),
        Agent::Hermes => super::hermes::read(path, sink),
        Agent::Jsonl => super::jsonl::read(path, sink),
        Agent::Opencode => super::opencode::read(path, sink),
        Agent::Pi => super::pi::read(path, sink),
        Agent::SweAgent => super::swe_agent::read(path, sink),
        Agent::Windsurf => super::windsurf::read(path, sink),
        Agent::Claude | Agent::Codex => unreachable!("they are read by lines"),
    }
}
