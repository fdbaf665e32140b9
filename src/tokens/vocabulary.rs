//! A vocabulary in its stored form: three perfect hash tables, by length of token, read in place.

use super::hash::{self, MIDDLE, SHORT};

/// The rank that no token has.
pub(super) const NO_RANK: u32 = u32::MAX;

const LENGTH_SHIFT: u32 = 24;
const RANK: u32 = (1 << LENGTH_SHIFT) - 1;

/// One vocabulary; the build script writes its tables. Nothing is parsed or copied when the program starts.
pub(super) struct Vocabulary {
    short: Table<12>,
    middle: Table<20>,
    long: Table<8>,
    long_text: &'static [u8],
    joints: &'static [u8],
}

/// A perfect hash table: one displacement for each bucket, then exactly one slot to look at.
struct Table<const WIDTH: usize> {
    displacements: &'static [[u8; 2]],
    slots: &'static [[u8; WIDTH]],
}

macro_rules! table {
    ($name:literal, $part:literal) => {
        Table {
            displacements: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, "_", $part, "_displacements.bin"))
                .as_chunks()
                .0,
            slots: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, "_", $part, "_slots.bin")).as_chunks().0,
        }
    };
}

macro_rules! vocabulary {
    ($name:literal) => {
        Vocabulary {
            short: table!($name, "short"),
            middle: table!($name, "middle"),
            long: table!($name, "long"),
            long_text: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, "_long_text.bin")),
            joints: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, "_joints.bin")),
        }
    };
}

/// `o200k_base`: 199,998 tokens.
pub(super) static O200K: Vocabulary = vocabulary!("o200k");
/// `cl100k_base`: 100,256 tokens.
pub(super) static CL100K: Vocabulary = vocabulary!("cl100k");

impl Vocabulary {
    /// Returns the rank of the token with exactly these bytes, or [`NO_RANK`].
    #[inline]
    pub(super) fn rank(&self, bytes: &[u8]) -> u32 {
        if bytes.len() <= SHORT {
            let key = hash::short_key(bytes);
            let slot = self.short.slot(hash::of_short(key, bytes.len()));
            rank_if(word::<0>(slot) == key, tail(slot), bytes.len())
        } else if bytes.len() <= MIDDLE {
            let Some(key) = hash::middle_key(bytes) else { return NO_RANK };
            let slot = self.middle.slot(hash::of_middle(key, bytes.len()));
            rank_if((word::<0>(slot), word::<8>(slot)) == key, tail(slot), bytes.len())
        } else {
            self.long_rank(bytes)
        }
    }

    /// Tells whether merging may join parts of characters across `before` and `first`, the bytes on both sides of a
    /// character boundary; see `joints` in the build script.
    #[inline]
    pub(super) fn joins(&self, before: u8, first: u8) -> bool {
        let pair = usize::from(before) << 8 | usize::from(first);
        self.joints.get(pair / 8).is_none_or(|bits| bits >> (pair % 8) & 1 == 1)
    }

    fn long_rank(&self, bytes: &[u8]) -> u32 {
        if bytes.len() > usize::from(u8::MAX) {
            return NO_RANK;
        }
        let slot = self.long.slot(hash::of_long(bytes));
        let [a, b, c, d, ..] = *slot;
        let at = u32::from_le_bytes([a, b, c, d]) as usize;
        rank_if(self.long_text.get(at..at + bytes.len()) == Some(bytes), tail(slot), bytes.len())
    }
}

impl<const WIDTH: usize> Table<WIDTH> {
    #[inline]
    fn slot(&self, hash: u64) -> &'static [u8; WIDTH] {
        let displacement = u16::from_le_bytes(self.displacements[hash::bucket(hash, self.displacements.len())]);
        &self.slots[hash::slot(hash, displacement, self.slots.len())]
    }
}

#[inline]
fn word<const AT: usize>(slot: &[u8]) -> u64 {
    slot.get(AT..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Length and rank, the last word of every slot; 0 where the slot is empty.
#[inline]
fn tail(slot: &[u8]) -> u32 {
    slot.last_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

#[inline]
fn rank_if(same_text: bool, tail: u32, len: usize) -> u32 {
    if same_text && (tail >> LENGTH_SHIFT) as usize == len { tail & RANK } else { NO_RANK }
}
