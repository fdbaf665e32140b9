//! Goes on with a run of turns: one whose process was killed, or one that waits for a person.

use std::time::Instant;

use super::alive::Alive;
use super::drive::{Driven, Driving, Next};
use super::means::Means;
use super::session::SessionFinder;
use super::tracker_file::TrackerFile;
use super::{DEFAULT_AGENT, RunEvent, RunLimits, RunOutcome, RunWatch, TurnsError, no_such_run, outcome, record};
use crate::drivers::{AgentProgram, Interrupt};
use crate::ops::run::RunError;
use crate::ops::{OpError, Workspace, preview};
use crate::run::{Header, Opening, Progress, RunId, Setup, Status, Turn, TurnStatus, Word, fill};
use crate::workflow::Loop;

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
    let state = workspace.read_run(&request.run)?.ok_or_else(|| no_such_run(&request.run))?;
    let mut setup = setup_of(&state.header)?;
    let known = Means::read(workspace, &request.run);
    let is_known = known.is_some();
    let means = means_of(workspace, request, known, &setup, watch);
    let _alive = Alive::claim(workspace, &request.run, means.tracker.as_deref())?;
    // Nobody else drives it from here on: what it was before that is not asked.
    let state = workspace.read_run(&request.run)?.ok_or_else(|| no_such_run(&request.run))?;
    let mut header = state.header.clone();
    if header.status == Status::Completed {
        return Err(TurnsError::Completed { run: request.run.to_string() }.into());
    }
    let agent = AgentProgram::parse(&means.agent).map_err(TurnsError::from)?;
    setup.agent = agent.line();
    setup.tracker.clone_from(&means.tracker);
    let tracker = means.tracker.as_deref().map(|path| TrackerFile::new(&top, path)).transpose()?;
    means.keep(workspace, &request.run)?;
    let recorded = record::read(workspace, &state)?;
    let last = recorded.last.as_ref();
    let was_killed = header.status == Status::InProgress;
    let markers = setup.limits().markers;

    // What the tracker says is what counts; if it is gone, it is made again from what was recorded.
    let mut text = tracker.as_ref().map(TrackerFile::read).transpose()?.flatten();
    if let (Some(tracker), None, Some(recorded)) = (&tracker, &text, &recorded.tracker) {
        tracker.write(recorded.as_bytes())?;
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

    // Nothing that the agent could go on from: it is told the task again.
    let is_untouched = matches!(word, None | Some(Word::Skeleton));
    let (opening, progress, more) = if was_killed && request.reply.is_none() {
        (opening_of(last, is_untouched), progress_of(last), request.max_iterations)
    } else {
        tracker.as_ref().map(|tracker| tracker.reopen(&markers)).transpose()?;
        // The count goes on, with as many turns as at the beginning.
        let iteration = progress_of(last).iteration + u32::from(last.is_some());
        let progress = Progress { iteration, ..Progress::default() };
        (Opening::Reply, progress, Some(request.max_iterations.unwrap_or(setup.granted)))
    };
    if let Some(more) = more {
        setup.max_iterations = (progress.iteration - 1).saturating_add(more.max(1));
    }
    header.status = Status::InProgress;
    header.reason = None;
    header.ended = None;
    setup.put(&mut header);
    let subject = match &request.reply {
        Some(reply) => format!("run goes on: {}", preview(reply)),
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

    // A session is the agent's own, on this machine.
    let session = last.filter(|_| is_known).and_then(|turn| session_of(turn, &agent));
    let first_prompt = recorded.first_prompt().to_owned();
    let driven = Driven {
        workspace,
        header,
        setup,
        means,
        agent,
        folder: top,
        tracker,
        instructions: recorded.instructions,
        sessions: SessionFinder { folders: request.limits.folders.clone() },
        deadline: request.limits.time.and_then(|time| Instant::now().checked_add(time)),
        turn_time: request.limits.turn_time,
        interrupt,
    };
    let task = match opening {
        Opening::First => first_prompt,
        _ if is_untouched && session.is_none() => first_prompt,
        _ => driven.continue_prompt(),
    };
    let prompt = match &request.reply {
        None => task,
        Some(reply) if session.is_some() => reply.clone(),
        Some(reply) => format!("{task}\n\nA person says: {reply}"),
    };
    let turns = last.map_or(0, |turn| turn.turn);
    let ended = driven.drive(Next { turns, progress, opening, prompt, session }, watch)?;
    outcome(workspace, ended)
}

/// Returns what the run may start here: what was kept when it was begun in this clone, or else what the user says.
fn means_of(
    workspace: &Workspace,
    request: &ResumeTurns,
    known: Option<Means>,
    setup: &Setup,
    watch: &mut RunWatch<'_>,
) -> Means {
    let configured = || workspace.config("trace.agent").unwrap_or_else(|| DEFAULT_AGENT.to_owned());
    match known {
        Some(known) => Means { agent: request.agent.clone().unwrap_or_else(|| known.agent.clone()), ..known },
        None => {
            let agent = request.agent.clone().unwrap_or_else(configured);
            let run = &request.run;
            let text = format!(
                "run '{run}' was not begun in this clone: it is gone on with by '{agent}', in a session of its own and \
                 without plugins"
            );
            watch(RunEvent::Warning { text });
            // Its branch names no file of ours.
            let tracker = setup.repeats.then(|| fill(Loop::TRACKER_PATH, &[("sessionId", run.as_str())]));
            Means { agent, tracker, plugins: Vec::new(), environment: Vec::new() }
        }
    }
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

/// Returns the session of a turn, if it is one of this agent's.
fn session_of(turn: &Turn, agent: &AgentProgram) -> Option<String> {
    let (whose, id) = turn.session.as_deref()?.split_once(':')?;
    (Some(whose) == agent.kind().name()).then(|| id.to_owned())
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
        iteration: turn.iteration.max(1) + u32::from(counts),
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
