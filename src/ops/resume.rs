//! What can be done with a merge, cherry-pick, revert or rebase that stopped: look, settle, go on, skip, give up.

use std::collections::BTreeMap;

use super::brought::{Brought, Outcome};
use super::sequence::{Action, Sequence, SequenceVerb, Settled, Step};
use super::{OpError, Workspace};
use crate::model::{BodyKind, EntryId, Role};

/// Says which side is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// As on our side.
    Ours,
    /// As on their side.
    Theirs,
    /// Both sides' words stay.
    Both,
    /// With these words.
    Words {
        /// How to read them.
        kind: BodyKind,
        /// Their bytes, which must be UTF-8.
        body: Vec<u8>,
    },
}

/// Asks for conflicts to be settled.
#[derive(Debug, Clone)]
pub struct Settle {
    /// The command that stopped.
    pub verb: SequenceVerb,
    /// Entries in conflict, by id or the beginning of it; none for all of them.
    pub entries: Vec<String>,
    /// What is right.
    pub resolution: Resolution,
}

/// Says how a stopped command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// It goes on.
    Continue,
    /// It goes on without the commit that it stopped at.
    Skip,
    /// It is given up; the branch is as it was all the time.
    Abort,
}

impl Workspace {
    /// Carries out a sequence, and remembers it if it stops.
    pub(super) fn bring(&self, mut sequence: Sequence, dry_run: bool) -> Result<Brought, OpError> {
        let ran = self.run(&sequence, dry_run)?;
        if let (Some(stop), false) = (&ran.stopped, dry_run) {
            sequence.at = stop.step;
            self.remember(&sequence)?;
        }
        let mut brought = Brought::of(self, &sequence, ran, dry_run)?;
        if let (Some((name, id)), false, true) = (&sequence.drop_branch, dry_run, brought.outcome != Outcome::Stopped) {
            let who = self.repo.committer()?;
            self.repo.delete_ref(&self.repo.branch_ref(&crate::model::Branch::parse(name, "main")?), *id, &who)?;
            brought.dropped_branch = Some((name.clone(), *id));
        }
        Ok(brought)
    }

    fn waiting(&self, verb: SequenceVerb) -> Result<Sequence, OpError> {
        match self.stopped()? {
            Some(sequence) if sequence.verb == verb => Ok(sequence),
            Some(other) => Err(OpError::Ongoing { verb: other.verb.name() }),
            None => Err(OpError::NothingStopped { verb: verb.name() }),
        }
    }
}

/// Shows where a stopped command is, with its conflicts; what is settled is not among them.
///
/// # Errors
/// When no such command waits.
pub fn conflicts(workspace: &Workspace, verb: SequenceVerb) -> Result<Brought, OpError> {
    let sequence = caught_up(workspace, workspace.waiting(verb)?)?;
    let ran = workspace.run(&sequence, true)?;
    Brought::of(workspace, &sequence, ran, true)
}

/// Settles conflicts of a stopped command, and returns what is left of them. The branch does not move.
///
/// # Errors
/// When no such command waits, or an entry is not in conflict.
pub fn settle(workspace: &Workspace, request: &Settle) -> Result<Brought, OpError> {
    let mut sequence = caught_up(workspace, workspace.waiting(request.verb)?)?;
    let ran = workspace.run(&sequence, true)?;
    let Some(stop) = &ran.stopped else { return Brought::of(workspace, &sequence, ran, true) };
    let open: Vec<(EntryId, Role)> = stop
        .conflicts
        .iter()
        .map(|conflict| {
            let known = [&conflict.ours, &conflict.theirs, &conflict.base].into_iter().flatten().next();
            (conflict.id, known.map_or(Role::User, |entry| entry.role.clone()))
        })
        .chain(stop.findings.iter().map(|finding| (finding.theirs, Role::User)))
        .collect();
    let chosen: Vec<(EntryId, Role)> = match request.entries.is_empty() {
        true => open,
        false => request.entries.iter().map(|name| find(&open, name)).collect::<Result<_, _>>()?,
    };
    let step = stop.step;
    for (nth, (id, role)) in chosen.into_iter().enumerate() {
        let settled = match &request.resolution {
            Resolution::Ours => Settled::Ours,
            Resolution::Theirs => Settled::Theirs,
            Resolution::Both => Settled::Both { id: workspace.new_entry_id(Some(sequence.start), nth) },
            Resolution::Words { kind, body } => words(workspace, &role, kind, body)?,
        };
        sequence.choices.entry(step).or_default().insert(id, settled);
    }
    sequence.at = step;
    workspace.remember(&sequence)?;
    let ran = workspace.run(&sequence, true)?;
    Brought::of(workspace, &sequence, ran, true)
}

fn find(open: &[(EntryId, Role)], name: &str) -> Result<(EntryId, Role), OpError> {
    let found: Vec<&(EntryId, Role)> = open.iter().filter(|(id, _)| id.as_str().starts_with(name)).collect();
    match found[..] {
        [one] if !name.is_empty() => Ok(one.clone()),
        [] => Err(OpError::NotInConflict { name: name.to_owned() }),
        _ => Err(OpError::AmbiguousEntry {
            name: name.to_owned(),
            candidates: found.iter().map(|(id, _)| id.to_string()).collect(),
        }),
    }
}

/// Remembers words without their secrets: they wait in a file.
fn words(workspace: &Workspace, role: &Role, kind: &BodyKind, body: &[u8]) -> Result<Settled, OpError> {
    let malformed = |reason: String| OpError::Message { at: None, reason };
    if *kind == BodyKind::Json {
        let valid = serde_json::from_slice::<serde::de::IgnoredAny>(body);
        valid.map_err(|error| malformed(error.to_string()))?;
    }
    let body = super::change::redact_body(workspace, kind, body)?.into_inner();
    let text = String::from_utf8(body).map_err(|_| malformed("not UTF-8".to_owned()))?;
    Ok(Settled::Words { role: role.name().to_owned(), kind: kind.ending().to_owned(), text })
}

/// Continues, skips or gives up a stopped command.
///
/// # Errors
/// When no such command waits.
pub fn resume(workspace: &Workspace, verb: SequenceVerb, how: Resume) -> Result<Brought, OpError> {
    let mut sequence = workspace.waiting(verb)?;
    if how == Resume::Abort {
        let target = sequence.target()?;
        workspace.forget(verb)?;
        let now = workspace.repo.find_ref_id(&sequence.ref_name)?.unwrap_or(sequence.start);
        return Brought::unmoved(workspace, verb, &target, now);
    }
    if how == Resume::Skip {
        skip(&mut sequence);
    }
    let sequence = caught_up(workspace, sequence)?;
    let brought = workspace.bring(sequence, false)?;
    if brought.outcome != Outcome::Stopped {
        workspace.forget(verb)?;
    }
    Ok(brought)
}

/// Leaves out the step that it stopped at.
fn skip(sequence: &mut Sequence) {
    let at = sequence.at;
    if at < sequence.steps.len() {
        sequence.steps.remove(at);
    }
    let choices = std::mem::take(&mut sequence.choices);
    let kept = choices.into_iter().filter(|(step, _)| *step != at);
    sequence.choices =
        kept.map(|(step, choices)| (if step > at { step - 1 } else { step }, choices)).collect::<BTreeMap<_, _>>();
}

/// Takes in what was committed on the branch since the command stopped: an agent may have gone on meanwhile.
fn caught_up(workspace: &Workspace, mut sequence: Sequence) -> Result<Sequence, OpError> {
    let repo = &workspace.repo;
    let target = sequence.target()?;
    let now = repo.find_ref_id(&sequence.ref_name)?.ok_or_else(|| target.no_commits())?;
    if now == sequence.start {
        return Ok(sequence);
    }
    if sequence.verb == SequenceVerb::Rebase {
        let mut new: Vec<_> = repo.history(&[now], &[sequence.start])?.collect::<Result<_, _>>()?;
        new.reverse();
        let is_plain = |commit: &crate::model::Commit| commit.parents.len() < 2 || sequence.options.keep_merges;
        sequence
            .steps
            .extend(new.iter().filter(|commit| is_plain(commit)).map(|commit| Step::new(Action::Pick, commit.id)));
    }
    // A crash between the move of the branch and the removal of the file: all is done.
    if sequence.steps.iter().all(|step| step.action == Action::Merge)
        && let Some(step) = sequence.steps.first()
        && repo.merge_bases(now, step.commit)? == [step.commit]
    {
        sequence.steps.clear();
    }
    sequence.start = now;
    Ok(sequence)
}
