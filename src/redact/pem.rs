//! Private keys in PEM armour: of any length, cut off, quoted, escaped, numbered, or folded into one line.

use std::ops::Range;

use super::randomness::entropy;

/// Words that start an armoured key.
pub(super) const WORDS: [&str; 3] = ["-----begin", "---- begin ssh2 encrypted", "private-lines:"];

/// Least number of base64 bytes that make a key.
const LEAST: usize = 24;

/// Finds the armoured key whose first line holds the word.
pub(super) fn find(text: &[u8], word: Range<usize>, found: &mut Vec<Range<usize>>) -> usize {
    let Some(body) = header_end(text, &word) else {
        return word.end;
    };
    let end = body_end(text, body);
    let base64 = end.base64;
    if base64 >= LEAST && entropy(&text[body..end.at]) >= 3.0 {
        found.push(word.start..end.at);
    }
    end.at.max(word.end)
}

/// Finds the end of the line that announces a private key.
fn header_end(text: &[u8], word: &Range<usize>) -> Option<usize> {
    let rest = &text[word.start..text.len().min(word.start + 120)];
    if rest.starts_with(b"-----") || rest.starts_with(b"---- ") {
        let dashes: &[u8] = if rest.starts_with(b"-----") { b"-----" } else { b"----" };
        let title = &rest[5..];
        let length = memchr::memmem::find(title, dashes)?;
        let upper = title[..length].to_ascii_uppercase();
        let private = memchr::memmem::find(&upper, b"PRIVATE KEY").is_some();
        return private.then_some(word.start + 5 + length + dashes.len());
    }
    // PuTTY: `Private-Lines: 14`, then as many lines.
    let digits = text[word.end..].iter().take(6).take_while(|b| b.is_ascii_digit() || **b == b' ').count();
    Some(word.end + digits)
}

/// Where a body ends, and how many base64 bytes it has.
struct Body {
    at: usize,
    base64: usize,
}

/// Follows the body line by line until a line is none of a key.
fn body_end(text: &[u8], start: usize) -> Body {
    let mut body = Body { at: start, base64: 0 };
    let mut at = start;
    loop {
        at = skip_decoration(text, at);
        let rest = &text[at..];
        if let Some(end) = footer_end(text, at) {
            body.at = end;
            return body;
        }
        let run = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')).count();
        let after = at + run;
        if let Some(colon) = field(rest, run) {
            at += colon;
            continue;
        }
        if run == 0 || !ends_line(text, after, run) {
            return body;
        }
        body.base64 += run;
        body.at = after;
        at = after;
    }
}

/// Skips what quoting, escaping, comparing, commenting and numbering put between two lines of a key.
fn skip_decoration(text: &[u8], at: usize) -> usize {
    let mut at = at;
    loop {
        let rest = &text[at..];
        let step = match rest {
            [b'\\', b'n' | b'r' | b't', ..] => 2,
            [b'\\', b'u', b'0', b'0', b'0', _, ..] => 6,
            [0xe2, 0x86, 0x92, ..] => 3,
            [b'-', b'-', ..] => 0,
            [
                b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'`' | b',' | b'\\' | 0x1e | 0x1f | b'>' | b'|' | b'#'
                | b'*' | b'-' | b';' | b'.',
                ..,
            ] => 1,
            _ => number(rest),
        };
        if step == 0 {
            return at;
        }
        at += step;
    }
}

/// Length of a line number such as `12→` or `12:`; 0 when there is none.
fn number(rest: &[u8]) -> usize {
    let digits = rest.iter().take(7).take_while(|b| b.is_ascii_digit()).count();
    match rest.get(digits..) {
        Some([0xe2, 0x86, 0x92, ..]) if digits > 0 => digits + 3,
        Some([b'\t' | b':' | b'|', ..]) if digits > 0 => digits + 1,
        _ => 0,
    }
}

/// Length of a header field such as `Proc-Type: 4,ENCRYPTED`; `run` base64 bytes stand at the start.
fn field(rest: &[u8], run: usize) -> Option<usize> {
    let name = rest.iter().take(32).take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
    if name < run || name == 0 || rest.get(name) != Some(&b':') || rest.get(name + 1) != Some(&b' ') {
        return None;
    }
    let line = rest.iter().take(200).position(|b| matches!(b, b'\n' | b'\r' | b'\\' | b'"' | 0x1e | 0x1f));
    line.map(|end| end.max(name + 2))
}

/// Reports whether a run of base64 is a line of a key: it is followed by a line break, written or escaped, by the
/// footer, by the end of the text, or is long enough to stand between blanks.
fn ends_line(text: &[u8], after: usize, run: usize) -> bool {
    match &text[after..] {
        [] | [b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'\\' | 0x1e | 0x1f, ..] | [b'-', b'-', ..] => true,
        [b' ' | b'\t' | b',' | b'<' | b'.', ..] => run >= 32,
        _ => false,
    }
}

/// Finds the end of the footer when one starts at `at`.
fn footer_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = &text[at..text.len().min(at + 120)];
    let title = rest.strip_prefix(b"-----END").or_else(|| rest.strip_prefix(b"---- END"))?;
    let start = rest.len() - title.len();
    let dashes = memchr::memmem::find(title, b"----")?;
    let closing = title[dashes..].iter().take_while(|b| **b == b'-').count().min(5);
    Some(at + start + dashes + closing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(separator: &str, lines: usize) -> String {
        let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDAC4AWkdwKYSd8";
        let body = vec![line; lines].join(separator);
        format!("-----BEGIN RSA {p}-----{separator}{body}{separator}-----END RSA {p}-----", p = "PRIVATE KEY")
    }

    fn spans(text: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let at = text.to_ascii_lowercase().find(WORDS[0]).unwrap_or(0);
        find(text.as_bytes(), at..at + WORDS[0].len(), &mut found);
        found.iter().map(|range| (range.start, range.end)).collect()
    }

    #[test]
    fn a_key_is_found_whole_however_its_lines_are_joined() {
        for separator in ["\n", "\r\n", "\\n", "\\\\n", " ", "\",\u{1e}\"+", "\n    12\u{2192}", "\n+", "\n# "] {
            let text = key(separator, 30);
            assert_eq!(spans(&text), vec![(0, text.len())], "{separator:?}");
        }
    }

    #[test]
    fn a_key_that_is_cut_off_ends_with_its_last_line() {
        let whole = key("\n", 4);
        let cut = &whole[..whole.len() - 34];
        let text = format!("{cut}\nand that was the key");
        assert_eq!(spans(&text), vec![(0, cut.len())]);
    }

    #[test]
    fn prose_about_keys_is_no_key() {
        assert!(spans(&format!("-----BEGIN {}-----\nanything\n-----END it-----", "PRIVATE KEY")).is_empty());
        assert!(spans("-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ").is_empty());
    }
}
