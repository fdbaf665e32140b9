//! JSON values as the text they were written in, read without building a tree.

use serde::Deserialize;
use serde::de::{Deserializer as _, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The source text of one valid JSON value, without surrounding white space.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a>(&'a str);

/// What a value is, by its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Array,
    Object,
    Null,
    /// A number, `true` or `false`.
    Scalar,
}

impl<'a> Source<'a> {
    /// Reads one JSON value of any depth; `None` when the bytes are anything else.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        serde_json::from_slice::<&RawValue>(bytes).ok().map(|raw| Source(raw.get()))
    }

    pub(super) fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'"') => Kind::Text,
            Some(b'[') => Kind::Array,
            Some(b'{') => Kind::Object,
            Some(b'n') => Kind::Null,
            _ => Kind::Scalar,
        }
    }

    /// Returns the string this is, if it is one. A surrogate without its half becomes U+FFFD.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        // Read as bytes, serde_json passes lone surrogates through, each as ED and two continuation bytes.
        let Bytes(decoded) = serde_json::from_str(self.0).ok()?;
        Some(Cow::Owned(String::from_utf8(decoded).unwrap_or_else(|error| without_surrogates(error.as_bytes()))))
    }

    /// Returns the first bytes of the string this is, at most `limit`, undecoded; enough for base64.
    pub(super) fn text_prefix(self, limit: usize) -> &'a [u8] {
        let inner = self.0.as_bytes().strip_prefix(b"\"").unwrap_or_default();
        let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
        inner.get(..limit).unwrap_or(inner)
    }

    /// Returns the source without the white space between its parts. Nothing else changes: order, numbers, escapes.
    pub(super) fn compact(self) -> Cow<'a, str> {
        let (mut inside, mut escaped) = (false, false);
        let mut keep = move |character: char| {
            if inside {
                inside = escaped || character != '"';
                escaped = !escaped && character == '\\';
                return true;
            }
            inside = character == '"';
            !character.is_ascii_whitespace()
        };
        // The closure is copied: the first pass only looks whether anything has to go.
        let mut probe = keep;
        if self.0.chars().all(&mut probe) {
            return Cow::Borrowed(self.0);
        }
        Cow::Owned(self.0.chars().filter(|character| keep(*character)).collect())
    }

    /// Calls `each` with every element of the array this is, in order.
    pub(super) fn for_each(self, each: impl FnMut(Source<'a>)) {
        let mut json = serde_json::Deserializer::from_str(self.0);
        // The source is known to be valid, so an error could only mean "not an array": nothing to visit.
        let _ = json.deserialize_seq(Elements(each));
    }

    /// Calls `each` with the name and the value of every member of the object this is, in order.
    pub(super) fn for_each_member(self, each: impl FnMut(&[u8], Source<'a>)) {
        let mut json = serde_json::Deserializer::from_str(self.0);
        // As above: nothing to visit when this is not an object.
        let _ = json.deserialize_map(Members(each));
    }
}

fn without_surrogates(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if chunk.invalid().first() == Some(&0xED) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

/// A JSON string decoded to bytes, so that lone surrogates are no error.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
                Ok(Bytes(text.as_bytes().to_vec()))
            }
        }
        json.deserialize_bytes(Any)
    }
}

struct Elements<F>(F);

impl<'de, F: FnMut(Source<'de>)> Visitor<'de> for Elements<F> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        while let Some(element) = array.next_element::<&RawValue>()? {
            (self.0)(Source(element.get()));
        }
        Ok(())
    }
}

struct Members<F>(F);

impl<'de, F: FnMut(&[u8], Source<'de>)> Visitor<'de> for Members<F> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<(), A::Error> {
        while let Some(Bytes(name)) = object.next_key()? {
            let value: &RawValue = object.next_value()?;
            (self.0)(&name, Source(value.get()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(json: &str) -> Source<'_> {
        Source::read(json.as_bytes()).expect("valid JSON")
    }

    #[test]
    fn a_lone_surrogate_becomes_one_replacement_character() {
        assert_eq!(source(r#""a\ud83dz""#).text().as_deref(), Some("a\u{fffd}z"));
        assert_eq!(source(r#""\udc00\ud800""#).text().as_deref(), Some("\u{fffd}\u{fffd}"));
        assert_eq!(source(r#""\ud83d\ude00\n""#).text().as_deref(), Some("😀\n"));
    }

    #[test]
    fn compacting_touches_only_space_outside_strings() {
        let json = "{ \"a b\" : [ 1.0 ,\n \"x \\\" y\\\\\" , { } ] }";
        assert_eq!(source(json).compact(), r#"{"a b":[1.0,"x \" y\\",{}]}"#);
        assert!(matches!(source("[1,\" \"]").compact(), Cow::Borrowed(_)));
    }

    #[test]
    fn members_with_unreadable_names_do_not_hide_the_others() {
        let mut names = Vec::new();
        source(r#"{"\ud800":1,"text":2}"#).for_each_member(|name, _| names.push(name.len()));
        assert_eq!(names.len(), 2);
        assert_eq!(names[1], 4);
    }
}
