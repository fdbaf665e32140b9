//! From a page to the text of its file.

use super::escape::{Guard, encode};
use super::{Page, Part, ResumePart, StepPart};
use crate::run::Artifact;
use crate::run::step::is_none;

/// Blanks before a further line of a text.
pub(super) const INDENT: usize = 4;
/// Blanks before a further line of a list's item.
pub(super) const ITEM_INDENT: usize = 6;

/// Guards a line that stands behind its name: what is empty there is not known.
const INLINE: Guard = Guard { start: true, empty: true };

/// Returns the text of the file, which [`parse`](super::parse) reads back as this page.
pub fn render(page: &Page) -> String {
    let mut out = format!("# Trace: {}\n\n", encode(&page.workflow, INLINE));
    text(&mut out, "Task", Some(&page.task));
    text(&mut out, "Started", Some(&page.started));
    text(&mut out, "Status", Some(page.status.name()));
    optional(&mut out, "Reason", page.reason.as_deref());
    for part in &page.parts {
        out += "\n---\n\n";
        match part {
            Part::Step(step) => write_step(&mut out, step),
            Part::Resume(resume) => write_resume(&mut out, resume),
        }
    }
    out
}

fn write_step(out: &mut String, step: &StepPart) {
    out.push_str(&format!("## Step {}: {}\n\n", step.number, encode(&step.action, INLINE)));
    text(out, "Status", Some(step.status.name()));
    text(out, "Summary", step.summary.as_deref());
    text(out, "Challenges", step.challenges.as_deref());
    match step.design_changes.as_deref() {
        Some([]) => text(out, "Design changes", Some("none")),
        Some(changes) => list(out, "Design changes", changes),
        None => text(out, "Design changes", None),
    }
    optional(out, "Attempted", step.attempted.as_deref());
    optional(out, "Tried", step.tried.as_deref());
    list(out, "Notes", &step.notes);
    let artifacts: Vec<String> = step.artifacts.iter().map(artifact).collect();
    name_list(out, "Artifacts", &artifacts);
}

fn write_resume(out: &mut String, resume: &ResumePart) {
    *out += "## Resume\n\n";
    optional(out, "At", resume.at.as_deref());
    optional(out, "Step", resume.step.map(|step| step.to_string()).as_deref());
    optional(out, "Decision", resume.decision.map(|decision| decision.name()));
    optional(out, "Note", resume.note.as_deref());
    list(out, "Missing artifacts", &resume.missing);
    list(out, "Changed artifacts", &resume.changed);
}

/// Writes a text behind its name; nothing stands there if it is not known.
fn text(out: &mut String, name: &str, value: Option<&str>) {
    *out += &format!("**{name}:**");
    if let Some(value) = value {
        out.push(' ');
        *out += &lines(value, INDENT);
    }
    out.push('\n');
}

fn optional(out: &mut String, name: &str, value: Option<&str>) {
    if value.is_some() {
        text(out, name, value);
    }
}

fn list(out: &mut String, name: &str, items: &[String]) {
    let items: Vec<String> = items.iter().map(|item| guarded(lines(item, ITEM_INDENT))).collect();
    name_list(out, name, &items);
}

/// Guards an item that would say something else behind its bullet: that there is none, or a path in quotes.
fn guarded(written: String) -> String {
    if is_none(&written) || written.starts_with('`') { format!("\\u{{}}{written}") } else { written }
}

/// Writes a list of items that are written already.
fn name_list(out: &mut String, name: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    *out += &format!("**{name}:**\n");
    for item in items {
        *out += &format!("- {item}\n");
    }
}

fn artifact(artifact: &Artifact) -> String {
    let path = encode(&artifact.path, INLINE);
    match artifact.recorded() {
        Some((blob, size)) => format!("{path} ({size} bytes, {blob})"),
        // What a name says at its own end is no size.
        None if path.ends_with(')') => guarded(format!("{path}\\u{{}}")),
        None => guarded(path),
    }
}

/// Writes the lines of a text; those behind the first are indented.
fn lines(value: &str, indent: usize) -> String {
    let lines: Vec<&str> = value.split('\n').collect();
    let mut out = encode(lines[0], INLINE);
    for (at, line) in lines.iter().enumerate().skip(1) {
        out.push('\n');
        let is_last = at + 1 == lines.len();
        let written = encode(line, Guard { start: false, empty: is_last });
        if !written.is_empty() {
            out.push_str(&" ".repeat(indent));
            out += &written;
        }
    }
    out
}
