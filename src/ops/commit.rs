//! `commit`: puts messages at the end of the context.

use super::change::{Changed, Editing, Record, preview_body, redact_body};
use super::message::NewMessage;
use super::{OpError, Workspace, group};
use crate::codec::Meta;
use crate::model::{EntryId, Operation, Touch, TouchKind};
use crate::store::Durability;

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
/// When many processes append at once and each wants its change on disk, one of them stores the changes of all that
/// wait, with one sync.
///
/// # Errors
/// When there is no message, or an empty one; when the repository cannot be written.
pub fn commit(workspace: &Workspace, request: &Commit) -> Result<Changed, OpError> {
    let empty = |message: &NewMessage| message.body.iter().all(u8::is_ascii_whitespace);
    if request.messages.is_empty() || (!request.allow_empty && request.messages.iter().any(empty)) {
        return Err(OpError::EmptyMessage);
    }
    if !request.dry_run && workspace.repo.durability(false) == Durability::Durable {
        return group::commit(workspace, Appending::new(workspace, request)?);
    }
    workspace.change(request.dry_run, &mut |editing| {
        let parent = editing.context.tip();
        let ids = (0..request.messages.len()).map(|nth| workspace.new_entry_id(parent, nth)).collect();
        let message = request.message.clone();
        Appending { messages: request.messages.clone(), ids, message, redacted: Vec::new() }.carry_out(editing)
    })
}

/// Holds messages that are to be appended, and the ids that they get.
#[derive(Debug, Clone)]
pub(super) struct Appending {
    pub(super) messages: Vec<NewMessage>,
    pub(super) ids: Vec<EntryId>,
    pub(super) message: Option<String>,
    /// Rules whose secrets were replaced.
    pub(super) redacted: Vec<String>,
}

impl Appending {
    /// Prepares messages for whoever will store them: without secrets, since they may wait in a file.
    fn new(workspace: &Workspace, request: &Commit) -> Result<Self, OpError> {
        let redactor = workspace.redactor()?;
        let mut messages = request.messages.clone();
        let mut redacted = Vec::new();
        for message in &mut messages {
            let body = redact_body(workspace, &message.kind, &message.body)?;
            redacted.extend(body.findings().iter().map(|finding| finding.rule.to_string()));
            message.body = body.into_inner();
            message.decision = message.decision.take().map(|decision| redactor.line(&decision).into_inner());
        }
        let message = request.message.as_deref().map(|message| redactor.line(message).into_inner());
        Ok(Appending { messages, ids: Vec::new(), message, redacted })
    }

    /// Appends the messages.
    pub(super) fn carry_out(&self, editing: &mut Editing<'_>) -> Result<Record, OpError> {
        let mut touches = Vec::with_capacity(self.messages.len());
        for (message, id) in self.messages.iter().zip(&self.ids) {
            let meta = message.decision.clone().map(|decision| Meta { decision: Some(decision), ..Meta::default() });
            let (role, kind) = (message.role.clone(), message.kind.clone());
            editing.append(*id, role, kind, &message.body, meta.as_ref(), message.pin)?;
            touches.push(Touch::new(TouchKind::Added, *id));
        }
        editing.redacted.extend(self.redacted.iter().cloned());
        let first = &self.messages[0];
        let more = match self.messages.len() {
            1 => String::new(),
            count => format!(" (+{} more)", count - 1),
        };
        let subject = format!("append {}{more}: {}", first.role, preview_body(&first.kind, &first.body));
        let given = self.message.as_deref().map(|text| text.split_once('\n').unwrap_or((text, "")));
        let (subject, body) =
            given.map_or((subject, String::new()), |(subject, body)| (subject.to_owned(), body.trim().to_owned()));
        let model = self.messages.iter().rev().find_map(|message| message.model.clone());
        Ok(Record { body, model, ..Record::new(Operation::Append, subject, touches) })
    }
}
