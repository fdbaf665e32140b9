//! What our logs alone hold, and our logs without what is to go.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::lock::Guard;
use super::refs::Backend;
use super::{Repo, StoreError, Walk, reftable};
use crate::model::{ObjectId, Person};

/// Says which lines go from logs.
pub(super) struct Strip<'a> {
    /// Those that name one of these.
    pub(super) gone: &'a HashSet<ObjectId>,
    /// Those whose words are such.
    pub(super) quotes: &'a dyn Fn(&[u8]) -> bool,
}

impl Repo {
    /// Lists the commits that no ref holds and our logs do, parents before children. What is not here any more is left
    /// out.
    ///
    /// # Errors
    /// When the refs or a log cannot be read.
    pub fn only_logged(&self) -> Result<Vec<ObjectId>, StoreError> {
        let held = self.here(self.held()?);
        let mut tips = self.here(self.all_logged()?);
        tips.sort_unstable();
        tips.dedup();
        if let Ok(mut found) = self.listed(Walk { tips: &tips, hidden: &held, first_parent: false }) {
            found.reverse();
            return Ok(found);
        }
        // Something is missing behind one of them: the others are found without it.
        let (mut found, mut known) = (Vec::new(), HashSet::new());
        for tip in tips {
            let own = self.listed(Walk { tips: &[tip], hidden: &held, first_parent: false }).unwrap_or_default();
            found.extend(own.into_iter().rev().filter(|id| known.insert(*id)));
        }
        Ok(found)
    }

    /// Lists what refs of ours name, those of all worktrees included.
    fn held(&self) -> Result<Vec<ObjectId>, StoreError> {
        let refs = self.list_refs(&format!("{}/", self.settings.ref_prefix))?;
        let mut held: Vec<ObjectId> = refs.into_iter().map(|(_, id)| id).collect();
        held.extend(self.worktree_ids()?);
        Ok(held)
    }

    /// Keeps the commits that can be read.
    pub(super) fn here(&self, ids: Vec<ObjectId>) -> Vec<ObjectId> {
        ids.into_iter().filter(|id| self.read_link(id).is_ok()).collect()
    }

    fn all_logged(&self) -> Result<Vec<ObjectId>, StoreError> {
        if self.refs == Backend::Reftable {
            return reftable::all_logged(self);
        }
        let mut found = Vec::new();
        for path in self.own_logs() {
            let bytes = fs::read(&path).map_err(StoreError::io("read", &path))?;
            found.extend(bytes.split(|byte| *byte == b'\n').flat_map(named));
        }
        found.retain(|id| id.as_bytes().iter().any(|byte| *byte != 0));
        Ok(found)
    }

    /// Takes the lines out of our own logs that name these commits, or what they are made of and no ref of ours nor one
    /// of `kept` holds, or whose words are such; returns how many.
    pub(super) fn strip_logs(
        &self,
        guard: &Guard,
        commits: &[ObjectId],
        kept: &[ObjectId],
        quotes: &dyn Fn(&[u8]) -> bool,
        who: &Person,
    ) -> Result<u64, StoreError> {
        let mut hidden = self.here(self.held()?);
        hidden.extend(self.here(kept.to_vec()));
        let tips = self.here(commits.to_vec());
        let gone: HashSet<ObjectId> =
            self.listed(Walk { tips: &tips, hidden: &hidden, first_parent: false })?.into_iter().collect();
        let strip = Strip { gone: &gone, quotes };
        if self.refs == Backend::Reftable {
            return reftable::strip_logs(self, &strip, who);
        }
        let mut lines = 0;
        for path in self.own_logs() {
            lines += strip_log(guard, &path, &strip)?;
        }
        Ok(lines)
    }

    /// Lists the files of our logs: those of our refs, and those of all worktrees' own.
    fn own_logs(&self) -> Vec<PathBuf> {
        let mut roots = vec![self.common_dir.join("logs").join(&self.settings.ref_prefix)];
        let own = Path::new("logs/refs/worktree/trace");
        roots.push(self.common_dir.join(own));
        let linked = fs::read_dir(self.common_dir.join("worktrees")).into_iter().flatten().filter_map(Result::ok);
        roots.extend(linked.map(|folder| folder.path().join(own)));
        let files = roots.into_iter().flat_map(|root| walkdir::WalkDir::new(root).into_iter().filter_map(Result::ok));
        files.filter(|file| file.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
    }
}

/// Returns what a line of a log names: what the ref was, and what it became.
fn named(line: &[u8]) -> impl Iterator<Item = ObjectId> {
    line.split(|byte| *byte == b' ').take(2).filter_map(|id| std::str::from_utf8(id).ok()?.parse().ok())
}

/// Takes lines out of a log. Whoever writes to it of our own waits for the guard; a line that git adds in this moment may
/// get lost, as in `git reflog expire`.
fn strip_log(_guard: &Guard, path: &Path, strip: &Strip<'_>) -> Result<u64, StoreError> {
    let bytes = fs::read(path).map_err(StoreError::io("read", path))?;
    let words = |line: &[u8]| memchr::memchr(b'\t', line).is_some_and(|at| (strip.quotes)(&line[at + 1..]));
    let goes = |line: &[u8]| named(line).any(|id| strip.gone.contains(&id)) || words(line);
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let kept: Vec<&[u8]> = lines.iter().copied().filter(|line| !goes(line)).collect();
    let count = (lines.len() - kept.len()) as u64;
    if count > 0 {
        let folder = path.parent().expect("a log is in a folder");
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(StoreError::io("write", path))?;
        file.write_all(&kept.concat()).map_err(StoreError::io("write", path))?;
        file.persist(path).map_err(|error| StoreError::io("write", path)(error.error))?;
    }
    Ok(count)
}
