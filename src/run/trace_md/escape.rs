//! How one line of a text is written, and read back.

use std::fmt::Write;

/// What stands for a character, or for nothing.
const OPEN: &str = "\\u{";

/// Writes a line of a text. One that is empty, or that begins or ends with a blank, is guarded where `guard` says so.
pub(super) fn encode(line: &str, guard: Guard) -> String {
    let mut out = String::with_capacity(line.len());
    if guard.start && line.starts_with(is_blank) || guard.empty && line.is_empty() {
        out += "\\u{}";
    }
    let mut rest = line;
    while let Some(one) = rest.chars().next() {
        if rest.starts_with(OPEN) {
            out += "\\u{5c}";
        } else if is_odd(one) {
            write!(out, "\\u{{{:x}}}", u32::from(one)).expect("a string takes every write");
        } else {
            out.push(one);
        }
        rest = &rest[one.len_utf8()..];
    }
    if line.ends_with(is_blank) {
        out += "\\u{}";
    }
    out
}

/// Reads a line back; what is no escape stays as it is.
pub(super) fn decode(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(OPEN) {
        out += &rest[..at];
        let behind = &rest[at + OPEN.len()..];
        match behind.find('}').and_then(|end| Some((meant(&behind[..end])?, end))) {
            Some((one, end)) => {
                out.extend(one);
                rest = &behind[end + 1..];
            }
            None => {
                out += OPEN;
                rest = behind;
            }
        }
    }
    out + rest
}

/// Says where a line needs a guard.
#[derive(Clone, Copy, Default)]
pub(super) struct Guard {
    /// A blank at its beginning would be lost.
    pub(super) start: bool,
    /// It would not be there if it is empty.
    pub(super) empty: bool,
}

/// Returns what an escape stands for: a character, nothing, or no escape at all.
fn meant(digits: &str) -> Option<Option<char>> {
    if digits.is_empty() {
        return Some(None);
    }
    let is_hex = digits.len() <= 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = is_hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten()?;
    char::from_u32(number).map(Some)
}

/// Tells whether a character acts on a terminal, ends a line somewhere, or turns the direction of reading.
fn is_odd(one: char) -> bool {
    let is_control = one.is_control() && one != '\t';
    is_control
        || matches!(one, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Tells whether editors take a character away at the ends of a line.
pub(super) fn is_blank(one: char) -> bool {
    one.is_whitespace()
}
