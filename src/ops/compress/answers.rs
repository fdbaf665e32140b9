//! What drivers answered, asked once each.

use std::rc::Rc;

use super::super::{OpError, Workspace};
use super::plan::TEXT_MAX;
use super::{Compress, Mode};
use crate::drivers::{Answer, Driver, Embedded, Summarise, Task};
use crate::model::{NanoDollars, Usage};
use crate::tokens::Encoding;

/// Most calls of a driver that a commit names one by one.
const NAMED_MAX: usize = 16;

/// Longest model name or prompt hash that is recorded, in characters.
const WORD_MAX: usize = 100;

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
    /// The driver that the caller brought.
    given: Option<Rc<dyn Driver>>,
    name: Option<String>,
    /// Whether only what costs nothing is asked.
    is_rehearsal: bool,
    known: Vec<(String, Task, Answer)>,
}

/// What driver calls are to be remembered for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct DriverFacts {
    /// One line a call.
    pub(super) calls: Vec<String>,
    pub(super) model: Option<String>,
    pub(super) usage: Option<Usage>,
    pub(super) cost: Option<NanoDollars>,
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
        facts: &mut DriverFacts,
    ) -> Result<Option<String>, OpError> {
        let driver = match (mode, &self.given) {
            (Mode::Driver, Some(driver)) => Rc::clone(driver),
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
        if answer.text.len() > TEXT_MAX {
            return refuse(format!("it has more than {TEXT_MAX} bytes"));
        }
        facts.add(&name, &answer);
        Ok(Some(answer.text.trim_end().to_owned()))
    }
}

impl DriverFacts {
    fn add(&mut self, name: &str, answer: &Answer) {
        if self.calls.len() < NAMED_MAX {
            let mut line = word(name);
            for (field, value) in [("model", &answer.model), ("prompt", &answer.prompt_hash)] {
                line += &value.as_ref().map(|value| format!(" {field}={}", word(value))).unwrap_or_default();
            }
            self.calls.push(line);
        }
        self.model = answer.model.as_deref().map(word).or(self.model.take());
        self.usage = match (self.usage, answer.usage) {
            (Some(one), Some(other)) => Some(sum(one, other)),
            (one, other) => one.or(other),
        };
        self.cost = match (self.cost, answer.cost) {
            (Some(one), Some(other)) => Some(NanoDollars(one.0.saturating_add(other.0))),
            (one, other) => one.or(other),
        };
    }
}

fn sum(one: Usage, other: Usage) -> Usage {
    let add = |one: Option<u64>, other: Option<u64>| match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    };
    Usage {
        input: add(one.input, other.input),
        cache_read: add(one.cache_read, other.cache_read),
        cache_write: add(one.cache_write, other.cache_write),
        output: add(one.output, other.output),
        reasoning: add(one.reasoning, other.reasoning),
    }
}

/// Makes one word of what a driver says of itself, which could be anything.
fn word(text: &str) -> String {
    let plain = |one: char| if one.is_ascii_graphic() && one != '=' { one } else { '_' };
    text.chars().take(WORD_MAX).map(plain).collect()
}
