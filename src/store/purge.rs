//! Objects that nothing reaches any more are dropped now: our own, and nobody else's.

use std::collections::HashSet;
use std::fs;

use super::object::to_gix;
use super::{Repo, StoreError, git, loose};
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
    /// The commits that were to go, and that something still reaches.
    pub held: Vec<ObjectId>,
}

/// Says what is to be dropped.
pub struct Purge<'a> {
    /// The commits, with all that they alone reach.
    pub commits: &'a [ObjectId],
    /// Commits that only logs hold, and that stay.
    pub kept: &'a [ObjectId],
    /// Tells whether the words of a line in a log are such that it goes.
    pub quotes: &'a dyn Fn(&[u8]) -> bool,
}

impl<'a> Purge<'a> {
    /// Drops these commits, whatever logs hold.
    pub fn of(commits: &'a [ObjectId]) -> Self {
        Purge { commits, kept: &[], quotes: &|_| false }
    }
}

impl Repo {
    /// Drops what these commits reach and nothing else does, with the lines of our logs that name them.
    ///
    /// Loose objects go, and our own packs are written anew without them. What is in the user's packs stays until
    /// `git gc`, as does what another ref, a log of the user's or the index of files reaches.
    ///
    /// # Errors
    /// When an object cannot be read; nothing that is needed has gone.
    pub fn purge(&self, purge: &Purge<'_>, who: &Person) -> Result<Purged, StoreError> {
        let &Purge { commits, kept, quotes } = purge;
        let guard = self.lock()?;
        let log_lines = self.strip_logs(&guard, commits, kept, quotes, who)?;
        let mut purged = Purged { log_lines, ..Purged::default() };
        let mut candidates = self.closure(commits);
        let all = candidates.len() as u64;
        let were: Vec<ObjectId> = commits.iter().copied().filter(|id| candidates.contains(id)).collect();
        self.retain_unreached(&mut candidates)?;
        purged.held = were.into_iter().filter(|id| !candidates.contains(id)).collect();
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
        let arguments = [
            "--objects",
            "--no-object-names",
            "--missing=allow-any",
            "--all",
            "--reflog",
            "--indexed-objects",
            "--stdin",
        ];
        // What other worktrees alone have is not among all refs.
        let more: String = self.here(self.worktree_ids()?).iter().map(|id| format!("{id}\n")).collect();
        git::run_lines(self, "rev-list", &arguments, more.as_bytes(), &mut |line| {
            let id = std::str::from_utf8(line).ok().and_then(|line| line.split(' ').next()?.parse::<ObjectId>().ok());
            if let Some(id) = id {
                candidates.remove(&id);
            }
        })
    }

    /// Names the refs of any kind from which one of these commits can be reached.
    ///
    /// # Errors
    /// When git cannot be asked.
    pub fn refs_holding(&self, commits: &[ObjectId]) -> Result<Vec<String>, StoreError> {
        let contains: Vec<String> = commits.iter().map(|id| format!("--contains={id}")).collect();
        let mut arguments = vec!["--format=%(refname)"];
        arguments.extend(contains.iter().map(String::as_str));
        if commits.is_empty() {
            return Ok(Vec::new());
        }
        let answer = git::run(self, "for-each-ref", &arguments, None)?;
        Ok(String::from_utf8_lossy(&answer).lines().map(str::to_owned).collect())
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
}
