//! The strings of a JSON document, decoded into one text, with the way back to the bytes they came from.
//!
//! The document is read without recursion and never written anew: what is found in the text is replaced in the
//! original bytes, so order, white space and the spelling of numbers stay.

use std::ops::Range;

use super::assignment::{APART, STRING};

/// The decoded strings of a document.
///
/// A member reads `␟key␟: ␟value␟␞`, an element `␟value␟␞` (U+001F quotes, U+001E separates), so that rules see which key
/// a value belongs to and never read across two strings by accident.
#[derive(Debug, Default)]
pub(super) struct Strings {
    /// The text to be searched.
    pub text: Vec<u8>,
    pieces: Vec<Piece>,
    /// Where the strings are, if that is all that is wanted.
    members: Option<Vec<Member>>,
}

/// Where a string of a document is, inside its quotes.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The name of the member whose value it is.
    pub key: Option<Range<usize>>,
    /// The string.
    pub value: Range<usize>,
    /// Whether it is a member's name itself.
    pub is_key: bool,
    /// Where the object or list begins that it is in.
    pub within: usize,
}

/// Bytes of the text and the bytes of the document that spell them.
#[derive(Debug, Clone, Copy)]
struct Piece {
    text: usize,
    length: usize,
    raw: usize,
    raw_length: usize,
}

/// Keys whose values are ids or words of the protocol: searched for tokens of vendors, but their key is no reason to
/// take the value for a secret.
const IDS: [&[u8]; 8] = [b"id", b"media_type", b"model", b"type", b"role", b"version", b"timestamp", b"cwd"];

/// Keys whose values the provider made and must get back unchanged, or that hold files.
const OPAQUE: [&[u8]; 8] = [
    b"signature",
    b"data",
    b"encrypted_content",
    b"thoughtSignature",
    b"thought_signature",
    b"encrypted_reasoning",
    b"b64_json",
    b"redacted_thinking",
];

/// Least length of a value that is left whole because it is opaque, bytes.
const BLOB: usize = 64;

impl Strings {
    /// Reads a document, or several behind each other (JSON Lines); `None` when it is no JSON.
    pub(super) fn read(raw: &[u8]) -> Option<Self> {
        let mut strings = Self::default();
        strings.text.reserve(raw.len() + raw.len() / 16);
        Reader { raw, at: 0, open: Vec::new(), strings: &mut strings }.documents()?;
        Some(strings)
    }

    /// Finds all strings of a document, whatever they hold; `None` when it is no JSON.
    pub(super) fn members(raw: &[u8]) -> Option<Vec<Member>> {
        let mut strings = Self { members: Some(Vec::new()), ..Self::default() };
        Reader { raw, at: 0, open: Vec::new(), strings: &mut strings }.documents()?;
        strings.members
    }

    /// Decodes one string of a document.
    pub(super) fn one(raw: &[u8], value: &Range<usize>) -> Self {
        let mut strings = Self::default();
        strings.push_string(raw, value);
        strings
    }

    /// The bytes of the document that spell a span of the text, with the bytes of the text they spell; a span that
    /// covers several strings comes back in parts.
    pub(super) fn raw(&self, span: &Range<usize>) -> Vec<(Range<usize>, Range<usize>)> {
        let mut parts: Vec<(Range<usize>, Range<usize>)> = Vec::new();
        let first = self.pieces.partition_point(|piece| piece.text + piece.length <= span.start);
        for piece in self.pieces[first..].iter().take_while(|piece| piece.text < span.end) {
            let text = span.start.max(piece.text)..span.end.min(piece.text + piece.length);
            let raw = if piece.length == piece.raw_length {
                piece.raw + text.start - piece.text..piece.raw + text.end - piece.text
            } else {
                piece.raw..piece.raw + piece.raw_length
            };
            match parts.last_mut() {
                Some((last_raw, last_text)) if last_raw.end >= raw.start && last_text.end == text.start => {
                    last_raw.end = raw.end;
                    last_text.end = text.end;
                }
                _ => parts.push((raw, text)),
            }
        }
        parts
    }

    /// Adds bytes that are spelled by other bytes of the document.
    fn push(&mut self, text: &[u8], raw: Range<usize>) {
        if !text.is_empty() {
            self.pieces.push(Piece {
                text: self.text.len(),
                length: text.len(),
                raw: raw.start,
                raw_length: raw.len(),
            });
            self.text.extend_from_slice(text);
        }
    }

    /// Adds a decoded string. `raw` is the inside of the quotes.
    fn push_string(&mut self, document: &[u8], raw: &Range<usize>) {
        let mut at = raw.start;
        while let Some(slash) = memchr::memchr(b'\\', &document[at..raw.end]) {
            self.push(&document[at..at + slash], at..at + slash);
            at += slash;
            let (decoded, length) = escape(&document[at..raw.end]);
            let mut buffer = [0; 4];
            self.push(decoded.encode_utf8(&mut buffer).as_bytes(), at..at + length);
            at += length;
        }
        self.push(&document[at..raw.end], at..raw.end);
    }
}

/// Decodes the escape at the start; returns the character and the bytes read. The reader has seen that it is well
/// formed; half of a surrogate pair reads as U+FFFD.
fn escape(text: &[u8]) -> (char, usize) {
    match text.get(1) {
        Some(b'n') => ('\n', 2),
        Some(b't') => ('\t', 2),
        Some(b'r') => ('\r', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'u') => {
            let high = hex4(text).unwrap_or(0xfffd);
            if (0xd800..0xdc00).contains(&high)
                && let Some(low) = text.get(6..).and_then(hex4)
                && (0xdc00..0xe000).contains(&low)
            {
                let joined = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return (char::from_u32(joined).unwrap_or('\u{fffd}'), 12);
            }
            (char::from_u32(high).unwrap_or('\u{fffd}'), 6)
        }
        Some(other) => (char::from(*other), 2),
        None => ('\\', 1),
    }
}

/// Reads the digits of `\uXXXX`.
fn hex4(text: &[u8]) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = text else {
        return None;
    };
    digits.get(..4)?.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

/// Reads a document from front to back.
struct Reader<'a> {
    raw: &'a [u8],
    at: usize,
    /// Open brackets, innermost last: whether it is an object, and where it begins.
    open: Vec<(bool, usize)>,
    strings: &'a mut Strings,
}

impl Reader<'_> {
    fn documents(&mut self) -> Option<()> {
        self.blank();
        while self.at < self.raw.len() {
            self.document()?;
            self.blank();
        }
        Some(())
    }

    /// Reads one document.
    fn document(&mut self) -> Option<()> {
        let mut key: Option<Range<usize>> = None;
        loop {
            self.blank();
            match *self.raw.get(self.at)? {
                bracket @ (b'{' | b'[') => {
                    self.open.push((bracket == b'{', self.at));
                    self.at += 1;
                    self.blank();
                    let close = if bracket == b'{' { b'}' } else { b']' };
                    if self.raw.get(self.at) != Some(&close) {
                        key = self.key()?;
                        continue;
                    }
                }
                b'"' => {
                    let value = self.string()?;
                    self.value(key.as_ref(), &value);
                }
                _ => self.literal()?,
            }
            // A value has ended: close brackets until another follows.
            loop {
                if self.open.is_empty() {
                    return Some(());
                }
                self.blank();
                match (*self.raw.get(self.at)?, self.open.last()) {
                    (b',', _) => {
                        self.at += 1;
                        self.blank();
                        key = self.key()?;
                        break;
                    }
                    (b'}', Some((true, _))) | (b']', Some((false, _))) => {
                        self.at += 1;
                        self.open.pop();
                    }
                    _ => return None,
                }
            }
        }
    }

    fn within(&self) -> usize {
        self.open.last().map_or(0, |(_, start)| *start)
    }

    fn blank(&mut self) {
        while matches!(self.raw.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Reads a key and its colon inside an object; nothing inside an array.
    fn key(&mut self) -> Option<Option<Range<usize>>> {
        if !self.open.last().is_some_and(|(is_object, _)| *is_object) {
            return Some(None);
        }
        let within = self.within();
        let key = self.string()?;
        self.blank();
        (self.raw.get(self.at) == Some(&b':')).then_some(())?;
        self.at += 1;
        if let Some(members) = &mut self.strings.members {
            members.push(Member { key: None, value: key.clone(), is_key: true, within });
        }
        Some(Some(key))
    }

    /// Reads a string; returns the inside of its quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        (self.raw.get(self.at) == Some(&b'"')).then_some(())?;
        let start = self.at + 1;
        let mut at = start;
        loop {
            at += memchr::memchr2(b'"', b'\\', self.raw.get(at..)?)?;
            if self.raw[at] == b'"' {
                self.at = at + 1;
                return Some(start..at);
            }
            at += match self.raw.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                b'u' => hex4(&self.raw[at..]).map(|_| 6)?,
                _ => return None,
            };
        }
    }

    /// Reads a number or `true`, `false`, `null`.
    fn literal(&mut self) -> Option<()> {
        let length = self.raw[self.at..]
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
            .count();
        let word = &self.raw[self.at..self.at + length];
        self.at += length;
        let number = matches!(word.first(), Some(b'-' | b'0'..=b'9'))
            && word.iter().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
        (number || matches!(word, b"true" | b"false" | b"null")).then_some(())
    }

    /// Adds a value, with its key where the key tells something about it.
    fn value(&mut self, key: Option<&Range<usize>>, value: &Range<usize>) {
        let within = self.within();
        if let Some(members) = &mut self.strings.members {
            members.push(Member { key: key.cloned(), value: value.clone(), is_key: false, within });
            return;
        }
        let name = key.map_or(&b""[..], |key| &self.raw[key.clone()]);
        let bytes = &self.raw[value.clone()];
        let blob = bytes.len() >= BLOB && (OPAQUE.contains(&name) || is_data_url(bytes)) && is_base64(bytes);
        let id =
            IDS.contains(&name) || [&b"id"[..], b"Id", b"ID", b"Uuid", b"uuid"].iter().any(|end| name.ends_with(end));
        if let Some(key) = key {
            let quote = if id || blob { APART } else { STRING };
            self.strings.text.push(quote);
            self.strings.push_string(self.raw, key);
            self.strings.text.push(quote);
            if !(id || blob) {
                self.strings.text.extend_from_slice(b": ");
            }
        }
        if !blob {
            self.strings.text.push(STRING);
            self.strings.push_string(self.raw, value);
            self.strings.text.push(STRING);
        }
        self.strings.text.push(APART);
    }
}

/// Reports whether a value is a `data:` URL with base64 (RFC 2397).
fn is_data_url(value: &[u8]) -> bool {
    value.starts_with(b"data:") && memchr::memmem::find(&value[..value.len().min(128)], b";base64,").is_some()
}

/// Reports whether a value is base64 from end to end, behind the head of a `data:` URL if there is one.
fn is_base64(value: &[u8]) -> bool {
    let start = if is_data_url(value) { memchr::memchr(b',', value).map_or(0, |comma| comma + 1) } else { 0 };
    value[start..].iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_'))
}
