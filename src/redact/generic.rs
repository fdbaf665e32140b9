//! Secrets without a vendor: values assigned to names such as `password`, `api_key`, `client_secret`.

use std::ops::Range;

use super::assignment::{self, Assignment, Sign};
use super::randomness::{entropy, is_placeholder, looks_random};
use super::shape::is_uuid;

/// Words whose names are judged.
pub(super) const WORDS: [&str; 9] = [
    "token",
    "secret",
    "passw",
    "passphrase",
    "pwd",
    "cred",
    "key",
    "auth",
    "_pass",
];

/// What a name promises about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Promise {
    /// Chosen by a person: need not look random.
    Password,
    /// Made by a machine: looks random.
    Token,
    /// Perhaps a secret: must look very random.
    Perhaps,
}

/// Finds the secret assigned to the name that holds the word.
pub(super) fn find(text: &[u8], word: Range<usize>, found: &mut Vec<Range<usize>>) -> usize {
    if let Some(assignment) = assignment::around(text, &word) {
        let name = &text[assignment.name.clone()];
        let parts = parts(name);
        if !is_id(name)
            && let Some(promise) = promise(&parts)
            && holds(promise, text, &assignment)
        {
            found.push(assignment.value);
        }
    }
    word.end
}

/// Reports whether a name is an id that holds the word by accident.
fn is_id(name: &[u8]) -> bool {
    name.split(|b| matches!(b, b'_' | b'-' | b'.' | b':'))
        .any(|part| part.len() >= 18 && looks_random(part))
}

/// Splits a name into lower-case parts at `_`, `-`, `.` and where lower case turns into upper case.
pub(super) fn parts(name: &[u8]) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before = b'_';
    for (at, byte) in name.iter().enumerate() {
        let next_small = name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        let turns = byte.is_ascii_uppercase()
            && (before.is_ascii_lowercase() || (before.is_ascii_uppercase() && next_small));
        if !byte.is_ascii_alphanumeric() || turns {
            parts.push(String::new());
        }
        if byte.is_ascii_alphanumeric()
            && let Some(part) = parts.last_mut()
        {
            part.push(char::from(byte.to_ascii_lowercase()));
        }
        before = *byte;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Parts that say the value is about a secret rather than the secret itself.
const ABOUT: [&str; 76] = [
    "id",
    "ids",
    "name",
    "names",
    "type",
    "types",
    "length",
    "len",
    "size",
    "count",
    "limit",
    "budget",
    "max",
    "min",
    "file",
    "files",
    "filename",
    "path",
    "paths",
    "dir",
    "url",
    "uri",
    "endpoint",
    "host",
    "expires",
    "expiry",
    "ttl",
    "version",
    "public",
    "pub",
    "publishable",
    "csrf",
    "xsrf",
    "hash",
    "digest",
    "checksum",
    "fingerprint",
    "index",
    "store",
    "vault",
    "ref",
    "pair",
    "press",
    "pressed",
    "down",
    "up",
    "board",
    "usage",
    "algorithm",
    "format",
    "prefix",
    "suffix",
    "placeholder",
    "label",
    "field",
    "column",
    "author",
    "source",
    "results",
    "foreign",
    "primary",
    "sort",
    "partition",
    "cache",
    "arn",
    "issuer",
    "chars",
    "idempotency",
    "map",
    "regex",
    "pattern",
    "mapping",
    "tokenizer",
    "policy",
    "service",
    "method",
];

/// What stands before `key` in the names of secrets.
const KEYS: [&str; 24] = [
    "api",
    "access",
    "secret",
    "private",
    "signing",
    "encryption",
    "master",
    "app",
    "auth",
    "storage",
    "account",
    "session",
    "shared",
    "license",
    "deploy",
    "admin",
    "webhook",
    "hmac",
    "jwt",
    "aes",
    "subscription",
    "service",
    "crypto",
    "functions",
];

/// What the name promises; `None` when it names no secret.
fn promise(parts: &[String]) -> Option<Promise> {
    let has = |list: &[&str]| parts.iter().any(|p| list.contains(&p.as_str()));
    let last = parts.last()?.trim_end_matches(|c: char| c.is_ascii_digit());
    let last = if last.is_empty() {
        parts.get(parts.len().checked_sub(2)?)?.as_str()
    } else {
        last
    };
    if parts.iter().any(|p| {
        p.ends_with("password") || p.ends_with("passwd") || p.ends_with("passphrase") || p == "pwd"
    }) || last == "pass"
    {
        return (!has(&ABOUT)).then_some(Promise::Password);
    }
    let joined: String = parts.concat();
    let strong = [
        "apikey",
        "secretkey",
        "accesskey",
        "privatekey",
        "clientsecret",
        "accesstoken",
        "authtoken",
        "apitoken",
    ];
    if has(&ABOUT) {
        return None;
    }
    if strong.iter().any(|s| joined.contains(s))
        || joined.ends_with("token")
        || has(&[
            "secret",
            "secrets",
            "token",
            "credential",
            "credentials",
            "cred",
            "creds",
        ])
        || last == "auth"
        || joined.ends_with("secret")
    {
        return Some(Promise::Token);
    }
    if last == "key" || joined.ends_with("key") {
        let known = parts.len() > 1
            && parts[..parts.len() - 1]
                .iter()
                .any(|p| KEYS.contains(&p.as_str()));
        return Some(if known {
            Promise::Token
        } else {
            Promise::Perhaps
        });
    }
    None
}

/// Reports whether the value keeps what the name promises.
fn holds(promise: Promise, text: &[u8], assignment: &Assignment) -> bool {
    let value = &text[assignment.value.clone()];
    let quoted = assignment.quoted;
    if value.len() < 8 || is_placeholder(value) || (!quoted && is_code(text, &assignment.value)) {
        return false;
    }
    if value
        .iter()
        .any(|b| b.is_ascii_whitespace() || b.is_ascii_control())
        || is_address(value)
    {
        return false;
    }
    match promise {
        Promise::Password => {
            let digit = value.iter().any(u8::is_ascii_digit);
            let letter = value.iter().any(u8::is_ascii_alphabetic);
            let mark = value.iter().any(|b| {
                b.is_ascii_punctuation() && !matches!(b, b'_' | b'-' | b'.' | b'/' | b':')
            });
            let kinds = usize::from(digit) + usize::from(letter) + usize::from(mark);
            kinds >= 2 && (digit || quoted) && entropy(value) >= 2.4 && !is_path(value)
        }
        Promise::Token => {
            value.len() >= 10
                && is_token(value)
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

/// Reports whether the bytes are those of a machine-made token.
fn is_token(value: &[u8]) -> bool {
    value.iter().all(|b| {
        b.is_ascii_graphic()
            && !matches!(
                b,
                b'(' | b')' | b'{' | b'}' | b'[' | b']' | b'<' | b'>' | b','
            )
    }) && !is_path(value)
}

/// Reports whether a bare value is an expression of a program.
fn is_code(text: &[u8], value: &Range<usize>) -> bool {
    let bytes = &text[value.clone()];
    let next = text.get(value.end);
    matches!(next, Some(b'(' | b'[' | b'<'))
        || bytes
            .iter()
            .any(|b| matches!(b, b'(' | b')' | b'[' | b']' | b'{' | b'}'))
        || memchr::memmem::find(bytes, b"::").is_some()
        || memchr::memmem::find(bytes, b"->").is_some()
        || is_member(bytes)
}

/// Reports whether a value reads `object.member`, where both are words.
fn is_member(value: &[u8]) -> bool {
    let mut members = value.split(|b| *b == b'.');
    let word = |part: &[u8]| {
        part.first()
            .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
            && part.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
            && !looks_random(part)
    };
    value.contains(&b'.') && members.all(word)
}

/// Reports whether a value is a URL or an address: those have a rule of their own.
fn is_address(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"://").is_some()
        || (value.contains(&b'@')
            && value.contains(&b'.')
            && !value.contains(&b':')
            && !looks_random(value))
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

    #[test]
    fn names_are_split_where_they_change() {
        assert_eq!(
            parts(b"AWS_SecretAccessKeyID.x"),
            ["aws", "secret", "access", "key", "id", "x"]
        );
        assert_eq!(parts(b"HTTPToken2"), ["http", "token2"]);
    }
}
