//! From a materialized context to bytes.

use std::io::{self, Write};

use super::loss::Dropped;
use super::plan::plan;
use super::problem::Problem;
use super::{Format, anthropic, chat, jsonl, markdown, responses, text};
use crate::model::{EntryId, Item};

/// Says how to render a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The form.
    pub format: Format,
    /// Shows entries too that are not sent to a model; only in `text`, `markdown` and `jsonl`.
    pub all: bool,
    /// Leaves out the model's last messages whose calls are not all answered; only in a provider's format.
    pub trim: bool,
    /// Puts a line of the user's before a context in which the model speaks first; only in `anthropic`.
    pub pad: bool,
}

impl Options {
    /// Asks for a format and nothing special.
    pub const fn new(format: Format) -> Self {
        Options { format, all: false, trim: false, pad: false }
    }
}

/// Tells what a rendering holds and what it does not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    /// Number of entries that were rendered.
    pub entries: usize,
    /// Number of messages or items that were written; entries and messages are the same in `text`, `markdown`,
    /// `jsonl`.
    pub messages: usize,
    /// What was left out or changed because the format has no place for it, in the order of the entries.
    pub dropped: Vec<Dropped>,
    /// Entries that were left out at the end, because [`Options::trim`] asked for it.
    pub trimmed: Vec<EntryId>,
}

/// Says why a context was not rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A provider would refuse it. Nothing was written.
    #[error("cannot render the context as '{format}': {}", summary(.problems))]
    Invalid {
        /// The format.
        format: Format,
        /// What is wrong, at least one fault, in the order of the entries.
        problems: Vec<Problem>,
    },
    /// The bytes could not be written; some may have been.
    #[error("cannot write the context: {0}")]
    Write(#[from] io::Error),
}

impl RenderError {
    /// Returns the advice that goes with the message, where there is any.
    pub fn hint(&self) -> Option<String> {
        match self {
            RenderError::Invalid { problems, .. } => problems.first().map(Problem::hint),
            RenderError::Write(_) => None,
        }
    }
}

fn summary(problems: &[Problem]) -> String {
    match problems {
        [] => "unknown fault".to_owned(),
        [only] => only.to_string(),
        [first, more @ ..] => format!("{first} (and {} more)", more.len()),
    }
}

/// Renders a context, given in its order.
///
/// The same entries give the same bytes. A provider's format is one JSON document, an object whose members are
/// parameters of the provider's API; it is either a valid sequence or an error, never something in between.
///
/// # Errors
/// When a provider would refuse the sequence, or `out` the bytes.
///
/// # Examples
/// ```
/// use git_trace::export::{Format, Options, render};
///
/// let mut out = Vec::new();
/// let rendered = render(&[], &Options::new(Format::OpenaiChat), &mut out)?;
/// assert_eq!(out, b"{\"messages\":[\n]}\n");
/// assert_eq!(rendered.messages, 0);
/// # Ok::<(), git_trace::export::RenderError>(())
/// ```
pub fn render(items: &[Item], options: &Options, out: &mut impl Write) -> Result<Rendered, RenderError> {
    let out: &mut dyn Write = out;
    let one = match options.format {
        Format::Text => text::write,
        Format::Markdown => markdown::write,
        Format::Jsonl => jsonl::write,
        Format::Anthropic | Format::OpenaiChat | Format::OpenaiResponses => {
            return for_provider(items, options, out);
        }
    };
    let mut rendered = Rendered::default();
    for item in items.iter().filter(|item| options.all || item.entry.role.is_sent()) {
        one(item, out)?;
        rendered.entries += 1;
        rendered.messages += 1;
    }
    Ok(rendered)
}

fn for_provider(items: &[Item], options: &Options, out: &mut dyn Write) -> Result<Rendered, RenderError> {
    let format = options.format;
    let plan = plan(items, Some(format), options.trim);
    let pads = |problem: &Problem| options.pad && problem.kind == super::ProblemKind::AssistantFirst;
    let problems: Vec<Problem> =
        plan.problems.iter().filter(|problem| problem.concerns(format) && !pads(problem)).cloned().collect();
    if !problems.is_empty() {
        return Err(RenderError::Invalid { format, problems });
    }
    let messages = match format {
        Format::Anthropic => anthropic::write(&plan, options.pad, out)?,
        Format::OpenaiChat => chat::write(&plan, out)?,
        _ => responses::write(&plan, out)?,
    };
    Ok(Rendered { entries: plan.entries, messages, dropped: plan.dropped, trimmed: plan.trimmed })
}
