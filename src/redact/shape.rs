//! Shapes of secret values that need no pattern: an alphabet and a length.

use super::randomness::is_mixed_hex;

/// An alphabet and a range of lengths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Literal that the value starts with; its bytes count for the length.
    pub start: &'static str,
    /// Alphabet of the value.
    pub set: Set,
    /// Least length, bytes.
    pub min: usize,
    /// Greatest length, bytes.
    pub max: usize,
}

/// Alphabets of secret values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    /// `0-9a-f` or `0-9A-F`, not both cases in one value.
    Hex,
    /// `0-9`
    Digits,
    /// `0-9a-zA-Z`, with at least one digit and one letter.
    Alnum,
    /// `0-9a-zA-Z_-`, with at least one digit and one letter.
    Word,
    /// `0-9a-zA-Z_=-`, with at least one digit and one letter.
    WordEq,
    /// `0-9a-zA-Z/+_=-`, with at least one digit and one letter.
    Base64,
    /// `8-4-4-4-12` hexadecimal digits.
    Uuid,
}

/// Makes a shape of an alphabet and a range of lengths in bytes.
pub(super) const fn of(set: Set, min: usize, max: usize) -> Shape {
    Shape { start: "", set, min, max }
}

/// Makes a shape that starts with a literal.
pub(super) const fn starting(start: &'static str, set: Set, min: usize, max: usize) -> Shape {
    Shape { start, set, min, max }
}

/// The shape of a UUID.
pub(super) const UUID: Shape = of(Set::Uuid, 36, 36);

impl Shape {
    /// Reports whether the whole value has this shape.
    pub(super) fn fits(&self, value: &[u8]) -> bool {
        if value.len() < self.min || value.len() > self.max || !value.starts_with(self.start.as_bytes()) {
            return false;
        }
        match self.set {
            Set::Hex => value.iter().all(u8::is_ascii_hexdigit) && !is_mixed_hex(value),
            Set::Digits => value.iter().all(u8::is_ascii_digit),
            Set::Alnum => mixed(value, b""),
            Set::Word => mixed(value, b"_-"),
            Set::WordEq => mixed(value, b"_-="),
            Set::Base64 => mixed(value, b"/+_-="),
            Set::Uuid => is_uuid(value),
        }
    }
}

/// Letters, digits and `more`, with at least one letter and one digit.
fn mixed(value: &[u8], more: &[u8]) -> bool {
    value.iter().all(|b| b.is_ascii_alphanumeric() || more.contains(b))
        && value.iter().any(u8::is_ascii_digit)
        && value.iter().any(u8::is_ascii_alphabetic)
}

/// Reports whether the value is spelled as a UUID.
pub(super) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
