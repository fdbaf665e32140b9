//! Commits that are made anew, from the first one that changes on.

use std::collections::{HashMap, HashSet};

use super::cut::Cut;
use super::message::{self, Around};
use super::outcome::{AUTHOR, Left};
use super::stub::Originals;
use crate::codec::{MANIFEST_NAME, Meta, Named, RowKind, decode_message, decode_name, encode_entry_name};
use crate::model::{BodyKind, Entry, EntryId, Facts, ObjectId, Operation, Role, TouchKind};
use crate::ops::change::{count_entry, preview_body};
use crate::ops::compress::replaced_by;
use crate::ops::{OpError, Workspace};
use crate::store::{RawCommit, RawRow, Rewrite, StoreError};
use crate::tokens::Encoding;

/// Trees in trees are walked so deep; a context has four.
const DEPTH: usize = 16;

/// Most places that are named where something had to stay.
const LEFT_MAX: usize = 1000;

/// History on its way to being another one. Objects are looked at once each, and one file is in memory at a time.
pub(super) struct History<'w> {
    workspace: &'w Workspace,
    cut: &'w Cut<'w>,
    pub(super) rewrite: Rewrite<'w>,
    /// What each commit is called now.
    commits: HashMap<ObjectId, ObjectId>,
    /// By how much each commit's context counts another number of tokens.
    deltas: HashMap<ObjectId, i64>,
    trees: HashMap<(ObjectId, Encoding), (ObjectId, i64)>,
    /// What each file is called now; the same one can be read as text and as JSON, and can be an entry that goes.
    blobs: HashMap<(ObjectId, bool, bool), ObjectId>,
    /// Tokens of bodies that are new.
    counts: HashMap<(ObjectId, bool, Encoding), u64>,
    /// By how much versions of entries count another number of tokens.
    entries: HashMap<(EntryId, ObjectId), i64>,
    /// How entries began, and how they begin.
    previews: HashMap<EntryId, Vec<(String, String)>>,
    /// By how much metadata has to count another number of tokens that were replaced.
    replaced: HashMap<(EntryId, ObjectId), i64>,
    encodings: HashMap<ObjectId, Encoding>,
    /// What lines that stand for bodies have to say now.
    originals: Originals,
    /// Commits that changed, in their order.
    pub(super) changed: Vec<(ObjectId, ObjectId)>,
    pub(super) bodies: u64,
    pub(super) unsigned: u64,
    pub(super) left: Vec<Left>,
}

impl<'w> History<'w> {
    pub(super) fn new(workspace: &'w Workspace, cut: &'w Cut<'w>, rewrite: Rewrite<'w>) -> Self {
        History {
            workspace,
            cut,
            rewrite,
            commits: HashMap::new(),
            deltas: HashMap::new(),
            trees: HashMap::new(),
            blobs: HashMap::new(),
            counts: HashMap::new(),
            entries: HashMap::new(),
            previews: HashMap::new(),
            replaced: HashMap::new(),
            encodings: HashMap::new(),
            originals: Originals::default(),
            changed: Vec::new(),
            bodies: 0,
            unsigned: 0,
            left: Vec::new(),
        }
    }

    /// Makes all of these commits anew where they change, what they stand on or name first.
    pub(super) fn run(&mut self, commits: &[ObjectId], progress: &mut dyn FnMut(u64)) -> Result<(), OpError> {
        let all: HashSet<ObjectId> = commits.iter().copied().collect();
        let mut done = 0;
        for id in commits {
            let mut stack: Vec<(ObjectId, Option<RawCommit>)> = vec![(*id, None)];
            while let Some((id, read)) = stack.pop() {
                if self.commits.contains_key(&id) {
                    continue;
                }
                if let Some(raw) = read {
                    self.commit(id, raw)?;
                    done += 1;
                    progress(done);
                    continue;
                }
                let raw = self.workspace.repo.read_raw_commit(&id)?;
                let mut first: Vec<ObjectId> = raw.parents.clone();
                first.extend(named(&raw.message));
                first.retain(|one| all.contains(one) && !self.commits.contains_key(one));
                stack.push((id, Some(raw)));
                // Nothing names itself, so this ends.
                stack.extend(first.into_iter().map(|one| (one, None)));
            }
        }
        Ok(())
    }

    /// Finds which of some commits, parents first, would change too; nothing is written. What cannot be read is left out.
    pub(super) fn would_change(&self, commits: &[ObjectId]) -> Result<Vec<ObjectId>, OpError> {
        let mut other = History::new(self.workspace, self.cut, self.workspace.repo.rewrite(true)?);
        other.commits.clone_from(&self.commits);
        for id in commits {
            let _ = other.run(&[*id], &mut |_| {});
        }
        let left = other.left.iter().map(|left| left.commit);
        let mut found: Vec<ObjectId> = other.changed.iter().map(|(old, _)| *old).chain(left).collect();
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Returns what a commit is called now, if that is another name.
    pub(super) fn renamed(&self, id: &ObjectId) -> Option<ObjectId> {
        self.commits.get(id).copied().filter(|new| new != id)
    }

    /// Returns what bodies are called now that have another name.
    pub(super) fn renamed_bodies(&self) -> HashMap<ObjectId, ObjectId> {
        self.blobs.iter().filter(|((old, ..), new)| old != *new).map(|((old, ..), new)| (*old, *new)).collect()
    }

    fn commit(&mut self, id: ObjectId, raw: RawCommit) -> Result<(), OpError> {
        let facts = decode_message(&raw.message).map(|(_, _, facts)| facts).ok();
        let mut delta = 0;
        let mut tree = raw.tree;
        let is_context = facts.as_ref().is_some_and(|facts| facts.operation != Operation::Snapshot);
        if is_context && let Some(encoding) = self.encoding_of(raw.tree)? {
            let facts = facts.as_ref().expect("a context has facts");
            if facts.operation == Operation::Compress && !self.entries.is_empty() {
                self.find_replaced(&id, &raw, facts)?;
            }
            (tree, delta) = self.tree(id, raw.tree, encoding, "", 0)?;
        }
        let before = raw.parents.first().and_then(|parent| self.deltas.get(parent)).copied().unwrap_or(0);
        let touches = facts.iter().flat_map(|facts| &facts.entries);
        let previews: Vec<(String, String)> =
            touches.clone().filter_map(|touch| self.previews.get(&touch.id)).flatten().cloned().collect();
        let around = Around {
            previews: &previews,
            is_of_entry: facts.as_ref().is_some_and(|facts| shows_entry(&facts.operation))
                && touches.clone().any(|touch| self.cut.entries.contains(&touch.id)),
            before,
            after: delta,
            renamed: &|id| self.renamed(id),
            parents: &raw.parents,
        };
        let message = message::rewrite(&raw.message, self.cut, &around);
        let parents: Vec<ObjectId> = raw.parents.iter().map(|one| self.renamed(one).unwrap_or(*one)).collect();
        let mut new = id;
        if self.cut.is_in(message.as_deref().unwrap_or(&raw.message)) {
            self.leave(id, None, String::new());
        }
        if self.cut.is_in(&raw.headers) {
            self.leave(id, None, AUTHOR.to_owned());
        }
        if tree != raw.tree || parents != raw.parents || message.is_some() {
            self.unsigned += u64::from(raw.is_signed);
            let message = message.unwrap_or_else(|| raw.message.clone());
            new = self.rewrite.put_commit(&RawCommit { tree, parents, ..raw }, &message)?;
            self.changed.push((id, new));
        }
        self.commits.insert(id, new);
        self.deltas.insert(id, delta);
        Ok(())
    }

    /// Finds out by how much the summaries of a compression stand for another number of tokens.
    fn find_replaced(&mut self, id: &ObjectId, raw: &RawCommit, facts: &Facts) -> Result<(), OpError> {
        let repo = &self.workspace.repo;
        let Some(parent) = raw.parents.first() else { return Ok(()) };
        let (Ok(commit), Ok(parent)) = (repo.read_commit(id), repo.read_commit(parent)) else { return Ok(()) };
        let mut before: Option<HashMap<EntryId, ObjectId>> = None;
        for touch in facts.entries.iter().filter(|touch| touch.kind == TouchKind::Added) {
            let gone = replaced_by(&commit, touch.id);
            if !gone.iter().any(|id| self.previews.contains_key(id)) {
                continue;
            }
            let Some(Entry { meta: Some(meta), .. }) = repo.find_entry(&commit, touch.id)? else { continue };
            if before.is_none() {
                let entries = repo.read_entries(&parent)?.into_iter();
                before = Some(entries.map(|entry| (entry.id, entry.body)).collect());
            }
            let bodies = before.as_ref().expect("read above");
            let change = |id: &EntryId| self.entries.get(&(*id, *bodies.get(id)?)).copied();
            let sum: i64 = gone.iter().filter_map(change).sum();
            if sum != 0 {
                self.replaced.insert((touch.id, meta), sum);
            }
        }
        Ok(())
    }

    /// Returns the encoding in which a context's tokens are counted; `None` if the tree is no context.
    fn encoding_of(&mut self, tree: ObjectId) -> Result<Option<Encoding>, OpError> {
        let rows = self.workspace.repo.read_raw_tree(&tree)?;
        let Some(row) = rows.iter().find(|row| row.name == MANIFEST_NAME && row.kind == RowKind::Blob) else {
            return Ok(None);
        };
        if let Some(known) = self.encodings.get(&row.id) {
            return Ok(Some(*known));
        }
        let encoding = Workspace::encoding(&self.workspace.repo.read_manifest(&row.id)?);
        self.encodings.insert(row.id, encoding);
        Ok(Some(encoding))
    }

    fn tree(
        &mut self,
        commit: ObjectId,
        tree: ObjectId,
        encoding: Encoding,
        folder: &str,
        depth: usize,
    ) -> Result<(ObjectId, i64), OpError> {
        if let Some(known) = self.trees.get(&(tree, encoding)) {
            return Ok(*known);
        }
        if depth > DEPTH {
            let reason = "folders are nested too deeply".to_owned();
            return Err(StoreError::Object { id: tree, reason }.into());
        }
        let rows = self.workspace.repo.read_raw_tree(&tree)?;
        let (mut new, mut delta) = (Vec::with_capacity(rows.len()), 0);
        for row in &rows {
            let changed = match row.kind {
                RowKind::Tree => {
                    let below = format!("{folder}{}/", String::from_utf8_lossy(&row.name));
                    let (id, more) = self.tree(commit, row.id, encoding, &below, depth + 1)?;
                    delta += more;
                    RawRow { id, ..row.clone() }
                }
                RowKind::Blob => {
                    let (changed, more) = self.file(commit, row, encoding, folder)?;
                    delta += more;
                    changed
                }
            };
            new.push(changed);
        }
        let id = if new == rows { tree } else { self.rewrite.put_tree(&tree, &new)? };
        self.trees.insert((tree, encoding), (id, delta));
        Ok((id, delta))
    }

    fn file(
        &mut self,
        commit: ObjectId,
        row: &RawRow,
        encoding: Encoding,
        folder: &str,
    ) -> Result<(RawRow, i64), OpError> {
        let path = || format!("{folder}{}", String::from_utf8_lossy(&row.name));
        match decode_name(&row.name, row.id) {
            Ok(Named::Entry(entry)) => {
                let is_json = entry.kind == BodyKind::Json;
                let id = self.blob(commit, row.id, Some((&entry, encoding)), is_json, path)?;
                if id == row.id {
                    return Ok((row.clone(), 0));
                }
                let counted = self.counts.get(&(id, is_json, encoding)).copied();
                let tokens = counted.filter(|_| entry.role.is_sent()).unwrap_or(entry.tokens);
                let delta = tokens.cast_signed() - entry.tokens.cast_signed();
                self.entries.insert((entry.id, row.id), delta);
                let mut name = Vec::new();
                encode_entry_name(&Entry { tokens, ..entry }, &mut name);
                Ok((RawRow { name, id, ..row.clone() }, delta))
            }
            Ok(Named::Meta { id: entry, .. }) => {
                let mut id = self.blob(commit, row.id, None, true, path)?;
                let change = self.replaced.get(&(entry, row.id)).copied();
                if change.is_some() || self.cut.entries.contains(&entry) {
                    id = self.meta(row.id, id, entry, change)?;
                }
                Ok((RawRow { id, ..row.clone() }, 0))
            }
            // The format itself.
            Err(_) if row.name == MANIFEST_NAME => Ok((row.clone(), 0)),
            Err(_) => {
                let id = self.blob(commit, row.id, None, row.name.ends_with(b".json"), path)?;
                Ok((RawRow { id, ..row.clone() }, 0))
            }
        }
    }

    /// Makes metadata anew that counts another number of tokens, or is of an entry that goes as a whole.
    fn meta(&mut self, old: ObjectId, new: ObjectId, entry: EntryId, change: Option<i64>) -> Result<ObjectId, OpError> {
        let bytes = self.workspace.repo.read_blob(&old)?;
        let cut = self.cut.file(None, true, &bytes, &[]);
        let mut meta = Meta::decode(cut.as_ref().map_or(&bytes, |cut| cut.as_inner()))?;
        let mut is_changed = false;
        if let (Some(replaces), Some(change)) = (&mut meta.replaces, change) {
            replaces.tokens = replaces.tokens.saturating_add_signed(change);
            is_changed = true;
        }
        if let Some(decision) = meta.decision.as_mut().filter(|_| self.cut.entries.contains(&entry))
            && let Some(marker) = self.cut.whole_line(decision)
        {
            *decision = marker;
            is_changed = true;
        }
        Ok(if is_changed { self.rewrite.put_meta(&meta)? } else { new })
    }

    /// Takes out of a file what is to go, once.
    fn blob(
        &mut self,
        commit: ObjectId,
        id: ObjectId,
        entry: Option<(&Entry, Encoding)>,
        is_json: bool,
        path: impl Fn() -> String,
    ) -> Result<ObjectId, OpError> {
        let whole = entry.is_some_and(|(entry, _)| self.cut.entries.contains(&entry.id));
        let key = (id, is_json, whole);
        let known = self.blobs.get(&key).copied();
        // The same words of another entry begin it too, and may be sent where they were not before.
        let is_told = known.is_some_and(|new| {
            entry.is_none_or(|(entry, encoding)| {
                self.previews.contains_key(&entry.id) && self.counts.contains_key(&(new, is_json, encoding))
            })
        });
        if let Some(known) = known.filter(|new| *new == id || is_told) {
            return Ok(known);
        }
        let bytes = self.workspace.repo.read_blob(&id)?;
        let renamed = self.originals.renamed(&bytes);
        let cut = self.cut.file(entry.map(|(entry, _)| entry.id), is_json, &bytes, &renamed);
        let now = cut.as_ref().map_or(bytes.as_slice(), |cut| cut.as_inner());
        if self.cut.is_in(now) {
            self.leave(commit, entry.map(|(entry, _)| entry.id), path());
        }
        let new = match &cut {
            Some(cut) if cut.as_inner() != &bytes => {
                if let Some((entry, _)) = entry {
                    let both = (preview_body(&entry.kind, &bytes), preview_body(&entry.kind, now));
                    self.previews.entry(entry.id).or_default().push(both);
                }
                self.bodies += u64::from(known.is_none());
                self.rewrite.put_blob(cut)?
            }
            _ => id,
        };
        if let Some((entry, encoding)) = entry.filter(|_| new != id) {
            // As if it were sent: the same words may be, elsewhere.
            let count = count_entry(encoding, &Role::User, &entry.kind, now);
            self.counts.insert((new, is_json, encoding), count);
            self.originals.add(id, new, count.cast_signed() - entry.tokens.cast_signed());
        }
        self.blobs.insert(key, new);
        Ok(new)
    }

    fn leave(&mut self, commit: ObjectId, entry: Option<EntryId>, path: String) {
        if self.left.len() < LEFT_MAX {
            self.left.push(Left { commit, entry, path });
        }
    }
}

/// Tells whether the subject of a commit shows the beginning of an entry.
fn shows_entry(operation: &Operation) -> bool {
    !matches!(operation, Operation::Compress | Operation::Restore | Operation::Merge)
}

/// Finds the whole ids of objects that a message names.
fn named(message: &[u8]) -> Vec<ObjectId> {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let words = message.split(|byte| !is_digit(byte)).filter(|word| word.len() >= 40);
    words.filter_map(|word| std::str::from_utf8(word).ok()?.parse().ok()).collect()
}
