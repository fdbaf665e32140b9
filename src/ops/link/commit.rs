//! Finds the tool calls that wrote what a commit adds.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::index::{self, Known};
use super::journal::{Journal, Note};
use super::path::{Fit, fit, names};
use crate::capture::file_writes;
use crate::link::{Effort, Link, LinkRecord, PatchFile, Written, is_borne_out, is_moved_in, origins, patch_id};
use crate::model::{FileChange, FileWrite, ObjectId, Role, Time};
use crate::ops::{OpError, Workspace};
use crate::store::{CodeChanges, CodeCommit, CodeFile, CodeLimits};

/// How long what was written may wait for its commit while another one is made, as where a part is committed at a time.
const RECENT: i64 = 600_000;

/// How long one file is looked at, where nothing else says when to end.
const FILE_TIME: Duration = Duration::from_secs(3);

/// Says how far evidence is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// As far as a user's git command may wait for it: the newest writes, files that are not enormous.
    Near,
    /// As far as it goes.
    Far,
}

impl Reach {
    pub(super) const fn limits(self) -> CodeLimits {
        match self {
            Reach::Near => CodeLimits { files: 500, file_bytes: 512 << 10, bytes: 8 << 20, until: None },
            Reach::Far => CodeLimits { files: 20_000, file_bytes: 8 << 20, bytes: 256 << 20, until: None },
        }
    }

    /// Most lines of a file.
    const fn lines(self) -> usize {
        match self {
            Reach::Near => 4000,
            Reach::Far => 100_000,
        }
    }

    /// Most writes to one file that are looked at.
    const fn writes(self) -> usize {
        match self {
            Reach::Near => 64,
            Reach::Far => 4096,
        }
    }

    /// Most writes from before the last commit that are looked at, in all files of a commit together: almost always they
    /// are in that commit, or in one before it.
    const fn old_writes(self) -> usize {
        match self {
            Reach::Near => 64,
            Reach::Far => usize::MAX,
        }
    }
}

/// Looks for evidence.
pub(super) struct Evidence<'w> {
    workspace: &'w Workspace,
    journal: Journal,
    reach: Reach,
    /// When to give up.
    until: Option<Instant>,
    /// Whether some of what was asked last was not looked at.
    fell_short: Cell<bool>,
    bodies: RefCell<HashMap<ObjectId, Rc<Vec<FileWrite>>>>,
}

/// A write that may be behind a change.
struct Candidate {
    note: Note,
    change: FileChange,
    fit: Fit,
}

/// What stands around a file that is looked at.
struct Around<'a> {
    commit: Option<&'a CodeCommit>,
    parent: Option<CodeCommit>,
    parent_millis: i64,
    /// From when on a write may have waited for this.
    recent: i64,
    until: i64,
    known: &'a Known,
}

impl<'w> Evidence<'w> {
    pub(super) fn new(workspace: &'w Workspace, reach: Reach) -> Self {
        Evidence {
            workspace,
            journal: Journal::of(workspace),
            reach,
            until: None,
            fell_short: Cell::new(false),
            bodies: RefCell::default(),
        }
    }

    /// Gives up at this moment: what is found then is not all.
    pub(super) fn set_end(&mut self, until: Instant) {
        self.until = Some(until);
    }

    /// Tells whether some of what was asked last was not looked at, for its size or for lack of time.
    pub(super) fn fell_short(&self) -> bool {
        self.fell_short.get() || self.until.is_some_and(|until| Instant::now() >= until)
    }

    fn limits(&self) -> CodeLimits {
        CodeLimits { until: self.until, ..self.reach.limits() }
    }

    /// Looks among these notes, instead of those on disk.
    pub(super) fn of_notes(workspace: &'w Workspace, notes: Vec<Note>) -> Self {
        Evidence { journal: Journal::rehearsed(workspace, notes), ..Evidence::new(workspace, Reach::Far) }
    }

    /// Compares what is staged with HEAD.
    pub(super) fn staged_changes(&self) -> Result<CodeChanges, OpError> {
        Ok(self.workspace.repo.staged_changes(&self.limits(), &|path| self.journal.knows(path))?)
    }

    /// Tells whether there can be none at all.
    pub(super) fn is_empty(&self) -> bool {
        self.journal.is_empty()
    }

    /// Finds the links of a commit; of one file alone, if it is named. `known` are calls that an earlier form of the
    /// commit came from.
    pub(super) fn link_commit(
        &self,
        commit: &CodeCommit,
        only: Option<&str>,
        known: &Known,
    ) -> Result<LinkRecord, OpError> {
        self.fell_short.set(false);
        let none = || LinkRecord::new(commit.id, None, Vec::new());
        if commit.is_cut || self.is_empty() {
            return Ok(none());
        }
        let repo = &self.workspace.repo;
        let has_recent = std::cell::OnceCell::new();
        let wanted = |path: &str, old: Option<&str>, is_new: bool| {
            only.is_none_or(|only| only == path)
                && (self.journal.knows(path)
                    || old.is_some_and(|old| self.journal.knows(old))
                    || (is_new && *has_recent.get_or_init(|| !self.journal.recent().is_empty())))
        };
        let changes = repo.code_changes(commit, &self.limits(), &wanted, &|path| self.journal.knows(path))?;
        self.fell_short.set(changes.is_cut_short);
        if changes.files.is_empty() {
            return Ok(none());
        }
        let patch = patch_of(&changes);
        let mut known = known.clone();
        known.extend(index::known(self.workspace, None, patch.as_ref()));
        let parent = commit.parents.first().map(|id| repo.read_code_commit(id)).transpose()?;
        let made = commit.committed.max(commit.authored).saturating_mul(1000);
        let around = Around {
            commit: Some(commit),
            parent_millis: parent.as_ref().map_or(i64::MIN, before_second),
            parent,
            recent: made.saturating_sub(RECENT),
            // An amended or rebased commit keeps the author's date, and may hold what was written later. git counts whole
            // seconds.
            until: made.saturating_add(999),
            known: &known,
        };
        let links = self.link_files(&changes, only, &around)?;
        Ok(LinkRecord::new(commit.id, patch, links))
    }

    /// Finds the links of changes that are not committed yet, on top of a commit.
    pub(super) fn link_changes(&self, changes: &CodeChanges, head: Option<&CodeCommit>) -> Result<Vec<Link>, OpError> {
        let now = self.workspace.now()?.millis;
        let around = Around {
            commit: None,
            parent: head.cloned(),
            parent_millis: head.map_or(i64::MIN, before_second),
            recent: now.saturating_sub(RECENT),
            until: i64::MAX,
            known: &Known::new(),
        };
        self.link_files(changes, None, &around)
    }

    /// Tells whether the context has the call that a link names, and the call the file and the lines that it is said to
    /// have written.
    pub(super) fn bears_out(&self, commit: &CodeCommit, link: &Link) -> bool {
        let repo = &self.workspace.repo;
        let proof = || {
            let context = repo.read_commit(&link.trace).ok()?;
            let entry = repo.find_entry(&context, link.entry).ok()??;
            let touch = context.facts.entries.iter().find(|touch| touch.id == link.entry)?;
            let told = touch.field("at").and_then(|at| at.parse::<Time>().ok());
            let made = commit.committed.max(commit.authored).saturating_mul(1000).saturating_add(999);
            if entry.role != Role::Assistant || told.is_some_and(|told| told.millis > made) || self.has_failed(link) {
                return None;
            }
            let writes = self.writes_of(&entry.body);
            let own = writes.iter().filter(|write| write.call == link.call && names(&write.path, &link.path));
            let changes: Vec<&FileChange> = own.map(|write| &write.change).collect();
            let text = repo.code_file(commit, &link.path, &self.limits()).ok()?.unwrap_or_default();
            let all: Vec<&str> = text.lines().collect();
            let mut lines = Vec::new();
            for (first, last) in &link.lines {
                lines.extend_from_slice(all.get((*first as usize).checked_sub(1)?..*last as usize)?);
            }
            (!changes.is_empty() && lines.len() <= all.len() && is_borne_out(&lines, &changes)).then_some(())
        };
        proof().is_some()
    }

    /// Tells whether the call of a link is known not to have worked.
    pub(super) fn has_failed(&self, link: &Link) -> bool {
        let Link { branch, session, trace, entry, call, path, .. } = link.clone();
        self.journal.has_failed(&Note {
            millis: 0,
            is_dated: false,
            branch,
            session,
            entry,
            trace,
            body: trace,
            call,
            path,
        })
    }

    fn link_files(&self, changes: &CodeChanges, only: Option<&str>, around: &Around<'_>) -> Result<Vec<Link>, OpError> {
        let files = changes.files.iter().filter(|file| only.is_none_or(|only| only == file.path));
        let files: Vec<&CodeFile> = files.collect();
        let known = files.iter().filter(|file| self.journal.knows(&file.path)).count();
        let old = self.reach.old_writes() / known.max(1);
        let mut links = Vec::new();
        for file in files {
            if self.until.is_some_and(|until| Instant::now() >= until) {
                self.fell_short.set(true);
                break;
            }
            links.extend(self.link_file(file, old.max(2), around)?);
        }
        Ok(links)
    }

    /// Finds the links of a file; of the writes from before the last commit, only the newest `old` are looked at.
    fn link_file(&self, file: &CodeFile, old: usize, around: &Around<'_>) -> Result<Vec<Link>, OpError> {
        if file.added.is_empty() && file.removed.is_empty() {
            return Ok(Vec::new());
        }
        let mut candidates = self.candidates(file, old, around);
        if candidates.is_empty() && file.old.is_none() {
            candidates = self.moved_in(file, around)?;
        }
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let (old, new) = (file.old.as_deref().unwrap_or_default(), file.new.as_deref().unwrap_or_default());
        let written: Vec<Written<'_>> = candidates.iter().map(|candidate| candidate.written(around)).collect();
        let effort = self.effort();
        if old.lines().count().max(new.lines().count()) > effort.lines {
            self.fell_short.set(true);
            return Ok(Vec::new());
        }
        let found = origins(old, new, &file.added, &written, &effort);
        let mut lines: BTreeMap<usize, Vec<(u32, u32)>> = BTreeMap::new();
        for (at, origin) in found.iter().enumerate() {
            let (Some(origin), Ok(line)) = (origin, u32::try_from(at + 1)) else { continue };
            let ranges = lines.entry(*origin).or_default();
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == line => *last = line,
                _ => ranges.push((line, line)),
            }
        }
        // A line that is gone has no place in the new file, but somebody took it out.
        for origin in self.removers(file, &candidates, around) {
            lines.entry(origin).or_default();
        }
        Ok(lines.into_iter().map(|(origin, lines)| candidates[origin].link(&file.path, lines)).collect())
    }

    fn effort(&self) -> Effort {
        Effort { lines: self.reach.lines(), until: self.until.or_else(|| Instant::now().checked_add(FILE_TIME)) }
    }

    /// Finds the writes behind lines that were taken out: carried out backwards, they bring them.
    fn removers(&self, file: &CodeFile, candidates: &[Candidate], around: &Around<'_>) -> HashSet<usize> {
        let (old, new) = (file.old.as_deref().unwrap_or_default(), file.new.as_deref().unwrap_or_default());
        // What was written before the last commit has been taken out by that one, if at all.
        let is_newer = |written: &Written<'_>| written.is_known || written.is_newer;
        let backwards: Vec<(usize, FileChange)> = candidates
            .iter()
            .enumerate()
            .filter(|(_, candidate)| is_newer(&candidate.written(around)))
            .filter_map(|(number, candidate)| match candidate.change.clone() {
                FileChange::Replace { before, after, everywhere } => {
                    Some((number, FileChange::Replace { before: after, after: before, everywhere }))
                }
                _ => None,
            })
            .collect();
        if backwards.is_empty() || file.removed.is_empty() {
            return HashSet::new();
        }
        let written =
            backwards.iter().map(|(number, change)| Written { change, ..candidates[*number].written(around) });
        let written: Vec<Written<'_>> = written.collect();
        let found = origins(new, old, &file.removed, &written, &self.effort());
        found.into_iter().flatten().map(|nth| backwards[nth].0).collect()
    }

    /// Lists the writes to a file before a moment, in their order.
    fn candidates(&self, file: &CodeFile, old: usize, around: &Around<'_>) -> Vec<Candidate> {
        let mut notes = Vec::new();
        let mut names: Vec<&str> = vec![&file.path];
        names.extend(file.old_path.as_deref());
        for name in names {
            let read = self.journal.read(name, self.reach == Reach::Far).into_iter();
            let before = read.filter(|note| !note.is_dated || note.millis <= around.until);
            notes.extend(before.filter_map(|note| Some((fit(&note.path, name)?, note))));
        }
        notes.sort_by_key(|(_, note)| note.millis);
        let is_known =
            |note: &Note| !around.known.is_empty() && around.known.contains(&(note.entry, note.call.clone()));
        let is_old = |note: &Note| note.millis <= around.parent_millis && !is_known(note);
        let mut beyond = notes.iter().filter(|(_, note)| is_old(note)).count().saturating_sub(old);
        notes.retain(|(_, note)| {
            let goes = beyond > 0 && is_old(note);
            beyond -= usize::from(goes);
            !goes
        });
        self.read(notes)
    }

    /// Finds writes to files that were moved to this place before anybody committed them.
    fn moved_in(&self, file: &CodeFile, around: &Around<'_>) -> Result<Vec<Candidate>, OpError> {
        let Some(new) = &file.new else { return Ok(Vec::new()) };
        let mut notes = self.journal.recent();
        let is_between = |note: &Note| note.millis <= around.until && note.millis > around.parent_millis;
        notes.retain(|note| note.is_dated && !note.path.starts_with('/') && is_between(note));
        let mut found = self.read(notes.into_iter().map(|note| (Fit::Same, note)).collect());
        found.retain(|candidate| is_moved_in(new, &candidate.change));
        let mut moved = Vec::new();
        for candidate in found {
            let mut is_there = false;
            for commit in around.commit.into_iter().chain(&around.parent) {
                is_there |= self.workspace.repo.has_code_file(commit, &candidate.note.path)?;
            }
            if !is_there {
                moved.push(candidate);
            }
        }
        Ok(moved)
    }

    /// Reads the words of noted writes, of each call once, in the order of their times. What a call was to write that did
    /// not work was not written.
    fn read(&self, mut notes: Vec<(Fit, Note)>) -> Vec<Candidate> {
        notes.sort_by_key(|(_, note)| note.millis);
        let mut seen = HashSet::new();
        notes.retain(|(_, note)| {
            !self.journal.has_failed(note) && seen.insert((note.entry, note.call.clone(), note.path.clone()))
        });
        let from = notes.len().saturating_sub(self.reach.writes());
        let mut found = Vec::new();
        for (fit, note) in notes.split_off(from) {
            let writes = self.writes_of(&note.body);
            let own = writes.iter().filter(|write| write.call == note.call && names(&write.path, &note.path));
            found.extend(own.map(|write| Candidate { note: note.clone(), change: write.change.clone(), fit }));
        }
        found
    }

    fn writes_of(&self, body: &ObjectId) -> Rc<Vec<FileWrite>> {
        if let Some(known) = self.bodies.borrow().get(body) {
            return known.clone();
        }
        // What is not here any more, or was never fetched, proves nothing.
        let writes = self.workspace.repo.read_blob(body).map(|body| file_writes(&body)).unwrap_or_default();
        let writes = Rc::new(writes);
        self.bodies.borrow_mut().insert(*body, writes.clone());
        writes
    }
}

impl Candidate {
    fn written(&self, around: &Around<'_>) -> Written<'_> {
        let is_known = around.known.contains(&(self.note.entry, self.note.call.clone()));
        let Note { millis, is_dated, .. } = self.note;
        let is_newer = is_dated && millis > around.parent_millis;
        Written {
            change: &self.change,
            is_newer,
            is_recent: is_newer || (is_dated && millis > around.recent),
            is_elsewhere: self.fit == Fit::Elsewhere,
            is_known,
        }
    }

    fn link(&self, path: &str, lines: Vec<(u32, u32)>) -> Link {
        let Note { branch, session, entry, trace, call, .. } = self.note.clone();
        Link { branch, session, trace, entry, call, path: path.to_owned(), lines }
    }
}

/// Returns the last moment before the second of a commit: git counts no finer, and what was written in that second may
/// have come after it.
fn before_second(commit: &CodeCommit) -> i64 {
    commit.committed.saturating_mul(1000).saturating_sub(1)
}

fn patch_of(changes: &CodeChanges) -> Option<crate::link::PatchId> {
    // A part of a change has no name.
    if !changes.is_complete {
        return None;
    }
    let mut files = Vec::new();
    for file in &changes.files {
        let contents = file.contents.as_str();
        match &file.old_path {
            Some(old_path) => {
                files.push(PatchFile { path: old_path, old: file.old.as_deref(), new: None, contents });
                files.push(PatchFile { path: &file.path, old: None, new: file.new.as_deref(), contents });
            }
            None => {
                files.push(PatchFile { path: &file.path, old: file.old.as_deref(), new: file.new.as_deref(), contents })
            }
        }
    }
    patch_id(&files)
}
