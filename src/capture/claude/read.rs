//! Reads a transcript from its start, or from where the last reading ended.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use super::importer::Importer;
use super::line::{Broken, Line};
use super::lines::Lines;
use super::safe::Place;
use super::summary::Summary;
use super::watermark::{Incomplete, Watermark};
use crate::capture::{Conversation, Routed};
use crate::model::{EntryId, Message, Step};

/// The longest line that is read: about twice the largest request that the API takes.
const LINE_BYTES: usize = 256 * 1024 * 1024;
/// Faults beyond this many are counted, not listed.
const ISSUES: usize = 100;
/// More new bytes than this are read with the whole file, streaming, and not held in memory until it is sure that the
/// watermark's state is enough.
const LIGHT_BYTES: u64 = 16 * 1024 * 1024;

/// Holds what a reading found, beside the steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What the file held, from its first byte on.
    pub summary: Summary,
    /// Lines of this reading that could not be read, in their order; 100 at most.
    pub issues: Vec<Issue>,
    /// Bytes at the end that are left for the next reading: a line that is not finished, a compaction without its
    /// summary.
    pub pending: u64,
    /// Where the next reading goes on.
    pub watermark: Watermark,
}

/// Describes a line that was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its number, from 1.
    pub line: u64,
    /// Offset of its first byte.
    pub offset: u64,
    /// What is wrong with it.
    pub kind: IssueKind,
}

/// Says what is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueKind {
    /// Its bytes are not UTF-8.
    NotUtf8,
    /// It is not one JSON value.
    NotJson,
    /// It has more than 256 MiB.
    TooLong,
}

impl std::fmt::Display for IssueKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            IssueKind::NotUtf8 => "not UTF-8",
            IssueKind::NotJson => "not JSON",
            IssueKind::TooLong => "longer than 256 MiB",
        })
    }
}

/// Says why a transcript was not read.
#[derive(Debug, thiserror::Error)]
pub enum ClaudeError {
    /// The bytes cannot be had.
    #[error("cannot read the transcript")]
    Read {
        /// What the system said.
        #[from]
        source: io::Error,
    },
    /// The caller's sink asked for no more.
    #[error("stopped by the receiver of the steps")]
    Stopped,
    /// The file does not start with what was imported before: use `read_unknown`.
    #[error("transcript does not start with what was imported before")]
    Rewritten,
    /// The watermark was written by a newer version: use `read_unknown`.
    #[error("unknown watermark version '{version}'")]
    UnknownWatermark {
        /// The version.
        version: u32,
    },
    /// The text is no watermark: use `read_unknown`.
    #[error("malformed watermark")]
    MalformedWatermark {
        /// What is wrong.
        source: serde_json::Error,
    },
}

enum Failure {
    Claude(ClaudeError),
    Incomplete,
}

/// Reads a whole transcript and hands its steps to `sink`, in order.
///
/// Memory: one line, the open message, and about 200 bytes for each line.
///
/// ```
/// use std::{io::Cursor, ops::ControlFlow};
/// let line = r#"{"type":"user","uuid":"u1","message":{"role":"user","content":"hello"}}"#;
/// let mut steps = Vec::new();
/// let outcome = git_trace::capture::claude::read(Cursor::new(line), &mut |routed| {
///     steps.push(routed.step);
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!((steps.len(), outcome.summary.prompts, outcome.pending), (1, 1, 0));
/// # Ok::<(), git_trace::capture::claude::ClaudeError>(())
/// ```
///
/// # Errors
/// When the bytes cannot be had or `sink` breaks off. Lines that cannot be read are no error but `Outcome::issues`.
pub fn read<R: Read + Seek>(
    mut input: R,
    sink: &mut dyn FnMut(Routed) -> ControlFlow<()>,
) -> Result<Outcome, ClaudeError> {
    input.rewind()?;
    finish(run(input, Importer::new(&[], sink), Place { offset: 0, number: 1 }, 0, false))
}

/// Reads on from a watermark: the steps are those that a reading of the whole file would hand out after the earlier
/// ones, where a message that had been handed out unfinished comes as `Step::Extend`.
///
/// The work is proportional to the new bytes, unless they refer to something old (a rewind, a compaction with kept
/// messages, an inline subagent): then the file is read from its start once more, which hands nothing out twice either.
///
/// # Errors
/// `Rewritten` when the file is not the one that the watermark was made for; otherwise as `read`.
pub fn resume<R: Read + Seek>(
    mut input: R,
    watermark: &Watermark,
    sink: &mut dyn FnMut(Routed) -> ControlFlow<()>,
) -> Result<Outcome, ClaudeError> {
    if !watermark.fits(&mut input)? {
        return Err(ClaudeError::Rewritten);
    }
    let start = Place { offset: watermark.bytes, number: watermark.line };
    let new_bytes = input.seek(SeekFrom::End(0))?.saturating_sub(start.offset);
    if let Some(state) = watermark.state.as_ref().filter(|_| new_bytes <= LIGHT_BYTES) {
        let mut steps = Vec::new();
        let mut collect = |routed| {
            steps.push(routed);
            ControlFlow::Continue(())
        };
        input.seek(SeekFrom::Start(start.offset))?;
        let importer = Importer::resume(state, &watermark.handed, start, &mut collect);
        match run(&mut input, importer, start, start.offset, watermark.is_open) {
            Err(Failure::Incomplete) => {}
            result => {
                let outcome = finish(result)?;
                let stopped = steps.into_iter().any(|routed| sink(routed).is_break());
                return if stopped { Err(ClaudeError::Stopped) } else { Ok(outcome) };
            }
        }
    }
    input.rewind()?;
    let mut importer = Importer::new(&watermark.handed, sink);
    importer.output.muted_until = Some(start.offset);
    finish(run(input, importer, Place { offset: 0, number: 1 }, start.offset, watermark.is_open))
}

/// Reads a whole transcript of which the caller may have parts, and hands out the steps that it has not.
///
/// For a file that was rewritten, or that holds another part of a session: `is_known` says whether the caller's
/// branches of that conversation hold an entry. Known messages and known compactions are left out. Of branches, the
/// caller must take `Fork` for `Switch` where the branch exists, and `Mask` may repeat: it changes nothing twice.
///
/// # Errors
/// As `read`.
pub fn read_unknown<R: Read + Seek>(
    input: R,
    is_known: &mut dyn FnMut(&Conversation, EntryId) -> bool,
    sink: &mut dyn FnMut(Routed) -> ControlFlow<()>,
) -> Result<Outcome, ClaudeError> {
    read(input, &mut |routed| match &routed.step {
        Step::Append(Message { id, .. }) | Step::Compress { summary: Message { id, .. }, .. }
            if is_known(&routed.conversation, *id) =>
        {
            ControlFlow::Continue(())
        }
        _ => sink(routed),
    })
}

fn finish(result: Result<Outcome, Failure>) -> Result<Outcome, ClaudeError> {
    result.map_err(|failure| match failure {
        Failure::Claude(error) => error,
        Failure::Incomplete => unreachable!("a reading from the start lacks nothing"),
    })
}

/// Reads lines to the end; `from` is where the last reading got to, and `opens_there` whether it stopped at a message
/// that was still open.
fn run<R: Read + Seek>(
    mut input: R,
    mut importer: Importer<'_>,
    start: Place,
    from: u64,
    opens_there: bool,
) -> Result<Outcome, Failure> {
    let mut lines = Lines::new(&mut input, start.offset, LINE_BYTES);
    let mut issues = Vec::new();
    let mut at = start;
    let mut end = start.offset;
    while let Some(span) = lines.next()? {
        end = span.end;
        // Where a message was opened, the steps that its line caused before that went out the last time.
        let is_at_opening = span.offset == from && opens_there;
        if !is_at_opening {
            importer.output.unmute_at(span.offset);
        }
        let fault = match Line::parse(lines.bytes(&span)) {
            _ if span.too_long => Some(IssueKind::TooLong),
            Ok(line) if span.terminated || line.raw.starts_with('{') => {
                importer.take(&line, at)?;
                None
            }
            Ok(_) => break,
            Err(_) if lines.bytes(&span).trim_ascii().is_empty() => None,
            Err(Broken::NotUtf8) => Some(IssueKind::NotUtf8),
            Err(Broken::NotJson) => Some(IssueKind::NotJson),
        };
        if let Some(kind) = fault {
            if !span.terminated {
                break;
            }
            importer.summary.broken += 1;
            if issues.len() < ISSUES && span.offset >= from {
                issues.push(Issue { line: at.number, offset: at.offset, kind });
            }
        }
        if importer.output.is_stopped {
            return Err(Failure::Claude(ClaudeError::Stopped));
        }
        at = Place { offset: span.end, number: at.number + u64::from(span.terminated) };
    }
    importer.output.muted_until = None;
    let (summary, left) = importer.finish(at);
    if left.is_stopped {
        return Err(Failure::Claude(ClaudeError::Stopped));
    }
    let pending = end.saturating_sub(left.waiting);
    let watermark = Watermark::new(&mut input, left)?;
    Ok(Outcome { summary, issues, pending, watermark })
}

impl From<io::Error> for Failure {
    fn from(source: io::Error) -> Self {
        Failure::Claude(ClaudeError::Read { source })
    }
}

impl From<Incomplete> for Failure {
    fn from(_: Incomplete) -> Self {
        Failure::Incomplete
    }
}
