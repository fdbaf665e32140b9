//! What a step's commit says of itself.

use std::collections::HashMap;

use super::state::{Action, Sequence, Step};
use crate::model::{Commit, EntryId, NanoDollars, Operation, Touch, Usage};
use crate::ops::change::Record;

/// Names the trailer of a compression that was done again elsewhere: its promises were for where it was made.
pub(in crate::ops) const AGAIN: &str = "Trace-Again";

/// Says what to record of a step.
pub(super) fn record(
    sequence: &Sequence,
    step: &Step,
    commit: &Commit,
    folded: &[Commit],
    touches: Vec<Touch>,
) -> Record {
    let facts = &commit.facts;
    let (operation, subject, body) = match step.action {
        Action::Merge | Action::Squash => {
            let into = sequence.branch.as_deref().unwrap_or("HEAD");
            let subject = format!("merge {} into {into}", commit.id.short(10));
            (Operation::Merge, subject, String::new())
        }
        Action::Revert => {
            let body = format!("This takes back commit {}.", commit.id);
            let subject = match commit.subject.strip_prefix("revert: ") {
                Some(taken_back) => format!("reapply: {taken_back}"),
                None => format!("revert: {}", commit.subject),
            };
            (Operation::Revert, subject, body)
        }
        Action::Pick | Action::Compress => {
            let mut body = commit.body.clone();
            if sequence.options.note_source {
                body = format!("{body}\n\n(cherry picked from commit {})", commit.id).trim().to_owned();
            }
            (facts.operation.clone(), commit.subject.clone(), body)
        }
    };
    let mut record = Record::new(operation, subject, touches);
    record.body = body;
    if let Some(message) = &step.message {
        let (subject, body) = message.split_once('\n').unwrap_or((message, ""));
        (record.subject, record.body) = (subject.to_owned(), body.trim().to_owned());
    }
    match step.action {
        Action::Merge => record.merged = vec![commit.id],
        Action::Pick => {
            // Facts about entries (when, from where) stay with them.
            let known: HashMap<EntryId, &Touch> = folded
                .iter()
                .chain([commit])
                .flat_map(|commit| &commit.facts.entries)
                .map(|touch| (touch.id, touch))
                .collect();
            for touch in &mut record.entries {
                if let Some(known) = known.get(&touch.id).filter(|known| known.kind == touch.kind) {
                    touch.fields.clone_from(&known.fields);
                }
            }
            record.model.clone_from(&facts.model);
            let usages = folded.iter().map(|commit| commit.facts.usage);
            record.usage = usages.fold(facts.usage, |sum, usage| added(sum, usage, plus));
            let costs = folded.iter().map(|commit| commit.facts.cost);
            record.cost = costs.fold(facts.cost, |sum, cost| {
                added(sum, cost, |one, other| NanoDollars(one.0.saturating_add(other.0)))
            });
            record.other.clone_from(&facts.other);
            // On another context it need not be what it was: pins may be overruled, entries be gone already.
            if matches!(facts.operation, Operation::Compress | Operation::Restore) && facts.trailer(AGAIN).is_none() {
                record.other.push((AGAIN.to_owned(), sequence.verb.name().to_owned()));
            }
            record.again = Some(Box::new(commit.clone()));
        }
        Action::Squash | Action::Revert | Action::Compress => {}
    }
    record
}

/// Sums up what commits that became one had cost.
fn added<T>(one: Option<T>, other: Option<T>, plus: impl FnOnce(T, T) -> T) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(plus(one, other)),
        (one, other) => one.or(other),
    }
}

fn plus(one: Usage, other: Usage) -> Usage {
    let sum = |one, other| added(one, other, u64::saturating_add);
    Usage {
        input: sum(one.input, other.input),
        cache_read: sum(one.cache_read, other.cache_read),
        cache_write: sum(one.cache_write, other.cache_write),
        output: sum(one.output, other.output),
        reasoning: sum(one.reasoning, other.reasoning),
    }
}
