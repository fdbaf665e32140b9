//! Goes on with a run of turns: one whose process was killed, or one that waits for a person.

use std::time::Instant;

use super::alive::Alive;
use super::drive::{Driven, Driving, Next};
use super::session::SessionFinder;
use super::tracker_file::TrackerFile;
use super::{RunEvent, RunLimits, RunOutcome, RunWatch, TurnsError, no_such_run, outcome, record};
use crate::drivers::{AgentProgram, Interrupt};
use crate::ops::run::RunError;
use crate::ops::{OpError, Workspace};
use crate::run::{Header, Opening, Progress, RunId, Setup, Status, Turn, TurnStatus, Word};

/// Asks for a run to be gone on with.
#[derive(Debug, Clone)]
pub struct ResumeTurns {
    /// The run.
    pub run: RunId,
    /// What a person says to the agent.
    pub reply: Option<String>,
    /// Another agent's command line.
    pub agent: Option<String>,
    /// Turns that may still come; as many as the run had at its beginning, if `None`.
    pub max_iterations: Option<u32>,
    /// The user's limits.
    pub limits: RunLimits,
}

/// Goes on with a run.
///
/// A run whose process was killed goes on where it was: a turn that was under way is made again, unless the tracker
/// already tells the end. Any other run gets new turns, and its tracker is opened again.
///
/// # Errors
/// When there is no such run, it is completed, or another process drives it; else as [`super::run_workflow`].
pub fn resume_turns(
    workspace: &Workspace,
    request: &ResumeTurns,
    watch: &mut RunWatch<'_>,
) -> Result<RunOutcome, OpError> {
    let top = workspace.repo.work_dir().ok_or(TurnsError::NoWorkTree)?.to_owned();
    let interrupt = Interrupt::listen();
    let _alive = Alive::claim(workspace, &request.run)?;
    let state = workspace.read_run(&request.run)?.ok_or_else(|| no_such_run(&request.run))?;
    let mut header = state.header.clone();
    let mut setup = setup_of(&header)?;
    if header.status == Status::Completed {
        return Err(TurnsError::Completed { run: request.run.to_string() }.into());
    }
    if let Some(words) = &request.agent {
        setup.agent.clone_from(words);
    }
    let agent = AgentProgram::parse(&setup.agent).map_err(TurnsError::from)?;
    setup.agent = agent.line();
    let tracker = setup.tracker.as_deref().map(|path| TrackerFile::new(&top, path)).transpose()?;
    let recorded = record::read(workspace, &state)?;
    let last = recorded.last.as_ref();
    let was_killed = header.status == Status::InProgress;
    let markers = setup.limits().markers;

    // What the tracker says is what counts; if it is gone, it is made again from what was recorded.
    let mut text = tracker.as_ref().map(TrackerFile::read).transpose()?.flatten();
    if let (Some(tracker), None, Some(recorded)) = (&tracker, &text, &recorded.tracker) {
        tracker.write(recorded)?;
        text = Some(recorded.clone());
    }
    let word = text.as_deref().map(|text| markers.read(text));
    let changed = text != recorded.tracker;
    if was_killed
        && request.reply.is_none()
        && changed
        && let Some(Word::Completed | Word::Blocked { .. }) = word
    {
        return end_by_tracker(workspace, header, last, word, text.as_deref());
    }

    let mut progress = progress_of(last);
    let opening = if was_killed && request.reply.is_none() {
        opening_of(last, word == Some(Word::Skeleton))
    } else {
        if let (Some(tracker), Some(text)) = (&tracker, &text) {
            tracker.reopen(text, &markers)?;
        }
        progress = Progress { iteration: progress.iteration + u32::from(last.is_some()), ..Progress::default() };
        let more = request.max_iterations.unwrap_or(setup.granted);
        setup.max_iterations = (progress.iteration.max(1) - 1).saturating_add(more.max(1));
        Opening::Reply
    };
    progress.iteration = progress.iteration.max(1);
    header.status = Status::InProgress;
    header.reason = None;
    header.ended = None;
    setup.put(&mut header);
    let subject = match &request.reply {
        Some(reply) => format!("run goes on: {reply}"),
        None => "run goes on".to_owned(),
    };
    let now = tracker.as_ref().map(TrackerFile::read).transpose()?.flatten();
    record::note(workspace, &request.run, &header, &subject, now.as_deref())?;
    watch(RunEvent::Started {
        run: request.run.clone(),
        workflow: header.workflow.name.clone(),
        repeats: setup.repeats,
        tracker: setup.tracker.clone(),
        resumed: true,
    });

    let session = last.and_then(|turn| turn.session.as_deref()).and_then(|session| {
        let (whose, id) = session.split_once(':')?;
        (Some(whose) == agent.kind().name()).then(|| id.to_owned())
    });
    let first_prompt = recorded.first_prompt().to_owned();
    let driven = Driven {
        workspace,
        header,
        setup,
        agent,
        folder: top,
        tracker,
        instructions: recorded.instructions,
        sessions: SessionFinder { folders: request.limits.folders.clone() },
        deadline: request.limits.time.and_then(|time| Instant::now().checked_add(time)),
        turn_time: request.limits.turn_time,
        interrupt,
    };
    let prompt = match (opening, &request.reply) {
        (Opening::First, _) => first_prompt,
        (_, Some(reply)) if session.is_some() => reply.clone(),
        (_, Some(reply)) => format!("{}\n\nA person says: {reply}", driven.continue_prompt()),
        (_, None) => driven.continue_prompt(),
    };
    let turns = last.map_or(0, |turn| turn.turn);
    let ended = driven.drive(Next { turns, progress, opening, prompt, session }, watch)?;
    outcome(workspace, ended)
}

/// Returns how a run is driven.
///
/// # Errors
/// When it is not one of turns.
pub(super) fn setup_of(header: &Header) -> Result<Setup, OpError> {
    let run = || header.run.to_string();
    let setup = Setup::of(header).map_err(|error| RunError::Broken { run: run(), reason: error.to_string() })?;
    Ok(setup.ok_or_else(|| TurnsError::NotOfTurns { run: run() })?)
}

/// Ends a run whose process was killed after the agent had said how it ends.
fn end_by_tracker(
    workspace: &Workspace,
    mut header: Header,
    last: Option<&Turn>,
    word: Option<Word>,
    text: Option<&str>,
) -> Result<RunOutcome, OpError> {
    (header.status, header.reason) = match word {
        Some(Word::Blocked { reason }) => (Status::Blocked, reason),
        _ => (Status::Completed, None),
    };
    header.ended = Some(workspace.now()?.to_string());
    let subject = format!("run {}: the tracker says so", header.status);
    record::note(workspace, &header.run, &header, &subject, text)?;
    let (turns, iterations) = last.map_or((0, 0), |turn| (turn.turn, turn.iteration));
    outcome(workspace, Driving { header, turns, iterations, last: None })
}

/// Counts on from the newest turn.
fn progress_of(last: Option<&Turn>) -> Progress {
    let Some(turn) = last else { return Progress { iteration: 1, ..Progress::default() } };
    // A turn that had ended may have opened the next one.
    let counts = matches!(turn.next, Some(Opening::Continue | Opening::Nudge));
    Progress {
        iteration: turn.iteration + u32::from(counts),
        nudges: turn.nudges,
        retries: turn.retries,
        replayed: turn.replayed,
    }
}

/// Says how the turn is begun with which a killed run goes on.
fn opening_of(last: Option<&Turn>, is_untouched: bool) -> Opening {
    match last {
        None => Opening::First,
        Some(turn) if matches!(turn.status, TurnStatus::Running | TurnStatus::Interrupted) => {
            // What it did is in the tracker; if that is nothing, it is told everything again.
            if is_untouched { Opening::First } else { Opening::Continue }
        }
        Some(turn) => turn.next.filter(|_| !is_untouched).unwrap_or(Opening::First),
    }
}
