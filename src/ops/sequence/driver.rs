//! Lets a driver write one text in the place of two, before anything is changed: nobody waits for it.

use super::decisions::{Decision, Settled};
use super::run::Stop;
use super::state::{Preference, Sequence};
use crate::drivers::{Driver, DriverError, Reconcile, Task};
use crate::export::plain_text;
use crate::merge::{Conflict, ConflictKind};
use crate::model::{BodyKind, Entry};
use crate::ops::credits::Credits;
use crate::ops::driver::ANSWER_MAX;
use crate::ops::{OpError, Workspace};

impl Workspace {
    /// Asks the driver that a sequence prefers, if it does, to settle its conflicts; what it cannot settle is left.
    pub(in crate::ops) fn consult(&self, sequence: &mut Sequence) -> Result<(), OpError> {
        let Some(Preference::Driver(name)) = sequence.options.prefer.clone() else { return Ok(()) };
        let manifest = self.repo.read_context_manifest(&self.repo.read_commit(&sequence.start)?)?;
        let driver = self.driver(name.as_deref(), Workspace::encoding(&manifest))?;
        loop {
            let Some(stop) = self.run(sequence, true)?.stopped else { return Ok(()) };
            let decisions = sequence.decisions.entry(stop.commit).or_default();
            let known = decisions.choices.len();
            for conflict in &stop.conflicts {
                if let Some(settled) = reconcile(self, driver.as_ref(), &stop, conflict, &mut decisions.credits)? {
                    decisions.choices.insert(conflict.id, Decision::new(settled, conflict));
                }
            }
            if decisions.choices.len() == known {
                return Ok(());
            }
        }
    }
}

/// Asks a driver to settle a conflict. It can where both sides have words; the others are left to the user.
fn reconcile(
    workspace: &Workspace,
    driver: &dyn Driver,
    stop: &Stop,
    conflict: &Conflict,
    credits: &mut Credits,
) -> Result<Option<Settled>, OpError> {
    let has_words =
        matches!(conflict.kind, ConflictKind::BothEdited | ConflictKind::BothAdded | ConflictKind::EditedCompressed);
    let (Some(ours), Some(theirs), true) = (&conflict.ours, &conflict.theirs, has_words) else { return Ok(None) };
    // A text cannot stand in the place of blocks that call tools, and pinned words are a person's to change.
    let fits = |entry: &Entry| entry.kind == BodyKind::Text && !entry.flags.pin;
    if !fits(ours) || !fits(theirs) {
        return Ok(None);
    }
    let read = |entry: &Entry| stop.bodies.get(&entry.body).map(|body| plain_text(&entry.kind, body));
    let (Some(our_words), Some(their_words)) = (read(ours), read(theirs)) else { return Ok(None) };
    let task = Task::Reconcile(Reconcile {
        base: conflict.base.as_ref().and_then(read),
        ours: our_words,
        theirs: their_words,
        conflict: conflict.kind.name().to_owned(),
        instructions: None,
    });
    let answer = match driver.carry_out(&task) {
        Err(DriverError::Unable { .. }) => return Ok(None),
        answer => answer?,
    };
    let refuse = |reason: String| OpError::Answer { driver: driver.name(), reason };
    if answer.text.trim().is_empty() {
        return Err(refuse("it is empty".to_owned()));
    }
    if answer.text.len() > ANSWER_MAX {
        return Err(refuse(format!("it has more than {ANSWER_MAX} bytes")));
    }
    credits.add(&driver.name(), &answer);
    let text = workspace.redactor()?.text(answer.text.as_bytes()).into_inner();
    let text = String::from_utf8(text).map_err(|_| refuse("it is not UTF-8".to_owned()))?;
    Ok(Some(Settled::Words { role: ours.role.name().to_owned(), kind: BodyKind::Text.ending().to_owned(), text }))
}
