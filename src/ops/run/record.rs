//! A run's branch: how entries get into it, and out of it.

use super::RunError;
use super::trailers::told_by;
use crate::codec::Meta;
use crate::model::{BodyKind, Entry, EntryId, NanoDollars, ObjectId, Operation, Role, Touch, TouchKind, Usage};
use crate::ops::change::{Changed, Editing, Record};
use crate::ops::{OpError, Target, Workspace};
use crate::run::{ENTRY_MAX, Header, Run, RunId};

/// The largest header, in bytes.
const HEADER_MAX: u64 = 1 << 20;

/// Says what one commit of a run puts into its branch.
#[derive(Debug, Clone)]
pub(in crate::ops) struct RunChange {
    /// What is recorded: [`Operation::Run`], [`Operation::Step`] or [`Operation::Turn`].
    pub(in crate::ops) operation: Operation,
    /// First line of the commit message.
    pub(in crate::ops) subject: String,
    /// The rest of the commit message.
    pub(in crate::ops) body: String,
    /// The header as it is from now on, where it changes.
    pub(in crate::ops) header: Option<Header>,
    /// New entries, in order.
    pub(in crate::ops) new: Vec<NewEntry>,
    /// Entries that say something else from now on.
    pub(in crate::ops) changed: Vec<(EntryId, Vec<u8>)>,
    /// The model that spoke.
    pub(in crate::ops) model: Option<String>,
    /// What its provider reported.
    pub(in crate::ops) usage: Option<Usage>,
    /// What it cost.
    pub(in crate::ops) cost: Option<NanoDollars>,
    /// Further trailers, with full names (`Trace-Step`, `Trace-Status`, …).
    pub(in crate::ops) trailers: Vec<(String, String)>,
}

impl RunChange {
    /// Makes a change that does nothing yet.
    pub(in crate::ops) fn new(operation: Operation, subject: impl Into<String>) -> Self {
        RunChange {
            operation,
            subject: subject.into(),
            body: String::new(),
            header: None,
            new: Vec::new(),
            changed: Vec::new(),
            model: None,
            usage: None,
            cost: None,
            trailers: Vec::new(),
        }
    }
}

/// Is an entry that a run's branch does not have yet.
#[derive(Debug, Clone)]
pub(in crate::ops) struct NewEntry {
    pub(in crate::ops) role: Role,
    pub(in crate::ops) kind: BodyKind,
    pub(in crate::ops) body: Vec<u8>,
    pub(in crate::ops) meta: Option<Meta>,
}

/// Is a run's branch as it was when it was read.
#[derive(Debug)]
pub(in crate::ops) struct RunState {
    /// The newest commit.
    pub(in crate::ops) tip: ObjectId,
    /// The header.
    pub(in crate::ops) header: Header,
    /// All entries, that of the header first.
    pub(in crate::ops) entries: Vec<Entry>,
}

impl Workspace {
    /// Names the ref of a run.
    pub(in crate::ops) fn run_target(&self, run: &RunId) -> Target {
        let branch = run.branch();
        Target { ref_name: self.repo.branch_ref(&branch), branch: Some(branch) }
    }

    /// Makes the id of a new run: one that no run here has.
    ///
    /// # Errors
    /// When refs cannot be read.
    pub(in crate::ops) fn new_run_id(&self, workflow: &str) -> Result<RunId, OpError> {
        for nth in 0.. {
            let run = RunId::new(workflow, self.new_entry_id(None, nth));
            if self.repo.find_ref_id(&self.run_target(&run).ref_name)?.is_none() {
                return Ok(run);
            }
        }
        unreachable!("there are more ids than runs")
    }

    /// Reads a run's branch; `None` if there is no such run.
    ///
    /// # Errors
    /// When it does not begin with a header, or cannot be read.
    pub(in crate::ops) fn read_run(&self, run: &RunId) -> Result<Option<RunState>, OpError> {
        let Some(tip) = self.repo.find_ref_id(&self.run_target(run).ref_name)? else { return Ok(None) };
        let broken = |reason: &str| RunError::Broken { run: run.to_string(), reason: reason.to_owned() };
        let entries = self.repo.read_entries(&self.repo.read_commit(&tip)?)?;
        let first = entries.first().filter(|first| first.role == Role::Event && first.kind == BodyKind::Json);
        let first = first.ok_or_else(|| broken("it does not begin with a header"))?;
        if self.repo.header(&first.body)?.1 > HEADER_MAX {
            return Err(broken("its header is too large").into());
        }
        let body = self.repo.read_blob(&first.body)?;
        let header: Header = serde_json::from_slice(&body).map_err(|error| broken(&format!("its header: {error}")))?;
        if header.version > 1 {
            return Err(broken(&format!("it has version {}, newer than this program", header.version)).into());
        }
        Ok(Some(RunState { tip, header, entries }))
    }

    /// Reads what a run's branch says.
    ///
    /// # Errors
    /// When an entry of it cannot be what it says that it is.
    pub(in crate::ops) fn run_of(&self, state: &RunState) -> Result<Run, OpError> {
        let mut run = Run::new(state.header.clone());
        for entry in &state.entries[1..] {
            let is_json = entry.kind == BodyKind::Json;
            let is_large = || self.repo.header(&entry.body).map(|(_, size)| size > ENTRY_MAX);
            match entry.role {
                Role::Step if !is_json || is_large()? => {
                    let reason = format!("entry '{}' is no step", entry.id);
                    return Err(RunError::broken(&run.header.run, reason).into());
                }
                Role::Step | Role::Event if is_json && !is_large()? => {
                    let body = self.repo.read_blob(&entry.body)?;
                    let taken = run.take(entry.id, &entry.role, &body);
                    taken.map_err(|error| RunError::unreadable(&run.header.run, &error))?;
                }
                _ => run.others += 1,
            }
        }
        Ok(run)
    }

    /// Makes one commit on a run's branch: `edit` sees the branch as it is, and says what changes. It is called again
    /// when somebody else was faster. A branch that does not exist yet has to get a header as its first entry.
    ///
    /// # Errors
    /// What `edit` says; when the repository cannot be written.
    pub(in crate::ops) fn change_run(
        &self,
        run: &RunId,
        dry_run: bool,
        edit: &mut dyn FnMut(Option<&RunState>) -> Result<RunChange, OpError>,
    ) -> Result<Changed, OpError> {
        let target = self.run_target(run);
        if !dry_run {
            // Before the branch is there, so that none is without it that was begun here.
            self.note_run_here(run)?;
        }
        self.change_at(&target, dry_run, &mut |editing| {
            let state = self.read_run(run)?;
            if state.as_ref().map(|state| state.tip) != editing.context.tip() {
                return Err(OpError::Busy);
            }
            put(editing, state.as_ref(), edit(state.as_ref())?, run)
        })
    }
}

fn put(editing: &mut Editing<'_>, state: Option<&RunState>, change: RunChange, run: &RunId) -> Result<Record, OpError> {
    check_sizes(editing.workspace, state, &change)?;
    let mut touches = Vec::new();
    let tip = editing.context.tip();
    let mut nth = 0;
    let mut new_id = |editing: &Editing<'_>| {
        nth += 1;
        editing.workspace.new_entry_id(tip, nth - 1)
    };
    if let Some(header) = &change.header {
        let body = serde_json::to_vec(header).expect("a header has only names and texts");
        match state {
            Some(state) => touches.extend(replace(editing, &state.entries[0], &body)?),
            None => {
                let id = new_id(editing);
                editing.append(id, Role::Event, BodyKind::Json, &body, None, false)?;
                touches.push(Touch::new(TouchKind::Added, id));
            }
        }
    }
    for (id, body) in &change.changed {
        let known = state.and_then(|state| state.entries.iter().find(|entry| entry.id == *id));
        let entry = known.ok_or_else(|| OpError::UnknownEntry { name: id.to_string(), near: Vec::new() })?;
        touches.extend(replace(editing, entry, body)?);
    }
    for entry in change.new {
        let id = new_id(editing);
        editing.append(id, entry.role, entry.kind, &entry.body, entry.meta.as_ref(), false)?;
        touches.push(Touch::new(TouchKind::Added, id));
    }
    let mut other = vec![("Trace-Run".to_owned(), run.to_string())];
    let header = change.header.as_ref().or(state.map(|state| &state.header));
    let told = header.map(|header| told_by(editing.workspace, header)).transpose()?.unwrap_or_default();
    // So that a list of runs reads one commit of each.
    other.extend(told.into_iter().filter(|(name, _)| change.trailers.iter().all(|(given, _)| given != name)));
    other.extend(change.trailers);
    let RunChange { operation, subject, body, model, usage, cost, .. } =
        RunChange { new: Vec::new(), trailers: Vec::new(), ..change };
    Ok(Record { body, model, usage, cost, other, ..Record::new(operation, subject, touches) })
}

/// Checks that what is to be stored will be read again, before any of it is.
fn check_sizes(workspace: &Workspace, state: Option<&RunState>, change: &RunChange) -> Result<(), OpError> {
    let redactor = workspace.redactor()?;
    let check = |what: &'static str, max: u64, body: &[u8]| {
        // What stands for a secret may be longer than it was.
        match body.len() as u64 > max || redactor.json(body).as_inner().len() as u64 > max {
            true => Err(RunError::TooLarge { what, max: usize::try_from(max).unwrap_or(usize::MAX) }),
            false => Ok(()),
        }
    };
    if let Some(header) = &change.header {
        check("the header of a run", HEADER_MAX, &serde_json::to_vec(header).expect("a header is names and texts"))?;
    }
    let is_record = |role: &Role, kind: &BodyKind| *kind == BodyKind::Json && matches!(role, Role::Step | Role::Event);
    let entries = state.map(|state| &state.entries[..]).unwrap_or_default();
    let changed = change
        .changed
        .iter()
        .filter(|(id, _)| entries.iter().any(|entry| entry.id == *id && is_record(&entry.role, &entry.kind)));
    let new = change.new.iter().filter(|entry| is_record(&entry.role, &entry.kind));
    let bodies = changed.map(|(_, body)| body).chain(new.map(|entry| &entry.body));
    bodies.into_iter().try_for_each(|body| check("an entry of a run", ENTRY_MAX, body)).map_err(OpError::from)
}

/// Gives an entry another body; nothing is touched if it says that already.
fn replace(editing: &mut Editing<'_>, old: &Entry, body: &[u8]) -> Result<Option<Touch>, OpError> {
    let (body, tokens) = editing.put(&old.role, &old.kind, body)?;
    if body == old.body {
        return Ok(None);
    }
    editing.context.replace(Entry { body, tokens, ..old.clone() })?;
    Ok(Some(Touch::new(TouchKind::Changed, old.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::create_repository;
    use crate::run::{Status, WorkflowUsed};

    fn header(run: &RunId, reason: usize) -> Header {
        Header {
            version: 1,
            run: run.clone(),
            workflow: WorkflowUsed { name: "x".to_owned(), ..WorkflowUsed::default() },
            task: "t".to_owned(),
            started: "s".to_owned(),
            ended: None,
            status: Status::InProgress,
            reason: Some("r".repeat(reason)),
            folder: None,
            other: serde_json::Map::new(),
        }
    }

    #[test]
    fn what_would_not_be_read_again_is_not_stored() {
        let folder = tempfile::tempdir().expect("a folder");
        create_repository(folder.path(), "A U Thor", "author@example.com").expect("a repository");
        let workspace = Workspace::discover(folder.path(), None, None).expect("a repository");
        let run = workspace.new_run_id("x").expect("an id");
        let put = |reason: usize, entry: usize| {
            workspace.change_run(&run, false, &mut |_| {
                let body = format!(r#"{{"type":"{}"}}"#, "x".repeat(entry)).into_bytes();
                let new = NewEntry { role: Role::Event, kind: BodyKind::Json, body, meta: None };
                let change = RunChange::new(Operation::Run, "begins");
                Ok(RunChange { header: Some(header(&run, reason)), new: vec![new], ..change })
            })
        };
        let max = 1 << 20;
        for (reason, entry) in [(max, 0), (0, max)] {
            let error = put(reason, entry).expect_err("it is too large");
            assert!(matches!(error, OpError::Run(RunError::TooLarge { .. })), "{error}");
            assert!(workspace.read_run(&run).expect("no run").is_none());
        }
        put(max - 1000, max - 1000).expect("as large as may be");
        assert_eq!(workspace.read_run(&run).expect("a run").expect("a run").entries.len(), 2);
    }
}
