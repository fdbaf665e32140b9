//! The file `trace.md` of a run: what state it is in, and how it is written.
//!
//! A file that git trace has written is told by its object id, which the commit of that moment names (`Trace-Page`). So
//! what was left by a killed process, a reset branch or an older commit of the code is out of date, and not edited.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::Serialize;

use super::RunError;
use super::place::Place;
use super::trailers::PAGE;
use super::which::SeenRuns;
use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};
use crate::run::trace_md::{Edits, PAGE_MAX, Page, parse, render, take_in};
use crate::run::{Run, RunId};
use crate::store::StoreError;

/// What a file is called until it is whole. One process at a time writes it.
const UNFINISHED: &str = ".trace.md.git-trace";

/// Says how the file stands to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileState {
    /// It says what the commits say.
    Current,
    /// There is none.
    Missing,
    /// It is as it was written earlier.
    Outdated,
    /// It is empty, cut off, or no text.
    Damaged,
    /// Somebody has written in it.
    Edited,
    /// Somebody has written in it what cannot be taken in, or it is somebody else's.
    Refused,
}

/// Holds the file as it was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) state: FileState,
    /// Its bytes.
    pub(super) bytes: Option<Vec<u8>>,
    /// What was written in it.
    pub(super) edits: Option<Edits>,
}

/// Reads the file and says how it stands.
///
/// # Errors
/// When what was written in it cannot be taken in, or it is no file of ours.
pub(super) fn look(workspace: &Workspace, place: &Place, run: &Run, now: &str) -> Result<Found, OpError> {
    let Some(bytes) = read(place)? else {
        return Ok(Found { state: FileState::Missing, bytes: None, edits: None });
    };
    let (state, edits) = judge(workspace, place, run, &bytes, now)?;
    Ok(Found { state, bytes: Some(bytes), edits })
}

fn judge(
    workspace: &Workspace,
    place: &Place,
    run: &Run,
    bytes: &[u8],
    now: &str,
) -> Result<(FileState, Option<Edits>), OpError> {
    let Some(text) = text_of(bytes) else { return Ok((FileState::Damaged, None)) };
    let expected = render(&Page::of(run));
    if text == expected {
        return Ok((FileState::Current, None));
    }
    if is_ours(workspace, run, &text)? {
        return Ok((FileState::Outdated, None));
    }
    if expected.starts_with(&text) {
        return Ok((FileState::Damaged, None));
    }
    let refused = |error| RunError::Page { run: run.header.run.to_string(), file: place.shown.clone(), error };
    let parsed = parse(&text).map_err(refused)?;
    let edits = take_in(run, &parsed, now).map_err(refused)?;
    match edits.is_empty() {
        true => Ok((FileState::Outdated, None)),
        false => Ok((FileState::Edited, Some(edits))),
    }
}

/// Reads the file; `None` if there is none.
///
/// # Errors
/// When it is no file, or too large.
pub(super) fn read(place: &Place) -> Result<Option<Vec<u8>>, OpError> {
    let in_the_way = |reason: String| RunError::InTheWay { file: place.shown.clone(), reason };
    match fs::symlink_metadata(&place.path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(StoreError::Io { action: "read", path: place.path.clone(), source: error }.into()),
        Ok(found) if !found.is_file() => return Err(in_the_way("it is no plain file".to_owned()).into()),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let opened = File::open(&place.path).and_then(|file| file.take(PAGE_MAX + 1).read_to_end(&mut bytes));
    opened.map_err(|source| StoreError::Io { action: "read", path: place.path.clone(), source })?;
    if bytes.len() as u64 > PAGE_MAX {
        return Err(in_the_way(format!("it has more than {PAGE_MAX} bytes")).into());
    }
    Ok(Some(bytes))
}

/// Returns the text with line ends as they are written; `None` if it is none, or empty.
fn text_of(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0') && !text.trim().is_empty())?;
    Some(text.replace("\r\n", "\n"))
}

/// Tells whether a file holds nothing that anybody would miss, or what a run of this folder had there once.
///
/// # Errors
/// When history cannot be read.
pub(super) fn is_free(workspace: &Workspace, folder: &str, bytes: &[u8]) -> Result<bool, OpError> {
    let Some(text) = text_of(bytes) else { return Ok(bytes.iter().all(u8::is_ascii_whitespace)) };
    let id = workspace.repo.blob_id(text.as_bytes())?.to_string();
    written_in(workspace, folder, &id)
}

/// Tells whether this is a text that was written for the run, or for another one in its folder.
fn is_ours(workspace: &Workspace, run: &Run, text: &str) -> Result<bool, OpError> {
    let id = workspace.repo.blob_id(text.as_bytes())?.to_string();
    if written_for(workspace, &run.header.run, &id)? {
        return Ok(true);
    }
    match &run.header.folder {
        Some(folder) => written_in(workspace, folder, &id),
        None => Ok(false),
    }
}

fn written_in(workspace: &Workspace, folder: &str, id: &str) -> Result<bool, OpError> {
    let SeenRuns { seen, .. } = workspace.seen_runs()?;
    for one in seen.iter().filter(|one| workspace.is_in(one, folder)) {
        if written_for(workspace, &one.run, id)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tells whether a commit of the run says that it wrote this: one of its branch, or one that the branch was at once.
fn written_for(workspace: &Workspace, run: &RunId, id: &str) -> Result<bool, OpError> {
    let repo = &workspace.repo;
    let ref_name = workspace.run_target(run).ref_name;
    let Some(tip) = repo.find_ref_id(&ref_name)? else { return Ok(false) };
    for commit in repo.history(&[tip], &[])? {
        if commit?.facts.trailer(PAGE) == Some(id) {
            return Ok(true);
        }
    }
    let logged: Vec<ObjectId> = repo.logged_ids(&ref_name)?;
    Ok(logged.iter().filter_map(|id| repo.read_commit(id).ok()).any(|commit| commit.facts.trailer(PAGE) == Some(id)))
}

/// Writes the file, whole or not at all. What is there has to be what was `found`; `None` if it was not written,
/// because somebody has changed it just now.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(place: &Place, text: &str, found: Option<&[u8]>) -> Result<Option<()>, OpError> {
    if found == Some(text.as_bytes()) {
        return Ok(Some(()));
    }
    let io = |action, path: &Path, source| OpError::from(StoreError::Io { action, path: path.to_owned(), source });
    fs::create_dir_all(&place.dir).map_err(|source| io("create", &place.dir, source))?;
    let unfinished = place.dir.join(UNFINISHED);
    // Left by somebody who was killed, or laid there to lead us elsewhere.
    let _ = fs::remove_file(&unfinished);
    let made = OpenOptions::new().write(true).create_new(true).mode(0o666).open(&unfinished);
    let written = made.and_then(|mut file| {
        if let Ok(old) = fs::metadata(&place.path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(text.as_bytes())
    });
    let put = written.map_err(|source| io("write", &unfinished, source)).and_then(|()| {
        if read(place)?.as_deref() != found {
            return Ok(None);
        }
        fs::rename(&unfinished, &place.path).map_err(|source| io("write", &place.path, source))?;
        Ok(Some(()))
    });
    if !matches!(put, Ok(Some(()))) {
        let _ = fs::remove_file(&unfinished);
    }
    put
}

/// Writes the file of a run that makes room for another one, beside it.
///
/// # Errors
/// When something else has that name.
pub(super) fn keep_beside(place: &Place, text: &str) -> Result<(), OpError> {
    match read(place)? {
        None => match write(place, text, None)? {
            Some(()) => Ok(()),
            None => Err(OpError::Busy),
        },
        Some(bytes) if bytes == text.as_bytes() => Ok(()),
        Some(_) => {
            let reason = "the trace of an earlier run is to be kept there".to_owned();
            Err(RunError::InTheWay { file: place.shown.clone(), reason }.into())
        }
    }
}
