//! Markers: what stands in the place of a secret.

use std::ops::Range;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The secret key of a repository, 32 random bytes, under which markers are made.
///
/// Equal secrets get equal markers within a repository; without the key nobody can test a guess against a marker.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// Makes a key of 32 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// How every marker starts.
const START: &[u8] = b"[[redacted:";

/// Longest marker: start, rule, colon, 8 digits, end.
const LONGEST: usize = 128;

/// Writes the marker for a secret: `[[redacted:<rule>:<8 hex digits>]]`, the digits being the first four bytes of
/// HMAC-SHA-256 of the secret (RFC 2104).
pub(super) fn write(out: &mut Vec<u8>, key: &Key, rule: &str, secret: &[u8]) {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes keys of any length");
    mac.update(secret);
    let tag = mac.finalize().into_bytes();
    out.extend_from_slice(START);
    out.extend_from_slice(rule.as_bytes());
    out.push(b':');
    for byte in &tag[..4] {
        for digit in [byte >> 4, byte & 15] {
            out.push(b"0123456789abcdef"[usize::from(digit)]);
        }
    }
    out.extend_from_slice(b"]]");
}

/// Finds every marker in the text, in order. `known` says which names are those of rules: anything else in a marker's
/// dress is text, so that nobody can smuggle a secret in it.
pub(super) fn all(text: &[u8], known: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    memchr::memmem::find_iter(text, START).filter_map(|at| Some(at..at + length(&text[at..], &known)?)).collect()
}

/// Length of the marker at the start of the text.
fn length(text: &[u8], known: &impl Fn(&str) -> bool) -> Option<usize> {
    let text = &text[..text.len().min(LONGEST)];
    let rule = &text[START.len()..];
    let colon = memchr::memchr(b':', rule)?;
    let digits = rule.get(colon + 1..colon + 9)?;
    let hex = digits.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b));
    let closed = rule.get(colon + 9..colon + 11)? == b"]]";
    let named = std::str::from_utf8(&rule[..colon]).is_ok_and(known);
    (hex && closed && named).then_some(START.len() + colon + 11)
}
