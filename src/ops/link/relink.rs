//! `relink`: makes journal and index again, from the contexts and the code.

use std::collections::HashSet;
use std::time::SystemTime;

use super::commit::{Evidence, Reach};
use super::git_hook::no_longer_wait;
use super::index;
use super::journal::{Journal, Note, Noting};
use crate::link::LinkRecord;
use crate::model::{BodyKind, Commit, ObjectId, Operation, Role, TouchKind};
use crate::ops::{OpError, Workspace};
use crate::store::{Patience, StoreError};

/// Asks for the links to be found again.
#[derive(Debug, Clone, Default)]
pub struct Relink {
    /// Commits of the code in git's language; HEAD's history if nothing is named.
    pub range: Option<String>,
    /// Whether the index is made anew, for all that a branch or a tag can reach.
    pub all: bool,
    /// Whether nothing is to be written.
    pub dry_run: bool,
}

/// Says what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relinked {
    /// Commits of contexts that were read.
    pub traces: u64,
    /// Writes to files in them.
    pub writes: u64,
    /// Commits of the code that were looked at.
    pub commits: u64,
    /// Those that have a link now.
    pub linked: u64,
    /// Calls that wrote something in them.
    pub links: u64,
    /// Commits whose files are too large, or not here.
    pub partial: u64,
    /// The command that brings the former index back.
    pub undo: Option<String>,
}

/// Finds the links between code and contexts again. `progress` is told the number of commits done.
///
/// # Errors
/// When the range names nothing, or the repository cannot be read or written.
pub fn relink(workspace: &Workspace, request: &Relink, progress: &mut dyn FnMut(u64)) -> Result<Relinked, OpError> {
    let repo = &workspace.repo;
    let mut told = Relinked::default();
    let range = if request.all { None } else { Some(request.range.as_deref().unwrap_or("HEAD")) };
    if range.is_some_and(|range| range.starts_with('-')) {
        return Err(OpError::UnknownCode { name: range.unwrap_or_default().to_owned() });
    }
    let ids = match (repo.code_commit(), range) {
        (None, Some("HEAD")) => Vec::new(),
        _ => repo.code_range(range)?,
    };
    let started = SystemTime::now();
    let notes = collect(workspace, &mut told, progress)?;
    if !request.dry_run {
        let journal = Journal::of(workspace);
        let io = |source| StoreError::Io { action: "write", path: repo.trace_dir().join("writes"), source };
        repo.check_quarantine()?;
        std::fs::create_dir_all(repo.trace_dir()).map_err(io)?;
        journal.rebuild(&notes, started).map_err(io)?;
    }
    let evidence = match request.dry_run {
        true => Evidence::of_notes(workspace, notes),
        false => Evidence::new(workspace, Reach::Far),
    };
    let mut records: Vec<LinkRecord> = Vec::new();
    for id in ids {
        let Ok(commit) = repo.read_code_commit(&id) else { continue };
        told.commits += 1;
        let known = index::known(workspace, Some(&id), None);
        match evidence.link_commit(&commit, None, &known) {
            Ok(record) => {
                told.partial += u64::from(evidence.fell_short());
                records.push(record);
            }
            // Parts of a partial clone are not here.
            Err(OpError::Store(StoreError::Missing { .. })) => told.partial += 1,
            Err(error) => return Err(error),
        }
        progress(told.traces + told.commits);
    }
    told.linked = records.iter().filter(|record| !record.links.is_empty()).count() as u64;
    told.links = records.iter().map(|record| record.links.len() as u64).sum();
    if request.dry_run {
        return Ok(told);
    }
    let name = index::own_ref(workspace)?;
    let before = repo.find_ref_id(&name)?;
    index::store(workspace, &records, request.all, Patience::Whole)?;
    no_longer_wait(workspace, &records.iter().map(|record| record.commit).collect());
    if repo.find_ref_id(&name)? != before {
        told.undo = before.map(|before| format!("git update-ref {name} {before}"));
    }
    Ok(told)
}

/// Reads what was written to files from all contexts, those that were fetched included.
fn collect(workspace: &Workspace, told: &mut Relinked, progress: &mut dyn FnMut(u64)) -> Result<Vec<Note>, OpError> {
    let repo = &workspace.repo;
    let prefix = &repo.settings().ref_prefix;
    let mut tips: Vec<(String, ObjectId)> =
        repo.branches()?.into_iter().map(|(branch, id)| (branch.to_string(), id)).collect();
    let remotes = format!("{prefix}/remotes/");
    for (name, id) in repo.list_refs(&remotes)? {
        let parts: Vec<&str> = name[remotes.len()..].split('/').collect();
        if let [_, agent, branch] = parts[..] {
            tips.push((format!("{agent}/{branch}"), id));
        }
    }
    let mut seen: HashSet<ObjectId> = HashSet::new();
    let mut notes = Vec::new();
    for (branch, tip) in tips {
        let mut commits: Vec<Commit> = Vec::new();
        let mut stack = vec![tip];
        while let Some(id) = stack.pop() {
            // What somebody else made under our refs is no context.
            let Some(commit) = (!seen.contains(&id)).then(|| repo.read_commit(&id).ok()).flatten() else { continue };
            seen.insert(id);
            stack.extend(&commit.parents);
            commits.push(commit);
            told.traces += 1;
            progress(told.traces);
        }
        commits.sort_by_key(|commit| commit.committer.time.millis);
        let mut noting = Noting::new();
        for commit in commits {
            note(workspace, &branch, &commit, &mut noting)?;
        }
        notes.append(&mut noting.notes);
    }
    told.writes = notes.iter().filter(|note| !note.is_failure()).count() as u64;
    notes.sort_by_key(|note| note.millis);
    Ok(notes)
}

fn note(workspace: &Workspace, branch: &str, commit: &Commit, noting: &mut Noting) -> Result<(), OpError> {
    if !matches!(commit.facts.operation, Operation::Append | Operation::Edit) {
        return Ok(());
    }
    // An edit by hand wrote no file; one of a session is more of its message.
    if commit.facts.operation == Operation::Edit && commit.facts.session.is_none() {
        return Ok(());
    }
    for touch in &commit.facts.entries {
        touch.field("cwd").into_iter().for_each(|folder| noting.set_folder(folder));
        if !matches!(touch.kind, TouchKind::Added | TouchKind::Changed) {
            continue;
        }
        let repo = &workspace.repo;
        let Some(entry) = repo.find_entry(commit, touch.id)? else { continue };
        if entry.kind != BodyKind::Json {
            continue;
        }
        let Ok(body) = repo.read_blob(&entry.body) else { continue };
        let told = touch.field("at").and_then(|at| at.parse::<crate::model::Time>().ok());
        let millis = told.unwrap_or(commit.committer.time).millis;
        noting.look(entry.body, &body, entry.role == Role::Assistant);
        noting.stored(workspace, || Note {
            millis,
            is_dated: told.is_some(),
            branch: branch.to_owned(),
            session: commit.facts.session.clone(),
            entry: touch.id,
            trace: commit.id,
            body: entry.body,
            call: String::new(),
            path: String::new(),
        });
    }
    Ok(())
}
