//! Which entries tool calls tie together: they stay together, or go together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::OpError;
use super::check::Halves;
use super::scene::Scene;
use crate::model::Role;

/// Holds groups of entries, by their places in the context.
#[derive(Debug, Default)]
pub(in crate::ops) struct Ties {
    units: Vec<Vec<usize>>,
    unit_of: HashMap<usize, usize>,
}

/// Where each call and each result was seen first. That one stands for all of the same id, so that many of them cost no
/// more than few.
#[derive(Default)]
struct Open {
    calls: HashMap<String, usize>,
    results: HashMap<String, usize>,
}

impl Ties {
    /// Finds what is tied to the entries from `first` to `last`, be it among them or not. Only entries that may hold
    /// another half are read.
    pub(in crate::ops) fn find(scene: &Scene<'_>, first: usize, last: usize) -> Result<Self, OpError> {
        let mut links: Vec<(usize, usize)> = Vec::new();
        let mut open = Open::default();
        let mut speaker = None;
        for at in first..=last {
            open.take(scene, at, &mut links)?;
            speaker = adopt(scene, at, speaker, &mut links)?;
        }
        // Forwards: results of calls that were made here.
        let mut waiting = open.unanswered();
        let mut at = last + 1;
        while at < scene.entries.len() && !waiting.is_empty() {
            let entry = &scene.entries[at];
            if entry.role == Role::Assistant {
                speaker = None;
            }
            if let Some(speaker) = speaker
                && scene.is_unnamed_result(at)?
            {
                links.push((speaker, at));
                waiting.retain(|_, call| *call != speaker);
            }
            for id in &scene.tool_ids(at)?.results {
                links.extend(waiting.remove(id).map(|call| (call, at)));
            }
            at += 1;
        }
        // Backwards: calls whose results are here, and who spoke before a result that names no call.
        let mut waiting = open.uncalled();
        let mut unnamed = Vec::new();
        for at in (first..=last).take_while(|at| scene.entries[*at].role != Role::Assistant) {
            if scene.is_unnamed_result(at)? {
                unnamed.push(at);
            }
        }
        let mut at = first;
        while at > 0 && !(waiting.is_empty() && unnamed.is_empty()) {
            at -= 1;
            let ids = scene.tool_ids(at)?;
            for id in &ids.calls {
                links.extend(waiting.remove(id).map(|result| (at, result)));
            }
            if scene.entries[at].role == Role::Assistant {
                if !ids.calls.is_empty() {
                    links.extend(unnamed.iter().map(|result| (at, *result)));
                }
                unnamed.clear();
            }
        }
        Ok(Ties::of_links(&links))
    }

    fn of_links(links: &[(usize, usize)]) -> Self {
        let mut neighbours: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (one, other) in links.iter().filter(|(one, other)| one != other) {
            neighbours.entry(*one).or_default().push(*other);
            neighbours.entry(*other).or_default().push(*one);
        }
        let mut ties = Ties::default();
        for start in neighbours.keys() {
            if ties.unit_of.contains_key(start) {
                continue;
            }
            let number = ties.units.len();
            let mut unit = Vec::new();
            let mut stack = vec![*start];
            while let Some(at) = stack.pop() {
                if ties.unit_of.insert(at, number).is_none() {
                    unit.push(at);
                    stack.extend(&neighbours[&at]);
                }
            }
            unit.sort_unstable();
            ties.units.push(unit);
        }
        ties
    }

    /// Returns the entries that are tied to this one, itself included, in order.
    pub(super) fn unit(&self, at: usize) -> Vec<usize> {
        self.unit_of.get(&at).map_or_else(|| vec![at], |number| self.units[*number].clone())
    }

    /// Returns all groups, each in order.
    pub(super) fn units(&self) -> &[Vec<usize>] {
        &self.units
    }

    /// Returns the halves of these entries and of all that are tied to them, in order.
    pub(in crate::ops) fn halves(&self, scene: &Scene<'_>, places: &[usize]) -> Result<Vec<Halves>, OpError> {
        let mut all: BTreeSet<usize> = places.iter().copied().collect();
        let units: BTreeSet<usize> = places.iter().filter_map(|at| self.unit_of.get(at)).copied().collect();
        all.extend(units.iter().flat_map(|number| &self.units[*number]));
        let mut halves: Vec<Halves> = Vec::with_capacity(all.len());
        let mut speaker: Option<(usize, usize)> = None;
        for (nth, at) in all.into_iter().enumerate() {
            let entry = &scene.entries[at];
            let mut own = Halves::of(entry.id, scene.tool_ids(at)?.clone());
            if entry.role == Role::Assistant {
                speaker = Some((nth, at));
            }
            let tied =
                |speaker: &usize| self.unit_of.get(speaker).is_some_and(|unit| self.unit_of.get(&at) == Some(unit));
            if let Some((before, _)) = speaker.filter(|(_, speaker)| tied(speaker))
                && scene.is_unnamed_result(at)?
            {
                halves[before].ids.calls.push(Halves::unnamed(entry.id));
                own.ids.results.push(Halves::unnamed(entry.id));
            }
            halves.push(own);
        }
        Ok(halves)
    }
}

/// Ties a result that names no call to who called before it; returns who spoke last.
fn adopt(
    scene: &Scene<'_>,
    at: usize,
    speaker: Option<usize>,
    links: &mut Vec<(usize, usize)>,
) -> Result<Option<usize>, OpError> {
    if scene.entries[at].role == Role::Assistant {
        return Ok((!scene.tool_ids(at)?.calls.is_empty()).then_some(at));
    }
    if let Some(speaker) = speaker
        && scene.is_unnamed_result(at)?
    {
        links.push((speaker, at));
    }
    Ok(speaker)
}

impl Open {
    fn take(&mut self, scene: &Scene<'_>, at: usize, links: &mut Vec<(usize, usize)>) -> Result<(), OpError> {
        let ids = scene.tool_ids(at)?;
        for id in &ids.calls {
            let first = *self.calls.entry(id.clone()).or_insert(at);
            links.extend([Some(first), self.results.get(id).copied()].into_iter().flatten().map(|one| (one, at)));
        }
        for id in &ids.results {
            let first = *self.results.entry(id.clone()).or_insert(at);
            links.extend([Some(first), self.calls.get(id).copied()].into_iter().flatten().map(|one| (one, at)));
        }
        Ok(())
    }

    fn unanswered(&self) -> HashMap<String, usize> {
        let open = self.calls.iter().filter(|(id, _)| !self.results.contains_key(*id));
        open.map(|(id, at)| (id.clone(), *at)).collect()
    }

    fn uncalled(&self) -> HashMap<String, usize> {
        let open = self.results.iter().filter(|(id, _)| !self.calls.contains_key(*id));
        open.map(|(id, at)| (id.clone(), *at)).collect()
    }
}
