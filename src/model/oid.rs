//! Names of git objects, for both of git's hash functions.

use std::fmt;
use std::str::FromStr;

/// Names the hash function of a repository (`extensions.objectFormat`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashKind {
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
}

impl HashKind {
    /// Returns the length of an object id in bytes: 20 or 32.
    pub const fn id_len(self) -> usize {
        match self {
            HashKind::Sha1 => 20,
            HashKind::Sha256 => 32,
        }
    }
}

/// Holds the id of a git object: the hash of its type, size and content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectId {
    /// An id in a SHA-1 repository.
    Sha1([u8; 20]),
    /// An id in a SHA-256 repository.
    Sha256([u8; 32]),
}

impl ObjectId {
    /// Makes an id from its raw bytes; `None` unless there are 20 or 32 of them.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if let Ok(raw) = <[u8; 20]>::try_from(bytes) {
            Some(ObjectId::Sha1(raw))
        } else {
            <[u8; 32]>::try_from(bytes).ok().map(ObjectId::Sha256)
        }
    }

    /// Returns the id of no object: all zeroes.
    pub const fn null(kind: HashKind) -> Self {
        match kind {
            HashKind::Sha1 => ObjectId::Sha1([0; 20]),
            HashKind::Sha256 => ObjectId::Sha256([0; 32]),
        }
    }

    /// Returns the id of the tree without files.
    pub const fn empty_tree(kind: HashKind) -> Self {
        match kind {
            HashKind::Sha1 => ObjectId::Sha1([
                0x4b, 0x82, 0x5d, 0xc6, 0x42, 0xcb, 0x6e, 0xb9, 0xa0, 0x60, 0xe5, 0x4b, 0xf8, 0xd6, 0x92, 0x88, 0xfb,
                0xee, 0x49, 0x04,
            ]),
            HashKind::Sha256 => ObjectId::Sha256([
                0x6e, 0xf1, 0x9b, 0x41, 0x22, 0x5c, 0x53, 0x69, 0xf1, 0xc1, 0x04, 0xd4, 0x5d, 0x8d, 0x85, 0xef, 0xa9,
                0xb0, 0x57, 0xb5, 0x3b, 0x14, 0xb4, 0xb9, 0xb9, 0x39, 0xdd, 0x74, 0xde, 0xcc, 0x53, 0x21,
            ]),
        }
    }

    /// Returns the raw bytes, 20 or 32 of them.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            ObjectId::Sha1(raw) => raw,
            ObjectId::Sha256(raw) => raw,
        }
    }

    /// Returns the hash function that made this id.
    pub const fn kind(&self) -> HashKind {
        match self {
            ObjectId::Sha1(_) => HashKind::Sha1,
            ObjectId::Sha256(_) => HashKind::Sha256,
        }
    }

    /// Returns the first `digits` hexadecimal digits, as people read them.
    pub fn short(&self, digits: usize) -> String {
        let mut text = self.to_string();
        text.truncate(digits);
        text
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not byte by byte through the formatter: logs write many of these.
        let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
        let text: String = self.as_bytes().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        f.write_str(&text)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for ObjectId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ObjectId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Says that a text is no full object id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an object id: '{text}'")]
pub struct ParseObjectIdError {
    /// The text as given.
    pub text: String,
}

impl FromStr for ObjectId {
    type Err = ParseObjectIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseObjectIdError { text: text.to_owned() };
        let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
        if !matches!(text.len(), 40 | 64) {
            return Err(error());
        }
        let raw: Option<Vec<u8>> =
            text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect();
        raw.and_then(|raw| ObjectId::from_bytes(&raw)).ok_or_else(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_read_back_what_they_print() {
        for id in [ObjectId::Sha1([0xab; 20]), ObjectId::Sha256([0x0c; 32])] {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert!("abc".parse::<ObjectId>().is_err());
        assert!("g".repeat(40).parse::<ObjectId>().is_err());
    }
}
