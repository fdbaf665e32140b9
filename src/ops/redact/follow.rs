//! What names commits outside of history follows: the index of links, what was noted of writes, what imports remember.

use std::collections::HashMap;
use std::fs;

use super::cut::Cut;
use super::history::History;
use crate::link::Link;
use crate::model::{ObjectId, Person};
use crate::ops::link::{change_writes, rewritten, written_ref};
use crate::ops::{OpError, Workspace};
use crate::store::{RefMove, StoreError};

/// Makes the own index anew, with the names that commits have now and without what is to go; `None` if it stays.
pub(super) fn index(
    workspace: &Workspace,
    history: &mut History<'_>,
    cut: &Cut<'_>,
    who: &Person,
) -> Result<Option<RefMove>, OpError> {
    let Some(name) = written_ref(workspace) else { return Ok(None) };
    let Some(old) = workspace.repo.find_ref_id(&name)? else { return Ok(None) };
    let mut is_changed = false;
    let files = rewritten(workspace, &mut |record| {
        for link in &mut record.links {
            let new = follow_link(link, history, cut);
            is_changed |= new != *link;
            *link = new;
        }
    })?;
    if !is_changed {
        return Ok(None);
    }
    let new = history.rewrite.put_index(files, who)?;
    Ok(Some(RefMove { name, old: Some(old), new: Some(new), log_of: None }))
}

fn follow_link(link: &Link, history: &History<'_>, cut: &Cut<'_>) -> Link {
    let mut new = link.clone();
    new.trace = history.renamed(&link.trace).unwrap_or(link.trace);
    new.call = cut.id(&link.call).unwrap_or(new.call);
    new.path = cut.line(&link.path).unwrap_or(new.path);
    new
}

/// What has another name now, for what is remembered under the git directory.
pub(super) struct Followed<'a> {
    commits: HashMap<ObjectId, ObjectId>,
    bodies: HashMap<ObjectId, ObjectId>,
    cut: &'a Cut<'a>,
}

impl<'a> Followed<'a> {
    pub(super) fn of(history: &History<'_>, cut: &'a Cut<'a>) -> Self {
        Followed { commits: history.changed.iter().copied().collect(), bodies: history.renamed_bodies(), cut }
    }

    /// Carries the new names over into the files.
    pub(super) fn carry_over(&self, workspace: &Workspace) -> Result<(), OpError> {
        let folder = workspace.trace_dir().join("watermarks");
        for file in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
            let path = file.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                self.carry_into(&path)?;
            }
        }
        change_writes(workspace, &|mut note| {
            note.trace = self.commits.get(&note.trace).copied().unwrap_or(note.trace);
            note.body = self.bodies.get(&note.body).copied().unwrap_or(note.body);
            note.call = self.cut.id(&note.call).unwrap_or(note.call);
            note.path = self.cut.line(&note.path).unwrap_or(note.path);
            Some(note)
        })
    }

    /// Puts the new ids of commits in the place of the old ones.
    fn carry_into(&self, path: &std::path::Path) -> Result<(), OpError> {
        let io = |source| OpError::from(StoreError::Io { action: "write", path: path.to_owned(), source });
        let text = fs::read_to_string(path).map_err(io)?;
        let mut new = String::with_capacity(text.len());
        let mut rest = text.as_str();
        let is_digit = |one: char| one.is_ascii_hexdigit();
        while let Some(start) = rest.find(is_digit) {
            let length = rest[start..].find(|one| !is_digit(one)).unwrap_or(rest.len() - start);
            let word = &rest[start..start + length];
            let renamed = word.parse::<ObjectId>().ok().and_then(|id| self.commits.get(&id));
            new += &rest[..start];
            new += &renamed.map_or_else(|| word.to_owned(), ToString::to_string);
            rest = &rest[start + length..];
        }
        new += rest;
        if new == text {
            return Ok(());
        }
        let temporary = path.with_extension(format!("{:08x}", fastrand::u32(..)));
        fs::write(&temporary, new).and_then(|()| fs::rename(&temporary, path)).map_err(io)
    }
}
