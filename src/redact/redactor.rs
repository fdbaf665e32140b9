//! The redactor: text in, text without secrets out.

use std::borrow::Cow;
use std::ops::Range;

use super::allow::{Candidate, commented_lines};
use super::config::Config;
use super::engine::Engine;
use super::home::{self, Homes};
use super::json::Strings;
use super::marker::{self, Key};
use super::pattern::{Cutter, MANUAL, Pattern};
use super::redacted::{Finding, Redacted};
use super::span::{Span, cut_out, join};

/// Finds secrets and puts markers in their place.
///
/// A redactor is cheap to make: the automaton of the built-in rules is built once in a process, by the first text, and
/// a pattern when its word is first seen.
#[derive(Debug)]
pub struct Redactor(Option<Active>);

/// What a redactor does besides applying the built-in rules.
#[derive(Debug, Default)]
pub struct Options {
    /// Home directories and user names whose paths are written `~/…`; `None` leaves paths alone.
    pub home: Option<Vec<String>>,
    /// The repository's own rules.
    pub config: Option<Config>,
}

/// A redactor that is on.
#[derive(Debug)]
struct Active {
    key: Key,
    homes: Option<Homes>,
    config: Config,
}

/// A replacement in the input.
struct Edit {
    range: Range<usize>,
    /// The secret, decoded.
    secret: Vec<u8>,
    rule: usize,
}

/// Number of the pseudo rule for home directories; own rules are counted from [`OWN`].
const HOME: usize = usize::MAX;

/// Number of the first own rule.
const OWN: usize = 1 << 32;

/// Most passes over one text. The second finds what the first one's markers laid bare; a third is hardly ever needed.
const PASSES: usize = 8;

impl Redactor {
    /// Makes a redactor with the key of a repository.
    #[must_use]
    pub fn new(key: Key, options: Options) -> Self {
        let homes = options.home.as_deref().and_then(Homes::new);
        Self(Some(Active { key, homes, config: options.config.unwrap_or_default() }))
    }

    /// Makes a redactor that changes nothing, for users who set `trace.redact=off`.
    #[must_use]
    pub const fn off() -> Self {
        Self(None)
    }

    /// Redacts text; bytes that are no UTF-8 are searched as bytes. A `Vec` without secrets comes back uncopied.
    pub fn text<'a>(&self, text: impl Into<Cow<'a, [u8]>>) -> Redacted<Vec<u8>> {
        self.apply(text.into(), |active, text| active.in_text(text, None))
    }

    /// Redacts the text of a file, so that rules and allow lists of the repository that name paths apply.
    ///
    /// A line of a file may carry the comment `gitleaks:allow`, and is then left alone. Only here: what is in a file
    /// was committed by somebody who answers for it, while every other text may quote a stranger, who could switch
    /// redaction off with it. [`scan`](Self::scan) knows no path and reports such lines, for a person to decide.
    pub fn file<'a>(&self, path: &str, text: impl Into<Cow<'a, [u8]>>) -> Redacted<Vec<u8>> {
        self.apply(text.into(), |active, text| active.in_text(text, Some(path)))
    }

    /// Redacts the strings of a JSON document or of JSON Lines; every other byte stays. What is no JSON is redacted
    /// as text. A `Vec` without secrets comes back uncopied.
    pub fn json<'a>(&self, json: impl Into<Cow<'a, [u8]>>) -> Redacted<Vec<u8>> {
        self.apply(json.into(), Active::in_json)
    }

    /// Redacts a line, such as a commit's subject or a trailer.
    pub fn line(&self, line: &str) -> Redacted<String> {
        let redacted = self.text(line.as_bytes());
        let findings = redacted.findings().to_vec();
        let text = String::from_utf8(redacted.into_inner())
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Redacted::new(text, findings)
    }

    /// Finds secrets in stored bytes without replacing them: the second look before a push. What starts like JSON is
    /// read as JSON. Home directories are no secrets.
    pub fn scan(&self, bytes: &[u8]) -> Vec<Finding> {
        let Some(active) = &self.0 else {
            return Vec::new();
        };
        let is_json = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[' | b'"'));
        let edits = if is_json { active.in_json(bytes) } else { active.in_text(bytes, None) };
        edits.iter().filter(|edit| edit.rule != HOME).map(|edit| active.finding(edit)).collect()
    }

    /// Takes out what a person asks for, under this repository's key; `None` if the redactor is off.
    pub fn cutter<'a>(&'a self, patterns: &'a [Pattern]) -> Option<Cutter<'a>> {
        self.0.as_ref().map(|active| Cutter { key: &active.key, patterns })
    }

    /// Replaces what `find` finds, until it finds nothing more.
    fn apply(&self, input: Cow<'_, [u8]>, find: impl Fn(&Active, &[u8]) -> Vec<Edit>) -> Redacted<Vec<u8>> {
        let Some(active) = &self.0 else {
            return Redacted::new(input.into_owned(), Vec::new());
        };
        let mut edits = find(active, &input);
        if edits.is_empty() {
            return Redacted::new(input.into_owned(), Vec::new());
        }
        let mut output = Vec::new();
        for _ in 0..PASSES {
            let kept;
            (output, kept) = active.write(&input, &edits);
            let more = find(active, &output);
            if more.is_empty() {
                break;
            }
            edits = merge(&input, edits, more, &kept);
        }
        let findings = edits.iter().filter(|edit| edit.rule != HOME).map(|edit| active.finding(edit)).collect();
        Redacted::new(output, findings)
    }
}

impl Active {
    /// Finds what is to be replaced in text.
    fn in_text(&self, text: &[u8], path: Option<&str>) -> Vec<Edit> {
        let spans = self.spans(text, path);
        spans
            .into_iter()
            .map(|s| Edit { secret: text[s.range.clone()].to_vec(), range: s.range, rule: s.rule })
            .collect()
    }

    /// Finds what is to be replaced in JSON.
    fn in_json(&self, json: &[u8]) -> Vec<Edit> {
        let Some(strings) = Strings::read(json) else {
            return self.in_text(json, None);
        };
        let mut edits: Vec<Edit> = Vec::new();
        for span in self.spans(&strings.text, None) {
            for (range, text) in strings.raw(&span.range) {
                edits.push(Edit { range, secret: strings.text[text].to_vec(), rule: span.rule });
            }
        }
        edits
    }

    /// Finds spans in order, without overlaps, off every marker.
    fn spans(&self, text: &[u8], path: Option<&str>) -> Vec<Span> {
        let engine = Engine::get();
        let mut spans = Vec::new();
        for hit in engine.find(text) {
            let name = engine.name(hit.rule);
            let off = self.config.disabled.contains(name) || self.config.rules.iter().any(|own| own.id == name);
            let candidate = Candidate { text, secret: hit.range.clone(), whole: hit.range.clone(), path };
            if !off && !self.permits(name, &candidate) {
                spans.push(Span { range: hit.range, rule: hit.rule });
            }
        }
        self.own_spans(text, path, &mut spans);
        // In a transcript anyone could write the comment: a web page that a tool fetched, or a model that was told to.
        if path.is_some() && !spans.is_empty() {
            let lines = commented_lines(text);
            spans.retain(|span| {
                let next = lines.partition_point(|line| line.end <= span.range.start);
                lines.get(next).is_none_or(|line| line.start >= span.range.end)
            });
        }
        let mut spans = join(spans);
        if let Some(homes) = &self.homes {
            let free = |home: &Range<usize>| {
                let next = spans.partition_point(|span| span.range.end <= home.start);
                spans.get(next).is_none_or(|span| span.range.start >= home.end)
            };
            let homes: Vec<Span> =
                homes.find(text).into_iter().filter(free).map(|range| Span { range, rule: HOME }).collect();
            spans.extend(homes);
            spans = join(spans);
        }
        if spans.is_empty() {
            return spans;
        }
        cut_out(
            spans,
            &marker::all(text, |rule| {
                engine.has(rule) || rule == MANUAL || self.config.rules.iter().any(|own| own.id == rule)
            }),
        )
    }

    /// Adds what the repository's own rules find.
    fn own_spans(&self, text: &[u8], path: Option<&str>, spans: &mut Vec<Span>) {
        if self.config.rules.is_empty() {
            return;
        }
        let lower = text.to_ascii_lowercase();
        for (number, rule) in self.config.rules.iter().enumerate() {
            if self.config.disabled.contains(&rule.id) {
                continue;
            }
            for hit in rule.find(text, &lower, path) {
                let candidate = Candidate { text, secret: hit.secret.clone(), whole: hit.whole, path };
                if !self.permits(&rule.id, &candidate) {
                    spans.push(Span { range: hit.secret, rule: OWN + number });
                }
            }
        }
    }

    /// Reports whether an allow list declares the finding harmless.
    fn permits(&self, rule: &str, candidate: &Candidate<'_>) -> bool {
        let own = self.config.allow_for.get(rule).into_iter().flatten();
        self.config.allow.iter().chain(own).any(|list| list.permits(candidate))
    }

    /// Writes the output; returns it with the pieces that were kept: where in the output, where in the input.
    fn write(&self, input: &[u8], edits: &[Edit]) -> (Vec<u8>, Vec<(usize, Range<usize>)>) {
        let mut output = Vec::with_capacity(input.len() + edits.len() * 16);
        let mut kept = Vec::with_capacity(edits.len() + 1);
        let mut at = 0;
        for edit in edits {
            kept.push((output.len(), at..edit.range.start));
            output.extend_from_slice(&input[at..edit.range.start]);
            match edit.rule {
                HOME => output.extend_from_slice(home::MARK),
                _ => marker::write(&mut output, &self.key, self.name(edit.rule), &edit.secret),
            }
            at = edit.range.end;
        }
        kept.push((output.len(), at..input.len()));
        output.extend_from_slice(&input[at..]);
        (output, kept)
    }

    fn name(&self, rule: usize) -> &str {
        if rule >= OWN { &self.config.rules[rule - OWN].id } else { Engine::get().name(rule) }
    }

    fn finding(&self, edit: &Edit) -> Finding {
        let rule = if edit.rule >= OWN {
            Cow::Owned(self.name(edit.rule).to_owned())
        } else {
            Cow::Borrowed(Engine::get().name(edit.rule))
        };
        Finding { rule, start: edit.range.start, end: edit.range.end }
    }
}

/// Takes edits of the output back to the input and joins them with those that made the output.
fn merge(input: &[u8], edits: Vec<Edit>, more: Vec<Edit>, kept: &[(usize, Range<usize>)]) -> Vec<Edit> {
    // A position inside a replacement belongs to the input's next kept byte.
    let back = |position: usize, end: bool| {
        let piece = kept.partition_point(|(start, _)| if end { *start < position } else { *start <= position });
        let (start, range) = &kept[piece.saturating_sub(1)];
        let offset = position.saturating_sub(*start);
        if offset <= range.len() {
            range.start + offset
        } else {
            kept.get(piece).map_or(range.end, |(_, next)| next.start)
        }
    };
    let mut all = edits;
    for edit in more {
        let range = back(edit.range.start, false)..back(edit.range.end, true);
        if range.start < range.end {
            all.push(Edit { range, ..edit });
        }
    }
    all.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut joined: Vec<Edit> = Vec::with_capacity(all.len());
    for edit in all {
        match joined.last_mut() {
            Some(last) if edit.range.start < last.range.end => {
                last.range.end = last.range.end.max(edit.range.end);
                last.rule = last.rule.min(edit.rule);
                last.secret = input[last.range.clone()].to_vec();
            }
            _ => joined.push(edit),
        }
    }
    joined
}
