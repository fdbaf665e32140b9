//! What a file would be after some writes, line by line, with the write that each line came from.

use std::time::Instant;

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use super::line::normal_lines;
use crate::model::FileChange;

/// Most lines of a file that is simulated; a longer one is matched by runs alone.
const LINES_MAX: usize = 50_000;

/// Most places in which one write replaces a text.
const PLACES_MAX: usize = 1000;

/// A file under simulation.
#[derive(Debug, Default)]
pub(super) struct Simulated {
    pub(super) lines: Vec<Line>,
    /// When a comparison may be cut short: what it does not get to counts as written anew.
    until: Option<Instant>,
}

/// A line with the number of the write that it came from; `None` for one that was there before.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) normal: String,
    pub(super) origin: Option<usize>,
}

/// Lines in a row that one write brought.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) origin: usize,
    pub(super) lines: Vec<String>,
    /// Whether the file was as the write found it.
    pub(super) fits: bool,
}

impl Simulated {
    /// Begins with the content of a file.
    pub(super) fn of(text: &str, until: Option<Instant>) -> Self {
        let lines = normal_lines(text).into_iter().map(|normal| Line { normal, origin: None }).collect();
        Simulated { lines, until }
    }

    /// Carries out a write, and tells the passages that it brought.
    pub(super) fn apply(&mut self, number: usize, change: &FileChange, brought: &mut Vec<Passage>) {
        match change {
            FileChange::Whole(text) => {
                let new = lines_of(normal_lines(text));
                let whole = 0..self.lines.len();
                self.replace(number, whole, new, brought);
            }
            FileChange::Insert(text) => note(number, normal_lines(text), true, brought),
            FileChange::Replace { before, after, everywhere } => {
                let (before, after) = (Words::of(before), Words::of(after));
                let places = self.find(&before, *everywhere);
                if places.is_empty() {
                    // The file is not as it was for the write: only what differs between its two texts is known.
                    // A text that is empty, as where a write is carried out backwards, fits everywhere.
                    let (fits, first) = (before.lines.is_empty(), brought.len());
                    let mut alone = Simulated { lines: lines_of(before.lines), until: self.until };
                    let whole = 0..alone.lines.len();
                    alone.replace(number, whole, lines_of(after.lines), brought);
                    brought[first..].iter_mut().for_each(|passage| passage.fits = fits);
                    return;
                }
                for at in places.into_iter().rev() {
                    let old = at..at + before.lines.len();
                    let new = after.in_place(&before, &self.lines[old.clone()]);
                    self.replace(number, old, lines_of(new), brought);
                }
            }
        }
    }

    /// Puts lines in the place of others; those that stay keep their origin.
    fn replace(&mut self, number: usize, at: std::ops::Range<usize>, mut new: Vec<Line>, brought: &mut Vec<Passage>) {
        let before: Vec<&str> = self.lines[at.clone()].iter().map(|line| line.normal.as_str()).collect();
        let after: Vec<&str> = new.iter().map(|line| line.normal.as_str()).collect();
        if before.len() > LINES_MAX || after.len() > LINES_MAX {
            return note(number, new.into_iter().map(|line| line.normal).collect(), true, brought);
        }
        let ops = capture_diff_slices_deadline(Algorithm::Myers, &before, &after, self.until);
        for op in ops {
            match op {
                DiffOp::Equal { old_index, new_index, len } => {
                    for nth in 0..len {
                        new[new_index + nth].origin = self.lines[at.start + old_index + nth].origin;
                    }
                }
                DiffOp::Insert { new_index, new_len, .. } | DiffOp::Replace { new_index, new_len, .. } => {
                    let passage = &mut new[new_index..new_index + new_len];
                    passage.iter_mut().for_each(|line| line.origin = Some(number));
                    note(number, passage.iter().map(|line| line.normal.clone()).collect(), true, brought);
                }
                DiffOp::Delete { .. } => {}
            }
        }
        self.lines.splice(at, new);
    }

    /// Finds where a text stands. One that stands in several places is in none, unless it is to be replaced in all:
    /// the agents' editors refuse that too, so that the file was another one.
    fn find(&self, before: &Words, everywhere: bool) -> Vec<usize> {
        let wanted = &before.lines;
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Vec::new() };
        if wanted.len() > self.lines.len() || wanted.iter().all(String::is_empty) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut at = 0;
        while at + wanted.len() <= self.lines.len() {
            let here = &self.lines[at..at + wanted.len()];
            let fits = match here {
                [line] if before.is_to_end => line.normal.ends_with(first.as_str()),
                [line] => line.normal.contains(first.as_str()),
                [top, inner @ .., bottom] => {
                    top.normal.ends_with(first.as_str())
                        && bottom.normal.starts_with(last.as_str())
                        && (!before.is_to_end || bottom.normal == *last)
                        && inner.iter().zip(&wanted[1..]).all(|(line, wanted)| line.normal == *wanted)
                }
                [] => false,
            };
            at += if fits { wanted.len() } else { 1 };
            if fits {
                found.push(at - wanted.len());
            }
            if found.len() > PLACES_MAX {
                return Vec::new();
            }
        }
        if everywhere || found.len() == 1 {
            return found;
        }
        // Whole lines are a better fit than parts of lines.
        found.retain(|at| self.lines[*at].normal == *first && self.lines[at + wanted.len() - 1].normal == *last);
        if found.len() == 1 { found } else { Vec::new() }
    }
}

/// A text of a replacement, which may begin and end within a line.
struct Words {
    lines: Vec<String>,
    /// Whether its last line ends where the file's does.
    is_to_end: bool,
}

impl Words {
    fn of(text: &str) -> Self {
        // A line feed at the end stands for the end of a line, not for one more.
        Words { lines: normal_lines(text), is_to_end: text.ends_with('\n') }
    }

    /// Returns these lines as they stand where another text stood within whole lines.
    fn in_place(&self, before: &Words, old: &[Line]) -> Vec<String> {
        let (Some(top), Some(bottom)) = (old.first(), old.last()) else { return self.lines.clone() };
        let (first, last) = (&before.lines[0], &before.lines[before.lines.len() - 1]);
        if old.len() == 1 {
            // Wherever it stands in the line: more than once, when it is replaced everywhere.
            let new = self.lines.join("\n");
            let line = match top.normal.strip_suffix(first.as_str()).filter(|_| before.is_to_end) {
                Some(head) => format!("{head}{new}"),
                None => top.normal.replacen(first.as_str(), &new, 16),
            };
            return if self.lines.is_empty() && line.is_empty() {
                Vec::new()
            } else {
                line.lines().map(str::to_owned).collect()
            };
        }
        let head = &top.normal[..top.normal.len() - first.len()];
        let tail = &bottom.normal[last.len()..];
        let mut new = self.lines.clone();
        if new.is_empty() {
            if head.is_empty() && tail.is_empty() {
                return new;
            }
            new.push(String::new());
        }
        new[0].insert_str(0, head);
        let end = new.len() - 1;
        new[end].push_str(tail);
        new
    }
}

fn lines_of(normal: Vec<String>) -> Vec<Line> {
    normal.into_iter().map(|normal| Line { normal, origin: None }).collect()
}

fn note(origin: usize, lines: Vec<String>, fits: bool, brought: &mut Vec<Passage>) {
    if !lines.is_empty() {
        brought.push(Passage { origin, lines, fits });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replace(before: &str, after: &str) -> FileChange {
        FileChange::Replace { before: before.to_owned(), after: after.to_owned(), everywhere: false }
    }

    fn run(start: &str, changes: &[FileChange]) -> Vec<String> {
        let mut file = Simulated::of(start, None);
        let mut brought = Vec::new();
        for (number, change) in changes.iter().enumerate() {
            file.apply(number, change, &mut brought);
        }
        let origin = |line: &Line| line.origin.map_or("-".to_owned(), |origin| origin.to_string());
        file.lines.iter().map(|line| format!("{} {}", origin(line), line.normal)).collect()
    }

    #[test]
    fn lines_keep_the_write_that_they_came_from() {
        let whole = |text: &str| FileChange::Whole(text.to_owned());
        assert_eq!(
            run("old\n", &[whole("old\na\nb\n"), whole("old\na\nx\nb\n"), replace("a\nx", "a\ny\nx")]),
            ["- old", "0 a", "2 y", "1 x", "0 b"]
        );
    }

    #[test]
    fn a_part_of_a_line_is_replaced_in_its_line() {
        assert_eq!(
            run("let port = 8080;\nother\n", &[replace("8080", "9090"), replace("9090;\noth", "9191;\nnew\noth")]),
            ["1 letport=9191;", "1 new", "- other"]
        );
        assert_eq!(run("a\nb\n", &[replace("b\n", "")]), ["- a"]);
        assert_eq!(run("a\na\n", &[replace("a", "x")]), ["- a", "- a"]);
        // The end of a line tells one from another.
        assert_eq!(run("no 1\nno 10\n", &[replace("no 1\n", "no 1\nnew\n")]), ["- no1", "0 new", "- no10"]);
        let all = FileChange::Replace { before: "a".to_owned(), after: "x".to_owned(), everywhere: true };
        assert_eq!(run("a\nb a a\n", &[all]), ["0 x", "0 bxx"]);
    }
}
