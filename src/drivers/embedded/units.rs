//! A passage in the pieces that are kept or left: lines, and sentences of long lines.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use unicode_segmentation::UnicodeSegmentation;

use crate::drivers::Passage;
use crate::model::Role;
use crate::tokens::Encoding;

/// Longer lines are cut at the ends of sentences, in bytes.
const LINE: usize = 320;
/// Longer sentences are cut between words, or anywhere if there are none.
const PIECE: usize = 480;
/// How much of a line is looked at at once for ends of sentences.
const WINDOW: usize = 1024;

/// The ids of calls, as `export::plain_text` writes them: they mean nothing outside their context.
static CALL_IDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^\[call (\S+) \S+\]$|^\[result of [^\s,\]]+(, an error)?\]\n?")
        .expect("a constant that the tests compile")
});

/// Holds a passage, ready to be picked from.
pub(super) struct Source<'a> {
    pub(super) role: &'a Role,
    pub(super) passage: &'a Passage,
    /// What it says, without the ids of calls.
    pub(super) text: Cow<'a, str>,
    /// Its pieces, as a range of all pieces.
    pub(super) units: Range<usize>,
    /// Whether it calls tools.
    pub(super) calls: bool,
    /// What it costs whole, without its label.
    pub(super) cost: u64,
}

/// Is a piece of a passage.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// Which passage it is of.
    pub(super) source: usize,
    /// Where it stands in the passage's text.
    pub(super) bytes: Range<usize>,
    /// Its tokens, with the line end behind it.
    pub(super) cost: u64,
}

impl<'a> Source<'a> {
    /// Reads a passage and appends its pieces.
    pub(super) fn read(
        encoding: Encoding,
        passage: &'a Passage,
        text: Cow<'a, str>,
        at: usize,
        units: &mut Vec<Unit>,
    ) -> Source<'a> {
        let first = units.len();
        let mut cost = 0;
        for_each_piece(&text, |bytes| {
            let unit = Unit { source: at, cost: encoding.count(&text[bytes.clone()]) + 1, bytes };
            cost += unit.cost;
            units.push(unit);
        });
        let calls = text.contains("[call ");
        Source { role: &passage.role, passage, calls, units: first..units.len(), cost, text }
    }

    /// Tells whether it is the result of a tool.
    pub(super) fn is_tool(&self) -> bool {
        *self.role == Role::Tool
    }
}

/// Returns a passage's text without the ids of calls.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains("[call ") && !text.contains("[result of ") {
        return Cow::Borrowed(text);
    }
    CALL_IDS.replace_all(text, |found: &regex::Captures<'_>| match (found.get(1), found.get(2)) {
        (Some(name), _) => format!("[call {}]", name.as_str()),
        (None, Some(_)) => "[an error]\n".to_owned(),
        (None, None) => String::new(),
    })
}

/// Calls `found` for each piece that is not blank.
fn for_each_piece(text: &str, mut found: impl FnMut(Range<usize>)) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let body = line.trim_end();
        if body.is_empty() {
            continue;
        }
        if body.len() <= LINE {
            found(start..start + body.len());
            continue;
        }
        let mut pending = 0..0;
        for sentence in split_sentences(body) {
            // Short sentences stay together: a label or an index alone says nothing.
            if pending.is_empty() || sentence.end - pending.start <= LINE {
                pending.end = sentence.end;
            } else {
                cut(body, pending, start, &mut found);
                pending = sentence;
            }
        }
        cut(body, pending, start, &mut found);
    }
}

/// Returns the sentences of a line, with the white space behind them.
///
/// The rule for their ends (UAX #29, SB8) may look ahead to the end of the text, at each full stop: a line of numbers
/// would take quadratic time. So it gets the line in windows, which end behind a full stop or at least a word.
fn split_sentences(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < line.len() {
        let mut end = line.len();
        if end - start > WINDOW {
            let limit = boundary(line, start + WINDOW);
            let window = &line[start..limit];
            let stop = window.rfind(". ").map(|at| at + 2).or_else(|| window.rfind(' ').map(|at| at + 1));
            end = start + stop.filter(|stop| *stop > WINDOW / 2).unwrap_or(window.len());
        }
        let sentences = line[start..end].split_sentence_bound_indices();
        found.extend(sentences.map(|(at, sentence)| start + at..start + at + sentence.len()));
        start = end;
    }
    found
}

/// Returns the last place up to `at` where a line may be cut.
fn boundary(line: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0)
}

/// Cuts a sentence that is too long between its words.
fn cut(line: &str, sentence: Range<usize>, offset: usize, found: &mut impl FnMut(Range<usize>)) {
    let Range { mut start, end } = sentence;
    while end - start > PIECE {
        let limit = boundary(line, start + PIECE);
        let words = line[start..limit].rfind([' ', ',', ';', '\t']).map(|gap| start + gap + 1);
        let stop = words.filter(|stop| *stop > start + PIECE / 2).unwrap_or(limit);
        if !line[start..stop].trim().is_empty() {
            found(offset + start..offset + stop);
        }
        start = stop;
    }
    if !line[start..end].trim().is_empty() {
        found(offset + start..offset + end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_of_calls_go_and_what_they_are_about_stays() {
        let said = "Look:\n\n[call Read toolu_01Ab]\n{\n  \"file_path\": \"/x\"\n}";
        assert_eq!(clean(said), "Look:\n\n[call Read]\n{\n  \"file_path\": \"/x\"\n}");
        assert_eq!(clean("[result of toolu_01Ab]\nhello"), "hello");
        assert_eq!(clean("[result of toolu_01Ab, an error]\nno such file"), "[an error]\nno such file");
        assert_eq!(clean("[result of the vote]"), "[result of the vote]");
    }

    #[test]
    fn long_lines_are_cut_at_sentences() {
        let line = "This is a sentence of some words. ".repeat(40);
        let mut pieces = Vec::new();
        for_each_piece(&line, |bytes| pieces.push(&line[bytes]));
        assert!(pieces.len() > 3 && pieces.iter().all(|piece| piece.len() <= LINE && piece.starts_with("This")));
    }

    proptest! {
        #[test]
        fn pieces_are_all_that_is_not_blank(text in r"([a-z. \n\täß\u{3000}]|sentence\. |longwordlongword){0,400}") {
            let mut rest = String::new();
            let mut end = 0;
            for_each_piece(&text, |bytes| {
                assert!(bytes.start >= end && bytes.len() <= PIECE + LINE);
                end = bytes.end;
                rest.push_str(&text[bytes]);
            });
            let solid = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
            prop_assert_eq!(solid(&rest), solid(&text));
        }
    }
}
