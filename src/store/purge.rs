//! Objects that nothing reaches any more are dropped now: our own, and nobody else's.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::lock::Guard;
use super::object::to_gix;
use super::refs::Backend;
use super::{Head, Repo, StoreError, Walk, git, loose, reftable};
use crate::codec::{RowKind, rows};
use crate::model::{ObjectId, Person};

/// Says what a purge dropped, and what it had to leave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purged {
    /// Objects that are gone.
    pub dropped: u64,
    /// Objects that something else still reaches: another branch, a tag, a log.
    pub reached: u64,
    /// Objects in packs that are not ours: git drops them.
    pub left: u64,
    /// Lines of logs that named what is gone.
    pub log_lines: u64,
}

impl Repo {
    /// Drops what these commits reach and nothing else does, with the lines of our logs that name them.
    ///
    /// Loose objects go, and our own packs are written anew without them. What is in the user's packs stays until
    /// `git gc`, as does what another ref, a log of the user's or the index of files reaches.
    ///
    /// # Errors
    /// When an object cannot be read; nothing that is needed has gone.
    pub fn purge(&self, commits: &[ObjectId], who: &Person) -> Result<Purged, StoreError> {
        let guard = self.lock()?;
        let mut purged = Purged { log_lines: self.strip_logs(&guard, commits, who)?, ..Purged::default() };
        let mut candidates = self.closure(commits);
        let all = candidates.len() as u64;
        self.retain_unreached(&mut candidates)?;
        purged.reached = all - candidates.len() as u64;
        let gone = candidates.len() as u64;
        self.rewrite_packs(&guard, &candidates)?;
        for id in &candidates {
            // What we noted as ours, and what was unpacked in the meantime: nothing reaches it.
            let _ = fs::remove_file(loose::path(&self.objects_dir, &to_gix(id)));
            loose::remove_empty(&self.objects_dir, &to_gix(id));
        }
        self.renew_commit_graph()?;
        purged.left = self.count_existing(&candidates)?;
        purged.dropped = gone - purged.left;
        self.tip.replace(None);
        Ok(purged)
    }

    /// Collects all that commits reach, as far as it is here.
    fn closure(&self, commits: &[ObjectId]) -> HashSet<ObjectId> {
        let mut found = HashSet::new();
        let mut stack: Vec<ObjectId> = commits.to_vec();
        while let Some(id) = stack.pop() {
            if found.contains(&id) {
                continue;
            }
            let (Ok(link), Ok(tree)) = (self.read_link(&id), self.read_root(&id)) else { continue };
            found.insert(id);
            stack.extend(link.parents);
            let mut trees = vec![tree];
            while let Some(tree) = trees.pop() {
                if !found.insert(tree) {
                    continue;
                }
                let Ok(bytes) = self.read_tree_bytes(&tree) else { continue };
                for row in rows(&bytes, self.kind).filter_map(Result::ok) {
                    match row.kind {
                        RowKind::Tree => trees.push(row.id),
                        RowKind::Blob => drop(found.insert(row.id)),
                    }
                }
            }
        }
        found
    }

    /// Takes out what any ref, log or index of this repository reaches, in any worktree, as git says.
    fn retain_unreached(&self, candidates: &mut HashSet<ObjectId>) -> Result<(), StoreError> {
        if candidates.is_empty() {
            return Ok(());
        }
        let arguments =
            ["--objects", "--no-object-names", "--missing=allow-any", "--all", "--reflog", "--indexed-objects"];
        git::run_lines(self, "rev-list", &arguments, &mut |line| {
            let id = std::str::from_utf8(line).ok().and_then(|line| line.split(' ').next()?.parse::<ObjectId>().ok());
            if let Some(id) = id {
                candidates.remove(&id);
            }
        })
    }

    /// Counts which of these objects are still here.
    fn count_existing(&self, ids: &HashSet<ObjectId>) -> Result<u64, StoreError> {
        let input: String = ids.iter().map(|id| format!("{id}\n")).collect();
        let answer = git::run(self, "cat-file", &["--batch-check=%(objecttype)"], Some(input.as_bytes()))?;
        Ok(answer.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.ends_with(b"missing")).count()
            as u64)
    }

    /// Makes git's commit-graph anew, where there is one: it must name no commit that is gone.
    fn renew_commit_graph(&self) -> Result<(), StoreError> {
        let info = self.objects_dir.join("info");
        let (single, chain) = (info.join("commit-graph").exists(), info.join("commit-graphs").exists());
        if single {
            git::run(self, "commit-graph", &["write", "--reachable"], None)?;
        } else if chain {
            git::run(self, "commit-graph", &["write", "--reachable", "--split=replace", "--expire-time=now"], None)?;
        }
        Ok(())
    }

    /// Takes the lines out of our own logs that name commits which no ref of ours reaches any more; returns how many.
    fn strip_logs(&self, guard: &Guard, commits: &[ObjectId], who: &Person) -> Result<u64, StoreError> {
        let mut kept: Vec<ObjectId> =
            self.list_refs(&format!("{}/", self.settings.ref_prefix))?.into_iter().map(|(_, id)| id).collect();
        for worktree in self.worktree_heads()? {
            if let Head::Detached(id) = worktree.head {
                kept.push(id);
            }
        }
        let tips: Vec<ObjectId> = commits.iter().copied().filter(|id| self.read_link(id).is_ok()).collect();
        let kept: Vec<ObjectId> = kept.into_iter().filter(|id| self.read_link(id).is_ok()).collect();
        let gone: HashSet<ObjectId> =
            self.listed(Walk { tips: &tips, hidden: &kept, first_parent: false })?.into_iter().collect();
        if gone.is_empty() {
            return Ok(0);
        }
        if self.refs == Backend::Reftable {
            return reftable::strip_logs(self, &gone, who);
        }
        let mut lines = 0;
        for path in self.own_logs() {
            lines += strip_log(guard, &path, &gone)?;
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

/// Takes lines out of a log. Whoever writes to it of our own waits for the guard; a line that git adds in this moment may
/// get lost, as in `git reflog expire`.
fn strip_log(_guard: &Guard, path: &Path, gone: &HashSet<ObjectId>) -> Result<u64, StoreError> {
    let bytes = fs::read(path).map_err(StoreError::io("read", path))?;
    let names = |line: &[u8]| {
        let ids = line.split(|byte| *byte == b' ').take(2);
        ids.filter_map(|id| std::str::from_utf8(id).ok()?.parse::<ObjectId>().ok()).any(|id| gone.contains(&id))
    };
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let kept: Vec<&[u8]> = lines.iter().copied().filter(|line| !names(line)).collect();
    let count = (lines.len() - kept.len()) as u64;
    if count > 0 {
        let folder = path.parent().expect("a log is in a folder");
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(StoreError::io("write", path))?;
        file.write_all(&kept.concat()).map_err(StoreError::io("write", path))?;
        file.persist(path).map_err(|error| StoreError::io("write", path)(error.error))?;
    }
    Ok(count)
}
