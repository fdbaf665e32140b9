//! What the pieces speak of, and how much it matters that it is kept.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use hashbrown::HashMap;

use super::units::{Source, Unit};
use crate::drivers::entity;
use crate::model::Role;

/// What a word is worth beside an entity.
const WORD: f64 = 0.15;
/// Lines that tell of faults and decisions count for more: percent.
const MARKED: u64 = 130;
/// What the oldest concept is worth beside the newest.
const OLDEST: f64 = 0.5;

/// Words that are everywhere.
const EMPTY: [&str; 60] = [
    "about", "after", "all", "also", "and", "any", "are", "been", "before", "but", "can", "could", "does", "for",
    "from", "had", "has", "have", "here", "how", "into", "its", "just", "let", "like", "make", "more", "most", "not",
    "now", "one", "only", "other", "our", "out", "over", "see", "should", "some", "such", "than", "that", "the",
    "their", "them", "then", "there", "these", "they", "this", "use", "was", "what", "when", "which", "will", "with",
    "would", "you", "your",
];

/// What tells of a fault or a decision.
const MARKS: [&str; 22] = [
    "error",
    "fail",
    "panic",
    "exception",
    "warning",
    "cannot",
    "decid",
    "decision",
    "must",
    "never",
    "always",
    "because",
    "root cause",
    "instead",
    "todo",
    "fixme",
    "important",
    "chose",
    "agreed",
    "do not ",
    "don't",
    "the fix",
];

static MARK: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder().ascii_case_insensitive(true).build(MARKS).expect("a constant that the tests build")
});

/// Holds what each piece speaks of.
pub(super) struct Concepts {
    /// The concepts of all pieces, one after the other.
    list: Vec<u32>,
    /// Where those of a piece end.
    ends: Vec<usize>,
    /// What each concept is worth.
    worth: Vec<u64>,
    /// Pieces that count for more.
    marked: Vec<bool>,
}

struct Mention {
    entity: bool,
    times: u32,
    role: f64,
    newest: usize,
}

impl Concepts {
    /// Reads all pieces; entities and words that only one piece has count as well.
    pub(super) fn read(sources: &[Source<'_>], units: &[Unit]) -> Concepts {
        let mut ids: HashMap<Box<str>, u32> = HashMap::new();
        let mut mentions: Vec<Mention> = Vec::new();
        let mut found = Concepts { list: Vec::new(), ends: Vec::new(), worth: Vec::new(), marked: Vec::new() };
        // The piece that a concept was last seen in, so that each piece names it once.
        let mut last_unit: Vec<usize> = Vec::new();
        let mut lower = String::new();
        for (at, unit) in units.iter().enumerate() {
            let source = &sources[unit.source];
            let text = &source.text[unit.bytes.clone()];
            let role = role_worth(source);
            let mut mention = |name: &str, entity: bool| {
                let id = match ids.get(name) {
                    Some(id) => *id,
                    None => {
                        let id = u32::try_from(mentions.len()).unwrap_or(u32::MAX);
                        ids.insert(name.into(), id);
                        mentions.push(Mention { entity, times: 0, role, newest: unit.source });
                        last_unit.push(usize::MAX);
                        id
                    }
                };
                let mention = &mut mentions[id as usize];
                mention.times = mention.times.saturating_add(1);
                mention.role = mention.role.max(role);
                mention.newest = unit.source;
                mention.entity |= entity;
                if std::mem::replace(&mut last_unit[id as usize], at) != at {
                    found.list.push(id);
                }
            };
            entity::for_each(text, &mut |entity| mention(entity.text, true));
            for word in text.split(|letter: char| !letter.is_alphabetic()).filter(|word| (3..=40).contains(&word.len()))
            {
                lower.clear();
                lower.push_str(word);
                lower.make_ascii_lowercase();
                if EMPTY.binary_search(&lower.as_str()).is_err() {
                    mention(&lower, false);
                }
            }
            found.ends.push(found.list.len());
            found.marked.push(MARK.is_match(text));
        }
        let newest = sources.len().max(1) as f64;
        found.worth = mentions.iter().map(|mention| worth(mention, newest)).collect();
        found
    }

    /// Returns the concepts of a piece.
    pub(super) fn of(&self, unit: usize) -> &[u32] {
        let start = if unit == 0 { 0 } else { self.ends[unit - 1] };
        &self.list[start..self.ends[unit]]
    }

    /// Returns what a piece would add to what is covered.
    pub(super) fn gain(&self, unit: usize, covered: &[bool]) -> u64 {
        let new = self.of(unit).iter().filter(|concept| !covered[**concept as usize]);
        let sum: u64 = new.map(|concept| self.worth[*concept as usize]).sum();
        if self.marked[unit] { sum.saturating_mul(MARKED) / 100 } else { sum }
    }

    /// Returns a table in which nothing is covered.
    pub(super) fn nothing_covered(&self) -> Vec<bool> {
        vec![false; self.worth.len()]
    }
}

fn role_worth(source: &Source<'_>) -> f64 {
    match source.role {
        Role::User => 3.0,
        Role::Assistant if source.calls => 2.5,
        Role::Tool => 1.0,
        _ => 2.0,
    }
}

/// Whole thousandths, so that the last digit of a logarithm decides nothing.
fn worth(mention: &Mention, newest: f64) -> u64 {
    let kind = if mention.entity { 1.0 } else { WORD };
    let recency = OLDEST + (1.0 - OLDEST) * (mention.newest + 1) as f64 / newest;
    (kind * f64::from(mention.times).ln_1p() * mention.role * recency * 1000.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_as_their_search_needs_them() {
        assert!(EMPTY.is_sorted());
        assert!(MARK.is_match("It FAILED") && !MARK.is_match("it went well"));
    }
}
