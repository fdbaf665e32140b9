//! `pin` and `unpin`: marks entries to be kept verbatim. A pin is a rename in the tree: the body is not touched.

use super::change::{Changed, Record};
use super::find::say;
use super::{OpError, Workspace};
use crate::model::{Operation, Touch, TouchKind};

/// Asks for entries to be pinned, or let go.
#[derive(Debug, Clone)]
pub struct Pin {
    /// The entries: ids, beginnings of ids, or positions.
    pub entries: Vec<String>,
    /// Whether they are to be pinned; else the pin is taken back.
    pub pin: bool,
    /// The commit message; made from the first entry where there is none.
    pub message: Option<String>,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Pins entries, or takes their pins back.
///
/// # Errors
/// When there is no such entry, or all of them are as wanted already.
pub fn pin(workspace: &Workspace, request: &Pin) -> Result<Changed, OpError> {
    let verb = if request.pin { "pin" } else { "unpin" };
    workspace.change(request.dry_run, &mut |editing| {
        let found = editing.find_all(&request.entries)?;
        let changing: Vec<_> = found.into_iter().filter(|entry| entry.flags.pin != request.pin).collect();
        let Some(first) = changing.first() else {
            return Err(OpError::Nothing { reason: format!("already {verb}ned") });
        };
        let subject = request.message.clone().unwrap_or_else(|| format!("{verb} {}", say(workspace, first)));
        let touches = changing.iter().map(|entry| Touch::new(TouchKind::Marked, entry.id)).collect();
        for mut entry in changing {
            entry.flags.pin = request.pin;
            editing.context.replace(entry)?;
        }
        let operation = if request.pin { Operation::Pin } else { Operation::Unpin };
        Ok(Record::new(operation, subject, touches))
    })
}
