//! What is recorded of turns: each one before it begins, and again when it has ended.

use crate::drivers::TurnEnd;
use crate::model::{BodyKind, Entry, EntryId, NanoDollars, Operation, Role, Usage};
use crate::ops::run::{NewEntry, RunChange, RunState};
use crate::ops::{Changed, OpError, Workspace, preview};
use crate::run::{Header, RunId, Turn, TurnStatus};

/// What stands between instructions and prompt.
pub(super) const BETWEEN: &str = "\n\n---\n\n";
/// Longest answer of an agent that is stored, in bytes: its beginning and its end.
const ANSWER_MAX: usize = 1 << 20;

/// Records that a turn begins: what the agent is told, of which `asked` is what this turn is about, and the record of the
/// turn.
///
/// # Errors
/// When the repository cannot be written.
pub(super) fn begin(workspace: &Workspace, run: &RunId, asked: &str, prompt: &str, turn: &Turn) -> Result<(), OpError> {
    workspace.change_run(run, false, &mut |state| {
        // Whoever was killed has left a turn that says it still goes on.
        let broken = state.and_then(|state| open_turn(workspace, state));
        let mut change = RunChange::new(Operation::Turn, format!("turn {} begins: {}", turn.turn, preview(asked)));
        change.changed.extend(broken.map(|(id, turn)| (id, body(&interrupted(turn)))));
        change.new.push(entry(Role::User, BodyKind::Text, prompt.as_bytes().to_vec()));
        change.new.push(entry(Role::Event, BodyKind::Json, body(turn)));
        change.trailers = trailers(turn);
        Ok(change)
    })?;
    Ok(())
}

/// Records how a turn ended, what the tracker says since, and how the run stands.
///
/// # Errors
/// When the repository cannot be written.
pub(super) fn end(
    workspace: &Workspace,
    run: &RunId,
    turn: &Turn,
    ended: &TurnEnd,
    tracker: Option<&str>,
    header: &Header,
) -> Result<Changed, OpError> {
    let answer = shortened(&ended.text);
    workspace.change_run(run, false, &mut |state| {
        let what = turn.reason.as_deref().filter(|_| answer.is_empty()).unwrap_or(&answer);
        let told = preview(what);
        let colon = if told.is_empty() { "" } else { ": " };
        let subject = format!("turn {} {}{colon}{told}", turn.turn, turn.status.name());
        let mut change = RunChange::new(Operation::Turn, subject);
        change.header = Some(header.clone());
        let state = state.ok_or_else(|| super::no_such_run(run))?;
        match open_turn(workspace, state) {
            Some((id, _)) => change.changed.push((id, body(turn))),
            None => change.new.push(entry(Role::Event, BodyKind::Json, body(turn))),
        }
        if !answer.is_empty() {
            change.new.push(entry(Role::Assistant, BodyKind::Text, answer.clone().into_bytes()));
        }
        put_tracker(state, tracker, &mut change);
        change.model.clone_from(&ended.model);
        change.usage = ended.usage;
        change.cost = ended.cost;
        change.trailers = trailers(turn);
        Ok(change)
    })
}

/// Records how a run stands, where no turn was made.
///
/// # Errors
/// When the repository cannot be written.
pub(super) fn note(
    workspace: &Workspace,
    run: &RunId,
    header: &Header,
    subject: &str,
    tracker: Option<&str>,
) -> Result<Changed, OpError> {
    workspace.change_run(run, false, &mut |state| {
        let state = state.ok_or_else(|| super::no_such_run(run))?;
        let mut change = RunChange::new(Operation::Run, subject);
        change.header = Some(header.clone());
        let broken = open_turn(workspace, state);
        change.changed.extend(broken.map(|(id, turn)| (id, body(&interrupted(turn)))));
        put_tracker(state, tracker, &mut change);
        Ok(change)
    })
}

/// Records the beginning of a run.
///
/// # Errors
/// When the repository cannot be written.
pub(super) fn start(
    workspace: &Workspace,
    header: &Header,
    instructions: &str,
    earlier_tracker: Option<&str>,
    tracker: Option<&str>,
) -> Result<Changed, OpError> {
    workspace.change_run(&header.run, false, &mut |_| {
        let mut change =
            RunChange::new(Operation::Run, format!("run {}: {}", header.workflow.name, preview(&header.task)));
        change.header = Some(header.clone());
        change.new.push(entry(Role::System, BodyKind::Text, instructions.as_bytes().to_vec()));
        // What was there before this run may be opened again by it: it is kept as it was.
        let now = tracker.filter(|text| Some(*text) != earlier_tracker);
        change.new.extend(earlier_tracker.into_iter().chain(now).map(tracker_entry));
        Ok(change)
    })
}

/// The role under which a tracker is stored: nothing that the model is sent as it is.
const TRACKER: Role = Role::Note;

/// Holds what a run's branch says about its turns.
pub(super) struct Recorded {
    /// What the agent is told before all else.
    pub(super) instructions: String,
    /// The newest turn.
    pub(super) last: Option<Turn>,
    /// The tracker as it was recorded last.
    pub(super) tracker: Option<String>,
    /// The agent's last words.
    pub(super) answer: Option<String>,
    /// What the agent was told first, instructions included.
    first: String,
}

impl Recorded {
    /// Returns what the agent was told first, instructions excluded.
    pub(super) fn first_prompt(&self) -> &str {
        let rest = self.first.strip_prefix(self.instructions.trim_end());
        rest.and_then(|rest| rest.strip_prefix(BETWEEN)).unwrap_or(&self.first)
    }
}

/// Reads what a run's branch says about its turns.
///
/// # Errors
/// When an entry cannot be read.
pub(super) fn read(workspace: &Workspace, state: &RunState) -> Result<Recorded, OpError> {
    let text = |entry: &Entry| -> Result<String, OpError> {
        Ok(String::from_utf8_lossy(&workspace.repo.read_blob(&entry.body)?).into_owned())
    };
    let newest = |role: Role| state.entries.iter().rfind(|entry| entry.role == role);
    let last = last_turn(workspace, state).map(|(_, turn)| turn);
    Ok(Recorded {
        instructions: state
            .entries
            .iter()
            .find(|entry| entry.role == Role::System)
            .map(text)
            .transpose()?
            .unwrap_or_default(),
        last,
        tracker: newest(TRACKER).map(text).transpose()?,
        answer: newest(Role::Assistant).map(text).transpose()?,
        first: state.entries.iter().find(|entry| entry.role == Role::User).map(text).transpose()?.unwrap_or_default(),
    })
}

/// Adds up what the turns of a run used and cost, from its commits.
///
/// # Errors
/// When history cannot be read.
pub(super) fn totals(workspace: &Workspace, run: &RunId) -> Result<(Option<Usage>, Option<NanoDollars>), OpError> {
    let Some(tip) = workspace.repo.find_ref_id(&workspace.run_target(run).ref_name)? else { return Ok((None, None)) };
    let (mut usage, mut cost): (Option<Usage>, Option<NanoDollars>) = (None, None);
    for commit in workspace.repo.history(&[tip], &[])? {
        let facts = commit?.facts;
        usage = match (usage, facts.usage) {
            (Some(one), Some(other)) => Some(one.plus(&other)),
            (known, None) | (None, known) => known,
        };
        cost = match (cost, facts.cost) {
            (Some(one), Some(other)) => Some(NanoDollars(one.0.saturating_add(other.0))),
            (known, None) | (None, known) => known,
        };
    }
    Ok((usage, cost))
}

/// Finds the turn that says it still goes on.
fn open_turn(workspace: &Workspace, state: &RunState) -> Option<(EntryId, Turn)> {
    last_turn(workspace, state).filter(|(_, turn)| turn.status == TurnStatus::Running)
}

/// Reads the newest record of a turn; what is no such record is passed over.
fn last_turn(workspace: &Workspace, state: &RunState) -> Option<(EntryId, Turn)> {
    let records = state.entries.iter().rev().filter(|entry| entry.role == Role::Event && entry.kind == BodyKind::Json);
    records.into_iter().find_map(|entry| {
        let body = workspace.repo.read_blob(&entry.body).ok()?;
        Some((entry.id, serde_json::from_slice(&body).ok()?))
    })
}

fn interrupted(turn: Turn) -> Turn {
    Turn { status: TurnStatus::Interrupted, ..turn }
}

/// Keeps the tracker as one entry whose body changes, so that its history is that of a file.
fn put_tracker(state: &RunState, tracker: Option<&str>, change: &mut RunChange) {
    let Some(text) = tracker else { return };
    match state.entries.iter().rfind(|entry| entry.role == TRACKER) {
        Some(known) => change.changed.push((known.id, text.as_bytes().to_vec())),
        None => change.new.push(tracker_entry(text)),
    }
}

fn trailers(turn: &Turn) -> Vec<(String, String)> {
    let named = |name: &str, value: String| (format!("Trace-{name}"), value);
    let mut trailers = vec![
        named("Turn", turn.turn.to_string()),
        named("Iteration", turn.iteration.to_string()),
        named("Turn-Status", turn.status.name().to_owned()),
    ];
    trailers.extend(turn.session.clone().map(|session| named("Turn-Session", session)));
    trailers.extend(turn.branch.clone().map(|branch| named("Turn-Branch", branch)));
    trailers
}

fn tracker_entry(text: &str) -> NewEntry {
    entry(TRACKER, BodyKind::Text, text.as_bytes().to_vec())
}

fn entry(role: Role, kind: BodyKind, body: Vec<u8>) -> NewEntry {
    NewEntry { role, kind, body, meta: None }
}

fn body(turn: &Turn) -> Vec<u8> {
    serde_json::to_vec(turn).expect("a turn has only names, numbers and texts")
}

/// Cuts out the middle of a very long answer.
fn shortened(text: &str) -> String {
    if text.len() <= ANSWER_MAX {
        return text.to_owned();
    }
    let half = ANSWER_MAX / 2;
    let head = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= half).last().unwrap_or(0);
    let tail = text.char_indices().map(|(at, _)| at).find(|at| text.len() - at <= half).unwrap_or(text.len());
    format!("{}\n[… {} bytes …]\n{}", &text[..head], tail - head, &text[tail..])
}
