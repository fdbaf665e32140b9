//! Names and the values that are assigned to them, in whatever language: `KEY=v`, `"key": "v"`, `key := 'v'`,
//! `setProperty("key", "v")`, `<key>v</key>`, `--key v`, `{"name": "KEY", "value": "v"}`.

use std::ops::Range;

/// Separates strings that were apart in JSON; no value crosses it.
pub(super) const APART: u8 = 0x1e;

/// Quotes keys and values that were strings in JSON; nothing escapes it, so every other byte may stand within.
pub(super) const STRING: u8 = 0x1f;

/// A name with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment {
    /// The whole name: letters, digits, `_`, `-`, `.`.
    pub name: Range<usize>,
    /// The value, without quotes.
    pub value: Range<usize>,
    /// Whether the value was quoted.
    pub quoted: bool,
    /// The sign between the two.
    pub sign: Sign,
}

impl Assignment {
    /// Where looking for further assignments goes on after the word that ends at `word`. A long bare value is not
    /// searched again for each word in it: that would cost quadratic time.
    pub(super) fn resume(&self, word: usize) -> usize {
        if !self.quoted && self.value.len() > LONG { self.value.end } else { word }
    }
}

/// Length from which a bare value is searched only once, bytes.
const LONG: usize = 256;

/// What joins a name to its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// `=`, `:=`, `=>`, …
    Equals,
    /// `:`
    Colon,
    /// `,` or `(`, between quoted strings.
    Comma,
    /// `>` of an XML element.
    Element,
    /// White space, after a command-line flag.
    Flag,
}

/// Longest name looked at, to either side of the word, bytes.
const NAME: usize = 64;

/// Reads the assignment whose name holds the word at `word`.
pub(super) fn around(text: &[u8], word: &Range<usize>) -> Option<Assignment> {
    let name = name_around(text, word);
    let mut at = name.end;
    // A word or two may follow, as in `var key string = …` and `telegram bot: …`.
    at += text[at..].iter().take(20).take_while(|b| matches!(b, b' ' | b'\t') || in_name(**b)).count();
    let spaced = at > name.end;
    let (quote, end) = quotes(text, at);
    let named = quote.is_some();
    at = end;
    if text.get(at) == Some(&b']') {
        at += 1;
    }
    if let Some(value) = named_value(text, at, named) {
        let (value, quoted) = value_at(text, value)?;
        return Some(Assignment { name, value, quoted, sign: Sign::Colon });
    }
    at += blanks(text, at);
    let Some((sign, after)) = sign_at(text, at, named) else {
        return flag_value(text, name, spaced, named);
    };
    at = after;
    if matches!(sign, Sign::Colon)
        && let Some(typed) = after_type(text, at)
    {
        at = typed;
    }
    at += blanks(text, at);
    at += line_break(text, at, sign);
    let (value, quoted) = value_at(text, at)?;
    Some(Assignment { name, value, quoted, sign })
}

/// Widens a word to the whole name.
fn name_around(text: &[u8], word: &Range<usize>) -> Range<usize> {
    let left = text[..word.start].iter().rev().take(NAME).take_while(|b| in_name(**b)).count();
    let right = text[word.end..].iter().take(NAME).take_while(|b| in_name(**b)).count();
    let mut start = word.start - left;
    // The letter of an escape such as `\n` is no part of the name.
    if start > 0 && text[start - 1] == b'\\' && start < word.start {
        start += 1;
    }
    start..word.end + right
}

/// Reports whether a byte may stand in a name.
fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Counts blanks, at most 40.
fn blanks(text: &[u8], at: usize) -> usize {
    text[at..].iter().take(40).take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// Reads an optional quote with the backslashes before it; returns it and the position behind.
fn quotes(text: &[u8], at: usize) -> (Option<u8>, usize) {
    let slashes = text[at..].iter().take(15).take_while(|b| **b == b'\\').count();
    match text.get(at + slashes) {
        Some(&STRING) if slashes == 0 => (Some(STRING), at + 1),
        Some(quote @ (b'"' | b'\'' | b'`')) => (Some(*quote), at + slashes + 1),
        _ => (None, at),
    }
}

/// Reads the sign; `named` says that the name was quoted.
fn sign_at(text: &[u8], at: usize, named: bool) -> Option<(Sign, usize)> {
    let rest = &text[at..];
    let marks =
        rest.iter().take(5).take_while(|b| matches!(b, b'=' | b':' | b'?' | b'.' | b'+' | b'|' | b'>' | b'!')).count();
    let sign = &rest[..marks];
    match sign {
        [b'>'] => Some((Sign::Element, at + 1)),
        [b':'] => Some((Sign::Colon, at + 1)),
        _ if sign.contains(&b'=') => Some((Sign::Equals, at + marks)),
        [] if named && rest.first() == Some(&b',') => Some((Sign::Comma, at + 1)),
        [] if rest.first() == Some(&b'(') && quotes(text, at + 1).0.is_some() => Some((Sign::Comma, at + 1)),
        _ => None,
    }
}

/// Skips a type between name and value, as in `key: &str = "v"`: returns the position behind the `=`.
fn after_type(text: &[u8], at: usize) -> Option<usize> {
    let rest = &text[at..];
    let skip = rest.iter().take(40).take_while(|b| in_type(**b)).count();
    let equals = rest.get(skip..skip + 2)? == b"= " && skip > 1 && rest[skip - 1] == b' ';
    equals.then_some(at + skip + 1)
}

/// Reports whether a byte may stand in a type.
fn in_type(byte: u8) -> bool {
    in_name(byte) || matches!(byte, b' ' | b'&' | b'[' | b']' | b'<' | b'>' | b'\'' | b'|' | b':')
}

/// Counts the line break and indentation that may stand before a value.
fn line_break(text: &[u8], at: usize, sign: Sign) -> usize {
    let rest = &text[at..];
    // Inside a string of a string a line break is still escaped.
    let slashes = rest.iter().take(15).take_while(|b| **b == b'\\').count();
    let breaks = match rest.get(slashes) {
        Some(b'n') if slashes > 0 => slashes + 1,
        _ => rest.iter().take(2).take_while(|b| matches!(b, b'\r' | b'\n')).count(),
    };
    if breaks == 0 {
        return 0;
    }
    let skip = breaks + blanks(text, at + breaks);
    // Only an element or a quoted value may start on the next line.
    if sign == Sign::Element || (sign != Sign::Colon && quotes(text, at + skip).0.is_some()) { skip } else { 0 }
}

/// Finds the value of a pair whose name and value are both values: `name: KEY` and, behind it, `value: v`.
fn named_value(text: &[u8], at: usize, named: bool) -> Option<usize> {
    let rest = text.get(at..at.saturating_add(80).min(text.len()))?;
    let gap = rest.iter().take_while(|b| matches!(**b, b' ' | b'\t' | b'\r' | b'\n' | b',' | APART)).count();
    if gap == 0 {
        return None;
    }
    if !rest[..gap].iter().any(|b| matches!(*b, b'\n' | b',' | APART)) {
        return None;
    }
    let (quote, start) = quotes(text, at + gap);
    let key = text.get(start..start + 5)?;
    if !key.eq_ignore_ascii_case(b"value") || (named && quote.is_none() && !rest[..gap].contains(&b'\n')) {
        return None;
    }
    let (_, end) = quotes(text, start + 5);
    let colon = end + blanks(text, end);
    matches!(text.get(colon), Some(b':' | b'=')).then(|| colon + 1 + blanks(text, colon + 1))
}

/// Reads the value that follows a command-line flag.
fn flag_value(text: &[u8], name: Range<usize>, spaced: bool, named: bool) -> Option<Assignment> {
    if !text[name.start..].starts_with(b"--") && !text[..name.start].ends_with(b"--") {
        return None;
    }
    let mut at = name.end;
    if named {
        at = quotes(text, at).1;
        if matches!(text.get(at), Some(b',')) {
            at += 1;
        }
        at += text[at..].iter().take(20).take_while(|b| matches!(**b, b' ' | b'\n' | b'\r' | b'\t' | APART)).count();
        quotes(text, at).0?;
    } else if spaced {
        at += blanks(text, at);
    } else {
        return None;
    }
    let (value, quoted) = value_at(text, at)?;
    Some(Assignment { name, value, quoted, sign: Sign::Flag })
}

/// Reads the value at `at`: to the closing quote, or as long as the bytes are those of a bare value.
fn value_at(text: &[u8], at: usize) -> Option<(Range<usize>, bool)> {
    let mut at = at;
    // String prefixes: b"…", r"…", f"…", @"…".
    if matches!(text.get(at), Some(b'b' | b'r' | b'f' | b'u' | b'@')) && matches!(text.get(at + 1), Some(b'"' | b'\''))
    {
        at += 1;
    }
    let (quote, start) = quotes(text, at);
    let rest = &text[start..];
    let length = match quote {
        Some(STRING) => memchr::memchr(STRING, rest).unwrap_or(rest.len()),
        Some(quote) => closing(rest, quote, start - at - 1),
        None => rest.iter().position(|b| ends_bare(*b)).unwrap_or(rest.len()),
    };
    let mut value = &rest[..length];
    if quote == Some(STRING) {
        // Exactly the JSON string.
    } else if quote.is_some() {
        while let [head @ .., b'\\'] = value {
            value = head;
        }
    } else {
        while let [head @ .., b',' | b';' | b')' | b'}' | b']' | b'.' | b':'] = value {
            value = head;
        }
    }
    (!value.is_empty()).then(|| (start..start + value.len(), quote.is_some()))
}

/// Finds the closing quote, or the end of the line. A quote that was opened behind `slashes` backslashes (the value
/// is inside other strings) closes behind as many; behind more it belongs to the value.
fn closing(rest: &[u8], quote: u8, slashes: usize) -> usize {
    let mut run = 0;
    for (at, byte) in rest.iter().enumerate() {
        match *byte {
            b'\\' => run += 1,
            b'\n' | b'\r' | APART | STRING => return at,
            byte => {
                if byte == quote && run % (2 * (slashes + 1)) == slashes {
                    return at;
                }
                run = 0;
            }
        }
    }
    rest.len()
}

/// Reports whether a byte ends a value without quotes.
fn ends_bare(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b'<' | b'&' | b';' | APART | STRING | 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, word: &str) -> Option<String> {
        let at = text.find(word)?;
        let found = around(text.as_bytes(), &(at..at + word.len()))?;
        Some(text[found.value].to_owned())
    }

    #[test]
    fn every_spelling_yields_the_value() {
        for text in [
            "my_token=abc1",
            "my_token = 'abc1'",
            "{\"my_token\": \"abc1\"}",
            "{\\\"my_token\\\": \\\"abc1\\\"}",
            "my_token :::= \"abc1\"",
            "var my_token string = \"abc1\"",
            "let my_token: &str = \"abc1\";",
            "set(\"my_token\", \"abc1\")",
            "set_token(\"abc1\")",
            "<my_token>\n    abc1\n</my_token>",
            "env['my_token'] = 'abc1'",
            "cmd --token abc1 next",
            "[\"--token\", \"abc1\"]",
            "- name: my_token\n  value: abc1",
            "{\"name\":\"my_token\",\"value\":\"abc1\"}",
            "x?token=abc1&y=2",
        ] {
            assert_eq!(read(text, "token").as_deref(), Some("abc1"), "{text}");
        }
        assert_eq!(read("the token is here", "token"), None);
        assert_eq!(read("token:\nnext", "token"), None);
    }
}
