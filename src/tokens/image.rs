//! What an image costs, from the size in its header.

/// The most that one image costs, and what an image of unknown size is taken to cost.
///
/// Source: Anthropic's vision guide: an image above 1,568 pixels on its long edge or about 1,600 tokens is scaled down
/// first. Models from Opus 4.7 on accept larger images, which then cost up to three times as much.
pub const IMAGE_TOKENS_MAX: u64 = 1_568;

const LONG_EDGE: u64 = 1_568;
/// Base64 characters that are decoded: a JPEG may carry large metadata in front of its size.
pub(super) const HEADER: usize = 256 << 10;

/// Counts an image given as base64 by Anthropic's published rule: width x height / 750, after scaling to fit.
///
/// Returns [`IMAGE_TOKENS_MAX`] where the size cannot be read (other formats, a URL, a file id).
pub(super) fn tokens(base64: &[u8]) -> u64 {
    let bytes = decode(base64.get(..HEADER).unwrap_or(base64));
    match size(&bytes) {
        Some((width, height)) if width > 0 && height > 0 => tokens_of(u64::from(width), u64::from(height)),
        _ => IMAGE_TOKENS_MAX,
    }
}

fn tokens_of(width: u64, height: u64) -> u64 {
    let long = width.max(height);
    let area = if long > LONG_EDGE { width * height / long * LONG_EDGE / long * LONG_EDGE } else { width * height };
    area.div_ceil(750).clamp(1, IMAGE_TOKENS_MAX)
}

/// Width and height in pixels, from the header of a PNG, GIF, WebP or JPEG file.
fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let width = bytes.get(16..20)?.first_chunk()?;
        let height = bytes.get(20..24)?.first_chunk()?;
        Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
    } else if bytes.starts_with(b"GIF8") {
        Some((little(bytes, 6, 2)?, little(bytes, 8, 2)?))
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12)? == b"WEBP" {
        webp(bytes)
    } else if bytes.starts_with(b"\xff\xd8") {
        jpeg(bytes)
    } else {
        None
    }
}

/// Source: WebP container specification (RFC 9649), sections 2.5 to 2.7.
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8 " => Some((little(bytes, 26, 2)? & 0x3FFF, little(bytes, 28, 2)? & 0x3FFF)),
        b"VP8L" => {
            let packed = little(bytes, 21, 4)?;
            Some(((packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1))
        }
        b"VP8X" => Some((little(bytes, 24, 3)? + 1, little(bytes, 27, 3)? + 1)),
        _ => None,
    }
}

/// Walks the segments up to the frame header (SOF0 to SOF15 without DHT, JPG and DAC; ITU-T T.81, B.2).
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let [0xFF, marker] = *bytes.get(at..at + 2)? else { return None };
        if marker == 0xFF {
            at += 1;
            continue;
        }
        let big = |at: usize| bytes.get(at..at + 2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]));
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            return Some((big(at + 7)?, big(at + 5)?));
        }
        at += 2 + big(at + 2)? as usize;
    }
}

fn little(bytes: &[u8], at: usize, len: usize) -> Option<u32> {
    Some(bytes.get(at..at + len)?.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

/// Decodes base64 of either alphabet up to the first byte that is neither; line ends (also escaped) end it.
fn decode(base64: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(base64.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    // `\/` is how some JSON writers put a slash.
    for byte in base64.iter().filter(|byte| **byte != b'\\') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_from_each_format() {
        let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &[0, 0, 3, 232, 0, 0, 1, 244]].concat();
        assert_eq!(size(&png), Some((1000, 500)));
        assert_eq!(size(b"GIF89a\x40\x01\xf0\x00"), Some((320, 240)));
        let lossy = [b"RIFF....WEBPVP8 ....\0\0\0\x9d\x01\x2a".as_slice(), &[0x20, 0x03, 0x58, 0x02]].concat();
        assert_eq!(size(&lossy), Some((800, 600)));
        let lossless = [b"RIFF....WEBPVP8L....\x2f".as_slice(), &(799_u32 | 599 << 14).to_le_bytes()].concat();
        assert_eq!(size(&lossless), Some((800, 600)));
        let extended = b"RIFF....WEBPVP8X....\0\0\0\0\x1f\x03\0\x57\x02\0";
        assert_eq!(size(extended), Some((800, 600)));
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc4\0\x02\xff\xc2\0\x0b\x08\x01\xe0\x02\x80";
        assert_eq!(size(jpeg), Some((640, 480)));
    }

    #[test]
    fn the_published_rule_holds_and_is_capped() {
        assert_eq!(tokens_of(200, 200), 54);
        assert_eq!(tokens_of(1000, 1000), 1334);
        assert_eq!(tokens_of(8000, 8000), IMAGE_TOKENS_MAX);
        assert!((320..=330).contains(&tokens_of(3136, 313)), "{}", tokens_of(3136, 313));
        assert_eq!(tokens_of(u64::from(u32::MAX), 1), 1);
        assert_eq!(tokens_of(u64::from(u32::MAX), u64::from(u32::MAX)), IMAGE_TOKENS_MAX);
    }

    #[test]
    fn an_unreadable_image_costs_the_most() {
        for base64 in ["", "AAAA", "iVBORw0KGgo", "/9j/", "%%%"] {
            assert_eq!(tokens(base64.as_bytes()), IMAGE_TOKENS_MAX);
        }
        assert_eq!(tokens(b"R0lGODlhAQABAIAAAAUEBA"), 1);
    }
}
