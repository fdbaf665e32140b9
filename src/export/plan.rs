//! The sequence of a context, from which every provider's format is written.
//!
//! Consecutive entries of one side make a group; groups of the two sides take turns; the results of calls stand first
//! in the group behind the calls. A plan without problems can be written as it is.

use std::collections::HashMap;

use super::loss::{Dropped, Lost, fit, fit_results};
use super::part::{Answer, Content, Element, Source};
use super::problem::{Problem, ProblemKind};
use super::read::read;
use super::{Format, pairing, trim};
use crate::model::{Entry, EntryId, Item, Role};

/// Holds an entry as it is sent.
#[derive(Debug)]
pub(super) struct Speech<'a> {
    /// Its place in the context.
    pub(super) place: usize,
    /// The entry.
    pub(super) entry: &'a Entry,
    /// What is left of its body.
    pub(super) elements: Vec<Element<'a>>,
}

/// Holds what one side says before the other side speaks.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// The model speaks; else the user, the tools, a summary or a later instruction.
    pub(super) is_assistant: bool,
    /// The results of the calls in the group before; filled when the plan is ready.
    pub(super) results: Vec<(EntryId, Element<'a>)>,
    /// The rest, in order.
    pub(super) speeches: Vec<Speech<'a>>,
}

/// Holds a context ready to be written for a provider.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    /// The instructions before everything else.
    pub(super) system: Vec<Speech<'a>>,
    /// The groups, the sides taking turns.
    pub(super) groups: Vec<Group<'a>>,
    /// What is wrong, in the order of the entries.
    pub(super) problems: Vec<Problem>,
    /// What was left out because the format has no place for it.
    pub(super) dropped: Vec<Dropped>,
    /// Entries left out at the end because their calls are not answered.
    pub(super) trimmed: Vec<EntryId>,
    /// Number of entries that are in the plan.
    pub(super) entries: usize,
}

/// Finds the faults for which a provider would refuse this context, in the order of its entries.
///
/// Entries that are not sent to a model do not matter. The rules are the ones that the providers' formats share, and
/// Anthropic's rule that the user speaks first; see [`Problem::concerns`].
pub fn validate(items: &[Item]) -> Vec<Problem> {
    plan(items, None, false).problems
}

/// Reads a context for a format; without one, for the rules that all formats share.
pub(super) fn plan(items: &[Item], format: Option<Format>, trim_end: bool) -> Plan<'_> {
    let mut plan = Plan::default();
    let mut found: Vec<(usize, Problem)> = Vec::new();
    let mut speeches = Vec::new();
    for (place, item) in items.iter().enumerate().filter(|(_, item)| item.entry.role.is_sent()) {
        let entry = &item.entry;
        let mut note = |kind| found.push((place, Problem { entry: entry.id, kind }));
        match read(&entry.kind, &item.body) {
            Err(reason) => note(ProblemKind::Malformed { reason }),
            Ok(elements) => {
                if let Some(kind) = fault(&entry.role, &elements) {
                    note(kind);
                }
                speeches.push(Speech { place, entry, elements });
            }
        }
    }
    if trim_end {
        plan.trimmed = trim::trim(&mut speeches);
    }
    for speech in &mut speeches {
        if let Some(format) = format
            && !is_unnamed_result(speech)
        {
            fit(&mut speech.elements, speech.entry.id, &speech.entry.role, format, &mut plan.dropped);
        }
    }
    // A tool may well have said nothing; anybody else who has nothing left to say is left out.
    speeches.retain(|speech| !speech.elements.is_empty() || speech.entry.role == Role::Tool);
    let first_turn = speeches.iter().position(|speech| speech.entry.role != Role::System).unwrap_or(speeches.len());
    let turns = speeches.split_off(first_turn);
    plan.system = speeches;
    plan.groups = group(turns, &mut plan.dropped);
    if let Some(first) = plan.groups.first().filter(|group| group.is_assistant)
        && let Some(speech) = first.speeches.first()
    {
        found.push((speech.place, Problem { entry: speech.entry.id, kind: ProblemKind::AssistantFirst }));
    }
    let adopted = pairing::check(&plan.groups, &mut found);
    for (group, place, call) in adopted {
        adopt(&mut plan.groups[group].speeches[place], call);
    }
    plan.entries = plan.system.len() + plan.groups.iter().map(|group| group.speeches.len()).sum::<usize>();
    if let Some(format) = format {
        for group in &mut plan.groups {
            settle(group, format, &mut plan.dropped);
        }
    }
    let places: HashMap<EntryId, usize> =
        items.iter().enumerate().map(|(place, item)| (item.entry.id, place)).collect();
    plan.dropped.sort_by_key(|dropped| places.get(&dropped.entry).copied());
    found.sort_by_key(|(place, _)| *place);
    plan.problems = found.into_iter().map(|(_, problem)| problem).collect();
    plan
}

/// Says what is wrong with an entry that can be seen without its neighbours.
fn fault(role: &Role, elements: &[Element<'_>]) -> Option<ProblemKind> {
    let parts = || elements.iter().flat_map(|element| &element.parts);
    let misplaced = parts().find_map(|part| match (&part.content, role) {
        (Content::Call(_), Role::Assistant) | (Content::Result(_), Role::Tool | Role::User) => None,
        (Content::Call(_), _) => Some("tool call outside a message of the model"),
        (Content::Result(_), _) => Some("tool result outside a message of the user"),
        (Content::Text(_), _) => None,
        (_, Role::System) => Some("something other than text in the instructions"),
        _ => None,
    });
    if let Some(what) = misplaced {
        return Some(ProblemKind::Misplaced { what });
    }
    let empty = *role != Role::Tool && parts().all(|part| part.content.is_blank_text());
    empty.then_some(ProblemKind::EmptyMessage)
}

/// Tells whether an entry is a tool's, but does not say which call it answers.
pub(super) fn is_unnamed_result(speech: &Speech<'_>) -> bool {
    let names_call =
        |element: &Element<'_>| element.parts.iter().any(|part| matches!(part.content, Content::Result(_)));
    speech.entry.role == Role::Tool && !speech.elements.iter().any(names_call)
}

/// Puts consecutive entries of one side together.
///
/// A group of the model's that only thinks is left out: no provider takes it back.
fn group<'a>(speeches: Vec<Speech<'a>>, dropped: &mut Vec<Dropped>) -> Vec<Group<'a>> {
    let mut runs: Vec<Group<'a>> = Vec::new();
    for speech in speeches {
        push(&mut runs, speech);
    }
    let mut groups: Vec<Group<'a>> = Vec::new();
    for run in runs {
        let silent = run.is_assistant && run.speeches.iter().all(Speech::is_silent);
        for speech in run.speeches {
            if silent {
                dropped.push(Dropped { entry: speech.entry.id, what: Lost::TrailingThinking });
            } else {
                push(&mut groups, speech);
            }
        }
    }
    groups
}

/// Adds an entry to the last group, or begins another.
fn push<'a>(groups: &mut Vec<Group<'a>>, speech: Speech<'a>) {
    let is_assistant = speech.entry.role == Role::Assistant;
    match groups.last_mut().filter(|group| group.is_assistant == is_assistant) {
        Some(group) => group.speeches.push(speech),
        None => groups.push(Group { is_assistant, results: Vec::new(), speeches: vec![speech] }),
    }
}

/// Makes all that a tool's entry says the result of a call.
fn adopt(speech: &mut Speech<'_>, call: String) {
    let content = speech.elements.drain(..).flat_map(|element| element.parts).collect();
    speech.elements = vec![Element::loose(Content::Result(Answer { call: call.into(), content, error: false }))];
}

/// Brings the parts of a group into the order in which they are written.
fn settle<'a>(group: &mut Group<'a>, format: Format, dropped: &mut Vec<Dropped>) {
    if group.is_assistant {
        drop_trailing_thinking(group, format, dropped);
        return;
    }
    for speech in &mut group.speeches {
        let id = speech.entry.id;
        let elements = std::mem::take(&mut speech.elements);
        for mut element in elements {
            if element.is_result() {
                fit_results(&mut element, id, format, dropped);
                group.results.push((id, element));
            } else {
                speech.elements.push(element);
            }
        }
    }
    group.speeches.retain(|speech| !speech.elements.is_empty());
}

/// Takes thinking off the end of a message, where providers refuse it.
///
/// Anthropic: "The final block in an assistant message cannot be `thinking`". A chat message has no such rule.
fn drop_trailing_thinking(group: &mut Group<'_>, format: Format, dropped: &mut Vec<Dropped>) {
    if format == Format::OpenaiChat {
        return;
    }
    while let Some(speech) = group.speeches.last_mut() {
        let entry = speech.entry.id;
        while let Some(element) = speech.elements.last_mut() {
            while element.parts.last().is_some_and(|part| part.content.is_thinking()) {
                element.parts.pop();
                dropped.push(Dropped { entry, what: Lost::TrailingThinking });
            }
            if !element.parts.is_empty() {
                return;
            }
            speech.elements.pop();
        }
        group.speeches.pop();
    }
}

impl Speech<'_> {
    /// Tells whether there is nothing in it but thinking.
    pub(super) fn is_silent(&self) -> bool {
        let mut parts = self.elements.iter().flat_map(|element| &element.parts);
        parts.all(|part| part.content.is_thinking() || part.content.is_blank_text())
    }
}

impl<'a> Element<'a> {
    /// Returns the source when this element may be copied as a whole, which `fit` decided.
    pub(super) fn whole(&self) -> Option<&'a str> {
        match self.source {
            Source::Loose => None,
            Source::Chat { raw, .. } | Source::Item { raw, .. } => Some(raw.get()),
        }
    }
}
