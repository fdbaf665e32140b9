//! Which result answers which call.
//!
//! Anthropic: "Each `tool_use` block must have a corresponding `tool_result` block in the next message"; OpenAI: an
//! assistant message with `tool_calls` must be followed by tool messages responding to each `tool_call_id`.

use std::collections::{HashMap, HashSet};

use super::part::{Content, Element};
use super::plan::{Group, Speech, is_unnamed_result};
use super::problem::{Problem, ProblemKind};

/// Where a call was made.
struct Made {
    group: usize,
    answered: bool,
    /// A result exists, though not where it belongs: one fault is reported once.
    displaced: bool,
}

/// Checks the pairs and returns what can be paired without being named: group, place in the group, call.
///
/// A tool's entry that names no call answers the one call before it that nothing else answers.
pub(super) fn check(groups: &[Group<'_>], found: &mut Vec<(usize, Problem)>) -> Vec<(usize, usize, String)> {
    let mut made = HashMap::new();
    for (number, group) in groups.iter().enumerate() {
        for speech in &group.speeches {
            for call in speech.calls() {
                let earlier = made.insert(call, Made { group: number, answered: false, displaced: false });
                if let Some(earlier) = earlier {
                    made.insert(call, earlier);
                    note(found, speech, ProblemKind::DuplicateCall { call: call.to_owned() });
                }
            }
        }
    }
    let mut adopted = Vec::new();
    for (number, group) in groups.iter().enumerate().filter(|(_, group)| !group.is_assistant) {
        for speech in &group.speeches {
            for call in speech.answers() {
                if let Some(kind) = judge(call, number, &mut made) {
                    note(found, speech, kind);
                }
            }
        }
        adopted.extend(adopt(groups, number, &mut made, found));
    }
    let last = groups.iter().rposition(|group| group.is_assistant);
    for (number, group) in groups.iter().enumerate() {
        for speech in &group.speeches {
            let mut seen = HashSet::new();
            for call in speech.calls().filter(|call| seen.insert(*call)) {
                if made.get(call).is_some_and(|made| made.group == number && !made.answered && !made.displaced) {
                    let last = last == Some(number);
                    note(found, speech, ProblemKind::OrphanCall { call: call.to_owned(), last });
                }
            }
        }
    }
    adopted
}

/// Judges one result in the group with this number.
fn judge(call: &str, number: usize, made: &mut HashMap<&str, Made>) -> Option<ProblemKind> {
    let call_name = call.to_owned();
    let Some(made) = made.get_mut(call) else {
        return Some(ProblemKind::OrphanResult { call: call_name });
    };
    if made.group > number {
        made.displaced = true;
        return Some(ProblemKind::ResultBeforeCall { call: call_name });
    }
    if made.answered {
        return Some(ProblemKind::DuplicateResult { call: call_name });
    }
    if made.group + 1 < number {
        made.displaced = true;
        return Some(ProblemKind::SeparatedResult { call: call_name });
    }
    made.answered = true;
    None
}

/// Pairs the one result that names no call with the one call that is left.
fn adopt(
    groups: &[Group<'_>],
    number: usize,
    made: &mut HashMap<&str, Made>,
    found: &mut Vec<(usize, Problem)>,
) -> Option<(usize, usize, String)> {
    let group = &groups[number];
    let unnamed: Vec<usize> =
        (0..group.speeches.len()).filter(|place| is_unnamed_result(&group.speeches[*place])).collect();
    if unnamed.is_empty() {
        return None;
    }
    let before = number.checked_sub(1).map(|before| &groups[before]);
    let mut open: Vec<&str> = before.into_iter().flat_map(|group| &group.speeches).flat_map(Speech::calls).collect();
    open.retain(|call| made.get(*call).is_some_and(|made| made.group + 1 == number && !made.answered));
    open.dedup();
    if let ([place], [call]) = (&unnamed[..], &open[..]) {
        made.get_mut(*call)?.answered = true;
        return Some((number, *place, (*call).to_owned()));
    }
    for place in unnamed {
        note(found, &group.speeches[place], ProblemKind::UnnamedResult);
    }
    None
}

fn note(found: &mut Vec<(usize, Problem)>, speech: &Speech<'_>, kind: ProblemKind) {
    found.push((speech.place, Problem { entry: speech.entry.id, kind }));
}

impl Speech<'_> {
    /// Returns the calls that are made here, in order.
    pub(super) fn calls(&self) -> impl Iterator<Item = &str> {
        self.elements.iter().flat_map(Element::calls)
    }

    /// Returns the calls that are answered here, in order.
    pub(super) fn answers(&self) -> impl Iterator<Item = &str> {
        self.elements.iter().flat_map(Element::answers)
    }
}

impl Element<'_> {
    /// Returns the calls that are made here, in order.
    pub(super) fn calls(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match &part.content {
            Content::Call(call) => Some(&*call.id),
            _ => None,
        })
    }

    /// Returns the calls that are answered here, in order.
    pub(super) fn answers(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match &part.content {
            Content::Result(answer) => Some(&*answer.call),
            _ => None,
        })
    }
}
