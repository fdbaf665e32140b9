//! The lasting name of an entry.

use std::fmt;
use std::str::FromStr;

/// Crockford's base 32 in lower case: digits and letters without `i l o u`, in the order of their values.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Identifies an entry for ever: 50 bits, written as 10 characters of Crockford's base 32.
///
/// The id stays through edit, move, merge, rebase and cherry-pick, and is never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId([u8; 10]);

impl EntryId {
    /// Number of characters in an id.
    pub const LEN: usize = 10;

    /// Makes an id from the low 50 bits of `bits` (a random number, or a hash of the source's own id).
    pub fn from_bits(bits: u64) -> Self {
        let mut text = [0; Self::LEN];
        for (place, slot) in text.iter_mut().enumerate() {
            let shift = 5 * (Self::LEN - 1 - place);
            *slot = ALPHABET[(bits >> shift) as usize & 31];
        }
        EntryId(text)
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for EntryId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for EntryId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Says that a text is no entry id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an entry id: '{text}'")]
pub struct ParseEntryIdError {
    /// The text as given.
    pub text: String,
}

impl FromStr for EntryId {
    type Err = ParseEntryIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match <[u8; Self::LEN]>::try_from(text.as_bytes()) {
            Ok(raw) if raw.iter().all(|byte| ALPHABET.contains(byte)) => Ok(EntryId(raw)),
            _ => Err(ParseEntryIdError { text: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_keep_the_order_of_their_bits() {
        let ids: Vec<EntryId> = [0, 1, 31, 32, (1 << 50) - 1].map(EntryId::from_bits).to_vec();
        assert!(ids.is_sorted());
        for id in ids {
            assert_eq!(id.as_str().parse(), Ok(id));
        }
        assert!("0123456789a".parse::<EntryId>().is_err());
        assert!("ILOU000000".parse::<EntryId>().is_err());
    }
}
