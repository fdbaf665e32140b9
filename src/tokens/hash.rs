//! Hashing shared by the build script, which places tokens, and the counter, which finds them.

/// Longest token, in bytes, whose text is stored inside its slot of the short table.
pub const SHORT: usize = 8;
/// Longest token, in bytes, whose text is stored inside its slot of the middle table.
pub const MIDDLE: usize = 16;

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
const SECOND: u64 = 0xD6E8_FEB8_6659_FD93;

/// Returns 1 to 8 bytes as one little-endian word, padded with zeros; 0 for any other length.
#[inline]
pub fn short_key(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let shift = 8 * (bytes.len() as u32 - 4);
        u64::from(u32::from_le_bytes(*first)) | (u64::from(u32::from_le_bytes(*last)).wrapping_shl(shift))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk::<2>(), bytes.last_chunk::<2>()) {
        let shift = 8 * (bytes.len() as u32 - 2);
        u64::from(u16::from_le_bytes(*first)) | (u64::from(u16::from_le_bytes(*last)) << shift)
    } else {
        bytes.first().map_or(0, |byte| u64::from(*byte))
    }
}

/// Returns 9 to 16 bytes as their first and last eight, which overlap; `None` below eight bytes.
#[inline]
pub fn middle_key(bytes: &[u8]) -> Option<(u64, u64)> {
    let (first, last) = (bytes.first_chunk::<8>()?, bytes.last_chunk::<8>()?);
    Some((u64::from_le_bytes(*first), u64::from_le_bytes(*last)))
}

/// Hashes a [`short_key`] and its length.
#[inline]
pub fn of_short(key: u64, len: usize) -> u64 {
    fold(key ^ (len as u64).wrapping_mul(SECOND), MULTIPLIER)
}

/// Hashes a [`middle_key`] and its length.
#[inline]
pub fn of_middle((first, last): (u64, u64), len: usize) -> u64 {
    fold(first ^ MULTIPLIER, last ^ (len as u64).wrapping_mul(SECOND) ^ SECOND)
}

/// Hashes bytes of any length.
pub fn of_long(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = bytes.len() as u64;
    for word in words {
        hash = fold(hash ^ u64::from_le_bytes(*word), MULTIPLIER).wrapping_add(SECOND);
    }
    fold(hash ^ short_key(rest), MULTIPLIER)
}

/// Returns the bucket of a hash among `buckets`: its displacement is stored there.
#[inline]
pub fn bucket(hash: u64, buckets: usize) -> usize {
    scale((hash >> 32) as u32, buckets)
}

/// Returns the slot of a hash among `slots`, given its bucket's displacement.
#[inline]
pub fn slot(hash: u64, displacement: u16, slots: usize) -> usize {
    let moved = (hash as u32) ^ u32::from(displacement).wrapping_mul(0x9E37_79B1);
    scale(moved.wrapping_mul(0x85EB_CA6B), slots)
}

#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    (product as u64) ^ ((product >> 64) as u64)
}

#[inline]
fn scale(hash: u32, size: usize) -> usize {
    ((u64::from(hash) * size as u64) >> 32) as usize
}
