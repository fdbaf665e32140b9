//! What has been picked so far, what it costs, and the text that it makes.

use std::ops::Range;

use super::concepts::Concepts;
use super::units::{Source, Unit};
use crate::tokens::Encoding;

/// Digits of an object's name in a stub: what `git` takes for unambiguous in any repository of this kind.
const DIGITS: usize = 12;

/// Holds what is kept of every passage.
pub(super) struct Selection<'a> {
    encoding: Encoding,
    pub(super) sources: &'a [Source<'a>],
    pub(super) units: &'a [Unit],
    pub(super) concepts: &'a Concepts,
    pub(super) covered: Vec<bool>,
    /// What all picks cost, as far as pieces can be counted one by one.
    pub(super) spent: u64,
    kept: Vec<Kept>,
    taken: Vec<bool>,
    /// In the order in which they were made: the last ones matter least.
    picks: Vec<Pick>,
}

/// Says what is kept of one passage.
#[derive(Debug, Clone, Default)]
struct Kept {
    whole: bool,
    stub: bool,
    pieces: usize,
    fragments: Vec<Range<usize>>,
}

struct Pick {
    what: What,
    cost: u64,
}

enum What {
    Whole(usize),
    Unit(usize),
    Fragment(usize),
    Stub(usize),
}

impl<'a> Selection<'a> {
    /// Starts with nothing kept; what stays in the context counts as said.
    pub(super) fn new(
        encoding: Encoding,
        sources: &'a [Source<'a>],
        units: &'a [Unit],
        concepts: &'a Concepts,
    ) -> Self {
        let mut covered = concepts.nothing_covered();
        for unit in sources.iter().filter(|source| source.passage.stays).flat_map(|source| source.units.clone()) {
            concepts.of(unit).iter().for_each(|concept| covered[*concept as usize] = true);
        }
        let (kept, taken) = (vec![Kept::default(); sources.len()], vec![false; units.len()]);
        Selection { encoding, sources, units, concepts, covered, spent: 0, kept, taken, picks: Vec::new() }
    }

    /// Tells whether anything of a passage is kept.
    pub(super) fn is_touched(&self, source: usize) -> bool {
        let kept = &self.kept[source];
        kept.whole || kept.stub || kept.pieces > 0 || !kept.fragments.is_empty()
    }

    /// Tells whether a piece is kept, by itself or with its passage.
    pub(super) fn has(&self, unit: usize) -> bool {
        self.taken[unit] || self.kept[self.units[unit].source].whole
    }

    /// Returns what a piece costs now: the first one of a passage brings its label.
    pub(super) fn cost_of(&self, unit: usize) -> u64 {
        let Unit { source, cost, .. } = self.units[unit];
        cost + self.label_cost(source)
    }

    /// Returns what a whole passage costs.
    pub(super) fn cost_of_whole(&self, source: usize) -> u64 {
        self.sources[source].cost + self.label_cost(source)
    }

    fn label_cost(&self, source: usize) -> u64 {
        if self.is_touched(source) { 0 } else { self.encoding.count(self.sources[source].role.name()) + 4 }
    }

    /// Keeps a whole passage.
    pub(super) fn take_whole(&mut self, source: usize) {
        let pieces = self.sources[source].units.clone().filter(|unit| self.taken[*unit]);
        let already: u64 = pieces.map(|unit| self.units[unit].cost).sum();
        let cost = self.cost_of_whole(source).saturating_sub(already);
        for unit in self.sources[source].units.clone() {
            self.cover(unit);
        }
        self.kept[source].whole = true;
        self.note(What::Whole(source), cost);
    }

    /// Keeps a piece.
    pub(super) fn take(&mut self, unit: usize) {
        let cost = self.cost_of(unit);
        self.cover(unit);
        self.taken[unit] = true;
        self.kept[self.units[unit].source].pieces += 1;
        self.note(What::Unit(unit), cost);
    }

    /// Keeps some bytes of a passage, and says what that costs.
    pub(super) fn take_fragment(&mut self, source: usize, bytes: Range<usize>) {
        let cost = self.cost_of_fragment(source, &bytes);
        self.kept[source].fragments.push(bytes);
        self.note(What::Fragment(source), cost);
    }

    /// Returns what some bytes of a passage cost.
    pub(super) fn cost_of_fragment(&self, source: usize, bytes: &Range<usize>) -> u64 {
        self.encoding.count(&self.sources[source].text[bytes.clone()]) + 2 + self.label_cost(source)
    }

    /// Puts a stub in the place of a passage, if it fits.
    pub(super) fn take_stub(&mut self, source: usize, budget: u64) -> bool {
        let cost = self.encoding.count(&stub(&self.sources[source])) + self.label_cost(source);
        let fits = cost <= budget;
        if fits {
            self.kept[source].stub = true;
            self.note(What::Stub(source), cost);
        }
        fits
    }

    fn cover(&mut self, unit: usize) {
        self.concepts.of(unit).iter().for_each(|concept| self.covered[*concept as usize] = true);
    }

    fn note(&mut self, what: What, cost: u64) {
        self.spent += cost;
        self.picks.push(Pick { what, cost });
    }

    /// Takes back the last picks, until they cost this much less or none are left. What they covered stays covered.
    pub(super) fn take_back(&mut self, tokens: u64) {
        let mut back = 0;
        while back < tokens
            && let Some(pick) = self.picks.pop()
        {
            back += pick.cost;
            match pick.what {
                What::Whole(source) => self.kept[source].whole = false,
                What::Unit(unit) => {
                    self.taken[unit] = false;
                    self.kept[self.units[unit].source].pieces -= 1;
                }
                What::Fragment(source) => drop(self.kept[source].fragments.pop()),
                What::Stub(source) => self.kept[source].stub = false,
            }
        }
        self.spent = self.spent.saturating_sub(back);
    }

    /// Tells whether nothing is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.picks.is_empty()
    }

    /// Writes what is kept: a block for each passage, in their order, the role before it.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        for at in (0..self.sources.len()).filter(|at| self.is_touched(*at)) {
            if !out.is_empty() {
                out.push('\n');
            }
            let (source, kept) = (&self.sources[at], &self.kept[at]);
            out.push_str(source.role.name());
            if kept.whole || kept.pieces == source.units.len() {
                out.push_str(": ");
                out.push_str(source.text.trim());
            } else if kept.stub && kept.pieces == 0 && kept.fragments.is_empty() {
                out.push_str(": ");
                out.push_str(&stub(source));
            } else {
                out.push_str(" (part):");
                for (nth, bytes) in self.ranges(at).into_iter().enumerate() {
                    out.push(if nth == 0 { ' ' } else { '\n' });
                    let text = &source.text[bytes];
                    out.push_str(if nth == 0 { text.trim_start() } else { text });
                }
            }
        }
        out
    }

    /// Returns what is kept of a passage: neighbours in one, with what stands between them.
    fn ranges(&self, at: usize) -> Vec<Range<usize>> {
        let source = &self.sources[at];
        let mut all: Vec<(Range<usize>, Option<usize>)> =
            self.kept[at].fragments.iter().map(|bytes| (bytes.clone(), None)).collect();
        let units = source.units.clone().filter(|unit| self.taken[*unit]);
        all.extend(units.map(|unit| (self.units[unit].bytes.clone(), Some(unit))));
        all.sort_by_key(|(bytes, unit)| (bytes.start, bytes.end, *unit));
        let mut merged: Vec<(Range<usize>, Option<usize>)> = Vec::new();
        for (bytes, unit) in all {
            if let Some((last, last_unit)) = merged.last_mut() {
                let neighbours = last_unit.zip(unit).is_some_and(|(before, after)| before + 1 == after);
                if bytes.start < last.end || neighbours {
                    last.end = last.end.max(bytes.end);
                    *last_unit = unit.or(*last_unit);
                    continue;
                }
            }
            merged.push((bytes, unit));
        }
        merged.into_iter().map(|(bytes, _)| bytes).collect()
    }
}

/// Names the object that holds what a passage says.
fn stub(source: &Source<'_>) -> String {
    format!("[= {} {} tokens]", source.passage.body.short(DIGITS), source.passage.tokens)
}
