//! New commits of contexts, each compared with its first parent.

use std::collections::HashSet;

use super::{Fault, Work, commit_header};
use crate::codec::{CodecError, META_MAX, Manifest, Meta, Root, RowKind, strict_chunk, strict_folder, strict_root};
use crate::model::{Commit, Entry, ObjectId, Operation, Position};
use crate::ops::sealed::{ReadTrees, Sealed};
use crate::store::{BODY_MAX, Repo};

/// Most entries of a context.
const ENTRIES_MAX: u64 = 1_000_000;

/// Most parents of a commit; ours have two.
const PARENTS_MAX: usize = 64;

/// The largest manifest, in bytes.
const MANIFEST_MAX: u64 = 64 << 10;

/// How deep a folder of a newer version may be.
const DEPTH_MAX: u32 = 4;

/// Checks commits, best the older ones first.
pub(super) struct Checks<'r> {
    repo: &'r Repo,
    work: Work,
    /// The commit that was read last, as its children come next.
    last: Option<(ObjectId, u64, Root)>,
}

impl<'r> Checks<'r> {
    pub(super) fn new(repo: &'r Repo, work: Work) -> Self {
        Checks { repo, work, last: None }
    }

    pub(super) fn commit(&mut self, id: ObjectId) -> Result<(), Fault> {
        self.check(id).map_err(|fault| fault.below(&format!("commit {}", id.short(12))))
    }

    fn check(&mut self, id: ObjectId) -> Result<(), Fault> {
        commit_header(self.repo, &id)?;
        let commit = self.repo.read_commit(&id)?;
        let fault = |reason: String| Err(Fault::new(id, reason));
        if commit.facts.operation == Operation::Snapshot {
            return fault("a snapshot of a work tree, which is never shared".to_owned());
        }
        if commit.parents.len() > PARENTS_MAX {
            return fault(format!("it has {} parents", commit.parents.len()));
        }
        if commit.facts.next > Position::MAX + 1 {
            return fault("Trace-Next is beyond the last position".to_owned());
        }
        let base = commit.parents.first().map(|parent| self.base(parent)).transpose()?;
        let root = match &base {
            Some((tree, _, base)) if *tree == commit.tree => base.clone(),
            _ => self.root(&commit.tree)?,
        };
        let counted = self.count(&commit, &root, base.as_ref())?;
        if counted != commit.facts.count {
            return fault(format!("Trace-Count is {}, counted {counted}", commit.facts.count));
        }
        self.last = Some((commit.tree, counted, root));
        Ok(())
    }

    /// Reads the commit that another one stands on. It was checked before, or is checked later.
    fn base(&mut self, id: &ObjectId) -> Result<(ObjectId, u64, Root), Fault> {
        commit_header(self.repo, id)?;
        let Commit { tree, facts, .. } = self.repo.read_commit(id)?;
        if let Some(last) = self.last.take_if(|(known, count, _)| *known == tree && *count == facts.count) {
            return Ok(last);
        }
        Ok((tree, facts.count, self.root(&tree)?))
    }

    fn root(&mut self, tree: &ObjectId) -> Result<Root, Fault> {
        let bytes = self.work.tree(self.repo, tree)?;
        strict_root(&bytes, tree.kind()).map_err(|error| Fault::codec(*tree, &error))
    }

    /// Checks all that the base has not, and counts the entries.
    fn count(&mut self, commit: &Commit, root: &Root, base: Option<&(ObjectId, u64, Root)>) -> Result<u64, Fault> {
        let old = base.map(|(.., root)| root);
        if old.is_none_or(|old| old.manifest != root.manifest) {
            self.manifest(&root.manifest).map_err(|fault| fault.below(".trace"))?;
        }
        for row in root.extra.iter().filter(|row| old.is_none_or(|old| !old.extra.contains(row))) {
            let (kind, name, id) = row;
            let checked = match kind {
                RowKind::Blob => self.work.blob(self.repo, id, BODY_MAX).map(|_| ()),
                RowKind::Tree => self.work.plain_tree(self.repo, id, DEPTH_MAX),
            };
            checked.map_err(|fault| fault.below(name))?;
        }
        let known: HashSet<ObjectId> = old
            .into_iter()
            .flat_map(|old| &old.tail)
            .flat_map(|entry| entry.meta.into_iter().chain([entry.body]))
            .collect();
        self.bodies(&root.tail, &known)?;

        let chunks = Sealed::read(self, root, old)?;
        chunks.check_order(self, root, old).map_err(|fault| fault.below(".chunk"))?;
        let mut ids = HashSet::new();
        let mut gone = 0;
        for unit in &chunks.gone {
            gone += self.chunk(&unit.id)?.len() as u64;
        }
        let mut count = base.map_or(0, |(_, count, old)| count.saturating_sub(old.tail.len() as u64 + gone));
        count += root.tail.len() as u64;
        for unit in &chunks.fresh {
            let below = |fault: Fault| fault.below(&unit.place);
            let entries = self.chunk(&unit.id).map_err(below)?;
            self.bodies(&entries, &known).map_err(below)?;
            count += entries.len() as u64;
            if count > ENTRIES_MAX {
                return Err(Fault::new(commit.id, format!("more than {ENTRIES_MAX} entries")));
            }
            if let Some(twice) = entries.iter().find(|entry| !ids.insert(entry.id)) {
                return Err(below(Fault::new(unit.id, format!("two entries have the id '{}'", twice.id))));
            }
        }
        match root.tail.iter().find(|entry| !ids.insert(entry.id)) {
            Some(twice) => Err(Fault::new(commit.tree, format!("two entries have the id '{}'", twice.id))),
            None => Ok(count),
        }
    }

    fn manifest(&mut self, id: &ObjectId) -> Result<(), Fault> {
        if self.work.blob(self.repo, id, MANIFEST_MAX)? {
            Manifest::decode(&self.repo.read_blob(id)?).map_err(|error| Fault::codec(*id, &error))?;
        }
        Ok(())
    }

    /// Checks what entries name, other than what is known to be sound.
    fn bodies(&mut self, entries: &[Entry], known: &HashSet<ObjectId>) -> Result<(), Fault> {
        for entry in entries {
            let below = |fault: Fault| fault.below(&format!("entry {}", entry.id));
            if !known.contains(&entry.body) {
                self.work.blob(self.repo, &entry.body, BODY_MAX).map_err(below)?;
            }
            if let Some(meta) = entry.meta.filter(|meta| !known.contains(meta))
                && self.work.blob(self.repo, &meta, META_MAX as u64).map_err(below)?
            {
                let bytes = self.repo.read_blob(&meta)?;
                Meta::decode(&bytes).map_err(|error| below(Fault::codec(meta, &error)))?;
            }
        }
        Ok(())
    }
}

impl ReadTrees for Checks<'_> {
    type Error = Fault;

    fn chunk(&mut self, id: &ObjectId) -> Result<Vec<Entry>, Fault> {
        let bytes = self.work.tree(self.repo, id)?;
        strict_chunk(&bytes, id.kind()).map_err(|error| Fault::codec(*id, &error))
    }

    fn folder(&mut self, id: &ObjectId, digits: usize) -> Result<Vec<(u32, ObjectId)>, Fault> {
        let bytes = self.work.tree(self.repo, id)?;
        strict_folder(&bytes, id.kind(), digits).map_err(|error| Fault::codec(*id, &error))
    }

    fn wrong(&self, object: ObjectId, error: CodecError) -> Fault {
        Fault::codec(object, &error)
    }
}
