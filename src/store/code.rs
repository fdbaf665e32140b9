//! Commits of the user's code: what each changes, read without git's help and without fetching anything.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::ops::Range;
use std::time::Instant;

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
    /// When to give up.
    pub until: Option<Instant>,
}

impl CodeLimits {
    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
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
    /// Whether the limits are why some are left out.
    pub is_cut_short: bool,
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
    /// returned, unless one of them is `wanted`, by its path, the path before, and whether it is new. A file is taken for a
    /// changed one of another name where one of the two names is `known`.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn code_changes(
        &self,
        commit: &CodeCommit,
        limits: &CodeLimits,
        wanted: &dyn Fn(&str, Option<&str>, bool) -> bool,
        known: &dyn Fn(&str) -> bool,
    ) -> Result<CodeChanges, StoreError> {
        if commit.is_cut {
            return Ok(CodeChanges::default());
        }
        let trees = commit.parents.iter().map(|id| Ok(self.read_code_commit(id)?.tree));
        let trees: Vec<ObjectId> = trees.collect::<Result<_, StoreError>>()?;
        let mut found = Vec::new();
        let all = self.compare(trees.first().copied(), Some(commit.tree), String::new(), 0, limits, &mut found)?;
        // A file that came may be one that went: whichever of the two is wanted, both are.
        if !found.iter().any(|file| wanted(&file.path, file.old_path.as_deref(), file.old.is_none())) {
            return Ok(CodeChanges { is_cut_short: !all, ..CodeChanges::default() });
        }
        let mut changes = self.read_changes(found, limits, known);
        changes.is_complete &= all;
        changes.is_cut_short |= !all;
        for tree in trees.iter().skip(1) {
            for file in &mut changes.files {
                let other = self.find_in_tree(tree, &file.path)?.map(|id| self.read_file(&id, limits));
                match (other, &file.new) {
                    (Some(Content::Text(other)), Some(new)) => {
                        let (_, added) = lines_between(&other, new);
                        file.added = common(&file.added, &added);
                    }
                    // Any of its lines may be from there.
                    (Some(Content::Unread { is_large }), _) => {
                        file.added.clear();
                        (changes.is_complete, changes.is_cut_short) = (false, changes.is_cut_short | is_large);
                    }
                    _ => {}
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
        Ok(self.find_in_tree(&commit.tree, path)?.and_then(|id| self.read_file(&id, limits).text()))
    }

    /// Tells whether a commit of the code has a file.
    ///
    /// # Errors
    /// When a tree cannot be read.
    pub fn has_code_file(&self, commit: &CodeCommit, path: &str) -> Result<bool, StoreError> {
        Ok(self.find_in_tree(&commit.tree, path)?.is_some())
    }

    /// Reads what changed files hold, finds renames of those that are wanted, and compares their lines.
    pub(super) fn read_changes(
        &self,
        found: Vec<Changed>,
        limits: &CodeLimits,
        wanted: &dyn Fn(&str) -> bool,
    ) -> CodeChanges {
        let mut changes = CodeChanges { is_complete: true, ..CodeChanges::default() };
        let mut left = limits.bytes;
        for changed in self.renamed(found, limits, wanted, &mut left) {
            let name = |id: Option<ObjectId>| id.map(|id| id.to_string()).unwrap_or_default();
            let mut file = CodeFile {
                contents: format!("{} {}", name(changed.old), name(changed.new)),
                path: changed.path,
                old_path: changed.old_path,
                ..CodeFile::default()
            };
            let read = |id: Option<ObjectId>| match id {
                _ if limits.is_over() => Content::Unread { is_large: true },
                Some(id) => self.read_file(&id, limits),
                None => Content::Text(String::new()),
            };
            match (read(changed.old), read(changed.new)) {
                (Content::Text(old), Content::Text(new)) if (old.len() + new.len()) as u64 <= left => {
                    left -= (old.len() + new.len()) as u64;
                    (file.removed, file.added) = lines_between(&old, &new);
                    (file.old, file.new) = (changed.old.map(|_| old), changed.new.map(|_| new));
                }
                (Content::Unread { is_large }, _) | (_, Content::Unread { is_large }) => {
                    changes.is_complete = false;
                    changes.is_cut_short |= is_large;
                }
                (Content::Text(_), Content::Text(_)) => (changes.is_complete, changes.is_cut_short) = (false, true),
                // What is no text is known by the names of its contents.
                (Content::Binary, _) | (_, Content::Binary) => {}
            }
            changes.files.push(file);
        }
        changes.files.sort_by(|one, other| one.path.cmp(&other.path));
        changes
    }

    /// Returns the size of a file, if it is here.
    fn file_size(&self, id: &ObjectId) -> Option<u64> {
        use gix::prelude::Header;
        self.git.objects.try_header(&to_gix(id)).ok().flatten().map(|header| header.size())
    }

    fn read_file(&self, id: &ObjectId, limits: &CodeLimits) -> Content {
        let is_large = |size: u64| size > limits.file_bytes;
        if self.file_size(id).is_some_and(is_large) {
            return Content::Unread { is_large: true };
        }
        match self.read_blob(id) {
            Ok(bytes) if is_large(bytes.len() as u64) => Content::Unread { is_large: true },
            Ok(bytes) if bytes.iter().take(SNIFFED).any(|byte| *byte == 0) => Content::Binary,
            Ok(bytes) => Content::Text(String::from_utf8_lossy(&bytes).into_owned()),
            Err(_) => Content::Unread { is_large: false },
        }
    }

    /// Lists the files that two trees disagree about; tells whether these are all.
    pub(super) fn compare(
        &self,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
        folder: String,
        depth: usize,
        limits: &CodeLimits,
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
            if found.len() >= limits.files || limits.is_over() {
                return Ok(false);
            }
            let Ok(name) = std::str::from_utf8(&row.name) else { continue };
            let path = format!("{folder}{name}");
            let ids = (old.as_ref().map(|row| row.id), new.as_ref().map(|row| row.id));
            if row.is_tree {
                all &= self.compare(ids.0, ids.1, format!("{path}/"), depth + 1, limits, found)?;
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
    fn renamed(
        &self,
        found: Vec<Changed>,
        limits: &CodeLimits,
        wanted: &dyn Fn(&str) -> bool,
        left: &mut u64,
    ) -> Vec<Changed> {
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
        let is_wanted = |file: &Changed| wanted(&file.path);
        let (any_lone, any_gone) = (lone.iter().any(is_wanted), gone.iter().any(is_wanted));
        if lone.len() * gone.len() > PAIRS_MAX || !(any_lone || any_gone) {
            rest.extend(lone);
            rest.extend(gone);
            return rest;
        }
        let size = |id: Option<ObjectId>| id.and_then(|id| self.file_size(&id)).unwrap_or_default();
        // Each text is read once, and only where one of like size stands on the other side.
        let mut sketch = |id: Option<ObjectId>, size: u64| {
            if size > *left || limits.is_over() {
                return Sketch::default();
            }
            *left -= size;
            id.and_then(|id| self.read_file(&id, limits).text()).map(|text| Sketch::of(&text)).unwrap_or_default()
        };
        let mut olds: Vec<(u64, bool, Option<Sketch>)> =
            gone.iter().map(|file| (size(file.old), is_wanted(file), None)).collect();
        for mut file in lone {
            let (new_size, new_wanted) = (size(file.new), is_wanted(&file));
            let mut new = None;
            let mut best: Option<(usize, usize)> = None;
            for (at, (old_size, old_wanted, old)) in olds.iter_mut().enumerate() {
                let is_like = new_size.min(*old_size) * 2 >= new_size.max(*old_size);
                if !is_like || !(new_wanted || *old_wanted) {
                    continue;
                }
                let new = new.get_or_insert_with(|| sketch(file.new, new_size));
                let old = old.get_or_insert_with(|| sketch(gone[at].old, *old_size));
                let score = old.similarity(new);
                if score >= 50 && best.is_none_or(|(known, _)| score > known) {
                    best = Some((score, at));
                }
            }
            if let Some((_, at)) = best {
                let old = gone.swap_remove(at);
                olds.swap_remove(at);
                (file.old_path, file.old) = (Some(old.path), old.old);
            }
            rest.push(file);
        }
        rest.extend(gone);
        rest
    }
}

/// What a file holds.
enum Content {
    Text(String),
    /// What is no text.
    Binary,
    /// It is too large, or not here.
    Unread {
        is_large: bool,
    },
}

impl Content {
    fn text(self) -> Option<String> {
        match self {
            Content::Text(text) => Some(text),
            Content::Binary | Content::Unread { .. } => None,
        }
    }
}

/// The lines of a text by their hashes, to compare it with many others.
#[derive(Default)]
struct Sketch {
    bytes: usize,
    /// How often each line stands in it, and how long it is.
    lines: HashMap<u64, (usize, usize)>,
}

impl Sketch {
    fn of(text: &str) -> Self {
        let mut lines: HashMap<u64, (usize, usize)> = HashMap::new();
        for line in text.lines() {
            let mut hasher = DefaultHasher::new();
            hasher.write(line.as_bytes());
            lines.entry(hasher.finish()).or_insert((0, line.len() + 1)).0 += 1;
        }
        Sketch { bytes: text.len(), lines }
    }

    /// Returns how much of the larger text is in the other one too, in percent of bytes.
    fn similarity(&self, other: &Sketch) -> usize {
        let shared =
            self.lines.iter().filter_map(|(line, (count, len))| Some((*count).min(other.lines.get(line)?.0) * len));
        shared.sum::<usize>() * 100 / self.bytes.max(other.bytes).max(1)
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
