//! What is to become of each entry: chosen by rules, or written by a person in git's manner of a todo list.

use std::collections::HashMap;
use std::fmt::Write;

use super::super::OpError;
use super::super::find::{find_entry, say};
use super::Mode;
use super::scene::Scene;
use super::stub::Masked;
use crate::model::EntryId;

/// The largest plan that is read, in bytes.
const PLAN_MAX: usize = 16 << 20;

/// The largest text of a summary, in bytes.
pub(super) const TEXT_MAX: usize = 1 << 20;

/// Says what is to become of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Keep,
    Pin,
    Make(Mode),
}

/// Says what is to become of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// The entry's place.
    pub(super) at: usize,
    pub(super) verb: Verb,
    /// Steps of different groups never share a summary.
    pub(super) group: usize,
}

/// Holds the steps in the order of the context; entries without one stay.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// Texts that were given for summaries, by group.
    pub(super) texts: HashMap<usize, String>,
    /// Bodies that were made while choosing.
    pub(super) masked: HashMap<usize, Masked>,
    /// Why nothing is to be done, if so.
    pub(super) idle: Option<String>,
    /// Whether a person wrote it: then nothing is left out for being of no use.
    pub(super) is_given: bool,
}

/// Entries that become one summary.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) mode: Mode,
    pub(super) members: Vec<usize>,
    pub(super) text: Option<String>,
}

impl Verb {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Verb::Keep => "keep",
            Verb::Pin => "pin",
            Verb::Make(mode) => mode.name(),
        }
    }

    /// Reads a verb, or its first letter where git has such letters.
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "keep" | "k" => Verb::Keep,
            "pin" | "p" => Verb::Pin,
            "m" => Verb::Make(Mode::Mask),
            "d" => Verb::Make(Mode::Drop),
            "c" => Verb::Make(Mode::Combine),
            "e" => Verb::Make(Mode::Extract),
            "t" => Verb::Make(Mode::Title),
            name => Verb::Make(name.parse().ok()?),
        })
    }
}

impl Plan {
    /// Returns the runs that become summaries: steps that follow each other in what the model sees.
    pub(super) fn runs(&self, scene: &Scene<'_>) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let mut last: Option<Step> = None;
        for step in &self.steps {
            let Verb::Make(mode) = step.verb else { continue };
            if !mode.summarises() {
                continue;
            }
            let joins = |last: &Step| {
                let between = &scene.entries[last.at + 1..step.at];
                last.verb == step.verb && last.group == step.group && !between.iter().any(|entry| entry.role.is_sent())
            };
            match runs.last_mut().filter(|_| last.as_ref().is_some_and(joins)) {
                Some(run) => run.members.push(step.at),
                None => runs.push(Run { mode, members: vec![step.at], text: None }),
            }
            if let (Some(run), Some(text)) = (runs.last_mut(), self.texts.get(&step.group)) {
                run.text = Some(text.clone());
            }
            last = Some(*step);
        }
        runs
    }

    /// Writes the plan for a person to change.
    pub(super) fn encode(&self, scene: &Scene<'_>, title: &str) -> Result<String, OpError> {
        let mut out = format!("# {title}\n{HELP}\n");
        for step in &self.steps {
            let entry = &scene.entries[step.at];
            let pin = if entry.flags.pin { "pinned " } else { "" };
            let preview = scene.preview(step.at)?;
            let line = writeln!(
                out,
                "{:<7} {} # {} {pin}{} {preview}",
                step.verb.name(),
                entry.id,
                entry.role.name(),
                entry.tokens
            );
            line.expect("a string takes every write");
        }
        Ok(out)
    }

    /// Reads a plan.
    pub(super) fn decode(scene: &Scene<'_>, bytes: &[u8]) -> Result<Self, OpError> {
        let whole = |reason: String| OpError::Plan { line: 0, reason };
        if bytes.len() > PLAN_MAX {
            return Err(whole(format!("it has more than {PLAN_MAX} bytes")));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| whole("not UTF-8".to_owned()))?;
        let index: HashMap<EntryId, usize> =
            scene.entries.iter().enumerate().map(|(at, entry)| (entry.id, at)).collect();
        let mut plan = Plan { is_given: true, ..Plan::default() };
        let mut group = 0;
        for (number, line) in text.lines().enumerate() {
            let wrong = |reason: String| OpError::Plan { line: number + 1, reason };
            let line = line.trim();
            if let Some(text) = line.strip_prefix('|') {
                plan.add_text(group, text.strip_prefix(' ').unwrap_or(text))
                    .map_err(|reason| wrong(reason.to_owned()))?;
                continue;
            }
            if line.is_empty() || plan.texts.contains_key(&group) {
                group += 1;
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (verb, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let name = rest.split_whitespace().next().unwrap_or_default();
            let shown = |text: &str| crate::codec::one_line(text, 40);
            let verb = Verb::from_name(verb).ok_or_else(|| wrong(format!("unknown verb '{}'", shown(verb))))?;
            if name.is_empty() || name.starts_with('#') {
                return Err(wrong("no entry".to_owned()));
            }
            let at = match name.parse::<EntryId>().ok().and_then(|id| index.get(&id)) {
                Some(at) => *at,
                None => {
                    let found = find_entry(&scene.entries, &shown(name), &|entry| say(scene.workspace, entry));
                    index[&found.map_err(|error| wrong(error.to_string()))?.id]
                }
            };
            if let Some(last) = plan.steps.last().filter(|last| last.at >= at) {
                let other = scene.entries[last.at].id;
                let id = scene.entries[at].id;
                return Err(wrong(match last.at == at {
                    true => format!("entry '{id}' is named twice"),
                    false => format!("entry '{id}' stands before '{other}' in the context"),
                }));
            }
            let stays = matches!(verb, Verb::Keep | Verb::Pin | Verb::Make(Mode::Drop));
            if !scene.entries[at].role.is_sent() && !stays {
                return Err(wrong(format!("entry '{}' is not sent to a model", scene.entries[at].id)));
            }
            plan.steps.push(Step { at, verb, group });
        }
        Ok(plan)
    }

    fn add_text(&mut self, group: usize, line: &str) -> Result<(), &'static str> {
        let summarises = |step: &&Step| matches!(step.verb, Verb::Make(mode) if mode.summarises());
        if self.steps.last().filter(|step| step.group == group).filter(summarises).is_none() {
            return Err("a text without entries to stand for");
        }
        let text = self.texts.entry(group).or_default();
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
        if text.len() > TEXT_MAX { Err("the text is too long") } else { Ok(()) }
    }
}

const HELP: &str = "\
#
# One line an entry, in the order of the context:
#   keep     it stays as it is                 pin      it stays as it is, and is pinned
#   mask     what tools answered becomes a line that names the original
#   dedupe   the same, for what tools answered again later
#   drop     it leaves the context
#   combine  it becomes one summary with its neighbours: their texts in order
#   extract  ... the lines of them that say most
#   title    ... one line
#   driver   ... what the driver writes
#
# Neighbours with the same verb share a summary. An empty line between them makes two of it. Lines under them that
# begin with '|' are the text of their summary, which is not made then.
# An entry whose line is taken out stays as it is. Lines cannot change their order. What follows '#' is not read.
#";
