//! Housekeeping: our own loose objects and small packs become few packs, long before git would think of it.
//!
//! The user's own objects and packs are never touched, and the user's `git gc` is never run. What we wrote is noted in
//! two files under the git directory; when they are lost, the objects are simply left to `git gc`.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gix::objs::Kind;

use super::lock::Guard;
use super::object::{from_gix, to_gix};
use super::pack::{Base, Durability, KEEP_NOTE, Options, PackWriter};
use super::sink::Flushed;
use super::{Repo, StoreError, git};
use crate::model::ObjectId;

/// Number of our packs from which on they are merged; git's own limit is 50.
const PACKS_MAX: usize = 16;

/// Number of new commits from which on a commit-graph is worth its time.
const GRAPH_MIN: usize = 1000;

impl Repo {
    /// Notes what was written, and tidies up when there is much of it. What goes wrong here loses nothing, so that it
    /// is no error of the change.
    pub(super) fn tidy(&self, guard: &Guard, flushed: Flushed) {
        let _ = self.try_tidy(guard, &flushed);
    }

    /// Notes what was written, for whoever tidies up next.
    pub(super) fn note_written(&self, flushed: &Flushed) {
        let raw: Vec<u8> = flushed.loose.iter().flat_map(|id| id.as_bytes().to_vec()).collect();
        let loose = if raw.is_empty() { Ok(0) } else { note(&self.trace_dir().join("loose"), &raw) };
        let pack =
            flushed.pack.as_ref().map(|pack| note(&self.trace_dir().join("packs"), format!("{pack}\n").as_bytes()));
        // What is not noted is left to `git gc`.
        let _ = (loose, pack);
    }

    fn try_tidy(&self, guard: &Guard, flushed: &Flushed) -> Result<(), StoreError> {
        let limit = self.settings.auto_pack;
        if limit == 0 {
            return Ok(());
        }
        if !flushed.loose.is_empty() {
            let raw: Vec<u8> = flushed.loose.iter().flat_map(|id| id.as_bytes().to_vec()).collect();
            let size = note(&self.trace_dir().join("loose"), &raw)?;
            if size / self.kind.id_len() as u64 >= limit {
                self.pack_loose(guard)?;
            }
        }
        if let Some(pack) = &flushed.pack {
            note(&self.trace_dir().join("packs"), format!("{pack}\n").as_bytes())?;
            self.merge_packs(guard)?;
        }
        Ok(())
    }

    /// Packs the loose objects that we wrote, now.
    ///
    /// # Errors
    /// When the pack cannot be written; the loose objects are still there then.
    pub fn pack_own_objects(&self) -> Result<(), StoreError> {
        let guard = self.lock()?;
        self.pack_loose(&guard)?;
        self.merge_packs(&guard)
    }

    fn pack_loose(&self, guard: &Guard) -> Result<(), StoreError> {
        let list = self.trace_dir().join("loose");
        let raw = fs::read(&list).unwrap_or_default();
        let ids: Vec<ObjectId> = raw.chunks_exact(self.kind.id_len()).filter_map(ObjectId::from_bytes).collect();
        let file = |id: &ObjectId| {
            let hex = id.to_string();
            self.objects_dir.join(&hex[..2]).join(&hex[2..])
        };
        // What `git gc` has packed in the meantime is none of our business any more.
        let ids: Vec<ObjectId> = ids.into_iter().filter(|id| file(id).exists()).collect();
        let written = self.write_pack(ids.iter().copied())?;
        if let Some(pack) = written {
            note(&self.trace_dir().join("packs"), format!("{pack}\n").as_bytes())?;
        }
        match fs::remove_file(&list) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io("remove", &list)(error));
            }
            _ => {}
        }
        for id in &ids {
            // Readers that miss the file look at the packs again.
            let _ = fs::remove_file(file(id));
        }
        self.merge_packs(guard)
    }

    /// Merges our small packs when there are many of them: the smaller half, and more as long as one is not much larger
    /// than all before it, so that every object is rewritten only a few times in its life.
    fn merge_packs(&self, _guard: &Guard) -> Result<(), StoreError> {
        let list = self.trace_dir().join("packs");
        let mut noted = fs::read_to_string(&list).unwrap_or_default();
        if noted.lines().count() < PACKS_MAX {
            return Ok(());
        }
        let folder = self.objects_dir.join("pack");
        let path = |name: &str, ending: &str| folder.join(format!("{name}.{ending}"));
        noted.extend(self.abandoned(&folder)?.iter().map(|name| format!("{name}\n")));
        let free = self.free_packs(&folder);
        let mut packs: Vec<(u64, String)> = noted
            .lines()
            .filter(|name| is_pack_name(name) && free(name))
            .filter_map(|name| Some((fs::metadata(path(name, "pack")).ok()?.len(), name.to_owned())))
            .collect();
        packs.sort();
        packs.dedup();
        if packs.len() < PACKS_MAX {
            // `git gc` has taken the others over.
            let text: String = packs.iter().map(|(_, name)| format!("{name}\n")).collect();
            return write_whole(&list, text.as_bytes());
        }
        let mut sum = 0;
        let merged = packs.iter().enumerate().take_while(|(nth, (size, _))| {
            let fits = *nth < PACKS_MAX / 2 || *size <= sum * 2;
            sum += size;
            fits
        });
        let merged: Vec<String> = merged.map(|(_, (_, name))| name.clone()).collect();
        // Our packs are noted in the order in which they were made, which is the order that deltas like.
        let in_order = noted.lines().filter(|name| merged.iter().any(|one| one == name));
        let mut ids = Vec::new();
        for name in in_order {
            ids.extend(pack_order(&path(name, "idx"), self.gix_kind())?);
        }
        let commits_before = ids.len() / 3;
        let written = self.write_pack(ids.into_iter())?;
        let kept = packs.iter().map(|(_, name)| name).filter(|name| !merged.contains(name));
        let text: String = kept.chain(written.as_ref()).map(|name| format!("{name}\n")).collect();
        write_whole(&list, text.as_bytes())?;
        for name in merged.iter().filter(|name| Some(*name) != written.as_ref()) {
            // The index goes first: without it nobody looks for the pack.
            let _ = fs::remove_file(path(name, "idx"));
            let _ = fs::remove_file(path(name, "pack"));
        }
        if commits_before >= GRAPH_MIN {
            self.write_commit_graph()?;
        }
        Ok(())
    }

    /// Writes our own packs anew without some objects; a pack that is not ours to replace stays as it is.
    pub(super) fn rewrite_packs(&self, _guard: &Guard, without: &HashSet<ObjectId>) -> Result<(), StoreError> {
        let list = self.trace_dir().join("packs");
        let mut noted: Vec<String> = fs::read_to_string(&list).unwrap_or_default().lines().map(str::to_owned).collect();
        let folder = self.objects_dir.join("pack");
        noted.extend(self.abandoned(&folder)?);
        let path = |name: &str, ending: &str| folder.join(format!("{name}.{ending}"));
        let free = self.free_packs(&folder);
        for noted in &mut noted {
            let name = noted.clone();
            if !is_pack_name(&name) || !free(&name) || !path(&name, "idx").exists() {
                continue;
            }
            let ids = pack_order(&path(&name, "idx"), self.gix_kind())?;
            if !ids.iter().any(|id| without.contains(id)) {
                continue;
            }
            let written = self.write_pack(ids.into_iter().filter(|id| !without.contains(id)))?;
            if written.as_ref() != Some(&name) {
                let _ = fs::remove_file(path(&name, "idx"));
                fs::remove_file(path(&name, "pack")).map_err(StoreError::io("remove", &path(&name, "pack")))?;
            }
            *noted = written.unwrap_or_default();
        }
        noted.retain(|name| !name.is_empty());
        if noted.is_empty() && !list.exists() {
            return Ok(());
        }
        write_whole(&list, noted.iter().map(|name| format!("{name}\n")).collect::<String>().as_bytes())
    }

    /// Tells which packs may be replaced: git's own index of many packs would miss one, and files beside it say more.
    fn free_packs(&self, folder: &Path) -> impl Fn(&str) -> bool + use<> {
        let folder = folder.to_owned();
        let indexed = fs::read(folder.join("multi-pack-index")).unwrap_or_default();
        let chained = folder.join("multi-pack-index.d").exists();
        move |name: &str| {
            let companions = ["keep", "bitmap", "rev", "mtimes", "promisor"];
            !chained
                && memchr::memmem::find(&indexed, name.as_bytes()).is_none()
                && !companions.iter().any(|ending| folder.join(format!("{name}.{ending}")).exists())
        }
    }

    /// Lets go of the packs of processes that were killed before a ref named their objects, and names them: since we hold
    /// the queue's lock, nobody is about to name them.
    fn abandoned(&self, folder: &Path) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        for file in fs::read_dir(folder).map_err(StoreError::io("list", folder))?.filter_map(Result::ok) {
            let path = file.path();
            if path.extension().is_some_and(|ending| ending == "keep")
                && fs::read(&path).is_ok_and(|said| said == KEEP_NOTE.as_bytes())
            {
                fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
                names.extend(path.file_stem().and_then(|name| name.to_str()).map(str::to_owned));
            }
        }
        Ok(names)
    }

    /// Writes objects, in their order, into one durable pack; every tree as a delta of the one before it.
    fn write_pack(&self, ids: impl Iterator<Item = ObjectId>) -> Result<Option<String>, StoreError> {
        let mut pack = PackWriter::create(&self.objects_dir, self.gix_kind(), Options::default());
        let mut roots: Vec<(ObjectId, Vec<u8>)> = Vec::new();
        for id in ids {
            let (kind, bytes) = self.read_any(&id)?;
            if kind != Kind::Tree {
                pack.write(kind, &bytes)?;
                continue;
            }
            // Trees of one kind follow each other: roots begin alike, and so do chunks, groups and folders of groups.
            let alike = roots.iter().rposition(|(_, base)| alike(base, &bytes));
            match alike {
                Some(at) => {
                    let (base_id, base) = &roots[at];
                    pack.write_with_base(kind, &bytes, Base { id: to_gix(base_id), bytes: base })?;
                    roots.remove(at);
                }
                None => {
                    pack.write(kind, &bytes)?;
                }
            }
            roots.push((id, bytes));
            if roots.len() > 8 {
                roots.remove(0);
            }
        }
        let finished = pack.finish(Durability::Durable)?;
        Ok(finished.and_then(|finished| Some(finished.pack.file_stem()?.to_str()?.to_owned())))
    }

    /// Brings git's commit-graph up to date with our branches.
    pub(super) fn write_commit_graph(&self) -> Result<(), StoreError> {
        let tips: String = self.branches()?.iter().map(|(_, id)| format!("{id}\n")).collect();
        let single = self.objects_dir.join("info/commit-graph").exists();
        let arguments: &[&str] =
            if single { &["write", "--stdin-commits", "--append"] } else { &["write", "--stdin-commits", "--split"] };
        git::run(self, "commit-graph", arguments, Some(tips.as_bytes())).map(|_| ())
    }
}

/// Tells whether two trees are of the same kind, so that one is a good base for the other.
fn alike(base: &[u8], tree: &[u8]) -> bool {
    let head = |bytes: &[u8]| bytes.iter().take(14).copied().collect::<Vec<u8>>();
    head(base) == head(tree)
}

/// Appends to one of our lists and returns its size.
fn note(path: &Path, bytes: &[u8]) -> Result<u64, StoreError> {
    let opened = OpenOptions::new().append(true).create(true).open(path);
    let written = opened.and_then(|mut file| {
        file.write_all(bytes)?;
        Ok(file.metadata()?.len())
    });
    written.map_err(StoreError::io("write", path))
}

/// Replaces one of our lists, so that it is always the old or the new one. Nobody else may be writing it.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // No list of ours, and no remote, has a name that begins so.
    let temporary: PathBuf = path.with_file_name(format!(".{name}.new"));
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    written.map_err(StoreError::io("write", path))
}

fn is_pack_name(name: &str) -> bool {
    name.strip_prefix("pack-").is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Returns the objects of a pack in the order in which they were written.
fn pack_order(index: &Path, kind: gix::hash::Kind) -> Result<Vec<ObjectId>, StoreError> {
    let broken =
        |error: String| StoreError::Open { reason: format!("cannot read pack index '{}': {error}", index.display()) };
    let index = gix::odb::pack::index::File::at(index, kind).map_err(|error| broken(error.to_string()))?;
    let mut rows: Vec<(u64, ObjectId)> = index.iter().map(|row| (row.pack_offset, from_gix(&row.oid))).collect();
    rows.sort_unstable();
    Ok(rows.into_iter().map(|(_, id)| id).collect())
}
