//! The header of one object in a pack: kind, size and, for a delta, the way back to its base.
//!
//! Source: `gitformat-pack(5)`, "Pack file entry".

use gix::objs::Kind;

/// The kind number of a delta whose base is named by its distance in the same pack.
pub(super) const OFS_DELTA: u8 = 6;

/// Returns the number that stands for an object kind in an entry header.
pub(super) fn kind_number(kind: Kind) -> u8 {
    match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    }
}

/// Appends kind and inflated size: 4 bits of the size beside the kind, then 7 bits a byte, low bits first.
pub(super) fn push_header(out: &mut Vec<u8>, number: u8, size: u64) {
    let mut byte = (number << 4) | (size & 0x0f) as u8;
    let mut rest = size >> 4;
    while rest > 0 {
        out.push(byte | 0x80);
        byte = (rest & 0x7f) as u8;
        rest >>= 7;
    }
    out.push(byte);
}

/// Appends the distance back to a delta's base: 7 bits a byte, high bits first, each further byte counting from one.
pub(super) fn push_distance(out: &mut Vec<u8>, distance: u64) {
    let mut bytes = [0u8; 10];
    let mut at = bytes.len() - 1;
    let mut rest = distance;
    bytes[at] = (rest & 0x7f) as u8;
    while rest > 0x7f {
        rest = (rest >> 7) - 1;
        at -= 1;
        bytes[at] = 0x80 | (rest & 0x7f) as u8;
    }
    out.extend_from_slice(&bytes[at..]);
}

/// Reads what [`push_header`] wrote and returns the kind number, the size and the remaining bytes.
pub(super) fn take_header(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (&first, mut rest) = bytes.split_first()?;
    let mut size = u64::from(first & 0x0f);
    let (mut shift, mut byte) = (4u32, first);
    while byte & 0x80 != 0 {
        (byte, rest) = rest.split_first().map(|(&byte, rest)| (byte, rest))?;
        let part = u64::from(byte & 0x7f);
        if shift > 57 && part >> (64 - shift.min(63)) != 0 {
            return None;
        }
        size |= part.checked_shl(shift)?;
        shift += 7;
    }
    Some(((first >> 4) & 7, size, rest))
}

/// Reads what [`push_distance`] wrote and returns the distance and the remaining bytes.
pub(super) fn take_distance(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (&first, mut rest) = bytes.split_first()?;
    let mut distance = u64::from(first & 0x7f);
    let mut byte = first;
    while byte & 0x80 != 0 {
        (byte, rest) = rest.split_first().map(|(&byte, rest)| (byte, rest))?;
        distance = distance.checked_add(1)?.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))?;
    }
    Some((distance, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn header_and_distance_come_back(number in 1u8..8, size: u64, distance: u64, shift in 0u32..64) {
            let (size, distance) = (size >> shift, distance >> shift);
            let mut out = Vec::new();
            push_header(&mut out, number, size);
            push_distance(&mut out, distance);
            out.push(0xff);
            let (got_number, got_size, rest) = take_header(&out).expect("just written");
            let (got_distance, rest) = take_distance(rest).expect("just written");
            prop_assert_eq!((got_number, got_size, got_distance, rest), (number, size, distance, &[0xff_u8][..]));
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..16)) {
            let _ = take_header(&bytes);
            let _ = take_distance(&bytes);
        }
    }

    #[test]
    fn endless_varints_are_refused() {
        assert!(take_header(&[0xff; 20]).is_none());
        assert!(take_distance(&[0xff; 20]).is_none());
    }
}
