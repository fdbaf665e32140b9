//! What can be done with a merge, cherry-pick, revert or rebase that stopped: look, settle, go on, skip, give up.

use super::brought::{Brought, Outcome};
use super::change::ATTEMPTS;
use super::sequence::{Decision, Sequence, SequenceVerb, Settled, Stop, caught_up};
use super::{OpError, Workspace};
use crate::merge::{Conflict, ConflictKind, Finding};
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
        if !dry_run {
            self.consult(&mut sequence)?;
        }
        let mut attempt = 1;
        let ran = loop {
            match self.run(&sequence, dry_run) {
                // Somebody went on with the branch while a driver was thinking.
                Err(OpError::BranchMoved { .. }) if sequence.onto.is_none() && attempt < ATTEMPTS => {
                    attempt += 1;
                    let now = self.repo.find_ref_id(&sequence.ref_name)?;
                    sequence.start = now.ok_or(OpError::NoCommits { branch: sequence.ref_name.clone() })?;
                }
                outcome => break outcome?,
            }
        };
        if let (Some(stop), false) = (&ran.stopped, dry_run) {
            self.remember_stop(&mut sequence, Some(stop))?;
        }
        Brought::of(self, &sequence, ran, dry_run)
    }

    fn remember_stop(&self, sequence: &mut Sequence, stop: Option<&Stop>) -> Result<(), OpError> {
        sequence.open = stop.map_or(0, |stop| stop.conflicts.len() + stop.findings.len());
        sequence.at = stop.map_or(sequence.at, |stop| stop.step);
        self.remember(sequence)
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
    let open: Vec<Open> =
        stop.conflicts.iter().map(Open::Conflict).chain(stop.findings.iter().map(Open::Finding)).collect();
    let chosen: Vec<&Open> = match request.entries.is_empty() {
        true => open.iter().collect(),
        false => request.entries.iter().map(|name| find(&open, name)).collect::<Result<_, _>>()?,
    };
    if matches!(request.resolution, Resolution::Words { .. }) && chosen.len() != 1 {
        let reason = "the words of a text settle one conflict: name its entry".to_owned();
        return Err(OpError::Request { reason });
    }
    for (nth, open) in chosen.into_iter().enumerate() {
        open.check(&request.resolution)?;
        let settled = match &request.resolution {
            Resolution::Ours => Settled::Ours,
            Resolution::Theirs => Settled::Theirs,
            // Each step has numbers of its own, so that ids that follow from a seed are never the same.
            Resolution::Both => Settled::Both { id: workspace.new_entry_id(Some(stop.commit), stop.step << 16 | nth) },
            Resolution::Words { kind, body } => words(workspace, &open.role(workspace)?, kind, body)?,
        };
        let decisions = sequence.decisions.entry(stop.commit).or_default();
        match open {
            Open::Conflict(conflict) => {
                decisions.choices.insert(conflict.id, Decision::new(settled, conflict));
            }
            Open::Finding(finding) => drop(decisions.verdicts.insert(finding.theirs, settled)),
        }
    }
    let ran = workspace.run(&sequence, true)?;
    workspace.remember_stop(&mut sequence, ran.stopped.as_ref())?;
    Brought::of(workspace, &sequence, ran, true)
}

/// Something that is to be settled.
enum Open<'a> {
    Conflict(&'a Conflict),
    Finding(&'a Finding),
}

impl Open<'_> {
    fn id(&self) -> EntryId {
        match self {
            Open::Conflict(conflict) => conflict.id,
            Open::Finding(finding) => finding.theirs,
        }
    }

    /// Returns who speaks in the entry.
    fn role(&self, workspace: &Workspace) -> Result<Role, OpError> {
        let known = match self {
            Open::Conflict(conflict) => [&conflict.ours, &conflict.theirs].into_iter().flatten().next().cloned(),
            Open::Finding(finding) => workspace.repo.find_entry(&workspace.tip()?, finding.ours)?,
        };
        Ok(known.map_or(Role::User, |entry| entry.role))
    }

    /// Refuses what would settle nothing.
    fn check(&self, resolution: &Resolution) -> Result<(), OpError> {
        let Open::Conflict(conflict) = self else { return Ok(()) };
        let sides_only = matches!(conflict.kind, ConflictKind::BothMoved | ConflictKind::BothAnswered);
        let is_side = matches!(resolution, Resolution::Ours | Resolution::Theirs);
        if sides_only && !is_side {
            let reason = format!(
                "'{}': {}; one of the two has to be taken: --ours or --theirs",
                conflict.id,
                conflict.kind.words()
            );
            return Err(OpError::Request { reason });
        }
        Ok(())
    }
}

fn find<'o, 'a>(open: &'o [Open<'a>], name: &str) -> Result<&'o Open<'a>, OpError> {
    let found: Vec<&Open<'_>> = open.iter().filter(|open| open.id().as_str().starts_with(name)).collect();
    match found[..] {
        [one] if !name.is_empty() => Ok(one),
        [] => Err(OpError::NotInConflict { name: name.to_owned() }),
        _ => Err(OpError::AmbiguousEntry {
            name: name.to_owned(),
            candidates: found.iter().map(|open| open.id().to_string()).collect(),
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
    if how == Resume::Abort {
        return abort(workspace, verb);
    }
    let mut sequence = workspace.waiting(verb)?;
    if how == Resume::Skip && sequence.landing.is_none() {
        skip(&mut sequence);
    }
    let from = sequence.start;
    let sequence = caught_up(workspace, sequence)?;
    let brought = workspace.bring(sequence, false)?;
    if !matches!(brought.outcome, Outcome::Stopped | Outcome::Paused) {
        workspace.forget(verb)?;
    }
    Ok(Brought { from, ..brought })
}

/// Gives up a stopped command. Nothing has to be taken back but a HEAD that moved for the user to change the context.
fn abort(workspace: &Workspace, verb: SequenceVerb) -> Result<Brought, OpError> {
    let sequence = match workspace.waiting(verb) {
        Err(OpError::BrokenState { .. }) => {
            workspace.forget_all()?;
            let tip = workspace.tip()?;
            return Brought::unmoved(workspace, verb, &workspace.target()?, tip.id);
        }
        waiting => waiting?,
    };
    // A crash came after the branch had moved: there is nothing left to give up.
    let landed = sequence.landing.as_ref().is_some_and(|landing| !landing.pauses);
    if landed && caught_up(workspace, sequence.clone())?.steps.is_empty() {
        return Err(OpError::Request { reason: format!("the {} is done: continue it", verb.name()) });
    }
    if let Some(left) = &sequence.left {
        let who = workspace.repo.committer()?;
        workspace.repo.set_head(&left.head()?, &format!("{} (abort): returning", verb.name()), &who)?;
    }
    workspace.forget(verb)?;
    let now = workspace.repo.find_ref_id(&sequence.ref_name)?.unwrap_or(sequence.start);
    Brought::unmoved(workspace, verb, &sequence.target()?, now)
}

/// Leaves out the step that it stopped at.
fn skip(sequence: &mut Sequence) {
    if sequence.at < sequence.steps.len() {
        let step = sequence.steps.remove(sequence.at);
        sequence.left_out.extend(step.folded.into_iter().chain([step.commit]));
    }
}
