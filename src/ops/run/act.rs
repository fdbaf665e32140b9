//! The frame of every command that records something in a run: edits of `trace.md` first, then what was asked for, then
//! the file.

use serde::Serialize;

use super::page::{self, FileState, Found};
use super::place::Place;
use super::record::{NewEntry, RunChange};
use super::trailers::{PAGE, STEP};
use super::{RunError, artifact};
use crate::model::{BodyKind, ObjectId, Operation};
use crate::ops::{OpError, Workspace};
use crate::run::trace_md::{Edits, PAGE_MAX, Page, render};
use crate::run::{ENTRY_MAX, Header, Item, RuleError, Run, RunId, Status, StepStatus};

/// Says what is to be recorded.
#[derive(Debug, Clone)]
pub(super) struct Act {
    pub(super) operation: Operation,
    pub(super) subject: String,
    pub(super) header: Option<Header>,
    /// Places in the run, and what stands there from now on.
    pub(super) changed: Vec<(usize, Item)>,
    pub(super) new: Vec<Item>,
}

impl Act {
    pub(super) fn new(operation: Operation, subject: impl Into<String>) -> Self {
        Act { operation, subject: subject.into(), header: None, changed: Vec::new(), new: Vec::new() }
    }
}

/// Says what was recorded in a run.
#[derive(Debug, Clone, Serialize)]
pub struct RunChanged {
    /// The run.
    pub run: String,
    /// The new commit; `None` on a dry run, or if there was nothing to record.
    pub commit: Option<ObjectId>,
    /// The commit before; `None` if this is the first.
    pub parent: Option<ObjectId>,
    /// First line of the commit message.
    pub subject: String,
    /// How the run stands.
    pub status: Status,
    /// The current step.
    pub step: Option<u32>,
    /// How the current step stands.
    pub step_status: Option<StepStatus>,
    /// The run's `trace.md`, from the top of the work tree.
    pub file: Option<String>,
    /// How that file was found.
    pub file_was: Option<FileState>,
    /// What was taken in of what somebody had written into it.
    pub edits: Vec<String>,
    /// Rules whose secrets were replaced, one for each finding.
    pub redacted: Vec<String>,
    /// The command that takes it back.
    pub undo: Option<String>,
}

/// What is decided once the run is known; `None` if there is nothing to record.
pub(super) type Plan<'a> = dyn FnMut(&Run) -> Result<Option<Act>, OpError> + 'a;

/// Says what becomes of what somebody has written into `trace.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It is taken in.
    TakeIn,
    /// It is given up.
    Discard,
}

/// Is one commit that was made, or would be.
#[derive(Debug)]
struct Recorded {
    /// The run with it.
    run: Run,
    commit: Option<ObjectId>,
    parent: ObjectId,
    subject: String,
    redacted: Vec<String>,
}

/// Records something in a run that there is. Whoever calls it has the lock, unless it is a dry run.
///
/// # Errors
/// What `plan` says; when the run or its file cannot be read, or the repository cannot be written.
pub(super) fn act(
    workspace: &Workspace,
    id: &RunId,
    written: Written,
    dry_run: bool,
    plan: &mut Plan<'_>,
) -> Result<(RunChanged, Run), OpError> {
    workspace.rehearse(dry_run);
    let now = workspace.now()?.to_string();
    let (mut tip, mut run) = read(workspace, id)?;
    let place = workspace.place_of(&run.header)?;
    if place.is_none() && run.header.folder.is_some() {
        workspace.warn(format!(
            "the trace of run '{id}' is in another worktree; the next command there brings it up to date"
        ));
    }
    let found = place.as_ref().map(|place| found(workspace, place, &run, &now, written)).transpose()?;
    let edits = found.as_ref().and_then(|found| found.edits.clone());
    let (mut first, told) = (None, edits.as_ref().map(|edits| edits.told.clone()).unwrap_or_default());
    if let Some(edits) = edits {
        let base = run.clone();
        let mut taken = |run: &Run| match *run == base {
            true => Ok(Some(taking_in(workspace, &base, edits.clone()))),
            false => Err(OpError::Busy),
        };
        let done = record(workspace, id, dry_run, tip, &run, &mut taken)?;
        if let Some(done) = &done {
            (tip, run) = if dry_run { (tip, done.run.clone()) } else { read(workspace, id)? };
        }
        first = done;
    }
    let done = record(workspace, id, dry_run, tip, &run, plan);
    if !dry_run {
        // After a refusal too: whoever was killed before has left the file as it was.
        let latest = done.as_ref().ok().and_then(Option::as_ref).map_or(&run, |done| &done.run);
        settle_file(workspace, place.as_ref(), found.as_ref(), latest);
    }
    if let (Err(_), Some(Recorded { commit: Some(_), parent, .. })) = (&done, &first) {
        let undo = format!("git trace --branch {} reset --hard {}", id.branch(), parent.short(12));
        workspace.warn(format!("taken in from trace.md: {}; to take it back: {undo}", told.join(", ")));
    }
    let (done, earlier) = match (done?, first) {
        (Some(done), first) => (Some(done), first.map(|first| first.redacted)),
        (None, first) => (first, None),
    };
    let Some(done) = done else {
        let file_was = found.map(|found| found.state);
        return Ok((RunChanged { file: place.map(|place| place.shown), file_was, ..of_run(&run) }, run));
    };
    let Recorded { run, commit, parent, subject, mut redacted } = done;
    redacted.extend(earlier.unwrap_or_default());
    let undo = commit.map(|_| format!("git trace --branch {} reset --hard {}", id.branch(), parent.short(12)));
    let changed = RunChanged {
        commit,
        parent: Some(parent),
        subject,
        file: place.map(|place| place.shown),
        file_was: found.map(|found| found.state),
        edits: told,
        redacted,
        undo,
        ..of_run(&run)
    };
    Ok((changed, run))
}

fn read(workspace: &Workspace, id: &RunId) -> Result<(ObjectId, Run), OpError> {
    let state = workspace.read_run(id)?.ok_or_else(|| RunError::NoSuchRun { name: id.to_string() })?;
    Ok((state.tip, workspace.run_of(&state)?))
}

/// Records that a run begins; its header is its first entry.
///
/// # Errors
/// [`OpError::Exists`] when there is a run of that id; when the repository cannot be written.
pub(super) fn begin(
    workspace: &Workspace,
    header: Header,
    found: Option<Vec<u8>>,
    dry_run: bool,
) -> Result<(RunChanged, Run), OpError> {
    workspace.rehearse(dry_run);
    let id = header.run.clone();
    let subject = format!("run {}: {}", header.workflow.name, crate::ops::preview(&header.task));
    let act = Act { header: Some(header.clone()), ..Act::new(Operation::Run, subject) };
    let (run, change, redacted) = prepare(workspace, &Run::new(header), act)?;
    let subject = change.subject.clone();
    let mut commit = None;
    if !dry_run {
        let changed = workspace.change_run(&id, false, &mut |state| match state {
            Some(_) => Err(OpError::Exists { what: "run", name: id.to_string() }),
            None => Ok(change.clone()),
        })?;
        commit = changed.commit;
    }
    let place = workspace.place_of(&run.header)?;
    if !dry_run {
        let found = Found { state: FileState::Missing, bytes: found, edits: None };
        settle_file(workspace, place.as_ref(), Some(&found), &run);
    }
    let undo = commit.map(|_| match &place {
        Some(place) => {
            let path = place.path.to_string_lossy();
            let path = shlex::try_quote(&path).unwrap_or_default();
            format!("git trace branch -D {} && rm {path}", id.branch())
        }
        None => format!("git trace branch -D {}", id.branch()),
    });
    let file = place.map(|place| place.shown);
    Ok((RunChanged { commit, subject, redacted, file, undo, ..of_run(&run) }, run))
}

fn of_run(run: &Run) -> RunChanged {
    RunChanged {
        run: run.header.run.to_string(),
        commit: None,
        parent: None,
        subject: String::new(),
        status: run.header.status,
        step: run.current().map(|step| step.number),
        step_status: run.current().map(|step| step.status),
        file: None,
        file_was: None,
        edits: Vec::new(),
        redacted: Vec::new(),
        undo: None,
    }
}

/// Looks at the file; what is damaged is kept aside, since nothing says what it was.
fn found(workspace: &Workspace, place: &Place, run: &Run, now: &str, written: Written) -> Result<Found, OpError> {
    match written {
        Written::TakeIn => page::look(workspace, place, run, now),
        Written::Discard => {
            let bytes = page::read(place)?;
            let state = match &bytes {
                None => FileState::Missing,
                Some(bytes) if *bytes == render(&Page::of(run)).into_bytes() => FileState::Current,
                Some(_) => FileState::Damaged,
            };
            Ok(Found { state, bytes, edits: None })
        }
    }
}

/// Writes the file; what cannot be done about it now, the next command does.
fn settle_file(workspace: &Workspace, place: Option<&Place>, found: Option<&Found>, run: &Run) {
    let (Some(place), Some(found)) = (place, found) else { return };
    if found.state == FileState::Damaged
        && let Some(bytes) = found.bytes.as_ref().filter(|bytes| !bytes.is_empty())
    {
        // Each has a name of its own: none takes the place of an earlier one.
        let kept = workspace.repo.blob_id(bytes).map(|id| format!("damaged-{}-{id}.md", run.header.run));
        match kept.and_then(|name| workspace.repo.write_state(&name, bytes).map(|()| name)) {
            Ok(name) => workspace.warn(format!(
                "'{}' was made anew from the commits; what was there is kept in the git directory as 'trace/{name}'",
                place.shown
            )),
            Err(error) => return workspace.warn(format!("'{}' is damaged and stays so: {error}", place.shown)),
        }
    }
    match page::write(place, &render(&Page::of(run)), found.bytes.as_deref()) {
        Ok(Some(())) => {}
        Ok(None) => workspace.warn(format!("'{}' was changed just now; the next command takes it in", place.shown)),
        Err(error) => workspace.warn(format!("{error}; the next command tries again")),
    }
}

fn taking_in(workspace: &Workspace, run: &Run, edits: Edits) -> Act {
    let place = |id| run.items.iter().position(|(known, _)| *known == Some(id));
    let mut act = Act {
        header: edits.header,
        changed: edits.changed.into_iter().filter_map(|(id, item)| Some((place(id)?, item))).collect(),
        new: edits.new,
        ..Act::new(Operation::Step, format!("written into trace.md: {}", edits.told.join(", ")))
    };
    let items = act.changed.iter_mut().map(|(_, item)| item).chain(&mut act.new);
    items.for_each(|item| artifact::settle(workspace, item));
    act
}

/// Makes one commit of what is planned for the run as it was at a commit, or nothing.
fn record(
    workspace: &Workspace,
    id: &RunId,
    dry_run: bool,
    tip: ObjectId,
    run: &Run,
    plan: &mut Plan<'_>,
) -> Result<Option<Recorded>, OpError> {
    // Asked before the branch is looked at: a commit without a change is none.
    let Some(act) = plan(run)? else { return Ok(None) };
    if dry_run {
        let (run, change, redacted) = prepare(workspace, run, act)?;
        return Ok(Some(Recorded { run, commit: None, parent: tip, subject: change.subject, redacted }));
    }
    let mut prepared = None;
    let changed = workspace.change_run(id, false, &mut |state| {
        let state = state.ok_or_else(|| RunError::NoSuchRun { name: id.to_string() })?;
        let (next, change, redacted) = match state.tip == tip {
            true => prepare(workspace, run, act.clone())?,
            // Somebody was faster.
            false => {
                let run = workspace.run_of(state)?;
                let act = plan(&run)?.ok_or(OpError::Busy)?;
                prepare(workspace, &run, act)?
            }
        };
        prepared = Some((next, redacted));
        Ok(change)
    })?;
    let (run, redacted) = prepared.expect("nothing is stored before it was prepared");
    let parent = changed.parent.unwrap_or(tip);
    Ok(Some(Recorded { run, commit: changed.commit, parent, subject: changed.subject, redacted }))
}

/// Returns the run as it is with what is to be recorded, secrets replaced; the change of its branch; and which rules
/// replaced something.
fn prepare(workspace: &Workspace, run: &Run, act: Act) -> Result<(Run, RunChange, Vec<String>), OpError> {
    let mut next = run.clone();
    let mut redacted = Vec::new();
    let mut change = RunChange::new(act.operation, act.subject);
    let too_large = |what: &'static str, max: u64| {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        rule(run, RuleError::TooLong { what, max, unit: "bytes" })
    };
    let mut clean = |body: &[u8]| -> Result<Vec<u8>, OpError> {
        if body.len() as u64 > ENTRY_MAX {
            return Err(too_large("what is to be recorded", ENTRY_MAX));
        }
        let cleaned = workspace.redactor()?.json(body);
        redacted.extend(cleaned.findings().iter().map(|finding| finding.rule.to_string()));
        let body = cleaned.into_inner();
        if body.len() as u64 > ENTRY_MAX {
            return Err(too_large("what is to be recorded, secrets replaced,", ENTRY_MAX));
        }
        Ok(body)
    };
    let unreadable = |error: serde_json::Error| RunError::broken(&run.header.run, error);
    if let Some(header) = act.header {
        let body = clean(&serde_json::to_vec(&header).map_err(unreadable)?)?;
        next.header = serde_json::from_slice(&body).map_err(unreadable)?;
        change.header = Some(header);
    }
    let mut cleaned = |item: &Item| -> Result<Item, OpError> {
        let item = Item::decode(&item.role(), &clean(&item.encode())?).map_err(unreadable)?;
        Ok(item.expect("it was such an entry before"))
    };
    let mut steps = Vec::new();
    for (place, item) in act.changed {
        next.items[place].1 = cleaned(&item)?;
        steps.extend(step_of(&next.items[place].1));
        change.changed.extend(next.items[place].0.map(|id| (id, item.encode())));
    }
    for item in act.new {
        let kept = cleaned(&item)?;
        steps.extend(step_of(&kept));
        next.items.push((None, kept));
        change.new.push(NewEntry { role: item.role(), kind: BodyKind::Json, body: item.encode(), meta: None });
    }
    change.trailers.extend(steps.into_iter().map(|step| (STEP.to_owned(), step)));
    if next.header.folder.is_some() {
        let text = render(&Page::of(&next));
        if text.len() as u64 > PAGE_MAX {
            return Err(too_large("the trace", PAGE_MAX));
        }
        change.trailers.push((PAGE.to_owned(), workspace.repo.blob_id(text.as_bytes())?.to_string()));
    }
    Ok((next, change, redacted))
}

/// Says of a step which it is and how it stands, for people who read the history.
fn step_of(item: &Item) -> Option<String> {
    match item {
        Item::Step(step) => Some(format!("{} {}", step.number, step.status)),
        Item::Resume(_) => None,
    }
}

/// Says that the rules of a run forbid something.
pub(super) fn rule(run: &Run, rule: RuleError) -> OpError {
    if let RuleError::NotOpen { status } = rule
        && run.is_of_turns()
    {
        return RunError::OfTurns { run: run.header.run.to_string(), status: status.to_string() }.into();
    }
    RunError::Rule { run: run.header.run.to_string(), rule }.into()
}
