//! The pre-tokenisation patterns by hand: where the next piece of a text ends.
//!
//! Source of both patterns: OpenAI's `tiktoken`, file `openai_public.py`, as carried by crate `tiktoken-rs` 0.12.1.
//! Alternatives are tried in the pattern's order; a comment names each.

use super::class::{CASELESS, Classes, LETTER, LOWER, MARK, NEWLINE, NUMBER, OTHER, SPACE, UPPER, class_at, run};

/// Returns the end of the `o200k_base` piece that starts at `at`; always greater than `at` inside the text.
#[inline]
pub(super) fn end_of_o200k(text: &[u8], at: usize) -> usize {
    let (class, len) = class_at(text, at);
    let inside = at + len;
    if class & LETTER != 0 {
        return word(text, at).end;
    }
    // `[^\r\n\p{L}\p{N}]?` in front of a word.
    if class & (OTHER | SPACE | MARK) != 0 {
        let found = word(text, inside);
        if found.has_lower {
            return found.end;
        }
        if class & MARK != 0 {
            // Without the prefix, the mark itself is the word; that is tried before an all-upper word with prefix.
            return contraction(text, inside);
        }
        if found.end > inside {
            return found.end;
        }
    }
    if class & NUMBER != 0 {
        return number(text, inside);
    }
    // ` ?[^\s\p{L}\p{N}]+[\r\n/]*`
    if let Some(end) = symbols(text, at) {
        return tail(text, end, |byte| matches!(byte, b'\r' | b'\n' | b'/'));
    }
    let blank = Blank::at(text, at);
    // `\s*[\r\n]+`, then `\s+(?!\S)`, then `\s+`.
    blank.after_newline.unwrap_or_else(|| blank.without_last(text, at))
}

/// Returns the end of the `cl100k_base` piece that starts at `at`; always greater than `at` inside the text.
#[inline]
pub(super) fn end_of_cl100k(text: &[u8], at: usize) -> usize {
    let (class, len) = class_at(text, at);
    let inside = at + len;
    // `[^\r\n\p{L}\p{N}]?+\p{L}++`, the letter first because no other alternative starts with one.
    if class & LETTER != 0 {
        return run(text, inside, LETTER);
    }
    let contracted = contraction(text, at);
    if contracted > at {
        return contracted;
    }
    if class & (OTHER | SPACE | MARK) != 0 {
        let end = run(text, inside, LETTER);
        if end > inside {
            return end;
        }
    }
    if class & NUMBER != 0 {
        return number(text, inside);
    }
    // ` ?[^\s\p{L}\p{N}]++[\r\n]*+`
    if let Some(end) = symbols(text, at) {
        return tail(text, end, |byte| matches!(byte, b'\r' | b'\n'));
    }
    let blank = Blank::at(text, at);
    // `\s++$`, then `\s*[\r\n]`, then `\s+(?!\S)`, then `\s`.
    match blank.after_newline {
        Some(end) if blank.end < text.len() => end,
        _ => blank.without_last(text, at),
    }
}

/// A word of the first two `o200k_base` alternatives, without prefix.
struct Word {
    end: usize,
    /// The first alternative matched: the word ends in `[\p{Ll}\p{Lm}\p{Lo}\p{M}]+`.
    has_lower: bool,
}

/// Matches `[upper]*[lower]+` or else `[upper]+[lower]*`, with a contraction. Caseless letters and marks are both.
#[inline]
fn word(text: &[u8], start: usize) -> Word {
    const BOTH: Classes = CASELESS | MARK;
    let (mut at, mut after_both) = (start, None);
    loop {
        let (class, len) = class_at(text, at);
        if class & LOWER != 0 {
            let end = run(text, at + len, LOWER | BOTH);
            return Word { end: contraction(text, end), has_lower: true };
        }
        if class & (UPPER | BOTH) == 0 {
            break;
        }
        at += len;
        if class & BOTH != 0 {
            after_both = Some(at);
        }
    }
    // No lower case follows, so the pattern gives back characters up to the last one that counts as lower.
    match after_both {
        Some(end) => Word { end: contraction(text, end), has_lower: true },
        None if at > start => Word { end: contraction(text, at), has_lower: false },
        None => Word { end: start, has_lower: false },
    }
}

/// Returns the end of `(?i:'s|'t|'re|'ve|'m|'ll|'d)` at `at`, or `at`. U+017F folds to `s` (bytes C5 BF).
#[inline]
fn contraction(text: &[u8], at: usize) -> usize {
    let Some([b'\'', rest @ ..]) = text.get(at..) else { return at };
    let lower = |byte: Option<&u8>| byte.map_or(0, u8::to_ascii_lowercase);
    match (lower(rest.first()), lower(rest.get(1))) {
        (b's' | b't' | b'm' | b'd', _) => at + 2,
        (b'r' | b'v', b'e') | (b'l', b'l') | (0xC5, 0xBF) => at + 3,
        _ => at,
    }
}

/// Returns the end of `\p{N}{1,3}` whose first number ends at `at`.
#[inline]
fn number(text: &[u8], mut at: usize) -> usize {
    for _ in 0..2 {
        let (class, len) = class_at(text, at);
        if class & NUMBER == 0 {
            break;
        }
        at += len;
    }
    at
}

/// Returns the end of ` ?[^\s\p{L}\p{N}]+` at `at`.
#[inline]
fn symbols(text: &[u8], at: usize) -> Option<usize> {
    let start = at + usize::from(text.get(at) == Some(&b' '));
    let end = run(text, start, OTHER | MARK);
    (end > start).then_some(end)
}

#[inline]
fn tail(text: &[u8], mut at: usize, wanted: impl Fn(u8) -> bool) -> usize {
    while text.get(at).is_some_and(|byte| wanted(*byte)) {
        at += 1;
    }
    at
}

/// A run of white space.
struct Blank {
    end: usize,
    /// Where its last character starts.
    last: usize,
    /// Behind its last line end.
    after_newline: Option<usize>,
}

impl Blank {
    fn at(text: &[u8], start: usize) -> Self {
        let mut blank = Blank { end: start, last: start, after_newline: None };
        loop {
            let (class, len) = class_at(text, blank.end);
            if class & (SPACE | NEWLINE) == 0 {
                return blank;
            }
            blank.last = blank.end;
            blank.end += len;
            if class & NEWLINE != 0 {
                blank.after_newline = Some(blank.end);
            }
        }
    }

    /// `\s+(?!\S)` or else one character: the run leaves its last character to the word that follows.
    fn without_last(&self, text: &[u8], start: usize) -> usize {
        if self.end < text.len() && self.last > start { self.last } else { self.end }
    }
}
