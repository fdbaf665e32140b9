//! JSON of somebody else's, read within limits; what is written twice is told.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::Fault;
use super::fault::{FAULTS_MAX, below};

/// The largest document that is read, in bytes: 4 MiB.
pub const DOCUMENT_MAX: u64 = 4 << 20;
/// How deep objects and arrays may lie in each other.
const DEPTH_MAX: usize = 64;
/// Most values in a document.
const VALUES_MAX: usize = 500_000;
/// What some editors put before a text.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Says why a document cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is too large.
    #[error("has {size} bytes, more than {DOCUMENT_MAX}")]
    TooLarge {
        /// Its size.
        size: u64,
    },
    /// It is no JSON, or nested too deep, or has too many values.
    #[error("is not JSON: {reason}")]
    Syntax {
        /// What the parser says, with line and column.
        reason: String,
    },
}

/// Reads a document. Of members that are written twice the last counts, as everywhere, and the pointer of each is told;
/// a byte order mark is told too.
///
/// # Errors
/// When it is too large, no JSON, or goes beyond a limit.
pub(super) fn read(bytes: &[u8]) -> Result<(Value, Vec<Fault>), JsonError> {
    if bytes.len() as u64 > DOCUMENT_MAX {
        return Err(JsonError::TooLarge { size: bytes.len() as u64 });
    }
    let seen = RefCell::new(Seen { values: 0, path: Vec::new(), faults: Vec::new() });
    let text = bytes.strip_prefix(MARK).unwrap_or(bytes);
    if text.len() < bytes.len() {
        seen.borrow_mut().faults.push(Fault::warning("", "begins with a byte order mark"));
    }
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Part { seen: &seen }.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    let value = value.map_err(|error| JsonError::Syntax { reason: error.to_string() })?;
    Ok((value, seen.into_inner().faults))
}

/// Holds what is known of the document while it is read.
struct Seen<'de> {
    values: usize,
    path: Vec<Step<'de>>,
    faults: Vec<Fault>,
}

/// Is a member or an element on the way to the value that is read.
enum Step<'de> {
    Member(Cow<'de, str>),
    Element(usize),
}

/// Is the name of a member; it lies in the document itself, unless something in it is escaped.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl Seen<'_> {
    fn pointer(&self) -> String {
        self.path.iter().fold(String::new(), |pointer, step| match step {
            Step::Member(name) => below(&pointer, name),
            Step::Element(at) => below(&pointer, at),
        })
    }
}

/// Reads one value.
#[derive(Clone, Copy)]
struct Part<'a, 'de> {
    seen: &'a RefCell<Seen<'de>>,
}

impl<'de> Part<'_, 'de> {
    fn enter<E: serde::de::Error>(self, step: Step<'de>) -> Result<(), E> {
        let mut seen = self.seen.borrow_mut();
        seen.path.push(step);
        seen.values += 1;
        if seen.path.len() > DEPTH_MAX {
            return Err(E::custom(format_args!("nested more than {DEPTH_MAX} deep")));
        }
        if seen.values > VALUES_MAX {
            return Err(E::custom(format_args!("more than {VALUES_MAX} values")));
        }
        Ok(())
    }

    fn leave(self) {
        self.seen.borrow_mut().path.pop();
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_, 'de> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_, 'de> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        loop {
            self.enter::<A::Error>(Step::Element(array.len()))?;
            let next = elements.next_element_seed(self)?;
            self.leave();
            match next {
                Some(value) => array.push(value),
                None => return Ok(Value::Array(array)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(Key(name)) = members.next_key()? {
            let owned = name.clone().into_owned();
            self.enter::<A::Error>(Step::Member(name))?;
            let value = members.next_value_seed(self)?;
            if object.insert(owned, value).is_some() {
                let mut seen = self.seen.borrow_mut();
                if seen.faults.len() < FAULTS_MAX {
                    let pointer = seen.pointer();
                    seen.faults.push(Fault::warning(pointer, "is written more than once; the last one counts"));
                }
            }
            self.leave();
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_twice_is_told_with_its_place() {
        let text = br#"{"a/b": [{"x": 1, "x": {"y": 2, "y": 3}}], "a~": 1, "a~": 2}"#;
        let (value, faults) = read(text).expect("JSON");
        assert_eq!(value, serde_json::json!({"a/b": [{"x": {"y": 3}}], "a~": 2}));
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a~1b/0/x/y", "/a~1b/0/x", "/a~0"]);
    }

    #[test]
    fn a_mark_before_the_text_is_told() {
        let (value, faults) = read(b"\xef\xbb\xbf{}").expect("JSON");
        assert_eq!((value, faults.len()), (serde_json::json!({}), 1));
    }

    #[test]
    fn what_goes_beyond_a_limit_is_refused() {
        for bad in ["", "{", "{/*c*/}", "{} x", "nul", "\"\\ud800\"", "[1,]"] {
            assert!(matches!(read(bad.as_bytes()), Err(JsonError::Syntax { .. })), "{bad}");
        }
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(deep(60).as_bytes()).is_ok());
        for depth in [66, 100, 100_000] {
            assert!(read(deep(depth).as_bytes()).is_err(), "{depth}");
        }
        let objects = "{\"a\":".repeat(100_000);
        assert!(read(objects.as_bytes()).is_err());
        let many = format!("[{}0]", "0,".repeat(VALUES_MAX));
        assert!(read(many.as_bytes()).is_err());
        let large = vec![b' '; DOCUMENT_MAX as usize + 1];
        assert_eq!(read(&large), Err(JsonError::TooLarge { size: DOCUMENT_MAX + 1 }));
        let twice = format!("{{{}\"a\":0}}", "\"a\":0,".repeat(1000));
        assert_eq!(read(twice.as_bytes()).expect("JSON").1.len(), FAULTS_MAX);
        // A long name is told of in short, however often something lies below it.
        let long = format!("{{\"{}\":{{{}\"a\":0}}}}", "k".repeat(1 << 20), "\"a\":0,".repeat(100_000));
        let begun = std::time::Instant::now();
        let told: usize = read(long.as_bytes()).expect("JSON").1.iter().map(|fault| fault.pointer.len()).sum();
        assert!(told < FAULTS_MAX * 300, "{told}");
        assert!(begun.elapsed() < std::time::Duration::from_secs(20));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let ours = read(&bytes).map(|(value, _)| value).ok();
            let text = bytes.strip_prefix(MARK).unwrap_or(&bytes);
            prop_assert_eq!(ours, serde_json::from_slice::<Value>(text).ok());
        }

        #[test]
        fn what_is_json_is_read_as_everybody_reads_it(text in "[\\[\\]{}:,\"a0-9.e \\\\u-]{0,40}") {
            let ours = read(text.as_bytes()).map(|(value, _)| value).ok();
            prop_assert_eq!(ours, serde_json::from_str::<Value>(&text).ok());
        }
    }
}
