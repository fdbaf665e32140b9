//! Records that grow by lines, read from where the last reading ended.
//!
//! The watermark holds the reader's whole state, which is small, so that a reading costs what is new. A state that
//! would be too large is left out: then the lines before are read once more, without handing anything out.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::claude::lines::Lines;
use super::record::is_known;
use super::stamp::fingerprint;
use super::{Agent, CaptureError, Issue, Outcome, Receiver, Routed, SessionFacts};

const VERSION: u32 = 1;
/// The longest line that is read.
const LINE_BYTES: usize = 256 * 1024 * 1024;
/// Faults beyond this many are counted, not listed.
const ISSUES: usize = 100;

/// Turns the lines of a record into steps.
pub(super) trait Growing: Default + Serialize + DeserializeOwned {
    /// Whose records these are.
    const AGENT: Agent;

    /// Takes a line in, and adds the steps that it causes; false, and nothing is changed, if it is no line of such a
    /// record.
    fn take(&mut self, line: &str, out: &mut Vec<Routed>) -> bool;

    /// Counts a line that was passed over.
    fn pass(&mut self);

    /// Hands out what waits for more, as there is no more now; a later line may extend it.
    fn pause(&mut self, out: &mut Vec<Routed>);

    /// Returns what is known of the session.
    fn facts(&self) -> SessionFacts;

    /// Tells whether the state is small enough for a watermark.
    fn is_small(&self) -> bool;
}

/// Remembers how far a record was read.
#[derive(Serialize, Deserialize)]
struct Watermark<S> {
    version: u32,
    agent: String,
    bytes: u64,
    line: u64,
    fingerprint: String,
    state: Option<S>,
}

/// Reads on from a watermark, or everything that the receiver does not know.
pub(super) fn read<S: Growing>(
    path: &Path,
    watermark: Option<&str>,
    receiver: &mut dyn Receiver,
) -> Result<Outcome, CaptureError> {
    let mut file = super::bounded::open(path)?;
    let length = file.metadata()?.len();
    let watermark = watermark.and_then(|text| serde_json::from_str::<Watermark<S>>(text).ok());
    let watermark = watermark.filter(|mark| mark.version == VERSION && mark.agent == S::AGENT.name());
    let fits = |mark: &Watermark<S>, file: &mut File| -> Result<bool, CaptureError> {
        Ok(mark.bytes <= length && fingerprint(file, mark.bytes)? == mark.fingerprint)
    };
    let watermark = match watermark {
        Some(mark) if fits(&mark, &mut file)? => Some(mark),
        _ => None,
    };
    let mut run = Run { state: S::default(), bytes: 0, line: 1, handed: 0, is_anew: false, issues: Vec::new() };
    match watermark {
        Some(Watermark { state: Some(state), bytes, line, .. }) => {
            run = Run { state, bytes, line, handed: bytes, ..run };
        }
        Some(mark) => run.handed = mark.bytes,
        None => {
            run.is_anew = true;
            receiver.restart();
        }
    }
    file.seek(SeekFrom::Start(run.bytes))?;
    let end = run.read(&mut file, receiver)?;
    let small = run.state.is_small();
    let facts = run.state.facts();
    let mark = Watermark {
        version: VERSION,
        agent: S::AGENT.name().to_owned(),
        bytes: run.bytes,
        line: run.line,
        fingerprint: fingerprint(&mut file, run.bytes)?,
        state: small.then_some(run.state),
    };
    let watermark = serde_json::to_string(&mark).expect("strings, numbers and lists always are JSON");
    Ok(Outcome { facts, claude: None, issues: run.issues, pending: end - mark.bytes, watermark })
}

struct Run<S> {
    state: S,
    /// Where the next line starts, and its number.
    bytes: u64,
    line: u64,
    /// What stands before this was handed out by an earlier reading.
    handed: u64,
    is_anew: bool,
    issues: Vec<Issue>,
}

impl<S: Growing> Run<S> {
    /// Reads lines to the end, and returns where that is.
    fn read(&mut self, file: &mut File, receiver: &mut dyn Receiver) -> Result<u64, CaptureError> {
        let mut lines = Lines::new(&mut *file, self.bytes, LINE_BYTES);
        let mut out = Vec::new();
        let mut end = self.bytes;
        while let Some(span) = lines.next()? {
            end = span.end;
            if span.offset >= self.handed && !self.is_anew && self.handed > 0 {
                // What the earlier reading handed out while it waited is not handed out again.
                self.state.pause(&mut Vec::new());
                self.handed = 0;
            }
            let text = if span.too_long { None } else { std::str::from_utf8(lines.bytes(&span)).ok() };
            let text = text.map(str::trim_ascii);
            if text != Some("") {
                let taken = text.is_some_and(|text| self.state.take(text, &mut out));
                if !taken && !span.terminated {
                    break;
                }
                if !taken {
                    self.state.pass();
                }
                if !taken && self.issues.len() < ISSUES && span.offset >= self.handed {
                    let reason = if span.too_long { "too long" } else { "no line of such a record" };
                    self.issues.push(Issue { line: self.line, offset: span.offset, reason: reason.to_owned() });
                }
            }
            self.bytes = span.end;
            self.line += u64::from(span.terminated);
            self.hand_out(span.offset, &mut out, receiver)?;
        }
        self.state.pause(&mut out);
        // Where no new line came, this is what the earlier reading handed out while it waited.
        if self.handed == 0 {
            self.hand_out(self.bytes, &mut out, receiver)?;
        }
        Ok(end)
    }

    fn hand_out(&self, at: u64, out: &mut Vec<Routed>, receiver: &mut dyn Receiver) -> Result<(), CaptureError> {
        for routed in out.drain(..) {
            let is_handed = at < self.handed || self.is_anew && is_known(receiver, &routed);
            if !is_handed && receiver.take(routed).is_break() {
                return Err(CaptureError::Stopped);
            }
        }
        Ok(())
    }
}
