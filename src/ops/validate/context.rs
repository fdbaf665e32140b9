//! New commits of contexts, each compared with its first parent.

use std::collections::HashSet;

use super::{Fault, Work, commit_header};
use crate::codec::{CodecError, META_MAX, Manifest, Meta, Root, RowKind, strict_chunk, strict_folder, strict_root};
use crate::model::{Commit, Entry, ObjectId, Operation, Position};
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

        let chunks = Chunks::read(self, root, old)?;
        chunks.check_order(self, root, old).map_err(|fault| fault.below(".chunk"))?;
        let mut ids = HashSet::new();
        let mut count = base.map_or(0, |(_, count, old)| count.saturating_sub(old.tail.len() as u64 + chunks.gone));
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

    fn chunk(&mut self, id: &ObjectId) -> Result<Vec<Entry>, Fault> {
        let bytes = self.work.tree(self.repo, id)?;
        strict_chunk(&bytes, id.kind()).map_err(|error| Fault::codec(*id, &error))
    }

    fn folder(&mut self, id: &ObjectId, digits: usize) -> Result<Vec<(u32, ObjectId)>, Fault> {
        let bytes = self.work.tree(self.repo, id)?;
        strict_folder(&bytes, id.kind(), digits).map_err(|error| Fault::codec(*id, &error))
    }

    /// Returns the first or last position below a group, or in a chunk.
    fn end(&mut self, unit: &Unit, last: bool) -> Result<Option<Position>, Fault> {
        let end = |found: Vec<(u32, ObjectId)>| if last { found.last().copied() } else { found.first().copied() };
        let chunk = if unit.is_group { end(self.folder(&unit.id, 6)?).map(|found| found.1) } else { Some(unit.id) };
        let Some(chunk) = chunk else { return Ok(None) };
        let entries = self.chunk(&chunk)?;
        let entry = if last { entries.last() } else { entries.first() };
        Ok(entry.map(|entry| entry.position.clone()))
    }
}

/// A group that both contexts share, or a chunk of a group that they do not.
#[derive(Debug, Clone)]
struct Unit {
    id: ObjectId,
    is_group: bool,
    place: String,
}

/// The sealed part of a context, beside that of the context before.
#[derive(Debug, Default)]
struct Chunks {
    own: Vec<Unit>,
    old: Vec<Unit>,
    /// Chunks that only the new context has.
    fresh: Vec<Unit>,
    /// Entries in chunks that only the old one has.
    gone: u64,
}

impl Chunks {
    fn read(checks: &mut Checks<'_>, root: &Root, old: Option<&Root>) -> Result<Self, Fault> {
        let before = old.and_then(|old| old.chunks);
        if root.chunks == before {
            return Ok(Chunks::default());
        }
        let below = |fault: Fault| fault.below(".chunk");
        let mut groups = |id: Option<ObjectId>| match id {
            Some(id) => checks.folder(&id, 4).map_err(below),
            None => Ok(Vec::new()),
        };
        let (own, old) = (groups(root.chunks)?, groups(before)?);
        let ids = |groups: &[(u32, ObjectId)]| groups.iter().map(|group| group.1).collect::<HashSet<_>>();
        let (own_ids, old_ids) = (ids(&own), ids(&old));
        let own = Chunks::units(checks, &own, &old_ids).map_err(below)?;
        let old = Chunks::units(checks, &old, &own_ids).map_err(below)?;
        let ids = |units: &[Unit]| units.iter().map(|unit| unit.id).collect::<HashSet<_>>();
        let (own_ids, old_ids) = (ids(&own), ids(&old));
        let fresh = own.iter().filter(|unit| !unit.is_group && !old_ids.contains(&unit.id)).cloned().collect();
        let mut gone = 0;
        for unit in old.iter().filter(|unit| !unit.is_group && !own_ids.contains(&unit.id)) {
            gone += checks.chunk(&unit.id).map_err(below)?.len() as u64;
        }
        Ok(Chunks { own, old, fresh, gone })
    }

    fn units(
        checks: &mut Checks<'_>,
        groups: &[(u32, ObjectId)],
        shared: &HashSet<ObjectId>,
    ) -> Result<Vec<Unit>, Fault> {
        let mut units = Vec::new();
        for (number, id) in groups {
            let place = format!("{number:04}");
            if shared.contains(id) {
                units.push(Unit { id: *id, is_group: true, place });
                continue;
            }
            let chunks = checks.folder(id, 6).map_err(|fault| fault.below(&place))?;
            let unit = |(number, id)| Unit { id, is_group: false, place: format!(".chunk/{place}/{number:06}") };
            units.extend(chunks.into_iter().map(unit));
        }
        Ok(units)
    }

    /// Checks that positions ascend from chunk to chunk, wherever two stand side by side that did not before: so no tree can
    /// stand for more entries than it holds.
    fn check_order(&self, checks: &mut Checks<'_>, root: &Root, old: Option<&Root>) -> Result<(), Fault> {
        let fault = |id: ObjectId| Fault::codec(id, &CodecError::Tree { reason: "positions do not ascend" });
        let before: HashSet<(ObjectId, ObjectId)> = self.old.windows(2).map(|pair| (pair[0].id, pair[1].id)).collect();
        for pair in self.own.windows(2).filter(|pair| !before.contains(&(pair[0].id, pair[1].id))) {
            if checks.end(&pair[0], true)? >= checks.end(&pair[1], false)? {
                return Err(fault(pair[1].id));
            }
        }
        let Some(first) = root.tail.first() else { return Ok(()) };
        let is_same = root.chunks == old.and_then(|old| old.chunks)
            || self.own.last().map(|unit| unit.id) == self.old.last().map(|unit| unit.id);
        let old_first = old.and_then(|old| old.tail.first()).filter(|_| is_same);
        if old_first.is_some_and(|old| first.position >= old.position) {
            return Ok(());
        }
        let last = match (self.own.last(), root.chunks) {
            (Some(unit), _) => checks.end(unit, true)?,
            (None, Some(chunks)) => match checks.folder(&chunks, 4)?.last() {
                Some((_, id)) => checks.end(&Unit { id: *id, is_group: true, place: String::new() }, true)?,
                None => None,
            },
            (None, None) => None,
        };
        if last.is_some_and(|last| last >= first.position) { Err(fault(first.body)) } else { Ok(()) }
    }
}
