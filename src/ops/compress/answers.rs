//! What drivers answered, asked once each.

use std::rc::Rc;

use super::super::credits::{Credits, word};
use super::super::driver::ANSWER_MAX;
use super::super::{OpError, Workspace};
use super::{Compress, Mode};
use crate::drivers::{Answer, Driver, Embedded, Summarise, Task};
use crate::tokens::Encoding;

/// Opens the driver that a mode needs: what is extracted needs none that is configured.
fn open(workspace: &Workspace, mode: Mode, name: Option<&str>, encoding: Encoding) -> Result<Rc<dyn Driver>, OpError> {
    match (mode, name) {
        (Mode::Driver, None) => Err(OpError::NoDriver),
        (Mode::Driver, name) => Ok(Rc::from(workspace.driver(name, encoding)?)),
        _ => Ok(Rc::new(Embedded::new(encoding))),
    }
}

/// Keeps a driver's answers, so that a change that has to be made anew asks nothing twice.
pub(super) struct Answers<'a> {
    workspace: &'a Workspace,
    /// The driver that the caller brought, or that was opened.
    given: Option<Rc<dyn Driver>>,
    name: Option<String>,
    /// Whether only what costs nothing is asked.
    is_rehearsal: bool,
    known: Vec<(String, Task, Answer)>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(workspace: &'a Workspace, request: &Compress<'_>) -> Self {
        let name = request.driver_name.clone().or_else(|| workspace.config("trace.driver"));
        let given = request.driver.clone();
        Answers { workspace, given, name, is_rehearsal: request.dry_run, known: Vec::new() }
    }

    /// Asks for a text in the place of some passages; `None` if that costs something and this is a rehearsal. The driver
    /// that is built in has nothing to say where no line fits: then `fallback` does.
    pub(super) fn ask(
        &mut self,
        mode: Mode,
        encoding: Encoding,
        task: Summarise,
        fallback: &str,
        facts: &mut Credits,
    ) -> Result<Option<String>, OpError> {
        let driver = match (mode, &self.given) {
            (Mode::Driver, Some(driver)) => Rc::clone(driver),
            // Opened once: a helper may be asked for its key.
            (Mode::Driver, None) => {
                let driver = open(self.workspace, mode, self.name.as_deref(), encoding)?;
                Rc::clone(self.given.insert(driver))
            }
            _ => open(self.workspace, mode, self.name.as_deref(), encoding)?,
        };
        let name = driver.name();
        if self.is_rehearsal && name != "embedded" {
            return Ok(None);
        }
        let task = Task::Summarise(task);
        let known = self.known.iter().find(|(by, asked, _)| *by == name && *asked == task);
        let answer = match known {
            Some((.., answer)) => answer.clone(),
            None => {
                let answer = driver.carry_out(&task)?;
                self.known.push((name.clone(), task, answer.clone()));
                answer
            }
        };
        if mode == Mode::Extract && answer.text.trim().is_empty() {
            return Ok(Some(fallback.to_owned()));
        }
        let refuse = |reason: String| Err(OpError::Answer { driver: word(&name), reason });
        if answer.text.trim().is_empty() {
            return refuse("it is empty".to_owned());
        }
        if answer.text.len() > ANSWER_MAX {
            return refuse(format!("it has more than {ANSWER_MAX} bytes"));
        }
        facts.add(&name, &answer);
        Ok(Some(answer.text.trim_end().to_owned()))
    }
}
