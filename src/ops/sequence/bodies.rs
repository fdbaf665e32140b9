//! What the entries of a merge say, read when it is asked for.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::codec::{Meta, ToolIds, tool_ids};
use crate::export::plain_text;
use crate::merge::Statement;
use crate::model::{BodyKind, Entry, ObjectId, Role};
use crate::ops::{OpError, Workspace};
use crate::store::StoreError;

/// Largest body that is read for contradictions, in bytes.
const STATEMENT_MAX: usize = 64 << 10;

/// Reads bodies of committed entries when they are asked for.
pub(super) struct Bodies<'a> {
    workspace: &'a Workspace,
    tools: RefCell<HashMap<ObjectId, ToolIds>>,
    /// The first body that could not be read.
    error: RefCell<Option<StoreError>>,
}

impl<'a> Bodies<'a> {
    pub(super) fn new(workspace: &'a Workspace) -> Self {
        Bodies { workspace, tools: RefCell::default(), error: RefCell::default() }
    }

    /// Finds the tool calls and results of an entry; what cannot be read has none, and fails [`Bodies::check`].
    pub(super) fn tools(&self, entry: &Entry) -> ToolIds {
        if !entry.role.is_sent() || entry.kind != BodyKind::Json {
            return ToolIds::default();
        }
        let mut known = self.tools.borrow_mut();
        let found = known.entry(entry.body).or_insert_with(|| match self.workspace.repo.read_blob(&entry.body) {
            Ok(body) => tool_ids(&body),
            // Words that are only now being stored are not looked at: they are a person's, or a driver's.
            Err(StoreError::Missing { promisor: None, .. }) => ToolIds::default(),
            Err(error) => {
                self.error.borrow_mut().get_or_insert(error);
                ToolIds::default()
            }
        });
        found.clone()
    }

    /// Fails if a body could not be read.
    pub(super) fn check(&self) -> Result<(), OpError> {
        self.error.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// Returns what these entries say, and decide; results of tools decide nothing.
    pub(super) fn statements(&self, entries: &[Entry]) -> Result<Vec<Statement>, OpError> {
        let speaks = |role: &Role| role.is_sent() && *role != Role::Tool;
        let repo = &self.workspace.repo;
        let mut statements = Vec::new();
        for entry in entries.iter().filter(|entry| speaks(&entry.role)) {
            let decision = repo.read_meta(entry)?.and_then(|Meta { decision, .. }| decision);
            let body = repo.read_blob(&entry.body)?;
            let holds_results = entry.kind == BodyKind::Json && !tool_ids(&body).results.is_empty();
            let text = match body.len() <= STATEMENT_MAX && !holds_results {
                true => plain_text(&entry.kind, &body),
                false => String::new(),
            };
            statements.push(Statement { id: entry.id, decision, text });
        }
        Ok(statements)
    }
}
