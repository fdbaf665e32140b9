//! Zlib streams, one for each object, with state that is reused from one object to the next.
//!
//! libdeflate compresses whole buffers: on objects of a few hundred bytes it is several times as fast as zlib, which
//! clears 128 KB for every stream.

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{CompressionLvl, Compressor};

use super::PackError;

/// The largest stored block of a deflate stream.
const BLOCK: usize = 0xffff;

/// Compresses objects one after the other into the caller's buffer.
pub(super) struct Deflater {
    level: u8,
    stored_below: usize,
    /// Made when first needed.
    state: Option<Compressor>,
}

impl Deflater {
    pub(super) fn new(level: u8, stored_below: usize) -> Self {
        Self { level: level.min(12), stored_below, state: None }
    }

    /// Appends `bytes` as one zlib stream; stored when that is not longer or when they are too short to gain.
    pub(super) fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), PackError> {
        if self.level == 0 || bytes.len() < self.stored_below {
            append_stored(bytes, out);
            return Ok(());
        }
        let level = CompressionLvl::new(i32::from(self.level)).unwrap_or_default();
        let state = self.state.get_or_insert_with(|| Compressor::new(level));
        let start = out.len();
        out.resize(start + state.zlib_compress_bound(bytes.len()), 0);
        let written = state.zlib_compress(bytes, &mut out[start..]);
        let written = written.map_err(|error| PackError::Deflate { message: error.to_string() })?;
        out.truncate(start + written);
        if written > stored_len(bytes.len()) {
            out.truncate(start);
            append_stored(bytes, out);
        }
        Ok(())
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
    out.extend_from_slice(&adler2::adler32_slice(bytes).to_be_bytes());
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

    proptest! {
        #[test]
        fn repetitions_near_and_far_come_back(level in 1u8..10, alphabet in 1u8..=255, pieces in pieces()) {
            let mut bytes: Vec<u8> = Vec::new();
            for (new, from, len) in pieces {
                bytes.extend(new.iter().map(|byte| byte % alphabet));
                let from = usize::from(from) % (bytes.len() + 1);
                let to = bytes.len().min(from + usize::from(len));
                bytes.extend_from_within(from..to);
            }
            let mut deflater = Deflater::new(level, 0);
            let mut inflater = Inflater::new();
            // Twice, since what is remembered of one object must not leak into the next.
            for end in [bytes.len(), bytes.len() / 2] {
                let mut out = Vec::new();
                deflater.append(&bytes[..end], &mut out).expect("memory only");
                prop_assert!(inflater.inflate(&out, end).is_some_and(|inflated| inflated == bytes[..end]));
            }
        }
    }

    /// New bytes, then a copy of earlier ones.
    fn pieces() -> impl Strategy<Value = Vec<(Vec<u8>, u16, u16)>> {
        proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..600), any::<u16>(), 0u16..1200), 0..60)
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
