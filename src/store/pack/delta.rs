//! Git's delta: a target told as copies from a base and new bytes.
//!
//! The format is that of `gitformat-pack(5)`, "Deltified representation": the two lengths, then instructions.

/// A match is looked for in blocks of this many bytes; about a quarter of a tree row.
const BLOCK: usize = 16;
/// At most this many places of the base are remembered, so that the memory is bounded for any base.
const MAX_PLACES: usize = 1 << 20;
/// The longest copy that git itself puts into one instruction.
const MAX_COPY: usize = 0x1_0000;
/// The longest insertion of one instruction.
const MAX_INSERT: usize = 0x7f;
/// A shorter copy costs as much as the bytes it saves.
const MIN_COPY: usize = 6;

/// Says why a delta cannot be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeltaError {
    /// The delta ends within a number or an instruction.
    #[error("delta is cut short")]
    Truncated,
    /// The delta was made for a base of another length.
    #[error("delta does not belong to this base")]
    WrongBase,
    /// An instruction copies from beyond the base, or is git's reserved one.
    #[error("delta has an invalid instruction")]
    Invalid,
    /// The instructions yield another length than the delta states.
    #[error("delta yields another size than it states")]
    WrongSize,
    /// The target would be longer than the caller allows.
    #[error("delta yields more than {limit} bytes")]
    TooLong {
        /// The most bytes that the caller allows.
        limit: usize,
    },
}

/// Returns the target that `delta` makes of `base`, refusing one longer than `limit` bytes before it takes memory.
///
/// # Errors
/// If the delta is cut short, has an invalid instruction, belongs to another base or yields more than `limit` bytes.
pub fn apply(base: &[u8], delta: &[u8], limit: usize) -> Result<Vec<u8>, DeltaError> {
    let (base_len, rest) = take_size(delta)?;
    let (target_len, mut rest) = take_size(rest)?;
    if base_len != base.len() {
        return Err(DeltaError::WrongBase);
    }
    if target_len > limit {
        return Err(DeltaError::TooLong { limit });
    }
    let mut out = Vec::with_capacity(target_len);
    while let Some((&code, after)) = rest.split_first() {
        let piece;
        (piece, rest) = match code {
            0 => return Err(DeltaError::Invalid),
            1..=0x7f => after.split_at_checked(usize::from(code)).ok_or(DeltaError::Truncated)?,
            _ => {
                let (offset, len, after) = take_copy(code, after)?;
                let end = offset.checked_add(len).ok_or(DeltaError::Invalid)?;
                (base.get(offset..end).ok_or(DeltaError::Invalid)?, after)
            }
        };
        if piece.len() > target_len - out.len() {
            return Err(DeltaError::WrongSize);
        }
        out.extend_from_slice(piece);
    }
    if out.len() == target_len { Ok(out) } else { Err(DeltaError::WrongSize) }
}

/// Makes deltas one after the other with one table of places.
#[derive(Default)]
pub(super) struct Encoder {
    /// Position in the base plus one, by block hash; the first block of a hash wins, so no chain can grow.
    places: Vec<u32>,
}

impl Encoder {
    /// Replaces `out` by the delta; returns whether it exists within `limit` bytes.
    pub(super) fn encode(&mut self, base: &[u8], target: &[u8], limit: usize, out: &mut Vec<u8>) -> bool {
        out.clear();
        // Offsets in a copy are 32 bits wide.
        if u32::try_from(base.len()).is_err() {
            return false;
        }
        push_size(out, base.len());
        push_size(out, target.len());

        let shorter = base.len().min(target.len());
        let prefix = drop_short(common_prefix(base, target));
        let suffix = drop_short(common_suffix(base, target).min(shorter - prefix));
        let end = target.len() - suffix;
        push_copy(out, 0, prefix);
        if !self.encode_middle(base, target, prefix..end, limit, out) {
            return false;
        }
        push_copy(out, base.len() - suffix, suffix);
        out.len() <= limit
    }

    /// Tells `target[middle]` by whatever of the base is found again, and inserts the rest.
    fn encode_middle(
        &mut self,
        base: &[u8],
        target: &[u8],
        middle: std::ops::Range<usize>,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        let (start, end) = (middle.start, middle.end);
        let mut told = start;
        if let Some(mask) = self.remember(base, end - start) {
            let mut at = start;
            while at + BLOCK <= end {
                let block = &target[at..at + BLOCK];
                let place = self.places[hash(block) & mask] as usize;
                if place == 0 || &base[place - 1..place - 1 + BLOCK] != block {
                    at += 1;
                    continue;
                }
                let mut from = place - 1;
                let mut len = BLOCK + common_prefix(&base[from + BLOCK..], &target[at + BLOCK..end]);
                let back = common_suffix(&base[..from], &target[told..at]);
                (from, at, len) = (from - back, at - back, len + back);
                push_insert(out, &target[told..at]);
                push_copy(out, from, len);
                at += len;
                told = at;
                if out.len() > limit {
                    return false;
                }
            }
        }
        if out.len() + (end - told) > limit {
            return false;
        }
        push_insert(out, &target[told..end]);
        true
    }

    /// Remembers where the base's blocks are and returns the mask of the table; nothing if looking cannot pay.
    fn remember(&mut self, base: &[u8], middle: usize) -> Option<usize> {
        // One changed row is not worth a look at the whole of a long base.
        let short = base.len() <= 1024;
        if base.len() < BLOCK || middle < if short { BLOCK } else { 4 * BLOCK } {
            return None;
        }
        let step = if short { 1 } else { BLOCK.max(base.len() / MAX_PLACES) };
        let places = (base.len() - BLOCK) / step + 1;
        let size = (2 * places).next_power_of_two();
        self.places.clear();
        self.places.resize(size, 0);
        for at in (0..=base.len() - BLOCK).step_by(step) {
            let slot = &mut self.places[hash(&base[at..at + BLOCK]) & (size - 1)];
            if *slot == 0 {
                *slot = u32::try_from(at + 1).unwrap_or(0);
            }
        }
        Some(size - 1)
    }
}

/// Mixes a block of [`BLOCK`] bytes into a table index (before masking).
fn hash(block: &[u8]) -> usize {
    let (low, high) = block.split_at(8);
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("half a block is 8 bytes"));
    let mixed = (word(low) ^ word(high).rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize
}

/// The number of equal bytes at the beginning.
fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    const STEP: usize = 32;
    let equal = STEP * left.chunks_exact(STEP).zip(right.chunks_exact(STEP)).take_while(|(l, r)| l == r).count();
    equal + left[equal..].iter().zip(&right[equal..]).take_while(|(l, r)| l == r).count()
}

/// The number of equal bytes at the end.
fn common_suffix(left: &[u8], right: &[u8]) -> usize {
    const STEP: usize = 32;
    let equal = STEP * left.rchunks_exact(STEP).zip(right.rchunks_exact(STEP)).take_while(|(l, r)| l == r).count();
    let (left, right) = (&left[..left.len() - equal], &right[..right.len() - equal]);
    equal + left.iter().rev().zip(right.iter().rev()).take_while(|(l, r)| l == r).count()
}

fn drop_short(len: usize) -> usize {
    if len < MIN_COPY { 0 } else { len }
}

fn push_size(out: &mut Vec<u8>, size: usize) {
    let mut rest = size;
    while rest > 0x7f {
        out.push(0x80 | (rest & 0x7f) as u8);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn push_insert(out: &mut Vec<u8>, bytes: &[u8]) {
    for piece in bytes.chunks(MAX_INSERT) {
        out.push(u8::try_from(piece.len()).expect("a piece is at most 127 bytes long"));
        out.extend_from_slice(piece);
    }
}

/// Appends copies of `base[offset..offset + len]`; bytes that are zero are left out and marked so in the code.
fn push_copy(out: &mut Vec<u8>, offset: usize, len: usize) {
    let (mut offset, mut rest) = (offset, len);
    while rest > 0 {
        let len = rest.min(MAX_COPY);
        let at = out.len();
        out.push(0x80);
        let mut code = 0x80;
        // A length of 65536 is written as none at all.
        let numbers =
            (0..4).map(|byte| (byte, offset >> (8 * byte))).chain((0..2).map(|byte| (4 + byte, len >> (8 * byte))));
        for (bit, value) in numbers {
            let value = (value & 0xff) as u8;
            if value != 0 {
                code |= 1 << bit;
                out.push(value);
            }
        }
        out[at] = code;
        (offset, rest) = (offset + len, rest - len);
    }
}

fn take_size(bytes: &[u8]) -> Result<(usize, &[u8]), DeltaError> {
    let (mut size, mut shift, mut rest) = (0u64, 0u32, bytes);
    loop {
        let (&byte, after) = rest.split_first().ok_or(DeltaError::Truncated)?;
        // 63 bits are more than any object has; a longer number is an attack.
        if shift > 56 {
            return Err(DeltaError::Invalid);
        }
        size |= u64::from(byte & 0x7f) << shift;
        (shift, rest) = (shift + 7, after);
        if byte & 0x80 == 0 {
            return usize::try_from(size).map(|size| (size, rest)).map_err(|_| DeltaError::Invalid);
        }
    }
}

fn take_copy(code: u8, bytes: &[u8]) -> Result<(usize, usize, &[u8]), DeltaError> {
    let (mut offset, mut len, mut rest) = (0usize, 0usize, bytes);
    for bit in (0..7).filter(|bit| code & (1 << bit) != 0) {
        let (&byte, after) = rest.split_first().ok_or(DeltaError::Truncated)?;
        if bit < 4 {
            offset |= usize::from(byte) << (8 * bit);
        } else {
            len |= usize::from(byte) << (8 * (bit - 4));
        }
        rest = after;
    }
    Ok((offset, if len == 0 { MAX_COPY } else { len }, rest))
}

#[cfg(test)]
#[path = "delta_tests.rs"]
mod tests;
