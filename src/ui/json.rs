//! Documents for programs.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::escape::is_hidden;
use super::{OutputError, Ui};

/// Says how a document is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JsonStyle {
    /// On one line.
    #[default]
    Compact,
    /// Indented.
    Pretty,
}

impl JsonStyle {
    /// Reads `compact` or `pretty`, as in `--json=pretty`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "compact" | "" => Some(JsonStyle::Compact),
            "pretty" => Some(JsonStyle::Pretty),
            _ => None,
        }
    }
}

/// Holds a document: what it is, then its body.
///
/// The first field is `"format": "git-trace/<command>/<version>"`; the fields of the body follow beside it, so the body
/// must be a struct or a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JsonDocument<T> {
    format: String,
    #[serde(flatten)]
    body: T,
}

impl<T: Serialize> JsonDocument<T> {
    /// Makes the document of a command, such as `log` or `workflow-list`.
    pub fn new(command: &str, version: u32, body: T) -> Self {
        JsonDocument { format: format!("git-trace/{command}/{version}"), body }
    }

    /// Returns what the document is.
    pub fn format(&self) -> &str {
        &self.format
    }

    /// Returns the document on one line, without a line feed.
    ///
    /// # Errors
    /// When the body is neither struct nor map, or cannot be serialised.
    pub fn to_text(&self) -> Result<String, OutputError> {
        let mut bytes = Vec::new();
        self.write(&mut bytes, JsonStyle::Compact)?;
        // The serialiser writes text; the replacement never happens.
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes the document.
    ///
    /// # Errors
    /// As [`to_text`](Self::to_text), and when the sink refuses.
    pub(super) fn write(&self, sink: &mut impl io::Write, style: JsonStyle) -> Result<(), OutputError> {
        let written = match style {
            JsonStyle::Compact => self.serialize(&mut Serializer::with_formatter(sink, Shown(CompactFormatter))),
            JsonStyle::Pretty => self.serialize(&mut Serializer::with_formatter(sink, Shown(PrettyFormatter::new()))),
        };
        written.map_err(|error| match error.io_error_kind() {
            Some(_) => OutputError::of_io(error.into()),
            None => OutputError::Document { format: self.format.clone(), source: error },
        })
    }
}

/// Writes to the answer as the serialiser goes, so that no document has to fit into memory.
pub(super) struct AnswerSink<'a>(pub(super) &'a Ui);

impl io::Write for AnswerSink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_answer(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lays out as the inner formatter does, and writes characters that act on a terminal or hide as `\u202e`.
///
/// JSON lets them stand as they are (RFC 8259, section 7), but a document is also read on a terminal. The text that a
/// parser gets is the same.
struct Shown<F>(F);

/// Hands the layout to the inner formatter.
macro_rules! as_inner {
    ($($name:ident($($argument:ident: $type:ty)?);)*) => {
        $(
            fn $name<W: ?Sized + io::Write>(&mut self, writer: &mut W $(, $argument: $type)?) -> io::Result<()> {
                self.0.$name(writer $(, $argument)?)
            }
        )*
    };
}

impl<F: Formatter> Formatter for Shown<F> {
    as_inner! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        write_shown(writer, fragment)
    }

    /// Raw values are stored JSON: outside their strings stands nothing but ASCII, and line feeds are mere layout,
    /// which would break a document of one line.
    fn write_raw_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.contains(['\n', '\r', '\t']) {
            return write_shown(writer, &fragment.replace(['\n', '\r', '\t'], " "));
        }
        write_shown(writer, fragment)
    }
}

fn write_shown<W: ?Sized + io::Write>(writer: &mut W, text: &str) -> io::Result<()> {
    let mut from = 0;
    for (at, character) in text.char_indices().filter(|(_, character)| is_hidden(*character)) {
        writer.write_all(&text.as_bytes()[from..at])?;
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(writer, "\\u{unit:04x}")?;
        }
        from = at + character.len_utf8();
    }
    writer.write_all(&text.as_bytes()[from..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Serialize)]
    struct Body<'a> {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        raw: Option<&'a RawValue>,
    }

    #[test]
    fn a_document_says_first_what_it_is() {
        let document = JsonDocument::new("log", 1, Body { text: "a\u{202e}\u{e0041}\u{7f}", raw: None });
        let expected = r#"{"format":"git-trace/log/1","text":"a\u202e\udb40\udc41\u007f"}"#;
        assert_eq!(document.to_text().expect("a struct"), expected);
        let mut pretty = Vec::new();
        document.write(&mut pretty, JsonStyle::Pretty).expect("a struct");
        assert!(pretty.starts_with(b"{\n  \"format\": \"git-trace/log/1\",\n"));
    }

    #[test]
    fn stored_json_stays_on_its_line() {
        let raw: Box<RawValue> = serde_json::from_str("{\"a\":\r\n\t\"\u{202e}\"}").expect("JSON");
        let document = JsonDocument::new("show", 1, Body { text: "", raw: Some(&raw) });
        let text = document.to_text().expect("a struct");
        assert!(text.ends_with(r#""raw":{"a":   "\u202e"}}"#), "{text}");
    }

    #[test]
    fn a_body_that_is_no_struct_is_refused() {
        let refused = JsonDocument::new("log", 1, vec![1]).to_text();
        assert!(matches!(refused, Err(OutputError::Document { format, .. }) if format == "git-trace/log/1"));
    }

    proptest! {
        #[test]
        fn a_parser_gets_the_same_text_and_a_terminal_nothing_hidden(text: String, odd in "[\\x00-\\u{2100}]*") {
            for text in [text, odd] {
                let written = JsonDocument::new("x", 1, Body { text: &text, raw: None }).to_text();
                let written = written.expect("a struct");
                prop_assert!(!written.chars().any(|character| is_hidden(character) || character == '\n'));
                let read: Value = serde_json::from_str(&written).expect("JSON");
                prop_assert_eq!(read, json!({ "format": "git-trace/x/1", "text": text }));
            }
        }
    }
}
