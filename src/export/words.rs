//! Text as it stands in a body: as plain bytes, or inside a JSON string.

use std::borrow::Cow;
use std::io::{self, Write};

use serde_json::value::RawValue;

/// Holds a text without decoding it, so that it can go into another JSON string as it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Words<'a> {
    /// Plain bytes, usually UTF-8.
    Plain(&'a [u8]),
    /// What stands between the quotes of a JSON string, escapes included.
    Quoted(&'a str),
}

impl<'a> Words<'a> {
    /// Takes the text of a JSON string; `None` for any other value.
    pub(super) fn from_json(value: &'a RawValue) -> Option<Self> {
        let inner = value.get().strip_prefix('"')?.strip_suffix('"')?;
        Some(Words::Quoted(inner))
    }

    /// Decodes the text; what is not valid UTF-8 becomes U+FFFD, and a string with lone surrogates stays as written.
    pub(super) fn text(self) -> Cow<'a, str> {
        match self {
            Words::Plain(bytes) => String::from_utf8_lossy(bytes),
            Words::Quoted(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
            Words::Quoted(inner) => match serde_json::from_str(&format!("\"{inner}\"")) {
                Ok(text) => Cow::Owned(text),
                Err(_) => Cow::Borrowed(inner),
            },
        }
    }

    /// Tells whether there is nothing but white space.
    pub(super) fn is_blank(self) -> bool {
        // Nearly every text begins with a character that can be seen: no need to decode the rest.
        let first = match self {
            Words::Plain(bytes) => bytes.first(),
            Words::Quoted(inner) => inner.as_bytes().first(),
        };
        match first {
            Some(byte) if byte.is_ascii_graphic() && *byte != b'\\' => false,
            _ => self.text().trim().is_empty(),
        }
    }

    /// Tells whether writing the text as JSON keeps every byte.
    pub(super) fn is_exact(self) -> bool {
        match self {
            Words::Plain(bytes) => std::str::from_utf8(bytes).is_ok(),
            Words::Quoted(_) => true,
        }
    }

    /// Writes the text as the inside of a JSON string.
    pub(super) fn write_inner(self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Words::Plain(_) => write_escaped(&self.text(), out),
            Words::Quoted(inner) => out.write_all(inner.as_bytes()),
        }
    }

    /// Writes the text as a JSON string.
    pub(super) fn write_string(self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"\"")?;
        self.write_inner(out)?;
        out.write_all(b"\"")
    }

    /// Splits `data:<media type>;base64,<data>` into media type and data; `None` for any other text.
    pub(super) fn split_data_url(self) -> Option<(Words<'a>, Words<'a>)> {
        match self {
            Words::Quoted(inner) => {
                let (media, data) = inner.strip_prefix("data:")?.split_once(";base64,")?;
                Some((Words::Quoted(media), Words::Quoted(data)))
            }
            Words::Plain(_) => None,
        }
    }
}

/// Writes a text as the inside of a JSON string (RFC 8259, section 7), escaping no more than it must.
pub(super) fn write_escaped(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let bytes = text.as_bytes();
    let mut start = 0;
    for (place, byte) in bytes.iter().enumerate() {
        let short: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 => b"",
            _ => continue,
        };
        out.write_all(&bytes[start..place])?;
        start = place + 1;
        if short.is_empty() {
            write!(out, "\\u{byte:04x}")?;
        } else {
            out.write_all(short)?;
        }
    }
    out.write_all(&bytes[start..])
}

/// Writes a text as a JSON string.
pub(super) fn write_string(text: &str, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"\"")?;
    write_escaped(text, out)?;
    out.write_all(b"\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_comes_back_from_its_json_string(text in any::<String>()) {
            let mut out = Vec::new();
            Words::Plain(text.as_bytes()).write_string(&mut out).expect("a vector takes all");
            let read: String = serde_json::from_slice(&out).expect("JSON");
            prop_assert_eq!(&read, &text);
            let raw: &RawValue = serde_json::from_slice(&out).expect("JSON");
            prop_assert_eq!(Words::from_json(raw).expect("a string").text(), text.as_str());
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_marked_and_shown() {
        let words = Words::Plain(b"a\xffb");
        assert!(!words.is_exact());
        assert_eq!(words.text(), "a\u{fffd}b");
    }
}
