//! Finds the words that wake the rules.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// Bytes that are searched word by word before the automaton is made: it takes a millisecond, which a process that
/// stores one message does not get back.
const PATIENCE: usize = 16 << 10;

/// A set of ASCII words, found without regard to case.
pub(super) struct Words {
    words: Vec<String>,
    /// The words that start with each byte.
    by_head: Vec<Vec<u16>>,
    automaton: OnceLock<AhoCorasick>,
    /// Bytes searched so far without the automaton.
    searched: AtomicUsize,
}

impl Words {
    /// Makes a set of lower-case words, fewer than 65,536 and none empty.
    pub(super) fn new(words: Vec<String>) -> Self {
        let mut by_head = vec![Vec::new(); 256];
        for (number, word) in words.iter().enumerate() {
            let number = u16::try_from(number).expect("fewer than 65,536 words");
            let head = word.as_bytes()[0];
            by_head[usize::from(head)].push(number);
            if head.is_ascii_lowercase() {
                by_head[usize::from(head.to_ascii_uppercase())].push(number);
            }
        }
        Words { words, by_head, automaton: OnceLock::new(), searched: AtomicUsize::new(0) }
    }

    /// Finds every place of every word, with the word's number; by their ends, and the longer of two first.
    pub(super) fn find<'t>(&'t self, text: &'t [u8]) -> Box<dyn Iterator<Item = (Range<usize>, usize)> + 't> {
        if self.automaton.get().is_none() {
            let searched = self.searched.fetch_add(text.len(), Ordering::Relaxed);
            if searched.saturating_add(text.len()) <= PATIENCE {
                return Box::new(self.one_by_one(text).into_iter());
            }
        }
        let automaton = self.automaton.get_or_init(|| self.automaton());
        let found = automaton.find_overlapping_iter(text);
        Box::new(found.map(|word| (word.start()..word.end(), word.pattern().as_usize())))
    }

    fn one_by_one(&self, text: &[u8]) -> Vec<(Range<usize>, usize)> {
        let mut found = Vec::new();
        for (at, head) in text.iter().enumerate() {
            for number in &self.by_head[usize::from(*head)] {
                let number = usize::from(*number);
                let word = self.words[number].as_bytes();
                if text[at..].get(..word.len()).is_some_and(|here| here.eq_ignore_ascii_case(word)) {
                    found.push((at..at + word.len(), number));
                }
            }
        }
        found.sort_by_key(|(at, _)| (at.end, at.start));
        found
    }

    fn automaton(&self) -> AhoCorasick {
        AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(&self.words)
            .expect("a few hundred short words make an automaton")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_ways_find_the_same(text in "[aAbBcC_=-]{0,60}") {
            let words = Words::new(["a", "ab", "bab", "c_", "abc", "b", "=-"].map(str::to_owned).to_vec());
            let text = text.as_bytes();
            let slow: Vec<_> = words.find(text).collect();
            let padded = [text, &vec![b' '; PATIENCE + 1]].concat();
            let fast: Vec<_> = words.find(&padded).collect();
            prop_assert!(words.automaton.get().is_some());
            prop_assert_eq!(slow, fast);
        }
    }
}
