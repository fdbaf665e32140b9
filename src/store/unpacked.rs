//! A tree as a folder, for programs that want files: `<all>/<id of the tree>`, written whole or not at all, and looked through
//! each time before it is believed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gix::objs::Kind;

use super::foreign::{ForeignKind, TreeLimits, object_id};
use super::{BODY_MAX, Repo, StoreError};
use crate::model::ObjectId;

/// The beginning of the name of a folder that is being written.
const NEW: &str = ".new-";
/// The beginning of the name of a folder that holds what was set aside.
const OLD: &str = ".old-";
/// How long what was left or set aside is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest target of a link that is read, in bytes.
const LINK_MAX: u64 = 4096;

/// Says where a tree is as a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// The folder.
    pub folder: PathBuf,
    /// The tree that it is.
    pub tree: ObjectId,
    /// Links that lead out of it or nowhere, and submodules: they are not there.
    pub left_out: Vec<String>,
    /// Where the folder is now that was there, and was changed by somebody.
    pub set_aside: Option<PathBuf>,
}

/// What is to be at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Folder,
    File { id: ObjectId, executable: bool },
    Link { target: Vec<u8> },
}

/// All that is to be in a folder, folders before what is in them.
type Plan = BTreeMap<Vec<u8>, Piece>;
/// The bytes of files that are part of this program.
type Bodies<'f> = BTreeMap<ObjectId, &'f [u8]>;

impl Repo {
    /// Makes sure that a tree is there as a folder, and that it holds nothing else.
    ///
    /// # Errors
    /// When an object cannot be read, there is more than the limits allow, or the folder cannot be written.
    pub fn unpack(&self, tree: &ObjectId, all: &Path, limits: &TreeLimits) -> Result<Unpacked, StoreError> {
        let (plan, left_out) = self.plan_of(tree, limits)?;
        let folder = all.join(tree.to_string());
        let read = |id: &ObjectId| self.read_blob_within(id, limits.bytes);
        let set_aside = self.settle_folder(&folder, &plan, &read)?;
        Ok(Unpacked { folder, tree: *tree, left_out, set_aside })
    }

    /// Makes sure that files which are part of this program are there as a folder; their names have no `/`.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn unpack_files(&self, files: &[(&str, &[u8])], all: &Path) -> Result<Unpacked, StoreError> {
        let (tree, plan, bodies) = self.plan_of_files(files)?;
        let folder = all.join(tree.to_string());
        let read = |id: &ObjectId| Ok(bodies.get(id).map(|body| body.to_vec()).unwrap_or_default());
        let set_aside = self.settle_folder(&folder, &plan, &read)?;
        Ok(Unpacked { folder, tree, left_out: Vec::new(), set_aside })
    }

    /// Returns the id of the tree that some files make; their names have no `/`.
    ///
    /// # Errors
    /// When the bytes are part of a known attack on SHA-1.
    pub fn tree_of_files(&self, files: &[(&str, &[u8])]) -> Result<ObjectId, StoreError> {
        self.plan_of_files(files).map(|(tree, ..)| tree)
    }

    fn plan_of_files<'f>(&self, files: &[(&str, &'f [u8])]) -> Result<(ObjectId, Plan, Bodies<'f>), StoreError> {
        let mut plan = Plan::new();
        let mut bodies = BTreeMap::new();
        let mut bytes = Vec::new();
        let sorted: BTreeMap<&str, &[u8]> = files.iter().copied().collect();
        for (name, body) in sorted {
            let id = self.blob_id(body)?;
            bytes.extend_from_slice(format!("100644 {name}\0").as_bytes());
            bytes.extend_from_slice(id.as_bytes());
            plan.insert(name.as_bytes().to_vec(), Piece::File { id, executable: false });
            bodies.insert(id, body);
        }
        Ok((object_id(self.gix_kind(), Kind::Tree, &bytes)?, plan, bodies))
    }

    /// Tells whether the folder of a tree holds what the tree says, and nothing else; `None` if there is no such folder.
    ///
    /// # Errors
    /// When the tree cannot be read.
    pub fn is_unpacked(&self, tree: &ObjectId, all: &Path, limits: &TreeLimits) -> Result<Option<bool>, StoreError> {
        let folder = all.join(tree.to_string());
        if fs::symlink_metadata(&folder).is_err() {
            return Ok(None);
        }
        let (plan, _) = self.plan_of(tree, limits)?;
        Ok(Some(self.holds(&folder, &plan)))
    }

    /// Tells whether the files of a tree are in a folder as the tree has them; what else is there does not matter.
    ///
    /// # Errors
    /// When the tree cannot be read.
    pub fn is_same_folder(&self, tree: &ObjectId, folder: &Path, limits: &TreeLimits) -> Result<bool, StoreError> {
        let (plan, _) = self.plan_of(tree, limits)?;
        let is_so = |(path, piece): (&Vec<u8>, &Piece)| {
            let path = folder.join(OsStr::from_bytes(path));
            fs::symlink_metadata(&path).is_ok_and(|data| self.is_piece(&path, &data, piece))
        };
        Ok(plan.iter().all(is_so))
    }

    /// Writes a folder, unless it is there as planned. Returns where one is now that was changed.
    fn settle_folder(
        &self,
        folder: &Path,
        plan: &Plan,
        read: &dyn Fn(&ObjectId) -> Result<Vec<u8>, StoreError>,
    ) -> Result<Option<PathBuf>, StoreError> {
        if self.holds(folder, plan) {
            return Ok(None);
        }
        let all = folder.parent().expect("it is in the folder of all of them");
        fs::create_dir_all(all).map_err(StoreError::io("create", all))?;
        sweep(all);
        let new = tempfile::Builder::new().prefix(NEW).tempdir_in(all);
        let new = new.map_err(StoreError::io("create a folder in", all))?.keep();
        let settled = self.write_folder(&new, plan, read).and_then(|()| {
            let aside = if self.holds(folder, plan) { None } else { set_aside(folder, all)? };
            match fs::rename(&new, folder) {
                // Somebody else was faster.
                Err(error) if !self.holds(folder, plan) => Err(StoreError::io("write", folder)(error)),
                _ => Ok(aside),
            }
        });
        // It is gone if it has become the folder.
        remove_folder(&new);
        settled
    }

    /// Writes what was planned: files that nobody is to write, in folders that can be deleted as any other.
    fn write_folder(
        &self,
        new: &Path,
        plan: &Plan,
        read: &dyn Fn(&ObjectId) -> Result<Vec<u8>, StoreError>,
    ) -> Result<(), StoreError> {
        plan.iter().try_for_each(|(path, piece)| write_piece(&new.join(OsStr::from_bytes(path)), piece, read))
    }

    /// Lists what a tree is as files; what could lead out of it is left out.
    fn plan_of(&self, tree: &ObjectId, limits: &TreeLimits) -> Result<(Plan, Vec<String>), StoreError> {
        let mut plan = Plan::new();
        let (mut links, mut left_out) = (Vec::new(), Vec::new());
        let too_much = |reason: String| StoreError::Object { id: *tree, reason };
        let mut open = vec![(Vec::new(), *tree, 0)];
        let mut bytes = 0u64;
        while let Some((folder, id, depth)) = open.pop() {
            if depth > limits.depth {
                return Err(too_much(format!("folders are nested deeper than {}", limits.depth)));
            }
            for row in self.foreign_rows(&id)? {
                let path = if folder.is_empty() { row.name } else { [&folder[..], b"/", &row.name].concat() };
                match row.kind {
                    ForeignKind::Folder => {
                        open.push((path.clone(), row.id, depth + 1));
                        plan.insert(path, Piece::Folder);
                    }
                    ForeignKind::File { executable } => {
                        bytes = bytes.saturating_add(self.header(&row.id)?.1);
                        plan.insert(path, Piece::File { id: row.id, executable });
                    }
                    ForeignKind::Link => links.push((path, self.read_blob_within(&row.id, LINK_MAX)?)),
                    ForeignKind::Submodule => left_out.push(String::from_utf8_lossy(&path).into_owned()),
                }
                if plan.len() + links.len() > limits.entries {
                    return Err(too_much(format!("it has more than {} files", limits.entries)));
                }
                if bytes > limits.bytes {
                    return Err(too_much(format!("its files have more than {} MiB", limits.bytes >> 20)));
                }
            }
        }
        for (path, target) in links {
            match stays_inside(&path, &target).is_some_and(|to| to.is_empty() || plan.contains_key(&to)) {
                true => drop(plan.insert(path, Piece::Link { target })),
                false => left_out.push(String::from_utf8_lossy(&path).into_owned()),
            }
        }
        // A link to a link could lead out where each of them alone does not.
        let to_link = |plan: &Plan, path: &[u8], target: &[u8]| {
            let to = stays_inside(path, target).unwrap_or_default();
            let parts: Vec<usize> = (0..to.len()).filter(|at| to[*at] == b'/').chain([to.len()]).collect();
            parts.iter().any(|end| matches!(plan.get(&to[..*end]), Some(Piece::Link { .. })))
        };
        let chained: Vec<Vec<u8>> = plan
            .iter()
            .filter(|(path, piece)| matches!(piece, Piece::Link { target } if to_link(&plan, path, target)))
            .map(|(path, _)| path.clone())
            .collect();
        for path in chained {
            plan.remove(&path);
            left_out.push(String::from_utf8_lossy(&path).into_owned());
        }
        left_out.sort();
        Ok((plan, left_out))
    }

    /// Tells whether a folder holds what was planned, and nothing else.
    fn holds(&self, folder: &Path, plan: &Plan) -> bool {
        if !fs::symlink_metadata(folder).is_ok_and(|data| data.is_dir()) {
            return false;
        }
        let mut count = 0;
        // Python keeps what it has compiled beside what it loads.
        let is_told = |entry: &walkdir::DirEntry| {
            !(entry.file_name() == "__pycache__" && plan_has_no(plan, folder, entry.path()))
        };
        for entry in walkdir::WalkDir::new(folder).min_depth(1).into_iter().filter_entry(is_told) {
            let Ok(entry) = entry else { return false };
            let Ok(path) = entry.path().strip_prefix(folder) else { return false };
            let Some(piece) = plan.get(path.as_os_str().as_bytes()) else { return false };
            count += 1;
            let Ok(data) = entry.metadata() else { return false };
            let is_so = self.is_piece(entry.path(), &data, piece);
            if !is_so {
                return false;
            }
        }
        count == plan.len()
    }

    /// Tells whether what is at a path is what was planned.
    fn is_piece(&self, path: &Path, data: &fs::Metadata, piece: &Piece) -> bool {
        match piece {
            Piece::Folder => data.is_dir(),
            Piece::Link { target } => {
                data.is_symlink() && fs::read_link(path).is_ok_and(|found| found.as_os_str().as_bytes() == target)
            }
            Piece::File { id, executable } => {
                data.is_file()
                    && (data.permissions().mode() & 0o100 != 0) == *executable
                    // Of files that are part of this program no object is there.
                    && self.header(id).map_or(data.len() <= BODY_MAX, |(_, size)| size == data.len())
                    && fs::read(path).is_ok_and(|bytes| self.blob_id(&bytes).is_ok_and(|found| found == *id))
            }
        }
    }
}

fn plan_has_no(plan: &Plan, folder: &Path, path: &Path) -> bool {
    path.strip_prefix(folder).is_ok_and(|below| !plan.contains_key(below.as_os_str().as_bytes()))
}

/// Moves a folder away that is not what it should be; it stays for a day, for who changed it.
fn set_aside(folder: &Path, all: &Path) -> Result<Option<PathBuf>, StoreError> {
    if fs::symlink_metadata(folder).is_err() {
        return Ok(None);
    }
    let aside = tempfile::Builder::new().prefix(OLD).tempdir_in(all);
    let aside = aside.map_err(StoreError::io("create a folder in", all))?.keep().join("changed");
    match fs::rename(folder, &aside) {
        Ok(()) => Ok(Some(aside)),
        Err(error) if fs::symlink_metadata(folder).is_ok() => Err(StoreError::io("rename", folder)(error)),
        // Somebody else has moved it.
        Err(_) => Ok(None),
    }
}

/// Removes what killed processes left and what was set aside, once it is a day old. What cannot be removed is left.
fn sweep(all: &Path) {
    for entry in fs::read_dir(all).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let is_ours = [NEW, OLD].iter().any(|prefix| name.as_bytes().starts_with(prefix.as_bytes()));
        let age = entry.metadata().and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
        if is_ours && age.is_some_and(|age| age > KEPT) {
            remove_folder(&entry.path());
        }
    }
}

/// Removes a folder of ours, if it can be.
fn remove_folder(folder: &Path) {
    let _ = fs::remove_dir_all(folder);
}

/// Returns where a link leads, counted from the top; `None` if that is outside, or cannot be told from its words alone:
/// `..` may only stand at its beginning.
fn stays_inside(path: &[u8], target: &[u8]) -> Option<Vec<u8>> {
    if target.is_empty() || target.starts_with(b"/") || target.contains(&0) {
        return None;
    }
    let mut parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    parts.pop();
    let mut goes_up = true;
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b".." if goes_up => drop(parts.pop()?),
            b".." => return None,
            b"" | b"." => {}
            name => {
                goes_up = false;
                parts.push(name);
            }
        }
    }
    Some(parts.join(&b'/'))
}

fn write_piece(
    path: &Path,
    piece: &Piece,
    read: &dyn Fn(&ObjectId) -> Result<Vec<u8>, StoreError>,
) -> Result<(), StoreError> {
    match piece {
        Piece::Folder => fs::create_dir(path).map_err(StoreError::io("create", path)),
        Piece::Link { target } => symlink(OsStr::from_bytes(target), path).map_err(StoreError::io("create", path)),
        Piece::File { id, executable } => {
            let mode = if *executable { 0o555 } else { 0o444 };
            let opened = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
            let bytes = read(id)?;
            opened.and_then(|mut file| file.write_all(&bytes)).map_err(StoreError::io("write", path))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_kept_only_where_their_own_words_keep_them_inside() {
        let to = |path: &str, target: &str| stays_inside(path.as_bytes(), target.as_bytes());
        assert_eq!(to("a/b/l", "../c"), Some(b"a/c".to_vec()));
        assert_eq!(to("l", "a/./b//"), Some(b"a/b".to_vec()));
        assert_eq!(to("a/l", ".."), Some(Vec::new()));
        for (path, target) in [
            ("l", ".."),
            ("a/l", "../.."),
            ("l", "/etc/passwd"),
            ("l", "a/../.."),
            ("a/l", "b/.."),
            ("l", ""),
            ("l", "a\0b"),
        ] {
            assert_eq!(to(path, target), None, "{path} -> {target}");
        }
    }
}
