//! Carries out on a context what was prepared.

use super::super::OpError;
use super::super::change::Editing;
use super::Mode;
use super::prepared::{Prepared, Summary};
use super::scene::{Scene, cost};
use crate::codec::{Meta, Replaces};
use crate::model::{BodyKind, Entry, Flags, Role, Touch, TouchKind};

/// Says what was done.
pub(super) struct Applied {
    pub(super) touches: Vec<Touch>,
    pub(super) level: u32,
}

/// Changes the context; the entries that are touched must be those of the scene.
pub(super) fn apply(editing: &mut Editing<'_>, scene: &Scene<'_>, prepared: &Prepared) -> Result<Applied, OpError> {
    let mut applied = Applied { touches: Vec::new(), level: 0 };
    for (at, mode, masked) in &prepared.masks {
        let old = &scene.entries[*at];
        let (body, tokens) = editing.put(&old.role, &old.kind, &masked.body)?;
        let level = scene.level(*at)?.saturating_add(1);
        let replaces = replaces(*mode, 1, cost(old), level);
        let meta = Meta { replaces: Some(replaces), ..scene.meta(*at)?.unwrap_or_default() };
        let meta = Some(editing.context.put_meta(&meta)?);
        editing.context.replace(Entry { body, tokens, meta, ..old.clone() })?;
        applied.touches.push(Touch::new(TouchKind::Changed, old.id));
        applied.level = applied.level.max(level);
    }
    for (nth, summary) in prepared.summaries.iter().enumerate() {
        let level = put_summary(editing, scene, summary, nth, &mut applied.touches)?;
        applied.level = applied.level.max(level);
    }
    for at in &prepared.drops {
        let id = scene.entries[*at].id;
        editing.context.remove(id)?;
        applied.touches.push(Touch::new(TouchKind::Removed, id));
    }
    for at in &prepared.pins {
        let mut entry = scene.entries[*at].clone();
        entry.flags.pin = true;
        applied.touches.push(Touch::new(TouchKind::Marked, entry.id));
        editing.context.replace(entry)?;
    }
    Ok(applied)
}

/// Puts a summary where the first of its entries stood, and names them as removed in their order.
fn put_summary(
    editing: &mut Editing<'_>,
    scene: &Scene<'_>,
    summary: &Summary,
    nth: usize,
    touches: &mut Vec<Touch>,
) -> Result<u32, OpError> {
    let Some(first) = summary.members.first() else { return Ok(0) };
    let id = editing.workspace.new_entry_id(editing.context.tip(), nth);
    let (body, tokens) = editing.put(&Role::Summary, &BodyKind::Text, summary.text.as_bytes())?;
    let mut level = 0;
    for at in &summary.members {
        level = level.max(scene.level(*at)?);
    }
    let level = level.saturating_add(1);
    let before = summary.members.iter().map(|at| cost(&scene.entries[*at])).sum();
    let replaces = replaces(summary.mode, summary.members.len() as u64, before, level);
    let meta = editing.context.put_meta(&Meta { replaces: Some(replaces), ..Meta::default() })?;
    touches.push(Touch::new(TouchKind::Added, id));
    for at in &summary.members {
        let gone = scene.entries[*at].id;
        editing.context.remove(gone)?;
        let mut touch = Touch::new(TouchKind::Removed, gone);
        touch.fields.push(("by".to_owned(), id.to_string()));
        touches.push(touch);
    }
    editing.context.insert(Entry {
        position: scene.entries[*first].position.clone(),
        role: Role::Summary,
        tokens,
        id,
        flags: Flags::default(),
        kind: BodyKind::Text,
        body,
        meta: Some(meta),
    })?;
    Ok(level)
}

fn replaces(mode: Mode, entries: u64, tokens: u64, level: u32) -> Replaces {
    Replaces { entries, tokens, mode: Some(mode.name().to_owned()), level: Some(level), ..Replaces::default() }
}
