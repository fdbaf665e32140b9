//! Commits of the user's code: what each changes, read without git's help and without fetching anything.

use std::cmp::Ordering;
use std::ops::Range;

use gix::diff::blob::{Algorithm, InternedInput, diff_with_slider_heuristics};
use gix::objs::Kind;
use gix::objs::tree::name_order;

use super::object::{from_gix, to_gix};
use super::{Repo, StoreError};
use crate::codec::one_line;
use crate::model::ObjectId;

/// Bytes at the beginning of a file in which a NUL says that it is no text, as in git.
const SNIFFED: usize = 8000;

/// Longest subject that is kept, in characters.
const SUBJECT_MAX: usize = 200;

/// How deep folders may be nested.
const DEPTH_MAX: usize = 200;

/// Most pairs of files that are compared to find out whether one was renamed.
const PAIRS_MAX: usize = 2500;

/// Says how much of a commit is looked at.
#[derive(Debug, Clone, Copy)]
pub struct CodeLimits {
    /// Most files.
    pub files: usize,
    /// The largest file, in bytes.
    pub file_bytes: u64,
    /// The most bytes of all files together.
    pub bytes: u64,
}

/// Holds a commit of the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeCommit {
    /// Its id.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// The commits before it.
    pub parents: Vec<ObjectId>,
    /// When it was written first, in seconds.
    pub authored: i64,
    /// When it was made, in seconds.
    pub committed: i64,
    /// Who wrote it.
    pub author: String,
    /// First line of its message.
    pub subject: String,
    /// Whether a shallow clone left its parents out, so that nobody can tell what it changes.
    pub is_cut: bool,
}

/// Says what a commit changes.
#[derive(Debug, Clone, Default)]
pub struct CodeChanges {
    /// The files, by path.
    pub files: Vec<CodeFile>,
    /// Whether these are all, and none was too large to be looked into.
    pub is_complete: bool,
}

/// Holds a file that a commit changes.
#[derive(Debug, Clone, Default)]
pub struct CodeFile {
    /// Its path, below the root of the work tree.
    pub path: String,
    /// The path that it had before, if it was renamed.
    pub old_path: Option<String>,
    /// The objects before and after, as text, for what is no text.
    pub contents: String,
    /// Its text before; `None` if it was not there, or is no text.
    pub old: Option<String>,
    /// Its text after.
    pub new: Option<String>,
    /// Ranges of new lines, from 0.
    pub added: Vec<Range<usize>>,
    /// Ranges of old lines, from 0.
    pub removed: Vec<Range<usize>>,
}

/// A file that two trees disagree about.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    pub(super) path: String,
    pub(super) old_path: Option<String>,
    pub(super) old: Option<ObjectId>,
    pub(super) new: Option<ObjectId>,
}

impl Repo {
    /// Reads a commit of the code.
    ///
    /// # Errors
    /// When it cannot be read, or is no commit.
    pub fn read_code_commit(&self, id: &ObjectId) -> Result<CodeCommit, StoreError> {
        let broken = |reason: &str| StoreError::Object { id: *id, reason: reason.to_owned() };
        let (kind, bytes) = self.read_any(id)?;
        if kind != Kind::Commit {
            return Err(broken("it is no commit"));
        }
        let commit =
            gix::objs::CommitRef::from_bytes(&bytes, self.gix_kind()).map_err(|_| broken("a malformed commit"))?;
        let seconds = |raw: &gix::bstr::BStr| {
            let who = gix::actor::SignatureRef::from_bytes(raw).map_err(|_| broken("a malformed author"))?;
            let seconds = who.time().map_err(|_| broken("a malformed time"))?.seconds;
            Ok::<_, StoreError>((who.name.to_string(), seconds))
        };
        let ((author, authored), (_, committed)) = (seconds(commit.author)?, seconds(commit.committer)?);
        let message = String::from_utf8_lossy(commit.message);
        Ok(CodeCommit {
            id: *id,
            tree: from_gix(&commit.tree()),
            parents: commit.parents().map(|parent| from_gix(&parent)).collect(),
            authored,
            committed,
            author,
            subject: one_line(message.lines().next().unwrap_or_default(), SUBJECT_MAX),
            is_cut: self.shallow.contains(id),
        })
    }

    /// Compares a commit with its first parent; a line that a merge took from another parent is not its own.
    ///
    /// Files that a partial clone left out, and those beyond the limits, are left out. Nothing is read, and nothing
    /// returned, unless one of them is `wanted`, by its path, the path before, and whether it is new.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn code_changes(
        &self,
        commit: &CodeCommit,
        limits: &CodeLimits,
        wanted: &dyn Fn(&str, Option<&str>, bool) -> bool,
    ) -> Result<CodeChanges, StoreError> {
        if commit.is_cut {
            return Ok(CodeChanges::default());
        }
        let trees = commit.parents.iter().map(|id| Ok(self.read_code_commit(id)?.tree));
        let trees: Vec<ObjectId> = trees.collect::<Result<_, StoreError>>()?;
        let mut found = Vec::new();
        let all =
            self.compare(trees.first().copied(), Some(commit.tree), String::new(), 0, limits.files, &mut found)?;
        // A file that came may be one that went: whichever of the two is wanted, both are.
        if !found.iter().any(|file| wanted(&file.path, file.old_path.as_deref(), file.old.is_none())) {
            return Ok(CodeChanges::default());
        }
        let mut changes = self.read_changes(found, limits);
        changes.is_complete &= all;
        for tree in trees.iter().skip(1) {
            for file in &mut changes.files {
                let other = self.find_in_tree(tree, &file.path)?.and_then(|id| self.read_text(&id, limits));
                if let (Some(other), Some(new)) = (other, &file.new) {
                    let (_, added) = lines_between(&other, new);
                    file.added = common(&file.added, &added);
                }
            }
        }
        Ok(changes)
    }

    /// Reads a file of a commit of the code as text; `None` if it is not there, or is no text.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn code_file(
        &self,
        commit: &CodeCommit,
        path: &str,
        limits: &CodeLimits,
    ) -> Result<Option<String>, StoreError> {
        Ok(self.find_in_tree(&commit.tree, path)?.and_then(|id| self.read_text(&id, limits)))
    }

    /// Tells whether a commit of the code has a file.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn has_code_file(&self, commit: &CodeCommit, path: &str) -> Result<bool, StoreError> {
        Ok(self.find_in_tree(&commit.tree, path)?.is_some())
    }

    /// Reads what changed files hold, finds renames and compares their lines.
    pub(super) fn read_changes(&self, found: Vec<Changed>, limits: &CodeLimits) -> CodeChanges {
        let mut changes = CodeChanges { files: Vec::new(), is_complete: true };
        let mut left = limits.bytes;
        for changed in self.renamed(found, limits) {
            let name = |id: Option<ObjectId>| id.map(|id| id.to_string()).unwrap_or_default();
            let mut file = CodeFile {
                contents: format!("{} {}", name(changed.old), name(changed.new)),
                path: changed.path,
                old_path: changed.old_path,
                ..CodeFile::default()
            };
            file.old = changed.old.and_then(|id| self.read_text(&id, limits));
            file.new = changed.new.and_then(|id| self.read_text(&id, limits));
            let size = [&file.old, &file.new].into_iter().flatten().map(|text| text.len() as u64).sum::<u64>();
            if size > left || (changed.new.is_some() && file.new.is_none()) {
                (file.old, file.new, changes.is_complete) = (None, None, false);
            } else {
                left -= size;
                let (old, new) = (file.old.as_deref().unwrap_or_default(), file.new.as_deref().unwrap_or_default());
                (file.removed, file.added) = lines_between(old, new);
            }
            changes.files.push(file);
        }
        changes.files.sort_by(|one, other| one.path.cmp(&other.path));
        changes
    }

    fn read_text(&self, id: &ObjectId, limits: &CodeLimits) -> Option<String> {
        use gix::prelude::Header;
        let size = self.git.objects.try_header(&to_gix(id)).ok().flatten().map(|header| header.size());
        if size.is_some_and(|size| size > limits.file_bytes) {
            return None;
        }
        let bytes = self.read_blob(id).ok().filter(|bytes| bytes.len() as u64 <= limits.file_bytes)?;
        let is_text = !bytes.iter().take(SNIFFED).any(|byte| *byte == 0);
        is_text.then(|| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Lists the files that two trees disagree about; tells whether these are all.
    pub(super) fn compare(
        &self,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
        folder: String,
        depth: usize,
        most: usize,
        found: &mut Vec<Changed>,
    ) -> Result<bool, StoreError> {
        if old == new || depth > DEPTH_MAX {
            return Ok(old == new);
        }
        let (old, new) = (self.read_rows(old)?, self.read_rows(new)?);
        let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
        let mut all = true;
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return Ok(all),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => name_order(&old.name, old.is_tree, &new.name, new.is_tree),
            };
            let old = if order.is_le() { old.next() } else { None };
            let new = if order.is_ge() { new.next() } else { None };
            let (Some(row), same) = (new.as_ref().or(old.as_ref()), old == new) else { continue };
            if same {
                continue;
            }
            if found.len() >= most {
                return Ok(false);
            }
            let Ok(name) = std::str::from_utf8(&row.name) else { continue };
            let path = format!("{folder}{name}");
            let ids = (old.as_ref().map(|row| row.id), new.as_ref().map(|row| row.id));
            if row.is_tree {
                all &= self.compare(ids.0, ids.1, format!("{path}/"), depth + 1, most, found)?;
            } else if ids.0 != ids.1 {
                found.push(Changed { path, old_path: None, old: ids.0, new: ids.1 });
            }
        }
    }

    /// Reads the files and folders of a tree; links and submodules are neither.
    fn read_rows(&self, id: Option<ObjectId>) -> Result<Vec<TreeRow>, StoreError> {
        let Some(id) = id else { return Ok(Vec::new()) };
        let bytes = self.read_tree_bytes(&id)?;
        let mut rows = Vec::new();
        for entry in gix::objs::TreeRefIter::from_bytes(&bytes, self.gix_kind()) {
            let entry = entry.map_err(|_| StoreError::Object { id, reason: "a malformed tree".to_owned() })?;
            if entry.mode.is_blob() || entry.mode.is_tree() {
                let (name, is_tree) = (entry.filename.to_vec(), entry.mode.is_tree());
                rows.push(TreeRow { name, is_tree, id: from_gix(entry.oid) });
            }
        }
        Ok(rows)
    }

    fn find_in_tree(&self, tree: &ObjectId, path: &str) -> Result<Option<ObjectId>, StoreError> {
        let mut id = *tree;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let wants_tree = parts.peek().is_some();
            let rows = self.read_rows(Some(id))?;
            let row = rows.into_iter().find(|row| row.name == part.as_bytes() && row.is_tree == wants_tree);
            match row {
                Some(row) => id = row.id,
                None => return Ok(None),
            }
        }
        Ok(Some(id))
    }

    /// Joins a file that went and one that came where most of their lines are the same, as git does by default.
    fn renamed(&self, found: Vec<Changed>, limits: &CodeLimits) -> Vec<Changed> {
        let (mut gone, rest): (Vec<Changed>, Vec<Changed>) = found.into_iter().partition(|file| file.new.is_none());
        let (come, mut rest): (Vec<Changed>, Vec<Changed>) = rest.into_iter().partition(|file| file.old.is_none());
        let mut lone = Vec::new();
        for mut file in come {
            match gone.iter().position(|old| old.old == file.new) {
                Some(at) => {
                    let old = gone.swap_remove(at);
                    (file.old_path, file.old) = (Some(old.path), old.old);
                    rest.push(file);
                }
                None => lone.push(file),
            }
        }
        if lone.len() * gone.len() > PAIRS_MAX {
            rest.extend(lone);
            rest.extend(gone);
            return rest;
        }
        let text = |id: Option<ObjectId>| id.and_then(|id| self.read_text(&id, limits)).unwrap_or_default();
        let mut old_texts: Vec<String> = gone.iter().map(|file| text(file.old)).collect();
        for mut file in lone {
            let new = if gone.is_empty() { String::new() } else { text(file.new) };
            let scored = old_texts.iter().enumerate().map(|(at, old)| (similarity(old, &new), at));
            match scored.max_by_key(|(score, at)| (*score, std::cmp::Reverse(*at))).filter(|(score, _)| *score >= 50) {
                Some((_, at)) => {
                    let old = gone.swap_remove(at);
                    old_texts.swap_remove(at);
                    (file.old_path, file.old) = (Some(old.path), old.old);
                    rest.push(file);
                }
                None => rest.push(file),
            }
        }
        rest.extend(gone);
        rest
    }
}

#[derive(Debug, PartialEq, Eq)]
struct TreeRow {
    name: Vec<u8>,
    is_tree: bool,
    id: ObjectId,
}

/// Compares two texts as `git diff` does; returns the ranges of lines that only the old one has, and only the new one.
pub fn lines_between(old: &str, new: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let input = InternedInput::new(old.as_bytes(), new.as_bytes());
    let diff = diff_with_slider_heuristics(Algorithm::Myers, &input);
    let range = |range: Range<u32>| range.start as usize..range.end as usize;
    let hunks: Vec<_> = diff.hunks().map(|hunk| (range(hunk.before), range(hunk.after))).collect();
    let filled = |ranges: Vec<Range<usize>>| ranges.into_iter().filter(|range| !range.is_empty()).collect();
    let (removed, added): (Vec<_>, Vec<_>) = hunks.into_iter().unzip();
    (filled(removed), filled(added))
}

/// Returns what two lists of ranges have in common.
fn common(one: &[Range<usize>], other: &[Range<usize>]) -> Vec<Range<usize>> {
    let cut = |a: &Range<usize>, b: &Range<usize>| a.start.max(b.start)..a.end.min(b.end);
    let pairs = one.iter().flat_map(|a| other.iter().map(move |b| cut(a, b)));
    pairs.filter(|range| !range.is_empty()).collect()
}

/// Returns how much of the larger text is in the other one too, in percent of bytes.
fn similarity(old: &str, new: &str) -> usize {
    let mut lines: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    old.lines().for_each(|line| *lines.entry(line).or_default() += 1);
    let mut same = 0;
    for line in new.lines() {
        if let Some(count) = lines.get_mut(line).filter(|count| **count > 0) {
            *count -= 1;
            same += line.len() + 1;
        }
    }
    same * 100 / old.len().max(new.len()).max(1)
}
