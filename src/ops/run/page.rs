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
use super::which::{Seen, SeenRuns};
use crate::model::ObjectId;
use crate::ops::{OpError, Workspace};
use crate::run::trace_md::{Edits, PAGE_MAX, Page, PageError, parse, render, take_in};
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
    /// It is empty, or cut off.
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
    let expected = render(&Page::of(run));
    // Nobody writes nothing, or what ends in the midst of what we wrote; a power cut does, and leaves zeros.
    let said = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    if bytes[..said].iter().all(u8::is_ascii_whitespace) {
        return Ok((FileState::Damaged, None));
    }
    let is_whole = bytes == expected.as_bytes();
    if !is_whole && expected.as_bytes().starts_with(&bytes[..said]) {
        // It may be all that an earlier commit had.
        let is_earlier = said == bytes.len() && is_ours(workspace, place, run, bytes)?;
        return Ok((if is_earlier { FileState::Outdated } else { FileState::Damaged }, None));
    }
    let refused = |error| RunError::Page { run: run.header.run.to_string(), file: place.shown.clone(), error };
    let text = text_of(bytes).map_err(refused)?;
    if text == expected {
        return Ok((FileState::Current, None));
    }
    if is_ours(workspace, place, run, text.as_bytes())? {
        return Ok((FileState::Outdated, None));
    }
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

/// Returns the text with line ends as they are written.
///
/// # Errors
/// The line of the first byte that no text has.
fn text_of(bytes: &[u8]) -> Result<String, PageError> {
    let bad = match std::str::from_utf8(bytes) {
        Ok(text) => match text.find('\0') {
            None => return Ok(text.replace("\r\n", "\n")),
            Some(at) => at,
        },
        Err(error) => error.valid_up_to(),
    };
    let line = 1 + bytes[..bad].iter().filter(|byte| **byte == b'\n').count();
    Err(PageError { line, reason: format!("byte 0x{:02x} is no text in UTF-8", bytes[bad]) })
}

/// Says why a file may not be written over; `None` if it holds nothing that anybody would miss, or what a run of this
/// clone had in this folder once.
///
/// # Errors
/// When history cannot be read.
pub(super) fn why_kept(workspace: &Workspace, folder: &str, bytes: &[u8]) -> Result<Option<String>, OpError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let Ok(text) = text_of(bytes) else { return Ok(Some("it is no text".to_owned())) };
    let found = writers(workspace, folder, text.as_bytes())?;
    Ok(match found.first() {
        _ if found.iter().any(|one| one.is_here) => None,
        Some(one) => Some(format!("it is of run '{}', which was begun elsewhere", one.run)),
        None => Some("it is of no run that is known here".to_owned()),
    })
}

/// Returns those of some runs of a folder that have written the `trace.md` that is there.
///
/// # Errors
/// When the file or history cannot be read.
pub(super) fn written_by<'s>(workspace: &Workspace, folder: &str, runs: &[&'s Seen]) -> Result<Vec<&'s Seen>, OpError> {
    let bytes = workspace.place_in(folder).map(|place| read(&place)).transpose()?.flatten();
    let Some(Ok(text)) = bytes.as_deref().map(text_of) else { return Ok(Vec::new()) };
    let id = workspace.repo.blob_id(text.as_bytes())?.to_string();
    let mut found = Vec::new();
    for one in runs {
        if written_for(workspace, &one.run, &id)? {
            found.push(*one);
        }
    }
    Ok(found)
}

/// Tells whether this is what was written for the run once, or for one of this clone that has made room for it.
///
/// # Errors
/// [`RunError::InTheWay`] when another run of the folder has written it: it is that one's file.
fn is_ours(workspace: &Workspace, place: &Place, run: &Run, text: &[u8]) -> Result<bool, OpError> {
    let id = workspace.repo.blob_id(text)?.to_string();
    if written_for(workspace, &run.header.run, &id)? {
        return Ok(true);
    }
    let Some(folder) = &run.header.folder else { return Ok(false) };
    let others = writers(workspace, folder, text)?;
    match others.first() {
        _ if others.iter().any(|one| one.is_here && one.told.is_aside) => Ok(true),
        Some(other) => {
            let reason = format!("it is of run '{}'", other.run);
            Err(RunError::InTheWay { file: place.shown.clone(), reason }.into())
        }
        None => Ok(false),
    }
}

/// Returns the runs of a folder that say that they wrote this.
fn writers(workspace: &Workspace, folder: &str, text: &[u8]) -> Result<Vec<Seen>, OpError> {
    let id = workspace.repo.blob_id(text)?.to_string();
    let SeenRuns { seen, .. } = workspace.seen_runs()?;
    let mut found = Vec::new();
    for one in seen.into_iter().filter(|one| workspace.is_in(one, folder)) {
        if written_for(workspace, &one.run, &id)? {
            found.push(one);
        }
    }
    Ok(found)
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
