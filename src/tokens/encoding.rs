//! The two public vocabularies, and counting with them.

use super::vocabulary::{CL100K, NO_RANK, O200K, Vocabulary};
use super::{merge, scanner};
use std::fmt;
use std::str::FromStr;

/// A tokenizer that is public and that this crate counts exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Encoding {
    /// `o200k_base`: GPT-4o, GPT-4.1, GPT-5, the o-series; `gpt-oss` shares its ranks.
    O200kBase,
    /// `cl100k_base`: GPT-4 and GPT-3.5.
    Cl100kBase,
}

impl Encoding {
    /// Counts the tokens of `text`; special tokens such as `<|endoftext|>` count as the ordinary text they are.
    ///
    /// Exact, except for one unbroken word or run above 4 MiB, which is counted in windows of 4 MiB.
    pub fn count(self, text: &str) -> u64 {
        match self {
            Encoding::O200kBase => count(&O200K, text.as_bytes(), scanner::end_of_o200k),
            Encoding::Cl100kBase => count(&CL100K, text.as_bytes(), scanner::end_of_cl100k),
        }
    }

    /// Counts the tokens of bytes; what is not UTF-8 counts as U+FFFD, as [`String::from_utf8_lossy`] decodes it.
    ///
    /// Valid input is not copied.
    pub fn count_bytes(self, bytes: &[u8]) -> u64 {
        self.count(&String::from_utf8_lossy(bytes))
    }

    /// Returns the name by which OpenAI's own tools know it.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::O200kBase => "o200k_base",
            Encoding::Cl100kBase => "cl100k_base",
        }
    }
}

#[inline(always)]
fn count(vocabulary: &Vocabulary, text: &[u8], end_of_piece: impl Fn(&[u8], usize) -> usize) -> u64 {
    let (mut at, mut total) = (0, 0);
    while at < text.len() {
        // A piece is never empty; `max` only makes sure that no mistake in the scanner can hang the program.
        let end = end_of_piece(text, at).max(at + 1);
        let piece = text.get(at..end).unwrap_or_default();
        total +=
            if piece.len() == 1 || vocabulary.rank(piece) != NO_RANK { 1 } else { merge::count(vocabulary, piece) };
        at = end;
    }
    total
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The name is not that of a supported encoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown encoding '{name}'")]
pub struct UnknownEncoding {
    /// The name as given.
    pub name: String,
}

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    /// Reads `o200k_base` or `cl100k_base`.
    ///
    /// # Errors
    ///
    /// [`UnknownEncoding`] for any other name.
    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        [Encoding::O200kBase, Encoding::Cl100kBase]
            .into_iter()
            .find(|encoding| encoding.name() == name)
            .ok_or_else(|| UnknownEncoding { name: name.to_owned() })
    }
}
