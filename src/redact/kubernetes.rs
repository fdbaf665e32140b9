//! Secrets of Kubernetes manifests: the base64 values below `data:` of a `kind: Secret`.

use std::ops::Range;

use super::assignment::{APART, STRING};

/// Words that announce a manifest.
pub(super) const WORDS: [&str; 2] = ["kind:", "\"kind\""];

/// Least length of a value, bytes of base64.
const LEAST: usize = 10;

/// Finds every value of the manifest whose `kind` is at the word.
pub(super) fn find(text: &[u8], word: Range<usize>, found: &mut Vec<Range<usize>>) -> usize {
    if !is_secret(&text[word.end..]) {
        return word.end;
    }
    let start = memchr::memmem::rfind(&text[..word.start], b"\n---").map_or(0, |at| at + 1);
    let end = memchr::memmem::find(&text[word.end..], b"\n---").map_or(text.len(), |at| word.end + at);
    let mut inside: Option<usize> = None;
    let mut at = start;
    while at < end {
        let length = memchr::memchr2(b'\n', APART, &text[at..end]).unwrap_or(end - at);
        let line = &text[at..at + length];
        let indent = line.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let body = line[indent..].trim_ascii_end();
        if matches!(body, b"data:" | b"\"data\": {") {
            inside = Some(indent);
        } else if !body.is_empty() && inside.is_some_and(|outer| indent <= outer) {
            inside = None;
        } else if inside.is_some()
            && !body.starts_with(b"#")
            && let Some(value) = value(body)
        {
            found.push(at + indent + value.start..at + indent + value.end);
        }
        at += length + 1;
    }
    end
}

/// Reports whether the text after `kind:` says `Secret` and nothing more.
fn is_secret(rest: &[u8]) -> bool {
    let skip = rest.iter().take(8).take_while(|b| matches!(b, b' ' | b'"' | b'\'' | b':')).count();
    let word = &rest[skip..rest.len().min(skip + 7)];
    word.get(..6).is_some_and(|w| w.eq_ignore_ascii_case(b"secret"))
        && !word.get(6).is_some_and(|b| b.is_ascii_alphanumeric())
}

/// Finds the base64 value of a line: behind the name, or the line itself when it continues a block.
fn value(line: &[u8]) -> Option<Range<usize>> {
    let start = memchr::memmem::find(line, b": ").map_or(0, |at| at + 2);
    let skip = line[start..].iter().take_while(|b| matches!(b, b' ' | b'"' | b'\'')).count();
    let start = start + skip;
    let rest = &line[start..];
    let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')).count();
    let closed =
        rest[length..].iter().all(|b| matches!(*b, b'"' | b'\'' | b' ' | b',' | b'\r' | b'\\' | APART | STRING));
    (length >= LEAST && closed).then_some(start..start + length)
}
