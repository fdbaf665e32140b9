//! `commit`: puts messages at the end of the context.

use super::change::{Changed, Record, preview_body};
use super::message::NewMessage;
use super::{OpError, Workspace};
use crate::codec::Meta;
use crate::model::{Operation, Touch, TouchKind};

/// Asks for messages to be appended, in one commit.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// The messages, in order.
    pub messages: Vec<NewMessage>,
    /// First line and body of the commit message; made from the first message where there is none.
    pub message: Option<String>,
    /// Whether a message without content is fine.
    pub allow_empty: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Appends messages to the context.
///
/// # Errors
/// When there is no message, or an empty one; when the repository cannot be written.
pub fn commit(workspace: &Workspace, request: &Commit) -> Result<Changed, OpError> {
    let empty = |message: &NewMessage| message.body.iter().all(u8::is_ascii_whitespace);
    if request.messages.is_empty() || (!request.allow_empty && request.messages.iter().any(empty)) {
        return Err(OpError::EmptyMessage);
    }
    workspace.change(request.dry_run, &mut |editing| {
        let parent = editing.context.tip();
        let mut touches = Vec::with_capacity(request.messages.len());
        for (nth, message) in request.messages.iter().enumerate() {
            let id = workspace.new_entry_id(parent, nth);
            let meta = message.decision.clone().map(|decision| Meta { decision: Some(decision), ..Meta::default() });
            let (role, kind) = (message.role.clone(), message.kind.clone());
            editing.append(id, role, kind, &message.body, meta.as_ref(), message.pin)?;
            touches.push(Touch::new(TouchKind::Added, id));
        }
        let first = &request.messages[0];
        let more = match request.messages.len() {
            1 => String::new(),
            count => format!(" (+{} more)", count - 1),
        };
        let subject = format!("append {}{more}: {}", first.role, preview_body(&first.kind, &first.body));
        let given = request.message.as_deref().map(|text| text.split_once('\n').unwrap_or((text, "")));
        let (subject, body) =
            given.map_or((subject, String::new()), |(subject, body)| (subject.to_owned(), body.trim().to_owned()));
        let model = request.messages.iter().rev().find_map(|message| message.model.clone());
        Ok(Record { body, model, ..Record::new(Operation::Append, subject, touches) })
    })
}
