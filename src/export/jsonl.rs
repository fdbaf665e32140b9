//! One JSON object per entry and line.
//!
//! Members in this order: `id`, `position`, `role`, `tokens`, `pin`, `kind` (`text`, `json`, or another ending), and
//! either `content` or `content_base64`. `content` is a string for text, and for `json` the body's own JSON, where
//! only white space between tokens is taken out. A body that is not what its kind says goes as base 64.

use std::io::{self, Write};

use serde_json::value::RawValue;

use super::json_source::write_minified;
use super::words::write_string;
use crate::model::{BodyKind, Item};

/// Writes one entry.
pub(super) fn write(item: &Item, out: &mut dyn Write) -> io::Result<()> {
    let entry = &item.entry;
    write!(out, "{{\"id\":\"{}\",\"position\":\"{}\",\"role\":", entry.id, entry.position)?;
    write_string(entry.role.name(), out)?;
    write!(out, ",\"tokens\":{},\"pin\":{},\"kind\":", entry.tokens, entry.flags.pin)?;
    write_string(kind_name(&entry.kind), out)?;
    let value: Option<&RawValue> = match entry.kind {
        BodyKind::Json => serde_json::from_slice(&item.body).ok(),
        _ => None,
    };
    match (&entry.kind, value, std::str::from_utf8(&item.body)) {
        (BodyKind::Json, Some(value), _) => {
            out.write_all(b",\"content\":")?;
            write_minified(value.get(), out)?;
        }
        (BodyKind::Json, None, _) | (_, _, Err(_)) => {
            out.write_all(b",\"content_base64\":\"")?;
            write_base64(&item.body, out)?;
            out.write_all(b"\"")?;
        }
        (_, _, Ok(text)) => {
            out.write_all(b",\"content\":")?;
            write_string(text, out)?;
        }
    }
    out.write_all(b"}\n")
}

fn kind_name(kind: &BodyKind) -> &str {
    match kind {
        BodyKind::Text => "text",
        BodyKind::Json => "json",
        BodyKind::Other(ending) => ending,
    }
}

/// Writes bytes in base 64 with padding (RFC 4648, section 4).
fn write_base64(bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0, |bits, (place, byte)| bits | u32::from(*byte) << (16 - 8 * place));
        let mut digits = [b'='; 4];
        for (place, digit) in digits.iter_mut().enumerate().take(group.len() + 1) {
            *digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
        }
        out.write_all(&digits)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_standard_s() {
        // The test vectors of RFC 4648, section 10, and all six bits.
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foobar", "Zm9vYmFy"),
            (b"\xff\xfe\xfb", "//77"),
        ] {
            let mut out = Vec::new();
            write_base64(bytes, &mut out).expect("a vector takes all");
            assert_eq!(out, text.as_bytes());
        }
    }
}
