//! What a person asks to be taken out: words or a pattern, wherever they stand, or a text as a whole.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use regex::bytes::Regex;

use super::json::{Member, Strings};
use super::marker;
use super::redacted::{Finding, Redacted};
use super::whole;

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
    /// These words, for which others stand: no secret, but the name of something that has another name now.
    Renamed(Vec<u8>, Vec<u8>),
    /// All of it, but for texts that this is true of.
    Whole(fn(&str) -> bool),
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

    /// Makes a pattern that takes a text out as a whole, but for texts that `stays` is true of.
    pub fn whole(stays: fn(&str) -> bool) -> Self {
        Pattern(What::Whole(stays))
    }

    /// Makes a pattern that puts words in the place of others.
    pub fn renamed(old: &str, new: &str) -> Self {
        Pattern(What::Renamed(old.as_bytes().to_vec(), new.as_bytes().to_vec()))
    }

    /// Tells whether the words, or what the expression means, stand anywhere in some bytes.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        match &self.0 {
            What::Words(words) => memchr::memmem::find(bytes, &words[0]).is_some(),
            What::Regex(regex) => regex.is_match(bytes),
            What::Renamed(..) | What::Whole(_) => false,
        }
    }

    /// Returns what takes the place of words that were found.
    fn instead(&self, cutter: &Cutter<'_>, secret: &[u8]) -> Vec<u8> {
        match &self.0 {
            What::Renamed(_, new) => new.clone(),
            _ => cutter.marker(secret),
        }
    }

    /// Finds what is to be taken out of a text, off every marker; with it comes what is hidden.
    fn spans<'t>(&'t self, text: &'t [u8]) -> Vec<(Range<usize>, &'t [u8])> {
        let mut found: Vec<(Range<usize>, &[u8])> = Vec::new();
        match &self.0 {
            What::Whole(_) if text.iter().all(u8::is_ascii_whitespace) => {}
            What::Whole(stays) if std::str::from_utf8(text).is_ok_and(stays) => {}
            What::Whole(_) => found.push((0..text.len(), text)),
            What::Renamed(old, _) => {
                let at = memchr::memmem::find_iter(text, old);
                found.extend(at.map(|at| (at..at + old.len(), old.as_slice())));
            }
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
        if !matches!(self.0, What::Whole(_)) {
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
                let cut =
                    spans.into_iter().map(|(range, secret)| (range, pattern.instead(self, secret))).collect::<Vec<_>>();
                out = Cow::Owned(replaced(&out, &cut));
            }
        }
        (!findings.is_empty()).then(|| Redacted::new(out.into_owned(), findings))
    }

    /// Takes it out of the strings of a JSON document, names of members included, but for the words of the protocol; an
    /// id stays an id, and a tool's name a name. What is no JSON is text.
    ///
    /// Thinking that changes loses its signature, with which nobody would take it any more.
    pub fn json(&self, json: &[u8]) -> Option<Redacted<Vec<u8>>> {
        let Some(members) = Strings::members(json) else { return self.text(json) };
        if let [Pattern(What::Whole(stays))] = self.patterns {
            let instead = |text: &str| self.whole(text, *stays);
            let cut = whole::message(json, &instead).unwrap_or_else(|| whole::text(json, &instead));
            return (cut != json).then(|| Redacted::new(cut, vec![finding(&(0..json.len()))]));
        }
        let mut edits: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        let mut unsigned: HashSet<usize> = HashSet::new();
        let name_of = |member: &Member| member.key.clone().map_or(&b""[..], |key| &json[key]);
        for member in &members {
            let key = name_of(member);
            let value = &json[member.value.clone()];
            let is_fixed = if member.is_key { NAMES.contains(&value) } else { WORDS.contains(&key) };
            if is_fixed {
                continue;
            }
            let is_plain = !member.is_key && (IDS.contains(&key) || key == b"name" || key.ends_with(b"_id"));
            let before = edits.len();
            self.member(json, member, is_plain, &mut edits);
            if edits.len() > before && key == b"thinking" {
                unsigned.insert(member.within);
            }
        }
        if edits.is_empty() {
            return None;
        }
        let mut findings: Vec<Finding> = edits.iter().map(|(range, _)| finding(range)).collect();
        findings.sort();
        let signatures = members.iter().filter(|member| name_of(member) == b"signature");
        for member in signatures.filter(|member| unsigned.contains(&member.within)) {
            edits.retain(|(range, _)| range.end <= member.value.start || member.value.end <= range.start);
            edits.push((member.value.clone(), Vec::new()));
        }
        edits.sort_by_key(|(range, _)| range.start);
        Some(Redacted::new(replaced(json, &edits), findings))
    }

    /// Returns what stands for a text that goes as a whole.
    fn whole(&self, text: &str, stays: fn(&str) -> bool) -> String {
        let is_marker = marker::all(text.as_bytes(), |_| true).as_slice() == std::slice::from_ref(&(0..text.len()));
        match text.trim().is_empty() || is_marker || stays(text) {
            true => text.to_owned(),
            false => String::from_utf8_lossy(&self.marker(text.as_bytes())).into_owned(),
        }
    }

    fn member(&self, json: &[u8], member: &Member, is_plain: bool, edits: &mut Vec<(Range<usize>, Vec<u8>)>) {
        let strings = Strings::one(json, &member.value);
        let mut taken: Vec<Range<usize>> = Vec::new();
        for pattern in self.patterns {
            for (span, secret) in pattern.spans(&strings.text) {
                if taken.iter().any(|other| span.start < other.end && other.start < span.end) {
                    continue;
                }
                let parts = strings.raw(&span);
                let (Some((first, _)), Some((last, _))) = (parts.first(), parts.last()) else { continue };
                let is_renamed = matches!(pattern.0, What::Renamed(..));
                let new = if is_plain && !is_renamed { self.plain(secret) } else { pattern.instead(self, secret) };
                edits.push((first.start..last.end, new));
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
        for pattern in self.patterns.iter().filter(|pattern| !matches!(pattern.0, What::Whole(_))) {
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
        let all = [Pattern::whole(|_| false)];
        let whole = cut(&all, true, json).expect("cut");
        let read: serde_json::Value = serde_json::from_str(&whole).expect("JSON");
        assert_eq!((&read[0]["id"], &read[0]["name"]), (&"toolu_text".into(), &"text".into()));
        assert!(read[0]["input"]["redacted"].as_str().expect("text").starts_with("[[redacted:manual:"));
        assert_eq!(read[0]["input"].as_object().map(serde_json::Map::len), Some(1));
        assert_eq!(cut(&all, true, &whole), None);
    }

    #[test]
    fn what_changes_is_still_taken_by_providers() {
        let json = r#"[{"type":"thinking","signature":"c2ln","thinking":"about acmeword"},{"type":"thinking","thinking":"else","signature":"c2ln"},{"type":"tool_use","id":"a","name":"mcp__acmeword__x","input":{}}]"#;
        let found = cut(&[Pattern::words("acmeword")], true, json).expect("cut");
        let read: serde_json::Value = serde_json::from_str(&found).expect("JSON");
        assert_eq!((&read[0]["signature"], &read[1]["signature"]), (&"".into(), &"c2ln".into()));
        let name = read[2]["name"].as_str().expect("a name");
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)), "{name}");
        assert!(name.starts_with("mcp__redacted-manual-") && name.ends_with("__x"), "{name}");
        let names = [Pattern::renamed("object 0c4a", "object 77ff")];
        assert_eq!(
            cut(&names, true, r#"{"content":"object 0c4a]"}"#),
            Some(r#"{"content":"object 77ff]"}"#.to_owned())
        );
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
