//! The index of the links: a tree of small files under `refs/trace/meta/<writer>`, two folders deep.
//!
//! ```text
//! code/ab/cdef…     by the commit's id
//! patch/12/3456…    by what it changes
//! ```
//!
//! Each writer, that is each clone, has a ref of its own, so that nobody's push is refused; readers look at all of them.

use std::collections::BTreeMap;

use gix::objs::Kind;

use super::lock::Guard;
use super::ref_file::signature;
use super::refs::{Expected, RefEdit, RefValue};
use super::sink::Sink;
use super::{Repo, StoreError};
use crate::codec::{RowKind, one_line, rows, write_row};
use crate::model::{ObjectId, Person};

/// The largest file of the index that is read, in bytes.
pub const META_FILE_MAX: u64 = 8 << 20;

/// A file's path: a folder, and a name in hexadecimal digits, whose first two are a folder too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetaPath {
    folder: &'static str,
    name: String,
}

impl MetaPath {
    /// The file about a commit of the code.
    pub fn of_commit(id: &ObjectId) -> Self {
        MetaPath { folder: "code", name: id.to_string() }
    }

    /// The file of this path in an index; `None` for what is none of ours.
    pub fn of_file(path: &str) -> Option<Self> {
        let mut parts = path.split('/');
        let (folder, first, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let folder = ["code", "patch"].into_iter().find(|known| *known == folder)?;
        let name = format!("{first}{rest}");
        let is_plain = first.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_plain && parts.next().is_none()).then_some(MetaPath { folder, name })
    }

    /// The file about a change, whatever it stands on; the name is in hexadecimal digits.
    pub fn of_patch(name: &str) -> Self {
        MetaPath { folder: "patch", name: name.to_owned() }
    }
}

/// Says how long to wait for other writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// As long as is configured.
    Whole,
    /// A moment: the user waits for another command.
    Short,
}

/// Says what a new commit of an index stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// What was there.
    Grow,
    /// None of the files, all of the history.
    Anew,
    /// Nothing at all.
    Unborn,
}

/// What is to become of files: their bytes, or `None` for those that go.
pub type MetaEdits = BTreeMap<MetaPath, Option<Vec<u8>>>;

/// A file's path, part by part, and what is to become of it.
type Edit = (Vec<String>, Option<Vec<u8>>);

impl Repo {
    /// Returns the ref of a writer's index.
    pub fn meta_ref(&self, writer: &str) -> String {
        format!("{}/meta/{writer}", self.settings.ref_prefix)
    }

    /// Lists the indexes: this repository's, and those of others that were fetched.
    ///
    /// # Errors
    /// When the refs cannot be read.
    pub fn meta_refs(&self) -> Result<Vec<(String, ObjectId)>, StoreError> {
        let prefix = &self.settings.ref_prefix;
        let mut found = self.list_refs(&format!("{prefix}/meta/"))?;
        found.extend(self.list_refs(&format!("{prefix}/remote-meta/"))?);
        Ok(found)
    }

    /// Reads a file of the index at this commit.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_meta_file(&self, index: &ObjectId, path: &MetaPath) -> Result<Option<Vec<u8>>, StoreError> {
        let mut tree = self.read_code_commit(index)?.tree;
        let Some((first, rest)) = path.name.split_at_checked(2) else { return Ok(None) };
        for (nth, part) in [path.folder, first, rest].into_iter().enumerate() {
            let bytes = self.read_tree_bytes(&tree)?;
            let wanted = if nth == 2 { RowKind::Blob } else { RowKind::Tree };
            let row = rows(&bytes, self.kind).filter_map(Result::ok);
            match row.into_iter().find(|row| row.kind == wanted && row.name == part.as_bytes()) {
                Some(row) => tree = row.id,
                None => return Ok(None),
            }
        }
        let bytes = self.read_blob(&tree)?;
        Ok((bytes.len() as u64 <= META_FILE_MAX).then_some(bytes))
    }

    /// Changes a writer's index in one commit, or begins it anew with these files alone; `false` if somebody else writes
    /// for longer than one is ready to wait. However large the index is, a file costs a handful of objects.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn edit_meta(
        &self,
        name: &str,
        edits: MetaEdits,
        anew: bool,
        message: &str,
        patience: Patience,
        who: &Person,
    ) -> Result<bool, StoreError> {
        self.check_quarantine()?;
        let guard = match patience {
            Patience::Whole => self.lock()?,
            Patience::Short => {
                let mut guard = self.try_lock()?;
                for _ in 0..10 {
                    if guard.is_none() {
                        std::thread::sleep(std::time::Duration::from_millis(10));
                        guard = self.try_lock()?;
                    }
                }
                match guard {
                    Some(guard) => guard,
                    None => return Ok(false),
                }
            }
        };
        let base = if anew { Base::Anew } else { Base::Grow };
        self.write_meta(&guard, name, edits, base, message, patience, who)?;
        Ok(true)
    }

    /// Begins a writer's index anew, without a history, with these files alone; without any, it goes.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn begin_meta(&self, name: &str, edits: MetaEdits, message: &str, who: &Person) -> Result<(), StoreError> {
        let guard = self.lock()?;
        if !edits.is_empty() {
            return self.write_meta(&guard, name, edits, Base::Unborn, message, Patience::Whole, who);
        }
        let Some(old) = self.find_ref_id(name)? else { return Ok(()) };
        let edit =
            RefEdit { name: name.to_owned(), expected: Expected::Id(old), new: None, message: message.to_owned() };
        self.edit_refs(&guard, &[edit], who, self.durability(true))
    }

    /// Writes an index without a history, of these files alone.
    pub(super) fn draft_index(&self, sink: &mut Sink, files: MetaEdits, who: &Person) -> Result<ObjectId, StoreError> {
        let tree = match self.edit_tree(sink, None, parts(files))? {
            Some(tree) => tree,
            None => sink.put(self, Kind::Tree, &[], None)?,
        };
        let person = signature(who);
        let commit = format!("tree {tree}\nauthor {person}\ncommitter {person}\n\nbegin anew\n");
        sink.put(self, Kind::Commit, commit.as_bytes(), None)
    }

    #[expect(clippy::too_many_arguments, reason = "one place, two callers beside it")]
    fn write_meta(
        &self,
        guard: &Guard,
        name: &str,
        edits: MetaEdits,
        begins: Base,
        message: &str,
        patience: Patience,
        who: &Person,
    ) -> Result<(), StoreError> {
        let old = self.find_ref_id(name)?;
        let mut sink = Sink::Few(Vec::new());
        let base = match old.filter(|_| begins == Base::Grow) {
            Some(old) => Some(self.read_code_commit(&old)?.tree),
            None => None,
        };
        let tree = self.edit_tree(&mut sink, base, parts(edits))?;
        let tree = match tree {
            Some(tree) => tree,
            None => sink.put(self, Kind::Tree, &[], None)?,
        };
        if base == Some(tree) {
            return Ok(());
        }
        let mut commit = format!("tree {tree}\n");
        let parent = old.filter(|_| begins != Base::Unborn);
        parent.iter().for_each(|old| commit += &format!("parent {old}\n"));
        let person = signature(who);
        commit += &format!("author {person}\ncommitter {person}\n\n{}\n", one_line(message, 100));
        let new = sink.put(self, Kind::Commit, commit.as_bytes(), None)?;
        // It can be made again from the branches.
        let durability = self.durability(true);
        let mut flushed = sink.flush(self, guard, durability)?;
        let edit = RefEdit {
            name: name.to_owned(),
            expected: old.map_or(Expected::Absent, Expected::Id),
            new: Some(RefValue::Id(new)),
            message: format!("trace link: {}", one_line(message, 100)),
        };
        self.edit_refs(guard, &[edit], who, durability)?;
        flushed.release(self);
        match patience {
            Patience::Whole => self.tidy(guard, flushed),
            // Whoever has more time packs them.
            Patience::Short => self.note_written(&flushed),
        }
        Ok(())
    }

    /// Writes a tree with files changed in it; `None` if nothing is left.
    fn edit_tree(
        &self,
        sink: &mut Sink,
        base: Option<ObjectId>,
        files: Vec<Edit>,
    ) -> Result<Option<ObjectId>, StoreError> {
        let bytes = base.map(|id| self.read_tree_bytes(&id)).transpose()?.unwrap_or_default();
        // Names are of one kind each, and in digits: their order is that of their bytes.
        let mut known: BTreeMap<Vec<u8>, (RowKind, ObjectId)> = BTreeMap::new();
        for row in rows(&bytes, self.kind) {
            let row = row?;
            known.insert(row.name.to_vec(), (row.kind, row.id));
        }
        let mut below: BTreeMap<String, Vec<Edit>> = BTreeMap::new();
        for (mut path, bytes) in files {
            let name = path.remove(0);
            if !path.is_empty() {
                below.entry(name).or_default().push((path, bytes));
                continue;
            }
            match bytes {
                Some(bytes) => {
                    let id = sink.put(self, Kind::Blob, &bytes, None)?;
                    known.insert(name.into_bytes(), (RowKind::Blob, id));
                }
                None => drop(known.remove(name.as_bytes())),
            }
        }
        for (name, files) in below {
            let old = known.get(name.as_bytes()).filter(|(kind, _)| *kind == RowKind::Tree).map(|(_, id)| *id);
            match self.edit_tree(sink, old, files)? {
                Some(id) => drop(known.insert(name.into_bytes(), (RowKind::Tree, id))),
                None => drop(known.remove(name.as_bytes())),
            }
        }
        if known.is_empty() {
            return Ok(None);
        }
        let mut new = Vec::with_capacity(bytes.len() + 100);
        known.iter().for_each(|(name, (kind, id))| write_row(*kind, name, id, &mut new));
        Ok(Some(sink.put(self, Kind::Tree, &new, None)?))
    }
}

/// Takes the paths of files apart.
fn parts(files: MetaEdits) -> Vec<Edit> {
    let apart = |(path, bytes): (MetaPath, Option<Vec<u8>>)| {
        let (first, rest) = path.name.split_at_checked(2)?;
        Some((vec![path.folder.to_owned(), first.to_owned(), rest.to_owned()], bytes))
    };
    files.into_iter().filter_map(apart).collect()
}
