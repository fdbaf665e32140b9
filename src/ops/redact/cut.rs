//! What is to be taken out of stored history, and how it is taken out of one text.

use std::collections::{BTreeMap, HashSet};

use super::stub;
use crate::model::EntryId;
use crate::redact::{Pattern, Redacted, Redactor};

/// What is to be taken out.
pub(super) struct Cut<'w> {
    redactor: &'w Redactor,
    patterns: Vec<Pattern>,
    /// Whether today's rules are applied too.
    rules: bool,
    /// Entries that go as a whole.
    pub(super) entries: HashSet<EntryId>,
    whole: [Pattern; 1],
    /// What was found, by rule.
    found: std::cell::RefCell<BTreeMap<String, u64>>,
}

impl<'w> Cut<'w> {
    pub(super) fn new(redactor: &'w Redactor, patterns: Vec<Pattern>, entries: HashSet<EntryId>, rules: bool) -> Self {
        Cut { redactor, patterns, rules, entries, whole: [Pattern::whole(stub::is_one)], found: Default::default() }
    }

    /// Takes it out of a file: a body of an entry, its metadata, or any other; `None` if nothing is there. What has
    /// another name now gets it.
    pub(super) fn file(
        &self,
        entry: Option<EntryId>,
        is_json: bool,
        bytes: &[u8],
        renamed: &[Pattern],
    ) -> Option<Redacted<Vec<u8>>> {
        let mut cut: Option<Redacted<Vec<u8>>> = None;
        let whole = entry.is_some_and(|id| self.entries.contains(&id));
        for patterns in [&self.whole[..], &self.patterns].iter().skip(usize::from(!whole)) {
            let now = cut.as_ref().map_or(bytes, |cut| cut.as_inner());
            let cutter = self.redactor.cutter(patterns);
            let more = cutter.and_then(|cutter| if is_json { cutter.json(now) } else { cutter.text(now) });
            cut = self.noted(more).or(cut);
        }
        if self.rules {
            let now = cut.as_ref().map_or(bytes, |cut| cut.as_inner());
            let more = if is_json { self.redactor.json(now) } else { self.redactor.text(now) };
            cut = self.noted(Some(more).filter(|more| !more.findings().is_empty())).or(cut);
        }
        if !renamed.is_empty() {
            let now = cut.as_ref().map_or(bytes, |cut| cut.as_inner());
            let cutter = self.redactor.cutter(renamed);
            cut = cutter.and_then(|cutter| if is_json { cutter.json(now) } else { cutter.text(now) }).or(cut);
        }
        cut
    }

    /// Takes it out of a line of a commit's message.
    pub(super) fn line(&self, line: &str) -> Option<String> {
        let mut cut = None;
        if let Some(cutter) = self.redactor.cutter(&self.patterns) {
            cut = self.noted(cutter.line(line)).map(Redacted::into_inner);
        }
        if self.rules {
            let more = self.redactor.line(cut.as_deref().unwrap_or(line));
            cut = self.noted(Some(more).filter(|more| !more.findings().is_empty())).map(Redacted::into_inner).or(cut);
        }
        cut
    }

    /// Takes a line out as a whole.
    pub(super) fn whole_line(&self, line: &str) -> Option<String> {
        let cutter = self.redactor.cutter(&self.whole)?;
        cutter.line(line).map(Redacted::into_inner)
    }

    /// Takes it out of the id of a tool call, which stays one.
    pub(super) fn id(&self, id: &str) -> Option<String> {
        self.redactor.cutter(&self.patterns)?.id(id)
    }

    /// Tells whether something of it is still there.
    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_in(bytes))
    }

    /// Returns what was found, by rule.
    pub(super) fn found(&self) -> BTreeMap<String, u64> {
        self.found.borrow().clone()
    }

    fn noted<T>(&self, cut: Option<Redacted<T>>) -> Option<Redacted<T>> {
        for finding in cut.iter().flat_map(Redacted::findings) {
            *self.found.borrow_mut().entry(finding.rule.to_string()).or_default() += 1;
        }
        cut
    }
}
