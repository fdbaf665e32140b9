//! The end of a sequence: what was made is seen by others, all at once.

use super::run::Ran;
use super::state::{Landing, Place, Sequence};
use crate::model::{Branch, Person};
use crate::ops::{OpError, Workspace};
use crate::store::{Batch, Head};

impl Workspace {
    /// Moves the branch, and HEAD where it is to go; where the sequence pauses, only HEAD.
    ///
    /// What a command has to remember is written before anything moves, so that it can be told after a crash whether it did.
    pub(super) fn land(
        &self,
        mut batch: Batch<'_>,
        sequence: &Sequence,
        ran: &Ran,
        done: usize,
        line: &str,
        who: &Person,
    ) -> Result<(), OpError> {
        let Some(tip) = ran.tip else { return Ok(()) };
        let head = Place::of(&self.repo.head()?);
        let has_branch = sequence.branch.is_some();
        if ran.paused.is_some() {
            if has_branch {
                batch.withhold(&sequence.ref_name);
                batch.set_head(Head::Detached(tip));
            }
        } else {
            let home = sequence.left.as_ref().filter(|_| has_branch);
            if let Some(place) = sequence.ends_on.as_ref().or(home) {
                batch.set_head(place.head()?);
            }
            if let Some((name, id)) = &sequence.drop_branch {
                batch.delete(&self.repo.branch_ref(&Branch::parse(name, Branch::default().agent())?), *id);
            }
        }
        let was_remembered = self.is_remembered()?;
        if was_remembered || ran.paused.is_some() {
            let mut noted = sequence.clone();
            if ran.paused.is_some() {
                noted.left.get_or_insert(head.clone());
            }
            noted.landing = Some(Landing { head, tip, done, pauses: ran.paused.is_some() });
            self.note(&noted)?;
        }
        let finished = batch.finish(line, who, self.repo.durability(false));
        if finished.is_err() && !was_remembered {
            self.forget(sequence.verb)?;
        }
        Ok(finished?)
    }
}
