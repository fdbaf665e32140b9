//! A plain folder as a tree: its files as they are now, hashed into objects of a repository of our own.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gix::objs::Kind;

use super::foreign::{ForeignKind, TreeLimits, is_safe_name, object_id};
use super::mirror::make_private;
use super::sink::Sink;
use super::{BODY_MAX, Repo, StoreError, git};
use crate::model::ObjectId;

/// What keeps the newest state of a folder.
const STATE: &str = "refs/source/HEAD";

/// Is a plain folder as it was when it was looked at.
pub struct HashedFolder {
    /// Where its objects are.
    repo: Repo,
    /// The tree.
    pub tree: ObjectId,
}

impl HashedFolder {
    /// Hashes a folder; objects go to the repository `place`, which is made if it is not there. `.git` and what is neither file,
    /// folder nor link is left out; links are kept as links, and never followed.
    ///
    /// # Errors
    /// When a file cannot be read, or there is more than the limits allow.
    pub fn read(folder: &Path, place: &Path, limits: &TreeLimits) -> Result<Self, StoreError> {
        let repo = open_or_make(place)?;
        // Most of the time nothing has changed: then nothing is written.
        let tree = Walk::new(&repo, folder, limits, None).hash()?;
        if repo.find_ref_id(STATE)? == Some(tree) && repo.has_object(&tree) {
            return Ok(HashedFolder { repo, tree });
        }
        let mut sink = Sink::many(&repo);
        let tree = Walk::new(&repo, folder, limits, Some(&mut sink)).hash()?;
        let guard = repo.lock()?;
        let mut flushed = sink.flush(&repo, &guard, repo.durability(true))?;
        drop(guard);
        let who = crate::model::Person { name: "git trace".to_owned(), email: String::new(), time: repo.now()? };
        repo.overwrite_ref(STATE, tree, "trace folder", &who)?;
        flushed.release(&repo);
        let repo = Repo::open_exactly(place)?;
        Ok(HashedFolder { repo, tree })
    }

    /// Returns the repository that holds its objects.
    pub fn repo(&self) -> &Repo {
        &self.repo
    }
}

/// Opens the repository for a folder's objects, or makes it: first beside its place, then there.
fn open_or_make(place: &Path) -> Result<Repo, StoreError> {
    if place.join("HEAD").is_file() {
        return Repo::open_exactly(place);
    }
    let all = place.parent().unwrap_or(place);
    make_private(all)?;
    let new =
        tempfile::Builder::new().prefix("new-").tempdir_in(all).map_err(StoreError::io("create a folder in", all))?;
    git::init(&["--quiet", "--bare", "--template=", "--object-format=sha1", "--", &new.path().to_string_lossy()])?;
    // Whoever was faster made the same.
    match fs::rename(new.path(), place) {
        Err(error) if !place.join("HEAD").is_file() => Err(StoreError::io("create", place)(error)),
        _ => Repo::open_exactly(place),
    }
}

/// Goes through a folder.
struct Walk<'a> {
    repo: &'a Repo,
    top: &'a Path,
    limits: &'a TreeLimits,
    sink: Option<&'a mut Sink>,
    entries: usize,
    bytes: u64,
}

/// A row of a tree that is being made.
struct Row {
    mode: &'static str,
    name: Vec<u8>,
    id: ObjectId,
}

impl<'a> Walk<'a> {
    fn new(repo: &'a Repo, top: &'a Path, limits: &'a TreeLimits, sink: Option<&'a mut Sink>) -> Self {
        Walk { repo, top, limits, sink, entries: 0, bytes: 0 }
    }

    fn hash(mut self) -> Result<ObjectId, StoreError> {
        let top = self.top;
        match self.folder(top, 0)? {
            Some(tree) => Ok(tree),
            None => self.put(Kind::Tree, &[]),
        }
    }

    /// Hashes a folder; `None` if nothing is in it that git would keep. Depth is limited, and so is this recursion.
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<Option<ObjectId>, StoreError> {
        if depth > self.limits.depth {
            return Err(self.too_much(format!("folders are nested deeper than {}", self.limits.depth)));
        }
        let mut names: Vec<OsString> = Vec::new();
        for entry in fs::read_dir(folder).map_err(StoreError::io("read", folder))? {
            names.push(entry.map_err(StoreError::io("read", folder))?.file_name());
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(self.too_much(format!("it has more than {} files", self.limits.entries)));
            }
        }
        let mut rows = Vec::with_capacity(names.len());
        for name in names {
            let path = folder.join(&name);
            let data = fs::symlink_metadata(&path).map_err(StoreError::io("read", &path))?;
            if let Some((mode, id)) = self.entry(&path, name.as_bytes(), &data, depth)? {
                rows.push(Row { mode, name: name.into_vec(), id });
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        // git sorts folders as if their names ended in '/'.
        let key = |row: &Row| {
            let mut key = row.name.clone();
            key.extend((row.mode == "40000").then_some(b'/'));
            key
        };
        rows.sort_by_cached_key(key);
        let mut bytes = Vec::new();
        for row in rows {
            bytes.extend_from_slice(row.mode.as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(&row.name);
            bytes.push(0);
            bytes.extend_from_slice(row.id.as_bytes());
        }
        self.put(Kind::Tree, &bytes).map(Some)
    }

    fn entry(
        &mut self,
        path: &Path,
        name: &[u8],
        data: &Metadata,
        depth: usize,
    ) -> Result<Option<(&'static str, ObjectId)>, StoreError> {
        // Where a folder of workflows is the user's own, what is installed from it lies in there too.
        if name == b".gittrace" || !is_safe_name(name, ForeignKind::File { executable: false }) {
            return Ok(None);
        }
        if data.is_dir() {
            return Ok(self.folder(path, depth + 1)?.map(|id| ("40000", id)));
        }
        if data.is_symlink() {
            let target = fs::read_link(path).map_err(StoreError::io("read", path))?;
            return self.put(Kind::Blob, target.as_os_str().as_bytes()).map(|id| Some(("120000", id)));
        }
        if !data.is_file() {
            return Ok(None);
        }
        let room = self.limits.bytes.saturating_sub(self.bytes).min(BODY_MAX);
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(StoreError::io("read", path))?;
        file.take(room + 1).read_to_end(&mut bytes).map_err(StoreError::io("read", path))?;
        if bytes.len() as u64 > room {
            return Err(self.too_much(format!("its files have more than {} MiB", self.limits.bytes >> 20)));
        }
        self.bytes += bytes.len() as u64;
        let mode = if data.permissions().mode() & 0o100 == 0 { "100644" } else { "100755" };
        self.put(Kind::Blob, &bytes).map(|id| Some((mode, id)))
    }

    fn put(&mut self, kind: Kind, bytes: &[u8]) -> Result<ObjectId, StoreError> {
        match &mut self.sink {
            Some(sink) => sink.put(self.repo, kind, bytes, None),
            None => object_id(self.repo.gix_kind(), kind, bytes),
        }
    }

    fn too_much(&self, reason: String) -> StoreError {
        StoreError::Open { reason: format!("'{}': {reason}", self.top.display()) }
    }
}
