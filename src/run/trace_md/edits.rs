//! What somebody has written into `trace.md`, as changes of the run.

use super::parse::{PageError, Parsed};
use super::{Page, Part, ResumePart, StepPart, shown};
use crate::model::EntryId;
use crate::run::{Artifact, Decision, Header, Item, Resume, RuleError, Run, Status, Step, StepStatus};

/// Holds what a person or an agent changed in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edits {
    /// The header, where it changed.
    pub header: Option<Header>,
    /// Entries that say something else.
    pub changed: Vec<(EntryId, Item)>,
    /// Steps and resumptions that were added.
    pub new: Vec<Item>,
    /// What was done, in a few words each.
    pub told: Vec<String>,
}

impl Edits {
    /// Tells whether nothing differs but the layout.
    pub const fn is_empty(&self) -> bool {
        self.header.is_none() && self.changed.is_empty() && self.new.is_empty()
    }
}

/// Compares a file with the run that it is of, and returns what was changed in it.
///
/// Texts may change, the last steps may end, and steps and resumptions may be added, by the same rules as with
/// commands. Nothing is taken out: the history of a run only grows.
///
/// # Errors
/// The line of a change that may not be.
pub fn take_in(run: &Run, parsed: &Parsed, now: &str) -> Result<Edits, PageError> {
    let (page, old) = (&parsed.page, Page::of(run));
    let [title, _, started, status_line] = parsed.head;
    if page.workflow != old.workflow {
        return Err(PageError::new(title, format!("the run is of workflow '{}'", one_line(&old.workflow))));
    }
    if page.started != old.started {
        return Err(PageError::new(started, format!("the run began at {}", one_line(&old.started))));
    }
    let mut taking = Taking { run: run.clone(), edits: Edits::default(), now };
    if page.task != old.task {
        taking.run.header.task.clone_from(&page.task);
        taking.edits.told.push("the task".to_owned());
    }
    if page.reason != old.reason {
        taking.run.header.reason.clone_from(&page.reason);
        taking.edits.told.push("the reason".to_owned());
    }
    for (at, part) in page.parts.iter().enumerate() {
        let line = parsed.lines[at];
        match old.parts.get(at) {
            Some(old) if old == part => {}
            Some(old) => taking.change(at, old, part, line)?,
            None => taking.add(part, line)?,
        }
    }
    if page.parts.len() < old.parts.len() {
        let missing = match &old.parts[page.parts.len()] {
            Part::Step(step) => format!("step {}", step.number),
            Part::Resume(_) => "a resumption".to_owned(),
        };
        return Err(PageError::new(parsed.end.max(1), format!("{missing} is missing behind this line")));
    }
    taking.status(page.status, &old, status_line)?;
    let Taking { run: Run { header, .. }, mut edits, .. } = taking;
    edits.header = (header != run.header).then_some(header);
    Ok(edits)
}

struct Taking<'a> {
    /// The run with what was taken in so far.
    run: Run,
    edits: Edits,
    now: &'a str,
}

impl Taking<'_> {
    fn change(&mut self, at: usize, old: &Part, new: &Part, line: usize) -> Result<(), PageError> {
        let (id, item) = &mut self.run.items[at];
        let told = match (item, old, new) {
            (Item::Step(step), Part::Step(old), Part::Step(new)) => change_step(step, old, new, line, self.now)?,
            (Item::Resume(resume), Part::Resume(old), Part::Resume(new)) => change_resume(resume, old, new, line)?,
            (_, Part::Step(old), _) => {
                return Err(PageError::new(line, format!("step {} is missing before this line", old.number)));
            }
            _ => return Err(PageError::new(line, "a resumption is missing before this line")),
        };
        let id = id.expect("what is compared is stored");
        let item = self.run.items[at].1.clone();
        if matches!(&item, Item::Step(step) if step.status == StepStatus::Failed && told.ends_with("failed")) {
            self.fail();
        }
        self.edits.changed.push((id, item));
        self.edits.told.push(told);
        Ok(())
    }

    fn add(&mut self, part: &Part, line: usize) -> Result<(), PageError> {
        let refused = |error: RuleError| PageError::new(line, error.to_string());
        let item = match part {
            Part::Step(part) => {
                let expected = self.run.next_number();
                if part.number != expected {
                    return Err(PageError::new(
                        line,
                        format!("step {expected} belongs here, not step {}", part.number),
                    ));
                }
                let mut step = self.run.begin_behind(&part.action, self.now.to_owned()).map_err(refused)?;
                let nothing = StepPart { status: StepStatus::InProgress, ..empty(part) };
                let told = change_step(&mut step, &nothing, part, line, self.now)?;
                self.edits.told.push(format!("{told} (new)"));
                Item::Step(step)
            }
            Part::Resume(part) => {
                let decision = part.decision.unwrap_or(match self.run.resumed() {
                    Ok(_) => Decision::Human,
                    Err(_) => Decision::Continue,
                });
                if decision == Decision::Human
                    && let Ok(header) = self.run.resumed()
                {
                    self.run.header = header;
                }
                let last = self.run.next_number() - 1;
                if part.step.is_some_and(|step| step != last) {
                    return Err(PageError::new(line, format!("the last step here is {last}")));
                }
                let mut resume = Resume::new(part.at.clone().unwrap_or_else(|| self.now.to_owned()), last, decision);
                resume.note.clone_from(&part.note);
                resume.missing.clone_from(&part.missing);
                resume.changed.clone_from(&part.changed);
                self.edits.told.push("a resumption (new)".to_owned());
                Item::Resume(resume)
            }
        };
        let failed = matches!(&item, Item::Step(step) if step.status == StepStatus::Failed);
        self.run.items.push((None, item.clone()));
        self.edits.new.push(item);
        if failed {
            self.fail();
        }
        Ok(())
    }

    /// A run with a failed step has failed, until a person resumes it.
    fn fail(&mut self) {
        if self.run.header.status == Status::InProgress {
            self.run.header.status = Status::Failed;
            self.run.header.ended = Some(self.now.to_owned());
        }
    }

    fn status(&mut self, wanted: StepStatus, old: &Page, line: usize) -> Result<(), PageError> {
        // A status that nobody touched follows from the steps.
        if wanted == old.status || wanted == shown(self.run.header.status) {
            return Ok(());
        }
        let now = self.now.to_owned();
        let header = match wanted {
            StepStatus::Completed => self.run.completed(now),
            StepStatus::Failed => self.run.failed(self.run.header.reason.clone(), now),
            StepStatus::InProgress => {
                let reason = "a run that has ended is resumed by '## Resume', or 'git trace run resume'";
                return Err(PageError::new(line, reason));
            }
        };
        self.run.header = header.map_err(|error| PageError::new(line, error.to_string()))?;
        self.edits.told.push(format!("the run is {wanted}"));
        Ok(())
    }
}

/// Changes a step to what stands in the file, and says what that was.
fn change_step(step: &mut Step, old: &StepPart, new: &StepPart, line: usize, now: &str) -> Result<String, PageError> {
    let number = step.number;
    if new.number != number {
        return Err(PageError::new(line, format!("step {number} belongs here, not step {}", new.number)));
    }
    if old.status != new.status && old.status != StepStatus::InProgress {
        return Err(PageError::new(line, format!("step {number} is {}, and stays so", old.status)));
    }
    step.action.clone_from(&new.action);
    step.status = new.status;
    step.summary.clone_from(&new.summary);
    step.challenges.clone_from(&new.challenges);
    step.design_changes.clone_from(&new.design_changes);
    step.attempted.clone_from(&new.attempted);
    step.tried.clone_from(&new.tried);
    step.notes.clone_from(&new.notes);
    // What was recorded of a file stays, whatever its line says.
    let known = |one: &Artifact| step.artifacts.iter().find(|known| known.path == one.path).cloned();
    step.artifacts = new.artifacts.iter().map(|one| known(one).unwrap_or_else(|| one.clone())).collect();
    if step.status == StepStatus::Failed {
        // Whoever writes by hand may know the four fields only.
        step.attempted = step.attempted.take().or_else(|| step.summary.clone());
        step.tried = step.tried.take().or_else(|| step.challenges.clone());
    }
    if old.status != new.status {
        step.ended = Some(now.to_owned());
    }
    step.check().map_err(|error| PageError::new(line, error.to_string()))?;
    Ok(match old.status == new.status {
        true => format!("step {number}"),
        false => format!("step {number} {}", new.status),
    })
}

fn change_resume(resume: &mut Resume, old: &ResumePart, new: &ResumePart, line: usize) -> Result<String, PageError> {
    let same_text = ResumePart { note: old.note.clone(), ..new.clone() };
    if same_text != *old {
        return Err(PageError::new(line, "of a resumption that is recorded only the note may change"));
    }
    resume.note.clone_from(&new.note);
    Ok("the note of a resumption".to_owned())
}

/// Returns the section of a step of which nothing is known.
fn empty(part: &StepPart) -> StepPart {
    StepPart {
        number: part.number,
        action: part.action.clone(),
        status: StepStatus::InProgress,
        summary: None,
        challenges: None,
        design_changes: None,
        attempted: None,
        tried: None,
        notes: Vec::new(),
        artifacts: Vec::new(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
