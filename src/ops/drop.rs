//! `drop`: takes entries out of the context; history keeps them.

use super::change::{Changed, Editing, Record};
use super::find::say;
use super::{OpError, Workspace};
use crate::codec::tool_ids;
use crate::model::{BodyKind, Entry, EntryId, Operation, Touch, TouchKind};

/// Asks for entries to be taken out.
#[derive(Debug, Clone)]
pub struct Drop {
    /// The entries: ids, beginnings of ids, or positions.
    pub entries: Vec<String>,
    /// The commit message; made from the first entry where there is none.
    pub message: Option<String>,
    /// Whether pinned entries may go, and tool calls without their results.
    pub force: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Takes entries out of the context.
///
/// # Errors
/// When there is no such entry, one is pinned, or a tool call would be separated from its result.
pub fn drop(workspace: &Workspace, request: &Drop) -> Result<Changed, OpError> {
    workspace.change(request.dry_run, &mut |editing| {
        let gone = editing.find_all(&request.entries)?;
        if !request.force {
            if let Some(pinned) = gone.iter().find(|entry| entry.flags.pin) {
                return Err(OpError::Pinned { id: pinned.id.to_string() });
            }
            check_pairs(editing, &gone)?;
        }
        let Some(first) = gone.first() else {
            return Err(OpError::Nothing { reason: "no entry is named".to_owned() });
        };
        let subject = request.message.clone().unwrap_or_else(|| format!("drop {}", say(workspace, first)));
        let touches = gone.iter().map(|entry| Touch::new(TouchKind::Removed, entry.id)).collect();
        for entry in &gone {
            editing.context.remove(entry.id)?;
        }
        Ok(Record::new(Operation::Drop, subject, touches))
    })
}

/// Refuses to part a tool call from its result.
fn check_pairs(editing: &mut Editing<'_>, gone: &[Entry]) -> Result<(), OpError> {
    let mut halves = Vec::new();
    for entry in gone.iter().filter(|entry| may_call(entry)) {
        let ids = tool_ids(&editing.context.read_body(&entry.body)?);
        halves.extend(ids.calls.into_iter().chain(ids.results).map(|id| (id, entry.id)));
    }
    let gone: Vec<EntryId> = gone.iter().map(|entry| entry.id).collect();
    check_halves(editing, &halves, &gone)
}

/// Refuses to take these tool ids away from their entries while an entry that is not among `gone` holds the other half.
pub(super) fn check_halves(
    editing: &mut Editing<'_>,
    halves: &[(String, EntryId)],
    gone: &[EntryId],
) -> Result<(), OpError> {
    if halves.is_empty() {
        return Ok(());
    }
    for entry in editing.context.entries()?.iter().filter(|entry| may_call(entry) && !gone.contains(&entry.id)) {
        let ids = tool_ids(&editing.context.read_body(&entry.body)?);
        let other = ids.calls.iter().chain(&ids.results).find_map(|id| halves.iter().find(|(half, _)| half == id));
        if let Some((_, dropped)) = other {
            return Err(OpError::ToolPair { id: dropped.to_string(), other: entry.id.to_string() });
        }
    }
    Ok(())
}

/// Tells whether an entry may hold tool calls or results; Anthropic's results stand in messages of the user.
fn may_call(entry: &Entry) -> bool {
    entry.role.is_sent() && entry.kind == BodyKind::Json
}
