//! What a person asks to be taken out: words or a pattern, wherever they stand, or a text as a whole.

use std::borrow::Cow;
use std::ops::Range;

use regex::bytes::Regex;

use super::json::{Member, Strings};
use super::marker;
use super::redacted::{Finding, Redacted};

/// The name in the markers of what a person took out.
pub(super) const MANUAL: &str = "manual";

/// Fewest letters of a text's cut-off end that are taken for the beginning of the words.
const BEGINNING: usize = 4;

/// Largest program of a pattern, in bytes: a pattern comes from a person, but may have come from elsewhere before.
const PROGRAM_MAX: usize = 8 << 20;

/// Members of messages whose values are words of the protocol.
const WORDS: [&[u8]; 4] = [b"type", b"role", b"media_type", b"cache_control"];

/// Members of messages by which calls and results find each other.
const IDS: [&[u8]; 5] = [b"id", b"tool_use_id", b"tool_call_id", b"call_id", b"item_id"];

/// Names of members that every provider's messages have.
const NAMES: [&[u8]; 26] = [
    b"type",
    b"role",
    b"id",
    b"text",
    b"content",
    b"name",
    b"input",
    b"output",
    b"arguments",
    b"function",
    b"tool_use_id",
    b"tool_call_id",
    b"tool_calls",
    b"call_id",
    b"is_error",
    b"thinking",
    b"signature",
    b"source",
    b"data",
    b"media_type",
    b"summary",
    b"encrypted_content",
    b"status",
    b"model",
    b"caller",
    b"decision",
];

/// Says what is to be taken out.
#[derive(Debug, Clone)]
pub struct Pattern(What);

#[derive(Debug, Clone)]
enum What {
    /// These words, as they are and as they stand in JSON; the first is what was asked for.
    Words(Vec<Vec<u8>>),
    Regex(Box<Regex>),
    /// All of it.
    Whole,
}

/// Says why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed pattern: {reason}")]
pub struct PatternError {
    /// What is wrong.
    reason: String,
}

impl Pattern {
    /// Makes a pattern of words that are meant as they are.
    pub fn words(text: &str) -> Self {
        let escaped = |text: &str| {
            let quoted = serde_json::to_string(text).expect("text is JSON");
            quoted[1..quoted.len() - 1].to_owned()
        };
        let once = escaped(text);
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut all = vec![text.to_owned(), escaped(&once), once, flat];
        all.retain(|one| !one.is_empty());
        let mut known = Vec::new();
        for one in all {
            if !known.contains(&one.clone().into_bytes()) {
                known.push(one.into_bytes());
            }
        }
        // The longest first: one may be a part of another.
        known[1..].sort_by_key(|one| std::cmp::Reverse(one.len()));
        Pattern(What::Words(known))
    }

    /// Makes a pattern of a regular expression.
    ///
    /// # Errors
    /// When it is none, or matches where there is nothing.
    pub fn regex(text: &str) -> Result<Self, PatternError> {
        let error = |reason: String| PatternError { reason };
        let built = regex::bytes::RegexBuilder::new(text).size_limit(PROGRAM_MAX).build();
        let regex = built.map_err(|said| error(said.to_string().lines().last().unwrap_or_default().to_owned()))?;
        if regex.is_match(b"") {
            return Err(error("it matches where there is nothing".to_owned()));
        }
        Ok(Pattern(What::Regex(Box::new(regex))))
    }

    /// Makes a pattern that takes a text out as a whole.
    pub fn whole() -> Self {
        Pattern(What::Whole)
    }

    /// Tells whether the words, or what the expression means, stand anywhere in some bytes.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        match &self.0 {
            What::Words(words) => memchr::memmem::find(bytes, &words[0]).is_some(),
            What::Regex(regex) => regex.is_match(bytes),
            What::Whole => false,
        }
    }

    /// Finds what is to be taken out of a text, off every marker; with it comes what is hidden.
    fn spans<'t>(&'t self, text: &'t [u8]) -> Vec<(Range<usize>, &'t [u8])> {
        let mut found: Vec<(Range<usize>, &[u8])> = Vec::new();
        match &self.0 {
            What::Whole if text.iter().all(u8::is_ascii_whitespace) => {}
            What::Whole => found.push((0..text.len(), text)),
            What::Words(words) => {
                for word in words {
                    let at = memchr::memmem::find_iter(text, word);
                    found.extend(at.map(|at| (at..at + word.len(), words[0].as_slice())));
                }
            }
            What::Regex(regex) => {
                let matches = regex.find_iter(text).filter(|found| !found.is_empty());
                found.extend(matches.map(|found| (found.range(), found.as_bytes())));
            }
        }
        let markers = marker::all(text, |_| true);
        if !matches!(self.0, What::Whole) {
            found.retain(|(range, _)| markers.iter().all(|one| range.end <= one.start || one.end <= range.start));
        } else if markers.len() == 1 && markers[0] == (0..text.len()) {
            found.clear();
        }
        found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut last = 0;
        found.retain(|(range, _)| {
            let is_free = range.start >= last;
            last = if is_free { range.end } else { last };
            is_free
        });
        found
    }
}

/// Takes out what patterns mean, with a repository's key.
#[derive(Debug)]
pub struct Cutter<'a> {
    pub(super) key: &'a marker::Key,
    pub(super) patterns: &'a [Pattern],
}

impl Cutter<'_> {
    /// Takes it out of text; `None` if nothing of it is there.
    pub fn text(&self, text: &[u8]) -> Option<Redacted<Vec<u8>>> {
        let mut out = Cow::Borrowed(text);
        let mut findings = Vec::new();
        for pattern in self.patterns {
            let spans = pattern.spans(&out);
            if !spans.is_empty() {
                findings.extend(spans.iter().map(|(range, _)| finding(range)));
                let cut = spans.into_iter().map(|(range, secret)| (range, self.marker(secret))).collect::<Vec<_>>();
                out = Cow::Owned(replaced(&out, &cut));
            }
        }
        (!findings.is_empty()).then(|| Redacted::new(out.into_owned(), findings))
    }

    /// Takes it out of the strings of a JSON document, names of members included, but for the words of the protocol; an
    /// id stays an id. What is no JSON is text.
    pub fn json(&self, json: &[u8]) -> Option<Redacted<Vec<u8>>> {
        let Some(members) = Strings::members(json) else { return self.text(json) };
        let mut edits: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        for member in members {
            let key = member.key.clone().map_or(&b""[..], |key| &json[key]);
            let is_name = member.is_key;
            let value = &json[member.value.clone()];
            let is_fixed = if is_name { NAMES.contains(&value) } else { WORDS.contains(&key) };
            if is_fixed {
                continue;
            }
            let is_id = !is_name && (IDS.contains(&key) || key.ends_with(b"_id"));
            self.member(json, &member, is_id, &mut edits);
        }
        if edits.is_empty() {
            return None;
        }
        edits.sort_by_key(|(range, _)| range.start);
        let findings = edits.iter().map(|(range, _)| finding(range)).collect();
        Some(Redacted::new(replaced(json, &edits), findings))
    }

    fn member(&self, json: &[u8], member: &Member, is_id: bool, edits: &mut Vec<(Range<usize>, Vec<u8>)>) {
        let strings = Strings::one(json, &member.value);
        let mut taken: Vec<Range<usize>> = Vec::new();
        for pattern in self.patterns {
            // Taken out as a whole, a message keeps what holds it together.
            if matches!(pattern.0, What::Whole)
                && (is_id || member.is_key || member.key.as_ref().is_some_and(|key| &json[key.clone()] == b"name"))
            {
                continue;
            }
            for (span, secret) in pattern.spans(&strings.text) {
                if taken.iter().any(|other| span.start < other.end && other.start < span.end) {
                    continue;
                }
                let parts = strings.raw(&span);
                let (Some((first, _)), Some((last, _))) = (parts.first(), parts.last()) else { continue };
                let marker = if is_id { self.plain(secret) } else { self.marker(secret) };
                edits.push((first.start..last.end, marker));
                taken.push(span);
            }
        }
    }

    /// Takes it out of a line; what ends in `…` is also looked at for the beginning of the words.
    pub fn line(&self, line: &str) -> Option<Redacted<String>> {
        let cut = self.text(line.as_bytes());
        let mut text = match &cut {
            Some(cut) => String::from_utf8_lossy(cut.as_inner()).into_owned(),
            None => line.to_owned(),
        };
        let mut findings = cut.map(|cut| cut.findings().to_vec()).unwrap_or_default();
        if let Some(stem) = text.strip_suffix('…') {
            for pattern in self.patterns {
                let What::Words(words) = &pattern.0 else { continue };
                let longest = words.iter().filter_map(|word| overlap(stem.as_bytes(), word)).max();
                if let Some(length) = longest {
                    let start = stem.len() - length;
                    findings.push(finding(&(start..stem.len())));
                    text = format!("{}{}", &stem[..start], String::from_utf8_lossy(&self.marker(&words[0])));
                    break;
                }
            }
        }
        (!findings.is_empty()).then(|| Redacted::new(text, findings))
    }

    /// Takes it out of an id, which stays one.
    pub fn id(&self, id: &str) -> Option<String> {
        let mut text = id.to_owned();
        for pattern in self.patterns.iter().filter(|pattern| !matches!(pattern.0, What::Whole)) {
            let cut: Vec<_> = {
                let spans = pattern.spans(text.as_bytes());
                spans.into_iter().map(|(range, secret)| (range, self.plain(secret))).collect()
            };
            text = String::from_utf8_lossy(&replaced(text.as_bytes(), &cut)).into_owned();
        }
        (text != id).then_some(text)
    }

    fn marker(&self, secret: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        marker::write(&mut out, self.key, MANUAL, secret);
        out
    }

    /// Returns a marker that can be a part of an id: `redacted-manual-1f0c9a3b`.
    fn plain(&self, secret: &[u8]) -> Vec<u8> {
        let marker = self.marker(secret);
        let inner = &marker[2..marker.len() - 2];
        inner.iter().map(|byte| if *byte == b':' { b'-' } else { *byte }).collect()
    }
}

/// Returns how many letters at the end of a text are the beginning of words, but not all of them.
fn overlap(text: &[u8], word: &[u8]) -> Option<usize> {
    let mut lengths = (BEGINNING..word.len().min(text.len() + 1)).rev();
    // Between letters only.
    lengths.find(|length| text.ends_with(&word[..*length]) && std::str::from_utf8(&word[..*length]).is_ok())
}

fn finding(range: &Range<usize>) -> Finding {
    Finding { rule: Cow::Borrowed(MANUAL), start: range.start, end: range.end }
}

/// Puts other bytes in the place of ranges, which are in order and apart.
fn replaced(text: &[u8], edits: &[(Range<usize>, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + edits.len() * 32);
    let mut at = 0;
    for (range, new) in edits {
        if range.start < at {
            continue;
        }
        out.extend_from_slice(&text[at..range.start]);
        out.extend_from_slice(new);
        at = range.end;
    }
    out.extend_from_slice(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Key, Options, Redactor};
    use super::*;

    fn cut(patterns: &[Pattern], json: bool, text: &str) -> Option<String> {
        let redactor = Redactor::new(Key::new([7; 32]), Options::default());
        let cutter = redactor.cutter(patterns).expect("it is on");
        let cut = if json { cutter.json(text.as_bytes()) } else { cutter.text(text.as_bytes()) };
        cut.map(|cut| String::from_utf8(cut.into_inner()).expect("text"))
    }

    #[test]
    fn words_go_wherever_they_stand() {
        let words = [Pattern::words("blue \"heron\"")];
        let marker = cut(&words, false, "blue \"heron\"").expect("cut");
        assert!(marker.starts_with("[[redacted:manual:") && marker.len() == 28, "{marker}");
        assert_eq!(cut(&words, false, "a blue heron"), None);
        // As it is, in JSON, and in JSON in JSON.
        let text = r#"x blue "heron" y blue \"heron\" z blue \\\"heron\\\""#;
        assert_eq!(cut(&words, false, text), Some(format!("x {marker} y {marker} z {marker}")));
        let json = r#"{"type":"text","text":"say \u0062lue \"heron\"!","args":"{\"q\":\"blue \\\"heron\\\"\"}"}"#;
        let expected = format!(r#"{{"type":"text","text":"say {marker}!","args":"{{\"q\":\"{marker}\"}}"}}"#);
        assert_eq!(cut(&words, true, json), Some(expected));
        // What was taken out is taken out once.
        assert_eq!(cut(&words, false, &marker), None);
        assert_eq!(cut(&[Pattern::words("redacted")], false, &marker), None);
    }

    #[test]
    fn structure_stays() {
        let json = r#"[{"type":"tool_use","id":"toolu_text","name":"text","input":{"text":"text","mytext":1}}]"#;
        let cut_json = cut(&[Pattern::words("text")], true, json).expect("cut");
        let read: serde_json::Value = serde_json::from_str(&cut_json).expect("JSON");
        assert_eq!(read[0]["type"], "tool_use");
        let id = read[0]["id"].as_str().expect("an id");
        assert!(id.starts_with("toolu_redacted-manual-") && !id.contains(':'), "{id}");
        assert!(read[0]["input"]["text"].as_str().expect("text").starts_with("[[redacted:manual:"));
        assert!(!cut_json.contains("mytext"));
        // As a whole: names and ids of calls stay.
        let whole = cut(&[Pattern::whole()], true, json).expect("cut");
        let read: serde_json::Value = serde_json::from_str(&whole).expect("JSON");
        assert_eq!((&read[0]["id"], &read[0]["name"]), (&"toolu_text".into(), &"text".into()));
        assert!(read[0]["input"]["text"].as_str().expect("text").starts_with("[[redacted:manual:"));
        assert_eq!(cut(&[Pattern::whole()], true, &whole), None);
    }

    #[test]
    fn patterns_are_checked_and_beginnings_are_seen() {
        assert!(Pattern::regex("a*").is_err() && Pattern::regex("(").is_err());
        let found = cut(&[Pattern::regex("k-[0-9]+").expect("one")], false, "k-1 and k-22").expect("cut");
        assert!(!found.contains("k-1") && found.contains(" and "));
        let redactor = Redactor::new(Key::new([7; 32]), Options::default());
        let words = [Pattern::words("hunter2longword")];
        let cutter = redactor.cutter(&words).expect("it is on");
        let line = cutter.line("append user: my word is hunter2l…").expect("cut").into_inner();
        assert!(line.starts_with("append user: my word is [[redacted:manual:"), "{line}");
        assert!(cutter.line("append user: my word is h…").is_none());
    }
}
