//! `drop`: takes entries out of the context; history keeps them.

use super::change::{Changed, Editing, Record};
use super::find::say;
use super::{OpError, Workspace};
use crate::codec::tool_ids;
use crate::model::{BodyKind, Entry, Operation, Role, Touch, TouchKind};

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
    let speaks = |entry: &Entry| matches!(entry.role, Role::Assistant | Role::Tool) && entry.kind == BodyKind::Json;
    if !gone.iter().any(speaks) {
        return Ok(());
    }
    let mut halves = Vec::new();
    for entry in gone.iter().filter(|entry| speaks(entry)) {
        let ids = tool_ids(&editing.context.read_body(&entry.body)?);
        halves.extend(ids.calls.into_iter().chain(ids.results).map(|id| (id, entry.id)));
    }
    if halves.is_empty() {
        return Ok(());
    }
    let stays = |entry: &Entry| speaks(entry) && !gone.iter().any(|one| one.id == entry.id);
    for entry in editing.context.entries()?.iter().filter(|entry| stays(entry)) {
        let ids = tool_ids(&editing.context.read_body(&entry.body)?);
        let other = ids.calls.iter().chain(&ids.results).find_map(|id| halves.iter().find(|(half, _)| half == id));
        if let Some((_, dropped)) = other {
            return Err(OpError::ToolPair { id: dropped.to_string(), other: entry.id.to_string() });
        }
    }
    Ok(())
}
