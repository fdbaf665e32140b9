//! Secrets without a vendor: values assigned to names such as `password`, `api_key`, `client_secret`.

use std::ops::Range;

use super::assignment::{self, Assignment, Sign};
use super::name::{Promise, parts, promise};
use super::randomness::{entropy, is_mixed_hex, is_placeholder, looks_random};
use super::shape::is_uuid;

/// Words whose names are judged.
pub(super) const WORDS: [&str; 9] = ["token", "secret", "passw", "passphrase", "pwd", "cred", "key", "auth", "_pass"];

/// Finds the secret assigned to the name that holds the word.
pub(super) fn find(text: &[u8], word: Range<usize>, found: &mut Vec<Range<usize>>) -> usize {
    let Some(assignment) = assignment::around(text, &word) else {
        return word.end;
    };
    let resume = assignment.resume(word.end);
    let name = &text[assignment.name.clone()];
    let parts = parts(name);
    if !is_id(name)
        && let Some(promise) = promise(&parts)
        && holds(promise, text, &assignment)
        && !is_garbled(&parts, &text[assignment.value.clone()])
        && !is_bundled(&parts, text, &assignment)
    {
        found.push(assignment.value);
    }
    resume
}

/// Reports whether a name is an id that holds the word by accident.
fn is_id(name: &[u8]) -> bool {
    name.split(|b| matches!(b, b'_' | b'-' | b'.' | b':'))
        .any(|part| part.len() >= 18 && (looks_random(part) || part[..2].iter().all(u8::is_ascii_digit)))
}

/// Reports whether the value keeps what the name promises.
fn holds(promise: Promise, text: &[u8], assignment: &Assignment) -> bool {
    let value = &text[assignment.value.clone()];
    let quoted = assignment.quoted;
    if value.len() < 8 || is_placeholder(value) || (!quoted && is_code(text, &assignment.value)) {
        return false;
    }
    if value.iter().any(|b| b.is_ascii_whitespace() || b.is_ascii_control()) || is_address(value) {
        return false;
    }
    match promise {
        Promise::Password => {
            let digit = value.iter().any(u8::is_ascii_digit);
            let letter = value.iter().any(u8::is_ascii_alphabetic);
            let mark = value.iter().any(|b| b.is_ascii_punctuation() && !matches!(b, b'_' | b'-' | b'.' | b'/' | b':'));
            let kinds = usize::from(digit) + usize::from(letter) + usize::from(mark);
            let listed = assignment.sign == Sign::Comma && !(digit && mark) && !looks_random(value);
            kinds >= 2 && !listed && (digit || quoted) && entropy(value) >= 2.4 && !is_path(value)
        }
        Promise::Token => {
            value.len() >= 10
                && is_token(value)
                && !is_mixed_hex(value)
                && (looks_random(value) || is_uuid(value))
                && (assignment.sign != Sign::Comma || quoted)
        }
        Promise::Perhaps => {
            let name = &text[assignment.name.clone()];
            value.len() >= 24
                && name.iter().all(|b| !b.is_ascii_lowercase())
                && is_token(value)
                && !value.iter().all(u8::is_ascii_hexdigit)
                && !is_uuid(value)
                && looks_random(value)
                && entropy(value) >= 3.7
        }
    }
}

/// Reports whether a value is a Telegram token that lost or gained bytes: `<bot id>:<…>`, but not in the one form that
/// opens a bot and that has its own rule (<https://core.telegram.org/bots/api#authorizing-your-bot>).
fn is_garbled(parts: &[String], value: &[u8]) -> bool {
    let id = value.iter().take_while(|b| b.is_ascii_digit()).count();
    parts.iter().any(|part| part.starts_with("telegram")) && id > 0 && value.get(id) == Some(&b':')
}

/// Reports whether the assignment is `,apiKey:"…",` of a minified script. Such scripts are sent to every browser, and
/// what they call `apiKey` is the publishable key of a search, a map or an analytics service. Secrets and passwords, and
/// keys with a vendor's prefix, are looked for in minified scripts like anywhere.
fn is_bundled(parts: &[String], text: &[u8], assignment: &Assignment) -> bool {
    let (name, value) = (&assignment.name, &assignment.value);
    parts == ["api", "key"]
        && text[..name.start].ends_with(b",")
        && text[name.end..value.start] == *b":\""
        && text[value.end..].starts_with(b"\",")
}

/// Reports whether the bytes are those of a machine-made token.
fn is_token(value: &[u8]) -> bool {
    value
        .iter()
        .all(|b| b.is_ascii_graphic() && !matches!(b, b'(' | b')' | b'{' | b'}' | b'[' | b']' | b'<' | b'>' | b','))
        && !is_path(value)
}

/// Reports whether a bare value is an expression of a program.
fn is_code(text: &[u8], value: &Range<usize>) -> bool {
    let bytes = &text[value.clone()];
    let next = text.get(value.end);
    matches!(next, Some(b'(' | b'[' | b'<'))
        || bytes.iter().any(|b| matches!(b, b'(' | b')' | b'[' | b']' | b'{' | b'}'))
        || memchr::memmem::find(bytes, b"::").is_some()
        || memchr::memmem::find(bytes, b"->").is_some()
        || is_member(bytes)
        || is_number(bytes)
}

/// Reports whether a value is a number of a program, such as `0x80550008_u32`, `-12i64`.
fn is_number(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"-").unwrap_or(value);
    let digits = value.iter().take_while(|b| b.is_ascii_digit() || **b == b'_').count();
    let types: [&[u8]; 4] = [b"u32", b"i32", b"u64", b"i64"];
    (value.starts_with(b"0x") && value.len() <= 24) || (digits > 0 && types.contains(&&value[digits..]))
}

/// Reports whether a value reads `object.member`, where both are words.
fn is_member(value: &[u8]) -> bool {
    let mut members = value.split(|b| *b == b'.');
    let word = |part: &[u8]| {
        part.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
            && part.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
            && !looks_random(part)
    };
    value.contains(&b'.') && members.all(word)
}

/// Reports whether a value is a URL or an address: those have a rule of their own.
fn is_address(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"://").is_some()
        || (value.contains(&b'@') && value.contains(&b'.') && !value.contains(&b':') && !looks_random(value))
}

/// Reports whether a value is a path of files or a name with an extension.
fn is_path(value: &[u8]) -> bool {
    let short = |part: &[u8]| part.len() < 20 && !looks_random(part);
    value.starts_with(b"./")
        || value.starts_with(b"~/")
        || (value.contains(&b'/') && value.split(|b| *b == b'/').all(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(text: &str) -> bool {
        let mut found = Vec::new();
        for word in WORDS {
            for (at, _) in text.to_ascii_lowercase().match_indices(word) {
                find(text.as_bytes(), at..at + word.len(), &mut found);
            }
        }
        !found.is_empty()
    }

    #[test]
    fn values_that_open_nothing_are_left() {
        for (left, found) in [
            // The name says that the value is refused.
            ("invalidToken = \"q7w1ert5yu8op3as\"", "liveToken = \"q7w1ert5yu8op3as\""),
            ("wrong_password: \"s3cretPa55!\"", "new_password: \"s3cretPa55!\""),
            // Hexadecimal in both cases.
            ("api_token = 7aF09bC3e5D14f8a6B2c", "api_token = 7af09bc3e5d14f8a6b2c"),
            // Cut off; the number is no bot's id elsewhere.
            ("telegram_token = \"4839:AAb7x_qT2mZ9\"", "redis_token = \"4839:AAb7x_qT2mZ9\""),
            // A script for browsers, and one that a person wrote.
            ("{a:1,apiKey:\"07c1a9f35be24d68\",b:2}", "{a: 1, apiKey: \"07c1a9f35be24d68\", b: 2}"),
            ("{a:1,apiKey:\"07c1a9f35be24d68\",b:2}", "{a:1,apiSecret:\"07c1a9f35be24d68\",b:2}"),
        ] {
            assert!(!finds(left), "{left}");
            assert!(finds(found), "{found}");
        }
    }
}
