//! A context as it is looked at: entries at once, bodies when they are wanted.

use std::cell::OnceCell;

use super::super::change::preview_body;
use super::super::{OpError, Workspace};
use crate::codec::{Meta, ToolIds, tool_ids};
use crate::export::plain_text;
use crate::model::{BodyKind, Commit, Entry, Role};
use crate::tokens::Encoding;

/// Holds the context of a commit; each body is read once.
pub(in crate::ops) struct Scene<'w> {
    pub(super) workspace: &'w Workspace,
    pub(super) encoding: Encoding,
    pub(in crate::ops) entries: Vec<Entry>,
    bodies: Vec<OnceCell<Vec<u8>>>,
    tool_ids: Vec<OnceCell<ToolIds>>,
}

impl<'w> Scene<'w> {
    pub(in crate::ops) fn read(workspace: &'w Workspace, commit: &Commit) -> Result<Self, OpError> {
        let manifest = workspace.repo.read_context_manifest(commit)?;
        let entries = workspace.repo.read_entries(commit)?;
        Ok(Scene::of(workspace, Workspace::encoding(&manifest), entries))
    }

    pub(in crate::ops) fn of(workspace: &'w Workspace, encoding: Encoding, entries: Vec<Entry>) -> Self {
        let bodies = entries.iter().map(|_| OnceCell::new()).collect();
        let tool_ids = entries.iter().map(|_| OnceCell::new()).collect();
        Scene { workspace, encoding, entries, bodies, tool_ids }
    }

    pub(in crate::ops) fn workspace(&self) -> &'w Workspace {
        self.workspace
    }

    pub(in crate::ops) fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub(in crate::ops) fn body(&self, at: usize) -> Result<&[u8], OpError> {
        if let Some(body) = self.bodies[at].get() {
            return Ok(body);
        }
        let body = self.workspace.repo.read_blob(&self.entries[at].body)?;
        Ok(self.bodies[at].get_or_init(|| body))
    }

    /// Returns the calls and results in an entry that a model sees.
    pub(super) fn tool_ids(&self, at: usize) -> Result<&ToolIds, OpError> {
        if let Some(ids) = self.tool_ids[at].get() {
            return Ok(ids);
        }
        let entry = &self.entries[at];
        let may_call = entry.role.is_sent() && entry.kind == BodyKind::Json;
        let ids = if may_call { tool_ids(self.body(at)?) } else { ToolIds::default() };
        Ok(self.tool_ids[at].get_or_init(|| ids))
    }

    /// Tells whether an entry is a tool's that does not say which call it answers.
    pub(super) fn is_unnamed_result(&self, at: usize) -> Result<bool, OpError> {
        Ok(self.entries[at].role == Role::Tool && self.tool_ids(at)?.results.is_empty())
    }

    /// Returns what an entry says, as people read it.
    pub(super) fn text(&self, at: usize) -> Result<String, OpError> {
        Ok(plain_text(&self.entries[at].kind, self.body(at)?))
    }

    /// Returns its beginning on one line.
    pub(super) fn preview(&self, at: usize) -> Result<String, OpError> {
        Ok(preview_body(&self.entries[at].kind, self.body(at)?))
    }

    pub(super) fn meta(&self, at: usize) -> Result<Option<Meta>, OpError> {
        Ok(self.workspace.repo.read_meta(&self.entries[at])?)
    }

    /// Returns how often what an entry says was compressed.
    pub(super) fn level(&self, at: usize) -> Result<u32, OpError> {
        let replaces = self.meta(at)?.and_then(|meta| meta.replaces);
        Ok(replaces.map_or(0, |replaces| replaces.times()))
    }

    /// Returns what the model sees, in tokens.
    pub(in crate::ops) fn total(&self) -> u64 {
        self.entries.iter().map(cost).sum()
    }
}

/// Returns what an entry costs the model.
pub(super) fn cost(entry: &Entry) -> u64 {
    if entry.role.is_sent() { entry.tokens } else { 0 }
}
