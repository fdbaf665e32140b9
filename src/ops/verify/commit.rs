//! What one commit says, beside what is there.

use std::collections::{HashMap, HashSet};

use super::Note;
use super::compression::compression;
use super::objects::{Objects, Trouble};
use super::pointers::Pointers;
use super::state::{Delta, State};
use crate::model::{Commit, Entry, EntryId, ObjectId, Operation, Role};
use crate::ops::compress::check;
use crate::ops::sequence::AGAIN;
use crate::ops::{Finding, Workspace};
use crate::tokens::Encoding;

/// Gathers what is found out about a commit.
#[derive(Default)]
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<Note>,
}

impl Report {
    /// Takes note of why something could not be looked at.
    pub(super) fn trouble(&mut self, trouble: Trouble) -> Result<(), Trouble> {
        match trouble {
            Trouble::Found(finding) if !self.findings.contains(&finding) => self.findings.push(finding),
            Trouble::Found(_) => {}
            Trouble::LeftOut => self.notes.push(Note::LeftOut),
            Trouble::Op(error) => return Err(Trouble::Op(error)),
        }
        Ok(())
    }
}

/// Checks commits, one after the other.
pub(super) struct Commits<'w> {
    pub(super) workspace: &'w Workspace,
    pub(super) objects: Objects<'w>,
    pub(super) pointers: Pointers,
    /// The context that was looked at last.
    at: Option<(ObjectId, State)>,
    encodings: HashMap<ObjectId, Encoding>,
}

impl<'w> Commits<'w> {
    pub(super) fn new(workspace: &'w Workspace, objects: Objects<'w>, pointers: Pointers) -> Self {
        Commits { workspace, objects, pointers, at: None, encodings: HashMap::new() }
    }

    /// Checks a commit against its first parent.
    pub(super) fn check(&mut self, commit: &Commit) -> Result<Report, Trouble> {
        let mut report = Report::default();
        let facts = &commit.facts;
        if facts.operation == Operation::Snapshot {
            let reason = "a snapshot of a work tree, which is no context".to_owned();
            report.findings.push(Finding::Claim { what: "Trace-Op", reason });
            return Ok(report);
        }
        let is_cut = self.objects.repo.is_cut(&commit.id);
        let mut base = None;
        if is_cut {
            report.notes.push(Note::Cut);
        } else if let Some((parent, others)) = commit.parents.split_first() {
            // Whatever is wrong with a parent is wrong with what stands on it: nothing can be compared then.
            match self.base(parent) {
                Ok(found) => base = Some(found),
                Err(Trouble::LeftOut) => report.notes.push(Note::NoParent),
                Err(trouble) => report.trouble(trouble)?,
            }
            for other in others {
                match self.context(other) {
                    Ok(_) => {}
                    Err(Trouble::LeftOut) => report.notes.push(Note::NoParent),
                    Err(trouble) => report.trouble(trouble)?,
                }
            }
        }
        let knows_base = base.is_some() || (commit.parents.is_empty() && !is_cut);
        let (mut state, said) = base.unwrap_or_default();
        let total = state.total;
        match state.advance(&mut self.objects, commit.tree) {
            Ok(delta) => {
                let base = knows_base.then_some((total, said));
                self.compare(commit, &state, &delta, base, &mut report)?;
                self.at = Some((commit.id, state));
            }
            Err(trouble) => report.trouble(trouble)?,
        }
        if facts.operation == Operation::Init && (!commit.parents.is_empty() || facts.count > 0) && !is_cut {
            let reason = "a context begins with nothing".to_owned();
            report.findings.push(Finding::Claim { what: "Trace-Op: init", reason });
        }
        let pointers = self.pointers.check_commit(&mut self.objects, commit, &mut report);
        pointers.or_else(|trouble| report.trouble(trouble))?;
        Ok(report)
    }

    /// Returns the context of a commit's first parent, and what its `Trace-Next` says.
    fn base(&mut self, parent: &ObjectId) -> Result<(State, u64), Trouble> {
        let commit = self.context(parent)?;
        if let Some((_, state)) = self.at.take_if(|(known, _)| known == parent) {
            return Ok((state, commit.facts.next));
        }
        let mut state = State::default();
        state.advance(&mut self.objects, commit.tree)?;
        Ok((state, commit.facts.next))
    }

    /// Reads a parent, which is a commit of a context.
    fn context(&mut self, parent: &ObjectId) -> Result<Commit, Trouble> {
        let (commit, _) = self.objects.commit(parent)?;
        if commit.facts.operation == Operation::Snapshot {
            let reason = "a snapshot of a work tree, which is no context".to_owned();
            return Err(Trouble::Found(Finding::Object { id: *parent, reason }));
        }
        Ok(commit)
    }

    fn compare(
        &mut self,
        commit: &Commit,
        state: &State,
        delta: &Delta,
        base: Option<(u64, u64)>,
        report: &mut Report,
    ) -> Result<(), Trouble> {
        let facts = &commit.facts;
        report.findings.extend(delta.twice.iter().map(|id| Finding::Twice { id: *id }));
        let mut numbers = vec![
            ("Trace-Total", i128::from(facts.total), i128::from(state.total)),
            ("Trace-Count", i128::from(facts.count), state.entries.len() as i128),
        ];
        // A newer version may send roles that this one does not know.
        if state.entries.values().any(|entry| matches!(entry.role, Role::Other(_))) {
            numbers.remove(0);
        } else if let Some((total, _)) = base {
            let change = i128::from(state.total) - i128::from(total);
            numbers.push(("Trace-Tokens", i128::from(facts.tokens), change));
        }
        let wrong = numbers.into_iter().filter(|(_, said, counted)| said != counted);
        let number = |(what, said, counted): (&str, _, _)| Finding::Number { what: what.to_owned(), said, counted };
        report.findings.extend(wrong.map(number));
        let least = delta.end.max(base.map_or(0, |(_, next)| next));
        if facts.next < least {
            let reason = format!("{} was given out before", least - 1);
            report.findings.push(Finding::Claim { what: "Trace-Next", reason });
        }
        if base.is_some() {
            report.findings.extend(check::entries(&delta.before, &delta.after, &facts.entries, true));
        }
        let encoding = match state.manifest().map(|id| self.encoding(&id)) {
            Some(Ok(encoding)) => encoding,
            Some(Err(trouble)) => return report.trouble(trouble),
            None => return Ok(()),
        };
        if let Some(old) = &delta.manifest {
            match self.encoding(old) {
                Ok(before) if before != encoding => {
                    let reason = "entries are counted in another encoding than before".to_owned();
                    report.findings.push(Finding::Claim { what: ".trace", reason });
                }
                Ok(_) => {}
                Err(trouble) => report.trouble(trouble)?,
            }
        }
        for entry in &delta.after {
            let recounted = self.recount(entry, encoding, report);
            recounted.or_else(|trouble| report.trouble(trouble))?;
        }
        let promises =
            matches!(facts.operation, Operation::Compress | Operation::Restore) && facts.trailer(AGAIN).is_none();
        if promises && base.is_some() && !commit.parents.is_empty() {
            match compression(self.workspace, commit) {
                Ok(found) => {
                    let new: Vec<Finding> = found.into_iter().filter(|one| !report.findings.contains(one)).collect();
                    report.findings.extend(new);
                }
                Err(error) => report.trouble(error.into())?,
            }
        } else if base.is_some() {
            let halves = self.halves(state, delta, encoding);
            match halves {
                Ok(found) => report.notes.extend(found),
                Err(trouble) => report.trouble(trouble)?,
            }
        }
        Ok(())
    }

    fn encoding(&mut self, manifest: &ObjectId) -> Result<Encoding, Trouble> {
        if let Some(known) = self.encodings.get(manifest) {
            return Ok(*known);
        }
        let encoding = Workspace::encoding(&self.objects.manifest(manifest)?);
        self.encodings.insert(*manifest, encoding);
        Ok(encoding)
    }

    /// Counts an entry's body again, and reads what else it says.
    fn recount(&mut self, entry: &Entry, encoding: Encoding, report: &mut Report) -> Result<(), Trouble> {
        if let Some(meta) = &entry.meta {
            let meta = self.objects.meta(meta)?;
            if let Some(collapse) = &meta.collapse {
                self.pointers.check_branch("collapse", &collapse.branch, report);
            }
        }
        let body = self.objects.body(entry, encoding)?;
        if body.tokens != entry.tokens && !matches!(entry.role, Role::Other(_)) {
            let what = format!("the number of tokens of entry '{}'", entry.id);
            let (said, counted) = (entry.tokens.into(), body.tokens.into());
            report.findings.push(Finding::Number { what, said, counted });
        }
        Ok(())
    }

    /// Finds calls and results whose other half this commit took away: `--force` may, so it is no fault.
    fn halves(&mut self, state: &State, delta: &Delta, encoding: Encoding) -> Result<Vec<Note>, Trouble> {
        let mut lost: HashSet<(bool, String)> = HashSet::new();
        for entry in &delta.before {
            let body = self.objects.body(entry, encoding)?;
            lost.extend(body.ids.calls.iter().map(|id| (true, id.clone())));
            lost.extend(body.ids.results.iter().map(|id| (false, id.clone())));
        }
        for entry in &delta.after {
            let body = self.objects.body(entry, encoding)?;
            lost.retain(|(is_call, id)| {
                let kept = if *is_call { &body.ids.calls } else { &body.ids.results };
                !kept.contains(id)
            });
        }
        if lost.is_empty() {
            return Ok(Vec::new());
        }
        let new: HashSet<EntryId> = delta.after.iter().map(|entry| entry.id).collect();
        let mut found = Vec::new();
        for entry in state.entries.values().filter(|entry| !new.contains(&entry.id)) {
            let body = self.objects.body(entry, encoding)?;
            let halves =
                body.ids.calls.iter().map(|id| (false, id)).chain(body.ids.results.iter().map(|id| (true, id)));
            let left = halves.filter(|(other, id)| lost.contains(&(*other, (*id).clone())));
            found.extend(left.map(|(_, call)| Note::HalfPair { entry: entry.id, call: call.clone() }));
        }
        found.sort();
        Ok(found)
    }
}
