//! Which write each added line of a file came from.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::time::Instant;

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use super::line::{is_trivial, normal_lines};
use super::runs::{Open, Run};
use super::simulate::{Passage, Simulated};
use crate::model::FileChange;

/// Telling lines in a row that prove more than a few lines that may have been written twice.
const STRONG: usize = 3;

/// Most places of one line in what was written that are looked at.
const PLACES_MAX: usize = 64;

/// A write to the file, or to the file that it was renamed from.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// What happened to the file.
    pub change: &'a FileChange,
    /// Whether it was made after the commit before.
    pub is_newer: bool,
    /// Whether it was made since then, or so shortly before this change that it may have been left for it.
    pub is_recent: bool,
    /// Whether it may have been to a file of the same name elsewhere: it has to say a lot to be believed.
    pub is_elsewhere: bool,
    /// Whether it is known to be behind this very change, as a rebase has it: it may be older than what it stands on.
    pub is_known: bool,
}

/// Says how much work may be done.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Most lines of a file that is looked at.
    pub lines: usize,
    /// When to give up; what was found by then is not all.
    pub until: Option<Instant>,
}

impl Effort {
    /// Tells whether it is time to give up.
    pub fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// For each line of the new file, the number of the write that it came from.
pub type Origins = Vec<Option<usize>>;

/// Finds the origins of the added lines of a file. `writes` are in the order of their times, and `added` are ranges of
/// lines of `new`.
///
/// The writes are carried out on the old file, as the agent did; the added lines that are in the result too have their
/// origin there. What is left is looked for in each write by itself, the latest first: an agent may work on several
/// branches, and a commit may hold an earlier state. A line counts only together with its neighbours, one of which must
/// say something. Text that the old file has already is moved or copied by the commit: a write from before proves
/// nothing then. And a line or two are easily written twice, as in a file's head: only a write that was just made, to
/// the file as it was, is behind so few; any other one shows in several lines in a row, or in most that it wrote.
pub fn origins(old: &str, new: &str, added: &[Range<usize>], writes: &[Written<'_>], effort: &Effort) -> Origins {
    let lines = normal_lines(new);
    let mut found: Origins = vec![None; lines.len()];
    if writes.is_empty() || lines.len() > effort.lines {
        return found;
    }
    let mut is_added = vec![false; lines.len()];
    for range in added {
        let end = range.end.min(lines.len());
        is_added[range.start.min(end)..end].fill(true);
    }
    let known: HashSet<String> = normal_lines(old).into_iter().collect();
    let file = File { lines: &lines, is_added: &is_added, known: &known, writes, effort };
    let (result, passages) = file.simulate(old);
    file.align(&result, &mut found);
    file.match_runs(&passages, &mut found);
    file.grow(&passages, &mut found);
    file.fill(&mut found);
    found
}

/// Tells whether a new file is what was written to another path before it was moved here: most of what it says, in
/// order.
pub fn is_moved_in(new: &str, change: &FileChange) -> bool {
    let FileChange::Whole(text) = change else { return false };
    let lines = normal_lines(new);
    let telling = lines.iter().filter(|line| !is_trivial(line)).count();
    let open = Open::new(&lines, vec![true; lines.len()]);
    let passage = Passage { origin: 0, lines: normal_lines(text), fits: true };
    let same: usize =
        open.runs(&passage).iter().filter(|run| run.telling >= STRONG || run.is_all).map(|run| run.telling).sum();
    same >= STRONG && same * 2 >= telling
}

struct File<'a> {
    lines: &'a [String],
    is_added: &'a [bool],
    /// Lines of the old file.
    known: &'a HashSet<String>,
    writes: &'a [Written<'a>],
    effort: &'a Effort,
}

impl File<'_> {
    /// Carries out the writes; returns the file that comes of those that the old file does not hold yet, and the
    /// passages that each of all of them brought.
    fn simulate(&self, old: &str) -> (Simulated, Vec<Passage>) {
        let mut passages = Vec::new();
        let landed = self.writes.iter().rposition(|write| self.has_landed(write)).map_or(0, |last| last + 1);
        let aside = || Simulated::of("", self.effort.until);
        let (mut earlier, mut elsewhere, mut file) = (aside(), aside(), Simulated::of(old, self.effort.until));
        for (number, write) in self.writes.iter().enumerate() {
            match write {
                _ if self.effort.is_over() => break,
                Written { is_elsewhere: true, .. } => elsewhere.apply(number, write.change, &mut passages),
                _ if number < landed => earlier.apply(number, write.change, &mut passages),
                _ => file.apply(number, write.change, &mut passages),
            }
        }
        (file, passages)
    }

    /// Tells whether the old file came from this write: carrying it out again would undo what was done since.
    fn has_landed(&self, write: &Written<'_>) -> bool {
        let FileChange::Whole(text) = write.change else { return false };
        if write.is_newer || write.is_elsewhere {
            return false;
        }
        let lines = normal_lines(text);
        let telling = lines.iter().filter(|line| !is_trivial(line));
        let (there, all) =
            telling.fold((0, 0), |(there, all), line| (there + usize::from(self.known.contains(line)), all + 1));
        there * 2 >= all
    }

    /// Gives origins to lines that stand in the result of the writes, in the same order.
    fn align(&self, result: &Simulated, found: &mut Origins) {
        let before: Vec<&str> = result.lines.iter().map(|line| line.normal.as_str()).collect();
        let after: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        if result.lines.iter().all(|line| line.origin.is_none()) || before.len() > self.effort.lines {
            return;
        }
        let mut places: Vec<Option<usize>> = vec![None; self.lines.len()];
        for op in capture_diff_slices_deadline(Algorithm::Myers, &before, &after, self.effort.until) {
            let DiffOp::Equal { old_index, new_index, len } = op else { continue };
            (0..len).for_each(|nth| places[new_index + nth] = Some(old_index + nth));
        }
        // How many lines that say something each write brought, and how many of them are still there.
        let mut shares = vec![(0usize, 0usize); self.writes.len()];
        let telling = result.lines.iter().filter(|line| !is_trivial(&line.normal));
        telling.filter_map(|line| line.origin).for_each(|write| shares[write].0 += 1);
        let left = places.iter().flatten().map(|place| &result.lines[*place]).filter(|line| !is_trivial(&line.normal));
        left.filter_map(|line| line.origin).for_each(|write| shares[write].1 += 1);
        let is_added = |at: &usize| self.is_added[*at];
        let aligned: Origins =
            (0..places.len()).map(|at| result.lines[places[at].filter(|_| is_added(&at))?].origin).collect();
        let mut at = 0;
        while at < aligned.len() {
            let Some(write) = aligned[at] else {
                at += 1;
                continue;
            };
            let mut end = at + 1;
            while end < aligned.len() && aligned[end] == Some(write) && places[end] == places[end - 1].map(|at| at + 1)
            {
                end += 1;
            }
            let telling = self.lines[at..end].iter().filter(|line| !is_trivial(line)).count();
            let (all, left) = shares[write];
            let is_most = left * 2 > all && (left >= STRONG || self.may_be_few(write));
            if (telling >= STRONG || is_most) && self.proves(at..end, std::iter::once(write)) {
                found[at..end].fill(Some(write));
            }
            at = end;
        }
        // What says nothing counts where its write has left something that does.
        let proven: HashSet<usize> = found.iter().flatten().copied().collect();
        for (at, origin) in aligned.into_iter().enumerate() {
            if is_trivial(&self.lines[at]) && origin.is_some_and(|origin| proven.contains(&origin)) {
                found[at] = origin;
            }
        }
    }

    /// Gives origins to lines that stand in a row in what one write brought.
    fn match_runs(&self, passages: &[Passage], found: &mut Origins) {
        let is_open: Vec<bool> =
            found.iter().zip(self.is_added).map(|(found, added)| *added && found.is_none()).collect();
        let mut open = Open::new(self.lines, is_open);
        for weakest in [STRONG, 1] {
            for passage in passages.iter().rev().take_while(|_| !self.effort.is_over()) {
                for run in open.runs(passage) {
                    let range = run.start..run.start + run.len;
                    if self.is_enough(&run, passage, weakest)
                        && self.proves(range.clone(), std::iter::once(passage.origin))
                    {
                        open.is_open[range.clone()].fill(false);
                        found[range].fill(Some(passage.origin));
                    }
                }
            }
        }
    }

    /// Goes on from lines with an origin to their neighbours, where they are neighbours in what was written too.
    fn grow(&self, passages: &[Passage], found: &mut Origins) {
        for passage in passages.iter().rev().take_while(|_| !self.effort.is_over()) {
            let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
            for (nth, line) in passage.lines.iter().enumerate() {
                places.entry(line).or_default().push(nth);
            }
            places.retain(|_, places| places.len() <= PLACES_MAX);
            let mut step = |from: usize, to: usize, ahead: bool| {
                if found[from] != Some(passage.origin) || found[to].is_some() || !self.is_added[to] {
                    return;
                }
                let nths = places.get(self.lines[from].as_str()).into_iter().flatten();
                let mut beside = nths.filter_map(|nth| if ahead { nth.checked_add(1) } else { nth.checked_sub(1) });
                let fits = beside.any(|nth| passage.lines.get(nth) == Some(&self.lines[to]));
                let proves = is_trivial(&self.lines[to]) || self.proves(to..to + 1, std::iter::once(passage.origin));
                if fits && proves {
                    found[to] = Some(passage.origin);
                }
            };
            (1..self.lines.len()).for_each(|at| step(at - 1, at, true));
            (1..self.lines.len()).rev().for_each(|at| step(at, at - 1, false));
        }
    }

    /// Tells whether a run is more than chance: several lines that say something; or, of a write that was just made to
    /// the file as it was, most of what it brought in one place.
    fn is_enough(&self, run: &Run, passage: &Passage, weakest: usize) -> bool {
        let fits = passage.fits || self.writes[passage.origin].is_known;
        let is_few = weakest < STRONG && fits && self.may_be_few(passage.origin);
        let whole = passage.lines.iter().filter(|line| !is_trivial(line)).count();
        run.telling >= STRONG || (is_few && run.telling * 2 > whole)
    }

    /// Tells whether a line or two can be of this write.
    fn may_be_few(&self, number: usize) -> bool {
        let write = &self.writes[number];
        write.is_known || (write.is_recent && !write.is_elsewhere)
    }

    /// Tells whether lines prove that they came from these writes.
    fn proves(&self, mut range: Range<usize>, mut origins: impl Iterator<Item = usize>) -> bool {
        let telling: Vec<&String> =
            self.lines[range.start..range.end].iter().filter(|line| !is_trivial(line)).collect();
        let is_new = range.any(|at| !is_trivial(&self.lines[at]) && !self.known.contains(&self.lines[at]));
        let newer = |number: usize| self.writes[number].is_known || self.writes[number].is_newer;
        !telling.is_empty() && (is_new || origins.all(newer))
    }

    /// Gives trivial lines beside lines of one write to it, where it wrote such a line too: to which of two equal lines
    /// a comparison gives the name of being new is its own choice.
    fn fill(&self, found: &mut Origins) {
        let mut wrote: Vec<Option<HashSet<String>>> = vec![None; self.writes.len()];
        let mut has = |number: usize, line: &String| {
            let lines = wrote[number].get_or_insert_with(|| {
                let (FileChange::Whole(text) | FileChange::Insert(text)) = self.writes[number].change else {
                    let FileChange::Replace { after, .. } = self.writes[number].change else { return HashSet::new() };
                    return normal_lines(after).into_iter().collect();
                };
                normal_lines(text).into_iter().collect()
            });
            lines.contains(line)
        };
        let mut take = |found: &mut Origins, at: usize, from: usize| {
            let Some(origin) = found[from] else { return };
            if self.is_added[at] && found[at].is_none() && is_trivial(&self.lines[at]) && has(origin, &self.lines[at]) {
                found[at] = Some(origin);
            }
        };
        (1..found.len()).for_each(|at| take(found, at, at - 1));
        (1..found.len()).rev().for_each(|at| take(found, at - 1, at));
    }
}

#[cfg(test)]
mod tests;
