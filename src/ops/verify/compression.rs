//! What `compress` and `restore` promise, told from the contexts before and after.

use std::collections::{HashMap, HashSet};

use crate::codec::{STUB, mask_tool_results, tool_ids};
use crate::model::{BodyKind, Commit, Entry, EntryId, Operation, Touch, TouchKind};
use crate::ops::change::count_entry;
use crate::ops::compress::check::{self, Halves};
use crate::ops::compress::{IGNORED, Scene, Ties, replaced_by};
use crate::ops::redact::GREW;
use crate::ops::{Finding, OpError, Workspace};

/// A context and the one before it.
struct Change<'w> {
    commit: &'w Commit,
    before: Scene<'w>,
    after: Scene<'w>,
    old: HashMap<EntryId, usize>,
    new: HashMap<EntryId, usize>,
}

/// Finds which promises a commit does not keep.
pub(super) fn compression(workspace: &Workspace, commit: &Commit) -> Result<Vec<Finding>, OpError> {
    let Some(parent) = commit.parents.first() else {
        let id = commit.id.short(12);
        return Err(OpError::NoOriginals { id, reason: "the commit before is not here".to_owned() });
    };
    let before = Scene::read(workspace, &workspace.repo.read_commit(parent)?)?;
    let after = Scene::read(workspace, commit)?;
    let index = |entries: &[Entry]| entries.iter().enumerate().map(|(at, entry)| (entry.id, at)).collect();
    let (old, new) = (index(&before.entries), index(&after.entries));
    let change = Change { commit, before, after, old, new };
    let trailer = commit.facts.other.iter().find(|(name, _)| name == "Trace-Compress").map(|(_, value)| value.as_str());
    let ignores_pins = trailer.is_some_and(|value| value.contains(IGNORED.trim_start()));

    let touches = &commit.facts.entries;
    let mut findings = check::entries(&change.before.entries, &change.after.entries, touches, ignores_pins);
    findings.extend(check::first_speaker(&change.before.entries, &change.after.entries));
    let (old, new) = change.halves()?;
    findings.extend(check::pairs(&old, &new));
    change.sums(trailer, &mut findings);
    change.bodies(&mut findings)?;
    change.replaced(workspace, &mut findings)?;
    Ok(findings)
}

impl Change<'_> {
    /// Returns the places of entries that are not the same in both contexts: in the one before, and in the one after.
    fn touched(&self) -> (Vec<usize>, Vec<usize>) {
        let differs = |one: &Entry, others: &Scene<'_>, index: &HashMap<EntryId, usize>| {
            index.get(&one.id).is_none_or(|at| others.entries[*at].body != one.body)
        };
        let before = &self.before.entries;
        let after = &self.after.entries;
        (
            (0..before.len()).filter(|at| differs(&before[*at], &self.after, &self.new)).collect(),
            (0..after.len()).filter(|at| differs(&after[*at], &self.before, &self.old)).collect(),
        )
    }

    /// Returns the calls and results of what is touched and of what is tied to it, before and after.
    fn halves(&self) -> Result<(Vec<Halves>, Vec<Halves>), OpError> {
        let (gone, come) = self.touched();
        let tied = |scene: &Scene<'_>, places: &[usize]| match places.first().zip(places.last()) {
            Some((first, last)) => Ties::find(scene, *first, *last)?.halves(scene, places),
            None => Ok(Vec::new()),
        };
        let mut before = tied(&self.before, &gone)?;
        let found = tied(&self.after, &come)?;
        let mut after = Vec::new();
        for halves in &before {
            let Some(at) = self.new.get(&halves.id) else { continue };
            let entry = &self.after.entries[*at];
            let same = self.old.get(&halves.id).is_some_and(|old| self.before.entries[*old].body == entry.body);
            after.push(if same { halves.clone() } else { halves.with_ids(self.ids(entry)?) });
        }
        let known: HashSet<EntryId> = before.iter().map(|halves| halves.id).collect();
        for halves in found.into_iter().filter(|halves| !known.contains(&halves.id)) {
            if let Some(old) = self.old.get(&halves.id) {
                before.push(halves.with_ids(self.ids(&self.before.entries[*old])?));
            }
            after.push(halves);
        }
        Ok((before, after))
    }

    fn ids(&self, entry: &Entry) -> Result<crate::codec::ToolIds, OpError> {
        let may_call = entry.role.is_sent() && entry.kind == BodyKind::Json;
        Ok(if may_call { tool_ids(&self.after.workspace().repo.read_blob(&entry.body)?) } else { Default::default() })
    }

    /// Adds up what the names of the entries say.
    fn sums(&self, trailer: Option<&str>, findings: &mut Vec<Finding>) {
        let facts = &self.commit.facts;
        let (before, after) = (self.before.total(), self.after.total());
        let change = i128::from(after) - i128::from(before);
        let mut numbers = vec![
            ("Trace-Total", i128::from(facts.total), i128::from(after)),
            ("Trace-Count", i128::from(facts.count), self.after.entries.len() as i128),
            ("Trace-Tokens", i128::from(facts.tokens), change),
        ];
        let field = |name: &str| {
            let word = trailer?.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            word.and_then(|digits| digits.parse::<i128>().ok())
        };
        // A commit that was made anew elsewhere has other sums, but the same difference.
        if let Some((said_before, said_after)) = field("before").zip(field("after")) {
            numbers.push(("the difference in Trace-Compress", said_after - said_before, change));
        }
        let wrong = numbers.into_iter().filter(|(_, said, counted)| said != counted);
        findings.extend(wrong.map(|(what, said, counted)| Finding::Number { what: what.to_owned(), said, counted }));
        // What it stands for may have become shorter since.
        if trailer.is_some() && after > before && facts.trailer(GREW).is_none() {
            findings.push(Finding::Grew { before, after });
        }
    }

    /// Counts the bodies that are new, and looks whether only words of results went.
    fn bodies(&self, findings: &mut Vec<Finding>) -> Result<(), OpError> {
        for at in self.touched().1 {
            let entry = &self.after.entries[at];
            let body = self.after.body(at)?;
            let counted = count_entry(self.after.encoding(), &entry.role, &entry.kind, body);
            if counted != entry.tokens {
                let what = format!("the number of tokens of entry '{}'", entry.id);
                findings.push(Finding::Number { what, said: entry.tokens.into(), counted: counted.into() });
            }
            let Some(old) = self.old.get(&entry.id) else { continue };
            let before = self.before.body(*old)?;
            let same = match entry.kind {
                BodyKind::Json => hollow(before) == hollow(body),
                _ => before.starts_with(STUB.as_bytes()) || body.starts_with(STUB.as_bytes()),
            };
            if !same || entry.kind != self.before.entries[*old].kind || entry.role != self.before.entries[*old].role {
                findings.push(Finding::Structure { id: entry.id });
            }
        }
        Ok(())
    }

    /// Looks whether summaries say rightly what they stand for.
    fn replaced(&self, workspace: &Workspace, findings: &mut Vec<Finding>) -> Result<(), OpError> {
        if self.commit.facts.operation != Operation::Compress {
            return Ok(());
        }
        let added = |touch: &&Touch| touch.kind == TouchKind::Added;
        for touch in self.commit.facts.entries.iter().filter(added) {
            let Some(at) = self.new.get(&touch.id) else { continue };
            let meta = workspace.repo.read_meta(&self.after.entries[*at])?;
            let Some(replaces) = meta.and_then(|meta| meta.replaces) else { continue };
            let gone = replaced_by(self.commit, touch.id);
            let tokens = gone.iter().filter_map(|id| self.old.get(id)).map(|at| self.before.entries[*at].tokens).sum();
            for (what, said, counted) in
                [("entries", replaces.entries, gone.len() as u64), ("tokens", replaces.tokens, tokens)]
            {
                if said != counted {
                    let what = format!("the number of {what} that '{}' replaces", touch.id);
                    findings.push(Finding::Number { what, said: said.into(), counted: counted.into() });
                }
            }
        }
        Ok(())
    }
}

/// Returns a body without the words of its results.
fn hollow(body: &[u8]) -> Vec<u8> {
    mask_tool_results(body, &mut |_| Some(String::new()))
}
