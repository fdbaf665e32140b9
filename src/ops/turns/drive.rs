//! The loop: turn after turn, until the tracker, a limit or a person ends it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::means::Means;
use super::record::{self, BETWEEN};
use super::session::SessionFinder;
use super::tracker_file::TrackerFile;
use super::{RunEvent, RunWatch, TurnsError};
use crate::drivers::{AgentProgram, AgentTurn, Interrupt, Stopped, TurnEnd};
use crate::ops::{OpError, Workspace, preview};
use crate::run::{Ended, Header, Opening, Progress, RunId, Setup, Status, Turn, TurnKind, TurnStatus, Verdict, fill};

/// What an agent is told that stopped without a word in the tracker.
const NUDGE: &str = "You stopped, and the tracker at {trackerPath} does not say how the run stands. If work is left, go \
on with it now. If all is done and checked, make `{completionMarker}` the last line of the tracker. If only a person can \
get it on, make `{blockedMarker}: <reason> -->` the last line.";
/// What is added where a terminal line stood above other text.
const MISPLACED: &str = " A line that ends the run counts only as the last line: line {line} of the tracker has text \
below it.";
/// How often it is looked whether a pause is to be cut short.
const LOOK: Duration = Duration::from_millis(50);

/// Is a run that is driven.
pub(super) struct Driven<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) header: Header,
    pub(super) setup: Setup,
    pub(super) means: Means,
    pub(super) agent: AgentProgram,
    /// The top of the work tree.
    pub(super) folder: PathBuf,
    pub(super) tracker: Option<TrackerFile>,
    pub(super) instructions: String,
    pub(super) sessions: SessionFinder,
    /// When all of it has to be over.
    pub(super) deadline: Option<Instant>,
    /// How long one turn may take.
    pub(super) turn_time: Duration,
    pub(super) interrupt: Interrupt,
}

/// Says which turn comes next.
#[derive(Debug, Clone)]
pub(super) struct Next {
    /// The number that the turn before it has.
    pub(super) turns: u32,
    pub(super) progress: Progress,
    pub(super) opening: Opening,
    /// What the agent is told, instructions excluded.
    pub(super) prompt: String,
    /// The agent's own session that it may go on with.
    pub(super) session: Option<String>,
}

/// Is a turn that was made and judged.
struct Made {
    turn: Turn,
    end: TurnEnd,
    ended: Ended,
    verdict: Verdict,
}

/// Holds how a run ended.
pub(super) struct Driving {
    pub(super) header: Header,
    pub(super) turns: u32,
    pub(super) iterations: u32,
    pub(super) last: Option<TurnEnd>,
}

impl Driven<'_> {
    /// Makes turns until the run has an end.
    ///
    /// # Errors
    /// When the agent cannot be started, or nothing can be recorded.
    pub(super) fn drive(mut self, mut next: Next, watch: &mut RunWatch<'_>) -> Result<Driving, OpError> {
        loop {
            let Made { turn, end, ended, verdict } = self.take_turn(&mut next, watch)?;
            if self.header.status != Status::InProgress {
                let iterations = turn.iteration;
                return Ok(Driving { header: self.header, turns: turn.turn, iterations, last: Some(end) });
            }
            if let Verdict::Retry(pause) = verdict {
                watch(RunEvent::Retrying { pause });
                if let Some(verdict) = self.pause(pause) {
                    return self.stop(&verdict, &next, end);
                }
            }
            self.open_next(&verdict, &mut next, &ended);
            if self.is_over() {
                let verdict = self.out_of_time();
                return self.stop(&verdict, &next, end);
            }
        }
    }

    /// Makes one turn, and judges it; it is recorded before the agent starts, and again when it has ended.
    fn take_turn(&mut self, next: &mut Next, watch: &mut RunWatch<'_>) -> Result<Made, OpError> {
        let run = self.header.run.clone();
        let before = self.read_tracker().unwrap_or_default();
        let resume = next.session.clone().filter(|_| self.resumes(next.opening));
        let mut turn = self.begin_turn(next)?;
        let prompt = self.whole_prompt(&next.prompt, resume.is_some());
        record::begin(self.workspace, &run, &next.prompt, &prompt, &turn)?;
        watch(RunEvent::TurnStarted { turn: turn.turn, iteration: turn.iteration, opening: turn.opening });
        let (end, not_started) = match self.run_agent(prompt, resume.as_deref(), &turn, watch) {
            Ok(end) => (end, None),
            // What happened is recorded before it is told.
            Err(error) => (TurnEnd { failure: Some(error.to_string()), ..TurnEnd::default() }, Some(error)),
        };
        let (tracker, unreadable) = match self.read_tracker() {
            Ok(tracker) => (tracker, None),
            Err(error) => (None, Some(error.to_string())),
        };
        next.turns = turn.turn;
        if end.session.is_some() {
            next.session.clone_from(&end.session);
        }
        let ended = Ended {
            failure: self.failure(&end),
            resumed: resume.is_some(),
            resumable: next.session.is_some() && self.agent.resumes(),
            changed: tracker != before,
            tracker,
        };
        let verdict = match (&not_started, end.stopped) {
            (Some(error), _) => Verdict::End(Status::Failed, Some(error.to_string())),
            (None, Some(Stopped::Interrupted)) => Verdict::End(Status::Cancelled, Some("interrupted".to_owned())),
            (None, Some(Stopped::Slow)) if self.is_over() => self.out_of_time(),
            _ if unreadable.is_some() => Verdict::End(Status::Failed, unreadable),
            _ => self.setup.limits().decide(&mut next.progress, &ended),
        };
        turn.status = match (&ended.failure, end.stopped) {
            (_, Some(Stopped::Interrupted)) => TurnStatus::Cancelled,
            (Some(_), _) => TurnStatus::Failed,
            (None, _) => TurnStatus::Done,
        };
        turn.exit = end.exit;
        turn.reason.clone_from(&ended.failure);
        self.end_turn(&mut turn, &verdict, next, &end, watch)?;
        record::end(self.workspace, &run, &turn, &end, ended.tracker.as_deref(), &self.header)?;
        let (iteration, status) = (turn.iteration, turn.status);
        watch(RunEvent::TurnEnded { turn: turn.turn, iteration, status, run_status: self.header.status });
        match not_started {
            Some(error) => Err(error),
            None => Ok(Made { turn, end, ended, verdict }),
        }
    }

    /// Ends the run between two turns.
    fn stop(mut self, verdict: &Verdict, next: &Next, last: TurnEnd) -> Result<Driving, OpError> {
        self.close(verdict)?;
        let reason = preview(self.header.reason.as_deref().unwrap_or_default());
        let subject = format!("run {}: {reason}", self.header.status);
        let tracker = self.read_tracker().unwrap_or_default();
        record::note(self.workspace, &self.header.run, &self.header, &subject, tracker.as_deref())?;
        let iterations = next.progress.iteration;
        Ok(Driving { header: self.header, turns: next.turns, iterations, last: Some(last) })
    }

    fn begin_turn(&self, next: &Next) -> Result<Turn, OpError> {
        Ok(Turn {
            kind: TurnKind::Turn,
            turn: next.turns + 1,
            iteration: next.progress.iteration,
            opening: next.opening,
            status: TurnStatus::Running,
            started: self.workspace.now()?.to_string(),
            ended: None,
            exit: None,
            reason: None,
            session: None,
            branch: None,
            next: None,
            replayed: next.progress.replayed,
            nudges: next.progress.nudges,
            retries: next.progress.retries,
            other: Default::default(),
        })
    }

    fn run_agent(
        &self,
        prompt: String,
        resume: Option<&str>,
        turn: &Turn,
        watch: &mut RunWatch<'_>,
    ) -> Result<TurnEnd, OpError> {
        let mut environment = self.means.environment.clone();
        environment.push(("GITTRACE_RUN".to_owned(), self.header.run.to_string()));
        environment.push(("GITTRACE_TURN".to_owned(), turn.turn.to_string()));
        if let Some(tracker) = &self.tracker {
            environment.push(("GITTRACE_TRACKER".to_owned(), tracker.path.clone()));
        }
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let request = AgentTurn {
            prompt,
            resume,
            model: self.setup.model.as_deref(),
            plugins: &self.means.plugins,
            environment: &environment,
            folder: Some(Path::new(&self.folder)),
            time: left.map_or(self.turn_time, |left| left.min(self.turn_time)),
        };
        let number = turn.turn;
        let end = self.agent.turn(&request, &mut |heard| watch(RunEvent::Heard { turn: number, heard }));
        Ok(end.map_err(TurnsError::from)?)
    }

    /// Completes the record of a turn and, if the run ended with it, its header.
    fn end_turn(
        &mut self,
        turn: &mut Turn,
        verdict: &Verdict,
        next: &Next,
        end: &TurnEnd,
        watch: &mut RunWatch<'_>,
    ) -> Result<(), OpError> {
        turn.ended = Some(self.workspace.now()?.to_string());
        turn.nudges = next.progress.nudges;
        turn.retries = next.progress.retries;
        turn.replayed = next.progress.replayed;
        turn.next = opening_after(verdict, turn.opening);
        if let (Some(agent), Some(session)) = (self.agent.kind().name(), &end.session) {
            turn.session = Some(format!("{agent}:{session}"));
            let found = self.sessions.branch_of(self.workspace, self.agent.kind(), session);
            match found {
                Ok(branch) => turn.branch = branch,
                Err(error) => watch(RunEvent::Warning { text: format!("the agent's session is not linked: {error}") }),
            }
        }
        self.close(verdict)
    }

    /// Notes in the header that the run ended, if it did.
    fn close(&mut self, verdict: &Verdict) -> Result<(), OpError> {
        if let Verdict::End(status, reason) = verdict {
            self.header.status = *status;
            self.header.reason.clone_from(reason);
            self.header.ended = Some(self.workspace.now()?.to_string());
        }
        Ok(())
    }

    /// Prepares the turn after this one.
    fn open_next(&self, verdict: &Verdict, next: &mut Next, ended: &Ended) {
        let Some(opening) = opening_after(verdict, next.opening) else { return };
        next.prompt = match opening {
            Opening::Nudge => {
                let markers = self.setup.limits().markers;
                let mut text = self.fill(NUDGE);
                if let Some(crate::run::Word::Misplaced { line }) =
                    ended.tracker.as_deref().map(|text| markers.read(text))
                {
                    text += &fill(MISPLACED, &[("line", &line.to_string())]);
                }
                text
            }
            Opening::Continue => self.continue_prompt(),
            // The same once more.
            _ => next.prompt.clone(),
        };
        next.opening = opening;
    }

    /// Returns what a further turn is told.
    pub(super) fn continue_prompt(&self) -> String {
        self.fill(&self.setup.continue_prompt)
    }

    /// Puts what is known of the run into a text.
    pub(super) fn fill(&self, text: &str) -> String {
        fill(text, &values(&self.header.run, &self.setup, self.tracker.as_ref()))
    }

    /// Puts the instructions in front of a prompt, where the agent does not have them yet.
    fn whole_prompt(&self, prompt: &str, resumed: bool) -> String {
        if resumed || self.instructions.is_empty() {
            return prompt.to_owned();
        }
        format!("{}{BETWEEN}{prompt}", self.instructions.trim_end())
    }

    /// Tells whether a turn goes on with the agent's session.
    fn resumes(&self, opening: Opening) -> bool {
        self.agent.resumes() && matches!(opening, Opening::Nudge | Opening::Retry | Opening::Reply)
    }

    fn failure(&self, end: &TurnEnd) -> Option<String> {
        match end.stopped {
            Some(Stopped::Slow) => Some(format!("the turn took longer than {} seconds", self.turn_time.as_secs())),
            Some(Stopped::Interrupted) => Some("interrupted".to_owned()),
            None => end.failure.clone(),
        }
    }

    pub(super) fn read_tracker(&self) -> Result<Option<String>, OpError> {
        Ok(self.tracker.as_ref().map(TrackerFile::read).transpose()?.flatten())
    }

    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn out_of_time(&self) -> Verdict {
        Verdict::End(Status::Cancelled, Some("the time is up".to_owned()))
    }

    /// Waits; returns how the run ends if it is stopped meanwhile.
    fn pause(&self, pause: Duration) -> Option<Verdict> {
        let until = Instant::now() + pause;
        while Instant::now() < until {
            if self.interrupt.happened() {
                return Some(Verdict::End(Status::Cancelled, Some("interrupted".to_owned())));
            }
            if self.is_over() {
                return Some(self.out_of_time());
            }
            std::thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
        }
        None
    }
}

/// Returns the values that the texts of a run may name.
pub(super) fn values<'a>(
    run: &'a RunId,
    setup: &'a Setup,
    tracker: Option<&'a TrackerFile>,
) -> Vec<(&'static str, &'a str)> {
    let mut values = vec![
        ("sessionId", run.as_str()),
        ("completionMarker", setup.completion_marker.as_str()),
        ("blockedMarker", setup.blocked_marker.as_str()),
    ];
    values.extend(tracker.map(|tracker| ("trackerPath", tracker.path.as_str())));
    values
}

/// Says how the turn after this one is begun; `None` if there is none.
fn opening_after(verdict: &Verdict, before: Opening) -> Option<Opening> {
    match verdict {
        Verdict::End(..) => None,
        Verdict::Continue => Some(Opening::Continue),
        Verdict::Nudge => Some(Opening::Nudge),
        // A first turn that is made again is told what the first one was told.
        Verdict::Retry(_) => Some(Opening::Retry),
        Verdict::Replay if before == Opening::First => Some(Opening::First),
        Verdict::Replay => Some(Opening::Replay),
    }
}
