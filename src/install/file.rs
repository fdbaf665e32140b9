//! Files of the user's: read with care, changed whole or not at all.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The largest file that is changed, in bytes.
const FILE_MAX: u64 = 4 << 20;

/// Says why a file is not changed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It leads out of the folder that it has to be in.
    #[error("'{}' leads out of '{}'", path.display(), root.display())]
    LeadsOut {
        /// The file.
        path: PathBuf,
        /// The folder.
        root: PathBuf,
    },
    /// Something else than a file is there.
    #[error("'{}' is not a file", path.display())]
    NotAFile {
        /// What is there.
        path: PathBuf,
    },
    /// It may not be written.
    #[error("'{}' is read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// It is larger than such a file is.
    #[error("'{}' has {size} bytes; the limit is {FILE_MAX}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        size: u64,
    },
    /// Somebody else changed it in the meantime.
    #[error("'{}' changed in the meantime", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The system said no.
    #[error("cannot {action} '{}': {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io { action, path, source }
}

/// Says what is to become of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEdit {
    /// The file itself: no link.
    pub path: PathBuf,
    /// What it holds now; `None` if it is not there.
    pub before: Option<Vec<u8>>,
    /// What it is to hold; `None` if it is to go.
    pub after: Option<Vec<u8>>,
    /// The mode of a file that is new; another one keeps its own.
    pub mode: u32,
}

/// Says what is to be done with the files of the user's, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A file gets other bytes, comes or goes.
    Edit(FileEdit),
    /// Something gets another name in its folder; nothing has that name.
    Rename {
        /// What it is called.
        from: PathBuf,
        /// What it is to be called.
        to: PathBuf,
    },
    /// A link is made; nothing has its name.
    Link {
        /// The link.
        path: PathBuf,
        /// Where it leads, as it is written into it.
        target: PathBuf,
    },
    /// A link goes.
    RemoveLink {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A folder goes, if nothing is in it.
    RemoveFolder(PathBuf),
}

/// Reads a file that is to be changed, which has to be within `root`. Returns where it really is, and what it holds.
///
/// # Errors
/// When it is no file within `root`, or cannot be changed.
pub fn read(path: &Path, root: &Path) -> Result<(PathBuf, Option<Vec<u8>>), FileError> {
    let root = root.canonicalize().map_err(io_error("find", root))?;
    let leads_out = || FileError::LeadsOut { path: path.to_owned(), root: root.clone() };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The nearest folder that is there says where the file would be.
            let above = path.ancestors().skip(1).find(|above| fs::symlink_metadata(above).is_ok());
            let above = above.ok_or_else(leads_out)?;
            let real = above.canonicalize().map_err(io_error("find", above))?;
            if !real.starts_with(&root) {
                return Err(leads_out());
            }
            if !real.is_dir() {
                return Err(FileError::Io {
                    action: "create",
                    path: path.to_owned(),
                    source: io::Error::other(format!("'{}' is not a folder", above.display())),
                });
            }
            let below = path.strip_prefix(above).expect("it is one of its ancestors");
            return Ok((real.join(below), None));
        }
        Err(error) => return Err(io_error("read", path)(error)),
    };
    let real = match path.canonicalize() {
        Err(error) if found.is_symlink() && error.kind() == io::ErrorKind::NotFound => return Err(leads_out()),
        real => real.map_err(io_error("find", path))?,
    };
    if !real.starts_with(&root) {
        return Err(leads_out());
    }
    let data = fs::metadata(&real).map_err(io_error("read", &real))?;
    if !data.is_file() {
        return Err(FileError::NotAFile { path: path.to_owned() });
    }
    if data.len() > FILE_MAX {
        return Err(FileError::TooLarge { path: path.to_owned(), size: data.len() });
    }
    let bytes = fs::read(&real).map_err(io_error("read", &real))?;
    if data.permissions().readonly() {
        return Err(FileError::ReadOnly { path: path.to_owned() });
    }
    Ok((real, Some(bytes)))
}

/// Carries changes out; if one fails, those before it are taken back. Returns the folders that were made for them.
///
/// # Errors
/// When a file cannot be written, or changed since it was read.
pub fn apply(changes: &[Change]) -> Result<Vec<PathBuf>, FileError> {
    let mut made = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        if let Err(error) = carry_out(change, &mut made) {
            for done in changes[..at].iter().rev() {
                // Best effort: the first error is what is told.
                let _ = take_back(done);
            }
            for folder in made.iter().rev() {
                let _ = fs::remove_dir(folder);
            }
            return Err(error);
        }
    }
    Ok(made)
}

fn carry_out(change: &Change, made: &mut Vec<PathBuf>) -> Result<(), FileError> {
    match change {
        Change::Edit(edit) => {
            let now = match fs::read(&edit.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                now => Some(now.map_err(io_error("read", &edit.path))?),
            };
            if now != edit.before {
                return Err(FileError::Changed { path: edit.path.clone() });
            }
            write(edit, made)
        }
        Change::Rename { from, to } => rename(from, to),
        Change::Link { path, target } => link(path, target, made),
        Change::RemoveLink { path, target } => remove_link(path, target),
        Change::RemoveFolder(folder) => match fs::remove_dir(folder) {
            // Somebody else's files are in it, or it is gone.
            Ok(()) | Err(_) => Ok(()),
        },
    }
}

/// Undoes a change, if what it left is still there: what somebody else wrote since then is theirs.
fn take_back(change: &Change) -> Result<(), FileError> {
    match change {
        Change::Edit(edit) => {
            if fs::read(&edit.path).ok() != edit.after {
                return Err(FileError::Changed { path: edit.path.clone() });
            }
            let back = FileEdit { before: edit.after.clone(), after: edit.before.clone(), ..edit.clone() };
            write(&back, &mut Vec::new())
        }
        Change::Rename { from, to } => rename(to, from),
        Change::Link { path, target } => remove_link(path, target),
        Change::RemoveLink { path, target } => link(path, target, &mut Vec::new()),
        Change::RemoveFolder(folder) => fs::create_dir(folder).map_err(io_error("create", folder)),
    }
}

/// Gives a file another name, and never takes that name from another one.
fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(io::Error::from) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(FileError::Changed { path: to.to_owned() });
            }
            // Some file systems cannot do it in one step; any other error comes again below.
            Err(_) => {}
        }
    }
    if fs::symlink_metadata(to).is_ok() {
        return Err(FileError::Changed { path: to.to_owned() });
    }
    fs::rename(from, to).map_err(io_error("rename", from))
}

fn link(path: &Path, target: &Path, made: &mut Vec<PathBuf>) -> Result<(), FileError> {
    make_folder_of(path, made)?;
    std::os::unix::fs::symlink(target, path).map_err(io_error("write", path))
}

fn remove_link(path: &Path, target: &Path) -> Result<(), FileError> {
    if fs::read_link(path).ok().as_deref() != Some(target) {
        return Err(FileError::Changed { path: path.to_owned() });
    }
    fs::remove_file(path).map_err(io_error("remove", path))
}

/// Makes the folder of a file, and those above it. Returns the folder.
fn make_folder_of<'p>(path: &'p Path, made: &mut Vec<PathBuf>) -> Result<&'p Path, FileError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let missing: Vec<&Path> = folder.ancestors().take_while(|above| !above.exists()).collect();
    for above in missing.into_iter().rev() {
        fs::create_dir(above).map_err(io_error("create", above))?;
        made.push(above.to_owned());
    }
    Ok(folder)
}

fn write(edit: &FileEdit, made: &mut Vec<PathBuf>) -> Result<(), FileError> {
    let path = &edit.path;
    let Some(bytes) = &edit.after else {
        return fs::remove_file(path).map_err(io_error("remove", path));
    };
    let folder = make_folder_of(path, made)?;
    // A new file gets what the user's mask leaves of its mode; an old one keeps its own.
    let mut builder = tempfile::Builder::new();
    builder.prefix(".git-trace-").permissions(Permissions::from_mode(edit.mode));
    let mut file = builder.tempfile_in(folder).map_err(io_error("write", path))?;
    file.write_all(bytes).and_then(|()| file.flush()).map_err(io_error("write", path))?;
    if let Ok(found) = fs::metadata(path) {
        let mode = Permissions::from_mode(found.permissions().mode() & 0o7777);
        file.as_file().set_permissions(mode).map_err(io_error("write", path))?;
    }
    file.as_file().sync_all().map_err(io_error("write", path))?;
    if edit.before.is_none() {
        return file.persist_noclobber(path).map(drop).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => FileError::Changed { path: path.clone() },
            _ => io_error("write", path)(error.error),
        });
    }
    file.persist(path).map(drop).map_err(|error| io_error("write", path)(error.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(path: &Path, before: Option<&str>, after: Option<&str>) -> Change {
        let bytes = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
        Change::Edit(FileEdit { path: path.to_owned(), before: bytes(before), after: bytes(after), mode: 0o644 })
    }

    #[test]
    fn changes_are_all_carried_out_or_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "one").expect("a file");
        fs::set_permissions(at("a"), Permissions::from_mode(0o750)).expect("a mode");
        fs::write(at("b"), "two").expect("a file");
        let rename = |from: &str, to: &str| Change::Rename { from: at(from), to: at(to) };
        let good = [edit(&at("a"), Some("one"), Some("new")), edit(&at("x/y/c"), None, Some("c")), rename("b", "d")];
        let bad = edit(&at("e"), Some("is not there"), None);
        let all: Vec<Change> = good.iter().cloned().chain([bad]).collect();
        assert!(matches!(apply(&all), Err(FileError::Changed { .. })));
        assert_eq!(fs::read_to_string(at("a")).expect("a file"), "one");
        assert_eq!(fs::read_to_string(at("b")).expect("a file"), "two");
        assert!(!at("x").exists() && !at("d").exists());

        assert_eq!(apply(&good).expect("carried out"), [at("x"), at("x/y")]);
        assert_eq!(fs::read_to_string(at("a")).expect("a file"), "new");
        assert_eq!(fs::metadata(at("a")).expect("a file").permissions().mode() & 0o777, 0o750);
        assert_eq!(fs::read_to_string(at("d")).expect("a file"), "two");
        assert!(matches!(apply(&[rename("a", "d")]), Err(FileError::Changed { .. })), "nothing is written over");
        let names: Vec<_> = fs::read_dir(folder.path()).expect("a folder").filter_map(Result::ok).collect();
        assert_eq!(names.len(), 3, "no temporary file is left");
    }

    #[test]
    fn only_what_is_still_ours_is_taken_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "theirs now").expect("a file");
        assert!(take_back(&edit(&at("a"), None, Some("ours"))).is_err());
        assert_eq!(fs::read_to_string(at("a")).expect("a file"), "theirs now");
        fs::write(at("moved"), "the first").expect("a file");
        assert!(take_back(&Change::Rename { from: at("a"), to: at("moved") }).is_err(), "the name is taken again");
        assert_eq!(fs::read_to_string(at("a")).expect("a file"), "theirs now");
        assert_eq!(fs::read_to_string(at("moved")).expect("a file"), "the first");
        // A link is moved, not what it leads to.
        std::os::unix::fs::symlink("nowhere", at("link")).expect("a link");
        rename(&at("link"), &at("other")).expect("the name is free");
        assert_eq!(fs::read_link(at("other")).expect("a link"), Path::new("nowhere"));
        assert!(fs::symlink_metadata(at("link")).is_err());
    }

    #[test]
    fn what_is_no_file_of_the_folder_is_refused() {
        use std::os::unix::fs::symlink;
        let outside = tempfile::tempdir().expect("a folder");
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(outside.path().join("secret"), "x").expect("a file");
        symlink(outside.path().join("secret"), at("link")).expect("a link");
        symlink(outside.path(), at("folder")).expect("a link");
        symlink(outside.path().join("nowhere"), at("dangling")).expect("a link");
        fs::write(at("file"), "f").expect("a file");
        symlink("file", at("inside")).expect("a link");
        fs::create_dir(at("directory")).expect("a folder");
        fs::write(at("fixed"), "x").expect("a file");
        fs::set_permissions(at("fixed"), Permissions::from_mode(0o444)).expect("a mode");
        fs::File::create(at("huge")).and_then(|file| file.set_len(FILE_MAX + 1)).expect("a file");
        let read = |name: &str| read(&at(name), folder.path());
        for name in ["link", "folder/secret", "folder/new", "folder/new/new", "dangling"] {
            assert!(matches!(read(name), Err(FileError::LeadsOut { .. })), "{name}");
        }
        assert!(matches!(read("directory"), Err(FileError::NotAFile { .. })));
        assert!(matches!(read("fixed"), Err(FileError::ReadOnly { .. })));
        assert!(matches!(read("huge"), Err(FileError::TooLarge { .. })));
        assert!(matches!(read("file/below"), Err(FileError::Io { .. })));
        let real = folder.path().canonicalize().expect("it is there");
        assert_eq!(read("inside").expect("a file"), (real.join("file"), Some(b"f".to_vec())));
        assert_eq!(read("new/file").expect("it may be made"), (real.join("new/file"), None));
    }
}
