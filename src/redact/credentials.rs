//! Credentials inside other notations: URLs, `Authorization` headers, `curl -u`.

use std::ops::Range;

use super::assignment::{APART, STRING};
use super::randomness::{changes, entropy, is_placeholder, looks_random};

/// Words that may start a URL with a password in it; the second is how some JSON writers spell the first.
pub(super) const URL_WORDS: [&str; 2] = ["://", ":\\/\\/"];

/// Finds the password of `scheme://user:password@host`, or the token of `scheme://token@host`.
pub(super) fn find_in_url(text: &[u8], word: Range<usize>, found: &mut Vec<Range<usize>>) -> usize {
    if !text[..word.start].last().is_some_and(u8::is_ascii_alphanumeric) {
        return word.end;
    }
    let rest = &text[word.end..];
    let length = rest.iter().position(|b| ends_authority(*b)).unwrap_or(rest.len());
    let Some(at) = memchr::memrchr(b'@', &rest[..length]) else {
        return word.end;
    };
    let user = &rest[..at];
    match memchr::memchr(b':', user) {
        Some(colon) => {
            let password = &user[colon + 1..];
            let pattern = user.contains(&b'[');
            if password.len() >= 3 && !pattern && !is_placeholder(password) {
                found.push(word.end + colon + 1..word.end + at);
            }
        }
        None if user.len() >= 20 && looks_random(user) && !is_placeholder(user) => found.push(word.end..word.end + at),
        None => {}
    }
    word.end
}

/// Reports whether a byte ends the part of a URL that names user and host.
fn ends_authority(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || byte.is_ascii_control()
        || matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b',' | b'(' | b')' | b'|')
}

/// Words that announce an HTTP credential.
pub(super) const HEADER_WORDS: [&str; 2] = ["authorization", "bearer "];

/// Finds the credential of `Authorization: <scheme> <credential>` and of a bare `Bearer <credential>`.
pub(super) fn find_in_header(text: &[u8], word: Range<usize>, found: &mut Vec<Range<usize>>) -> usize {
    let mut at = word.end;
    let mut scheme: &[u8] = b"bearer";
    let bare = text[word.clone()].eq_ignore_ascii_case(b"bearer ");
    if !bare {
        at += text[at..]
            .iter()
            .take(12)
            .take_while(|b| matches!(**b, b'"' | b'\'' | b'\\' | b']' | b' ' | STRING))
            .count();
        if !matches!(text.get(at), Some(b':' | b'=' | b',')) {
            return word.end;
        }
        at += text[at..].iter().take(12).take_while(|b| is_gap(**b)).count();
        let length = text[at..].iter().take(20).take_while(|b| b.is_ascii_alphabetic() || **b == b'-').count();
        if text.get(at + length) == Some(&b' ') {
            scheme = &text[at..at + length];
            at += length;
        }
    }
    at += text[at..].iter().take(8).take_while(|b| **b == b' ').count();
    let length = text[at..].iter().position(|b| !in_credential(*b)).unwrap_or(text.len() - at);
    let credential = &text[at..at + length];
    let next = text.get(at + length);
    if matches!(next, Some(b'(' | b'[' | b'{' | b'<' | b'$')) || is_placeholder(credential) {
        return word.end;
    }
    let secret = if scheme.eq_ignore_ascii_case(b"basic") {
        names_user(credential) || (length >= 16 && looks_random(credential))
    } else {
        length >= 10
            && credential.iter().any(u8::is_ascii_digit)
            && (looks_random(credential) || (length >= 20 && entropy(credential) >= 3.3))
    };
    if secret {
        found.push(at..at + length);
    }
    at + length
}

/// Reports whether a byte may stand between `Authorization` and its value.
fn is_gap(byte: u8) -> bool {
    matches!(byte, b':' | b'=' | b'>' | b',' | b' ' | b'"' | b'\'' | b'`' | b'\\' | b'f' | b'(' | STRING)
}

/// Reports whether a byte may stand in an HTTP credential (RFC 9110 section 11.2, and what is seen besides).
fn in_credential(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b'@' | b':')
}

/// Reports whether base64 spells `user:password`.
fn names_user(credential: &[u8]) -> bool {
    let mut decoded = Vec::with_capacity(credential.len());
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in credential.iter().take_while(|b| **b != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return false,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            decoded.push((bits >> held & 0xff) as u8);
        }
    }
    decoded.len() >= 5 && decoded.contains(&b':') && decoded.iter().all(|b| *b >= b' ' && *b != 0x7f)
}

/// Words that announce a user and password for curl.
pub(super) const CURL_WORDS: [&str; 3] = [" -u", "--user", "\u{1f}-u\u{1f}"];

/// How far before its flag the word `curl` is looked for, bytes.
const COMMAND: usize = 2048;

/// Finds the password of `curl -u user:password`.
pub(super) fn find_in_curl(text: &[u8], word: Range<usize>, found: &mut Vec<Range<usize>>) -> usize {
    let command = &text[word.start.saturating_sub(COMMAND)..word.start];
    let Some(curl) = memchr::memmem::rfind(command, b"curl") else {
        return word.end;
    };
    // Another command starts after a line break that is not continued.
    let between = &command[curl..];
    if between.iter().enumerate().any(|(at, b)| *b == b'\n' && !between[..at].trim_ascii_end().ends_with(b"\\")) {
        return word.end;
    }
    // The argument starts behind the blanks; its quotes are read by `argument_end`.
    let blanks = text[word.end..].iter().take(8).take_while(|b| matches!(**b, b' ' | b'=' | APART | STRING)).count();
    let start = word.end + blanks;
    let end = argument_end(text, start);
    let Some(colon) = memchr::memchr(b':', &text[start..end]).map(|at| start + at) else {
        return word.end;
    };
    let (user, password) = (strip(text, start..colon), strip(text, colon + 1..end));
    if is_secret(&text[password.clone()]) {
        found.push(password);
    } else if password.is_empty() && is_secret(&text[user.clone()]) {
        found.push(user);
    }
    word.end
}

/// Finds the end of a word of a shell command, which may be quoted in parts.
fn argument_end(text: &[u8], start: usize) -> usize {
    let mut quote = None;
    for (at, byte) in text[start..].iter().take(COMMAND).enumerate() {
        match (*byte, quote) {
            (b'\n' | b'\r' | APART | STRING, _) | (b' ' | b'\t', None) => return start + at,
            (byte, Some(open)) if byte == open => quote = None,
            (b'"' | b'\'', None) => quote = Some(*byte),
            _ => {}
        }
    }
    text.len().min(start + COMMAND)
}

/// Takes quotes and blanks off both ends of a part of an argument.
fn strip(text: &[u8], part: Range<usize>) -> Range<usize> {
    let outer = |b: &u8| matches!(b, b'"' | b'\'' | b'\\' | b' ');
    let start = part.start + text[part.clone()].iter().take_while(|b| outer(b)).count();
    let end = part.end - text[start..part.end].iter().rev().take_while(|b| outer(b)).count();
    start..end
}

/// Reports whether a password of a command line is one.
fn is_secret(password: &[u8]) -> bool {
    let brackets = matches!(password, [b'{', ..]) && !looks_random(password);
    let telling = password.iter().any(u8::is_ascii_digit) || changes(password) >= 3;
    password.len() >= 6 && telling && !brackets && !is_placeholder(password)
}
