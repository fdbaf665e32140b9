//! `edit`: gives an entry another body; its id and place stay.

use super::change::{Changed, Editing, Record, preview_body};
use super::drop::check_halves;
use super::{OpError, Workspace};
use crate::codec::tool_ids;
use crate::model::{BodyKind, Entry, Operation, Role, Touch, TouchKind};

/// Asks for another body of one entry.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The entry: id, beginning of an id, or position.
    pub entry: String,
    /// The new body.
    pub body: Vec<u8>,
    /// How to read it; `None` keeps the kind.
    pub kind: Option<BodyKind>,
    /// Another role; `None` keeps it.
    pub role: Option<Role>,
    /// The commit message; made from the body where there is none.
    pub message: Option<String>,
    /// Whether a pinned entry may change, and a tool call lose its result.
    pub force: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Changes what an entry says.
///
/// # Errors
/// When there is no such entry, it is pinned, a tool call would be separated from its result, or nothing would change.
pub fn edit(workspace: &Workspace, request: &Edit) -> Result<Changed, OpError> {
    workspace.change(request.dry_run, &mut |editing| {
        let old = editing.find_all(std::slice::from_ref(&request.entry))?.remove(0);
        if old.flags.pin && !request.force {
            return Err(OpError::Pinned { id: old.id.to_string() });
        }
        let kind = request.kind.clone().unwrap_or_else(|| old.kind.clone());
        let role = request.role.clone().unwrap_or_else(|| old.role.clone());
        if kind == BodyKind::Json {
            let valid = serde_json::from_slice::<serde::de::IgnoredAny>(&request.body);
            valid.map_err(|error| OpError::Message { at: None, reason: error.to_string() })?;
        }
        if !request.force && old.kind == BodyKind::Json {
            check_pair(editing, &old, &kind, &request.body)?;
        }
        let (body, tokens) = editing.put(&role, &kind, &request.body)?;
        let new = Entry { role, kind, body, tokens, ..old.clone() };
        if new == old {
            return Err(OpError::Nothing { reason: format!("'{}' says that already", old.id) });
        }
        editing.context.replace(new.clone())?;
        let subject = request
            .message
            .clone()
            .unwrap_or_else(|| format!("edit {}: {}", new.role, preview_body(&new.kind, &request.body)));
        Ok(Record::new(Operation::Edit, subject, vec![Touch::new(TouchKind::Changed, new.id)]))
    })
}

/// Refuses words that lack a tool call or result whose other half stays.
fn check_pair(editing: &mut Editing<'_>, old: &Entry, kind: &BodyKind, body: &[u8]) -> Result<(), OpError> {
    let ids = |body: &[u8]| {
        let ids = tool_ids(body);
        ids.calls.into_iter().chain(ids.results)
    };
    let kept: Vec<String> = if *kind == BodyKind::Json { ids(body).collect() } else { Vec::new() };
    let before = editing.context.read_body(&old.body)?;
    let lost: Vec<_> = ids(&before).filter(|id| !kept.contains(id)).map(|id| (id, old.id)).collect();
    check_halves(editing, &lost, &[old.id])
}
