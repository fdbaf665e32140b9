//! `blame`: where a piece of a context comes from, through edits, merges, compressions and subagents.

use super::change::preview_body;
use super::compress::Compression;
use super::find::{find_entry, say};
use super::{OpError, Workspace};
use crate::codec::Meta;
use crate::export::plain_text;
use crate::model::{Branch, Commit, Entry, EntryId, Item, Role, Touch, TouchKind};

/// The deepest that compressions and subagents are followed.
const DEPTH_MAX: usize = 16;
/// Most entries that are told of at one level.
const ENTRIES_MAX: usize = 50;

/// Asks where a piece of a context comes from.
#[derive(Debug, Clone)]
pub struct Blame {
    /// The entry (id, beginning of it, position, place from the end), or words that entries hold.
    pub what: String,
    /// Whether it is words, even if an entry has that name.
    pub is_text: bool,
    /// The context in which it is looked for; HEAD's if `None`.
    pub revision: Option<String>,
}

/// Tells of an entry and of what it was made of.
#[derive(Debug, Clone)]
pub struct Blamed {
    /// The entry as it is in the context that was asked about.
    pub item: Item,
    /// What happened to it, newest first; the last is where it came in.
    pub history: Vec<Happening>,
    /// What it was made of: the entries that it stands for, or those of the subagent that it answers for.
    pub made_of: Vec<Blamed>,
    /// The branch of the subagent whose answer it is.
    pub subagent: Option<Branch>,
}

impl Blamed {
    /// Returns the first words of the entry on one line.
    pub fn preview(&self) -> String {
        preview_body(&self.item.entry.kind, &self.item.body)
    }
}

/// Names a commit that did something to an entry.
#[derive(Debug, Clone)]
pub struct Happening {
    /// The commit.
    pub commit: Commit,
    /// What it did to the entry.
    pub touch: Touch,
    /// Whether the words that were asked for are in the entry since then.
    pub brought_words: bool,
}

/// Tells where an entry comes from, or each entry of a context that holds some words. Words are found whatever white
/// space stands between them.
///
/// # Errors
/// When the context has no such entry and none with such words, or history cannot be read.
pub fn blame(workspace: &Workspace, request: &Blame) -> Result<Vec<Blamed>, OpError> {
    let tip = workspace.commit(request.revision.as_deref())?;
    let entries = workspace.repo.read_entries(&tip)?;
    if !request.is_text
        && let Ok(entry) = find_entry(&entries, &request.what, &|entry| say(workspace, entry))
    {
        let mut search = Search { workspace, words: None };
        return Ok(vec![search.entry(&tip, entry.clone(), 0)?]);
    }
    let sought = words(&request.what);
    if sought.is_empty() {
        return Err(OpError::NoSuchWords { words: sought });
    }
    let mut search = Search { workspace, words: Some(sought) };
    let found = search.entries(&tip, &entries, 0)?;
    match found.is_empty() {
        true => Err(OpError::NoSuchWords { words: request.what.clone() }),
        false => Ok(found),
    }
}

/// A search for an origin.
struct Search<'w> {
    workspace: &'w Workspace,
    /// The words that are looked for; the whole entry if `None`.
    words: Option<String>,
}

impl Search<'_> {
    /// Tells of the entries among these that hold the words.
    fn entries(&mut self, tip: &Commit, entries: &[Entry], depth: usize) -> Result<Vec<Blamed>, OpError> {
        let mut found = Vec::new();
        for entry in entries {
            if found.len() == ENTRIES_MAX {
                break;
            }
            if self.holds(entry)? {
                found.push(self.entry(tip, entry.clone(), depth)?);
            }
        }
        Ok(found)
    }

    fn entry(&mut self, tip: &Commit, entry: Entry, depth: usize) -> Result<Blamed, OpError> {
        let repo = &self.workspace.repo;
        let mut history = Vec::new();
        for commit in repo.history(&[tip.id], &[])? {
            let commit = commit?;
            if let Some(touch) = commit.facts.entries.iter().find(|touch| touch.id == entry.id).cloned() {
                history.push(Happening { commit, touch, brought_words: false });
            }
        }
        self.mark(&mut history, entry.id)?;
        let meta = repo.read_meta(&entry)?.unwrap_or_default();
        let subagent = meta.collapse.as_ref().and_then(|child| Branch::parse(&child.branch, "main").ok());
        let made_of = match depth < DEPTH_MAX {
            true => self.made_of(tip, &entry, &meta, subagent.as_ref(), depth + 1)?,
            false => Vec::new(),
        };
        let body = repo.read_blob(&entry.body)?;
        Ok(Blamed { item: Item { entry, body }, history, made_of, subagent })
    }

    /// Marks where the words came into an entry.
    fn mark(&self, history: &mut [Happening], id: EntryId) -> Result<(), OpError> {
        if self.words.is_none() {
            return Ok(());
        }
        let mut first = None;
        for (at, happening) in history.iter().enumerate() {
            if !matches!(happening.touch.kind, TouchKind::Added | TouchKind::Changed) {
                continue;
            }
            match self.workspace.repo.find_entry(&happening.commit, id)? {
                Some(entry) if self.holds(&entry)? => first = Some(at),
                _ => break,
            }
        }
        if let Some(happening) = first.and_then(|at| history.get_mut(at)) {
            happening.brought_words = true;
        }
        Ok(())
    }

    fn made_of(
        &mut self,
        tip: &Commit,
        entry: &Entry,
        meta: &Meta,
        subagent: Option<&Branch>,
        depth: usize,
    ) -> Result<Vec<Blamed>, OpError> {
        let repo = &self.workspace.repo;
        if meta.replaces.is_some() {
            // What history no longer has is told by what is missing, not by an error.
            return match Compression::find(self.workspace, tip.id, entry) {
                Ok(found) => self.entries(&found.parent, &found.originals, depth),
                Err(OpError::NoOriginals { .. }) => Ok(Vec::new()),
                Err(error) => Err(error),
            };
        }
        let Some(child) = subagent else { return Ok(Vec::new()) };
        let Some(id) = repo.find_ref_id(&repo.branch_ref(child))? else { return Ok(Vec::new()) };
        let child_tip = repo.read_commit(&id)?;
        let mut entries = repo.read_entries(&child_tip)?;
        if self.words.is_none() {
            // Its answer is the last that its model said.
            let last = entries.iter().rposition(|entry| entry.role == Role::Assistant);
            entries = last.map(|at| entries.swap_remove(at)).into_iter().collect();
        }
        self.entries(&child_tip, &entries, depth)
    }

    fn holds(&self, entry: &Entry) -> Result<bool, OpError> {
        let Some(sought) = &self.words else { return Ok(true) };
        let body = self.workspace.repo.read_blob(&entry.body)?;
        Ok(words(&plain_text(&entry.kind, &body)).contains(sought.as_str()))
    }
}

/// Returns a text with one blank in the place of each white space.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
