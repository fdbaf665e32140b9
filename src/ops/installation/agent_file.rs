//! One agent's file: what has to become of it.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use super::{InstallError, Scene, missing_folders};
use crate::install::{
    AgentFile, AgentHooks, Change, Document, Entries, FileEdit, FileError, Form, entries, exclude, hash, read, without,
};
use crate::ops::OpError;

/// Bytes of a file that cannot be changed in which our name is looked for.
const SEARCHED_MAX: u64 = 4 << 20;

/// What has to be done to one file, and what to tell.
pub(in crate::ops) struct AgentPlan {
    /// The file, as people write it.
    pub(in crate::ops) shown: String,
    /// One word for what happens to it.
    pub(in crate::ops) state: &'static str,
    pub(in crate::ops) changes: Vec<Change>,
}

/// Plans to put an agent's hooks into its file, and remembers it in the scene's record.
pub(in crate::ops) fn plan_add(scene: &mut Scene<'_>, hooks: &AgentHooks, shared: bool) -> Result<AgentPlan, OpError> {
    let below = hooks.file(shared);
    let path = scene.work_tree.join(below);
    let (real, before) = read(&path, &scene.work_tree).map_err(InstallError::File)?;
    let plan = |state, changes| Ok(AgentPlan { shown: below.to_owned(), state, changes });
    let known = scene.record.file(&real).cloned();
    let mut original = known.as_ref().and_then(|known| known.original.clone());
    let (after, inserted, empty) = match &hooks.form {
        Form::Whole(text) => match &before {
            Some(now) if now == text.as_bytes() => return plan("unchanged", Vec::new()),
            Some(now) if !is_own_text(now) => return Err(InstallError::NotOurs { path: below.to_owned() }.into()),
            _ => (text.as_bytes().to_vec(), Vec::new(), Vec::new()),
        },
        Form::Entries(form) => {
            let settings = |source| InstallError::Settings { path: below.to_owned(), source };
            let now = Document::parse(before.as_deref().unwrap_or_default()).map_err(settings)?;
            let presence = entries::presence(&now, hooks.agent, form).map_err(settings)?;
            if presence == entries::Presence::Whole {
                return plan("unchanged", Vec::new());
            }
            if known.is_none() && presence == entries::Presence::Partial {
                // Nobody knows of it: the user wrote it.
                original = before.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            }
            let base = bare(before.as_deref(), known.as_ref(), &now).map_err(settings)?;
            edited(&base, hooks, form).map_err(settings)?
        }
    };
    if before.is_some() && !shared && is_tracked(scene, &path, &real)? {
        return Err(InstallError::Tracked { path: below.to_owned(), agent: hooks.agent.name() }.into());
    }
    let made = known.as_ref().map_or(before.is_none(), |known| known.made);
    let excluded = hidden_by(scene, &path, below).filter(|_| made && !shared);
    let made_folders = match known {
        Some(known) => known.made_folders,
        None => missing_folders(&real),
    };
    let state = if before.is_none() { "made" } else { "added" };
    scene.record.forget(&real);
    scene.record.agents.push(AgentFile {
        agent: hooks.agent.name().to_owned(),
        path: real.clone(),
        work_tree: scene.work_tree.clone(),
        shared,
        hash: hash(&after),
        inserted,
        made,
        made_folders,
        empty,
        excluded,
        original,
    });
    plan(state, vec![Change::Edit(FileEdit { path: real, before, after: Some(after), mode: 0o666 })])
}

/// Returns the line that has to keep a file out of `git status`; `None` if git ignores it anyway.
fn hidden_by(scene: &Scene<'_>, path: &std::path::Path, below: &str) -> Option<String> {
    let line = exclude::line(below);
    // Where the line is ours already, for another worktree or an earlier time, this one needs it too.
    let is_ours = scene.record.excluded().contains(&line.as_str());
    (is_ours || !scene.workspace.repo.is_ignored(&scene.work_tree, path)).then_some(line)
}

/// Plans to take an agent's hooks out of one of its files; `None` if there are none in it.
pub(in crate::ops) fn plan_remove(
    scene: &mut Scene<'_>,
    hooks: &AgentHooks,
    shared: bool,
    may_change_tracked: bool,
) -> Result<Option<AgentPlan>, OpError> {
    match remove(scene, hooks, shared, may_change_tracked) {
        Err(OpError::Install(error)) if is_untouched(scene, hooks, shared, &error) => Ok(None),
        plan => plan,
    }
}

/// Tells whether what cannot be changed need not be: nothing of ours was ever in it.
fn is_untouched(scene: &Scene<'_>, hooks: &AgentHooks, shared: bool, error: &InstallError) -> bool {
    let is_known = |file: &AgentFile| {
        file.agent == hooks.agent.name() && file.shared == shared && file.work_tree == scene.work_tree
    };
    if scene.record.agents.iter().any(is_known) {
        return false;
    }
    if let InstallError::File(FileError::LeadsOut { .. } | FileError::NotAFile { .. }) = error {
        // We write into no such place.
        return true;
    }
    let file = File::open(scene.work_tree.join(hooks.file(shared)));
    let mut bytes = Vec::new();
    let whole = file.and_then(|file| file.take(SEARCHED_MAX).read_to_end(&mut bytes));
    whole.is_ok() && memchr::memmem::find(&bytes, b"git-trace").is_none()
}

fn remove(
    scene: &mut Scene<'_>,
    hooks: &AgentHooks,
    shared: bool,
    may_change_tracked: bool,
) -> Result<Option<AgentPlan>, OpError> {
    let below = hooks.file(shared);
    let path = scene.work_tree.join(below);
    let (real, before) = read(&path, &scene.work_tree).map_err(InstallError::File)?;
    let known = scene.record.file(&real).cloned();
    let Some(before) = before else {
        // Somebody removed it: nothing is left to be remembered.
        scene.record.forget(&real);
        let folders = known.map(|known| known.made_folders).unwrap_or_default();
        let changes: Vec<Change> = folders.into_iter().rev().map(Change::RemoveFolder).collect();
        return Ok((!changes.is_empty()).then(|| AgentPlan { shown: below.to_owned(), state: "gone", changes }));
    };
    let after = match &hooks.form {
        Form::Whole(_) if is_own_text(&before) => None,
        Form::Whole(_) => return Ok(None),
        Form::Entries(form) => {
            let settings = |source| InstallError::Settings { path: below.to_owned(), source };
            let now = Document::parse(&before).map_err(settings)?;
            if entries::presence(&now, hooks.agent, form).map_err(settings)? == entries::Presence::None {
                scene.record.forget(&real);
                return Ok(None);
            }
            base_of(&before, known.as_ref(), &now).map_err(settings)?
        }
    };
    if !may_change_tracked && is_tracked(scene, &path, &real)? {
        return Err(InstallError::Tracked { path: below.to_owned(), agent: hooks.agent.name() }.into());
    }
    scene.record.forget(&real);
    let exact = known.as_ref().is_some_and(|known| known.hash == hash(&before));
    let state = match (&after, exact) {
        (None, _) => "removed",
        (Some(_), true) => "restored",
        (Some(_), false) => "cleaned",
    };
    let mut changes =
        vec![Change::Edit(FileEdit { path: real, before: Some(before), after: after.clone(), mode: 0o666 })];
    if after.is_none() {
        let folders = known.map(|known| known.made_folders).unwrap_or_default();
        changes.extend(folders.into_iter().rev().map(Change::RemoveFolder));
    }
    Ok(Some(AgentPlan { shown: below.to_owned(), state, changes }))
}

/// What a file holds with our entries: its bytes, which of them were put in, what was there and empty.
type Edited = (Vec<u8>, Vec<std::ops::Range<usize>>, Vec<String>);

fn edited(base: &Option<Vec<u8>>, hooks: &AgentHooks, form: &Entries) -> Result<Edited, crate::install::JsoncError> {
    let mut document = Document::parse(base.as_deref().unwrap_or_default())?;
    let empty = entries::empty_places(&document)?;
    entries::add(&mut document, hooks.agent, form)?;
    Ok((document.bytes(), document.inserted(), empty))
}

/// Returns what a file holds without our entries, and with those of the user's that we took for ours.
fn base_of(before: &[u8], known: Option<&AgentFile>, now: &Document) -> Bare {
    let Some((known, original)) = known.and_then(|known| Some((known, known.original.as_ref()?))) else {
        return bare(Some(before), known, now);
    };
    if known.hash == hash(before) {
        return Ok(Some(original.clone().into_bytes()));
    }
    let mut document = Document::parse(&bare(Some(before), Some(known), now)?.unwrap_or_default())?;
    entries::put_back(&mut document, &Document::parse(original.as_bytes())?)?;
    Ok(Some(document.bytes()))
}

/// What a file holds without our entries.
type Bare = Result<Option<Vec<u8>>, crate::install::JsoncError>;

/// Returns what a file holds without entries that look like ours: byte for byte what it held, if nobody wrote to it since
/// we did. `None` if nothing but ours is in it, and it was made by us.
fn bare(before: Option<&[u8]>, known: Option<&AgentFile>, now: &Document) -> Bare {
    let Some(before) = before else { return Ok(None) };
    let made = known.is_some_and(|known| known.made);
    if let Some(known) = known.filter(|known| known.hash == hash(before))
        && let Some(original) = without(before, &known.inserted)
    {
        return Ok((!made).then_some(original));
    }
    let mut document = now.clone();
    let kept = known.map(|known| known.empty.clone()).unwrap_or_default();
    entries::remove(&mut document, &kept)?;
    Ok(if made && entries::is_bare(&document)? { None } else { Some(document.bytes()) })
}

/// Tells whether a file that is ours as a whole is one that we wrote, in this version or another.
fn is_own_text(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"Installed by 'git trace enable").is_some()
}

/// Tells whether git has the file, by its own name or by the one that a link gives it.
fn is_tracked(scene: &Scene<'_>, path: &std::path::Path, real: &PathBuf) -> Result<bool, OpError> {
    let repo = &scene.workspace.repo;
    Ok(repo.is_tracked(&scene.work_tree, path)? || (path != real && repo.is_tracked(&scene.work_tree, real)?))
}
