//! Brings what one side did into the context that is being changed.

use std::collections::{HashMap, HashSet};

use super::ancestor::Ancestor;
use super::bodies::Bodies;
use super::decisions::{Decision, Decisions};
use super::side::SideFacts;
use super::state::{Options, Preference, WholeSide};
use crate::codec::ToolIds;
use crate::merge::{Choice, Conflict, Finding, Input, Merged, STATEMENTS_MAX, contradictions, merge};
use crate::model::{Commit, Entry, EntryId, ObjectId, Position, Touch};
use crate::ops::OpError;
use crate::ops::change::Editing;
use crate::ops::touches::touches;

/// Says what to bring in.
pub(super) struct Weaving<'a> {
    /// What both sides began with.
    pub(super) ancestor: &'a Ancestor,
    /// The side that is brought in.
    pub(super) theirs: &'a Commit,
    pub(super) our_facts: &'a SideFacts,
    pub(super) their_facts: &'a SideFacts,
    pub(super) options: &'a Options,
    pub(super) decisions: &'a Decisions,
    /// Words that the user gave, by their entry.
    pub(super) words: &'a HashMap<EntryId, Entry>,
    /// Whether all of a branch is brought in; else one commit, which brings nothing but what it did.
    pub(super) is_merge: bool,
    /// Whether their side is our own past, so that what comes back goes where it stood.
    pub(super) is_past: bool,
}

/// Half of a tool call that a step touched.
#[derive(Debug)]
pub(super) struct Half {
    pub(super) call: String,
    pub(super) is_call: bool,
    /// Whether it is in the context now.
    pub(super) is_there: bool,
}

/// Holds what came of it. The context has changed only if nothing is in conflict.
#[derive(Debug, Default)]
pub(super) struct Woven {
    pub(super) conflicts: Vec<Conflict>,
    /// Contradictions that were not settled.
    pub(super) findings: Vec<Finding>,
    /// What changed on our side.
    pub(super) touches: Vec<Touch>,
    /// Tool calls and results among it.
    pub(super) tools: Vec<Half>,
    /// The commit that is in conflict.
    pub(super) at: Option<ObjectId>,
}

impl Weaving<'_> {
    pub(super) fn carry_out(self, editing: &mut Editing<'_>) -> Result<Woven, OpError> {
        let mut commits = self.ancestor.commits();
        commits.push(self.theirs);
        let (before, mut windows) = editing.context.windows(&commits)?;
        let theirs = windows.pop().unwrap_or_default();
        let bodies = Bodies::new(editing.workspace);
        let base = self.ancestor.entries(&mut windows.into_iter(), &bodies);
        let mut choices = self.choices(&before, &theirs);
        let placed = self.is_past.then(|| {
            let ranks = ranks(&before, &theirs);
            [self.our_facts, self.their_facts].map(|facts| facts.placed(&ranks))
        });
        let [our_facts, their_facts] = match &placed {
            Some([ours, theirs]) => [ours, theirs],
            None => [self.our_facts, self.their_facts],
        };
        let mut merged = match self.options.whole {
            Some(WholeSide::Ours) => Merged { entries: before.clone(), conflicts: Vec::new() },
            Some(WholeSide::Theirs) => Merged { entries: theirs.clone(), conflicts: Vec::new() },
            None => {
                let woven = |choices: &HashMap<EntryId, Choice>| {
                    merge(&Input {
                        base: &base,
                        ours: our_facts.side(&before),
                        theirs: their_facts.side(&theirs),
                        choices,
                        by_time: self.options.by_time || self.is_past,
                        completes_calls: self.is_merge,
                        tools: &|entry| bodies.tools(entry),
                    })
                };
                let mut merged = woven(&choices);
                // An entry may be in two conflicts, one behind the other.
                while let (Some(preference), false) = (&self.options.prefer, merged.conflicts.is_empty()) {
                    let known = choices.len();
                    for (nth, conflict) in merged.conflicts.iter().enumerate() {
                        if let Some(choice) = prefer(editing, preference, known + nth) {
                            choices.insert(conflict.id, choice);
                        }
                    }
                    if choices.len() == known {
                        break;
                    }
                    merged = woven(&choices);
                }
                merged
            }
        };
        bodies.check()?;
        let findings = match self.is_merge && self.options.whole.is_none() {
            true => self.contradictions(&bodies, [&base, &before, &theirs])?,
            false => Vec::new(),
        };
        let open = self.settle_findings(&mut merged, findings);
        if !merged.conflicts.is_empty() || (self.options.strict && !open.is_empty()) {
            return Ok(Woven { conflicts: merged.conflicts, findings: open, ..Woven::default() });
        }
        let after = editing.context.rearrange(&before, merged.entries)?;
        let touches = touches(&before, &after);
        let touched: HashSet<EntryId> = touches.iter().map(|touch| touch.id).collect();
        let gone = before.iter().map(|entry| (entry, false));
        let there = after.iter().map(|entry| (entry, true));
        let mut tools = Vec::new();
        for (entry, is_there) in gone.chain(there).filter(|(entry, _)| touched.contains(&entry.id)) {
            let ToolIds { calls, results } = bodies.tools(entry);
            tools.extend(calls.into_iter().map(|call| Half { call, is_call: true, is_there }));
            tools.extend(results.into_iter().map(|call| Half { call, is_call: false, is_there }));
        }
        bodies.check()?;
        Ok(Woven { findings: open, touches, tools, ..Woven::default() })
    }

    /// Returns the choices that were made about the words that are there.
    fn choices(&self, ours: &[Entry], theirs: &[Entry]) -> HashMap<EntryId, Choice> {
        let body = |side: &[Entry], id: EntryId| side.iter().find(|entry| entry.id == id).map(|entry| entry.body);
        let still =
            |(id, known): &(&EntryId, &Decision)| body(ours, **id) == known.ours && body(theirs, **id) == known.theirs;
        let made = self.decisions.choices.iter().filter(still);
        made.filter_map(|(id, known)| Some((*id, known.settled.choice(*id, self.words)?))).collect()
    }

    /// Takes out what settled contradictions leave behind, and returns those that are open.
    fn settle_findings(&self, merged: &mut Merged, findings: Vec<Finding>) -> Vec<Finding> {
        let mut open = Vec::new();
        for finding in findings {
            let verdict = self.decisions.verdicts.get(&finding.theirs);
            let gone = match verdict.and_then(|verdict| verdict.choice(finding.theirs, self.words)) {
                None => {
                    open.push(finding);
                    continue;
                }
                Some(Choice::Ours) => Some(finding.theirs),
                Some(Choice::Theirs) => Some(finding.ours),
                Some(Choice::Both(_)) => None,
                Some(Choice::Words(words)) => {
                    for entry in merged.entries.iter_mut().filter(|entry| entry.id == finding.theirs) {
                        let (position, id, flags) = (entry.position.clone(), entry.id, entry.flags.clone());
                        *entry = Entry { position, id, flags, ..(*words).clone() };
                    }
                    Some(finding.ours)
                }
            };
            merged.entries.retain(|entry| Some(entry.id) != gone);
        }
        open
    }

    /// Looks for contradictions among what both sides added or changed.
    fn contradictions(
        &self,
        bodies: &Bodies<'_>,
        [base, ours, theirs]: [&[Entry]; 3],
    ) -> Result<Vec<Finding>, OpError> {
        let known: HashMap<EntryId, &Entry> = base.iter().map(|entry| (entry.id, entry)).collect();
        let news = |side: &[Entry], other: &[Entry]| -> Vec<Entry> {
            let there: HashSet<EntryId> = other.iter().map(|entry| entry.id).collect();
            let is_new = |entry: &&Entry| match known.get(&entry.id) {
                None => !there.contains(&entry.id),
                Some(old) => old.body != entry.body || old.meta != entry.meta,
            };
            side.iter().filter(is_new).cloned().collect()
        };
        let newest = |entries: Vec<Entry>| entries[entries.len().saturating_sub(STATEMENTS_MAX)..].to_vec();
        let (ours, theirs) = (newest(news(ours, theirs)), newest(news(theirs, ours)));
        if ours.is_empty() || theirs.is_empty() {
            return Ok(Vec::new());
        }
        Ok(contradictions(&bodies.statements(&ours)?, &bodies.statements(&theirs)?))
    }
}

/// Numbers the entries of two states of one context by where they stand.
fn ranks(before: &[Entry], theirs: &[Entry]) -> HashMap<EntryId, i64> {
    let mut places: Vec<(&Position, EntryId)> =
        theirs.iter().chain(before).map(|entry| (&entry.position, entry.id)).collect();
    places.sort();
    (0..).zip(places).map(|(rank, (_, id))| (id, rank)).collect()
}

/// Decides a conflict by what the user prefers; `None` if that does not decide it.
fn prefer(editing: &Editing<'_>, preference: &Preference, nth: usize) -> Option<Choice> {
    match preference {
        Preference::Ours => Some(Choice::Ours),
        Preference::Theirs => Some(Choice::Theirs),
        Preference::Union => Some(Choice::Both(editing.workspace.new_entry_id(editing.context.tip(), nth))),
        // It was asked before.
        Preference::Driver(_) => None,
    }
}
