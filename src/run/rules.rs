//! What may follow what in a run.

use super::{Artifact, Decision, Header, Item, Run, Setup, Status, Step, StepStatus};
use crate::run::record::ITEMS_MAX;

/// The longest text of a step, in bytes.
pub const TEXT_MAX: usize = 64 << 10;
/// Most design changes, notes or artifacts of a step.
pub const LIST_MAX: usize = 1000;

/// Says why something may not be recorded in a run now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The run does not go on.
    #[error("the run is {status}")]
    NotOpen {
        /// How it stands.
        status: Status,
    },
    /// A step waits for its end.
    #[error("step {number} is in progress: {action}")]
    StepOpen {
        /// The step.
        number: u32,
        /// What it is to do.
        action: String,
    },
    /// The last step failed, and nobody has resumed the run.
    #[error("step {number} has failed, and no person has resumed the run since: {action}")]
    StepFailed {
        /// The step.
        number: u32,
        /// What it was to do.
        action: String,
    },
    /// There is no step.
    #[error("the run has no step yet")]
    NoStep,
    /// The current step has ended.
    #[error("step {number} is {status}")]
    StepEnded {
        /// The step.
        number: u32,
        /// How it ended.
        status: StepStatus,
    },
    /// Something has to be said, and is not.
    #[error("step {number} has no {what}")]
    Missing {
        /// The step.
        number: u32,
        /// What is missing.
        what: &'static str,
    },
    /// The run cannot be resumed, since nothing stopped it.
    #[error("nothing has failed: the run is {status}")]
    NothingFailed {
        /// How it stands.
        status: Status,
    },
    /// A text is longer than it may be.
    #[error("{what} has more than {max} {unit}")]
    TooLong {
        /// Which text, or list.
        what: &'static str,
        /// The limit.
        max: usize,
        /// What is counted.
        unit: &'static str,
    },
    /// There are as many steps as a run can have.
    #[error("the run has {ITEMS_MAX} steps; begin another one")]
    Full,
}

/// Says how a run that was left goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery<'a> {
    /// It does not: all is done.
    Done,
    /// With the next step.
    Next,
    /// Somebody has to say what becomes of the step that was interrupted.
    Ask(&'a Step),
    /// Only a person can say: the step failed, or the run was stopped.
    Stopped(Option<&'a Step>),
}

impl Run {
    /// Says how the run goes on if it was left as it is.
    pub fn recovery(&self) -> Recovery<'_> {
        let current = self.current();
        match self.header.status {
            Status::Completed => Recovery::Done,
            Status::InProgress => match current {
                Some(step) if step.status == StepStatus::InProgress => Recovery::Ask(step),
                Some(step) if step.status == StepStatus::Failed && !self.is_resumed() => Recovery::Stopped(Some(step)),
                _ => Recovery::Next,
            },
            _ => Recovery::Stopped(current.filter(|step| step.status == StepStatus::Failed)),
        }
    }

    /// Tells whether turns of an agent drive the run: they alone end it, and it is gone on with by another turn.
    pub fn is_of_turns(&self) -> bool {
        !matches!(Setup::of(&self.header), Ok(None))
    }

    /// Tells whether the run goes on behind a step that failed: a person has resumed it since, or turns drive it.
    fn is_resumed(&self) -> bool {
        if self.is_of_turns() {
            return true;
        }
        let behind = self.current_place().map_or(0, |place| place + 1);
        self.items[behind..]
            .iter()
            .any(|(_, item)| matches!(item, Item::Resume(resume) if resume.decision == Decision::Human))
    }

    /// Begins the next step.
    ///
    /// # Errors
    /// When the run does not go on, or the last step has not ended well.
    pub fn begin(&self, action: &str, at: String) -> Result<Step, RuleError> {
        if let Some(step) = self.current().filter(|step| step.status == StepStatus::InProgress) {
            self.check_open()?;
            return Err(RuleError::StepOpen { number: step.number, action: step.action.clone() });
        }
        self.begin_behind(action, at)
    }

    /// Begins the next step although the last one may not have ended, which is an interruption.
    ///
    /// # Errors
    /// As [`Run::begin`].
    pub fn begin_behind(&self, action: &str, at: String) -> Result<Step, RuleError> {
        match self.current() {
            Some(step) if step.status == StepStatus::Failed && !self.is_resumed() => {
                return Err(RuleError::StepFailed { number: step.number, action: step.action.clone() });
            }
            _ => self.check_open()?,
        }
        if self.items.len() >= ITEMS_MAX {
            return Err(RuleError::Full);
        }
        let step = Step::new(self.next_number(), action, at);
        if step.action.is_empty() {
            return Err(RuleError::Missing { number: step.number, what: "action" });
        }
        step.check()?;
        Ok(step)
    }

    /// Returns the current step if it may end now, or be remarked on.
    ///
    /// # Errors
    /// When there is none, or it has ended.
    pub fn open_step(&self) -> Result<Step, RuleError> {
        let step = self.current().ok_or(RuleError::NoStep)?;
        if step.status != StepStatus::InProgress {
            return Err(RuleError::StepEnded { number: step.number, status: step.status });
        }
        self.check_open()?;
        Ok(step.clone())
    }

    /// Returns the header of the run once all is done.
    ///
    /// # Errors
    /// When there is no step, or the last one was not completed.
    pub fn completed(&self, at: String) -> Result<Header, RuleError> {
        self.check_open()?;
        let step = self.current().ok_or(RuleError::NoStep)?;
        match step.status {
            StepStatus::Completed => {}
            StepStatus::InProgress => {
                return Err(RuleError::StepOpen { number: step.number, action: step.action.clone() });
            }
            StepStatus::Failed if self.is_resumed() => {}
            StepStatus::Failed => {
                return Err(RuleError::StepFailed { number: step.number, action: step.action.clone() });
            }
        }
        Ok(Header { status: Status::Completed, ended: Some(at), reason: None, ..self.header.clone() })
    }

    /// Returns the header of the run once it is given up.
    ///
    /// # Errors
    /// When it has ended.
    pub fn failed(&self, reason: Option<String>, at: String) -> Result<Header, RuleError> {
        self.check_open()?;
        Ok(Header { status: Status::Failed, ended: Some(at), reason, ..self.header.clone() })
    }

    /// Returns the header of the run once a person says that it goes on.
    ///
    /// # Errors
    /// When nothing stopped it.
    pub fn resumed(&self) -> Result<Header, RuleError> {
        if !matches!(self.recovery(), Recovery::Stopped(_)) {
            return Err(RuleError::NothingFailed { status: self.header.status });
        }
        Ok(Header { status: Status::InProgress, ended: None, reason: None, ..self.header.clone() })
    }

    fn check_open(&self) -> Result<(), RuleError> {
        match self.header.status {
            Status::InProgress => Ok(()),
            status => Err(RuleError::NotOpen { status }),
        }
    }
}

impl Step {
    /// Checks that the step says what one that stands so has to say, and not too much.
    ///
    /// # Errors
    /// What is missing, or too long.
    pub fn check(&self) -> Result<(), RuleError> {
        let number = self.number;
        let said = |text: &Option<String>, what: &'static str| match text {
            Some(text) if !text.trim().is_empty() => Ok(()),
            _ => Err(RuleError::Missing { number, what }),
        };
        match self.status {
            StepStatus::InProgress => {}
            StepStatus::Completed => {
                said(&self.summary, "summary")?;
                said(&self.challenges, "challenges")?;
                if self.design_changes.is_none() {
                    return Err(RuleError::Missing { number, what: "design changes ('none' where there are none)" });
                }
            }
            StepStatus::Failed => {
                said(&self.attempted, "word on what was attempted")?;
                said(&self.tried, "word on what was tried")?;
            }
        }
        let one = |what: &'static str, text: &str| match text.len() > TEXT_MAX {
            true => Err(RuleError::TooLong { what, max: TEXT_MAX, unit: "bytes" }),
            false => Ok(()),
        };
        let texts = [
            ("the action", Some(&self.action)),
            ("the summary", self.summary.as_ref()),
            ("the text on challenges", self.challenges.as_ref()),
            ("what was attempted", self.attempted.as_ref()),
            ("what was tried", self.tried.as_ref()),
        ];
        texts.into_iter().try_for_each(|(what, text)| text.map_or(Ok(()), |text| one(what, text)))?;
        let changes = self.design_changes.as_deref().unwrap_or_default();
        let paths = self.artifacts.iter().map(|Artifact { path, .. }| path);
        changes.iter().try_for_each(|text| one("a design change", text))?;
        self.notes.iter().try_for_each(|text| one("a note", text))?;
        paths.into_iter().try_for_each(|text| one("the path of an artifact", text))?;
        let lists = [
            ("the list of design changes", changes.len()),
            ("the list of notes", self.notes.len()),
            ("the list of artifacts", self.artifacts.len()),
        ];
        match lists.into_iter().find(|(_, length)| *length > LIST_MAX) {
            Some((what, _)) => Err(RuleError::TooLong { what, max: LIST_MAX, unit: "items" }),
            None => Ok(()),
        }
    }
}
