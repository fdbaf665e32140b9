//! What a plan's `compress` lines come to.

use std::collections::HashSet;

use crate::codec::{Meta, Replaces};
use crate::export::plain_text;
use crate::model::{BodyKind, Entry, EntryId, Operation, Role, Touch, TouchKind};
use crate::ops::change::{Editing, Record};
use crate::ops::{CompressMode, OpError};

/// Puts one summary in the place of each run of these entries. Pinned ones stay as they are, and so do those that are
/// more than plain text, or a tool's: a tool call is never parted from its result, even from one that names no call.
pub(super) fn compress_group(editing: &mut Editing<'_>, ids: &[EntryId]) -> Result<Record, OpError> {
    let wanted: HashSet<&EntryId> = ids.iter().collect();
    let may_go = |entry: &Entry| {
        let is_plain = entry.role.is_sent() && entry.role != Role::Tool && entry.kind == BodyKind::Text;
        wanted.contains(&entry.id) && !entry.flags.pin && is_plain
    };
    let entries = editing.context.entries()?;
    let mut touches = Vec::new();
    let mut count = 0;
    for (nth, run) in entries.chunk_by(|one, other| may_go(one) && may_go(other)).enumerate() {
        let [first, _, ..] = run else { continue };
        let mut text = String::new();
        for entry in run {
            let body = plain_text(&entry.kind, &editing.context.read_body(&entry.body)?);
            text += &format!("{}: {}\n\n", entry.role, body.trim_end());
            editing.context.remove(entry.id)?;
        }
        let text = format!("{}\n", text.trim_end());
        let tokens = run.iter().map(|entry| entry.tokens).sum();
        let mode = Some(CompressMode::Combine.name().to_owned());
        let level = Some(level(editing, run)?.saturating_add(1));
        let replaces = Replaces { entries: run.len() as u64, tokens, mode, level, ..Replaces::default() };
        let meta = editing.context.put_meta(&Meta { replaces: Some(replaces), ..Meta::default() })?;
        let (body, tokens) = editing.put(&Role::Summary, &BodyKind::Text, text.as_bytes())?;
        let id = editing.workspace.new_entry_id(editing.context.tip(), nth);
        let position = first.position.clone();
        let flags = Default::default();
        let summary =
            Entry { position, role: Role::Summary, tokens, id, flags, kind: BodyKind::Text, body, meta: Some(meta) };
        editing.context.insert(summary)?;
        touches.push(Touch::new(TouchKind::Added, id));
        for entry in run {
            let mut touch = Touch::new(TouchKind::Removed, entry.id);
            touch.fields.push(("by".to_owned(), id.to_string()));
            touches.push(touch);
        }
        count += run.len();
    }
    if touches.is_empty() {
        return Err(OpError::Nothing { reason: "no entries stand together that could be compressed".to_owned() });
    }
    Ok(Record::new(Operation::Compress, format!("compress {count} entries"), touches))
}

/// Returns the most levels of compression that are in these entries.
fn level(editing: &mut Editing<'_>, run: &[Entry]) -> Result<u32, OpError> {
    let mut highest = 0;
    for blob in run.iter().filter_map(|entry| entry.meta) {
        let meta = Meta::decode(&editing.context.read_body(&blob)?)?;
        highest = highest.max(meta.replaces.map_or(0, |replaces| replaces.times()));
    }
    Ok(highest)
}
