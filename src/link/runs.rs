//! Lines in a row that are the same in a passage and in a file.

use std::collections::HashMap;

use super::line::is_trivial;
use super::simulate::Passage;

/// Most places of one line that are looked at: what stands everywhere proves nothing.
const PLACES_MAX: usize = 64;

/// A file's lines, of which some are open: added, and of no known origin yet.
pub(super) struct Open<'a> {
    pub(super) lines: &'a [String],
    pub(super) is_open: Vec<bool>,
    places: HashMap<&'a str, Vec<usize>>,
}

/// Lines of the file in a row that a passage has too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: usize,
    pub(super) len: usize,
    /// How many of them say something.
    pub(super) telling: usize,
    /// Whether all of the passage that says something is in it.
    pub(super) is_all: bool,
}

impl<'a> Open<'a> {
    pub(super) fn new(lines: &'a [String], is_open: Vec<bool>) -> Self {
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        let telling = lines.iter().enumerate().filter(|(at, line)| is_open[*at] && !is_trivial(line));
        for (at, line) in telling {
            places.entry(line.as_str()).or_default().push(at);
        }
        places.retain(|_, places| places.len() <= PLACES_MAX);
        Open { lines, is_open, places }
    }

    /// Finds the runs of a passage among the open lines, in the order of the passage; runs do not overlap.
    pub(super) fn runs(&self, passage: &Passage) -> Vec<Run> {
        let whole = passage.lines.iter().filter(|line| !is_trivial(line)).count();
        let mut found: Vec<Run> = Vec::new();
        let taken = |found: &[Run], at: usize| found.iter().any(|run| (run.start..run.start + run.len).contains(&at));
        let mut nth = 0;
        while nth < passage.lines.len() {
            let mut best: Option<(usize, Run)> = None;
            for at in self.places.get(passage.lines[nth].as_str()).into_iter().flatten().copied() {
                if !self.is_open[at] || taken(&found, at) {
                    continue;
                }
                // Trivial lines before it belong to it; telling ones have had their own turn.
                let mut back = 0;
                while back < at.min(nth) && self.fits(at - back - 1, &passage.lines[nth - back - 1]) {
                    back += 1;
                }
                let mut ahead = 0;
                while nth + ahead < passage.lines.len()
                    && at + ahead < self.lines.len()
                    && self.fits(at + ahead, &passage.lines[nth + ahead])
                {
                    ahead += 1;
                }
                let lines = &self.lines[at - back..at + ahead];
                let telling = lines.iter().filter(|line| !is_trivial(line)).count();
                let run = Run { start: at - back, len: back + ahead, telling, is_all: telling == whole };
                if best.as_ref().is_none_or(|(_, known)| run.telling > known.telling) {
                    best = Some((ahead, run));
                }
            }
            nth += best.as_ref().map_or(1, |(ahead, _)| (*ahead).max(1));
            found.extend(best.map(|(_, run)| run));
        }
        found
    }

    fn fits(&self, at: usize, line: &str) -> bool {
        self.is_open[at] && self.lines[at] == line
    }
}
