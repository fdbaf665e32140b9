//! Lets a driver write one text in the place of two.

use crate::drivers::{Driver, Reconcile, Task};
use crate::export::plain_text;
use crate::merge::{Choice, Conflict, ConflictKind};
use crate::model::{BodyKind, Entry};
use crate::ops::OpError;
use crate::ops::change::Editing;

/// Asks a driver to settle a conflict. It can where both sides have words; the others are left to the user.
pub(super) fn reconcile(
    editing: &mut Editing<'_>,
    name: Option<&str>,
    conflict: &Conflict,
) -> Result<Option<Choice>, OpError> {
    let has_words = matches!(
        conflict.kind,
        ConflictKind::BothEdited
            | ConflictKind::BothAdded
            | ConflictKind::EditedCompressed
            | ConflictKind::PinnedEdited
    );
    let (Some(ours), Some(theirs), true) = (&conflict.ours, &conflict.theirs, has_words) else { return Ok(None) };
    // A text cannot stand in the place of blocks that call tools.
    if ours.kind != BodyKind::Text || theirs.kind != BodyKind::Text {
        return Ok(None);
    }
    let read =
        |entry: &Entry| Ok::<_, OpError>(plain_text(&entry.kind, &editing.workspace.repo.read_blob(&entry.body)?));
    let task = Task::Reconcile(Reconcile {
        base: conflict.base.as_ref().map(read).transpose()?,
        ours: read(ours)?,
        theirs: read(theirs)?,
        conflict: conflict.kind.name().to_owned(),
        instructions: None,
    });
    let driver: Box<dyn Driver> = editing.workspace.driver(name, editing.encoding)?;
    let answer = driver.carry_out(&task)?;
    if answer.text.trim().is_empty() {
        return Err(OpError::Answer { driver: driver.name(), reason: "it is empty".to_owned() });
    }
    let (body, tokens) = editing.put(&ours.role, &BodyKind::Text, answer.text.as_bytes())?;
    editing.answers.push((driver.name(), answer));
    Ok(Some(Choice::Words(Box::new(Entry { body, tokens, kind: BodyKind::Text, ..ours.clone() }))))
}
