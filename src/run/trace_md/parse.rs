//! From the text of a file to its page: what was rendered, and what people and agents write by hand.

mod field;
mod line;

use field::{Field, Name};
use line::{Heading, Line};

use super::{PAGE_MAX, Page, Part, ResumePart, StepPart};
use crate::run::record::ITEMS_MAX;
use crate::run::{Decision, StepStatus};

/// Says why a file is no trace, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct PageError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl PageError {
    pub(super) fn new(line: usize, reason: impl Into<String>) -> Self {
        PageError { line, reason: reason.into() }
    }
}

/// Holds a page, and where its parts begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The page.
    pub page: Page,
    /// The line of the heading of each part.
    pub lines: Vec<usize>,
    /// The lines of the title, the task, the start and the status.
    pub head: [usize; 4],
    /// The last line.
    pub end: usize,
}

/// Reads the text of a file.
///
/// Fields may stand in any order, blank lines and rules may be missing, and a text may go on without being indented as
/// long as none of its lines reads like a heading, a rule or a field; what stands within a fence is text in any case. A
/// heading may be `## Step 2: …`, `## [Step 2] …` or `[Step 2] …`.
///
/// # Errors
/// The first line that cannot be understood.
pub fn parse(text: &str) -> Result<Parsed, PageError> {
    if text.len() as u64 > PAGE_MAX {
        return Err(PageError::new(1, format!("the file has more than {PAGE_MAX} bytes")));
    }
    let mut reader = Reader { sections: Vec::new(), fence: None };
    let mut end = 0;
    for (at, line) in text.strip_prefix('\u{feff}').unwrap_or(text).split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !line.trim().is_empty() {
            end = at + 1;
        }
        reader.take(at + 1, line)?;
    }
    if let Some((_, line)) = reader.fence {
        return Err(PageError::new(line, "a fence is opened and not closed"));
    }
    assemble(reader.sections, end)
}

/// What stands below one heading.
struct Section {
    line: usize,
    heading: Heading,
    fields: Vec<Field>,
}

struct Reader {
    sections: Vec<Section>,
    /// What opened a fence, and where.
    fence: Option<(String, usize)>,
}

impl Reader {
    fn take(&mut self, at: usize, text: &str) -> Result<(), PageError> {
        if let Some((mark, _)) = &self.fence {
            if line::closes(text, mark) {
                self.fence = None;
            }
            return self.more(at, text);
        }
        match Line::read(text) {
            Line::Blank => self.more(at, ""),
            Line::Rule => {
                self.end_field();
                Ok(())
            }
            Line::Indented => self.more(at, text),
            Line::Fence(mark) => {
                self.fence = Some((mark.to_owned(), at));
                self.more(at, text)
            }
            Line::Heading(heading) => self.open(at, heading),
            Line::Field { name, value } => self.field(at, name, value),
            Line::Text => self.more(at, text),
            Line::Unknown => {
                let reason = format!("'{}' is no heading of a trace", shorten(text));
                Err(PageError::new(at, format!("{reason}; within a text it is indented by four blanks")))
            }
        }
    }

    fn open(&mut self, at: usize, heading: Heading) -> Result<(), PageError> {
        match (&heading, self.sections.is_empty()) {
            (Heading::Title(_), false) => return Err(PageError::new(at, "a second title")),
            (Heading::Title(_), true) | (_, false) => {}
            (_, true) => return Err(no_title(at)),
        }
        if self.sections.len() > ITEMS_MAX {
            return Err(PageError::new(at, format!("more than {ITEMS_MAX} steps")));
        }
        self.sections.push(Section { line: at, heading, fields: Vec::new() });
        Ok(())
    }

    fn field(&mut self, at: usize, name: &str, value: &str) -> Result<(), PageError> {
        let section = self.sections.last_mut().ok_or_else(|| no_title(at))?;
        let Some(known) = Name::read(name, &section.heading) else {
            let reason = format!("unknown field '{}'", shorten(name));
            return Err(PageError::new(at, format!("{reason}; within a text it is indented by four blanks")));
        };
        if let Some(first) = section.fields.iter().find(|field| field.name == known) {
            return Err(PageError::new(at, format!("'{}' is in line {} already", known.name(), first.line)));
        }
        section.fields.push(Field::new(at, known, value));
        Ok(())
    }

    /// Takes a line that goes on with the text before it.
    fn more(&mut self, at: usize, text: &str) -> Result<(), PageError> {
        let is_blank = text.trim().is_empty();
        let Some(section) = self.sections.last_mut() else {
            return if is_blank { Ok(()) } else { Err(no_title(at)) };
        };
        if let Some(field) = section.fields.last_mut().filter(|field| !field.ended && field.name.goes_on()) {
            field.push(text);
            return Ok(());
        }
        if is_blank {
            return Ok(());
        }
        // Whoever resumes a run by hand writes what there is to say, and no names of fields.
        if matches!(section.heading, Heading::Resume) && section.fields.iter().all(|field| field.name != Name::Note) {
            section.fields.push(Field::new(at, Name::Note, text));
            return Ok(());
        }
        Err(PageError::new(at, format!("'{}' belongs to no field", shorten(text))))
    }

    fn end_field(&mut self) {
        if let Some(field) = self.sections.last_mut().and_then(|section| section.fields.last_mut()) {
            field.ended = true;
        }
    }
}

fn no_title(at: usize) -> PageError {
    PageError::new(at, "the title '# Trace: <workflow>' is missing")
}

/// Returns the beginning of a line, for a message.
fn shorten(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn assemble(sections: Vec<Section>, end: usize) -> Result<Parsed, PageError> {
    let mut sections = sections.into_iter();
    let Some(Section { line: title, heading: Heading::Title(workflow), fields }) = sections.next() else {
        return Err(no_title(1));
    };
    let mut top = Fields { line: title, fields };
    let (task, task_line) = top.needed(Name::Task)?;
    let (started, started_line) = top.needed(Name::Started)?;
    let (status, status_line) = top.status()?;
    let reason = top.text(Name::Reason);
    let (mut parts, mut lines) = (Vec::new(), Vec::new());
    for Section { line, heading, fields } in sections {
        let fields = Fields { line, fields };
        lines.push(line);
        parts.push(match heading {
            Heading::Step { number, action } => Part::Step(step(number, action, fields)?),
            _ => Part::Resume(resume(fields)?),
        });
    }
    let page = Page { workflow, task, started, status, reason, parts };
    Ok(Parsed { page, lines, head: [title, task_line, started_line, status_line], end })
}

fn step(number: u32, action: String, mut fields: Fields) -> Result<StepPart, PageError> {
    Ok(StepPart {
        number,
        action,
        status: fields.status()?.0,
        summary: fields.text(Name::Summary),
        challenges: fields.text(Name::Challenges),
        design_changes: fields.list_or_none(Name::DesignChanges),
        attempted: fields.text(Name::Attempted),
        tried: fields.text(Name::Tried),
        notes: fields.list(Name::Notes),
        artifacts: fields.artifacts(),
    })
}

fn resume(mut fields: Fields) -> Result<ResumePart, PageError> {
    let step = match fields.take(Name::Step) {
        Some(field) => {
            let line = field.line;
            let number = field.text().and_then(|text| text.trim().parse().ok());
            Some(number.ok_or_else(|| PageError::new(line, "the step is named by its number"))?)
        }
        None => None,
    };
    let decision = match fields.take(Name::Decision) {
        Some(field) => {
            let line = field.line;
            let known = field.text().and_then(|text| Decision::from_words(&text));
            let wanted = "the decision is 'continue', 'rerun', 'investigate' or 'human'";
            Some(known.ok_or_else(|| PageError::new(line, wanted))?)
        }
        None => None,
    };
    Ok(ResumePart {
        at: fields.text(Name::At),
        step,
        decision,
        note: fields.text(Name::Note),
        missing: fields.list(Name::Missing),
        changed: fields.list(Name::Changed),
    })
}

/// The fields of one section that were not taken yet.
struct Fields {
    line: usize,
    fields: Vec<Field>,
}

impl Fields {
    fn take(&mut self, name: Name) -> Option<Field> {
        let at = self.fields.iter().position(|field| field.name == name)?;
        Some(self.fields.swap_remove(at))
    }

    fn text(&mut self, name: Name) -> Option<String> {
        self.take(name).and_then(Field::text)
    }

    fn needed(&mut self, name: Name) -> Result<(String, usize), PageError> {
        let missing = |line| PageError::new(line, format!("'**{}:**' is missing", name.name()));
        let field = self.take(name).ok_or_else(|| missing(self.line))?;
        let line = field.line;
        Ok((field.text().ok_or_else(|| missing(line))?, line))
    }

    fn status(&mut self) -> Result<(StepStatus, usize), PageError> {
        let (words, line) = self.needed(Name::Status)?;
        let status = StepStatus::from_words(&words);
        let wanted = "the status is 'in-progress', 'completed' or 'failed'";
        Ok((status.ok_or_else(|| PageError::new(line, wanted))?, line))
    }

    fn list(&mut self, name: Name) -> Vec<String> {
        self.list_or_none(name).unwrap_or_default()
    }

    fn list_or_none(&mut self, name: Name) -> Option<Vec<String>> {
        self.take(name).and_then(Field::list)
    }

    fn artifacts(&mut self) -> Vec<crate::run::Artifact> {
        self.take(Name::Artifacts).map(Field::artifacts).unwrap_or_default()
    }
}
