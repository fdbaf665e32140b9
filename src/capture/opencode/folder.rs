//! The storage folder: `session/<project>/<id>.json`, `message/<session>/<id>.json`, `part/<message>/<id>.json`.
//!
//! Names of files are ids; no id that stands in a file names a file. Links are not followed.

use std::collections::HashMap;
use std::fs::DirEntry;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Session, Store, Stored};
use crate::capture::CaptureError;
use crate::capture::bounded::{FILE_BYTES, open};
use crate::capture::members::Members;

/// More files than this are no session's.
const FILES: usize = 1_000_000;
/// A session's own file, or a folder of a project, is not larger.
const INFO_BYTES: u64 = 1 << 22;

/// Returns the storage folder that a path is, or is in, and the session that it names.
pub(super) fn root_of(path: &Path) -> Option<(PathBuf, Option<String>)> {
    let is_root = |path: &Path| path.join("message").is_dir() && path.join("part").is_dir();
    let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    if is_root(path) {
        return Some((path.to_owned(), None));
    }
    let parent = path.parent()?;
    if is_root(parent) && !matches!(name(path).as_deref(), Some("message" | "part" | "session")) {
        return Some((parent.to_owned(), name(path).filter(|_| !path.exists())))
            .filter(|(_, session)| session.is_some());
    }
    let above = parent.parent()?;
    if name(parent).as_deref() == Some("message") && is_root(above) {
        return Some((above.to_owned(), name(path)));
    }
    let root = above.parent()?;
    if name(above).as_deref() == Some("session") && is_root(root) && path.extension().is_some_and(|end| end == "json") {
        return Some((root.to_owned(), path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned)));
    }
    None
}

/// The storage folder.
pub(super) struct Folder {
    pub(super) root: PathBuf,
}

impl Store for Folder {
    fn list(&self) -> Result<Vec<(String, Option<String>)>, CaptureError> {
        let infos = self.infos()?;
        let mut found: Vec<(Option<i64>, String, Option<String>)> = Vec::new();
        for (id, is_folder) in entries(&self.root.join("message"))? {
            if is_folder {
                let info = infos.get(&id).and_then(|text| Members::parse(text));
                let created = info.as_ref().and_then(|info| info.object("time").time("created"));
                found.push((created.map(|time| time.millis), id, info.and_then(|info| info.name("parentID"))));
            }
        }
        found.sort();
        Ok(found.into_iter().map(|(_, id, parent)| (id, parent)).collect())
    }

    fn session(&self, id: &str) -> Result<Session, CaptureError> {
        let text = self.info(id)?;
        let info = text.as_deref().and_then(Members::parse).unwrap_or_default();
        let mut session = Session {
            title: info.name("title"),
            folder: info.name("directory"),
            parent: info.name("parentID"),
            ..Session::default()
        };
        let mut bytes = 0;
        for message in read_all(&self.root.join("message").join(id), &mut bytes, &mut session.broken)? {
            let parts = read_all(&self.root.join("part").join(&message.id), &mut bytes, &mut session.broken)?;
            session.messages.push((message, parts));
        }
        let created = |stored: &Stored| {
            Members::parse(&stored.json).and_then(|info| info.object("time").time("created")).map(|time| time.millis)
        };
        // By time, then by id, as the database's rows are.
        session.messages.sort_by_cached_key(|(message, _)| (created(message), message.id.clone()));
        Ok(session)
    }
}

impl Folder {
    /// Reads what is stored about each session.
    fn infos(&self) -> Result<HashMap<String, String>, CaptureError> {
        let mut found = HashMap::new();
        for project in self.projects()? {
            for (file, is_folder) in entries(&project)? {
                if let Some(id) = file.strip_suffix(".json").filter(|_| !is_folder) {
                    found.insert(id.to_owned(), read_info(&project.join(&file))?);
                }
            }
        }
        Ok(found)
    }

    /// Reads what is stored about one session; its id is the name of a folder that is there.
    fn info(&self, id: &str) -> Result<Option<String>, CaptureError> {
        let files = self.projects()?.into_iter().map(|project| project.join(format!("{id}.json")));
        let is_file = |path: &PathBuf| std::fs::symlink_metadata(path).is_ok_and(|data| data.is_file());
        files.into_iter().find(is_file).map(|path| read_info(&path)).transpose()
    }

    /// Lists the folders of projects.
    fn projects(&self) -> Result<Vec<PathBuf>, CaptureError> {
        let folder = self.root.join("session");
        let entries = entries(&folder)?.into_iter().filter(|(_, is_folder)| *is_folder);
        Ok(entries.map(|(name, _)| folder.join(name)).collect())
    }
}

/// Reads what is stored about a session; what is too large for that, or no text, says nothing.
fn read_info(path: &Path) -> Result<String, CaptureError> {
    let mut bytes = Vec::new();
    open(path)?.take(INFO_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

/// Reads the JSON files of a folder, by name; none where there is no such folder.
fn read_all(folder: &Path, bytes: &mut u64, broken: &mut u64) -> Result<Vec<Stored>, CaptureError> {
    let mut found = Vec::new();
    for (file, is_folder) in entries(folder)? {
        let Some(id) = file.strip_suffix(".json").filter(|_| !is_folder) else { continue };
        let mut json = String::new();
        match open(&folder.join(&file))?.take(FILE_BYTES + 1 - *bytes).read_to_string(&mut json) {
            Ok(read) => *bytes += read as u64,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                *broken += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        if *bytes > FILE_BYTES {
            return Err(CaptureError::TooLarge { max: FILE_BYTES });
        }
        found.push(Stored { id: id.to_owned(), json });
    }
    Ok(found)
}

/// Lists a folder's files and folders by name, with whether each is a folder; links and other things are left out.
fn entries(folder: &Path) -> Result<Vec<(String, bool)>, CaptureError> {
    let is_folder = std::fs::symlink_metadata(folder).is_ok_and(|data| data.is_dir());
    if !is_folder {
        return Ok(Vec::new());
    }
    let of = |entry: DirEntry| -> io::Result<Option<(String, bool)>> {
        let kind = entry.file_type()?;
        let name = entry.file_name().into_string().ok();
        Ok(name.filter(|_| kind.is_dir() || kind.is_file()).map(|name| (name, kind.is_dir())))
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        found.extend(of(entry?)?);
        if found.len() > FILES {
            return Err(CaptureError::TooLarge { max: FILE_BYTES });
        }
    }
    found.sort();
    Ok(found)
}
