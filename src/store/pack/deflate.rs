//! Zlib streams, one for each object, with state that is reused from one object to the next.
//!
//! Short objects, which are nearly all, take our own [`BlockWriter`]; the library does the long ones.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{PackError, block::BlockWriter, matches::MAX_INPUT};

/// The largest stored block of a deflate stream.
const BLOCK: usize = 0xffff;

/// Compresses objects one after the other into the caller's buffer.
pub(super) struct Deflater {
    level: u8,
    stored_below: usize,
    /// Made when first needed, as is the next.
    short: Option<BlockWriter>,
    /// Takes 270 KB of memory and clears half of it for every object.
    long: Option<Compress>,
}

impl Deflater {
    pub(super) fn new(level: u8, stored_below: usize) -> Self {
        Self { level: level.min(9), stored_below, short: None, long: None }
    }

    /// Appends `bytes` as one zlib stream; stored when that is not longer or when they are too short to gain.
    pub(super) fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), PackError> {
        if self.level == 0 || bytes.len() < self.stored_below {
            append_stored(bytes, out);
            return Ok(());
        }
        let start = out.len();
        if bytes.len() <= MAX_INPUT {
            out.extend_from_slice(&[0x78, 0x01]);
            self.short.get_or_insert_with(|| BlockWriter::new(self.level)).append(bytes, out);
            out.extend_from_slice(&adler32(bytes).to_be_bytes());
        } else {
            self.append_long(bytes, out)?;
        }
        if out.len() - start > stored_len(bytes.len()) {
            out.truncate(start);
            append_stored(bytes, out);
        }
        Ok(())
    }

    fn append_long(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), PackError> {
        let level = Compression::new(u32::from(self.level));
        let state = self.long.get_or_insert_with(|| Compress::new(level, true));
        state.reset();
        let mut rest = bytes;
        loop {
            out.reserve(rest.len() + rest.len() / 64 + 128);
            let before = state.total_in();
            let status = state
                .compress_vec(rest, out, FlushCompress::Finish)
                .map_err(|error| PackError::Deflate { message: error.to_string() })?;
            let taken = usize::try_from(state.total_in() - before).unwrap_or(rest.len());
            rest = &rest[taken.min(rest.len())..];
            if status == Status::StreamEnd {
                return Ok(());
            }
        }
    }
}

/// Inflates objects one after the other.
pub(super) struct Inflater(Decompress);

impl Inflater {
    pub(super) fn new() -> Self {
        Self(Decompress::new(true))
    }

    /// Returns the `size` bytes that the zlib stream in `deflated` holds, or nothing if it holds any other number.
    pub(super) fn inflate(&mut self, deflated: &[u8], size: usize) -> Option<Vec<u8>> {
        self.0.reset(true);
        // A spare byte lets the stream reach its end, checksum included, in one call.
        let mut out = Vec::with_capacity(size.checked_add(1)?);
        let status = self.0.decompress_vec(deflated, &mut out, FlushDecompress::Finish).ok()?;
        (status == Status::StreamEnd && out.len() == size).then_some(out)
    }
}

/// The length of [`append_stored`]'s output.
fn stored_len(len: usize) -> usize {
    2 + 5 * len.div_ceil(BLOCK).max(1) + len + 4
}

/// Appends `bytes` as a zlib stream of stored blocks (RFC 1950, RFC 1951 section 3.2.4).
fn append_stored(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(stored_len(bytes.len()));
    out.extend_from_slice(&[0x78, 0x01]);
    let mut rest = bytes;
    loop {
        let (block, after) = rest.split_at(rest.len().min(BLOCK));
        let len = u16::try_from(block.len()).expect("a block is at most 65535 bytes long");
        out.push(u8::from(after.is_empty()));
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(block);
        if after.is_empty() {
            break;
        }
        rest = after;
    }
    out.extend_from_slice(&adler32(bytes).to_be_bytes());
}

/// The checksum of RFC 1950, section 9.
fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (mut low, mut high) = (1u32, 0u32);
    // 5552 is the longest run whose sums cannot pass 32 bits.
    for run in bytes.chunks(5552) {
        for &byte in run {
            low += u32::from(byte);
            high += low;
        }
        low %= MODULUS;
        high %= MODULUS;
    }
    (high << 16) | low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn inflate_undoes_append(level in 0u8..10, stored_below in 0usize..300,
                                 parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 1..4),
                                 times in 1usize..300) {
            let (mut deflater, mut inflater) = (Deflater::new(level, stored_below), Inflater::new());
            for part in parts {
                let bytes = part.repeat(times);
                let mut out = vec![7];
                deflater.append(&bytes, &mut out).expect("memory only");
                prop_assert!(out.len() <= 1 + stored_len(bytes.len()));
                prop_assert_eq!(inflater.inflate(&out[1..], bytes.len()), Some(bytes.clone()));
                prop_assert_eq!(inflater.inflate(&out[1..], bytes.len() + 1), None);
            }
        }
    }

    #[test]
    fn incompressible_bytes_grow_by_the_stored_header_only() {
        let mut noise = 1u64;
        let bytes: Vec<u8> = (0..200_000)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (noise >> 56) as u8
            })
            .collect();
        let mut out = Vec::new();
        Deflater::new(6, 0).append(&bytes, &mut out).expect("memory only");
        assert!(out.len() <= bytes.len() + 26, "{}", out.len());
    }
}
